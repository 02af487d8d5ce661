"""Present, absent or uncertain: what can be said of a label with a bounded share of errors; split conformal prediction.

Class-conditional (Vovk 2012, Conditional validity of inductive conformal predictors; Sadinle, Lei and Wasserman 2019):
the two limits of a label are order statistics of its probabilities among validation patients who have it, and among
those who have not, moved apart where need be to take in the label's threshold, so that nothing is called present below
it or absent above. Fitted by training/calibrate/conformal.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["present", "absent", "uncertain"]


@dataclass(frozen=True)
class Guarantee:
    """Limits of one label, and on whom they were set.

    A patient exchangeable with the validation patients of `population` ("real" or "simulated") who has the label is
    below `low` with a probability of at most `alpha`; one who has not is above `high` with at most `alpha`. Both hold
    over the draw of the validation patients and of the new one, for each label by itself, for one ECG a patient; not
    for a given patient, not for patients of another kind. low, high: None where too few validation patients have the
    label, or too few have not, for any promise. positives, negatives: how many there were.
    """

    alpha: float
    low: float | None
    high: float | None
    population: str
    positives: int
    negatives: int

    def verdict(self, probability: float) -> Verdict | None:
        """ "uncertain" where both answers are in the conformal set, or neither; None without limits."""
        if self.low is None or self.high is None:
            return None
        may_be_present, may_be_absent = probability >= self.low, probability <= self.high
        if may_be_present == may_be_absent:
            return "uncertain"
        return "present" if may_be_present else "absent"
