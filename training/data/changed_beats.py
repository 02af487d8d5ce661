"""Simulated average beats with what each lab and condition changed in them: what the estimator of effects learns from,
and what explanations are held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from ecgkt.ecg import ECG
from ecgkt.model.networks.beat_detection import BEAT, BEFORE, find_beats
from ecgkt.model.networks.beat_encoder import BeatView, beat_view
from ecgkt.model.networks.effect_estimator import INDEPENDENT
from ecgkt.model.networks.network import CLIP_MV
from ecgkt.model.preprocessing import MODEL_RATE, model_view
from ecgkt.simulation import labs as laboratory
from ecgkt.simulation import truth
from ecgkt.simulation.body import draw_body
from ecgkt.simulation.effects import baseline, morphology
from ecgkt.simulation.leads import twelve
from ecgkt.simulation.state import ACUTE_CORONARY, Patient, Stay, draw_patient, draw_stay
from ecgkt.simulation.tables import Condition, conditions
from ecgkt.simulation.tracing import RATE, Streams, chances, draw_tracing
from ecgkt.simulation.visits import Planned, Visit, visits

SMALLEST = 0.01  # mV; a cause that changes nothing by so much has no effect to be seen
TILED = 2000  # samples at `truth.RATE` of beats one after another, filtered as a tracing is
WINDOW = 150  # samples at MODEL_RATE around a beat
ONSET = round(truth.ONSET * MODEL_RATE) + 20  # sample of QRS onset in a stretch of 1.5 s that a beat is cut from
EXCLUDE = {  # conduction that cannot be together in one conducted beat
    "lbbb": ("rbbb", "lafb", "lpfb", "wpw", "pacemaker"),
    "rbbb": ("lbbb", "pacemaker"),
    "lafb": ("lbbb", "lpfb", "pacemaker"),
    "lpfb": ("lbbb", "lafb", "pacemaker"),
    "wpw": ("lbbb", "pacemaker"),
}


@dataclass(frozen=True)
class Changed:
    """A simulated ECG as the network sees it. effects: cause -> [8, BEAT] mV, what it changed in the average beat
    (leads `INDEPENDENT`). edges: samples of the beat where P, QRS, ST and T begin, and where T ends."""

    view: BeatView
    effects: dict[str, np.ndarray]
    edges: list[int]


def seen(signal: np.ndarray) -> torch.Tensor:
    """[1, 12, 1000] mV as the networks see a simulated tracing."""
    return torch.from_numpy(model_view(ECG(signal, float(RATE))))[None].clamp(-CLIP_MV, CLIP_MV)


def changed(visit: Visit, planned: Planned) -> Changed | None:
    """What each cause changed in one planned ECG at its heart rate; None where its beats were not found.

    The difference is that of the noiseless beats (`ecgkt.simulation.truth`), one after another at the ECG's rate,
    resampled and filtered as the network's view of a tracing.
    """
    tracing = draw_tracing(planned.streams, visit.patient, visit.stay, visit.body, planned.drawn)
    signal = seen(tracing.signal)
    found = find_beats(signal)
    onsets = tracing.rhythm.qrs[~tracing.rhythm.ectopic]
    peaks = found.at[0][found.is_beat[0]].numpy() / MODEL_RATE
    if len(peaks) < 3 or len(onsets) < 3:
        return None
    r_after_onset = float(np.median([r - onsets[np.abs(onsets - r + 0.05).argmin()] for r in peaks]))
    if not -0.02 < r_after_onset < 0.16:
        return None
    first = ONSET + round((r_after_onset - BEFORE) * MODEL_RATE)
    c, m, rr = tracing.conduction, tracing.morphology, float(tracing.rr.mean())
    fact, chance = truth.beat(c, m, visit.body, rr, tracing.mix), chances(planned.streams("conduction"))
    effects: dict[str, np.ndarray] = {}
    for cause in truth.causes(visit.stay, planned.drawn):
        _, other, spared = truth.without(chance, visit.stay, planned.drawn, cause)
        local = any(source == cause and name != "rate" for source, name, _ in planned.drawn.applied)
        if other == c and not local:
            continue
        difference = fact - truth.beat(other, spared, visit.body, rr, tracing.mix)
        if np.abs(difference).max() >= SMALLEST:
            effects[cause] = _as_seen(difference, rr)[:, first : first + BEAT]
    windows = truth.windows(m, rr)
    edges = [w.start for w in windows] + [windows[-1].stop]
    shift = ONSET - first - truth.ONSET * MODEL_RATE
    at = [round(edge * MODEL_RATE / truth.RATE + shift) for edge in edges]
    return Changed(beat_view(signal, found), effects, at)


def _as_seen(beat: np.ndarray, rr: float) -> np.ndarray:
    """[8, SAMPLES] at `truth.RATE` -> [8, WINDOW] at MODEL_RATE around one of many such beats, QRS onset at ONSET."""
    step, middle, before = max(int(rr * truth.RATE), 40), TILED // 2, round(truth.ONSET * truth.RATE)
    margin = truth.SAMPLES
    tiled = np.zeros((8, TILED + 2 * margin))
    for onset in range(middle % step, TILED, step):
        start = onset - before + margin
        tiled[:, start : start + truth.SAMPLES] += beat
    viewed = model_view(ECG(twelve(tiled[:, margin:-margin]), float(truth.RATE)))
    start = round(middle * MODEL_RATE / truth.RATE) - ONSET
    return viewed[list(INDEPENDENT), start : start + WINDOW]


def forced(seed: int, index: int) -> tuple[Visit, Planned]:
    """A patient's first visit with one condition more, each in turn: or rare ones would hardly be there."""
    condition = conditions()[index % len(conditions())]
    streams = Streams(seed, index)
    severity = float(streams("forced").beta(1.6, 1.4))
    rng = streams("patient")
    patient = draw_patient(rng, index)
    if condition.chronic:
        patient = replace(patient, chronic=_with(patient.chronic, condition, severity))
    own, levels = baseline(rng, patient), laboratory.patient_levels(rng, patient)
    stay = _forced_stay(draw_stay(rng, patient, 0, 0), patient, condition, severity)
    values, vitals = laboratory.true_labs(rng, patient, stay, levels)
    of_ecg = Streams(seed, index, 1)
    drawn = morphology(of_ecg("morphology"), patient, stay, own, values, vitals["temperature"])
    visit = Visit(patient, draw_body(streams("body"), patient), stay, values, vitals, [], rng, own)
    return visit, Planned(1, 0, of_ecg, drawn)


def _with(present: dict[str, float], condition: Condition, severity: float) -> dict[str, float]:
    """The conditions with one more, less those that it excludes."""
    acute = ACUTE_CORONARY if condition.name in ACUTE_CORONARY else ()
    excluded = {*acute, *EXCLUDE.get(condition.name, ())}
    return {name: size for name, size in present.items() if name not in excluded} | {condition.name: severity}


def _forced_stay(stay: Stay, patient: Patient, condition: Condition, severity: float) -> Stay:
    acute = stay.acute if condition.chronic else _with(stay.acute, condition, severity)
    return replace(stay, acute=acute, active={**patient.chronic, **acute})


def examples(seed: int, count: int) -> Iterator[Changed]:
    """An ECG of each of `count` patients: as they come, and, of every second, with one condition forced upon them."""
    for index in range(count):
        if index % 2:
            visit, planned = forced(seed, index // 2)
        else:
            visit = next(visits(seed, index))
            planned = visit.ecgs[0]
        result = changed(visit, planned)
        if result is not None:
            yield result
