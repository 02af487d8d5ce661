"""Do sentences name the wave of the page's own table, in the direction of the score? And does measurement contradict?

    python benchmarks/sentences.py [--data DIR] [--each N] [--most N]

Writes sentences.json and .md, over the shipped examples (the scores furthest above their thresholds, as many as --most)
and every --each-th real recording of LUDB, CinC and PTB-XL (the score that stands out most); of each ECG the score
nearest below its threshold, too. Judged by the numbers that the page shows, not by the code that chose the wave.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).parent
sys.path.insert(0, str(ROOT))


def records(data: Path, each: int) -> Iterator[tuple[str, Any, bool]]:
    """(set, ECG, is it one of the examples)."""
    from benchmarks.measurements import records as real
    from ecgkt.datasets.collection import open_collection

    examples = open_collection(ROOT / "assets" / "examples")
    for entry in examples.entries:
        yield "examples", examples.read(entry.key), True
    if data.is_dir():
        for i, (name, ecg, _) in enumerate(real(data)):
            if i % each == 0:
                yield name.split("/")[0], ecg, False


def checked(model: Any, ecg: Any, score: Any) -> dict[str, Any]:
    """What one sentence does right and wrong."""
    from ecgkt.criteria.check import check
    from ecgkt.relevance.summary import summarize

    found = summarize(model.attribute(ecg, score.label.code), ecg.beats, score.positive)
    way = 1 if score.positive else -1
    going = {p.name: (p.share.total + way * p.share.net) / 2 for p in found.parts if way * p.share.net > 0}
    largest = max(going, key=lambda name: going[name], default=None)
    name = "" if found.named is None else found.named.name
    told = found.sentence.lower()
    criterion = check(score.label.code, ecg.quantities, ecg.ecg.age)
    return {
        "positive": score.positive,
        "nothing goes that way": largest is None,
        "largest named": largest is not None and name == largest and f"the {largest.lower()}" in told,
        "explained the wrong way": "the score most (" in told and going.get(name, 0.0) <= 0,
        "name withheld": any("(" in part.name for part in found.parts),
        "criterion": criterion.verdict if criterion else "none",
        "disagrees": criterion is not None and bool(criterion.disagreement(score.positive)),
        "code": score.label.code,
    }


def table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    some = [row for row in rows if not row["nothing goes that way"]]
    return {
        "scores": len(rows),
        "positive": sum(row["positive"] for row in rows),
        "nothing_goes_that_way": len(rows) - len(some),
        "largest_named": sum(row["largest named"] for row in some),
        "explained_the_wrong_way": sum(row["explained the wrong way"] for row in some),
        "a_name_withheld": sum(row["name withheld"] for row in rows),
        "criteria": dict(Counter(row["criterion"] for row in rows)),
        "disagreements": dict(Counter(row["code"] for row in rows if row["disagrees"]).most_common()),
    }


def markdown(found: dict[str, Any]) -> str:
    lines = [
        "# Sentences\n",
        "Written by `sentences.py`. Scores whose sentence names the wave that, in the page's own table, has the",
        "largest share in the score's direction; those explained by what goes the other way; those where no wave goes",
        "that way, which is said; scores on ECGs where a wave is not sure and goes without its name; and what became",
        "of the criteria.\n",
        "| set | scores | above | largest named | wrong way | nothing that way | a name withheld "
        "| criterion met, not met, not measurable, none | contradictions told |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in found.items():
        some = row["scores"] - row["nothing_goes_that_way"]
        criteria = ", ".join(str(row["criteria"].get(k, 0)) for k in ("met", "not met", "not measurable", "none"))
        lines.append(
            f"| {name} | {row['scores']} | {row['positive']} | {row['largest_named']} of {some} "
            f"| {row['explained_the_wrong_way']} | {row['nothing_goes_that_way']} | {row['a_name_withheld']} "
            f"| {criteria} | {sum(row['disagreements'].values())} |"
        )
    lines.append("\nContradictions by label: ")
    every: Counter[str] = sum((Counter(row["disagreements"]) for row in found.values()), Counter())
    lines.append(", ".join(f"{code} {count}" for code, count in every.most_common()) + ".")
    return "\n".join(lines) + "\n"


def main() -> None:
    import ecgkt
    from benchmarks.real_data import REAL_DATA
    from ecgkt.prediction import HEADS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=REAL_DATA)
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--most", type=int, default=6)
    options = parser.parse_args()
    model = ecgkt.load()
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, ecg, is_example in records(options.data, options.each):
        analyzed = ecgkt.AnalyzedECG(ecg)
        prediction = model.predict(analyzed)
        if prediction.abstained:
            continue
        scores = [score for head in HEADS for score in prediction.scores(head)]
        scores.sort(key=lambda score: -score.probability / score.label.threshold)
        chosen = [score for score in scores if score.positive][: options.most] if is_example else []
        chosen = chosen or [prediction.striking()]
        chosen += [score for score in scores if not score.positive and score not in chosen][:1]
        rows.setdefault(name, []).extend(checked(model, analyzed, score) for score in chosen)
        print(name, sum(map(len, rows.values())), flush=True)
    found = {name: table(part) for name, part in rows.items()}
    (HERE / "sentences.json").write_text(json.dumps(found, indent=1) + "\n")
    (HERE / "sentences.md").write_text(markdown(found))


if __name__ == "__main__":
    main()
