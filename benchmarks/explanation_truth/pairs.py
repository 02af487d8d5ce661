"""Pairs of a simulated ECG and a cause whose local effect moves scores, with the effect as the network sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch

from ecgkt.ecg import LEADS
from ecgkt.model.bundle import probability
from ecgkt.model.model import Model
from ecgkt.model.networks.beat_detection import find_beats
from ecgkt.model.networks.beat_encoder import BeatView, beat_view
from ecgkt.model.networks.effect_estimator import twelve
from ecgkt.simulation.tracing import draw_tracing
from ecgkt.simulation.visits import Planned, Visit, visits
from training.data.changed_beats import Changed, changed, seen

MOVED = 0.1  # of the probability that a score loses without the cause
LOCAL = 0.5  # of the logit's fall that the beat's change alone must make; the rest is the rhythm's
ENERGY = 0.9  # of the effect, that the area holds which relevance should lie in
WAVES = ("P", "QRS", "ST", "T")
HELD = 2  # scores of a pair at most, those that fall most


@dataclass(frozen=True)
class Target:
    """A score: its place among all logits, code, group and head."""

    place: int
    code: str
    group: str
    head: str


@dataclass(frozen=True)
class Pair:
    """view: of the ECG. effect: [12, BEAT] mV that the cause changed. edges: where P, QRS, ST and T begin and T ends.
    area: bool [12, BEAT]. wave: which holds most of the effect's energy."""

    cause: str
    view: BeatView
    effect: np.ndarray
    edges: list[int]
    area: np.ndarray
    wave: str
    targets: tuple[Target, ...]


class Logits(torch.nn.Module):
    """All heads' logits [B, labels] of templates and rhythm, the shape that Captum takes."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.network = model._as_trained  # Captum's hooks sit on its layers
        self.model = model
        heads = self.network.architecture.labels
        self.codes = [(head, code) for head, codes in heads.items() for code in codes]
        calibration = model._calibration["knowledge_transfer"]
        self.calibration = [calibration[head][code] for head, code in self.codes]

    def forward(self, templates: torch.Tensor, rhythm: torch.Tensor) -> torch.Tensor:
        return torch.cat(list(self.network(BeatView(templates, rhythm)).values()), dim=1)

    @torch.inference_mode()
    def of(self, view: BeatView) -> torch.Tensor:
        return self(view.templates, view.rhythm)

    def target(self, place: int) -> Target:
        head, code = self.codes[place]
        label = self.model.label(code)
        return Target(place, code, label.group if head == "labs" else head, head)

    def probabilities(self, logits: torch.Tensor) -> np.ndarray:
        return np.asarray(probability(logits, self.calibration)[0])


def cells(values: np.ndarray, edges: list[int]) -> np.ndarray:
    """[48] sum of sizes over each wave of each lead of [12, BEAT]."""
    size = np.abs(values)
    parts = [size[:, max(a, 0) : max(b, 1)].sum(axis=1) for a, b in pairwise(edges)]
    return np.stack(parts, axis=1).ravel()


def _area(effect: np.ndarray) -> np.ndarray:
    energy = np.square(effect).ravel()
    order = np.argsort(-energy)
    count = int(np.searchsorted(np.cumsum(energy[order]), ENERGY * energy.sum())) + 1
    area = np.zeros(energy.size, dtype=bool)
    area[order[:count]] = True
    return area.reshape(effect.shape)


def _without(visit: Visit, planned: Planned, cause: str) -> BeatView | None:
    """What the network sees of the tracing without the cause, its other random numbers unchanged."""
    stay = replace(visit.stay, active={n: size for n, size in visit.stay.active.items() if n != cause})
    other = draw_tracing(planned.streams, visit.patient, stay, visit.body, planned.drawn.without(cause))
    signal = seen(other.signal)
    found = find_beats(signal)
    return beat_view(signal, found) if int(found.is_beat.sum()) >= 3 else None


def pairs(logits: Logits, seed: int, patients: int, most: int) -> list[Pair]:
    """At most `most` pairs of each cause among the ECGs of so many patients of a seed."""
    count: Counter[str] = Counter()
    out: list[Pair] = []
    for visit, planned in _ecgs(seed, patients):
        ecg = changed(visit, planned)
        for cause in ecg.effects if ecg is not None else ():
            assert ecg is not None
            if count[cause] < most and (pair := _pair(logits, visit, planned, ecg, cause)) is not None:
                count[cause] += 1
                out.append(pair)
    return out


def _ecgs(seed: int, patients: int) -> Iterator[tuple[Visit, Planned]]:
    for index in range(patients):
        for visit in visits(seed, index):
            for planned in visit.ecgs:
                yield visit, planned


def _pair(logits: Logits, visit: Visit, planned: Planned, ecg: Changed, cause: str) -> Pair | None:
    other = _without(visit, planned, cause)
    if other is None:
        return None
    effect = twelve(torch.from_numpy(ecg.effects[cause]))
    templates = ecg.view.templates.clone()
    templates[0, : len(LEADS)] -= effect
    fact, without = logits.of(ecg.view), logits.of(other)
    of_beat = fact - logits.of(BeatView(templates, ecg.view.rhythm))
    fall = logits.probabilities(fact) - logits.probabilities(without)
    local = (of_beat >= LOCAL * (fact - without))[0].numpy()
    silent = [logits.model.label(code).silent for _, code in logits.codes]
    moved = [int(k) for k in np.argsort(-fall) if fall[k] >= MOVED and local[k] and not silent[k]][:HELD]
    if not moved:
        return None
    values = effect.numpy()
    energy = np.square(values)
    waves = [energy[:, max(a, 0) : max(b, 1)].sum() for a, b in pairwise(ecg.edges)]
    return Pair(
        cause, ecg.view, values, ecg.edges, _area(values), WAVES[int(np.argmax(waves))],
        tuple(logits.target(k) for k in moved),
    )  # fmt: skip


def normal_views(seed: int, count: int) -> BeatView:
    """[count] views of simulated ECGs that no cause changed: references for methods that need one."""
    views: list[BeatView] = []
    for visit, planned in _ecgs(seed, 100 * count):
        ecg = changed(visit, planned)
        if ecg is not None and not ecg.effects:
            views.append(ecg.view)
        if len(views) == count:
            break
    return BeatView(torch.cat([v.templates for v in views]), torch.cat([v.rhythm for v in views]))
