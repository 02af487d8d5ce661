"""Other delineators, run by an interpreter of their own for benchmarks/delineation.py (needs neither ecgkt nor wfdb).

    PYTHON delineation_others.py FOLDER METHOD [NAME ...]

FOLDER/NAME.npz holds `signal` [12, samples] mV, `rate` Hz and `peaks` (samples of the R peaks, the same for every
method, so that boundaries are compared and not the search for beats). Writes FOLDER/METHOD.json: for each record, lead
and boundary one sample (or null) a beat; and the processor seconds that each record took. Takes up an interrupted run.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np

NEUROKIT = {
    "p_onset": "ECG_P_Onsets", "p_offset": "ECG_P_Offsets", "qrs_onset": "ECG_R_Onsets", "qrs_offset": "ECG_R_Offsets",
    "t_offset": "ECG_T_Offsets",
}  # fmt: skip
ECGDELI = {"p_onset": "p_on", "p_offset": "p_off", "qrs_onset": "qrs_on", "qrs_offset": "qrs_off", "t_offset": "t_off"}
SAVE_EVERY = 10  # records, so that a run can be taken up again
NEAR = 0.15  # s from an R peak within which ecgdeli's own counts as the same beat

Found = dict[str, list[float | None]]


def neurokit(signal: np.ndarray, rate: float, peaks: np.ndarray, method: str) -> list[Found]:
    import neurokit2

    leads: list[Found] = []
    for row in signal:
        try:
            clean = neurokit2.ecg_clean(row, sampling_rate=rate, method="neurokit")
            _, waves = neurokit2.ecg_delineate(clean, peaks, sampling_rate=rate, method=method)
        except (IndexError, KeyError, ValueError, ZeroDivisionError):  # it does so on some leads
            waves = {}
        found = {name: list(waves.get(key, [])) for name, key in NEUROKIT.items()}
        leads.append({name: _padded(times, len(peaks)) for name, times in found.items()})
    return leads


def _padded(times: list[float], beats: int) -> list[float | None]:
    known = [float(t) if np.isfinite(t) else None for t in times]
    return known if len(known) == beats else [None] * beats


def ecgdeli(signal: np.ndarray, rate: float, peaks: np.ndarray) -> list[Found]:
    import ecgdeli as deli

    annotated = deli.annotate(deli.filter_ecg(signal.T, fs=rate), fs=rate)
    leads: list[Found] = []
    for lead in annotated.leads:
        own = np.asarray(lead.r_peak, dtype=float)
        nearest = [int(np.argmin(np.abs(own - p))) if len(own) else -1 for p in peaks]
        same = [i if i >= 0 and abs(own[i] - p) < NEAR * rate else -1 for i, p in zip(nearest, peaks, strict=True)]
        times = {name: np.asarray(getattr(lead, key), dtype=float) for name, key in ECGDELI.items()}
        leads.append({name: [float(t[i]) if i >= 0 and t[i] > 0 else None for i in same] for name, t in times.items()})
    return leads


def main() -> None:
    folder, method = Path(sys.argv[1]), sys.argv[2]
    warnings.simplefilter("ignore")
    library = "ecgdeli" if method == "ecgdeli" else "neurokit2"
    target = folder / f"{method}.json"
    result = {"library": library, "version": importlib.metadata.version(library), "seconds": [], "records": {}}
    if target.is_file():  # what an interrupted run left
        result = json.loads(target.read_text(encoding="utf-8"))
    todo = [folder / f"{name}.npz" for name in sys.argv[3:]] or sorted(folder.glob("*.npz"))
    todo = [path for path in todo if path.stem not in result["records"]]
    for path in todo:
        with np.load(path) as record:
            signal, rate, peaks = record["signal"], int(record["rate"]), record["peaks"]
        start = time.process_time()
        try:
            leads = ecgdeli(signal, rate, peaks) if library == "ecgdeli" else neurokit(signal, rate, peaks, method)
        except (IndexError, ValueError) as failed:
            leads = [dict.fromkeys(NEUROKIT, [None] * len(peaks)) for _ in signal]
            print(path.stem, type(failed).__name__, failed, file=sys.stderr)
        result["seconds"].append(time.process_time() - start)
        result["records"][path.stem] = leads
        if len(result["records"]) % SAVE_EVERY == 0 or path == todo[-1]:
            target.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
