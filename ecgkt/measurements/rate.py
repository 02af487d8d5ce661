"""Heart rate from R peaks: the mean over the recording, as devices print it, and how far beats differ from it."""

from __future__ import annotations

import numpy as np

from ecgkt.measurements.r_peaks import Signal

# Intervals that differ by more than this, and by more than this share of their mean, are irregular: 0.16 s bounds sinus
# arrhythmia (Surawicz and Knilans, Chou's Electrocardiography).
UNEVEN, UNEVEN_SHARE = 0.16, 0.15


def mean_rate(r: Signal) -> float | None:
    """Beats a minute over all RR intervals; None with fewer than two R peaks (s)."""
    return 60 * (len(r) - 1) / float(r[-1] - r[0]) if len(r) > 1 else None


def irregular(r: Signal) -> bool:
    """Do the RR intervals differ by more than in sinus rhythm at rest?"""
    rr = np.diff(r)
    return len(rr) > 1 and float(np.ptp(rr)) > max(UNEVEN, UNEVEN_SHARE * float(rr.mean()))


def rate_range(r: Signal) -> tuple[float, float] | None:
    """Beats a minute by the longest and by the shortest RR interval; None where the rhythm is regular."""
    rr = np.diff(r)
    return (60 / float(rr.max()), 60 / float(rr.min())) if irregular(r) else None
