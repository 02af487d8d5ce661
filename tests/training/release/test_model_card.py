"""The model card: every figure that a bundle has, no section for what it has not, and the shipped one as it is."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import msgspec
import pytest

from ecgkt.model import facts
from ecgkt.model.bundle import Bundle, load_bundle
from ecgkt.prediction import HEADS
from ecgkt.results import numbers, sections
from ecgkt.results.metrics import Metrics
from ecgkt.results.tables import Table
from tests import made_up_metrics
from training.release import markdown
from training.release.model_card import LABELS_FILE, labels_csv, model_card, results, training
from training.release.written_files import file_tree, replaced

ROOT = Path(__file__).resolve().parents[3]
BUNDLE = ROOT / "assets" / "models" / "default"
LINK = "assets/models/default/metrics.json"
OPTIONAL = {
    sections.LABEL_CURVE: {"label_curve": [], "label_curve_groups": {}, "label_curve_about": None},
    sections.REAL_FINDINGS: {"real_findings": None},
    sections.CALIBRATION: {"calibration": {}},
    sections.SUBGROUPS: {"subgroups": {}},
    sections.ABSTENTION: {"conformal": None},
    sections.REAL_LABS: {"lab_proxies": {}, "dose_response": {}, "domain_probe": {}},
}


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return load_bundle(BUNDLE)


@pytest.fixture
def bare(shipped: Bundle) -> Metrics:
    """The figures that every bundle has."""
    return made_up_metrics.bare({head: () for head in HEADS})


def headings(text: str) -> list[str]:
    return [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]


def test_the_shipped_card_is_written_from_the_shipped_bundle(shipped: Bundle) -> None:
    card = (ROOT / "MODEL_CARD.md").read_text()
    assert card == model_card(shipped.card, shipped.metrics, LINK)
    assert (ROOT / LABELS_FILE).read_text() == labels_csv(shipped.card)
    assert (ROOT / LINK).is_file()
    assert headings(card)[-len(sections.SECTIONS) :] == [part.title for part in sections.SECTIONS]
    assert len(card.encode()) <= 15_000
    for line in card.splitlines():
        assert "None" not in line
        assert "nan" not in line.split()


def test_the_readme_has_the_results_of_the_shipped_bundle(shipped: Bundle) -> None:
    text = results(shipped.metrics)
    assert text in (ROOT / "README.md").read_text()
    assert len(text.encode()) <= 2000
    transfer = shipped.metrics.models["knowledge_transfer"]["diagnoses"].macro_auroc
    assert numbers.interval(transfer) in text


def test_every_table_of_the_shipped_card_is_whole(shipped: Bundle) -> None:
    lines = model_card(shipped.card, shipped.metrics, LINK).splitlines()
    rules = [number for number, line in enumerate(lines) if line.startswith("|-") or line.startswith("|:")]
    assert len(rules) >= len(sections.SECTIONS)
    for number in rules:
        width = lines[number].count("|")
        assert lines[number - 1].count("|") == width
        assert lines[number + 1].count("|") == width, "a table without rows"


@pytest.mark.parametrize("section", OPTIONAL, ids=lambda section: section.anchor)
def test_each_section_goes_with_its_figures(section: sections.Section, shipped: Bundle) -> None:
    without = msgspec.structs.replace(shipped.metrics, **OPTIONAL[section])
    assert section.measured(shipped.metrics)
    assert not section.measured(without)
    whole, shorter = (headings(model_card(shipped.card, m, LINK)) for m in (shipped.metrics, without))
    assert [title for title in whole if title != section.title] == shorter


def test_a_small_run_has_a_card_of_what_it_measured(shipped: Bundle, bare: Metrics) -> None:
    text = model_card(shipped.card, bare, LINK)
    assert not {part.title for part in OPTIONAL} & set(headings(text))
    assert "0.712 (0.600 to 0.800)" in text
    assert "37% (11% to 60%)" in text


def test_made_up_figures_stand_in_their_tables(shipped: Bundle, bare: Metrics) -> None:
    text = model_card(shipped.card, made_up_metrics.complete(bare), LINK)
    for figure in (
        "| Findings, real | 1,234 | 0.006 (0.000 to 0.015) | 0.020 (0.010 to 0.030) | −0.002 (−0.010 to +0.006) |",
        "| age not known | 0.700 (0.600 to 0.800) | 0.700 (0.600 to 0.800) |",
        "With 2,000 labeled patients, knowledge transfer (Distilled) reaches a macro AUROC of 0.750",
        "| **Distilled (the transfer)** | 0.750 (0.700 to 0.800) | the same |",
        "left out, no positives: SBRAD",
        "| Hyperkalemia on Electrolyte disturbance or drug effect | 14 | 101 | 0.700 (0.600 to 0.800) |",
        "| 6 | 40.0% (30.0% to 50.0%) |",
        "- With all labels, transfer helps the rarest diagnoses (31 with 20 to 49 positive training ECGs): +0.013 (",
    ):
        assert figure in text, figure


def test_networks_with_few_labels_are_told_of_where_the_bundle_has_them(shipped: Bundle) -> None:
    with_few = made_up_metrics.with_few_labels(shipped.card)
    assert "with 2,000 labeled patients are part of the bundle" in training(with_few)
    without = {name: one for name, one in shipped.card.stages.items() if not name.endswith("_few")}
    assert "labeled patients" not in training(msgspec.structs.replace(shipped.card, stages=without))


def test_steps_that_teach_where_to_look_are_told_where_there_were_any(shipped: Bundle) -> None:
    config = shipped.card.config
    assert f"Then {config['relevance']['steps']} more steps" in training(shipped.card)
    for other in ({**config, "relevance": {}}, {**config, "encoder": {"kind": "resnet"}}):
        assert "more steps with" not in training(msgspec.structs.replace(shipped.card, config=other))


def test_whoever_was_learned_from_is_counted(shipped: Bundle) -> None:
    for head, line in zip(HEADS, facts.learned_from(shipped.card), strict=True):
        counts = [int(word) for word in line.replace(":", " ").split() if word.isdigit()]
        assert sum(counts) == len(shipped.card.labels[head])


def test_the_labels_file_has_every_label_with_its_auroc(shipped: Bundle) -> None:
    rows = list(csv.DictReader(io.StringIO(labels_csv(shipped.card))))
    assert len(rows) == sum(len(listed) for listed in shipped.card.labels.values())
    auroc = {row["code"]: row["auroc"] for row in rows if row["head"] == "labs"}
    measured = shipped.metrics.auroc("knowledge_transfer", "labs", "potassium_high")
    assert measured is not None
    assert float(auroc["potassium_high"]) == pytest.approx(measured[0], abs=5e-5)


def test_only_what_stands_between_markers_is_replaced() -> None:
    text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n<!-- y -->\nold\n<!-- /y -->\n"
    assert replaced(text, "x", "new \\1\n") == text.replace("old", "new \\1", 1)


def test_the_tree_has_a_line_a_package_and_only_folders_that_are_there() -> None:
    lines = file_tree().strip("`\n").splitlines()
    folders = [line.split()[0] for line in lines]
    assert all((ROOT / folder).is_dir() and folder.endswith("/") for folder in folders)
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines)
    packages = {f"{path.parent.relative_to(ROOT)}/" for path in (ROOT / "ecgkt").rglob("__init__.py")}
    assert packages <= set(folders)


def test_a_cell_cannot_break_its_table() -> None:
    made = Table(("a", "b"), [("x | y", "1")], "Caption.", numbers=(1,), marked=(0,))
    assert markdown.table(made) == "| a | b |\n|---|--:|\n| **x \\| y** | 1 |\n\nCaption."
    assert markdown.table(Table(("a",), [])) == ""
