"""The names of findings, held against PTB-XL's own table."""

from __future__ import annotations

import csv
from pathlib import Path

from ecgkt import vocabulary
from ecgkt.datasets.mimic.reports import read_line


def test_vocabulary_is_ptbxl_s(shared: Path) -> None:
    with (shared / "ptbxl" / "scp_statements.csv").open(newline="", encoding="utf-8") as file:
        official = {row["accurate_diagnostic"]: row for row in csv.DictReader(file)}
    # The first column of this copy's header carries the wrong name; its values are the codes.
    ours = {code: f for code, f in vocabulary.findings().items() if f.kind != "superclass"}
    assert set(ours) == set(official)
    assert set(vocabulary.findings()) - set(ours) == {"MI", "STTC", "CD", "HYP"}
    for code, row in official.items():
        kind = ours[code].kind.capitalize()
        assert ours[code].superclass == (row["diagnostic_class"] or kind)
        assert row[ours[code].kind] == "1.0"
        assert read_line(row["description"]) == {code: 1.0}
