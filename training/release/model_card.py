"""MODEL_CARD.md, the README's table of results and its file tree, written by a script; no figure is typed by hand.

    python -m training card --model assets/models/default

They stand between markers: `<!-- results -->` ... `<!-- /results -->`, `<!-- tree -->` ... `<!-- /tree -->`.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

from ecgkt import NOTICE
from ecgkt.prediction import HEADS
from training.release import card_sections
from training.release.card_sections import interval_text, share_text, signed_text

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTIONS = {
    "random_linear": ("Random encoder + linear heads", "ECG"),
    "signal_only": ("Signal-only", "ECG"),
    "signal_only_labs": ("Signal-only + lab heads", "ECG"),
    "knowledge_transfer": ("**Knowledge transfer**", "ECG"),
    "clinical_only": ("Clinical table only", "labs, vitals, biometrics"),
    "multimodal": ("Multimodal", "ECG + labs, vitals, biometrics"),
}
OTHER_FILES = {
    "ecgkt/vocabulary/*.csv": "names, units, limits, phrases of findings and labs",
    "training/configs/": "runs: tiny, default, mimic; cohort: windows, label rules, smallest numbers of positives",
    "training/simulation/*.csv": "conditions, labs, effects with sources, to be read and corrected by a cardiologist",
    "assets/models/default/": "the shipped bundle",
    "assets/examples/": "simulated test patients in MIMIC's layout, one real recording",
    "tests/": "mirrors the tree; contract/ holds every encoder to one contract, browser/ drives Chromium",
    "docs/": "architecture.md, LOG.md",
}


def write_cards(bundle: Path) -> None:
    card = json.loads((bundle / "bundle.json").read_text())
    metrics = json.loads((bundle / "metrics.json").read_text())
    results = results_table(card, metrics)
    (ROOT / "MODEL_CARD.md").write_text(model_card(card, metrics, results))
    readme = ROOT / "README.md"
    text = readme.read_text()
    for marker, content in (("results", results), ("tree", file_tree())):
        pattern = rf"(<!-- {marker} -->\n).*(<!-- /{marker} -->)"
        text = re.sub(pattern, lambda m, new=content: m[1] + new + m[2], text, flags=re.DOTALL)  # type: ignore[misc]
    readme.write_text(text)


def file_tree() -> str:
    """The Python files with the first sentence of their docstrings, as a fenced block."""
    lines = []
    files = [ROOT / "app.py"]
    for folder in ("pages", "ecgkt", "training", "benchmarks"):
        files += sorted((ROOT / folder).rglob("*.py"))
    for file in files:
        summary = ast.get_docstring(ast.parse(file.read_text()))
        if summary:
            first = re.split(r"(?<=[.;])\s|, so that |: `", " ".join(summary.split()))[0].rstrip(".:;,")
            lines.append(f"{file.relative_to(ROOT)!s:42s} {first}")
    lines += [f"{name:42s} {words}" for name, words in OTHER_FILES.items()]
    return "```\n" + "\n".join(lines) + "\n```\n"


def results_table(card: dict[str, Any], metrics: dict[str, Any]) -> str:
    """Markdown: the label-efficiency curve if there is one; macro AUROC per model and head of the bundle's own run,
    what each was measured on, the gap closed."""
    curve = card_sections.curve(metrics)
    lines = [curve, "", "### The networks of this bundle", ""] if curve else []
    lines += ["| model | sees at inference | findings | diagnoses | labs |", "|---|---|---|---|---|"]
    for name, (title, sees) in DESCRIPTIONS.items():
        heads = metrics["models"].get(name, {})
        cells = [interval_text(heads.get(head, {}).get("macro_auroc")) for head in HEADS]
        lines.append(f"| {title} | {sees} | {' | '.join(cells)} |")
    sets = "; ".join(
        f"{name}: {entry['ecgs']} {'simulated' if entry['simulated'] else 'real'} ECGs of {entry['patients']} patients"
        for name, entry in metrics["test_by_source"].items()
    )
    heads = metrics["models"]["knowledge_transfer"]
    kinds = "; ".join(
        f"{head} on {heads[head]['measured_on']} ECGs" for head in HEADS if heads[head].get("measured_on")
    )
    members = card["config"].get("members", 1)
    seeds = f"One seed; {members} networks a model, their logits averaged" if members > 1 else "One seed"
    counts = ", ".join(f"{len(card['labels'][head])} {head}" for head in HEADS)
    lines += [
        "",
        f"Macro AUROC with patient-level 95% bootstrap intervals ({metrics['bootstrap']['resamples']} resamples): "
        f"{kinds}. Test: {sets}. Labels: {counts}. {seeds}.",
        "",
        f"Gap closed, (transfer - signal-only) / (multimodal - signal-only), diagnoses: "
        f"**{share_text(metrics['gap_closed'])}**. Transfer minus signal-only: "
        f"{signed_text(metrics['transfer_minus_signal_only'])}; minus signal-only with lab heads: "
        f"{signed_text(metrics['transfer_minus_signal_only_labs'])}.",
        "",
    ]
    return "\n".join(lines)


def _training(card: dict[str, Any]) -> str:
    """How the shipped model was trained, in a few sentences; bundles of before 2026-11-25 lack some of the keys."""
    config = card["config"]
    first, then = config["pretrain_steps"], config["finetune_steps"]
    members = config.get("members", 1)
    said = [
        f"Stage 1: {config['pretrain_objective']} between ECG and clinical table, {first} steps."
        if first
        else "No stage 1: diagnoses are learned from codes and from a multimodal teacher instead.",
        f"Stages 2 and 3 together: {then} steps, findings, diagnoses and labs.",
    ]
    if config.get("distil"):
        said.append("Diagnoses: the mean of the coded label and of the multimodal network's probability.")
    said.append(f"Baselines: {first + then} steps. Batches of {config['batch']}.")
    if members > 1:
        said.append(f"Every model is {members} networks trained independently, whose logits are averaged.")
    taken_out = card["stages"].get("knowledge_transfer", {}).get("source_erased_on")
    if taken_out:
        said.append(
            f"What tells a real from a simulated ECG was taken out of the lab heads (least-squares concept erasure, on "
            f"{taken_out:,} normal training ECGs)."
        )
    return " ".join(said)


def model_card(card: dict[str, Any], metrics: dict[str, Any], results: str) -> str:
    """The whole model card as Markdown."""
    data = [
        f"- **{entry['name']}** ({'simulated' if entry['simulated'] else 'real'}): "
        f"{entry['splits']['train']['ecgs']} of its {entry['ecgs']} ECGs, of {entry['splits']['train']['patients']} "
        f"patients. {entry.get('note') or ''} License: {entry.get('license') or 'none stated'}."
        f"{' Not used in stage 1.' if card['config']['pretrain_steps'] and not entry['used_in_stage_1'] else ''}"
        for entry in card["training_data"]
    ]
    stages = [
        f"| {name} | {entry['parameters']:,} | {entry['seconds_this_run'] / 60:.0f} |"
        for name, entry in card["stages"].items()
    ]
    parts = [
        f"# Model card: {card['name']}",
        f"*Written by `python -m training card` from `bundle.json` and `metrics.json`.* {NOTICE}",
        "## Intended use",
        card["intended_use"],
        "## Not for",
        "\n".join(f"- {line}" for line in card["not_for"]),
        card_sections.learned_from(card),
        "## Training data",
        "\n".join(data),
        "## How it was trained",
        f"Created {card['created']}. {_training(card)} "
        f"Seed {card['config']['seed']}. A reconstruction of arXiv 2512.07021; no figure here is the paper's.",
        "\n".join(["| stage | parameters | minutes (last run, shared CPU) |", "|---|---|---|", *stages]),
        "## Results",
        results,
        card_sections.curve_details(metrics),
        card_sections.real_findings(metrics),
        card_sections.calibration(metrics),
        card_sections.subgroups(metrics),
        card_sections.labs_on_real(card, metrics),
        card_sections.others(metrics),
        "## Limits",
        "\n".join(f"- {line}" for line in card["limits"]),
        "## Files",
        "\n".join(f"- `{name}` SHA-256 `{digest}`" for name, digest in card["files"].items()),
        "## Per label (knowledge transfer)",
        *(_label_table(head, card) for head in HEADS),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _label_table(head: str, card: dict[str, Any]) -> str:
    rows = [
        f"### {head.capitalize()}",
        "",
        "| code | name | AUROC | test positives | measured on |",
        "|---|---|---|---|---|",
    ]
    for entry in sorted(card["labels"][head], key=lambda e: -(e["auroc"] or [0])[0]):
        rows.append(
            f"| {entry['code']} | {entry['name']} | {interval_text(entry['auroc'])} | {entry['test_positives']} | "
            f"{entry['measured_on'] or '-'} |"
        )
    return "\n".join(rows)
