"""Lines of the interpretation against what cardiologists stated of real ECGs with amplitudes as recorded.

    python benchmarks/interpretation.py [--data DIR]

Writes interpretation.json and .md: how often the line of rhythm names what was stated, for each conduction statement
how many of its ECGs have a line that says so and how many others do, the axis beside the table's heart_axis, and of all
lines of findings, by how sure they are, the share that the record states. The network has seen PTB-XL's training part
(another copy, at 100 Hz), so its part in this is not an independent test; what is measured was fitted to none of it.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from ecgkt.interpretation.interpret import Interpretation  # noqa: E402

NATIVE = "ptbxl_native"
RHYTHMS = {"sinus": {"SR", "SARRH", "SBRAD", "STACH"}, "fibrillation": {"AFIB", "AFLT"}, "paced": {"PACE"}}
CONDUCTION = {
    "avb1": {"1AVB", "LPR"}, "avb2": {"2AVB"}, "avb3": {"3AVB"}, "lbbb": {"CLBBB"}, "rbbb": {"CRBBB"},
    "ilbbb": {"ILBBB"}, "irbbb": {"IRBBB"}, "lafb": {"LAFB"}, "lpfb": {"LPFB"}, "wpw": {"WPW"},
}  # fmt: skip
# PTB-XL's heart_axis -> axis lines that agree with it: its LAD is a left type (0 to -30 degrees), ALAD beyond.
AXES = {
    "MID": {"Normal axis"},
    "LAD": {"Normal axis", "Left axis deviation"},
    "ALAD": {"Left axis deviation"},
    "AXL": {"Left axis deviation", "Extreme axis"},
    "RAD": {"Normal axis", "Right axis deviation"},
    "ARAD": {"Right axis deviation"},
    "AXR": {"Right axis deviation", "Extreme axis"},
}


@dataclass(frozen=True)
class Read:
    """One ECG: its statements, its heart_axis ("" where there is none), its lines beside the record."""

    stated: frozenset[str]
    axis: str
    said: Interpretation


def read_all(data: Path) -> list[Read]:
    from dataclasses import replace

    import ecgkt
    from ecgkt.interpretation.interpret import interpret
    from ecgkt.interpretation.record import Record
    from ecgkt.model.analyzed import AnalyzedECG

    model, out = ecgkt.load(), []
    for row in pd.read_csv(data / NATIVE / "ptbxl_database.csv").itertuples():
        stated = frozenset(ast.literal_eval(str(row.scp_codes)))
        ecg = ecgkt.read(data / NATIVE / f"{row.filename_hr}.hea")
        age = min(90.0, float(str(row.age)))
        analyzed = AnalyzedECG(replace(ecg, age=age, sex="female" if row.sex == 1 else "male"))
        said = interpret(analyzed.ecg, analyzed.intervals, analyzed.quantities, model.predict(analyzed), Record(stated))
        out.append(Read(stated, str(row.heart_axis).replace("nan", ""), said))
    return out


def rhythm_of(said: Interpretation) -> str:
    """Key of the group that the line of rhythm names; "not named" for none."""
    from ecgkt.interpretation.groups import groups

    line = next((each for each in said.lines if each.section == "rhythm"), None)
    if line is None:
        return "no line"
    if line.statement.startswith("P waves not of sinus origin"):
        return "not of sinus origin"
    return next((key for key in RHYTHMS if line.codes == groups()[key].codes), "not named")


def says(said: Interpretation, key: str, likely: bool = True) -> bool:
    """Is there a line of the group, likely ones only or also possible ones?"""
    from ecgkt.interpretation.groups import groups

    codes = groups()[key].codes
    return any(
        line.codes == codes and (line.is_likely or (not likely and line.certainty == "possible")) for line in said.lines
    )


def judged(rows: list[Read]) -> dict[str, Any]:
    rhythms = {}
    for key, codes in RHYTHMS.items():
        counts = Counter(rhythm_of(row.said) for row in rows if row.stated & codes)
        rhythms[key] = {"stated": counts.total(), "named": dict(counts.most_common())}
    conduction = {}
    for key, codes in CONDUCTION.items():
        with_it = [row for row in rows if row.stated & codes]
        without = [row for row in rows if not row.stated & codes]
        conduction[key] = {
            "stated": len(with_it),
            "said": sum(says(row.said, key) for row in with_it),
            "said_or_possible": sum(says(row.said, key, likely=False) for row in with_it),
            "not_stated": len(without),
            "said_all_the_same": sum(says(row.said, key) for row in without),
        }
    axes: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.axis in AXES:
            axes[row.axis][next(line.statement for line in row.said.lines if line.section == "axis")] += 1
    standing: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for line in row.said.lines:
            if line.standing is not None and line.section not in ("beyond", "electrolytes"):
                standing[line.certainty][line.standing] += 1
    per_ecg = sorted(len([line for line in row.said.ordered() if line.is_open]) for row in rows)
    return {
        "ecgs": len(rows),
        "rhythm": rhythms,
        "conduction": conduction,
        "axis": {
            name: {
                "stated": axes[name].total(),
                "agree": sum(count for words, count in axes[name].items() if words in allowed),
                "said": dict(axes[name].most_common()),
            }
            for name, allowed in AXES.items()
        },
        "lines_by_certainty": {name: dict(counts) for name, counts in standing.items()},
        "open_lines_an_ecg": {"median": per_ecg[len(per_ecg) // 2], "most": per_ecg[-1]},
    }


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}% ({part} of {whole})" if whole else "-"


def markdown(found: dict[str, Any]) -> str:
    lines = [
        "# Lines of the interpretation beside cardiologists' statements\n",
        f"{found['ecgs']} ECGs of PTB-XL with amplitudes as recorded (500 Hz, ids 1 to 500 without fold 10).",
        "Written by `interpretation.py`. The network has seen PTB-XL's training part, so its part is no independent "
        "test.",
        f"Lines that stand open: {found['open_lines_an_ecg']['median']} an ECG in the median, "
        f"{found['open_lines_an_ecg']['most']} at most.\n",
        "| rhythm stated | named so | named otherwise |",
        "|---|---|---|",
    ]
    for key, row in found["rhythm"].items():
        others = ", ".join(f"{name} {count}" for name, count in row["named"].items() if name != key)
        lines.append(f"| {key} | {share(row['named'].get(key, 0), row['stated'])} | {others or '-'} |")
    lines += ["\n| conduction stated | said | said or possible | not stated, but said |", "|---|---|---|---|"]
    for key, row in found["conduction"].items():
        lines.append(
            f"| {key} | {share(row['said'], row['stated'])} | {share(row['said_or_possible'], row['stated'])} "
            f"| {share(row['said_all_the_same'], row['not_stated'])} |"
        )
    lines += ["\n| heart_axis | line agrees | said |", "|---|---|---|"]
    for key, row in found["axis"].items():
        said = ", ".join(f"{words} {count}" for words, count in row["said"].items())
        lines.append(f"| {key} | {share(row['agree'], row['stated'])} | {said} |")
    lines += ["\n| certainty of a finding's line | stated in the record | contradicted by it |", "|---|---|---|"]
    for key, row in found["lines_by_certainty"].items():
        whole = sum(row.values())
        lines.append(f"| {key} | {share(row.get('stated', 0), whole)} | {share(row.get('contradicted', 0), whole)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    from benchmarks.real_data import REAL_DATA

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=REAL_DATA)
    found = judged(read_all(parser.parse_args().data))
    (HERE / "interpretation.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    (HERE / "interpretation.md").write_text(markdown(found))


if __name__ == "__main__":
    main()
