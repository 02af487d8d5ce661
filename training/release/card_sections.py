"""Sections of the model card about figures that a bundle may or may not have: "" where it has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ecgkt.prediction import HEADS
from ecgkt.results import label_curve

# Keys of metrics.json that have a section of their own; whatever else a bundle has goes under "Other figures".
SHOWN = (
    "test", "test_by_source", "models", "gap_closed", "transfer_minus_signal_only", "transfer_minus_signal_only_labs",
    "bootstrap", "calibration", "subgroups", "abstention", "left_out_in_preparation", "real_findings", "label_curve",
    "label_curve_groups", "label_curve_about", "lab_proxies", "dose_response", "domain_probe",
)  # fmt: skip
MOST = 40  # lines of other figures under one key
Metrics = dict[str, Any]


def interval_text(value: list[float] | None) -> str:
    return f"{value[0]:.3f} [{value[1]:.3f}-{value[2]:.3f}]" if value else "-"


def signed_text(value: list[float] | None) -> str:
    return f"{value[0]:+.3f} [{value[1]:+.3f} to {value[2]:+.3f}]" if value else "-"


def share_text(value: list[float] | None) -> str:
    return f"{value[0]:.0%} [{value[1]:.0%} to {value[2]:.0%}]" if value else "-"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def learned_from(card: dict[str, Any]) -> str:
    """Which patients each head learned from, counted over its labels."""
    lines = []
    for head in HEADS:
        counts = Counter(str(entry["learned_from"]) for entry in card["labels"][head])
        words = "; ".join(f"{count} from {kind} patients" for kind, count in counts.most_common())
        lines.append(f"- **{head.capitalize()}**: {words}.")
    return "## What was learned from whom\n\n" + "\n".join(lines)


def curve(metrics: Metrics) -> str:
    """The label-efficiency curve in words and as a table, with the groups of diagnoses."""
    points = label_curve.points(metrics)
    if not points:
        return ""
    about, transfer = label_curve.about(metrics), label_curve.transfer_name(metrics)
    names = label_curve.models(points)
    rows = [
        [f"**{label_curve.title(n)}**" if n == transfer else label_curve.title(n),
         *(interval_text(p.get(n)) for p in points)]
        for n in names
    ]  # fmt: skip
    for key, title in (("gap_closed", "Gap closed"), ("attainable_gap_closed", "Attainable gap closed")):
        rows.append([title, *(share_text(point.get(key)) for point in points)])
    seeds = f"{about['seeds']} seeds, each with its own draw of labeled patients. " if about.get("seeds") else ""
    said = [*label_curve.sentences(metrics), *label_curve.verdicts(metrics)]
    parts = [
        "### Label efficiency",
        "\n".join(f"- {sentence}" for sentence in said),
        markdown_table(["labeled patients", *(f"{point['patients']:,}" for point in points)], rows),
        f"Macro AUROC over diagnoses with 95% intervals. {seeds}{about.get('note', '')}".strip(),
    ]
    return "\n\n".join(part for part in parts if part)


def curve_details(metrics: Metrics) -> str:
    """What each model of the curve is, and the gain in each group of diagnoses."""
    points, gains = label_curve.points(metrics), label_curve.gains(metrics)
    described = label_curve.about(metrics).get("models", {})
    lines = [
        f"- {label_curve.title(name)}: {described[name]}." for name in label_curve.models(points) if name in described
    ]
    parts = ["\n".join(lines)] if lines else []
    if gains:
        shares = label_curve.gains_are_shares(metrics)
        patients = label_curve.tenth(metrics, points)["patients"]
        what = "share of the gap closed" if shares else "macro AUROC, transfer minus signal-only"
        rows = [[group, share_text([*gain]) if shares else signed_text([*gain])] for group, gain in gains.items()]
        parts.append(f"By group of diagnoses, {patients:,} labeled patients:")
        parts.append(markdown_table(["group", what], rows))
    return "\n\n".join(["### Models and groups of the curve", *parts]) if parts else ""


def real_findings(metrics: Metrics) -> str:
    figures = metrics.get("real_findings")
    if not figures:
        return ""
    rows = []
    for key, title in (("superclasses", "diagnostic superclasses"), ("statements", "statements")):
        part = figures[key]
        few = f"fewer than five positives: {', '.join(part['few'])}" if part["few"] else ""
        missing = f"left out for want of positives: {', '.join(part['missing'])}" if part["missing"] else ""
        note = "; ".join(filter(None, (few, missing))) or "-"
        rows.append([title, ", ".join(part["labels"]), interval_text(part["auroc"]), note])
    table = markdown_table(["list", "labels", "macro AUROC", "note"], rows)
    return f"### Findings on real ECGs kept aside\n\n{table}\n\n{figures['ecgs']} real test ECGs."


def calibration(metrics: Metrics) -> str:
    heads = metrics.get("calibration")
    if not heads:
        return ""
    rows = []
    for head, kinds in heads.items():
        for kind, test in kinds.items():
            for split, part in (("test", test), ("validation, cross-fitted", test.get("validation"))):
                if part:
                    rows.append([
                        head, kind, split, f"{part['pairs']:,}",
                        interval_text(part["ece"]), interval_text(part["ece_debiased"]),
                        interval_text(part["ece_equal_mass"]),
                        interval_text(part.get("classwise")), interval_text(part.get("classwise_debiased")),
                        signed_text(part["in_the_large"]),
                    ])  # fmt: skip
    header = [
        "head", "ECGs", "split", "pairs", "ECE", "debiased", "equal mass", "mean over labels", "debiased",
        "observed - predicted",
    ]  # fmt: skip
    return (
        "## Calibration\n\n"
        "Platt scaling per label, drawn toward the head's common correction, fitted on validation patients (real ones "
        "where they know the label). Expected calibration error (ECE) over all pairs of an ECG and a label in ten bins "
        "of equal width, or of equal mass, and as the mean over labels, each in ten bins of equal mass. Validation "
        "figures come from calibrations that were fitted on other validation patients.\n\n"
        + markdown_table(header, rows)
    )


def subgroups(metrics: Metrics) -> str:
    heads = metrics.get("subgroups")
    if not heads:
        return ""
    parts = [
        "## By age and sex",
        "Macro AUROC over the labels that every group of a division has enough of (their number in brackets); ECE "
        "debiased; refused: share that the quality check does not pass, with an exact interval.",
    ]
    header = ["group", "patients", "ECGs", "AUROC (labels)", "ECE", "observed - predicted", "refused"]
    for head, kinds in heads.items():
        for kind, groups in kinds.items():
            refused = {(r["by"], r["group"]): r["share"] for r in metrics.get("abstention", {}).get(kind, [])}
            rows = [
                [
                    f"{row['by']} {row['group']}" if row["group"] == "not known" else row["group"],
                    f"{row['patients']:,}", f"{row['ecgs']:,}", f"{interval_text(row['auroc'])} ({row['labels']})",
                    interval_text(row["ece"]), signed_text(row["in_the_large"]),
                    share_text(refused.get((row["by"], row["group"]))),
                ]
                for row in groups
            ]  # fmt: skip
            parts.append(f"{head.capitalize()}, {kind} test ECGs:\n\n{markdown_table(header, rows)}")
    return "\n\n".join(parts)


def labs_on_real(card: dict[str, Any], metrics: Metrics) -> str:
    proxies, doses, probes = (metrics.get(key) for key in ("lab_proxies", "dose_response", "domain_probe"))
    if not (proxies or doses or probes):
        return ""
    parts = ["## Labs on real ECGs, by proxy", "Indirect signs only."]
    if all(entry["learned_from"] == "simulated" for entry in card["labels"]["labs"]):
        parts[1] = (
            "No real ECG here has a laboratory value beside it; labs were learned from simulated patients, and these "
            "are indirect signs only."
        )
    if proxies:
        rows = [[k, str(p["what"]), f"{p['positives']} / {p['against']}", interval_text(p["auroc"])]
                for k, p in proxies.items()]  # fmt: skip
        parts.append(markdown_table(["score", "held against", "with / without", "AUROC"], rows))
    for lab, dose in (doses or {}).items():
        steps = zip(dose["values"], dose["probability"], dose["low"], dose["high"], strict=True)
        rows = [[f"{value:g}", f"{middle:.1%} [{low:.1%} to {high:.1%}]"] for value, middle, low, high in steps]
        parts.append(markdown_table([f"{lab}, mmol/L", "predicted probability on real ECGs changed so"], rows))
    if probes:
        rows = [[k, interval_text(p["auroc"]), f"{p['chance']:g}", str(p["what"])] for k, p in probes.items()]
        parts.append("Can it be told from these that an ECG is simulated?")
        parts.append(markdown_table(["looked at", "AUROC", "chance", "how"], rows))
    return "\n\n".join(parts)


def others(metrics: Metrics) -> str:
    """Every figure that no other section shows, plainly: a line each, lists of more than three left out."""
    parts = []
    for key in metrics:
        if key not in SHOWN and metrics[key]:
            lines = _flat(metrics[key])
            more = [f"- and {len(lines) - MOST} more in metrics.json"] if len(lines) > MOST else []
            parts.append(f"### {key.replace('_', ' ').capitalize()}\n\n" + "\n".join([*lines[:MOST], *more]))
    return "\n\n".join(["## Other figures", *parts]) if parts else ""


def _flat(tree: Any, name: str = "") -> list[str]:
    if isinstance(tree, dict):
        return [line for key, value in tree.items() for line in _flat(value, f"{name}, {key}" if name else str(key))]
    if isinstance(tree, list):
        numbers = len(tree) == 3 and all(isinstance(part, int | float) for part in tree)
        return [f"- {name}: {interval_text(tree)}"] if numbers else []
    return [f"- {name}: {tree:.4g}" if isinstance(tree, float) else f"- {name}: {tree}"]
