"""The waves of a beat: each a Gaussian in time (or a plateau) with an amplitude in each of the eight independent leads.

What a heart looks like without effects comes from real recordings (`shapes.csv`, written by `fitting.shapes`); effects
are dipoles added to it, seen through the patient's lead vectors (directions from textbooks, sizes chosen where no
comment names a source). Dipole axes after Frank: x to the left, y to the feet, z to the back; mV. Times are in seconds
from QRS onset (from P onset for the P wave).
"""

from __future__ import annotations

import numpy as np

from ecgkt.simulation.body import Body
from ecgkt.simulation.effects import Morphology
from ecgkt.simulation.waveform import QRS, ST, P, Waves

# Centers and sigmas as fractions of P and of QRS; those of QRS were fitted to 120 normal recordings of PTB-XL (0.4 % of
# the energy is left over), in which a 40 Hz filter had widened each wave by FILTER.
P_CENTRES, P_WIDTH = np.array([0.28, 0.50, 0.72]), 0.125
CENTRES = np.array([0.230, 0.357, 0.458, 0.531, 0.661])
WIDTHS = np.array([0.067, 0.084, 0.090, 0.124, 0.101])
FILTER = 0.0033  # s
# Atrial repolarization as a share of P, against it (chosen; it lowers the PR segment below the line between beats).
RECOVERY = 0.16
# Of the slow rise from the J point into T: its peak in T's left sigmas before T's, and how many of its own left sigmas
# after the end of QRS, so that the J point sees a fifth of it (chosen by eye on 67 native normal beats of PTB-XL).
FOOT, FOOT_RISE = 0.5, 1.8
# T as shares of QT (medians of the same recordings): from the peak to the end, the sigmas before and after the peak.
T_DOWN, T_LEFT, T_RIGHT = 0.208, 0.108, 0.098
T_APART = 0.05  # share of QT between the middle of T and its early and its late half, whose leads differ
# The tables' p_uv and t_uv are changes of a wave of this height (P in II, uV; T over the leads, mV), applied as shares.
P_HEIGHT, T_HEIGHT = 120.0, 0.33
HALF = 0.553  # two halves of this height, so far apart, make one wave of height 1

# Direction of each wall, and the largest projection of a unit vector along it on a lead, so that uV mean uV there.
WALLS = {
    "anterior": (np.array([0.30, 0.05, -0.95]), 1.5),
    "septal": (np.array([-0.25, -0.05, -0.95]), 1.35),
    "inferior": (np.array([-0.15, 0.98, 0.15]), 1.15),
    "lateral": (np.array([0.95, -0.28, 0.10]), 0.9),
}
# What a full scar takes from the forces toward it, of the five waves of QRS.
LOST, FRONT_LOST = np.array([0.9, 0.7, 0.4, 0.2, 0.0]), np.array([0.9, 0.8, 0.5, 0.3, 0.0])
DIFFUSE = (0.8, 0.55, -0.3)  # injury of the whole outer surface
APEX = np.array([0.80, 0.52, -0.15])
# Beats that spread through muscle, not bundles, so that shapes.csv has none: early, middle and late vectors.
MUSCLE = {
    "paced": ([0.25, -0.35, 0.10], [0.55, -0.95, 0.75], [0.40, -0.75, 0.65]),
    "outflow": ([0.20, 0.30, 0.10], [0.35, 1.15, 0.90], [0.20, 0.80, 0.70]),
    "septum": ([0.30, 0.10, 0.10], [1.00, 0.15, 0.90], [0.80, -0.30, 0.70]),
    "apex": ([0.20, -0.30, 0.00], [0.75, -1.05, 0.45], [0.60, -0.80, 0.60]),
    "left_wall": ([-0.10, 0.20, -0.35], [-0.60, 0.85, -1.05], [-0.60, 0.55, -0.75]),
    "left_base": ([-0.10, -0.25, -0.30], [-0.45, -0.85, -1.05], [-0.35, -0.65, -0.70]),
}


def foot(qrs: float, peak: float, left: float) -> tuple[float, float, float]:
    """Center, left and right sigma of a beat's own ST: from the end of QRS into the T wave at `peak`, any unit."""
    center = peak - FOOT * left
    return center, max(center - qrs, left) / FOOT_RISE, 0.7 * left


class _Builder:
    def __init__(self, body: Body) -> None:
        self.leads, self.inverse = body.leads, body.inverse
        self.rows: list[tuple[float, float, float, np.ndarray, bool, bool]] = []

    def seen(self, *vector: float) -> np.ndarray:
        """[8] mV of a dipole."""
        return np.asarray(self.leads @ np.array(vector))

    def turned(self, amplitude: np.ndarray, degrees: float) -> np.ndarray:
        """[8, n] with its dipole part rotated in the frontal plane; positive turns the axis toward the feet."""
        cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        turn = np.array([[cosine - 1, -sine, 0], [sine, cosine - 1, 0], [0, 0, 0]])
        return np.asarray(amplitude + self.leads @ (turn @ (self.inverse @ amplitude)))

    def wave(self, center: float, left: float, right: float, eight: np.ndarray, qt: bool = False) -> None:
        self.rows.append((center, left, right, eight, False, qt))

    def plateau(self, begin: float, end: float, eight: np.ndarray) -> None:
        self.rows.append(((begin + end) / 2, begin, end, eight, True, True))

    def build(self) -> Waves:
        center, left, right, eight, flat, qt = zip(*self.rows, strict=True)
        return Waves(
            np.array(center), np.array(left), np.array(right), np.stack(eight, axis=1), np.array(flat), np.array(qt)
        )


def p_wave(m: Morphology, shape: np.ndarray, body: Body) -> Waves:
    """Right then left atrium and their recovery, from P onset. shape: [8, WAVES] mV."""
    duration, b = m["p_ms"] / 1000, _Builder(body)
    size = np.exp(m["p_log"]) * (1 + m["p_uv"] / P_HEIGHT)
    terminal = b.seen(0.0, 0.0, 1.3 * m["p_terminal"] / 1000)
    for k, more in enumerate((0.0, 0.0, terminal)):
        b.wave(P_CENTRES[k] * duration, P_WIDTH * duration, P_WIDTH * duration, size * (shape[:, k] + more))
    b.wave(duration + 0.05, 0.045, 0.08, -RECOVERY * size * shape[:, P].sum(axis=1))
    if m["pr_segment"]:  # injured atria, against the ventricles' injury current
        b.wave(duration + 0.03, 0.035, 0.06, -m["pr_segment"] / 1000 * b.seen(*DIFFUSE))
    return b.build()


def ventricles(
    m: Morphology, shape: np.ndarray, body: Body, qt: float, block: str = "", lpfb: bool = False,
    delta: bool = False,
) -> Waves:  # fmt: skip
    """QRS, ST, T and U from QRS onset.

    shape: [8, WAVES] mV of the patient's own beat in this class of conduction. qt: seconds, at the mean RR. block: "",
    "lbbb", "rbbb", "irbbb" or one of MUSCLE.
    """
    b = _Builder(body)
    qrs = m["qrs"] / 1000
    if block in MUSCLE:
        secondary = _from_muscle(b, block, m, shape, qrs)
        own = np.zeros((8, 3))
    else:
        own = _conducted(b, m, shape, qrs, block, lpfb, delta)
        secondary = b.seen(-0.22, -0.12, 0.05) if delta else np.zeros(8)
    _repolarization(b, m, own, qrs, qt, secondary, share=0.15 if block in MUSCLE else 0.4 if block == "lbbb" else 1.0)
    return b.build()


def _conducted(
    b: _Builder, m: Morphology, shape: np.ndarray, qrs: float, block: str, lpfb: bool, delta: bool
) -> np.ndarray:
    """Append a QRS through at least one bundle; returns [8, 3] the beat's own ST and halves of T."""
    turn = float(np.clip(m["axis"] + 70.0 * lpfb, -90, 100)) * (0.4 if block == "lbbb" else 1.0)
    waves = np.exp(m["voltage"]) * shape[:, QRS]
    waves = b.turned(waves, turn) if abs(turn) > 0.5 else waves.copy()
    waves[:, 1] += b.seen(0, 0, 0.32 * m["r_loss"])
    waves[:, 2] += b.seen(0, 0, 0.10 * m["r_loss"])
    # With the left bundle blocked the right ventricle and scars hardly show: V1 keeps rS or QS.
    shown = 0.25 if block == "lbbb" else 1.0
    waves[:, 3] += b.seen(0, 0, shown * m["posterior"])
    if lpfb:
        waves[:, 0] += b.seen(0.18, -0.20, 0.0)
    if m["rvh"] > 0:
        waves[:, 2] += shown * m["rvh"] * b.seen(-0.75, 0.1, -0.55)
        waves[:, 3] += shown * m["rvh"] * b.seen(-0.45, 0.1, -0.45)
    if m["s1q3t3"] > 0:
        waves[:, 4] += shown * m["s1q3t3"] * b.seen(-0.5, 0.15, -0.1)
        waves[:, 0] += shown * m["s1q3t3"] * b.seen(0.05, -0.2, 0.0)
    scar = np.zeros(8)
    scarred = [wall for wall in WALLS if m[f"q_wave.{wall}"] > 0]
    if scarred:
        dipole = b.inverse @ waves  # [3, 5]
        for wall in scarred:
            direction, gain = WALLS[wall]
            # In front R is lost whole where below it leaves a Q of a millimetre or two (PTB-XL's infarctions).
            front = wall in ("anterior", "septal")
            q = shown * min(m[f"q_wave.{wall}"] * (1.6 if front else 1.0), 1.4)
            # The scar no longer pulls toward itself, least so late, when the rest of the heart dominates.
            lost = np.maximum(direction @ dipole, 0) * (FRONT_LOST if front else LOST) * min(q, 1.0)
            waves -= np.outer(b.leads @ direction, lost)
            scar -= (0.40 if front else 0.18) * q / gain * (b.leads @ direction)
    # In right bundle branch block the class's own shape holds the late forces.
    for k in range(5):
        # Activation from muscle to muscle has no corners as narrow as those that the widths were fitted to.
        width = (1.25 if block == "lbbb" else 1.0) * WIDTHS[k] * qrs
        sigma = np.sqrt(max(width**2 - FILTER**2, 0.004**2))
        b.wave(CENTRES[k] * qrs, sigma, sigma, waves[:, k])
    if scarred:
        b.wave(0.32 * qrs, 0.09 * qrs, 0.10 * qrs, scar)
    if block == "irbbb":
        b.wave(0.82 * qrs, 0.075 * qrs, 0.075 * qrs, b.seen(-0.24, 0.0, -0.36))
    if m["j_wave"] > 0:
        b.wave(qrs, 0.010, 0.016, m["j_wave"] / 1000 * (b.leads @ APEX))
    if delta:
        b.wave(0.20 * qrs, 0.11 * qrs, 0.16 * qrs, np.exp(m["voltage"]) * b.seen(0.30, 0.05, -0.22))
    return shape[:, ST:]


def _from_muscle(b: _Builder, block: str, m: Morphology, shape: np.ndarray, qrs: float) -> np.ndarray:
    """Append a QRS that spreads from a pacing lead or an ectopic focus; returns [8] its secondary ST-T."""
    scale = np.exp(0.7 * m["voltage"])
    early, middle, late = MUSCLE[block]
    vectors: np.ndarray = scale * np.array([early, middle, late])
    # The patient's own beat lends its deviation, so that no two paced or ectopic beats are alike.
    own = shape[:, QRS].sum(axis=1)
    size = float(np.linalg.norm(vectors.sum(axis=0))) / max(float(np.linalg.norm(own)), 0.3)
    angle = 40.0 * np.tanh(own[1] - own[0])
    eight = b.turned(b.leads @ vectors.T, angle) + 0.06 * size * own[:, None]
    for center, sigma, amplitude in zip((0.17, 0.40, 0.70), (0.085, 0.125, 0.125), eight.T, strict=True):
        b.wave(center * qrs, sigma * qrs, sigma * qrs, amplitude)
    return np.asarray(-0.30 * (eight[:, 1] + eight[:, 2]) / 1.6)


def _repolarization(
    b: _Builder, m: Morphology, own: np.ndarray, qrs: float, qt: float, secondary: np.ndarray, share: float
) -> None:
    """Append ST, T, scooping and U. own: [8, 3] the beat's ST and T without effects; share: of effects that show."""
    width = np.exp(-m["t_narrow"])
    right, left = T_RIGHT * qt * width, T_LEFT * qt * width
    peak = qt - T_DOWN / T_RIGHT * right + m["st_ms"] / 1000
    left = min(left, 0.45 * (peak - 0.6 * qrs))
    # A T wave that is secondary to a wide QRS has the size of that QRS, whatever flattens or raises others.
    size = 1 + share * (max(T_HEIGHT + m["t_uv"] / 1000, 0.02) / T_HEIGHT * (1 - min(m["t_flat"], 1.3)) - 1)
    t = own[:, 1:]
    t = (b.turned(t, 0.35 * m["axis"] - m["t_rotation"]) if m["t_rotation"] or m["axis"] else t) * size  # [8, 2]
    upright = b.inverse @ t.sum(axis=1)
    st_vector = -m["st_sub"] / 1000 * APEX + m["st_diffuse"] / 1000 * np.array(DIFFUSE)
    t_vector = np.zeros(3)
    for wall, (toward, gain) in WALLS.items():
        injury = m[f"injury.{wall}"] / 1000 / gain
        st_vector = st_vector + injury * toward
        t_vector = t_vector + 0.8 * injury * toward  # hyperacute T
        if m[f"t_territory.{wall}"] > 0:
            pull = 0.28 / gain + max(float((upright + t_vector) @ toward), 0)
            t_vector = t_vector - m[f"t_territory.{wall}"] * pull * toward
    t_vector += m["t_anterior"] * np.array([0.0, 0.0, 0.30]) + m["rvh"] * np.array([0.05, -0.03, 0.22])
    t_vector += m["s1q3t3"] * np.array([0.05, -0.22, 0.0])
    if m["strain"] > 0:
        st_vector = st_vector - m["strain"] * np.array([0.10, 0.02, -0.10])
        t_vector = t_vector - m["strain"] * (np.array([0.34, 0.10, -0.12]) + 0.25 * upright)
    more = share * (b.leads @ t_vector) + secondary
    st = share * (b.leads @ st_vector) + 0.30 * secondary
    b.wave(*foot(qrs, peak, left), own[:, 0], qt=True)
    for k, place in enumerate((-T_APART, T_APART)):
        b.wave(peak + place * qt, left, right, t[:, k] + HALF * more, qt=True)
    b.plateau(qrs * 0.93 + 0.004, max(peak - 0.45 * left, qrs + 0.03), st)
    if m["scoop"] > 0:
        b.wave(qrs + 0.45 * (peak - qrs), 0.045, 0.05, -m["scoop"] / 1000 * 1.2 * (b.leads @ APEX), qt=True)
    b.wave(peak + 2.1 * right + 0.05, 0.05, 0.09, m["u_uv"] / 1000 * b.seen(0.35, 0.15, -0.55), qt=True)
