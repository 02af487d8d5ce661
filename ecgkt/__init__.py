"""ecgkt: what a 12-lead ECG says beyond the ECG. Research use only; not a medical device.

>>> import ecgkt
>>> ecg = ecgkt.read("record.hea")              # any format that is read -> ECG, 12 leads in mV
>>> ecgkt.measure(ecg).qtcf.value               # intervals, without a network
>>> model = ecgkt.load()                        # the model that ships
>>> prediction = model.predict(ecg)             # findings, diagnoses, labs: ranked, calibrated
>>> model.predict_many([ecg, ecg])              # batched
>>> attribution = model.attribute(ecg, "AFIB")  # relevance, [12, samples at 100 Hz]

What is named in `__all__` is the public interface, with `Model`'s methods without an underscore; the rest may change.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ecgkt.ecg import ECG, LEADS, ECGError

if TYPE_CHECKING:
    from ecgkt.measurements.delineation import Beats, delineate
    from ecgkt.measurements.intervals import Intervals, measure
    from ecgkt.model.analyzed import AnalyzedECG
    from ecgkt.model.bundle import BundleError
    from ecgkt.model.model import Model, load
    from ecgkt.prediction import Attribution, Label, Prediction, Score
    from ecgkt.readers import read

__version__ = "0.1.0"
__all__ = [
    "ECG",
    "LEADS",
    "AnalyzedECG",
    "Attribution",
    "Beats",
    "BundleError",
    "ECGError",
    "Intervals",
    "Label",
    "Model",
    "Prediction",
    "Score",
    "delineate",
    "load",
    "measure",
    "read",
]

NOTICE = "Research use only. Not a medical device. Not for clinical decisions."

# Where each name lives; imported when it is first used, since torch takes seconds and reading a file needs none of it.
_HOMES = {
    "AnalyzedECG": "ecgkt.model.analyzed",
    "Attribution": "ecgkt.prediction",
    "Beats": "ecgkt.measurements.delineation",
    "BundleError": "ecgkt.model.bundle",
    "Intervals": "ecgkt.measurements.intervals",
    "Label": "ecgkt.prediction",
    "Model": "ecgkt.model.model",
    "Prediction": "ecgkt.prediction",
    "Score": "ecgkt.prediction",
    "delineate": "ecgkt.measurements.delineation",
    "load": "ecgkt.model.model",
    "measure": "ecgkt.measurements.intervals",
    "read": "ecgkt.readers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ecgkt' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
