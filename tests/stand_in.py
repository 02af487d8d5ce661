"""A model that says the same of every ECG, and three examples for it to speak of."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

import ecgkt
from ecgkt.ecg import ECG, ECGError
from ecgkt.lab_links.links import DiagnosisLinks, LabLinks
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.prediction import HEADS, Attribution, Head, Label, Prediction, Quality, Score
from tests import made_up_metrics


def label(head: Head, code: str, name: str, **more: Any) -> Label:
    facts: dict[str, Any] = {"prevalence": 0.1, "threshold": 0.4, "threshold_source": "best Youden index on validation"}
    facts |= {"auroc": (0.8, 0.7, 0.9), "test_positives": 12, "learned_from": "simulated", **more}
    return Label(head, code, name, "group", **facts)


LABELS: dict[Head, tuple[Label, ...]] = {
    "findings": (label("findings", "AFIB", "Atrial fibrillation"), label("findings", "NORM", "Normal ECG")),
    "diagnoses": (label("diagnoses", "I50", "Heart failure"), label("diagnoses", "E11", "Type 2 diabetes mellitus")),
    "labs": (
        label("labs", "potassium_high", "Hyperkalemia", lab="potassium", direction="high", unit="mmol/L", limit=5.1),
        label("labs", "sodium_low", "Hyponatremia", lab="sodium", direction="low", unit="mmol/L", limit=133),
    ),
}
PROBABILITY = {"AFIB": 0.2, "NORM": 0.3, "I50": 0.55, "E11": 0.1, "potassium_high": 0.81, "sodium_low": 0.004}


class StandIn:
    """Says the same of every ECG; relevance lies in V2 alone."""

    name = "stand-in"
    sha256 = "0123456789abcdef" * 4
    labels = LABELS
    card = made_up_metrics.card(LABELS)
    metrics = made_up_metrics.bare(LABELS)
    reference = None
    lab_links = LabLinks(
        version=1,
        reference="made up",
        ecgs=100,
        labs={"potassium_high": -2.0, "sodium_low": -12.0},
        diagnoses={
            "I50": DiagnosisLinks(mean=-3.0, r2=0.9, slopes={"sodium_low": 0.4}, free_r2=0.9, senseless=[]),
            "E11": DiagnosisLinks(mean=-3.0, r2=0.1, slopes={}, free_r2=0.6, senseless=["potassium_high"]),
        },
    )

    def predict(self, analyzed: AnalyzedECG) -> Prediction:
        ecg = analyzed.ecg
        if not np.isfinite(ecg.signal).any():
            return Prediction(Quality(False, ("No lead holds a signal.",)))
        ranked = {
            h: sorted((Score(x, PROBABILITY[x.code]) for x in LABELS[h]), key=lambda s: -s.probability) for h in HEADS
        }
        return Prediction(
            Quality(True), tuple(ranked["findings"]), {}, tuple(ranked["diagnoses"]), tuple(ranked["labs"])
        )

    def attribute(self, ecg: AnalyzedECG, code: str, method: str = "integrated_gradients") -> Attribution:
        label = next(label for head in HEADS for label in LABELS[head] if label.code == code)
        relevance = np.zeros((12, 1000), dtype=np.float32)
        relevance[ecgkt.LEADS.index("V2"), 300:340] = 1
        return Attribution(label, method, 100.0, relevance)

    def embeddings(self, ecgs: list[ECG]) -> np.ndarray:
        return np.zeros((len(ecgs), 2), np.float32)

    def probabilities(self, embeddings: np.ndarray) -> dict[str, np.ndarray]:
        return {code: np.full(len(embeddings), value, np.float32) for code, value in PROBABILITY.items()}

    def compare(
        self, ecg: AnalyzedECG, table: dict[str, float] | None = None, models: Sequence[str] = ()
    ) -> dict[str, dict[str, float]]:
        """Every network says the same of what it was taught."""
        said = {}
        for name in models:
            architecture = self.card.architectures[name]
            if architecture.modality == "ecg" or table is not None:
                said[name] = {code: PROBABILITY[code] for codes in architecture.labels.values() for code in codes}
        return said


def beats(heart_rate: float) -> ECG:
    """Ten seconds of narrow QRS at `heart_rate`, mV."""
    t = np.arange(5000) / 500
    since = np.abs((t * heart_rate / 60 + 0.5) % 1 - 0.5) * 60 / heart_rate
    wave = np.exp(-((since / 0.015) ** 2))
    return ECG(np.outer(np.linspace(0.4, 1.5, 12), wave).astype(np.float32), 500.0, age=67, sex="male")


ENTRIES = (
    SimpleNamespace(key="one", title="First", source="Simulated", simulated=True, age=67, sex="male",
                    findings=("AFIB",), diagnoses=("I50",), measured=("potassium_high",), has_table=True,
                    patient=1, hours=0),
    SimpleNamespace(key="two", title="Second", source="Real", simulated=False, age=None, sex=None,
                    findings=("NORM",), diagnoses=(), measured=(), has_table=False, patient=None, hours=None),
    SimpleNamespace(key="bad", title="Third", source="Broken", simulated=False, age=None, sex=None,
                    findings=(), diagnoses=(), measured=(), has_table=False, patient=None, hours=None),
)  # fmt: skip


class Examples:
    entries = ENTRIES
    left_out = ()

    def of_same_patient(self, key: str) -> list[SimpleNamespace]:
        return [entry for entry in ENTRIES if entry.key == key]

    def read(self, key: str) -> ECG:
        if key == "bad":
            raise ECGError("The recording lacks lead V3.")
        ecg = beats(75)
        return ecg if key == "one" else ECG(ecg.signal, ecg.rate)

    def drawn_from(self, key: str) -> tuple[int, int] | None:
        return None

    def clinical(self, key: str) -> dict[str, float]:
        return {"lab:potassium": 6.2, "vital:heartrate": 75.0, "biometric:age": 67.0}
