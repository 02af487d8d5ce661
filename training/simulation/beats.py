"""The waves of a beat as moving dipoles: each wave a Gaussian in time (or a plateau) with a vector in space.

Axes after Frank: x to the left, y to the feet, z to the back; mV as seen by Dower's lead vectors. Times are in seconds
from QRS onset (from P onset for the P wave).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.simulation.effects import Morphology

# Direction of each wall, and the largest projection of a unit vector along it on a lead, so that uV mean uV there.
WALLS = {
    "anterior": (np.array([0.30, 0.05, -0.95]), 1.5),
    "septal": (np.array([-0.25, -0.05, -0.95]), 1.35),
    "inferior": (np.array([-0.15, 0.98, 0.15]), 1.15),
    "lateral": (np.array([0.95, -0.28, 0.10]), 0.9),
}
APEX = np.array([0.80, 0.52, -0.15])

# Centre and sigma as fractions of the QRS, vector in mV.
Shape = list[tuple[float, float, np.ndarray]]


@dataclass
class Waves:
    """centre, left, right: [waves] seconds (left, right are the Gaussian's sigmas, or of a plateau the begin and end);

    vector: [waves, 3] mV; plateau: [waves] bool; follows_qt: [waves] bool, times scale with the beat's QT.
    """

    centre: np.ndarray
    left: np.ndarray
    right: np.ndarray
    vector: np.ndarray
    plateau: np.ndarray
    follows_qt: np.ndarray


class _Builder:
    def __init__(self) -> None:
        self.rows: list[tuple[float, float, float, np.ndarray, bool, bool]] = []

    def wave(self, centre: float, left: float, right: float, vector: np.ndarray, qt: bool = False) -> None:
        self.rows.append((centre, left, right, np.asarray(vector, float), False, qt))

    def plateau(self, begin: float, end: float, vector: np.ndarray) -> None:
        self.rows.append(((begin + end) / 2, begin, end, vector, True, True))

    def build(self) -> Waves:
        centre, left, right, vector, plateau, qt = zip(*self.rows, strict=True)
        return Waves(
            np.array(centre), np.array(left), np.array(right), np.stack(vector), np.array(plateau), np.array(qt)
        )


def _turn(vectors: np.ndarray, degrees: float) -> np.ndarray:
    """Rotate in the frontal plane; positive turns the axis towards the feet."""
    a = np.deg2rad(degrees)
    return np.asarray(vectors @ np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]]))


def p_wave(m: Morphology) -> Waves:
    """Right then left atrium, from P onset."""
    duration, b = m["p_ms"] / 1000, _Builder()
    size = np.exp(m["p_log"]) * (1 + m["p_uv"] / 120)
    b.wave(0.34 * duration, 0.15 * duration, 0.17 * duration, size * np.array([0.025, 0.078, -0.045]))
    terminal = m["p_terminal"] / 1000
    b.wave(0.67 * duration, 0.17 * duration, 0.15 * duration, size * np.array([0.055, 0.048, 0.022 + 1.3 * terminal]))
    return b.build()


def _narrow(m: Morphology, loop: np.ndarray, lafb: bool, lpfb: bool, delta: bool) -> Shape:
    """(centre as a fraction of the QRS, sigma fraction, vector) of a QRS through the His-Purkinje system."""
    axis = -55.0 if lafb else 112.0 if lpfb else m["axis"]
    keep = 1 - m["r_loss"]
    waves: Shape = [
        (0.16, 0.085, np.array([-0.09, -0.04, -0.16])),
        (0.29, 0.095, np.array([0.34, 0.20, -0.34 * keep])),
        (0.47, 0.115, np.array([1.12, 0.66, 0.42])),
        (0.64, 0.105, np.array([0.22, 0.02, 0.66 + m["posterior"]])),
        (0.82, 0.085, np.array([-0.16, -0.16, 0.12])),
    ]
    scale = np.exp(m["voltage"])
    out: list[np.ndarray] = []
    for i, (_, _, vector) in enumerate(waves):
        turn = np.clip(axis - 48, -115, 90) * (0.35 if i == 0 else 1.0)
        out.append(_turn(vector * scale * loop[i], turn))
    if lafb:
        out[0] = out[0] + np.array([-0.10, 0.26, 0.05])
    if lpfb:
        out[0] = out[0] + np.array([0.22, -0.22, 0.0])
    if m["rvh"] > 0:
        out[2] = out[2] + m["rvh"] * np.array([-0.75, 0.1, -0.55])
        out[3] = out[3] + m["rvh"] * np.array([-0.45, 0.1, -0.45])
    if m["s1q3t3"] > 0:
        out[4] = out[4] + m["s1q3t3"] * np.array([-0.5, 0.15, -0.1])
        out[0] = out[0] + m["s1q3t3"] * np.array([0.05, -0.2, 0.0])
    for wall, (direction, gain) in WALLS.items():
        q = min(m[f"q_wave.{wall}"], 1.2)
        if q > 0:
            out = [v - 0.65 * q * max(float(v @ direction), 0) * direction for v in out]
            waves.append((0.30, 0.14, -0.62 * q * scale * direction / gain))
            out.append(waves[-1][2])
    if delta:
        waves.append((0.08, 0.16, np.array([0.30, 0.05, -0.22])))
        out.append(waves[-1][2])
    return [(centre, width, vector) for (centre, width, _), vector in zip(waves, out, strict=True)]


def ventricles(
    m: Morphology, loop: np.ndarray, qt: float, block: str = "", lafb: bool = False, lpfb: bool = False,
    delta: bool = False,
) -> Waves:  # fmt: skip
    """QRS, ST, T and U from QRS onset. loop: [5] the patient's own factors of the five QRS vectors.

    qt in seconds, for the mean RR; block: "", "lbbb", "rbbb", "irbbb", "paced", "pvc_left", "pvc_right". A wide QRS
    repolarises against its own main vector (secondary ST-T change).
    """
    b = _Builder()
    qrs = m["qrs"] / 1000
    secondary = np.zeros(3)
    if block in ("lbbb", "paced", "pvc_right", "pvc_left"):
        shape, secondary = _wide(block, m, loop)
        for centre, width, vector in shape:
            b.wave(centre * qrs, width * qrs, width * qrs, vector)
    else:
        shape = _narrow(m, loop, lafb, lpfb, delta)
        body = qrs - {"rbbb": 0.042, "irbbb": 0.014}.get(block, 0.0)
        for centre, width, vector in shape:
            b.wave(centre * body, width * body, width * body, vector)
        if block == "rbbb":
            b.wave(0.80 * qrs, 0.10 * qrs, 0.11 * qrs, 0.5 * (loop[0] + 1) * np.array([-0.40, 0.05, -0.58]))
            secondary = np.array([0.03, 0.0, 0.19])
        elif block == "irbbb":
            b.wave(0.86 * qrs, 0.08 * qrs, 0.08 * qrs, np.array([-0.26, 0.0, -0.42]))
        if delta:
            secondary = np.array([-0.22, -0.12, 0.05])
    _repolarisation(b, m, qrs, qt, secondary, wide=block in ("lbbb", "paced", "pvc_right", "pvc_left"))
    return b.build()


def _wide(block: str, m: Morphology, loop: np.ndarray) -> tuple[Shape, np.ndarray]:
    scale = np.exp(0.7 * m["voltage"])
    early, middle, late = {
        "lbbb": ([0.28, 0.15, 0.02], [0.80, 0.24, 1.15], [0.90, 0.10, 0.85]),
        "paced": ([0.25, -0.35, 0.10], [0.55, -0.95, 0.75], [0.40, -0.75, 0.65]),
        "pvc_right": ([0.30, 0.30, 0.10], [0.75, 0.95, 1.10], [0.50, 0.60, 0.80]),
        "pvc_left": ([-0.10, 0.20, -0.35], [-0.60, 0.85, -1.05], [-0.60, 0.55, -0.75]),
    }[block]
    turn = 0.5 * np.clip(m["axis"] - 48, -90, 60) if block == "lbbb" else 60 * (loop[1] - 1)
    vectors = _turn(scale * np.array([early, middle, late]) * np.array([loop[0], loop[2], loop[3]])[:, None], turn)
    shape = [(0.17, 0.085, vectors[0]), (0.40, 0.125, vectors[1]), (0.70, 0.125, vectors[2])]
    return shape, -0.30 * (vectors[1] + vectors[2]) / 1.6


def _repolarisation(b: _Builder, m: Morphology, qrs: float, qt: float, secondary: np.ndarray, wide: bool) -> None:
    width = np.exp(-m["t_narrow"])
    right, left = 0.105 * qt * width, 0.150 * qt * width
    stretch = m["st_ms"] / 1000
    peak = qt - 2.1 * 0.105 * qt + stretch + (0.6 * max(qrs - 0.1, 0) if wide else 0.0)
    size = max(0.33 + m["t_uv"] / 1000, 0.02)
    direction = _turn(np.array([0.72, 0.50, -0.42]), 0.35 * np.clip(m["axis"] - 48, -80, 60) - m["t_rotation"])
    t = size * direction * (1 - min(m["t_flat"], 1.3))
    st = -m["st_sub"] / 1000 * APEX + m["st_diffuse"] / 1000 * np.array([0.8, 0.55, -0.3])
    for wall, (towards, gain) in WALLS.items():
        injury = m[f"injury.{wall}"] / 1000 / gain
        st = st + injury * towards
        t = t + 0.8 * injury * towards  # hyperacute T
        if m[f"t_territory.{wall}"] > 0:
            t = t - m[f"t_territory.{wall}"] * (0.28 / gain + max(float(t @ towards), 0)) * towards
    if m["t_anterior"] > 0:
        t = t + m["t_anterior"] * np.array([0.0, 0.0, 0.30])
    if m["rvh"] > 0:
        t = t + m["rvh"] * np.array([0.05, -0.03, 0.22])
    if m["s1q3t3"] > 0:
        t = t + m["s1q3t3"] * np.array([0.05, -0.22, 0.0])
    if m["strain"] > 0:
        st = st - m["strain"] * np.array([0.10, 0.02, -0.10])
        t = t - m["strain"] * (np.array([0.34, 0.10, -0.12]) + 0.25 * direction * size)
    if wide:
        t, st = 0.15 * t, 0.6 * st
    t, st = t + secondary, st + 0.30 * secondary + 0.05 * t
    b.wave(peak, left, right, t, qt=True)
    b.plateau(qrs * 0.93, max(peak - 0.45 * left, qrs + 0.03), st)
    if m["scoop"] > 0:
        b.wave(qrs + 0.45 * (peak - qrs), 0.045, 0.05, -m["scoop"] / 1000 * 1.2 * APEX, qt=True)
    b.wave(peak + 2.1 * right + 0.05, 0.035, 0.045, m["u_uv"] / 1000 * np.array([0.35, 0.15, -0.55]), qt=True)


def profiles(
    waves: Waves, onset: np.ndarray, scale: np.ndarray, gain: np.ndarray, rate: float, samples: int
) -> np.ndarray:
    """[waves, samples]: the beats summed. onset: [beats] s; scale: [beats] of QT; gain: [beats, waves]."""
    window = int(0.95 * rate)
    out = np.zeros((len(waves.centre), samples + 2 * window), np.float32)
    if not len(onset):
        return out[:, window : window + samples]
    first = np.floor((onset - 0.12) * rate).astype(int)
    t = ((np.arange(window)[None] + first[:, None]) / rate - onset[:, None]).astype(np.float32)[:, None, :]
    stretch = np.where(waves.follows_qt[None], scale[:, None], 1.0).astype(np.float32)
    centre = (waves.centre[None] * stretch)[:, :, None].astype(np.float32)
    left, right = ((s[None] * stretch)[:, :, None].astype(np.float32) for s in (waves.left, waves.right))
    away = t - centre
    sigma = np.where(away < 0, left, right)
    shape = np.exp(-0.5 * np.minimum((away / np.where(waves.plateau[None, :, None], 1.0, sigma)) ** 2, 40))
    for i in np.flatnonzero(waves.plateau):
        rise, fall = (t[:, 0] - waves.left[i]) / 0.006, (right[:, i] - t[:, 0]) / 0.022
        shape[:, i] = 1 / ((1 + np.exp(np.clip(-rise, -30, 30))) * (1 + np.exp(np.clip(-fall, -30, 30))))
    shape *= gain[:, :, None].astype(np.float32)
    for beat, start in enumerate(first + window):
        if 0 <= start <= samples + window:
            out[:, start : start + window] += shape[beat]
    return out[:, window : window + samples]
