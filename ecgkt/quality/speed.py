"""Is a tracing as slow as no heart is? A sampling rate below the true one stretches QRS and QTc together, disease
seldom both so far. What is too fast: `ecgkt.quality.misread`."""

from __future__ import annotations

import numpy as np

from ecgkt.measurements.delineation import Beats
from ecgkt.measurements.median_beat import MedianBeat

# ms, QRS + QTcF / 2: 414 at most in 426 real recordings of six sets, and beyond 440 in 42% of those played at half
# speed. The limit was set on 405 other recordings of these sets, with room for a wide QRS with a long QT.
SLOWEST = 440.0


def too_slow(beats: Beats, beat: MedianBeat | None) -> tuple[str, ...]:
    """A sentence where QRS and QTc (Fridericia) together are longer than hearts' are."""
    if beat is None or beat.waves.t_offset is None or len(beats.r_times) < 3:
        return ()
    qrs = 1000 * (beat.waves.qrs_offset - beat.waves.qrs_onset)
    rr = float(np.median(np.diff(beats.r_times)))
    qtc = 1000 * (beat.waves.t_offset - beat.waves.qrs_onset) / rr ** (1 / 3)
    if qrs + qtc / 2 <= SLOWEST:
        return ()
    found = f"QRS of {qrs:.0f} ms and QTc of {qtc:.0f} ms"
    return (f"{found} are both far longer than usual: severe disease, or a wrong sampling rate.",)
