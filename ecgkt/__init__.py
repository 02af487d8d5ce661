"""ecgkt: what a 12-lead ECG says beyond the ECG. Research use only; not a medical device.

>>> import ecgkt
>>> ecg = ecgkt.read("record.hea")
>>> model = ecgkt.load()
>>> prediction = model.predict(ecg)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecgkt.ecg import ECG, LEADS, ECGError

if TYPE_CHECKING:
    from ecgkt.model.model import Model, load
    from ecgkt.readers import read

__version__ = "0.1.0"
__all__ = ["ECG", "LEADS", "ECGError", "Model", "load", "read"]

NOTICE = "Research use only. Not a medical device. Not for clinical decisions."


def __getattr__(name: str) -> Any:
    # torch takes a second or more to import; reading a file should not wait for it.
    if name in ("Model", "load"):
        from ecgkt.model import model

        return getattr(model, name)
    if name == "read":
        from ecgkt.readers import read

        return read
    raise AttributeError(f"module 'ecgkt' has no attribute {name!r}")
