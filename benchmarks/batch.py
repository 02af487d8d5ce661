"""`ecgkt explain FOLDER --out` against a loop of `wfdb.rdrecord` and the model; writes batch.json and batch.md.

    python benchmarks/batch.py [--ecgs 500] [--rounds 3] [--workers 2]

PTB-XL's own 500 Hz records (10 s, 12 leads, WFDB), linked again and again until there are as many as asked for; the
simulated examples that ship where PTB-XL is not there. Both ways run in turn, each in processes of its own, on the same
records; then each step of one process is timed by itself. About two minutes on two idle cores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).parent
sys.path.insert(0, str(ROOT))

from benchmarks.real_data import REAL_DATA  # noqa: E402

GOAL = 200  # ECG/s on two cores
PROFILED = 96  # ECGs whose steps are timed at most
ENOUGH = 200  # ECGs from which memory is looked at with a quarter of them as well
LOOPED = 100  # ECGs of the loop in each round at most: its speed does not depend on how many

LOOP = """
import sys, time
import numpy as np, wfdb
import ecgkt
model = ecgkt.load()
names = sys.argv[1:]
def one(name):
    record = wfdb.rdrecord(name)
    signal = record.p_signal.T.astype(np.float32)
    return model.predict(ecgkt.ECG.from_leads(record.sig_name, signal, record.fs))
one(names[0])
wall, processor = time.perf_counter(), time.process_time()
for name in names:
    one(name)
print(time.perf_counter() - wall, time.process_time() - processor)
"""
BATCH = """
import resource, sys, time
from pathlib import Path
import ecgkt
from ecgkt.batch import folder
from ecgkt.batch.rows import Wanted
if __name__ == "__main__":
    root, out, workers = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    rows_of, arrived = folder.all_rows, []
    def watched(*asked):
        for rows in rows_of(*asked):
            arrived.append((time.perf_counter(), len(rows)))
            yield rows
    folder.all_rows = watched
    folder.explain_folder(ecgkt.load(), None, root, out, Wanted(), workers, sys.stderr)
    first = arrived[min(workers, len(arrived) - 1) - 1][0]
    going = sum(count for moment, count in arrived if moment > first) / max(arrived[-1][0] - first, 1e-9)
    print(going, max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
"""


def records() -> list[Path]:
    found = sorted((REAL_DATA / "ptbxl_native" / "records500").rglob("*_hr.hea"))
    return found or sorted((ROOT / "assets" / "examples" / "simulated").rglob("*.hea"))


def linked(root: Path, sources: list[Path], count: int) -> Path:
    """`count` records below `root`: headers written under their new names, signals linked."""
    for k in range(count):
        source = sources[k % len(sources)]
        place = root / f"{k // 1000:03d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"e{k:06d}.hea").write_bytes(source.read_bytes().replace(source.stem.encode(), b"e%06d" % k))
        (place / f"e{k:06d}.dat").symlink_to(os.path.relpath(source.with_suffix(".dat"), place))
    return root


def run(*command: str) -> tuple[str, float, float]:
    """(stdout, wall s, processor s of the process and all that it started)."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return said, time.perf_counter() - began, sum(after[:2]) - sum(before[:2])


def steps(paths: list[Path]) -> dict[str, float]:
    """Step -> median ms an ECG, in one process on one thread, in the order in which they come."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    import numpy as np  # the first import of it in this process, so that it is held to one thread
    import torch
    import wfdb

    import ecgkt
    from ecgkt.batch.records import load
    from ecgkt.batch.rows import Wanted, row
    from ecgkt.batch.workers import CHUNK
    from ecgkt.measurements.delineation import delineate
    from ecgkt.measurements.median_beat import median_beat
    from ecgkt.measurements.wave_network import wave_probabilities
    from ecgkt.model.analyzed import AnalyzedECG
    from ecgkt.model.preprocessing import model_view
    from ecgkt.quality.lead_reversal import suspected_reversals
    from ecgkt.quality.usable import assess
    from ecgkt.quality.warnings import quality_warnings

    torch.set_num_threads(1)
    model = ecgkt.load()
    times: dict[str, list[float]] = {}

    def timed(step: str, function: Callable[[], Any], of: int = 1) -> Any:
        began = time.perf_counter()
        result = function()
        times.setdefault(step, []).append(1000 * (time.perf_counter() - began) / of)
        return result

    for first in range(0, len(paths), CHUNK):
        analyzed = []
        for path in paths[first : first + CHUNK]:
            timed("wfdb.rdrecord, for comparison", lambda path=path: wfdb.rdrecord(str(path.with_suffix(""))))
            content = timed("files and SHA-256", lambda path=path: load(path))
            ecg = timed("decoding", content.ecg)
            signal = np.nan_to_num(ecg.resampled(250).signal.astype(float))
            whole = timed("beats and waves", lambda ecg=ecg: delineate(ecg))
            timed("of which the wave network", lambda signal=signal: wave_probabilities(signal))
            timed("usable?", lambda ecg=ecg, whole=whole: assess(ecg, whole))
            beat = timed("median beat", lambda ecg=ecg, whole=whole: median_beat(ecg, whole))
            timed("intervals, with the median beat", lambda ecg=ecg, whole=whole: ecgkt.measure(ecg, beats=whole))
            timed("warnings", lambda ecg=ecg, whole=whole, beat=beat: quality_warnings(ecg, whole, beat))
            timed("of which leads exchanged", lambda beat=beat: suspected_reversals(beat))
            timed("the networks' view", lambda ecg=ecg: model_view(ecg))
            each = AnalyzedECG(ecg)
            _ = each.quality, each.warnings, each.windows
            analyzed.append(each)
        predictions = timed(
            "network and heads, 32 ECGs together", lambda a=analyzed: model.predict_many(a), len(analyzed)
        )
        for each, said in zip(analyzed, predictions, strict=True):
            timed("row", lambda each=each, said=said: row("", "", each, said, model, Wanted()))
    for each in analyzed[:4]:
        timed("relevance of one label, if asked for", lambda each=each: model.attribute(each, "AFIB"))
    return {step: float(np.mean(values)) for step, values in times.items()}


PARTS = ("files and SHA-256", "decoding", "beats and waves", "usable?", "intervals, with the median beat", "warnings",
         "the networks' view", "network and heads, 32 ECGs together", "row")  # fmt: skip


def measure(count: int, rounds: int, workers: int) -> dict[str, Any]:
    sources = records()
    out: dict[str, Any] = {"loop": [], "loop_processor": [], "whole": [], "whole_processor": [], "going": []}
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch) / "batch.py"
        script.write_text(BATCH)
        folder = linked(Path(scratch) / "ecgs", sources, count)
        names = [str(path.with_suffix("")) for path in sorted(folder.rglob("*.hea"))[: min(LOOPED, count // 5)]]
        peaks: dict[int, float] = {}

        def batch(place: Path, table: Path, ecgs: int) -> tuple[float, float, float]:
            """(ECG/s once loaded, wall s and processor s of all)."""
            said, wall, processor = run(sys.executable, str(script), str(place), str(table), str(workers))
            going, kilobytes = map(float, said.split())
            peaks[ecgs] = max(peaks.get(ecgs, 0), kilobytes / 1024)
            return going, wall, processor

        if count >= ENOUGH:
            batch(linked(Path(scratch) / "some", sources, count // 4), Path(scratch) / "some.parquet", count // 4)
        for k in range(rounds):
            wall, processor = map(float, run(sys.executable, "-c", LOOP, *names)[0].split())
            out["loop"].append(len(names) / wall)
            out["loop_processor"].append(1000 * processor / len(names))
            table = Path(scratch) / f"{k}.parquet"
            going, wall, processor = batch(folder, table, count)
            out["going"].append(going)
            out["whole"].append(count / wall)
            out["whole_processor"].append(1000 * processor / count)
        out |= {"memory": peaks, "bytes": table.stat().st_size / count}
    out["profiled"] = min(PROFILED, count // 5)
    out["steps"] = steps([sources[k % len(sources)] for k in range(out["profiled"])])
    out["ratios"] = [a / b for a, b in zip(out["going"], out["loop"], strict=True)]
    out |= {"ecgs": count, "workers": workers, "cores": os.cpu_count(), "system": platform.system()}
    out["load"] = os.getloadavg()[2] if hasattr(os, "getloadavg") else None
    out["data"] = "PTB-XL, 500 Hz" if "ptbxl" in str(sources[0]) else "simulated examples"
    return out


def spread(values: list[float], digits: int = 0) -> str:
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def page(found: dict[str, Any]) -> str:
    going, count = median(found["going"]), found["workers"]
    every = sum(found["steps"][part] for part in PARTS)
    reached = "reached" if going >= GOAL else f"missed by a factor of {GOAL / going:.1f}"
    memory = ", ".join(f"{mb:.0f} MB with {ecgs} ECGs" for ecgs, mb in found["memory"].items())
    ways = {
        "loop of `wfdb.rdrecord` and `Model.predict`, once loaded": ("loop", "loop_processor"),
        "`ecgkt explain FOLDER --out`, once its processes are loaded": ("going", ""),
        "the same from its start to the finished table": ("whole", "whole_processor"),
    }
    rows = [
        f"| {way} | {spread(found[rate], 1)} | {spread(found[busy]) if busy else ''} |"
        for way, (rate, busy) in ways.items()
    ]
    profile = [
        f"| {step} | {ms:.2f} | {f'{100 * ms / every:.0f}%' if step in PARTS else ''} |"
        for step, ms in found["steps"].items()
    ]
    load = "" if found["load"] is None else f" Load of the machine (15 minutes): {found['load']:.1f}."
    return f"""# A folder of ECGs

{found["ecgs"]} WFDB records ({found["data"]}, 10 s, 12 leads), {count} processes on {found["cores"]} cores,
{len(found["going"])} round(s), both ways in turn: median (least to most).{load}

| | ECG/s | processor, ms an ECG |
|---|---|---|
{chr(10).join(rows)}

The batch is {spread(found["ratios"], 1)} times as fast as the loop. The goal of {GOAL} ECG/s is {reached}.
Largest process: {memory}. A row takes {found["bytes"] / 1024:.1f} kB of Parquet.

Where the time goes, in one process on one thread, mean of {found["profiled"]} ECGs one after another:

| step | ms | share |
|---|---|---|
{chr(10).join(profile)}
| **all of an ECG** | **{every:.1f}** | |

At {every:.1f} ms an ECG, {count} processes on cores of their own could give {1000 * count / every:.0f} ECG/s.
What takes the time is not the network but the checks that decide whether a result is given and with which warnings:
those of a single ECG, none left out. "Leads and time reversed" plays every other tracing backwards, and looks for its
beats and waves once more.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ecgs", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=HERE, help="folder of batch.json and batch.md")
    options = parser.parse_args()
    found = measure(options.ecgs, options.rounds, options.workers)
    (options.out / "batch.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (options.out / "batch.md").write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
