"""What labs carry of a diagnosis, against causal truth: simulated pairs of tracings with and without one cause.

    python -m benchmarks.lab_links [--model DIR] [--patients 2500] [--seed 60418]

Writes lab_links.json and .md. A pair is a simulated ECG and the same without one cause (every other random number as it
was) whose own diagnosis falls by 10 percentage points or more. Own: the diagnoses that the simulator codes the
condition as, with their parents; of a lab, those that the table of physiology ties to it. The right labs are those that
the simulator's tables let the cause move, and of a condition also those of the conditions that its table of links ties
it to: taking away the mark of heart failure rightly lowers what its companions show. Strictly: its own alone. Asked is
whether a right lab's part falls most, and how much of all that falls is the right labs'. Neither training nor the fit
of the links has seen the seed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from ecgkt.lab_links.links import LEAST_R2, LabLinks, log_odds  # noqa: E402
from ecgkt.lab_links.physiology import senses  # noqa: E402
from ecgkt.model.model import Model  # noqa: E402

PATIENTS, SEED = 2500, 60418
FALL = 0.10  # of the probability
MOST = 60  # pairs of one cause that move any score by so much
VISIBLE = 0.02  # mV, by which two tracings must differ
DERIVED = {"haemoglobin": ("haematocrit", "rbc"), "inr": ("pt",), "sodium": ("chloride",)}  # ecgkt.simulation.labs
MIDDLE = {"potassium": 4.3, "calcium": 9.5, "magnesium": 2.0}  # between a lab's two effects


@dataclass(frozen=True)
class Pair:
    """cause: a condition or a quantity; values: the true labs; fact, other: code -> probability."""

    cause: str
    values: dict[str, float]
    fact: dict[str, float]
    other: dict[str, float]


def pairs(model: Model, patients: int, seed: int) -> Iterator[Pair]:
    from ecgkt.ecg import ECG
    from ecgkt.simulation.tracing import RATE, draw_tracing
    from ecgkt.simulation.truth import causes
    from ecgkt.simulation.visits import visits

    count: Counter[str] = Counter()
    for index in range(patients):
        for visit in visits(seed, index):
            planned = visit.ecgs[0]
            left = [cause for cause in causes(visit.stay, planned.drawn) if count[cause] < MOST]
            signals, kept = [], []
            fact = draw_tracing(planned.streams, visit.patient, visit.stay, visit.body, planned.drawn) if left else None
            for cause in left:
                spared = replace(visit.stay, active={n: s for n, s in visit.stay.active.items() if n != cause})
                drawn = planned.drawn.without(cause)
                other = draw_tracing(planned.streams, visit.patient, spared, visit.body, drawn)
                if fact is not None and np.abs(other.signal - fact.signal).max() >= VISIBLE:
                    signals.append(other.signal)
                    kept.append(cause)
            if not kept or fact is None:
                continue
            ecgs = [ECG(signal.astype(np.float32), float(RATE)) for signal in (fact.signal, *signals)]
            said = model.probabilities(model.embeddings(ecgs))
            rows = [{code: float(values[k]) for code, values in said.items()} for k in range(len(ecgs))]
            for cause, row in zip(kept, rows[1:], strict=True):
                count[cause] += any(rows[0][code] - row[code] >= FALL for code in row)
                yield Pair(cause, dict(visit.labs), rows[0], row)


def moved(quantity: str, sign: float) -> set[str]:
    """Labels of a quantity that rises or falls, and of what is computed from it."""
    side = "high" if sign > 0 else "low"
    return {f"{lab}_{side}" for lab in (quantity, *DERIVED.get(quantity, ()))}


def of_condition(condition: str) -> set[str]:
    from ecgkt.simulation.tables import shifts

    return {
        label
        for quantity, present, severity in shifts().get(condition, ())
        for label in moved(quantity, present + severity)
    }


def right_labs(pair: Pair, linked: bool) -> set[str]:
    """Labels of the labs whose part should fall with the cause."""
    from ecgkt.simulation.tables import rows

    if pair.cause == "nt_probnp_log":
        return {"nt_probnp_high"}
    if pair.cause in pair.values:
        return moved(pair.cause, pair.values[pair.cause] - MIDDLE.get(pair.cause, np.inf))
    found = of_condition(pair.cause)
    for link in rows("links") if linked else ():
        if pair.cause in (link["cause"], link["effect"]):
            found |= of_condition(link["cause"]) | of_condition(link["effect"])
    return found


def is_own(pair: Pair, diagnosis: str) -> bool:
    from ecgkt.simulation.tables import conditions

    known = next((condition for condition in conditions() if condition.name == pair.cause), None)
    if known is not None:
        return any(code.startswith(diagnosis) for code, _ in known.icd10)
    return bool(right_labs(pair, linked=False) & set(senses(diagnosis)))


@dataclass(frozen=True)
class Judged:
    """falls: lab -> by how many log odds its part of the diagnosis fell."""

    cause: str
    diagnosis: str
    falls: Mapping[str, float]
    right: set[str]
    strictly: set[str]

    def most(self, right: set[str]) -> bool:
        return max(self.falls, key=self.falls.__getitem__) in right

    def share(self, right: set[str]) -> float:
        whole = sum(max(0.0, fall) for fall in self.falls.values())
        return sum(max(0.0, fall) for lab, fall in self.falls.items() if lab in right) / whole if whole else 0.0


def judge(model: Model, links: LabLinks, found: Iterator[Pair]) -> tuple[list[Judged], int]:
    """(what was explained, how many pairs are of diagnoses that labs do not explain)."""
    offered = [label.code for label in model.labels["diagnoses"] if not label.silent]
    out, unexplained = [], 0
    for pair in found:
        for code in offered:
            if not is_own(pair, code) or pair.fact[code] - pair.other[code] < FALL:
                continue
            known = links.diagnoses.get(code)
            if known is None or known.r2 < LEAST_R2 or not known.slopes:
                unexplained += 1
                continue
            falls = {
                lab: slope * (log_odds(pair.fact[lab]) - log_odds(pair.other[lab]))
                for lab, slope in known.slopes.items()
            }
            out.append(Judged(pair.cause, code, falls, right_labs(pair, True), right_labs(pair, False)))
    return out, unexplained


def figures(rows: list[Judged], strict: bool) -> dict[str, float]:
    """Over pairs, and the mean over causes."""
    by_cause: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for row in rows:
        right = row.strictly if strict else row.right
        by_cause[row.cause].append((row.most(right), row.share(right)))
    every = [each for many in by_cause.values() for each in many]
    return {
        "right_lab_falls_most": float(np.mean([most for most, _ in every])),
        "share_of_the_fall_that_is_right": float(np.mean([share for _, share in every])),
        "right_lab_falls_most_mean_over_causes": float(
            np.mean([np.mean([m for m, _ in c]) for c in by_cause.values()])
        ),
        "share_mean_over_causes": float(np.mean([np.mean([s for _, s in c]) for c in by_cause.values()])),
    }


def table(rows: list[Judged]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for row in rows:
        groups[row.cause, row.diagnosis].append(row)
    return [
        {
            "cause": cause,
            "diagnosis": diagnosis,
            "pairs": len(many),
            "right_lab_falls_most": float(np.mean([each.most(each.right) for each in many])),
            "share": float(np.mean([each.share(each.right) for each in many])),
            "strict_share": float(np.mean([each.share(each.strictly) for each in many])),
        }
        for (cause, diagnosis), many in sorted(groups.items())
    ]


def markdown(found: dict[str, Any]) -> str:
    told = [
        "# What labs carry of a diagnosis, against causal truth\n",
        f"Model {found['model']}; links from {found['reference']}. Pairs with and without one cause, simulated from "
        f"seed {found['seed']}, whose own diagnosis falls by {100 * FALL:.0f} points or more: {found['pairs']} "
        f"explained, {found['unexplained']} of diagnoses that labs do not explain (the page says so).\n",
        "| right labs | a right lab's part falls most | share of the fall that is right | mean over causes |",
        "|---|---|---|---|",
    ]
    for title, key in (
        ("the cause's, by the tables of shifts and links", "linked"),
        ("its own shifts alone", "strict"),
    ):
        row = found[key]
        told.append(
            f"| {title} | {100 * row['right_lab_falls_most']:.1f}% | "
            f"{100 * row['share_of_the_fall_that_is_right']:.1f}% | "
            f"{100 * row['right_lab_falls_most_mean_over_causes']:.0f}%, {100 * row['share_mean_over_causes']:.0f}% |"
        )
    told += [
        "\n| diagnosis | R2 | without the table of physiology | labs (slope) |",
        "|---|---|---|---|",
    ]
    for code, row in found["diagnoses"].items():
        labs = ", ".join(f"{lab} {weight:.2f}" for lab, weight in row["labs"].items())
        mark = "" if row["r2"] >= LEAST_R2 and labs else "not explained by labs; "
        told.append(f"| {row['name']} ({code}) | {row['r2']:.2f} | {row['free_r2']:.2f} | {mark}{labs or '-'} |")
    told += [
        "\n| cause | diagnosis | pairs | right lab falls most | right share | strictly |",
        "|---|---|---|---|---|---|",
    ]
    for row in found["by_cause"]:
        told.append(
            f"| {row['cause']} | {row['diagnosis']} | {row['pairs']} | {100 * row['right_lab_falls_most']:.0f}% | "
            f"{100 * row['share']:.0f}% | {100 * row['strict_share']:.0f}% |"
        )
    return "\n".join(told) + "\n"


def main() -> None:
    import ecgkt

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--patients", type=int, default=PATIENTS)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    model = ecgkt.load(options.model)
    links = model.lab_links
    if links is None:
        raise SystemExit("The bundle has no lab_links.json: python -m training lab-links --model DIR")
    rows, unexplained = judge(model, links, pairs(model, options.patients, options.seed))
    names = {label.code: label.name for label in model.labels["diagnoses"]}
    found = {
        "model": f"{model.name}, {model.sha256[:12]}",
        "reference": f"{links.reference} ({links.ecgs} ECGs)",
        "seed": options.seed,
        "pairs": len(rows),
        "unexplained": unexplained,
        "linked": figures(rows, strict=False),
        "strict": figures(rows, strict=True),
        "diagnoses": {
            code: {"name": names[code], "r2": each.r2, "free_r2": each.free_r2, "labs": each.slopes}
            for code, each in links.diagnoses.items()
        },
        "by_cause": table(rows),
    }
    (HERE / "lab_links.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    (HERE / "lab_links.md").write_text(markdown(found))


if __name__ == "__main__":
    main()
