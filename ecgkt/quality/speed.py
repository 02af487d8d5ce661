"""Does time run as fast as the file says? A wrong sampling rate changes QRS and QTc in the same direction, disease
seldom both so far."""

from __future__ import annotations

import numpy as np

from ecgkt.measurements.delineation import Beats
from ecgkt.measurements.median_beat import MedianBeat

# ms, QRS + QTcF / 2: 265 to 414 in 426 real recordings of six sets, 131 to 300 when they are played twice as fast (77%
# below 265), and beyond 400 in 83% of those played at half speed (beyond 440 in 42%). The limits were set on 405 other
# recordings of these sets, the upper one with room for a wide QRS with a long QT.
FASTEST, SLOWEST = 265.0, 440.0


def wrong_speed(beats: Beats, beat: MedianBeat | None) -> tuple[str, ...]:
    """A sentence where QRS and QTc (Fridericia) together are shorter, or longer, than hearts' are."""
    if beat is None or beat.waves.t_offset is None or len(beats.r_times) < 3:
        return ()
    qrs = 1000 * (beat.waves.qrs_offset - beat.waves.qrs_onset)
    rr = float(np.median(np.diff(beats.r_times)))
    qtc = 1000 * (beat.waves.t_offset - beat.waves.qrs_onset) / rr ** (1 / 3)
    found = f"QRS of {qrs:.0f} ms and QTc of {qtc:.0f} ms"
    if qrs + qtc / 2 < FASTEST:
        return (f"{found} are both shorter than in adults' hearts: the sampling rate may be wrong.",)
    if qrs + qtc / 2 > SLOWEST:
        return (f"{found} are both far longer than usual: severe disease, or a wrong sampling rate.",)
    return ()
