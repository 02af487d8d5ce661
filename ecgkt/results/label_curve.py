"""What the label-efficiency curve shows: what so many labeled patients buy, and what signal-only training needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from math import exp, log

from ecgkt.prediction import Label
from ecgkt.results import names, numbers
from ecgkt.results.curve_metrics import CurvePoint
from ecgkt.results.intervals import Interval
from ecgkt.results.metrics import Metrics

PAPER = "vicreg"  # the paper's recipe, as reconstructed
BUDGETS = (names.SIGNAL, "signal_only_long")  # signal-only's own, and as many steps as all of a transfer takes


def points(metrics: Metrics, group: str = "") -> list[CurvePoint]:
    """The points of the whole curve or of one group of diagnoses, by rising number of patients; [] where none."""
    listed = metrics.label_curve_groups.get(group, []) if group else metrics.label_curve
    return sorted(listed, key=lambda point: point.patients)


def transfer_name(metrics: Metrics) -> str:
    return metrics.label_curve_about.best if metrics.label_curve_about else names.TRANSFER


def foremost(metrics: Metrics) -> list[str]:
    """The models of the curve that are shown where there is no room for all."""
    return list(dict.fromkeys([transfer_name(metrics), *BUDGETS, names.MULTIMODAL, PAPER, names.ORACLE]))


def models(curve: list[CurvePoint]) -> list[str]:
    """The models of a curve: those measured at the most points first, otherwise as they come."""
    counts = Counter(name for point in curve for name, value in point.models.items() if value)
    return sorted(counts, key=lambda name: -counts[name])


def tenth(metrics: Metrics, curve: list[CurvePoint]) -> CurvePoint:
    """The point that stands for a tenth of the labels: the nearest, on the log scale."""
    about = metrics.label_curve_about
    wanted = log(about.tenth if about else curve[-1].patients / 10)
    return min(curve, key=lambda point: abs(log(point.patients) - wanted))


def signal_only(point: CurvePoint) -> Interval | None:
    """What the transfer is held against: the better of signal-only's budgets."""
    return max((value for name in BUDGETS if (value := point.models.get(name))), default=None)


def needed(curve: list[CurvePoint], value: float) -> float | None:
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
            return exp(log(before[0]) + share * (log(point.patients) - log(before[0])))
        before = (point.patients, here[0])
    return None


def sentences(metrics: Metrics, group: str = "") -> list[str]:
    """What the curve shows, in plain words; [] if it lacks the transfer or signal-only."""
    curve, name = points(metrics, group), transfer_name(metrics)
    if not curve:
        return []
    few, every = tenth(metrics, curve), curve[-1]
    reached, alone = few.models.get(name), signal_only(every)
    if reached is None or alone is None:
        return []
    required = needed(curve, reached[0])
    if required is None:
        needs = f"signal-only training does not reach that even with all {every.patients:,}"
    elif required == 0:
        needs = f"signal-only training gets there with {curve[0].patients:,} or fewer"
    else:
        needs = f"signal-only training needs about {_rounded(required)} for that"
    about = metrics.label_curve_about
    paired = about.conclusions.best_at_tenth_minus_signal_only_with_all if about and not group else None
    verdict = "falls short of" if reached[0] < alone[0] else "matches or exceeds"
    if paired and paired[1] <= 0 <= paired[2]:
        verdict = "is not shown to differ from"
    difference = f" (difference {numbers.signed_interval(paired)})" if paired else ""
    return [
        f"With {few.patients:,} labeled patients, knowledge transfer ({names.title(name)}) reaches a macro AUROC of "
        f"{numbers.interval(reached)}; {needs}.",
        f"With {numbers.percent(few.patients / every.patients)} of the labels it {verdict} signal-only training with "
        f"all of them, {numbers.interval(alone)}{difference}.",
    ]


def gaps_closed(metrics: Metrics, group: str = "") -> list[str]:
    """The shares of the two gaps that transfer closes at a tenth of the labels and with all."""
    curve = points(metrics, group)
    if not curve:
        return []
    few, every = tenth(metrics, curve), curve[-1]
    result = []
    for point, when in ((few, f"with {few.patients:,} labeled patients"), (every, "with all labels")):
        if point.gap_closed:
            closed = numbers.percent_interval(point.gap_closed)
            attainable = point.attainable_gap_closed
            more = f"; of the gap to the ECG-only oracle: {numbers.percent_interval(attainable)}" if attainable else ""
            result.append(f"Share of the gap to the multimodal model closed {when}: {closed}{more}.")
    return result


def controls(diagnoses: Iterable[Label]) -> frozenset[str]:
    """The groups of diagnoses of which no label is ever a result: a gain there is no gain."""
    shown: dict[str, bool] = {}
    for label in diagnoses:
        shown[label.group] = shown.get(label.group, False) or not label.silent
    return frozenset(group for group, any_shown in shown.items() if not any_shown)


def gains(metrics: Metrics, without: Collection[str] = ()) -> dict[str, Interval]:
    """What the transfer changes in each group of diagnoses at a tenth of the labels, the largest gain first: macro
    AUROC minus signal-only's where the curve has that, otherwise the share of the gap that it closes."""
    found = {}
    for group in metrics.label_curve_groups if metrics.label_curve else ():
        if group in without:
            continue
        point = tenth(metrics, points(metrics, group))
        gain = point.gain or point.gap_closed
        if gain:
            found[group] = gain
    return dict(sorted(found.items(), key=lambda pair: -pair[1][0]))


def gains_are_shares(metrics: Metrics) -> bool:
    """Are `gains` shares of the gap, for want of paired differences?"""
    return not any(point.gain for curve in metrics.label_curve_groups.values() for point in curve)


def verdicts(metrics: Metrics, controls: Collection[str] = (), most: int | None = None) -> list[str]:
    """Where the transfer helps and where it costs, beyond the 95% interval; [] without groups.

    controls: groups that are counted by themselves. most: groups that are named, by the largest gain; all by default.
    """
    found = gains(metrics, controls)
    if not found:
        return []
    better = [group for group, gain in found.items() if gain[1] > 0]
    worse = [group for group, gain in found.items() if gain[2] < 0]
    rest = len(found) - len(better) - len(worse)
    patients = tenth(metrics, points(metrics)).patients
    named = better[:most]
    which = f"{', most in' if len(named) < len(better) else ':'} {', '.join(named)}" if named else ""
    result = [
        f"With {patients:,} labeled patients, transfer helps in {len(better)} of {len(found)} groups of diagnoses (95% "
        f"interval above zero){which}."
    ]
    others = f"; in the other {rest}, no difference is shown" if rest else ""
    result.append(f"It is worse in {', '.join(worse) if worse else 'no group'}{others}.")
    apart = {group: gain for group, gain in gains(metrics).items() if group in controls}
    if apart:
        above = sum(gain[1] > 0 for gain in apart.values())
        result.append(
            f"Not counted: {len(apart)} groups of negative controls alone, {above} of them with an interval above zero."
        )
    return result


def _rounded(patients: float) -> str:
    """Two significant digits: an interpolation claims no more."""
    digits = 10 ** max(0, len(str(int(patients))) - 2)
    return f"{round(patients / digits) * digits:,}"
