"""What differs between two runs: settings, data, figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecgkt.prediction import HEADS, TITLES
from ecgkt.results import label_curve, names, numbers, tail
from ecgkt.results.intervals import KINDS, Interval
from ecgkt.results.metrics import Metrics
from ecgkt.results.tables import Table
from training.report.read import Run

NAMED = 8  # figures that only one has; of the others their number
CAPTION = (
    "Each interval (95%) is that of one run. The two were not resampled together, so a difference has no interval of "
    "its own: where the two overlap, none is shown; where they do not, there is likely one."
)


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Settings within settings as "augment.gain" -> "0.1"; lists of named things by their names."""
    found: dict[str, str] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{key}.")
        elif isinstance(value, list) and value and all(isinstance(each, Mapping) and "name" in each for each in value):
            found |= flat(
                {each["name"]: {k: v for k, v in each.items() if k != "name"} for each in value}, f"{prefix}{key}."
            )
        else:
            found[f"{prefix}{key}"] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return found


def settings(run: Run, other: Run) -> Table:
    """A row a setting that the two do not share; one for all of a data set that only one of them has."""
    here, there = (_with_sources(one.config) for one in (run, other))
    rows: list[tuple[str, str, str]] = []
    for key in dict.fromkeys([*here, *there]):
        first, second = here.get(key, ""), there.get(key, "")
        if first != second and not _of_a_source_that_one_lacks(key, here, there):
            rows.append((key, first or numbers.NONE, second or numbers.NONE))
    return Table(("Setting", run.name, other.name), rows)


def _with_sources(config: Mapping[str, Any]) -> dict[str, str]:
    """The settings that say something, and of each data set that it is there."""
    said = {key: value for key, value in flat(config).items() if value not in ("", "{}", "None")}
    return {f"sources.{source['name']}": "used" for source in config.get("sources", [])} | said


def _of_a_source_that_one_lacks(key: str, here: Mapping[str, str], there: Mapping[str, str]) -> bool:
    source = ".".join(key.split(".")[:2])
    return key.count(".") > 1 and (source in here) != (source in there)


def data(run: Run, other: Run) -> list[str]:
    """A sentence on each data set that only one has, or that is another one in each."""
    here, there = ({each.name: each.fingerprint for each in one.data} for one in (run, other))
    said = []
    for name in dict.fromkeys([*here, *there]):
        if name not in there:
            said.append(f"Only {run.name} has the set {name}.")
        elif name not in here:
            said.append(f"Only {other.name} has the set {name}.")
        elif here[name] != there[name]:
            said.append(
                f"The set {name} is another in each (its fingerprint differs), and so may be its test patients."
            )
    return said or ["Both were trained and tested on the same data, by their fingerprints."]


def figures(run: Run, other: Run) -> tuple[Table, list[str]]:
    """A row a figure that both have, and sentences on those that only one has."""
    here, there = (_figures(one.metrics, one.labels) if one.metrics else {} for one in (run, other))
    rows: list[tuple[str, ...]] = []
    marked: list[int] = []
    for key in (key for key in here if key in there):
        first, second = here[key], there[key]
        words = apart(first, second)
        if words != "overlap":
            marked.append(len(rows))
        difference = numbers.signed_interval((first[0] - second[0],) * 3).split(" ")[0]
        rows.append((key, numbers.interval(first), numbers.interval(second), difference, words))
    said = []
    for one, own, others in ((run, here, there), (other, there, here)):
        only = [key for key in own if key not in others]
        if only:
            rest = f"; and {len(only) - NAMED} more" if len(only) > NAMED else ""
            said.append(f"Only in {one.name}: {'; '.join(only[:NAMED])}{rest}.")
    header = ("Figure", run.name, other.name, "Difference", "Intervals")
    return Table(header, rows, CAPTION, marked=marked), said


def apart(first: Interval, second: Interval) -> str:
    """Do two intervals overlap, and if not, which is higher?"""
    if first[1] > second[2]:
        return "do not overlap: higher"
    return "do not overlap: lower" if first[2] < second[1] else "overlap"


def _figures(metrics: Metrics, labels: Mapping[str, str]) -> dict[str, Interval]:
    """What it is -> value with its interval, of all that was measured; AUROC unless it says otherwise."""
    found: dict[str, Interval | None] = {}
    for name in metrics.models:
        for head in HEADS:
            if figures := metrics.head(name, head):
                on = f", {figures.measured_on} ECGs" if figures.measured_on else ""
                found[f"{names.title(name)}, {TITLES[head][0].lower()}{on}"] = figures.macro_auroc
    found["Share of the gap to multimodal closed"] = metrics.gap_closed
    found["Transfer minus signal only, diagnoses"] = metrics.transfer_minus_signal_only
    if metrics.real_findings:
        found["Superclasses on real ECGs"] = metrics.real_findings.superclasses.auroc
        found["Statements on real ECGs"] = metrics.real_findings.statements.auroc
    for point in tail.points(metrics):
        found[f"Transfer's gain, diagnoses with {tail.band(point)} positives"] = point.gain
    best = label_curve.transfer_name(metrics)
    for at in label_curve.points(metrics):
        found[f"{at.patients:,} labeled patients: {names.title(best)}"] = at.models.get(best)
        found[f"{at.patients:,} labeled patients: transfer's gain"] = at.gain
    for head in HEADS:
        for kind in KINDS:
            if errors := metrics.calibration.get(head, {}).get(kind):
                found[f"Calibration error, {TITLES[head][0].lower()}, {kind} ECGs"] = errors.classwise_debiased
    for one in metrics.urgent:
        name = labels.get(one.code, one.code)
        found[f"{name} ({one.code}), {one.kind} ECGs: sensitivity at 95% specificity"] = one.sensitivity
    return {key: value for key, value in found.items() if value is not None}
