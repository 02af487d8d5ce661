"""Tracings that no patient has, behind the readers: each gives results or one sentence on every way to a page and a
report, without a warning, and none costs more than a real one could.
"""

from __future__ import annotations

import json
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from ecgkt.ecg import ECG, ECGError
from ecgkt.explain import explain_ecg
from ecgkt.interpretation.interpret import interpret
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.attribution import METHODS
from ecgkt.model.model import Model
from ecgkt.prediction import HEADS
from ecgkt.readers import read
from ecgkt.readers.checks import checked
from ecgkt.relevance.beat import folded
from ecgkt.relevance.classes import WAYS, Overlay
from ecgkt.relevance.summary import summarize
from ecgkt.report import content, document
from ecgkt.report.data import ReportData
from ecgkt.serial import comparison
from ecgkt.serial import figure as serial_figure
from ecgkt.sheet import beat_figure
from ecgkt.sheet import figure as sheet_figure
from ecgkt.sheet.display_filter import FILTERS
from ecgkt.sheet.layout import LAYOUTS, Paper
from ecgkt.sheet.svg import svg
from tests.strange_ecgs import STRANGE

ROOT = Path(__file__).resolve().parents[1]


SECONDS, MEGABYTES = 2.0, 200  # what a page's first look at an ECG may cost: a minute at 2,000 Hz comes to half of it
DRAWN = ("2 samples of one level", "a minute at 1999.9 Hz", "as tall as is read", "all lost", "lost in blocks",
         "a thousandth lost", "300 a minute", "age 130")  # fmt: skip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux counts memory's peak anew"),
]


@pytest.fixture(scope="module")
def real(shipped_model: Model) -> ECG:
    ecg = read(next((ROOT / "assets" / "examples" / "real").glob("*.dcm"))).resampled(500.0)
    look(shipped_model, ecg)  # what is imported and loaded once is nobody's cost
    return ecg


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_tracing_gives_results_or_one_sentence(name: str, shipped_model: Model, real: ECG) -> None:
    ecg = let_through(STRANGE[name](real))
    if isinstance(ecg, str):
        assert ecg.endswith(".")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # of libraries
        before = cost()
        Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
        analyzed = look(shipped_model, ecg)
        seconds, megabytes = (after - then for after, then in zip(cost(peak=True), before, strict=True))
        assert seconds < SECONDS
        assert megabytes < MEGABYTES
        everything(shipped_model, analyzed, real)
        if name in DRAWN:
            said = content.build(analyzed, shipped_model.predict(analyzed), shipped_model)
            assert document.pdf(said).startswith(b"%PDF")
            assert document.png(said)


def let_through(ecg: ECG) -> ECG | str:
    """What a reader makes of it, or says of it."""
    try:
        return checked(ecg)
    except ECGError as refused:
        return str(refused)


def cost(peak: bool = False) -> tuple[float, float]:
    """Processor seconds and MB of this process; peak: at the most since it was begun anew."""
    status = Path("/proc/self/status").read_text()
    return time.process_time(), int(status.split("VmHWM:" if peak else "VmRSS:")[1].split()[0]) / 1024


def look(model: Model, ecg: ECG) -> AnalyzedECG:
    """What a page shows first: everything measured, predicted and drawn, and what one score rests on."""
    analyzed = AnalyzedECG(ecg)
    prediction = model.predict(analyzed)
    interpret(ecg, analyzed.intervals, analyzed.quantities, prediction, None)
    attribution = None
    if not prediction.abstained:
        attribution = model.attribute(analyzed, prediction.findings[0].label.code)
        summarize(attribution, analyzed.beats, True)
    svg(sheet_figure.figure(ecg))
    sheet_figure.figure(ecg, None, attribution, (), None, analyzed.beats)
    return analyzed


def everything(model: Model, analyzed: AnalyzedECG, before: ECG) -> None:
    """The rest: each layout, filter, method and display, both reports as data, a comparison, the command's answer."""
    ecg, earlier, prediction = analyzed.ecg, AnalyzedECG(before), model.predict(analyzed)
    for layout, filter in product(LAYOUTS, FILTERS):
        drawn = sheet_figure.figure(ecg, Paper(layout=layout, filter=filter))
        assert svg(drawn).startswith("<svg")
        go.Figure(**drawn)
    changed = comparison.compare(earlier.intervals, analyzed.intervals)
    comparison.mismatches(before, ecg)
    if changed.beats is not None:
        go.Figure(**serial_figure.figure(changed.beats))
    if analyzed.intervals.beat is not None:
        go.Figure(**beat_figure.figure(analyzed.intervals.beat))
    reports(content.build(analyzed, prediction, model))
    json.dumps(explain_ecg(model, analyzed, "x"), allow_nan=False)
    if prediction.abstained:
        assert all(reason.endswith(".") for reason in prediction.quality.reasons)
        return
    assert all(0 <= score.probability <= 1 for head in HEADS for score in prediction.scores(head))
    comparison.score_changes(model.predict(earlier), prediction)
    for method in METHODS:
        attribution = model.attribute(analyzed, prediction.findings[0].label.code, method)
        assert np.isfinite(attribution.relevance).all()
        for way in WAYS:
            go.Figure(**sheet_figure.figure(ecg, Paper(), attribution, (), Overlay(way), analyzed.beats))
        if analyzed.intervals.beat is not None:
            relevance = folded(attribution, analyzed.beats, analyzed.intervals.beat)
            go.Figure(**beat_figure.figure(analyzed.intervals.beat, None, relevance))
        reports(content.build(analyzed, prediction, model, attribution=attribution))


def reports(said: ReportData) -> None:
    for kind in ("json", "fhir.json"):
        assert json.loads(document.FORMATS[kind](said))
