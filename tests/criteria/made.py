"""ECGs of known shape: each lead a sum of waves of given height, time and width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ecgkt.ecg import ECG, LEADS, derived_limb_leads

RATE = 500.0
Wave = tuple[float, float, float]  # mV, s from R, s (standard deviation)
USUAL: dict[str, Sequence[Wave]] = {
    "P": ((0.12, -0.16, 0.022),), "QRS": ((-0.08, -0.028, 0.006), (1.0, 0.0, 0.011), (-0.2, 0.028, 0.008)),
    "T": ((0.3, 0.26, 0.04),),
}  # fmt: skip
DEEP_S: tuple[Wave, ...] = ((0.35, -0.022, 0.008), (-1.0, 0.008, 0.011))
HEIGHT = {"I": 0.7, "II": 1.0, "V1": -0.8, "V2": -0.9, "V3": 0.4, "V4": 1.2, "V5": 1.2, "V6": 0.9}


def ecg(
    more: Mapping[str, Sequence[Wave]] | None = None,
    waves: Mapping[str, Sequence[Wave]] | None = None,
    times: Sequence[float] | None = None,
    height: Mapping[str, float] | None = None,
    sex: str | None = "male",
    age: float | None = 60,
) -> ECG:
    """more: lead -> waves added there, of I, II and V1 to V6. waves: kind -> waves in place of the usual. times: R, s.
    height: mV of R, below 0 of S."""
    at = np.arange(5000) / RATE
    beats = np.arange(0.6, 9.8, 0.85) if times is None else np.array(times)
    kinds = {**USUAL, **(waves or {})}
    rows = {}
    for lead, size in {**HEIGHT, **(height or {})}.items():
        shape = kinds | ({"QRS": DEEP_S} if size < 0 else {})
        own = [(abs(size) * mv, when, wide) for kind in shape.values() for mv, when, wide in kind]
        own += (more or {}).get(lead, ())
        row = np.zeros(len(at))
        for mv, when, wide in own:
            for beat in beats:
                row += mv * np.exp(-0.5 * ((at - beat - when) / wide) ** 2)
        rows[lead] = row
    rows |= derived_limb_leads(rows["I"], rows["II"])
    return ECG(np.stack([rows[lead] for lead in LEADS]).astype(np.float32), RATE, age=age, sex=sex)  # type: ignore[arg-type]
