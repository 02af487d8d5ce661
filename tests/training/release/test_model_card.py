"""The model card: every figure that a bundle has, and no section for what it has not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecgkt.prediction import HEADS
from tests import made_up_metrics
from training.release import card_sections
from training.release.model_card import model_card, results_table

BUNDLE = Path(__file__).resolve().parents[3] / "assets" / "models" / "default"
SECTIONS = {
    "### Label efficiency": "label_curve",
    "### Models and groups of the curve": "label_curve_groups",
    "### Findings on real ECGs kept aside": "real_findings",
    "## Calibration": "calibration",
    "## By age and sex": "subgroups",
    "## Labs on real ECGs, by proxy": "lab_proxies",
    "## Other figures": "conformal",
}
ALWAYS = ("## Intended use", "## Not for", "## What was learned from whom", "## Results", "## Limits", "## Per label")


@pytest.fixture
def card() -> dict:
    return json.loads((BUNDLE / "bundle.json").read_text())


@pytest.fixture
def bare() -> dict:
    """The figures that every bundle has."""
    metrics = json.loads((BUNDLE / "metrics.json").read_text())
    kept = ("models", "test_by_source", "bootstrap", "gap_closed", "transfer_minus_signal_only",
            "transfer_minus_signal_only_labs")  # fmt: skip
    return {key: metrics[key] for key in kept}


def _written(card: dict, metrics: dict) -> str:
    return model_card(card, metrics, results_table(card, metrics))


def test_a_complete_bundle_has_every_section(card: dict, bare: dict) -> None:
    everything = bare | made_up_metrics.everything_else()
    everything["conformal"] = {"findings": {"coverage": [0.9, 0.88, 0.92], "set_size": 2.25}, "codes": ["A"] * 9}
    text = _written(card, everything)
    for section in (*SECTIONS, *ALWAYS):
        assert f"\n{section}" in text, section
    for figure in (
        "| findings | real | test | 1,234 | 0.011 [0.005-0.020] |", "validation, cross-fitted",
        "| age not known | 20 | 21 | 0.700 [0.600-0.800] (2) |", "0% [0% to 16%]",
        "With 2,000 labeled patients knowledge transfer (Distilled) reaches a macro AUROC of 0.750",
        "| **Distilled** | 0.750 [0.700-0.800] | 0.750 [0.700-0.800] |",
        "| Kidney failure | +0.050 [+0.010 to +0.090] |",
        "left out for want of positives: SBRAD",
        "| potassium_high on EL | EL against NORM | 14 / 101 | 0.700 [0.600-0.800] |",
        "| 6 | 40.0% [30.0% to 50.0%] |", "- findings, coverage: 0.900 [0.880-0.920]", "- findings, set_size: 2.25",
    ):  # fmt: skip
        assert figure in text, figure
    assert text.index("## Per label") > max(text.index(section) for section in SECTIONS), "long tables come last"
    assert "\n\n\n" not in text


def test_without_a_figure_there_is_no_section(card: dict, bare: dict) -> None:
    text = _written(card, bare)
    for section in SECTIONS:
        assert section not in text
    for section in ALWAYS:
        assert section in text
    assert "None" not in text


@pytest.mark.parametrize(("section", "key"), [pair for pair in SECTIONS.items() if pair[1] != "conformal"])
def test_each_section_goes_with_its_figures(section: str, key: str, card: dict, bare: dict) -> None:
    everything = made_up_metrics.everything_else()
    del everything[key]
    if key == "lab_proxies":
        del everything["dose_response"], everything["domain_probe"]
    if key == "label_curve_groups":
        del everything["label_curve_about"]["models"]
    assert section not in _written(card, bare | everything)


def test_whoever_was_learned_from_is_counted(card: dict) -> None:
    text = card_sections.learned_from(card)
    for head in HEADS:
        line = next(line for line in text.splitlines() if f"**{head.capitalize()}**" in line)
        counts = [int(part.strip().split()[0]) for part in line.split(":", 1)[1].removeprefix("** ").split(";")]
        assert sum(counts) == len(card["labels"][head])
    assert f"{len(card['labels']['labs'])} from simulated patients" in text


def test_every_made_up_figure_has_a_section_of_its_own(bare: dict) -> None:
    assert card_sections.others(bare | made_up_metrics.everything_else()) == ""
