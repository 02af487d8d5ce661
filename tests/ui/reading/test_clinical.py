"""What the record says beside each score: stated, not stated, missed, contradicted; measured labs judged."""

from __future__ import annotations

from ecgkt.interpretation.interpret import Interpretation
from ecgkt.interpretation.line import Line
from ecgkt.interpretation.record import Record
from ecgkt.prediction import Prediction, Quality, Score
from ecgkt.ui.reading.clinical import beside
from tests.stand_in import label


def lab(code: str, direction: str, probability: float) -> Score:
    return Score(label("labs", f"{code}_{direction}", code, lab=code, direction=direction), probability)


def test_each_row_is_held_against_the_record() -> None:
    findings = [("AFIB", 0.9), ("PVC", 0.9), ("CLBBB", 0.1), ("1AVB", 0.1), ("SR", 0.8), ("MI", 0.7), ("HYP", 0.7)]
    prediction = Prediction(
        Quality(True),
        tuple(Score(label("findings", code, code), probability) for code, probability in findings),
        {},
        (Score(label("diagnoses", "I50", "Heart failure"), 0.9),),
        (
            lab("potassium", "high", 0.9),
            lab("sodium", "low", 0.9),
            lab("glucose", "high", 0.1),
            lab("lactate", "high", 1),
        ),
    )
    lines = (Line("rhythm", "Sinus rhythm", "likely", standing="contradicted", codes=("SR",)),)
    record = Record(frozenset({"AFIB", "CLBBB", "IMI"}), labs={"potassium": 6.2, "sodium": 140.0, "glucose": 400.0})
    assert beside(prediction, Interpretation(lines), record) == {
        "AFIB": "stated",
        "PVC": "not stated",
        "CLBBB": "missed",
        "SR": "contradicted",
        "MI": "stated",  # of its class is inferior infarction
        "HYP": "not stated",
        # Of heart failure nothing is said, since the record has no diagnoses at all.
        "potassium_high": "measured 6.2 high",
        "sodium_low": "measured 140 normal, contradicted",
        "glucose_high": "measured 400 high, missed",
    }
    assert beside(prediction, Interpretation(lines), None) == {}
