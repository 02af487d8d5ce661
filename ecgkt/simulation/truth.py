"""What each lab and condition changed in a tracing: the leads and waves, and by how much.

For every cause at work the noiseless beat is made again without it, all other random numbers unchanged, at the same
heart rate (else a faster heart would count as a change of every T wave; the rate has a column of its own).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from ecgkt.simulation import beats
from ecgkt.simulation.body import Body
from ecgkt.simulation.effects import Morphology
from ecgkt.simulation.leads import twelve
from ecgkt.simulation.state import Stay
from ecgkt.simulation.tracing import (
    SHOWN,
    Conduction,
    Streams,
    Tracing,
    atrial,
    chances,
    conducted,
    draw_conduction,
    draw_tracing,
    qt_interval,
    ventricular,
)
from ecgkt.simulation.visits import visits
from ecgkt.simulation.waveform import joined, profiles

RATE = 250  # Hz; the waves changed are far slower than half of it
ONSET = 0.40  # s of QRS within the beat
SAMPLES = 250
PARTS = ("P", "QRS", "ST", "T")
# Ectopy adds beats of its own and leaves the normal beat, which is what is compared here, as it is.
_CONDUCTION = {*SHOWN, "afib"} - {"ventricular_ectopy"}


def beat(c: Conduction, m: Morphology, body: Body, rr: float, mix: np.ndarray) -> np.ndarray:
    """[8, SAMPLES] mV at RATE: one noiseless beat from P to U, as this recording's electrodes see it."""
    waves = ventricular(c, m, body, qt_interval(m["qtc"], rr))
    if _has_p(c):
        waves = joined(waves, atrial(m, body), -m["pr"] / 1000)
    once, alike = np.ones(1), np.ones((1, waves.center.size))
    times = profiles(waves, np.array([ONSET]), once, alike, RATE, SAMPLES, before=ONSET)
    return np.asarray(mix @ waves.eight @ times)


def _has_p(c: Conduction) -> bool:
    return c.kind == "sinus" and not (c.block == "paced" and c.av)


def causes(stay: Stay, m: Morphology) -> list[str]:
    """The labs, vitals and conditions that left a mark on this ECG, or could have through rhythm or conduction."""
    return list(dict.fromkeys([*(source for source, *_ in m.applied), *(c for c in stay.active if c in _CONDUCTION)]))


def without(chance: np.ndarray, stay: Stay, drawn: Morphology, cause: str) -> tuple[Stay, Conduction, Morphology]:
    """State, conduction and parameters of the same ECG, had `cause` left no mark on it. Its labs stay as they are.

    chance: as `tracing.chances` gives for this ECG.
    """
    spared = replace(stay, active={name: size for name, size in stay.active.items() if name != cause})
    c = draw_conduction(chance, spared)
    return spared, c, conducted(chance, c, drawn.without(cause))


def changes(streams: Streams, stay: Stay, body: Body, drawn: Morphology, tracing: Tracing) -> list[tuple[object, ...]]:
    """A row a cause: cause, change of rate (bpm), PR, QRS, QT (ms, at this rate; NaN where there is no PR), then the
    root mean square change in uV of P, QRS, ST, T in each of the twelve leads (PARTS x LEADS, lead by lead).

    Causes that change nothing by a whole unit are left out.
    """
    c, m = tracing.conduction, tracing.morphology
    rr = float(tracing.rr.mean())
    fact = beat(c, m, body, rr, tracing.mix)
    places = windows(m, rr)
    rows: list[tuple[object, ...]] = []
    chance = chances(streams("conduction"))
    for cause in causes(stay, drawn):
        _, other, spared = without(chance, stay, drawn, cause)
        size = np.zeros(48)
        if other != c or any(source == cause and name != "rate" for source, name, _ in drawn.applied):
            difference = twelve(fact - beat(other, spared, body, rr, tracing.mix)) * 1000
            size = np.sqrt(np.stack([(difference[:, w] ** 2).mean(axis=1) for w in places], axis=1)).ravel()
        pr = m["pr"] - spared["pr"] if _has_p(c) and _has_p(other) else np.nan
        shift = [m["rate"] - spared["rate"], pr, m["qrs"] - spared["qrs"], _qt(m, rr) - _qt(spared, rr)]
        if np.nanmax(np.abs([*shift, *size])) >= 1:
            rows.append((cause, *(round(float(x), 1) for x in shift), *np.rint(size).astype(np.int16).tolist()))
    return rows


def _qt(m: Morphology, rr: float) -> float:
    return qt_interval(m["qtc"], rr) * 1000 + m["st_ms"]


def windows(m: Morphology, rr: float) -> list[slice]:
    """Where P, QRS, ST and T lie in the beat of the tracing as it is."""
    qt = qt_interval(m["qtc"], rr)
    t_begin = max(qt * (1 - beats.T_DOWN - 1.6 * beats.T_LEFT), m["qrs"] / 1000 + 0.04)
    edges = [-max(m["pr"], 120.0) / 1000 - 0.02, -0.01, m["qrs"] / 1000, t_begin, qt + 0.04]
    at = [int(np.clip((ONSET + edge) * RATE, 0, SAMPLES)) for edge in edges]
    return [slice(a, max(b, a + 1)) for a, b in pairwise(at)]


def counterfactual(seed: int, index: int, study: int, cause: str) -> tuple[Tracing, Tracing]:
    """The tracing `study` of patient `index` (from 0) as simulated with `seed`, and the same without `cause`.

    Every other random number is as it was, noise and placement included; the rhythm follows the changed rate. Raises
    ValueError when the patient has no such study.
    """
    for visit in visits(seed, index):
        for planned in visit.ecgs:
            if planned.study == study:
                spared = replace(visit.stay, active={n: s for n, s in visit.stay.active.items() if n != cause})
                drawn = ((visit.stay, planned.drawn), (spared, planned.drawn.without(cause)))
                fact, other = (draw_tracing(planned.streams, visit.patient, stay, visit.body, m) for stay, m in drawn)
                return fact, other
    raise ValueError(f"Patient {index} has no study {study}.")
