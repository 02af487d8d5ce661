"""The clinical table of an example: labs, vitals and biometrics as they were measured, beside what was predicted."""

from __future__ import annotations

from collections.abc import Mapping

from ecgkt import vocabulary
from ecgkt.interpretation.interpret import Interpretation
from ecgkt.interpretation.record import Record, is_stated, measured_labs
from ecgkt.prediction import HEADS, Prediction, Score
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


def measured(prediction: Prediction, values: Mapping[str, float]) -> dict[str, str]:
    """Label code -> its lab's measured value in words; values: by lab, in the unit of labs.csv."""
    of_lab = {code: vocabulary.labs()[code].flag(value) or "normal" for code, value in values.items()}
    return {
        score.label.code: f"measured {numbers.measured(values[score.label.lab])} {of_lab[score.label.lab]}"
        for score in prediction.labs
        if score.label.lab in values
    }


def beside(prediction: Prediction, told: Interpretation, record: Record | None) -> dict[str, str]:
    """Label code -> what the record says of it in a few words, for the ranked lists; nothing without a record.

    Of a finding or a diagnosis: stated, not stated, contradicted, or missed, which is stated and below threshold. Of a
    lab: the measured value, and whether it contradicts the score or was missed by it.
    """
    if record is None:
        return {}
    of_lines = {code: line.standing for line in told.lines for code in line.codes if line.standing}
    words = measured(prediction, record.labs)
    for score in (score for head in HEADS for score in prediction.scores(head)):
        code = score.label.code
        if score.label.head == "labs":
            words[code] = f"{words.get(code, '')}{_judgement(score, record)}"
        elif is_stated(code, record):
            words[code] = "stated" if score.positive else "missed"
        elif score.positive and (record.findings if score.label.head == "findings" else record.diagnoses):
            words[code] = "contradicted" if of_lines.get(code) == "contradicted" else "not stated"
    return {code: each for code, each in words.items() if each}


def _judgement(score: Score, record: Record) -> str:
    """What stands behind a lab's measured value: ", contradicted", ", missed", or nothing where it agrees."""
    label = score.label
    if label.lab not in record.labs:
        return ""
    is_abnormal = vocabulary.labs()[label.lab].flag(record.labs[label.lab]) == label.direction
    return "" if is_abnormal == score.positive else ", contradicted" if score.positive else ", missed"


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
