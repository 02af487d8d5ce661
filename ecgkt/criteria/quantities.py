"""Every quantity that a rule of criteria.csv may ask for, measured on one ECG, each with its words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecgkt.criteria import contiguous
from ecgkt.criteria.rhythm import rhythm
from ecgkt.criteria.rule import Quantity
from ecgkt.criteria.shapes import Lead, leads, t_shape
from ecgkt.ecg import ECG
from ecgkt.measurements.intervals import DEGREE, ERROR_SD, Intervals, Measured

MM_ERROR = 0.25  # mm, as far as paper is read; of voltages VOLTAGE_ERROR
VOLTAGE_ERROR = 1.0  # mm
AXIS_ERROR = 5.0  # degrees, about twice the spread against what devices print (benchmarks/measurements.md)
INTERVALS = {"pr": "PR", "p_duration": "P", "qrs": "QRS", "qt": "QT", "qtcf": "QTcF"}
ONE_SIZE, LIMB_LAW = 1.02, 0.2  # spans alike to this factor in all leads; II less I + III, over II
LIMB, CHEST = ("I", "II", "III", "aVR", "aVL", "aVF"), ("V1", "V2", "V3", "V4", "V5", "V6")
T_LEADS, LOWEST_R = ("I", "II", "aVL", "V4", "V5", "V6"), 3.0  # mm of R (Rautaharju et al. 2009)
LEAST_S = 0.3  # mm; what is less deep is no S (IEC 60601-2-25), and a ratio to it no figure
T_SHARE = 0.1  # of R, below which T is low
WIDE = 120.0  # ms


def quantities(ecg: ECG, found: Intervals) -> dict[str, Quantity]:
    """All of them by name; `found` of the same tracing."""
    out = rhythm(ecg, found.beats)
    out |= {name: _interval(getattr(found, name), word) for name, word in INTERVALS.items()}
    out |= {name: _axis(getattr(found, name), name[0].upper()) for name in ("p_axis", "t_axis")}
    out["qrs_axis"] = _axis(found.qrs_axis, "QRS")
    for name, sex in (("male", "male"), ("female", "female")):
        out[name] = Quantity(float(ecg.sex == sex), "") if ecg.sex else Quantity(0.0, "")
    shapes = leads(found.beat) if found.beat is not None else {}
    why = _no_shapes(found)
    doubt = scale_doubt(ecg)
    out |= _conduction(shapes, why)
    wide = (found.qrs.value or 0) >= WIDE
    left = wide and bool(shapes) and shapes["V1"].late < 0
    of_left = f"not applied to a QRS of {found.qrs.value or 0:.0f} ms, negative in V1" if left else ""
    of_flutter = "flutter waves run under QRS, ST and T" if out["flutter_waves"].value else ""
    secondary = why or of_left or of_flutter
    out |= _voltages(shapes, why or doubt)
    out |= _waves(found, shapes, secondary or doubt)
    right = frozenset(("V1", "V2", "V3") if wide and not left else ())
    return out | contiguous.quantities(shapes, secondary or doubt, ecg.sex, ecg.age, right)


def scale_doubt(ecg: ECG) -> str:
    """Why heights cannot be read in mm: leads that were brought to one size, each for itself; empty where they can."""
    signal = np.nan_to_num(ecg.signal.astype(float))
    spans = np.ptp(signal, axis=1)
    if spans.min() > 0 and spans.max() < ONE_SIZE * spans.min():
        return "amplitudes are not as recorded: every lead spans the same"
    one, two, three = signal[:3] - signal[:3].mean(axis=1, keepdims=True)
    size = float(np.linalg.norm(two))
    if size and float(np.linalg.norm(two - one - three)) > LIMB_LAW * size:
        return "amplitudes are not as recorded: II is not I + III"
    return ""


def _no_shapes(found: Intervals) -> str:
    """Why QRS cannot be judged by its shape; empty where it can."""
    if found.beat is None:
        return "fewer than two beats found"
    if found.beats.pacing.chamber in ("ventricular", "dual-chamber"):
        return "paced QRS"
    return found.qrs.reason


def _interval(measured: Measured, word: str) -> Quantity:
    if measured.value is None:
        return Quantity(None, "", measured.reason)
    key = {"QTcF": "qt", "P": "p_duration"}.get(word, word.lower())
    note = f" ({measured.note})" if word == "PR" and measured.note else ""
    return Quantity(round(measured.value), f"{word} {measured.value:.0f} ms{note}", error=ERROR_SD[key])


def _axis(measured: Measured, word: str) -> Quantity:
    if measured.value is None:
        return Quantity(None, "", measured.reason)
    return Quantity(
        round(measured.value), f"{word} axis {measured.value:.0f}{DEGREE}".replace("-", "−"), error=AXIS_ERROR
    )


def _each(values: dict[str, tuple[float, str]], error: float, why: str) -> dict[str, Quantity]:
    if why:
        return dict.fromkeys(values, Quantity(None, "", why))
    return {name: Quantity(value, words, error=error) for name, (value, words) in values.items()}


_NONE = Lead("", 0, 0, False, 0, 0, 0, 0, 0, 0, 0, 0, None, False, None, None, None)


def _of(shapes: dict[str, Lead], name: str) -> Lead:
    return shapes.get(name, _NONE)


def _conduction(shapes: dict[str, Lead], why: str) -> dict[str, Quantity]:
    """The pattern of QRS, which needs no scale: its ends, its second R, the time to its peak."""
    v1, six, one, avl = (_of(shapes, name) for name in ("V1", "V6", "I", "aVL"))
    down, up = ("late QRS negative in V1", "late QRS positive in V1")
    pattern = {
        "v1_late": (v1.late, up if v1.late > 0 else down),
        "v1_r_prime": (v1.r_prime, "R' in V1" if v1.r_prime else "no R' in V1"),
        "s_lateral": (min(one.s_ms, six.s_ms), f"S in I {one.s_ms:.0f} ms, in V6 {six.s_ms:.0f} ms"),
        "r_peak_lateral": (
            max(_of(shapes, "V5").r_peak, six.r_peak),
            f"R peak at {max(_of(shapes, 'V5').r_peak, six.r_peak):.0f} ms in V5 or V6",
        ),
        "r_peak_avl": (avl.r_peak, f"R peak at {avl.r_peak:.0f} ms in aVL"),
        "small_q_lateral": (max(one.q, six.q), "q in I or V6" if max(one.q, six.q) else "no q in I and V6"),
        "small_q_avl": (avl.q, "q in aVL" if avl.q else "no q in aVL"),
        "small_q_inferior": (
            min(_of(shapes, "III").q, _of(shapes, "aVF").q),
            "q in III and aVF" if min(_of(shapes, "III").q, _of(shapes, "aVF").q) else "no q in III and aVF",
        ),
        "rs_i_avl": (min(one.s - one.r, avl.s - avl.r), "S deeper than R in I and aVL"
                     if min(one.s - one.r, avl.s - avl.r) > 0 else "no rS in I and aVL"),
    }  # fmt: skip
    # S ends where QRS does; all else is there or is not.
    error = {"s_lateral": ERROR_SD["qrs"]}
    return {name: replace(each, error=error.get(name, 0.0)) for name, each in _each(pattern, 0.0, why).items()}


def _depth(lead: Lead) -> float:
    """mm of the deepest negative wave of QRS: S, or Q where it is deeper than R is high, as in QS and Qr."""
    return max(lead.s, lead.q) if lead.q > lead.r else lead.s


def _voltages(shapes: dict[str, Lead], why: str) -> dict[str, Quantity]:
    v1, v3, v5, v6, avl = (_of(shapes, name) for name in ("V1", "V3", "V5", "V6", "aVL"))
    tall = max((v5, v6), key=lambda lead: lead.r)
    deep = max((v5, v6), key=lambda lead: lead.s)
    limb, chest = (max((_of(shapes, n).span for n in names), default=0.0) for names in (LIMB, CHEST))
    values = {
        "sokolow": (_depth(v1) + tall.r, f"S V1 + R {tall.name} {_depth(v1) + tall.r:.0f} mm"),
        "cornell": (avl.r + _depth(v3), f"R aVL + S V3 {avl.r + _depth(v3):.0f} mm"),
        "r_avl": (avl.r, f"R aVL {avl.r:.0f} mm"),
        "r_v1": (v1.r, f"R V1 {v1.r:.1f} mm"),
        "r_over_s_v1": (v1.r / max(v1.s, 0.1), f"R/S in V1 {v1.r / v1.s:.1f}" if v1.s >= LEAST_S else "no S in V1"),
        "r_v1_s_lateral": (v1.r + deep.s, f"R V1 + S {deep.name} {v1.r + deep.s:.1f} mm"),
        "limb_span": (limb, f"largest QRS in a limb lead {limb:.1f} mm"),
        "chest_span": (chest, f"largest QRS in a chest lead {chest:.1f} mm"),
    }
    return _each(values, VOLTAGE_ERROR, why)


def _waves(found: Intervals, shapes: dict[str, Lead], why: str) -> dict[str, Quantity]:
    """P in II and V1, T by its height, its share of R and its shape, S1Q3T3."""
    two, v1 = _of(shapes, "II"), _of(shapes, "V1")
    out: dict[str, Quantity] = {}
    no_p = found.p_duration.reason
    scale = "" if not why.startswith("amplitudes") else why
    for name, value, words in (
        ("p_ii", two.p, f"P in II {two.p or 0:.1f} mm"),
        ("p_v1", v1.p, f"P in V1 {v1.p or 0:.1f} mm".replace("-", "−")),
        ("p_end_v1", v1.p_end, f"negative end of P in V1 {v1.p_end or 0:.0f} mm·ms"),
    ):
        reason = no_p or scale or ("no P wave found" if value is None else "")
        out[name] = Quantity(None, "", reason) if reason else Quantity(value, words, error=MM_ERROR)
    known = {name: lead.t for name, lead in shapes.items() if lead.t is not None}
    no_t = why or found.qt.reason or ("" if known else "no T wave found")
    names = ("t_limb", "t_chest", "t_low", "t_symmetry", "s1q3t3")
    if no_t:
        return out | dict.fromkeys(names, Quantity(None, "", no_t))
    for name, group, word in (("t_limb", LIMB, "limb"), ("t_chest", CHEST, "chest")):
        lead = max(group, key=lambda lead: known[lead])
        out[name] = Quantity(known[lead], f"tallest T in a {word} lead {known[lead]:.1f} mm ({lead})", error=MM_ERROR)
    low = [n for n in T_LEADS if shapes[n].r >= LOWEST_R and abs(known[n]) < T_SHARE * shapes[n].r]
    out["t_low"] = Quantity(len(low), f"T below a tenth of R in {', '.join(low) if low else 'no lead'}")
    largest = max(known, key=lambda name: abs(known[name]))
    shape = t_shape(found.beat, largest) if found.beat is not None else None
    told = f"T in {largest} {shape[0]:.0f} ms wide at half height, halves 1 : {1 / shape[1]:.1f}" if shape else ""
    out["t_symmetry"] = Quantity(shape[1], told) if shape else Quantity(None, "", "shape of T not told")
    one, three = shapes["I"], shapes["III"]
    sign = min(one.s, three.q, -known["III"])
    out["s1q3t3"] = Quantity(
        sign,
        f"S I {one.s:.1f} mm, Q III {three.q:.1f} mm, T III {known['III']:.1f} mm".replace("-", "−"),
        error=MM_ERROR,
    )
    return out
