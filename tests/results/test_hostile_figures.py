"""Figures that none can be, in a metrics.json that is otherwise as it should be: refused in one short sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecgkt.json_records import MOST, RecordError
from ecgkt.results.metrics import read_metrics
from tests.limits import limited

FILE = Path(__file__).resolve().parents[2] / "assets" / "models" / "default" / "metrics.json"
Tree = dict[str, Any]
SHARE = [1.5, 0.5, 2.0]


def transfer(tree: Tree) -> Tree:
    return tree["models"]["knowledge_transfer"]["diagnoses"]  # type: ignore[no-any-return]


def risk(tree: Tree) -> Tree:
    of_head = next(iter(tree["risk_coverage"].values()))
    return next(iter(of_head.values()))  # type: ignore[no-any-return]


def many(tree: Tree, count: int) -> Tree:
    """A dictionary's first entry under so many names."""
    first = next(iter(tree.values()))
    return {f"{number}": first for number in range(count)}


CHANGES: dict[str, Callable[[Tree], object]] = {
    "no AUROC": lambda t: transfer(t).update(macro_auroc=SHARE),
    "an AUROC below 0": lambda t: transfer(t).update(macro_auroc=[-1, -2, 0]),
    "an interval upside down": lambda t: transfer(t).update(macro_auroc=[0.8, 0.9, 0.7]),
    "a gain upside down": lambda t: t["label_curve"][0].update(gain=[0.1, 0.3, -0.3]),
    "a gap of 1e308": lambda t: t.update(gap_closed=[1e308, -1e308, 1e308]),
    "less than no patient": lambda t: t["test"].update(patients=-5),
    "positives without end": lambda t: next(iter(transfer(t)["labels"].values())).update(positives=10**400),
    "a curve at no patient": lambda t: t["label_curve"][0].update(patients=0),
    "a tenth of nobody": lambda t: t["label_curve_about"].update(tenth=-7),
    "a response without steps": lambda t: t["responses"][0].update(values=[], probability=[], low=[], high=[]),
    "a response of other steps": lambda t: t["responses"][0]["values"].pop(),
    "a dose without steps": lambda t: next(iter(t["dose_response"].values())).update(values=[]),
    "a probability of 7": lambda t: t["responses"][0]["probability"].__setitem__(0, 7),
    "a bin of no share": lambda t: t["calibration"]["findings"]["real"]["bins"][0].__setitem__(0, 17.0),
    "an order that is lacking": lambda t: risk(t)["orders"].pop("novelty"),
    "a risk without its coverage": lambda t: risk(t)["coverage"].pop(),
    "a kind without a name": lambda t: t["novelty"]["junk"][0].update(kind=""),
    "more far than near": lambda t: t["novelty"]["junk"][0].update(near=0.1, far=0.9),
    "an alpha of -3": lambda t: t["conformal"].update(alpha=-3),
    "names without end": lambda t: t.update(models={"x" * 5000: t["models"]["knowledge_transfer"]}),
    "600 models": lambda t: t.update(models=many({"a": {}}, 600)),
    "600 models on the curve": lambda t: t["label_curve"][0].update(models=many(t["label_curve"][0]["models"], 600)),
    "a curve of 600 points": lambda t: t.update(label_curve=t["label_curve"][:1] * 600),
    "a group without a curve": lambda t: t["label_curve_groups"].update(nobody=[]),
    "10,000 groups": lambda t: t.update(label_curve_groups=many(t["label_curve_groups"], 10_000)),
    "10,000 probes": lambda t: t.update(probes=t["probes"][:1] * 10_000),
    "100,000 labels": lambda t: transfer(t).update(labels=many(transfer(t)["labels"], 100_000)),
    "100,000 times what is urgent": lambda t: t.update(urgent=t["urgent"][:1] * 100_000),
    "100 models with all labels": lambda t: t.update(models=many(t["models"], 100)),
    "100,000 reasons": lambda t: t.update(left_out_in_preparation={"a": {f"{k}": 1 for k in range(100_000)}}),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_no_figure_can_be_is_refused(name: str) -> None:
    tree = json.loads(FILE.read_bytes())
    CHANGES[name](tree)
    content = json.dumps(tree).encode()
    with limited(2.0, 200 * 2**20), pytest.raises(RecordError) as caught:
        read_metrics(content)
    assert str(caught.value).startswith("metrics.json ")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_a_list_is_counted_before_anything_else_is_looked_at() -> None:
    with pytest.raises(RecordError, match=f"more than {MOST:,} entries"):
        read_metrics(b"[" + b"1," * MOST + b"1]")
