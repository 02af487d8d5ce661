"""R peaks by neurokit2, run by an interpreter of its own for benchmarks/measurements.py (needs neither ecgkt nor wfdb).

    PYTHON measurements_others.py SIGNALS.npz PEAKS.json

SIGNALS holds "set record" -> [12, samples] at 250 Hz; PEAKS gets "set/record" -> R peaks (s) of each lead.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np

RATE = 250


def peaks(row: np.ndarray) -> list[float]:
    import neurokit2

    try:
        clean = neurokit2.ecg_clean(row, sampling_rate=RATE, method="neurokit")
        found = neurokit2.ecg_findpeaks(clean, sampling_rate=RATE, method="neurokit")["ECG_R_Peaks"]
    except (IndexError, KeyError, ValueError, ZeroDivisionError):  # it does so on flat leads
        return []
    return [float(at) / RATE for at in found]


def main() -> None:
    warnings.simplefilter("ignore")
    with np.load(sys.argv[1]) as signals:
        found = {name.replace(" ", "/"): [peaks(row) for row in signals[name]] for name in signals.files}
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
