"""Do the nearest patients help? Labs and diagnoses told by what the nearest have, beside the heads; writes
neighbors.json and .md

    python benchmarks/neighbors.py [--patients 2000] [--model assets/models/default]

The patients asked about are simulated with a seed of their own; the reference cohort is the bundle's. A lab counts as
abnormal by its true value. AUROC with 95% intervals over patients.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ecgkt.model.bundle import load_bundle  # noqa: E402
from ecgkt.model.default_bundle import DEFAULT_BUNDLE  # noqa: E402
from ecgkt.model.model import Model  # noqa: E402
from ecgkt.neighbors.nearest import NEAREST, distances  # noqa: E402
from ecgkt.neighbors.reference import Reference  # noqa: E402
from ecgkt.neighbors.summary import has_label  # noqa: E402
from ecgkt.prediction import Head  # noqa: E402
from training.evaluate.drawn_cohort import DrawnCohort, draw  # noqa: E402
from training.metrics import auroc, estimate  # noqa: E402

HERE = Path(__file__).parent
SEED = 20261201
COUNTS = (5, 10, 25, 50, 100, 200)
DIMENSIONS = (4, 8, 16, 32, 64, 128)
HEADS: tuple[Head, ...] = ("labs", "diagnoses", "findings")
LEAST = 15  # positives, and negatives, that a label needs
RESAMPLES = 300
Row = tuple[str, np.ndarray, np.ndarray, dict[int, np.ndarray]]  # code, truth, head's probability, share by count


def measured(model: Model, patients: int) -> dict[str, Any]:
    reference = model.reference
    if reference is None:
        raise SystemExit("The bundle has no reference cohort: python -m training reference --model FOLDER")
    asked = draw(model, ["knowledge_transfer"], SEED, patients, reference.columns, reference.codes)
    embeddings = asked.embeddings["knowledge_transfer"]
    probability = model.probabilities(embeddings)
    order = np.argsort(distances(reference, reference.place(embeddings)), axis=1, kind="stable")
    weights = np.random.default_rng(0).multinomial(patients, np.full(patients, 1 / patients), RESAMPLES).astype(float)
    result: dict[str, Any] = {"patients": patients, "reference": len(reference), "heads": {}}
    for head in HEADS:
        rows = []
        for label in model.labels[head]:
            truth, known = _truth(reference, asked, label.code), has_label(reference, label.code)
            if label.silent or truth is None or known is None or not LEAST <= truth.sum() <= patients - LEAST:
                continue
            by_count = {count: known[order[:, :count]].mean(axis=1) for count in COUNTS}
            rows.append((label.code, truth.astype(float), probability[label.code].astype(float), by_count))
        result["heads"][head] = _figures(rows, weights)
        print(head, result["heads"][head]["macro"], flush=True)
    result["dimensions"] = _by_dimension(model, reference, asked, weights)
    return result


def _truth(reference: Reference, asked: DrawnCohort, code: str) -> np.ndarray | None:
    """[patients] who has a label, by the same rule as in the cohort."""
    theirs = Reference(**{**vars(reference), "quantities": asked.quantities, "labels": asked.labels})
    return has_label(theirs, code)


def _figures(
    rows: list[tuple[str, np.ndarray, np.ndarray, dict[int, np.ndarray]]], weights: np.ndarray
) -> dict[str, Any]:
    of_head, of_nearest, both, labels = [], {count: [] for count in COUNTS}, [], {}
    for code, truth, probability, by_count in rows:
        of_head.append(_each(probability, truth, weights))
        for count, share in by_count.items():
            of_nearest[count].append(_each(share, truth, weights))
        usual = by_count[NEAREST]
        both.append(_each(_ranked(probability) + _ranked(usual), truth, weights))
        labels[code] = {"head": _rounded(of_head[-1]), "nearest": _rounded(of_nearest[NEAREST][-1])}
    macro = {"head": _rounded(np.mean(of_head, axis=0)), "head and nearest": _rounded(np.mean(both, axis=0))}
    macro |= {f"nearest {count}": _rounded(np.mean(found, axis=0)) for count, found in of_nearest.items()}
    macro["nearest minus head"] = _rounded(np.mean(of_nearest[NEAREST], axis=0) - np.mean(of_head, axis=0))
    return {"labels": len(rows), "macro": macro, "by_label": labels}


def _each(scores: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[1 + R] AUROC and its resamples."""
    return np.concatenate([auroc(scores, truth), auroc(scores, truth, weights)])


def _ranked(scores: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(scores, kind="stable"), kind="stable") / len(scores)


def _rounded(values: np.ndarray) -> list[float] | None:
    found = estimate(values)
    return None if found is None else [round(value, 4) for value in found]


def _by_dimension(model: Model, reference: Reference, asked: DrawnCohort, weights: np.ndarray) -> dict[str, float]:
    """Macro AUROC over labs by the nearest in spaces of other dimensions: half of the patients are the cohort here."""
    embeddings = asked.embeddings["knowledge_transfer"]
    half = len(embeddings) // 2
    mean, scale = embeddings[:half].mean(axis=0), embeddings[:half].std(axis=0) + 1e-6
    standard = (embeddings - mean) / scale
    axes = PCA(max(DIMENSIONS), svd_solver="full").fit(standard[:half]).components_.T
    truths = [_truth(reference, asked, label.code) for label in model.labels["labs"] if not label.silent]
    used = [
        t for t in truths if t is not None and all(LEAST <= part.sum() <= half - LEAST for part in (t[:half], t[half:]))
    ]
    found = {}
    for size in DIMENSIONS:
        places = standard @ axes[:, :size]
        order = np.argsort(_squared(places, half), axis=1)[:, :NEAREST]
        each = [float(auroc(t[:half][order].mean(axis=1), t[half:].astype(float))[0]) for t in used]
        found[str(size)] = round(float(np.mean(each)), 4)
    return found


def _squared(places: np.ndarray, half: int) -> np.ndarray:
    there, here = places[:half], places[half:]
    return (here**2).sum(axis=1)[:, None] + (there**2).sum(axis=1) - 2 * here @ there.T


def table(result: dict[str, Any]) -> str:
    lines = [
        "# Do the nearest patients help?",
        "",
        f"{result['patients']:,} simulated patients, each told by the nearest of the bundle's reference cohort of "
        f"{result['reference']:,} and by the heads. Macro AUROC (95% interval over patients). `python "
        "benchmarks/neighbors.py` writes this.",
        "",
        "| told by | " + " | ".join(f"{head} ({result['heads'][head]['labels']})" for head in HEADS) + " |",
        "|---|---|---|---|",
    ]
    for way in result["heads"]["labs"]["macro"]:
        cells = (_words(result["heads"][head]["macro"][way]) for head in HEADS)
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"Labs by the nearest {NEAREST} in spaces of other dimensions (half of the patients as the cohort):",
        "",
        "| dimensions | macro AUROC |",
        "|---|---|",
        *(f"| {size} | {value:.3f} |" for size, value in result["dimensions"].items()),
        "",
        "| lab | head | nearest |",
        "|---|---|---|",
        *(
            f"| {code} | {_words(each['head'])} | {_words(each['nearest'])} |"
            for code, each in result["heads"]["labs"]["by_label"].items()
        ),
    ]
    return "\n".join([*lines, ""])


def _words(value: list[float] | None) -> str:
    return "–" if value is None else f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--model", type=Path, default=DEFAULT_BUNDLE)
    options = parser.parse_args()
    result = measured(Model(load_bundle(options.model)), options.patients)
    (HERE / "neighbors.json").write_text(json.dumps(result, indent=1) + "\n")
    (HERE / "neighbors.md").write_text(table(result))
    print(table(result))


if __name__ == "__main__":
    main()
