"""Criteria of criteria.csv against what cardiologists stated of real ECGs with amplitudes as recorded.

    python benchmarks/criteria.py [--data DIR]

Writes criteria.json and .md: for each PTB-XL statement with a criterion, how many ECGs that carry it meet the
criterion, and how many that do not carry it do. A statement is one reader's word, not the truth; a criterion that most
of its ECGs miss is either badly computed or not what readers go by, and is not used to contradict a score.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
NATIVE = "ptbxl_native"
# A statement that carries another with it: what its criterion is held against besides itself.
ALSO = {
    "1AVB": {"LPR"}, "LPR": {"1AVB"}, "STE_": {"INJAS", "INJAL"}, "LVH": {"VCLVH"}, "VCLVH": {"LVH"},
    "PRC(S)": {"PVC", "PAC"}, "SR": {"SARRH", "SBRAD", "STACH"},
    "INVT": {"ISC_", "ISCAL", "ISCIN", "ISCIL", "ISCAS", "ISCLA", "ISCAN", "TAB_", "NT_", "NDT"},
    "NT_": {"NDT", "TAB_", "INVT", "LOWT"}, "NDT": {"NT_", "TAB_", "INVT", "LOWT"},
}  # fmt: skip


def judged(data: Path) -> list[tuple[set[str], dict[str, str]]]:
    """For each ECG its statements and the verdict of every criterion."""
    from ecgkt.criteria.check import check
    from ecgkt.criteria.table import criteria
    from ecgkt.model.analyzed import AnalyzedECG
    from ecgkt.readers import read
    from ecgkt.vocabulary import findings

    out = []
    superclass = {code: finding.superclass for code, finding in findings().items() if finding.kind == "diagnostic"}
    for row in pd.read_csv(data / NATIVE / "ptbxl_database.csv").itertuples():
        codes = set(ast.literal_eval(str(row.scp_codes)))
        codes |= {superclass[code] for code in codes if code in superclass}
        ecg = AnalyzedECG(read(data / NATIVE / f"{row.filename_hr}.hea"))
        verdicts = {}
        for code in criteria():
            found = check(code, ecg.quantities, ecg.ecg.age) if code in findings() else None
            if found is not None:
                verdicts[code] = found.verdict
        out.append((codes, verdicts))
    return out


def table(rows: list[tuple[set[str], dict[str, str]]]) -> dict[str, dict[str, Any]]:
    from ecgkt.criteria.table import criteria

    out: dict[str, dict[str, Any]] = {}
    for code in rows[0][1]:
        with_it = [verdicts[code] for codes, verdicts in rows if code in codes]
        without = [verdicts[code] for codes, verdicts in rows if not codes & {code, *ALSO.get(code, set())}]
        out[code] = {
            "weight": criteria()[code].weight,
            "stated": {v: with_it.count(v) for v in ("met", "not met", "not measurable")},
            "not_stated": {v: without.count(v) for v in ("met", "not met", "not measurable")},
        }
    return out


def share(part: dict[str, int], verdict: str) -> str:
    whole = part["met"] + part["not met"]
    return f"{100 * part[verdict] / whole:.0f}% ({part[verdict]} of {whole})" if whole else "-"


def markdown(found: dict[str, Any]) -> str:
    lines = [
        "# Criteria beside cardiologists' statements\n",
        f"{found['ecgs']} ECGs of PTB-XL with amplitudes as recorded (500 Hz, ids 1 to 500 without fold 10).",
        "Written by `criteria.py`; the criteria are in `ecgkt/criteria/criteria.csv`.\n",
        "| statement | role | stated, criterion met | not stated, not met | not measurable |",
        "|---|---|---|---|---|",
    ]
    for code, row in found["criteria"].items():
        missing = row["stated"]["not measurable"] + row["not_stated"]["not measurable"]
        lines.append(
            f"| {code} | {row['weight']} | {share(row['stated'], 'met')} | {share(row['not_stated'], 'not met')} "
            f"| {missing} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    from benchmarks.real_data import REAL_DATA

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=REAL_DATA)
    rows = judged(parser.parse_args().data)
    found = {"ecgs": len(rows), "criteria": table(rows)}
    (HERE / "criteria.json").write_text(json.dumps(found, indent=1) + "\n")
    (HERE / "criteria.md").write_text(markdown(found))


if __name__ == "__main__":
    main()
