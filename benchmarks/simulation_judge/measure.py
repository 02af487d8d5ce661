"""The same automatic measurement for every tracing, real or simulated; boundaries from
`ecgkt.measurements.delineation`.

A measure's name begins with its group: "time:", "rhythm:", "shape:LEAD:", "space:", "noise:" have no unit of voltage
(each lead is measured against its own QRS), so that sets with modeled amplitudes can be compared; "axis:" needs the
ratio of limb leads to be right, "mv:" and "raw:" need amplitudes as recorded.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, find_peaks, sosfiltfilt, welch

from ecgkt.ecg import ECG, LEADS
from ecgkt.measurements.delineation import Beats, delineate
from ecgkt.measurements.r_peaks import RATE, band

INDEPENDENT = (0, 1, 6, 7, 8, 9, 10, 11)  # I, II, V1..V6; the other limb leads follow from I and II
SPECTRUM = ((0.5, 1.0), (1.0, 4.0), (4.0, 8.0), (8.0, 15.0), (15.0, 25.0), (25.0, 40.0))  # Hz
TINY = 1e-6


def measure(ecg: ECG) -> dict[str, float]:
    """name -> value (ms, 1/min, degrees, mV for "mv:" and "raw:", else shares); empty where three beats are missing."""
    beats = delineate(ecg)
    if len(beats.beats) < 4:
        return {}
    signal = band(np.nan_to_num(ecg.resampled(RATE).signal).astype(float), 0.5, 40.0)
    out = _times(beats)
    r = np.round(beats.r_times * RATE).astype(int)
    before, after = int(0.32 * RATE), int(0.60 * RATE)
    r = r[(r >= before) & (r + after < signal.shape[1])]
    if len(r) < 3:
        return {}
    stack = np.stack([signal[:, p - before : p + after] for p in r])  # [beats, 12, samples]
    median = np.median(stack, axis=0)
    alike = np.array([np.corrcoef(beat.ravel(), median.ravel())[0, 1] > 0.8 for beat in stack])
    if alike.sum() >= 3:
        stack = stack[alike]
        median = np.median(stack, axis=0)
    out["rhythm:foreign_beats"] = float(1 - alike.mean())
    edges = _edges(beats, before, median.shape[1])
    if edges is None:
        return {}
    out |= _shapes(median, edges) | _space(median, edges) | _between_beats(stack, median, edges)
    out |= _noise(signal, beats, median, edges)
    if ecg.rate >= 400:
        out |= _raw_noise(ecg, beats)
    return out


def _middle(values: list[float]) -> float:
    return float(np.median(values)) if values else float("nan")


def _times(beats: Beats) -> dict[str, float]:
    all_ = beats.beats
    rr = np.diff(beats.r_times) * 1000
    qt = _middle([(b.t_offset - b.qrs_onset) * 1000 for b in all_ if b.t_offset is not None])
    middle = float(np.median(rr))
    return {
        "time:heart_rate": 60_000 / middle,
        "time:pr": _middle([(b.qrs_onset - b.p_onset) * 1000 for b in all_ if b.p_onset is not None]),
        "time:p_duration": _middle([(b.p_offset - b.p_onset) * 1000 for b in all_ if b.p_onset and b.p_offset]),
        "time:qrs": _middle([(b.qrs_offset - b.qrs_onset) * 1000 for b in all_]),
        "time:qt": qt,
        "time:qtcf": qt / (middle / 1000) ** (1 / 3),
        "time:t_duration": _middle([(b.t_offset - b.t_onset) * 1000 for b in all_ if b.t_offset and b.t_onset]),
        "rhythm:p_found": float(any(b.p_onset is not None for b in all_)),
        "rhythm:sdnn": float(rr.std()),
        "rhythm:rmssd": float(np.sqrt(np.mean(np.diff(rr) ** 2))) if len(rr) > 1 else 0.0,
        "rhythm:turning": float(np.mean(np.diff(np.sign(np.diff(rr))) != 0)) if len(rr) > 3 else float("nan"),
    }


Edges = dict[str, tuple[int, int]]


def _edges(beats: Beats, r: int, samples: int) -> Edges | None:
    """Samples on the median beat of P, QRS, T (P, T only where found)."""

    def span(first: list[float], last: list[float]) -> tuple[int, int]:
        a, b = r + round(_middle(first) * RATE), r + round(_middle(last) * RATE)
        return max(0, a), min(samples - 1, b)

    full = [b for b in beats.beats[1:-1]]
    out = {"qrs": span([b.qrs_onset - b.r for b in full], [b.qrs_offset - b.r for b in full])}
    with_p = [b for b in full if b.p_onset is not None and b.p_offset is not None]
    with_t = [b for b in full if b.t_onset is not None and b.t_offset is not None]
    if with_p:
        out["p"] = span([b.p_onset - b.r for b in with_p], [b.p_offset - b.r for b in with_p])  # type: ignore[operator]
    if with_t:
        out["t"] = span([b.t_onset - b.r for b in with_t], [b.t_offset - b.r for b in with_t])  # type: ignore[operator]
    return {k: v for k, v in out.items() if v[1] - v[0] >= 5} if out["qrs"][1] - out["qrs"][0] >= 5 else None


def _extreme(x: np.ndarray) -> tuple[float, int]:
    at = int(np.argmax(np.abs(x)))
    return float(x[at]), at


def _half_width(x: np.ndarray, at: int) -> float:
    """Width at half height around `at`, ms."""
    above = x * np.sign(x[at]) > abs(x[at]) / 2
    first = last = at
    while first > 0 and above[first - 1]:
        first -= 1
    while last + 1 < len(x) and above[last + 1]:
        last += 1
    return (last - first + 1) / RATE * 1000


def _shapes(median: np.ndarray, edges: Edges) -> dict[str, float]:
    out: dict[str, float] = {}
    first, last = edges["qrs"]
    level = median[:, max(0, first - 4) : first + 1].mean(axis=1, keepdims=True)
    beat = median - level
    nets: dict[str, dict[str, float]] = {"qrs": {}, "t": {}}
    for lead, x in zip(LEADS, beat, strict=True):
        qrs = x[first : last + 1]
        size = float(np.ptp(qrs)) + TINY
        top = int(np.argmax(qrs))
        r, q, s = max(0.0, float(qrs[top])), min(0.0, float(qrs[: top + 1].min())), min(0.0, float(qrs[top:].min()))
        slope = np.gradient(qrs) * RATE
        turns = len(find_peaks(qrs, prominence=0.05 * size)[0]) + len(find_peaks(-qrs, prominence=0.05 * size)[0])
        at = min(len(x) - 1, last + round(0.06 * RATE))
        st = float(x[at])
        j = float(x[min(len(x) - 1, last + 2)])
        lead_out = {
            "r": r / size, "q": q / size, "s": s / size, "st60": st / size, "j": j / size, "qrs_turns": float(turns),
            "qrs_slope": float(np.abs(slope).max()) / size, "r_time": top / RATE * 1000,
            "qrs_area": float(np.abs(qrs).mean()) / size,
        }  # fmt: skip
        millivolt = {"r": r, "q": q, "s": s, "st60": st, "qrs": size}
        nets["qrs"][lead] = r + q + s if q != s else r + s
        if "t" in edges:
            a, b = edges["t"]
            t = x[a : b + 1]
            value, peak = _extreme(t)
            lead_out |= {
                "t": value / size, "t_position": peak / len(t), "t_width": _half_width(t, peak),
                "t_turns": float(len(find_peaks(np.abs(t), prominence=0.1 * abs(value) + TINY)[0])),
                "t_end_level": float(x[b]) / size, "t_biphasic": float(min(t.max(), -t.min())) / (np.ptp(t) + TINY),
            }  # fmt: skip
            millivolt["t"] = value
            millivolt["t_over_r"] = value / max(r, 0.05)
            nets["t"][lead] = value
        if "p" in edges:
            a, b = edges["p"]
            p = x[a : b + 1] - x[a]
            value, peak = _extreme(p)
            lead_out |= {
                "p": value / size, "p_position": peak / len(p), "p_width": _half_width(p, peak),
                "p_biphasic": float(min(p.max(), -p.min())) / (np.ptp(p) + TINY),
                "pq_level": float(x[b]) / size,
            }  # fmt: skip
            millivolt["p"] = value
        out |= {f"shape:{lead}:{name}": v for name, v in lead_out.items()}
        out |= {f"mv:{lead}:{name}": v for name, v in millivolt.items() if name != "t_over_r"}
        if "t_over_r" in millivolt:
            out[f"ratio:{lead}:t_over_r"] = millivolt["t_over_r"]
    for wave, net in nets.items():
        if net:
            out[f"axis:{wave}"] = float(np.degrees(np.arctan2(2 * net["aVF"] / np.sqrt(3), net["I"])))
    if nets["t"]:
        out["axis:qrs_t_angle"] = abs((out["axis:qrs"] - out["axis:t"] + 180) % 360 - 180)
    return out


def _space(median: np.ndarray, edges: Edges) -> dict[str, float]:
    """log10 of the share of power outside the first three principal components of the eight independent leads.

    A single moving dipole has none; each lead to its own size, which does not change the rank.
    """
    out = {}
    eight = median[list(INDEPENDENT)]
    for wave, (a, b) in edges.items():
        part = eight[:, a : b + 1]
        part = part - part[:, :1]
        part = part / (np.ptp(part, axis=1, keepdims=True) + TINY)
        power = np.linalg.svd(part, compute_uv=False) ** 2
        for kept in (1, 2, 3):
            out[f"space:{wave}_beyond_{kept}"] = float(np.log10(power[kept:].sum() / power.sum() + 1e-9))
    return out


def _between_beats(stack: np.ndarray, median: np.ndarray, edges: Edges) -> dict[str, float]:
    """How much amplitudes change from beat to beat, as shares."""
    first, last = edges["qrs"]
    sizes = np.ptp(stack[:, :, first : last + 1], axis=2)
    out = {"rhythm:qrs_size_cv": float(np.median(sizes.std(axis=0) / (sizes.mean(axis=0) + TINY)))}
    for wave in ("p", "t"):
        if wave in edges:
            a, b = edges[wave]
            parts = stack[:, :, a : b + 1]
            typical = median[:, a : b + 1] - median[:, a : b + 1].mean(axis=1, keepdims=True)
            fit = (parts * typical).sum(axis=2) / ((typical**2).sum(axis=1) + TINY)
            out[f"rhythm:{wave}_size_sd"] = float(np.median(fit.std(axis=0)))
    return out


def _noise(signal: np.ndarray, beats: Beats, median: np.ndarray, edges: Edges) -> dict[str, float]:
    """log10 of noise against each lead's QRS: in the quiet TP stretches by band, and of the whole spectrum."""
    first, last = edges["qrs"]
    size = np.ptp(median[:, first : last + 1], axis=1) + TINY
    out: dict[str, float] = {}
    quiet = beats.masks(signal.shape[1], RATE)["TP"]
    if quiet.sum() > 0.4 * RATE:
        for low, high in ((4.0, 15.0), (15.0, 40.0)):
            rms = np.sqrt((band(signal, low, high)[:, quiet] ** 2).mean(axis=1)) / size
            for name, leads in (("limb", slice(0, 6)), ("chest", slice(6, 12))):
                out[f"noise:quiet_{low:g}_{high:g}_{name}"] = float(np.log10(np.median(rms[leads]) + TINY))
    frequency, power = welch(signal, RATE, nperseg=int(4 * RATE), axis=1)
    for low, high in SPECTRUM:
        chosen = (frequency >= low) & (frequency < high)
        share = power[:, chosen].sum(axis=1) / power.sum(axis=1)
        for name, leads in (("limb", slice(0, 6)), ("chest", slice(6, 12))):
            out[f"noise:spectrum_{low:g}_{high:g}_{name}"] = float(np.log10(np.median(share[leads]) + TINY))
    return out


def _raw_noise(ecg: ECG, beats: Beats) -> dict[str, float]:
    """Noise of the tracing as recorded, log10 of mV RMS, median over leads."""
    x = ecg.signal.astype(float)
    x = x - np.median(x, axis=1, keepdims=True)
    quiet = beats.masks(x.shape[1], ecg.rate)["TP"]

    def rms(low: float, high: float, where: np.ndarray | slice) -> float:
        kind = "lowpass" if low == 0 else "bandpass"
        sos = butter(2, high if low == 0 else (low, high), kind, fs=ecg.rate, output="sos")
        part = sosfiltfilt(sos, x, axis=1)[:, where]
        return float(np.log10(np.median(np.sqrt((part**2).mean(axis=1))) + TINY))

    out = {"raw:wander_below_0.5": rms(0, 0.5, slice(None))}
    if quiet.sum() > 0.4 * ecg.rate:
        out["raw:mains"] = max(rms(48, 52, quiet), rms(58, 62, quiet))
        out["raw:muscle_15_40"] = rms(15, 40, quiet)
        out["raw:muscle_65_110"] = rms(65, 110, quiet)
        out["raw:above_150"] = rms(150, 220, quiet)
    return out
