"""The clinical table of an example: labs, vitals and biometrics as they were measured, beside what was predicted."""

from __future__ import annotations

from collections.abc import Mapping

from ecgkt import vocabulary
from ecgkt.interpretation.record import measured_labs
from ecgkt.prediction import Prediction
from ecgkt.results import numbers
from ecgkt.ui.widgets import html

OTHERS = {
    "vital:heartrate": ("Heart rate", "/min"),
    "vital:resprate": ("Respiratory rate", "/min"),
    "vital:o2sat": ("Oxygen saturation", "%"),
    "vital:sbp": ("Systolic blood pressure", "mmHg"),
    "vital:dbp": ("Diastolic blood pressure", "mmHg"),
    "vital:temperature": ("Temperature", "°C"),
    "biometric:weight": ("Weight", "kg"),
    "biometric:height": ("Height", "cm"),
    "biometric:bmi": ("Body mass index", "kg/m²"),
}


def beside(prediction: Prediction, clinical: Mapping[str, float] | None) -> dict[str, str]:
    """Label code -> the measured value in words, for the ranked list."""
    values = measured_labs(clinical)
    words = {}
    for score in prediction.labs:
        if score.label.lab in values:
            lab = vocabulary.labs()[score.label.lab]
            value = values[score.label.lab]
            words[score.label.code] = f"measured {numbers.measured(value)} {lab.flag(value) or 'normal'}"
    return words


def tables(prediction: Prediction, clinical: Mapping[str, float] | None) -> None:
    """Labs, vitals and biometrics; a sentence where the ECG comes without them."""
    labs_table(prediction, clinical)
    if clinical:
        others_table(clinical)
    else:
        html.text("No labs, vitals or biometrics are recorded for this ECG.")


def labs_table(prediction: Prediction, clinical: Mapping[str, float] | None) -> None:
    """Every lab: measured value with flag, and the predicted probabilities of low and high."""
    values = measured_labs(clinical)
    predicted = {(score.label.lab, score.label.direction): score for score in prediction.labs}
    rows = []
    for code, lab in vocabulary.labs().items():
        low, high = predicted.get((code, "low")), predicted.get((code, "high"))
        if code not in values and low is None and high is None:
            continue
        value = values.get(code)
        cells = [
            lab.name,
            "–" if value is None else numbers.measured(value),
            lab.unit,
            f"{lab.reference_low:g}–{lab.reference_high:g}",
        ]
        cells.append("not measured" if value is None else lab.flag(value) or "normal")
        for score in (low, high):
            cells.append("–" if score is None else numbers.percent(score.probability))
            cells.append("" if score is None else html.Raw(html.bar(score.probability, score.label.threshold)))
        rows.append((max((s.probability for s in (low, high) if s), default=0.0), cells))
    rows.sort(key=lambda row: (row[1][4] == "not measured", -row[0]))
    html.table(
        ("Lab", "Measured", "Unit", "Reference", "Flag", "Predicted low", "", "Predicted high", ""),
        [cells for _, cells in rows],
        "Probabilities of low and high are predicted from the ECG, not measured; the vertical tick is the threshold.",
        numbers=(1, 5, 7),
        marked=[i for i, (_, cells) in enumerate(rows) if cells[4] in ("low", "high")],
    )


def others_table(clinical: Mapping[str, float]) -> None:
    """Vitals and biometrics as recorded; age and sex stand in the patient line."""
    known = {key: value for key, value in clinical.items() if value == value}  # NaN is "not measured"
    rows = [(name, numbers.measured(known[key]), unit) for key, (name, unit) in OTHERS.items() if key in known]
    if rows:
        html.table(("Recorded", "Value", "Unit"), rows, "Vitals and biometrics as recorded", numbers=(1,))
