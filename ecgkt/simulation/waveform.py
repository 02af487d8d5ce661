"""The waves that a beat is made of, and their course in time: Gaussians and plateaus, summed over the beats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EIGHT = (0, 1, 6, 7, 8, 9, 10, 11)  # I, II, V1 to V6 among the twelve
WAVES = ("p1", "p2", "p3", "q1", "q2", "q3", "q4", "q5", "st", "t1", "t2")
P, QRS, ST = slice(0, 3), slice(3, 8), 8  # places in WAVES; the two halves of T follow ST
WINDOW = 0.95  # s that a beat is drawn for
EARLY = 0.30  # s after the onset by which P, or QRS, is over


@dataclass
class Waves:
    """The waves of one beat, times in seconds from the onset that the beat is drawn at.

    center, left, right: [waves] s; left and right are a Gaussian's sigmas before and after its center, of a plateau its
    begin and end. eight: [8, waves] mV in I, II, V1 to V6. plateau, follows_qt: [waves] bool; the times of a wave that
    follows QT scale with the beat's QT.
    """

    center: np.ndarray
    left: np.ndarray
    right: np.ndarray
    eight: np.ndarray
    plateau: np.ndarray
    follows_qt: np.ndarray


def joined(first: Waves, second: Waves, shift: float) -> Waves:
    """Both, the second `shift` seconds later."""
    return Waves(
        np.concatenate([first.center, second.center + shift]), np.concatenate([first.left, second.left]),
        np.concatenate([first.right, second.right]), np.concatenate([first.eight, second.eight], axis=1),
        np.concatenate([first.plateau, second.plateau]), np.concatenate([first.follows_qt, second.follows_qt]),
    )  # fmt: skip


def skewed(at: np.ndarray, peak: float, left: float, right: float) -> np.ndarray:
    """A Gaussian of height 1 whose sigma is `left` before the peak and `right` after it."""
    away = at - peak
    return np.asarray(np.exp(-0.5 * np.minimum((away / np.where(away < 0, left, right)) ** 2, 40)))


def plateau(at: np.ndarray, begin: float, end: float | np.ndarray, rise: float, fall: float) -> np.ndarray:
    """1 between `begin` and `end`, with logistic flanks of `rise` and `fall` (units of `at`)."""
    up, down = np.clip((at - begin) / rise, -30, 30), np.clip((end - at) / fall, -30, 30)
    return np.asarray(1 / ((1 + np.exp(-up)) * (1 + np.exp(-down))))


def profiles(
    waves: Waves, onset: np.ndarray, scale: np.ndarray, gain: np.ndarray, rate: float, samples: int,
    before: float = 0.12,
) -> np.ndarray:  # fmt: skip
    """[waves, samples]: the beats summed. onset: [beats] s; scale: [beats] of QT; gain: [beats, waves].

    A beat is drawn for WINDOW s, from `before` s ahead of its onset. gain: factor of a wave in a beat. rate: Hz.
    """
    margin = int(WINDOW * rate)
    out = np.zeros((len(waves.center), samples + 2 * margin), np.float32)
    if len(onset):
        # P and QRS are over long before T: most waves are drawn in a third of the window.
        early = ~waves.plateau & (waves.center + 6 * waves.right < EARLY) & ~waves.follows_qt
        for chosen, window in ((early, min(int((before + EARLY) * rate), margin)), (~early, margin)):
            if chosen.any():
                _draw(waves, np.flatnonzero(chosen), onset - before, scale, gain, rate, window, before, out, margin)
    return out[:, margin : margin + samples]


def _draw(
    waves: Waves, chosen: np.ndarray, begin: np.ndarray, scale: np.ndarray, gain: np.ndarray, rate: float, window: int,
    before: float, out: np.ndarray, margin: int,
) -> None:  # fmt: skip
    """Add the beats' waves `chosen`, `window` samples from `begin` s, to the rows of `out` that they are."""
    first = np.floor(begin * rate).astype(int)
    t = ((np.arange(window)[None] + first[:, None]) / rate - (begin + before)[:, None]).astype(np.float32)[:, None, :]
    stretch = np.where(waves.follows_qt[None, chosen], scale[:, None], 1.0).astype(np.float32)
    center = (waves.center[None, chosen] * stretch)[:, :, None].astype(np.float32)
    left, right = ((s[None, chosen] * stretch)[:, :, None].astype(np.float32) for s in (waves.left, waves.right))
    flat = waves.plateau[chosen]
    away = t - center
    shape = away / np.where(away < 0, left, right)
    shape *= shape
    np.minimum(shape, 40, out=shape)
    shape *= np.float32(-0.5)
    np.exp(shape, out=shape)
    for i in np.flatnonzero(flat):
        shape[:, i] = plateau(t[:, 0], float(waves.left[chosen[i]]), right[:, i], 0.006, 0.022)
    shape *= gain[:, chosen, None].astype(np.float32)
    total = out[chosen]
    for beat, start in enumerate(first + margin):
        if 0 <= start <= out.shape[1] - margin:
            total[:, start : start + window] += shape[beat]
    out[chosen] = total
