"""A prediction as plain data for JSON: what `python -m ecgkt explain --json` prints and the JSON report holds.

The keys are public (docs/report.md): new ones may come, none is taken away or given another meaning.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

from ecgkt.prediction import Prediction, Score
from ecgkt.verdict import Verdict


class QualityJSON(TypedDict):
    ok: bool
    reasons: list[str]
    warnings: list[str]


class ScoreJSON(TypedDict):
    """One label with its score. lab, direction, unit and limit are those of lab scores only."""

    code: str
    name: str
    group: str
    lab: NotRequired[str]
    direction: NotRequired[str]
    unit: NotRequired[str]
    limit: NotRequired[float | None]
    probability: float
    threshold: float
    positive: bool
    verdict: Verdict | None
    threshold_source: str
    prevalence: float
    auroc: list[float] | None
    measured_on: str | None
    learned_from: str


class PredictionJSON(TypedDict):
    """Lists by falling probability, empty where the model abstains."""

    quality: QualityJSON
    abstained: bool
    findings: list[ScoreJSON]
    superclasses: dict[str, float]
    diagnoses: list[ScoreJSON]
    labs: list[ScoreJSON]


def prediction_json(prediction: Prediction) -> PredictionJSON:
    quality = prediction.quality
    return {
        "quality": {"ok": quality.ok, "reasons": [*quality.reasons], "warnings": [*quality.warnings]},
        "abstained": prediction.abstained,
        "findings": [_score(score) for score in prediction.findings],
        "superclasses": dict(prediction.superclasses),
        "diagnoses": [_score(score) for score in prediction.diagnoses],
        "labs": [_lab_score(score) for score in prediction.labs],
    }


def _score(score: Score) -> ScoreJSON:
    label = score.label
    return {
        "code": label.code,
        "name": label.name,
        "group": label.group,
        "probability": score.probability,
        "threshold": label.threshold,
        "positive": score.positive,
        "verdict": score.verdict,
        "threshold_source": label.threshold_source,
        "prevalence": label.prevalence,
        "auroc": list(label.auroc) if label.auroc else None,
        "measured_on": label.measured_on or None,
        "learned_from": label.learned_from,
    }


def _lab_score(score: Score) -> ScoreJSON:
    label, plain = score.label, _score(score)
    return {**plain, "lab": label.lab, "direction": label.direction, "unit": label.unit, "limit": label.limit}
