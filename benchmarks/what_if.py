"""How long the What if page's parts take after a cause is moved; writes what_if.json and .md

    python benchmarks/what_if.py [--moves 20]

One thread, as the server has; every move is to a value that nothing is kept of. Milliseconds by the clock and of
processor time, medians over moves. Drawing in the browser comes on top.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ecgkt.model.analyzed import AnalyzedECG  # noqa: E402
from ecgkt.model.model import load  # noqa: E402
from ecgkt.model.response import response  # noqa: E402
from ecgkt.relevance.classes import Overlay  # noqa: E402
from ecgkt.relevance.summary import summarize  # noqa: E402
from ecgkt.sheet.figure import figure  # noqa: E402
from ecgkt.sheet.layout import Paper  # noqa: E402
from ecgkt.simulation.levers import LEVERS  # noqa: E402
from ecgkt.simulation.what_if import Changed, plain  # noqa: E402

HERE = Path(__file__).parent
GOAL = 300  # ms from the move to what is to be drawn
POINTS = 13  # of the curve, as on the page (ecgkt/ui/what_if/curve.py)
CURVE = "curve of all scores (only where another cause than its own was moved)"


def measured(moves: int) -> dict[str, dict[str, float]]:
    model, subject = load(), plain(1)
    clock: dict[str, list[float]] = defaultdict(list)
    processor: dict[str, list[float]] = defaultdict(list)

    def timed(name: str, make: Callable[[], Any]) -> Any:
        began, used = time.perf_counter(), time.process_time()
        made = make()
        clock[name].append(1000 * (time.perf_counter() - began))
        processor[name].append(1000 * (time.process_time() - used))
        return made

    lever = LEVERS[0]
    for value in np.linspace(2.5, 7.5, moves + 1):
        changed = Changed({lever.key: float(value)})
        ecg = timed("ECG drawn", lambda changed=changed: subject.ecg(changed))
        analyzed = AnalyzedECG(ecg)
        timed("beats, intervals", lambda analyzed=analyzed: analyzed.intervals)
        prediction = timed("quality and scores", lambda analyzed=analyzed: model.predict(analyzed))
        if prediction.abstained:
            continue
        score = prediction.labs[0]
        found = timed("relevance", lambda a=analyzed, s=score: model.attribute(a, s.label.code))
        timed("its sentence", lambda a=analyzed, f=found, s=score: summarize(f, a.beats, s.positive))
        timed("sheet", lambda a=analyzed, f=found: figure(a.ecg, Paper(), f, overlay=Overlay(), beats=a.beats))
        timed(CURVE, lambda changed=changed: response(model, subject, changed, "calcium", LEVERS[1].values(POINTS)))
    return {
        name: {
            "clock": round(statistics.median(clock[name][1:]), 1),
            "processor": round(statistics.median(processor[name][1:]), 1),
        }
        for name in clock
    }


def table(parts: dict[str, dict[str, float]], load_average: float) -> str:
    lines = [
        "# What if: from a moved cause to what is drawn",
        "",
        f"Milliseconds, medians; goal {GOAL} ms. Load of the machine meanwhile: {load_average:.0f} on {os.cpu_count()} "
        "cores. `python benchmarks/what_if.py` writes this.",
        "",
        "| part | by the clock | processor time |",
        "|---|---|---|",
        *(f"| {name} | {each['clock']:.1f} | {each['processor']:.1f} |" for name, each in parts.items()),
    ]
    for words, left_out in (("together, the curve as it was", {CURVE}), ("together, with a new curve", set())):
        sums = [sum(each[of] for name, each in parts.items() if name not in left_out) for of in ("clock", "processor")]
        lines.append(f"| {words} | {sums[0]:.0f} | {sums[1]:.0f} |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--moves", type=int, default=20)
    torch.set_num_threads(1)
    parts = measured(parser.parse_args().moves)
    load_average = os.getloadavg()[0]
    (HERE / "what_if.json").write_text(json.dumps({"load": round(load_average, 1), "parts": parts}, indent=1) + "\n")
    (HERE / "what_if.md").write_text(table(parts, load_average))
    print(table(parts, load_average))


if __name__ == "__main__":
    main()
