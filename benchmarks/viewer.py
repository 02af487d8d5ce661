"""The sheet and the reading page, timed against twelve subplots with lists; writes viewer.json and viewer.md.

    python benchmarks/viewer.py [--rounds 15]

Both ways draw the same example ECGs in one run and in turn. Times are of the processor, not of the clock, so that a
busy machine changes them little. Budgets: a figure in 5 ms, a rerun of the page beyond prediction in 50 ms, 300 kB at
first sight.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import plotly
import plotly.graph_objects as go
import streamlit
from plotly.subplots import make_subplots
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).parent
sys.path.insert(0, str(ROOT))

import ecgkt  # noqa: E402
from ecgkt.datasets.collection import open_collection  # noqa: E402
from ecgkt.ecg import ECG, LEADS  # noqa: E402
from ecgkt.prediction import Attribution  # noqa: E402
from ecgkt.sheet import figure as sheet_figure  # noqa: E402
from ecgkt.sheet import svg as sheet_svg  # noqa: E402
from ecgkt.sheet.layout import Layout, Paper  # noqa: E402

EXAMPLES = 5  # spread over the collection
SHEETS: tuple[Layout, ...] = ("3x4", "12x1")
FIGURE_MS, RERUN_MS, BYTES = 5.0, 50.0, 300_000


def subplots(ecg: ECG, *_: Any, **__: Any) -> dict[str, Any]:
    """The straightforward way: a subplot a lead, time and millivolts as lists."""
    sheet = make_subplots(rows=len(LEADS), cols=1, shared_xaxes=True)
    seconds = (np.arange(ecg.samples) / ecg.rate).tolist()
    for row, (lead, values) in enumerate(zip(LEADS, ecg.signal, strict=True), start=1):
        sheet.add_trace(go.Scatter(x=seconds, y=values.tolist(), name=lead, mode="lines"), row=row, col=1)
    return sheet.to_dict()  # type: ignore[no-any-return]


def milliseconds(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began)


def size(figure: dict[str, Any]) -> int:
    """Bytes as Streamlit sends them."""
    return len(go.Figure(figure).to_json())


def figures(chosen: list[tuple[ECG, Attribution]], rounds: int) -> dict[str, Any]:
    """Milliseconds to build and bytes to send, of every layout with and without relevance, and of the subplots."""
    ways: dict[str, Callable[[ECG, Attribution], dict[str, Any]]] = {"12 subplots with lists": lambda e, a: subplots(e)}
    for layout in SHEETS:
        ways[layout] = lambda e, a, layout=layout: sheet_figure.figure(e, Paper(layout))
        ways[f"{layout} with relevance"] = lambda e, a, layout=layout: sheet_figure.figure(e, Paper(layout), a)
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for ecg, attribution in chosen:
            for name, way in ways.items():
                took[name].append(milliseconds(lambda way=way, e=ecg, a=attribution: way(e, a)))
    out = {}
    for name, way in ways.items():
        sizes = [size(way(ecg, attribution)) for ecg, attribution in chosen]
        times = took[name][len(chosen) :]  # the first round warms up
        out[name] = {"ms": round(median(times), 2), "least": round(min(times), 2), "most": round(max(times), 2)}
        out[name]["bytes"] = max(sizes)
    pictures = [len(sheet_svg.svg(sheet_figure.figure(ecg, Paper(layout)))) for ecg, _ in chosen for layout in SHEETS]
    out["first picture (SVG)"] = {"bytes": max(pictures)}
    return out


def reruns(rounds: int) -> dict[str, Any]:
    """Milliseconds of a rerun of the whole page, prediction and relevance kept, with our sheet and with subplots."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    app.session_state["first_sheet"] = float("-inf")  # the first picture is over
    ours = sheet_figure.figure
    took: dict[str, list[float]] = {"this page": [], "with 12 subplots": []}
    for number in range(rounds + 1):
        for name, way in (("this page", ours), ("with 12 subplots", subplots)):
            sheet_figure.figure = way  # type: ignore[assignment]
            spent = milliseconds(app.run)
            if app.exception:
                raise SystemExit(f"the page failed: {app.exception[0].message}")
            if number:  # the first warms up
                took[name].append(spent)
    sheet_figure.figure = ours
    return {
        name: {"ms": round(median(t), 1), "least": round(min(t), 1), "most": round(max(t), 1)}
        for name, t in took.items()
    }


def report(result: dict[str, Any]) -> str:
    def spread(row: dict[str, Any]) -> str:
        return f"{row['ms']:g} ({row['least']:g}-{row['most']:g})" if "ms" in row else "-"

    slow = result["figures"]["12 subplots with lists"]
    lines = [
        "| figure | processor ms: median (least-most) | times as fast | kB sent | times as small |",
        "|---|---|---|---|---|",
    ]
    for name, row in result["figures"].items():
        fast = f"{slow['ms'] / row['ms']:.0f}" if "ms" in row else "-"
        small = f"{slow['bytes'] / row['bytes']:.0f}"
        lines.append(f"| {name} | {spread(row)} | {fast} | {row['bytes'] / 1000:.0f} | {small} |")
    lines += ["", "| rerun of the page beyond prediction | processor ms: median (least-most) |", "|---|---|"]
    lines += [f"| {name} | {spread(row)} |" for name, row in result["reruns"].items()]
    worst = max(row["ms"] for name, row in result["figures"].items() if name.startswith(SHEETS))
    first = {
        layout: result["figures"][f"{layout} with relevance"]["bytes"]
        + result["figures"]["first picture (SVG)"]["bytes"]
        for layout in SHEETS
    }
    rerun = result["reruns"]["this page"]["ms"]
    rows = (
        (f"a figure, at most {worst:g} ms", f"{FIGURE_MS:g} ms", worst <= FIGURE_MS),
        (f"a rerun, {rerun:g} ms", f"{RERUN_MS:g} ms", rerun <= RERUN_MS),
        (
            "first sight, figure and picture: " + ", ".join(f"{name} {n / 1000:.0f} kB" for name, n in first.items()),
            f"{BYTES / 1000:.0f} kB",
            max(first.values()) <= BYTES,
        ),
    )
    lines += ["", *(f"- {what} (budget {budget}: {'met' if met else 'missed'})" for what, budget, met in rows)]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return "\n".join([*lines, "", f"{result['examples']} example ECGs, {result['rounds']} rounds. {versions}.", ""])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=15)
    rounds = options.parse_args().rounds
    collection, model = open_collection(ROOT / "assets" / "examples"), ecgkt.load()
    chosen = []
    for entry in collection.entries[:: len(collection.entries) // EXAMPLES][:EXAMPLES]:
        ecg = collection.read(entry.key)
        chosen.append((ecg, model.attribute(ecg, model.predict(ecg).striking().label.code)))
    versions = {"python": platform.python_version(), "plotly": plotly.__version__, "streamlit": streamlit.__version__}
    result = {
        "figures": figures(chosen, rounds),
        "reruns": reruns(rounds),
        "examples": len(chosen),
        "rounds": rounds,
        "versions": versions,
    }
    text = report(result)
    print(text)
    (HERE / "viewer.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (HERE / "viewer.md").write_text(f"# Viewer\n\n{text}", encoding="utf-8")
    readme = HERE / "README.md"
    between = re.compile(r"(?<=<!-- viewer -->\n).*(?=<!-- /viewer -->)", re.DOTALL)
    readme.write_text(between.sub(lambda _: text, readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
