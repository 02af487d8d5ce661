"""Model: ECG -> Prediction. The only door that pages and the command line go through."""

from __future__ import annotations

import math
import os
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ecgkt.ecg import ECG, ECGError, FloatArray
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.attribution import METHODS, relevance
from ecgkt.model.bundle import Bundle, load_bundle, probability
from ecgkt.model.contrasts import SINUS, contrasts
from ecgkt.model.default_bundle import DEFAULT_BUNDLE
from ecgkt.model.effects import Effects, effects_of, usual_logits
from ecgkt.model.networks.ensemble import usual_rhythm
from ecgkt.model.networks.joined import joined
from ecgkt.model.out_of_distribution import TOO_UNLIKE, UNLIKE
from ecgkt.model.preprocessing import MODEL_RATE
from ecgkt.prediction import AGGREGATES, HEADS, SUPERCLASSES, Attribution, Head, Label, Prediction, Quality, Score

NO_NUMBERS = "The network's numbers for this tracing are not finite, so it gives no result."


def load(path: str | Path | None = None) -> Model:
    """The model in the bundle folder `path`; by default the one of ECGKT_MODEL, or the one that ships.

    Raises BundleError when the folder holds no complete, unaltered bundle.
    """
    return Model(load_bundle(Path(path or os.environ.get("ECGKT_MODEL") or DEFAULT_BUNDLE)))


class Model:
    """A loaded bundle. Safe to share between threads: nothing is changed after construction."""

    def __init__(self, bundle: Bundle) -> None:
        self.card = bundle.card
        self.metrics = bundle.metrics
        self.sha256 = bundle.sha256
        self.name = bundle.card.name
        self.reference = bundle.reference
        self.lab_links = bundle.lab_links  # None in a bundle from before there were any
        self.labels: dict[Head, tuple[Label, ...]] = {
            head: tuple(entry.label(head) for entry in bundle.card.labels[head]) for head in HEADS
        }
        self._as_trained = bundle.networks["knowledge_transfer"]  # for those who take it apart
        self._networks = {**bundle.networks, "knowledge_transfer": joined(self._as_trained)}
        self._novelty = bundle.novelty
        self._calibration = bundle.card.calibration
        self._by_code = {label.code: label for head in HEADS for label in self.labels[head]}

    def label(self, code: str) -> Label:
        """The label with that code. Raises KeyError with a sentence naming the code."""
        if code not in self._by_code:
            raise KeyError(f"This model has no label {code!r}.")
        return self._by_code[code]

    def predict(self, ecg: ECG | AnalyzedECG) -> Prediction:
        """Findings, diagnoses and labs ranked by calibrated probability; empty when the tracing is not usable.

        What is computed on the way stays with an `AnalyzedECG`, and so does the prediction.
        """
        return self.predict_many([ecg])[0]

    explain = predict

    def predict_many(self, ecgs: Iterable[ECG | AnalyzedECG], batch: int = 64) -> list[Prediction]:
        """As `predict` for each of `ecgs`, in their order; the network sees up to `batch` windows of 10 s at a time."""
        analyzed = [AnalyzedECG.of(ecg) for ecg in ecgs]
        new = [each for each in analyzed if not each.has(self.sha256) and each.quality.ok]
        began = time.perf_counter()
        embeddings = self._embeddings("knowledge_transfer", new, batch)
        spent = 1000 * (time.perf_counter() - began) / max(1, len(new))
        for each, embedding in zip(new, embeddings, strict=True):
            each.once(self.sha256, partial(self._prediction, each, embedding, spent))
        return [each.once(self.sha256, partial(Prediction, each.quality)) for each in analyzed]

    def attribute(self, ecg: ECG | AnalyzedECG, code: str, method: str = METHODS[0]) -> Attribution:
        """What the score of `code` rests on, as relevance per lead and time at the model's sampling rate.

        For findings, which real ECGs have taught as well as the simulator, "effects" is the mean of itself and of
        integrated gradients from normal beats of a like QRS. For rhythms it is integrated gradients alone: for sinus
        rhythm from the same beat in atrial fibrillation, for flutter above its threshold from the same beat without
        flutter waves, for a slow or a fast sinus rhythm from normal beats at a usual rate. For another label that a
        beat without effects has, and for a network that does not look at beats, it is "integrated_gradients", and the
        result says so. Raises KeyError for an unknown code, ValueError for another method, ECGError for an unusable
        tracing.
        """
        label = self.label(code)
        analyzed, _ = self._usable(ecg)
        network = self._networks["knowledge_transfer"]
        target = network.architecture.labels[label.head].index(code)
        if method not in METHODS:
            raise ValueError(f"Attribution method {method!r} is not one of {', '.join(METHODS)}.")
        if method == "effects" and not self._has_effects(label):
            method = "integrated_gradients"
        positive = bool(self.predict(analyzed).is_positive(label))
        total = np.zeros_like(analyzed.view)
        covered = np.zeros(total.shape[1], dtype=np.float32)
        rhythms = []
        for number, (start, window) in enumerate(analyzed.windows):
            if method == "effects":
                effects = self._effects(analyzed)[number]
                found = contrasts(network, effects.on_beat, code, label.head, target, positive)
                ways = [effects.laid(each) for each in found]
            else:
                ways = [relevance(network, torch.from_numpy(window)[None], label.head, target, method)]
            part, rhythm = (sum(each) / len(ways) for each in zip(*ways, strict=True))
            total[:, start : start + window.shape[1]] += part
            covered[start : start + window.shape[1]] += 1
            rhythms.append(rhythm)
        return Attribution(label, method, float(MODEL_RATE), total / covered, float(np.mean(rhythms)))

    def _has_effects(self, label: Label) -> bool:
        """Can a score be explained by taking effects out of the beat?"""
        network = self._networks["knowledge_transfer"]
        if usual_rhythm(network.encoder) is None:
            return False
        if label.code == SINUS:
            return True
        codes = network.architecture.labels[label.head]
        calibration = [self._calibration["knowledge_transfer"][label.head][code] for code in codes]
        of_usual_beat = probability(self._usual_logits[label.head], calibration)
        return float(of_usual_beat[codes.index(label.code)]) < label.threshold

    @cached_property
    def _usual_logits(self) -> dict[str, torch.Tensor]:
        return usual_logits(self._networks["knowledge_transfer"])

    def _effects(self, analyzed: AnalyzedECG) -> list[Effects]:
        """Of each of the ECG's windows."""
        network = self._networks["knowledge_transfer"]
        return analyzed.once(
            f"effects {self.sha256}",
            lambda: [effects_of(network, torch.from_numpy(window)[None]) for _, window in analyzed.windows],
        )

    def compare(
        self,
        ecg: ECG | AnalyzedECG,
        clinical: dict[str, float] | None = None,
        models: Collection[str] | None = None,
    ) -> dict[str, dict[str, float]]:
        """Calibrated probability by each model of the bundle of every label that it has: {model: {code: probability}}.

        models: only these of `card.architectures`, all by default. `clinical` (keys as in the cohort's clinical
        columns, absent = not measured) is read by multimodal models only, which are left out without it. Raises
        ECGError for an unusable tracing, KeyError for a model that the bundle lacks.
        """
        for name in models or ():
            if name not in self._networks:
                raise KeyError(f"This bundle has no model {name!r}.")
        analyzed, embedding = self._usable(ecg)
        result = {}
        for name, network in self._networks.items():
            if models is not None and name not in models:
                continue
            if name == "knowledge_transfer":
                result[name] = self._probabilities(name, embedding)
            elif network.architecture.modality == "ecg":
                result[name] = self._probabilities(name, self._embeddings(name, [analyzed])[0])
            elif clinical is not None:
                row = [clinical.get(column, float("nan")) for column in network.architecture.columns]
                table = torch.tensor([row], dtype=torch.float32)
                result[name] = self._probabilities(name, self._embeddings(name, [analyzed], table=table)[0])
        if not all(map(_finite, result.values())):
            raise ECGError(NO_NUMBERS)
        return result

    def embeddings(
        self, ecgs: Iterable[ECG | AnalyzedECG], network: str = "knowledge_transfer"
    ) -> npt.NDArray[np.float32]:
        """[ecgs, dimension] by one of the bundle's ECG networks; usable or not is not asked. Raises KeyError."""
        found = self._embeddings(network, [AnalyzedECG.of(ecg) for ecg in ecgs])
        return np.stack([each.numpy() for each in found])

    def probabilities(self, embeddings: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[np.float32]]:
        """Code -> calibrated probability [...] from embeddings [..., dimension], silent labels included."""
        found = self._heads("knowledge_transfer", torch.from_numpy(embeddings))
        return {code: column.numpy() for code, column in found.items()}

    def _usable(self, ecg: ECG | AnalyzedECG) -> tuple[AnalyzedECG, torch.Tensor]:
        """The ECG and its embedding. Raises ECGError where `predict` abstains."""
        analyzed = AnalyzedECG.of(ecg)
        prediction = self.predict(analyzed)
        if prediction.embedding is None:
            raise ECGError(" ".join(prediction.quality.reasons))
        return analyzed, torch.from_numpy(prediction.embedding)

    def _prediction(self, analyzed: AnalyzedECG, embedding: torch.Tensor, milliseconds: float) -> Prediction:
        """What the heads say of a usable ECG; milliseconds: what its embedding took."""
        began = time.perf_counter()
        probabilities = self._probabilities("knowledge_transfer", embedding)
        if not _finite(probabilities):
            return Prediction(Quality(False, (NO_NUMBERS,)))
        unlike = self._unlike(embedding)
        if unlike == TOO_UNLIKE:
            return Prediction(Quality(False, (unlike,)))
        ranked: dict[Head, list[Score]] = {}
        for head in HEADS:
            scores = [Score(label, probabilities[label.code]) for label in self.labels[head] if not label.silent]
            ranked[head] = sorted(scores, key=lambda score: -score.probability)
        milliseconds += 1000 * (time.perf_counter() - began)
        return Prediction(
            quality=replace(analyzed.quality, warnings=analyzed.warnings + ((unlike,) if unlike else ())),
            findings=tuple(score for score in ranked["findings"] if score.label.code not in AGGREGATES),
            superclasses={code: probabilities[code] for code in SUPERCLASSES if code in probabilities},
            diagnoses=tuple(ranked["diagnoses"]),
            labs=tuple(ranked["labs"]),
            embedding=embedding.numpy(),
            milliseconds={"predict": round(milliseconds, 2)},
        )

    def _unlike(self, embedding: torch.Tensor) -> str:
        """What is to be said of an embedding unlike the training ECGs': `UNLIKE`, `TOO_UNLIKE` or nothing."""
        if self._novelty is None:
            return ""
        score = float(self._novelty.score(embedding.numpy()))
        return TOO_UNLIKE if score > self._novelty.far else UNLIKE if score > self._novelty.near else ""

    def _embeddings(
        self, name: str, ecgs: Sequence[AnalyzedECG], batch: int = 64, table: torch.Tensor | None = None
    ) -> list[torch.Tensor]:
        """The embedding [dimension] of each ECG, the mean over its windows; table: [1, columns], with one ECG only.

        Windows of one length go through the network together.
        """
        network = self._networks[name]
        by_length: dict[int, list[tuple[int, FloatArray]]] = defaultdict(list)
        for number, each in enumerate(ecgs):
            for _, window in each.windows:
                by_length[window.shape[1]].append((number, window))
        parts: dict[int, list[torch.Tensor]] = defaultdict(list)
        with torch.inference_mode():
            for listed in by_length.values():
                for first in range(0, len(listed), batch):
                    some = listed[first : first + batch]
                    signal = torch.from_numpy(np.stack([window for _, window in some]))
                    embedded = network.embed(signal, None if table is None else table.expand(len(signal), -1))
                    for (number, _), one in zip(some, embedded, strict=True):
                        parts[number].append(one)
            return [torch.stack(parts[number]).mean(dim=0) for number in range(len(ecgs))]

    def _probabilities(self, name: str, embedding: torch.Tensor) -> dict[str, float]:
        """Code -> calibrated probability. Heads are linear, so a mean of embeddings gives the mean of logits."""
        return {code: float(value) for code, value in self._heads(name, embedding).items()}

    def _heads(self, name: str, embedding: torch.Tensor) -> dict[str, torch.Tensor]:
        """Code -> calibrated probability [...] from an embedding [..., dimension]."""
        network = self._networks[name]
        result: dict[str, torch.Tensor] = {}
        with torch.inference_mode():
            for head, codes in network.architecture.labels.items():
                calibration = [self._calibration[name][head][code] for code in codes]
                logits = network.head(head)(embedding)
                # Infinity is not certainty.
                found = probability(logits.where(logits.isfinite(), torch.nan), calibration)
                result.update(zip(codes, found.unbind(-1), strict=True))
        return result


def _finite(probabilities: dict[str, float]) -> bool:
    """No NaN among them, as of weights that are beyond all measure."""
    return all(map(math.isfinite, probabilities.values()))
