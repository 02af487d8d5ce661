"""MODEL_CARD.md: the bundle's facts and test figures in Markdown; no figure is typed by hand.

Sections, tables and sentences are those of `ecgkt.results`, which the pages show too. The figures of every label go
into MODEL_CARD_labels.csv; everything else is in the bundle's metrics.json.
"""

from __future__ import annotations

import csv
import io

import msgspec

from ecgkt import NOTICE
from ecgkt.model import facts
from ecgkt.model.bundle import MODEL_FILES
from ecgkt.model.card import Card
from ecgkt.prediction import HEADS
from ecgkt.results import (
    abstention,
    calibration,
    label_curve,
    label_curve_tables,
    names,
    numbers,
    performance,
    real_ecgs,
    sections,
    subgroups,
    tail,
)
from ecgkt.results.metrics import Metrics
from training.config import Config, with_recipe
from training.recipes import RECIPES
from training.release.markdown import bullets, document, table

NAMED = 5  # groups of diagnoses in which transfer helps; Compare has all
LABELS_FILE = "MODEL_CARD_labels.csv"


def results(metrics: Metrics) -> str:
    """The one table of results, for the README: the networks of this bundle, and what follows from them."""
    return document([table(performance.summary(metrics)), performance.gap_closed(metrics)])


def model_card(card: Card, metrics: Metrics, metrics_link: str) -> str:
    """The whole model card as Markdown; metrics_link: where metrics.json lies, from the card."""
    every = f"[metrics.json]({metrics_link})"
    parts = [
        f"# Model card: {card.name}",
        f"*Written by `python -m training card` from `bundle.json` and `metrics.json`.* {NOTICE}",
        f"Figures of every label are in [{LABELS_FILE}]({LABELS_FILE}); all other figures are in {every}.",
        "## Intended use",
        card.intended_use,
        "## Not to be used for",
        bullets(card.not_for),
        "## Limitations",
        bullets(card.limits),
        "## Training data",
        bullets(facts.learned_from(card)),
        table(facts.training_data(card)),
        "## Training",
        training(card),
        table(facts.stages(card, without=names.FEW_LABELS.values())),
    ]
    for section in sections.SECTIONS:
        if section.measured(metrics):
            parts += [f"## {section.title}", *_content(section, card, metrics)]
    return document(parts)


def _content(section: sections.Section, card: Card, metrics: Metrics) -> list[str]:
    """What stands under the heading of a section that has figures."""
    if section == sections.PERFORMANCE:
        return [table(performance.summary(metrics)), performance.gap_closed(metrics), performance.differences(metrics)]
    if section == sections.LABEL_CURVE:
        controls = label_curve.controls(entry.label("diagnoses") for entry in card.labels["diagnoses"])
        said = [*label_curve.sentences(metrics), *label_curve.verdicts(metrics, controls, NAMED)]
        said.append(tail.sentence(metrics))
        shown = label_curve_tables.curve(metrics, only=label_curve.foremost(metrics))
        return [bullets(filter(None, said)), table(shown)]
    if section == sections.REAL_FINDINGS and metrics.real_findings:
        return [table(real_ecgs.findings(metrics.real_findings))]
    if section == sections.CALIBRATION:
        return [calibration.INTRODUCTION, table(calibration.summary(metrics))]
    if section == sections.SUBGROUPS:
        return [table(subgroups.overview(metrics))]
    if section == sections.ABSTENTION and metrics.conformal:
        parts = [abstention.promise(metrics.conformal), table(abstention.verdicts(metrics.conformal))]
        return parts + ([abstention.UNLIKE, table(abstention.novelty(metrics.novelty))] if metrics.novelty else [])
    if section == sections.REAL_LABS:
        return _real_labs(card, metrics)
    return [table(facts.build(card, card.files[MODEL_FILES[names.TRANSFER]]))]


def _real_labs(card: Card, metrics: Metrics) -> list[str]:
    known = {entry.code: entry.name for head in HEADS for entry in card.labels[head]}
    parts = [real_ecgs.caution(entry.learned_from for entry in card.labels["labs"])]
    if metrics.lab_proxies:
        parts += [f"### {real_ecgs.PROXIES}", table(real_ecgs.proxies(metrics.lab_proxies, known))]
    if metrics.dose_response:
        parts += [f"### {real_ecgs.DOSES}", real_ecgs.DOSES_EXPLAINED]
        parts += [table(real_ecgs.dose(key, dose, whole=True)) for key, dose in metrics.dose_response.items()]
    if metrics.domain_probe:
        stage = card.stages.get(names.TRANSFER)
        erased = stage.source_erased_on if stage else None
        parts += [f"### {real_ecgs.PROBES}", real_ecgs.source_erased(erased) if erased else ""]
        parts.append(table(real_ecgs.probes(metrics.domain_probe)))
    return parts


def training(card: Card) -> str:
    """How the networks were trained, in a few sentences."""
    config = msgspec.convert(with_recipe(card.config), Config)
    recipe = RECIPES[config.transfer]
    steps = round(config.steps * recipe.steps) - (round(config.pretrain_steps * recipe.steps) if recipe.stage_1 else 0)
    said = [
        f"Created {card.created}, seed {config.seed}.",
        f"Stage 1: {recipe.stage_1} between ECG and clinical table, {config.pretrain_steps} steps."
        if recipe.stage_1
        else "No stage 1 (pretraining against the clinical table).",
        f"Stages 2 and 3 together: {steps} steps on findings, diagnoses and labs.",
    ]
    if recipe.teachers:
        said.append(
            "Diagnoses are distilled: the target is the mean of the coded label and the multimodal network's "
            "probability."
        )
    if config.relevance and config.encoder["kind"] == "beat":
        more = numbers.count(round(config.relevance["steps"]))
        said.append(
            f"Then {more} more steps with two terms besides: relevance outside of what simulated causes changed, and "
            "the network's own former scores. Baselines have no such steps."
        )
    said.append(f"Baselines: {config.steps} steps. Batch size {config.batch}.")
    if config.members > 1:
        said.append(f"Every model is an ensemble of {config.members} networks whose logits are averaged.")
    few = {card.stages[name].labeled_patients for name in names.FEW_LABELS.values() if name in card.stages}
    if few:
        said.append(
            f"For comparison, networks of the label-efficiency curve with {numbers.count(few.pop())} labeled patients "
            "are part of the bundle, no ensembles."
        )
    said.append("A reconstruction of arXiv 2512.07021; no figure here is the paper's.")
    return " ".join(said)


def labels_csv(card: Card) -> str:
    """A row a label of the network that the dashboard uses, the best first in each head; "" where not measured."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        ("head", "code", "name", "group", "auroc", "auroc_low", "auroc_high", "test_positives", "measured_on",
         "prevalence", "threshold", "learned_from", "shown_as_result")
    )  # fmt: skip
    for head in HEADS:
        for entry in sorted(card.labels[head], key=lambda e: -(e.auroc or (0.0,))[0]):
            auroc = [f"{value:.4f}" for value in entry.auroc] if entry.auroc else ["", "", ""]
            writer.writerow(
                (head, entry.code, entry.name, entry.group, *auroc, entry.test_positives, entry.measured_on or "",
                 entry.prevalence, entry.threshold, entry.learned_from, "no" if entry.label(head).silent else "yes")
            )  # fmt: skip
    return file.getvalue()
