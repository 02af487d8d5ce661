"""An ECG and what is computed of it on its way from the file to the page: each part once, when it is first asked for.

    analyzed = AnalyzedECG(ecg)
    analyzed.beats, analyzed.intervals, analyzed.quality      # measured on the tracing, no network needed
    prediction = model.predict(analyzed)                      # views and embedding stay with it
    attribution = model.attribute(analyzed, "AFIB")           # and are used again here

Free of torch, so a page can show what was measured before the model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from threading import RLock
from typing import Any, TypeVar

from ecgkt.criteria.quantities import quantities
from ecgkt.criteria.rule import Quantity
from ecgkt.ecg import ECG, FloatArray
from ecgkt.measurements.delineation import Beats, delineate
from ecgkt.measurements.intervals import Intervals, measure
from ecgkt.model.preprocessing import model_view, windows
from ecgkt.prediction import Quality
from ecgkt.quality.resting import resting_share
from ecgkt.quality.usable import assess
from ecgkt.quality.warnings import quality_warnings

T = TypeVar("T")


class AnalyzedECG:
    """One ECG for one or several models. What it holds is never changed, so threads may share it."""

    def __init__(self, ecg: ECG) -> None:
        self.ecg = ecg
        self._results: dict[str, Any] = {}
        self._lock = RLock()

    @classmethod
    def of(cls, ecg: ECG | AnalyzedECG) -> AnalyzedECG:
        """`ecg` itself if it is one already."""
        return ecg if isinstance(ecg, cls) else cls(ecg)  # type: ignore[arg-type]

    def has(self, key: str) -> bool:
        return key in self._results

    def once(self, key: str, make: Callable[[], T]) -> T:
        """`make()`, or what it gave the first time for `key`: here a model leaves its prediction, under its SHA-256."""
        with self._lock:
            if key not in self._results:
                self._results[key] = make()
            return self._results[key]  # type: ignore[no-any-return]

    @cached_property
    def beats(self) -> Beats:
        return delineate(self.ecg)

    @cached_property
    def intervals(self) -> Intervals:
        """Rate, intervals, axes and voltages, with the median beat that they are measured on."""
        return measure(self.ecg, beats=self.beats)

    @cached_property
    def quantities(self) -> dict[str, Quantity]:
        """What criteria of findings are held against, by name (`ecgkt.criteria.check.check`)."""
        return quantities(self.ecg, self.intervals)

    @cached_property
    def _resting(self) -> float:
        return resting_share(self.ecg)

    @cached_property
    def quality(self) -> Quality:
        """Is it a usable 12-lead ECG? `reasons` alone; what makes it doubtful is in `warnings`."""
        return assess(self.ecg, self.beats, self._resting)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What makes a usable tracing doubtful, a sentence each."""
        return quality_warnings(self.ecg, self.beats, self.intervals.beat, self._resting)

    @cached_property
    def view(self) -> FloatArray:
        """[12, samples at 100 Hz] mV, as the networks see the whole tracing."""
        return model_view(self.ecg)

    @cached_property
    def windows(self) -> list[tuple[int, FloatArray]]:
        """(first sample, [12, <= 1000] mV): the stretches of `view` that the networks get, all of one length."""
        return windows(self.view)
