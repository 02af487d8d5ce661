"""What the other sets of a run hold already: an ECG is taken once, and a patient is in one split in all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from training.cohort.prepared import Prepared

DRAWN = ("train", "validation", "test")


@dataclass(frozen=True)
class OtherSets:
    """holder: (source, number of an ECG) -> the set that has it; splits: patient -> split."""

    holder: dict[tuple[str, str], str] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, sets: Iterable[Prepared]) -> OtherSets:
        other = cls()
        for prepared in sets:
            ecgs = prepared.ecgs
            keys = zip(ecgs["source"], ecgs["ecg_id"], strict=True)
            other.holder.update(dict.fromkeys(keys, str(prepared.info["name"])))
            drawn = ecgs[ecgs["split"].isin(DRAWN)]
            other.splits.update(zip(drawn["patient"], drawn["split"], strict=True))
        return other

    def taken(self, source: str, ecg_ids: pd.Series) -> pd.Series:
        """By row "" or why the ECG is left out."""
        holders = [self.holder.get((source, str(ecg_id)), "") for ecg_id in ecg_ids]
        reasons = [f"in the set {holder} already" if holder else "" for holder in holders]
        return pd.Series(reasons, index=ecg_ids.index, dtype="object")

    def kept_splits(self, patients: pd.Series, split: pd.Series) -> pd.Series:
        """`split`, with those that patients have in another set in place of it."""
        return patients.map(self.splits).astype(object).fillna(split)


NONE = OtherSets()


def in_two_splits(sets: Iterable[Prepared]) -> int:
    """How many patients are in two splits, over all sets together."""
    ecgs = pd.concat([prepared.ecgs[["patient", "split"]] for prepared in sets])
    drawn = ecgs[ecgs["split"].isin(DRAWN)]
    return int((drawn.groupby("patient")["split"].nunique() > 1).sum())
