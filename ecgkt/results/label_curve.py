"""The label-efficiency curve of metrics.json in words: what so many labeled patients buy, and what signal-only needs.

`label_curve` is a list of points {"patients", MODEL: [value, low, high], "gap_closed", "attainable_gap_closed", "gain"
(macro AUROC of the transfer minus signal-only's, paired)}, `label_curve_groups` the same by group of diagnoses, and
`label_curve_about` what is known of the whole: "models" {name: description}, "best" (the model that is called the
transfer), "tenth" (labeled patients), "seeds", "note", "conclusions" (paired differences).
"""

from __future__ import annotations

from math import exp, log
from typing import Any

Interval = tuple[float, float, float]
Point = dict[str, Any]
SIGNAL, MULTIMODAL, ORACLE = "signal_only", "multimodal", "oracle"
PAPER = "vicreg"  # the paper's way, as reconstructed
BUDGETS = (SIGNAL, "signal_only_long")  # signal-only's own, and as many steps as all of a transfer takes
TENTH_AGAINST_ALL = "best_at_tenth_minus_signal_only_with_all"
NOT_MODELS = ("patients", "gap_closed", "attainable_gap_closed", "gain")
TITLES = {
    "signal_only": "Signal only",
    "signal_only_long": "Signal only, more steps",
    "self_taught": "Signal only, self-taught",
    "lab_heads": "Lab heads",
    "labs_first": "Labs first",
    "vicreg": "VICReg",
    "infonce": "InfoNCE",
    "sigreg": "SIGReg",
    "distilled": "Distilled",
    "taught": "Taught by two teachers",
    "ridge": "Multimodal regression",
    "lab_heads_long": "Lab heads, more steps",
    "vicreg_long": "VICReg, more steps",
    "distilled_long": "Distilled, more steps",
    "labs_first_distilled": "Labs first, distilled",
    "vicreg_distilled": "VICReg, distilled",
    "clinical_only": "Clinical only",
    "multimodal": "Multimodal",
    "oracle": "ECG-only oracle",
}


def interval(value: Any) -> Interval | None:
    """[value, low, high] of metrics.json, None where it could not be measured."""
    if not value or any(part is None or part != part for part in value):
        return None
    return float(value[0]), float(value[1]), float(value[2])


def points(metrics: dict[str, Any], group: str = "") -> list[Point]:
    """The points of the whole curve or of one group of diagnoses, by rising number of patients; [] where none."""
    listed = metrics.get("label_curve_groups", {}).get(group) if group else metrics.get("label_curve")
    return sorted(listed or [], key=lambda point: point["patients"])


def about(metrics: dict[str, Any]) -> dict[str, Any]:
    return dict(metrics.get("label_curve_about") or {})


def transfer_name(metrics: dict[str, Any]) -> str:
    return str(about(metrics).get("best", "knowledge_transfer"))


def title(name: str) -> str:
    return TITLES.get(name, name.replace("_", " ").capitalize())


def models(curve: list[Point]) -> list[str]:
    """The models of a curve: those measured at the most points first, otherwise as they come."""
    counts: dict[str, int] = {}
    for point in curve:
        for name, value in point.items():
            if name not in NOT_MODELS and interval(value):
                counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: -counts[name])


def tenth(metrics: dict[str, Any], curve: list[Point]) -> Point:
    """The point that stands for a tenth of the labels: the nearest, on the log scale."""
    wanted = log(about(metrics).get("tenth") or curve[-1]["patients"] / 10)
    return min(curve, key=lambda point: abs(log(point["patients"]) - wanted))


def signal_only(point: Point) -> Interval | None:
    """What the transfer is held against: the better of signal-only's budgets."""
    known = [value for name in BUDGETS if (value := interval(point.get(name)))]
    return max(known, default=None)


def needed(curve: list[Point], value: float) -> float | None:
    """Labeled patients with which signal-only reaches `value`, interpolated on the log scale between measured points.

    None if it does not with all of them; 0 if it does so with the fewest measured.
    """
    before: tuple[float, float] | None = None
    for point in curve:
        here = signal_only(point)
        if here is None:
            continue
        if here[0] >= value:
            if before is None:
                return 0.0
            share = (value - before[1]) / (here[0] - before[1])
            return exp(log(before[0]) + share * (log(point["patients"]) - log(before[0])))
        before = (point["patients"], here[0])
    return None


def sentences(metrics: dict[str, Any], group: str = "") -> list[str]:
    """What the curve shows, in plain words; [] if it lacks the transfer or signal-only."""
    curve, name = points(metrics, group), transfer_name(metrics)
    if not curve:
        return []
    few, every = tenth(metrics, curve), curve[-1]
    reached, alone = interval(few.get(name)), signal_only(every)
    if reached is None or alone is None:
        return []
    required = needed(curve, reached[0])
    if required is None:
        needs = f"signal-only does not reach that with all {every['patients']:,}"
    elif required == 0:
        needs = f"signal-only reaches as much with {curve[0]['patients']:,} or fewer"
    else:
        needs = f"signal-only needs about {_rounded(required)} for that"
    paired = None if group else interval((about(metrics).get("conclusions") or {}).get(TENTH_AGAINST_ALL))
    verdict = "does not reach" if reached[0] < alone[0] else "reaches"
    if paired and paired[1] <= 0 <= paired[2]:
        verdict = "is level with"
    difference = f" (difference {signed(paired)})" if paired else ""
    result = [
        f"With {few['patients']:,} labeled patients knowledge transfer ({title(name)}) reaches a macro AUROC of "
        f"{number(reached)}; {needs}.",
        f"With {few['patients'] / every['patients']:.0%} of the labels it {verdict} what signal-only has with all of "
        f"them, {number(alone)}{difference}.",
    ]
    for point, when in ((few, f"with {few['patients']:,} labeled patients"), (every, "with all labels")):
        closed, attainable = (interval(point.get(key)) for key in ("gap_closed", "attainable_gap_closed"))
        if closed:
            more = f", {share(attainable)} of what an ECG alone can reach" if attainable else ""
            result.append(f"Gap to the multimodal model closed {when}: {share(closed)}{more}.")
    return result


def gains(metrics: dict[str, Any]) -> dict[str, Interval]:
    """What the transfer changes in each group of diagnoses at a tenth of the labels, the largest gain first: macro
    AUROC minus signal-only's where the curve has that, otherwise the share of the gap that it closes."""
    found = {}
    for group in metrics.get("label_curve_groups", {}) if points(metrics) else ():
        point = tenth(metrics, points(metrics, group))
        gain = interval(point.get("gain") or point.get("gap_closed"))
        if gain:
            found[group] = gain
    return dict(sorted(found.items(), key=lambda pair: -pair[1][0]))


def gains_are_shares(metrics: dict[str, Any]) -> bool:
    """Are `gains` shares of the gap, for want of paired differences?"""
    return not any(point.get("gain") for group in metrics["label_curve_groups"] for point in points(metrics, group))


def verdicts(metrics: dict[str, Any]) -> list[str]:
    """Where the transfer helps and where it costs, beyond the 95% interval; [] without groups."""
    found = gains(metrics)
    if not found:
        return []
    better = [group for group, gain in found.items() if gain[1] > 0]
    worse = [group for group, gain in found.items() if gain[2] < 0]
    rest = len(found) - len(better) - len(worse)
    patients = tenth(metrics, points(metrics))["patients"]
    result = [
        f"With {patients:,} labeled patients the transfer helps beyond the 95% interval in {len(better)} of "
        f"{len(found)} groups of diagnoses{': ' if better else ''}{', '.join(better)}."
    ]
    result.append(f"It costs in {', '.join(worse)}." if worse else "It costs in none.")
    if rest:
        result.append(f"In the other {rest} no difference is shown.")
    return result


def number(value: Interval | None) -> str:
    return "–" if value is None else f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"


def signed(value: Interval | None) -> str:
    if value is None:
        return "–"
    middle, low, high = (f"{part:+.3f}".replace("-", "−") for part in value)
    return f"{middle} ({low} to {high})"


def share(value: Interval | None) -> str:
    if value is None:
        return "–"
    middle, low, high = (str(round(100 * part)).replace("-", "−") for part in value)
    return f"{middle} % ({low} to {high} %)"


def _rounded(patients: float) -> str:
    """Two significant digits: an interpolation claims no more."""
    digits = 10 ** max(0, len(str(int(patients))) - 2)
    return f"{round(patients / digits) * digits:,}"
