"""Which delineator `ecgkt.measurements.intervals` rests on: errors at every boundary; writes delineation.json and .md

    python benchmarks/delineation.py [--neurokit PYTHON] [--methods dwt prominence cwt ecgdeli] [--work DIR]

PYTHON is an interpreter of an environment of its own with neurokit2 (MIT; it needs pandas < 3) and, for "ecgdeli", with
ecgdeli (GPL, so for comparison only). Our own wave network was fitted to half of LUDB and to other patients of the same
simulator: LUDB's other half is what to judge it by. References: the LUDB records below data/ludb, whose
annotations of twelve leads are made global, and recordings that `python -m training simulate` draws with known
boundaries. What others found stays in DIR (default runs/benchmark/delineation) and is taken up again.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.delineation_references import BOUNDARIES, Reference, Truth, ludb, simulated  # noqa: E402
from benchmarks.real_data import REAL_DATA  # noqa: E402
from ecgkt.measurements.delineation import delineate  # noqa: E402
from ecgkt.measurements.r_peaks import RATE, r_peaks  # noqa: E402

HERE = Path(__file__).parent
OTHERS_RATE = 500.0  # Hz at which the others see the records; LUDB's own
PATIENTS, SEED = 40, 3  # simulated
NEAR = 0.06  # s around QRS within which an R peak belongs to it
# ms. SD allowed at a boundary: CSE Working Party 1985 (2 s, as in Martinez et al. 2004). Mean and SD allowed of an
# interval: IEC 60601-2-51 and its successor 60601-2-25. Both were made for the CSE database, not for LUDB.
TOLERANCE = {"p_onset": 10.2, "p_offset": 12.7, "qrs_onset": 6.5, "qrs_offset": 11.6, "t_offset": 30.6}
ALLOWED = {"P duration": (10, 15), "PR": (10, 10), "QRS": (10, 10), "QT": (25, 30)}
ENDS = {"P duration": ("p_onset", "p_offset"), "PR": ("p_onset", "qrs_onset"), "QRS": ("qrs_onset", "qrs_offset"),
        "QT": ("qrs_onset", "t_offset")}  # fmt: skip
NOT_FITTED = 0  # first of every second record of LUDB that our network was not fitted to
RANKS = range(6)  # 0 the outermost lead, 1 the outermost but one, ...

Errors = dict[str, dict[str, float]]  # boundary or interval -> record -> ms
Found = dict[str, list[dict[str, float | None]]]  # record -> beats, each with "r"


def own(references: Iterable[Reference]) -> Found:
    return {reference.name: [vars(beat) for beat in delineate(reference.ecg).beats] for reference in references}


def others(python: Path, method: str, folder: Path, references: list[Reference]) -> dict[str, Any]:
    """Runs delineation_others.py on the references, given the R peaks that our own side uses."""
    folder.mkdir(parents=True, exist_ok=True)
    for reference in references:
        target = folder / f"{reference.name}.npz"
        if not target.is_file():
            peaks = r_peaks(np.nan_to_num(reference.ecg.resampled(RATE).signal.astype(float)))
            signal = np.nan_to_num(reference.ecg.resampled(OTHERS_RATE).signal.astype(float))
            np.savez(target, signal=signal, rate=OTHERS_RATE, peaks=np.rint(peaks * OTHERS_RATE / RATE).astype(int))
    names = [reference.name for reference in references]
    subprocess.run([python, HERE / "delineation_others.py", folder, method, *names], check=True)
    return json.loads((folder / f"{method}.json").read_text(encoding="utf-8"))


def joined(raw: dict[str, Any], folder: Path, rank: dict[str, int]) -> Found:
    """Global beats from per-lead ones: each boundary the `rank`-th from the outside over the leads."""
    out: Found = {}
    for name, leads in raw["records"].items():
        with np.load(folder / f"{name}.npz") as record:
            peaks, rate = record["peaks"], float(record["rate"])
        beats: list[dict[str, float | None]] = []
        for i, r in enumerate(peaks):
            beat: dict[str, float | None] = {"r": r / rate}
            for boundary in BOUNDARIES:
                known = [lead[boundary][i] / rate for lead in leads if lead[boundary][i] is not None]
                known.sort(reverse=boundary.endswith("offset"))
                few = len(known) < len(leads) / 2
                beat[boundary] = None if few else known[min(rank[boundary], len(known) - 1)]
            beats.append(beat)
        out[name] = beats
    return out


def errors(references: Iterable[Reference], found: Found) -> tuple[Errors, dict[str, Any]]:
    """ms found - true, the median over a record's beats; and how many beats went without."""
    out: Errors = {name: {} for name in (*BOUNDARIES, *ALLOWED)}
    counts: dict[str, Any] = {"beats": 0, "missed": dict.fromkeys(BOUNDARIES, 0), "without_p": 0, "false_p": 0}
    for reference in references:
        beats = found[reference.name]
        pairs = [(truth, _match(truth, beats)) for truth in reference.beats]
        counts["beats"] += len(pairs)
        if reference.without_p:
            counts["without_p"] += 1
            counts["false_p"] += sum(b["p_onset"] is not None for b in beats) > len(beats) / 2
        for name in BOUNDARIES:
            both = [(beat.get(name), truth[name]) for truth, beat in pairs if name in truth]
            counts["missed"][name] += sum(a is None for a, _ in both)
            _add(out[name], reference.name, [a - b for a, b in both if a is not None])
        for name, (first, last) in ENDS.items():
            spans = [
                (beat[last] - beat[first]) - (truth[last] - truth[first])
                for truth, beat in pairs
                if {first, last} <= truth.keys() and beat.get(first) is not None and beat.get(last) is not None
            ]
            _add(out[name], reference.name, spans)
    return out, counts


def _match(truth: Truth, beats: list[dict[str, float | None]]) -> dict[str, float | None]:
    near = [b for b in beats if truth["qrs_onset"] - NEAR < b["r"] < truth["qrs_offset"] + NEAR]
    return near[0] if near else {}


def _add(into: dict[str, float], record: str, seconds: list[float]) -> None:
    if seconds:
        into[record] = 1000 * float(np.median(seconds))


def summary(found: Errors, counts: dict[str, Any]) -> dict[str, Any]:
    rows = {}
    for name, by_record in found.items():
        ms = np.array([*by_record.values()])
        if len(ms):
            rows[name] = {"records": len(ms), "mean": round(float(ms.mean()), 1), "sd": round(float(ms.std()), 1),
                          "median": round(float(np.median(ms)), 1),
                          "sd_robust": round(float(np.subtract(*np.percentile(ms, (75, 25))) / 1.349), 1)}  # fmt: skip
    return {"errors_ms": rows} | counts


def best_ranks(references: list[Reference], find: Callable[[dict[str, int]], Found]) -> Errors:
    """Errors of the rank that did best (root mean square) on the other half of the records, boundary by boundary."""
    by_rank = [errors(references, find(dict.fromkeys(BOUNDARIES, k)))[0] for k in RANKS]
    names = [reference.name for reference in references]
    ranks: dict[int, dict[str, int]] = {}
    for half in (0, 1):
        other = set(names[1 - half :: 2])
        ranks[half] = {
            b: min(RANKS, key=lambda k, b=b: np.mean([e**2 for r, e in by_rank[k][b].items() if r in other] or [1e9]))
            for b in BOUNDARIES
        }
    out: Errors = {name: {} for name in (*BOUNDARIES, *ALLOWED)}
    for half in (0, 1):
        chosen = [reference for reference in references if reference.name in set(names[half::2])]
        for name, by_record in errors(chosen, find(ranks[half]))[0].items():
            out[name] |= by_record
    return out


def table(result: dict[str, Any]) -> str:
    lines = ["Error against the reference in ms, mean (SD) over records of each record's median over its beats.",
             "Bold: within the tolerance in the head (SD at a boundary; mean and SD of an interval).", ""]  # fmt: skip
    for title, rows in result["sets"].items():
        lines += [f"**{title}**", ""]
        for names, head in ((BOUNDARIES, {b: f"{b.replace('_', ' ')} ({t:g})" for b, t in TOLERANCE.items()}),
                            (tuple(ALLOWED), {i: f"{i} (±{m}, {s})" for i, (m, s) in ALLOWED.items()})):  # fmt: skip
            lines += ["| | " + " | ".join(head[n] for n in names) + " |", "|---" * (len(names) + 1) + "|"]
            for method, row in rows.items():
                lines.append(f"| {method} | " + " | ".join(_cell(row["errors_ms"].get(n), n) for n in names) + " |")
            lines.append("")
        lines += ["| | beats | not found: P / QRS / T | a P wave in records without | processor time a record |",
                  "|---|---|---|---|---|"]  # fmt: skip
        for method, row in rows.items():
            if "beats" in row:
                missed = " / ".join(str(row["missed"][b]) for b in ("p_onset", "qrs_onset", "t_offset"))
                lines.append(f"| {method} | {row['beats']} | {missed} | {row['false_p']} of {row['without_p']} | "
                             f"{1000 * row['seconds']:.0f} ms |")  # fmt: skip
        lines.append("")
    return "\n".join(lines)


def _cell(row: dict[str, float] | None, name: str) -> str:
    if row is None:
        return "-"
    mean, sd = ALLOWED.get(name, (np.inf, TOLERANCE.get(name, 0)))
    mark = "**" if abs(row["mean"]) <= mean and row["sd"] <= sd else ""
    return f"{mark}{row['mean']:+.1f} ({row['sd']:.1f}){mark}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ludb", type=Path, default=REAL_DATA / "ludb")
    parser.add_argument("--neurokit", type=Path, help="an interpreter that has neurokit2")
    parser.add_argument("--methods", nargs="*", default=["prominence", "dwt", "cwt"])
    parser.add_argument("--every", type=int, default=1, help="others see every nth record only; they take seconds each")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "benchmark" / "delineation")
    options = parser.parse_args()
    cohort = options.work.resolve() / "cohort"
    if not (cohort / "truth").is_dir():
        command = ["simulate", "--patients", str(PATIENTS), "--seed", str(SEED), "--out", str(cohort)]
        subprocess.run([sys.executable, "-m", "training", *command], check=True, cwd=ROOT)
    sets = {"ludb": list(ludb(options.ludb)), "simulated": list(simulated(cohort))}
    result: dict[str, Any] = {"tolerance_ms": TOLERANCE, "allowed_ms": ALLOWED, "versions": {}, "sets": {}}
    for name, references in sets.items():
        start = time.process_time()
        beats = own(references)
        seconds = (time.process_time() - start) / len(references)
        found: dict[str, tuple[Found, float]] = {"ecgkt.measurements.delineation": (beats, seconds)}
        best: dict[str, Callable[[dict[str, int]], Found]] = {}
        for method in options.methods if options.neurokit else ():
            folder = options.work / name
            raw = others(options.neurokit, method, folder, references[:: options.every])
            label = f"{raw['library']} {method}" if raw["library"] != method else method
            result["versions"][raw["library"]] = raw["version"]
            best[label] = partial(joined, raw, folder)
            found[label] = best[label](dict.fromkeys(BOUNDARIES, 1)), float(np.median(raw["seconds"]))
        groups = {f"{name}, {len(references)} records": references}
        if name == "ludb":  # as training.waves.examples.annotated divides them
            unseen = references[NOT_FITTED::2]
            groups[f"{name}, the {len(unseen)} records not fitted to"] = unseen
        unpaced = [reference for reference in references if not reference.paced]
        if len(unpaced) < len(references):
            groups[f"{name}, the {len(unpaced)} without a pacemaker"] = unpaced
        if options.every > 1:
            groups[f"{name}, every {options.every}th record"] = references[:: options.every]
        for title, group in groups.items():
            rows = {}
            names = {reference.name for reference in group}
            for label, (beats, seconds) in found.items():
                if not names <= beats.keys():
                    continue
                rows[label] = summary(*errors(group, beats)) | {"seconds": round(seconds, 3)}
                if label in best:
                    rows[f"{label}, best rank"] = summary(best_ranks(group, best[label]), {})
            result["sets"][title] = rows
    text = table(result)
    print(text)
    (HERE / "delineation.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (HERE / "delineation.md").write_text(f"# Delineation\n\n{text}", encoding="utf-8")
    readme = HERE / "README.md"
    between = re.compile(r"(?<=<!-- delineation -->\n).*(?=<!-- /delineation -->)", re.DOTALL)
    readme.write_text(between.sub(lambda _: text, readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
