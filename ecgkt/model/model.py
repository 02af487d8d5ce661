"""Model: ECG -> Prediction. The only door that pages and the command line go through."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecgkt.ecg import ECG, ECGError
from ecgkt.measurements.delineation import delineate
from ecgkt.model.attribution import relevance
from ecgkt.model.bundle import Bundle, load_bundle, probability
from ecgkt.model.default_bundle import DEFAULT_BUNDLE
from ecgkt.model.networks.network import Network
from ecgkt.model.out_of_distribution import TOO_UNLIKE, UNLIKE
from ecgkt.model.preprocessing import MODEL_RATE, model_view, windows
from ecgkt.prediction import AGGREGATES, HEADS, SUPERCLASSES, Attribution, Head, Label, Prediction, Quality, Score
from ecgkt.quality.usable import assess
from ecgkt.quality.warnings import quality_warnings
from ecgkt.verdict import Guarantee


def load(path: str | Path | None = None) -> Model:
    """The model in the bundle folder `path`; by default the one of ECGKT_MODEL, or the one that ships.

    Raises BundleError when the folder holds no complete, unaltered bundle.
    """
    return Model(load_bundle(Path(path or os.environ.get("ECGKT_MODEL") or DEFAULT_BUNDLE)))


class Model:
    """A loaded bundle. Safe to share between threads: nothing is changed after construction."""

    def __init__(self, bundle: Bundle) -> None:
        self.card: dict[str, Any] = bundle.card
        self.metrics: dict[str, Any] = bundle.metrics
        self.sha256 = bundle.sha256
        self.name: str = bundle.card["name"]
        self.labels: dict[Head, tuple[Label, ...]] = {
            head: tuple(_label(head, entry) for entry in bundle.card["labels"][head]) for head in HEADS
        }
        self._networks = bundle.networks
        self._novelty = bundle.novelty
        self._calibration: dict[str, dict[str, dict[str, tuple[float, float]]]] = bundle.card["calibration"]
        self._by_code = {label.code: label for head in HEADS for label in self.labels[head]}

    def label(self, code: str) -> Label:
        """The label with that code. Raises KeyError with a sentence naming the code."""
        if code not in self._by_code:
            raise KeyError(f"This model has no label {code!r}.")
        return self._by_code[code]

    def predict(self, ecg: ECG) -> Prediction:
        """Findings, diagnoses and labs ranked by calibrated probability; empty when the tracing is not usable."""
        beats = delineate(ecg)
        quality = assess(ecg, beats)
        if not quality.ok:
            return Prediction(quality)
        began = time.perf_counter()
        batches = _signals(ecg)
        network = self._networks["knowledge_transfer"]
        embedding = _embedding(network, batches)
        unlike = self._unlike(embedding)
        if unlike == TOO_UNLIKE:
            return Prediction(Quality(False, (unlike,)))
        probabilities = self._probabilities("knowledge_transfer", batches, None)
        ranked: dict[Head, list[Score]] = {}
        for head in HEADS:
            scores = [Score(label, probabilities[label.code]) for label in self.labels[head]]
            ranked[head] = sorted(scores, key=lambda score: -score.probability)
        spent = 1000 * (time.perf_counter() - began)
        warnings = quality_warnings(ecg, beats) + ((unlike,) if unlike else ())
        return Prediction(
            quality=replace(quality, warnings=warnings),
            findings=tuple(score for score in ranked["findings"] if score.label.code not in AGGREGATES),
            superclasses={code: probabilities[code] for code in SUPERCLASSES if code in probabilities},
            diagnoses=tuple(ranked["diagnoses"]),
            labs=tuple(ranked["labs"]),
            embedding=embedding.numpy(),
            milliseconds={"predict": round(spent, 2)},
        )

    def attribute(self, ecg: ECG, code: str, method: str = "integrated_gradients") -> Attribution:
        """What the score of `code` rests on, as relevance per lead and time at the model's sampling rate.

        Raises KeyError for an unknown code, ValueError for another method, ECGError for an unusable tracing.
        """
        self._refuse(ecg)
        label = self.label(code)
        network = self._networks["knowledge_transfer"]
        target = network.architecture.labels[label.head].index(code)
        view = model_view(ecg)
        total = np.zeros_like(view)
        covered = np.zeros(view.shape[1], dtype=np.float32)
        rhythms = []
        for start, window in windows(view):
            part, rhythm = relevance(network, torch.from_numpy(window)[None], label.head, target, method)
            total[:, start : start + window.shape[1]] += part
            covered[start : start + window.shape[1]] += 1
            rhythms.append(rhythm)
        return Attribution(label, method, float(MODEL_RATE), total / covered, float(np.mean(rhythms)))

    def compare(self, ecg: ECG, clinical: dict[str, float] | None = None) -> dict[str, dict[str, float]]:
        """Calibrated probability of every label by each model of the bundle: {model: {code: probability}}.

        `clinical` (keys as in the cohort's clinical columns, absent = not measured) is read by the multimodal model
        only, which is left out without it. Raises ECGError for an unusable tracing.
        """
        self._refuse(ecg)
        batches = _signals(ecg)
        result = {}
        for name, network in self._networks.items():
            table = None
            if network.architecture.modality != "ecg":
                if clinical is None:
                    continue
                row = [clinical.get(column, float("nan")) for column in network.architecture.columns]
                table = torch.tensor([row], dtype=torch.float32)
            result[name] = self._probabilities(name, batches, table)
        return result

    def _refuse(self, ecg: ECG) -> None:
        """Raises ECGError where `predict` abstains."""
        quality = assess(ecg)
        if not quality.ok:
            raise ECGError(" ".join(quality.reasons))
        if self._unlike(_embedding(self._networks["knowledge_transfer"], _signals(ecg))) == TOO_UNLIKE:
            raise ECGError(TOO_UNLIKE)

    def _unlike(self, embedding: torch.Tensor) -> str:
        """What is to be said of an embedding unlike the training ECGs': `UNLIKE`, `TOO_UNLIKE` or nothing."""
        if self._novelty is None:
            return ""
        score = float(self._novelty.score(embedding.numpy()))
        return TOO_UNLIKE if score > self._novelty.far else UNLIKE if score > self._novelty.near else ""

    def _probabilities(self, name: str, batches: list[torch.Tensor], table: torch.Tensor | None) -> dict[str, float]:
        network: Network = self._networks[name]
        result: dict[str, float] = {}
        with torch.inference_mode():
            parts = [network(batch, None if table is None else table.expand(len(batch), -1)) for batch in batches]
        for head, codes in network.architecture.labels.items():
            logits = torch.cat([part[head] for part in parts]).mean(dim=0)
            calibration = [self._calibration[name][head][code] for code in codes]
            result.update(zip(codes, probability(logits, calibration).tolist(), strict=True))
        return result


def _signals(ecg: ECG) -> list[torch.Tensor]:
    """The model's windows of an ECG, each [1, 12, samples]."""
    return [torch.from_numpy(np.ascontiguousarray(window))[None] for _, window in windows(model_view(ecg))]


def _embedding(network: Network, batches: list[torch.Tensor]) -> torch.Tensor:
    """[dimension] mean over an ECG's windows."""
    with torch.inference_mode():
        return torch.cat([network.embed(batch) for batch in batches]).mean(dim=0)


def _label(head: Head, entry: dict[str, Any]) -> Label:
    auroc = entry.get("auroc")
    return Label(
        head=head,
        code=entry["code"],
        name=entry["name"],
        group=entry["group"],
        prevalence=entry["prevalence"],
        threshold=entry["threshold"],
        threshold_source=entry["threshold_source"],
        auroc=(auroc[0], auroc[1], auroc[2]) if auroc else None,
        test_positives=entry["test_positives"],
        learned_from=entry["learned_from"],
        lab=entry.get("lab", ""),
        direction=entry.get("direction", ""),
        unit=entry.get("unit", ""),
        limit=entry.get("limit"),
        measured_on=entry.get("measured_on") or "",
        guarantee=Guarantee(**entry["guarantee"]) if entry.get("guarantee") else None,
    )
