"""A data card is read as it was written."""

from __future__ import annotations

from pathlib import Path

from ecgkt.results.tables import Table
from tests.training.toy_run import CODES, write_toy
from training.cohort.data_card import Step, write_card
from training.cohort.prepared import load_prepared
from training.report.data_card import Flow, Heading, Paragraph, read_data_card


def test_flow_tables_and_words_come_back(tmp_path: Path) -> None:
    write_toy(tmp_path)
    cohort = load_prepared(tmp_path / "prepared" / "toy")
    steps = [
        Step("listed", 260, 250, {}),
        Step('"with" a time', 250, 245, {"no time": 8, "a time in [the] future": 2}),
        Step("usable", 240, 240, {"a flat lead": 10}),
    ]
    write_card(cohort, steps, ["Nobody was asked."])
    parts = read_data_card((cohort.folder / "data_card.md").read_text())
    (flow,) = (part for part in parts if isinstance(part, Flow))
    assert [step.words for step in flow.steps] == [
        "260 ECGs listed, 250 patients", '250 ECGs "with" a time, 245 patients', "240 ECGs usable, 240 patients",
    ]  # fmt: skip
    assert [step.left_out for step in flow.steps] == [
        [], ["2 left out: a time in [the] future", "8 left out: no time"], ["10 left out: a flat lead"],
    ]  # fmt: skip
    assert sorted(flow.splits) == [
        "test: 60 ECGs, 60 patients", "train: 120 ECGs, 120 patients", "validation: 60 ECGs, 60 patients",
    ]  # fmt: skip
    assert Paragraph("Nobody was asked.") in parts
    assert parts[0] == Heading(1, "Data card: toy")
    tables = [part for part in parts if isinstance(part, Table)]
    people, inputs, *labels = tables
    assert people.header[:3] == ["split", "patients", "ECGs"]
    assert ["test", "60", "60"] in [row[:3] for row in people.rows]
    assert [row[0] for row in inputs.rows] == list(cohort.clinical.columns)
    assert [{row[0] for row in table.rows} for table in labels] == [set(codes) for codes in CODES.values()]
    assert all(len(row) == len(table.header) for table in tables for row in table.rows)
