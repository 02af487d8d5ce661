"""Preparation of a MIMIC-shaped data set, timed against the straightforward way on the same files in the same run.

    python benchmarks/preparation.py [--work DIR] [--scale 0.01] [--repeats 3]

The data set is generated below --work once (benchmarks/mimic_shaped) and kept. Every side runs in a process of its
own, in turn, --repeats times; the results of the two ways are compared before any figure is reported. At scale 1 the
figures go to preparation.json and preparation.md beside this file and into README.md, otherwise to --work.
"""

# Nothing but the standard library here: a process begins with the peak memory of the one that started it.
from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
SIDES = (
    "signals_own", "signals_zipped", "signals_both_cores", "signals_wfdb", "labs_own", "labs_kept", "labs_pandas",
    "whole_unpacked", "whole_zipped",
)  # fmt: skip
# Of MIMIC-IV-ECG 1.0 and MIMIC-IV 3.1, and in how many minutes they should be done.
RECORDS, LAB_ROWS = 800_000, 158_000_000
RECORDS_BUDGET, LABS_BUDGET, LABS_BUDGET_BYTES = 13, 2, 2 * 2**30
Figures = dict[str, Any]


def _run(module: str, *arguments: object) -> None:
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, env=os.environ | threads, check=True, stdout=subprocess.DEVNULL)


def _read_once(folder: Path) -> None:
    """Bring the input into the page cache, so that neither side pays for the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                while file.read(1 << 24):
                    pass


def measure(data: Path, out: Path, repeats: int) -> Figures:
    """Side -> its measurements, one a round; the order of the sides turns round by round."""
    rounds: Figures = {side: [] for side in SIDES}
    for number in range(repeats):
        # "labs_kept" reads what "labs_own" left, in this round or in the one before.
        for side in SIDES if number % 2 == 0 else SIDES[::-1]:
            begun = time.monotonic()
            print(f"round {number + 1} of {repeats}: {side}", file=sys.stderr, flush=True)
            _run("preparation_sides", side, data, out / side)
            rounds[side].append(json.loads((out / side / "measured.json").read_text()))
            print(f"  done in {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        if number == 0:
            print("do the two ways agree?", file=sys.stderr, flush=True)
            _run("preparation_sides", "check", data, out)
    return rounds


def _median(rounds: list[Figures], key: str) -> float:
    return statistics.median(figures[key] for figures in rounds)


def _ratios(slow: list[Figures], fast: list[Figures], key: str = "seconds") -> dict[str, float]:
    """How many times as long `slow` took for each record or row, round by round: median, least, most."""
    ratios = [(a[key] / a["count"]) / (b[key] / b["count"]) for a, b in zip(slow, fast, strict=True)]
    return {"median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}


def summary(data: Figures, rounds: Figures, agreed: Figures) -> Figures:
    pairs = {
        **dict.fromkeys(("signals_own", "signals_zipped", "signals_both_cores"), "signals_wfdb"),
        **dict.fromkeys(("labs_own", "labs_kept"), "labs_pandas"),
    }
    return {
        "data": data,
        "machine": {"cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()}
        | {name: version(name) for name in ("duckdb", "isal", "numpy", "pandas", "pyarrow", "scipy", "wfdb")},
        "agreed": agreed,
        "ratios": {own: _ratios(rounds[other], rounds[own]) for own, other in pairs.items()},
        "processor_ratios": {
            own: _ratios(rounds[other], rounds[own], "processor_seconds") for own, other in pairs.items()
        },
        "rounds": rounds,
    }


def table(figures: Figures) -> str:
    """The figures as Markdown."""
    rounds, data, agreed = figures["rounds"], figures["data"], figures["agreed"]

    def took(side: str, each: str = "") -> str:
        seconds = _median(rounds[side], "seconds")
        if each:
            return f"{1000 * seconds / rounds[side][0]['count']:.2f} ms {each}"
        return f"{seconds:.1f} s"

    def ratio(side: str) -> str:
        wall, processor = figures["ratios"][side], figures["processor_ratios"][side]
        return f"{wall['median']:.1f} ({wall['least']:.1f}-{wall['most']:.1f}) | {processor['median']:.1f}"

    def peak(side: str) -> str:
        return f"{max(figures['peak_bytes'] for figures in rounds[side]) / 2**20:.0f} MB"

    rows = [
        "| step | straightforward way | ecgkt | times as fast: median (least-most) | in processor time | "
        "peak memory, straightforward | peak memory, ecgkt |",
        "|---|---|---|---|---|---|---|",
        f"| signals, unpacked files | {took('signals_wfdb', 'a record')} | {took('signals_own', 'a record')} "
        f"| {ratio('signals_own')} | {peak('signals_wfdb')} | {peak('signals_own')} |",
        f"| signals, from the zip | the same, unpacked | {took('signals_zipped', 'a record')} "
        f"| {ratio('signals_zipped')} | {peak('signals_wfdb')} | {peak('signals_zipped')} |",
        "| signals, from the zip, both cores, each four times | each once, one core "
        f"| {took('signals_both_cores', 'a record')} "
        f"| {ratio('signals_both_cores')} | {peak('signals_wfdb')} | {peak('signals_both_cores')} |",
        f"| labs near the ECGs | {took('labs_pandas')} | {took('labs_own')} | {ratio('labs_own')} "
        f"| {peak('labs_pandas')} | {peak('labs_own')} |",
        f"| the same, lab rows kept before | {took('labs_pandas')} | {took('labs_kept')} | {ratio('labs_kept')} "
        f"| {peak('labs_pandas')} | {peak('labs_kept')} |",
        f"| whole preparation, unpacked | - | {took('whole_unpacked')} | - | - | - | {peak('whole_unpacked')} |",
        f"| whole preparation, from the zip | - | {took('whole_zipped')} | - | - | - | {peak('whole_zipped')} |",
    ]
    repeats, machine = len(rounds["labs_own"]), figures["machine"]
    below = [
        f"{data['ecgs']:,} ECGs listed, {data['files']:,} of them with waveform files ({data['waveforms']}); "
        f"{data['lab_rows']:,} lab rows in {data['labevents_bytes'] / 2**20:.0f} MB of .csv.gz. {repeats} rounds.",
        f"The two ways agree: signals within {agreed['signals']['largest_difference_uv']} uV, "
        f"{agreed['labs']['values']:,} lab values the same but for {agreed['labs']['ties']:,} ties "
        "(two measurements equally near).",
        _at_full_size(rounds, data) if data["scale"] == 1 else "A quick try: fixed costs weigh more than at full size.",
        "From one machine: " + ", ".join(f"{name} {value}" for name, value in machine.items()) + ".",
    ]
    return "\n".join(rows) + "\n\n" + "\n\n".join(below) + "\n"


def _at_full_size(rounds: Figures, data: Figures) -> str:
    both = rounds["signals_both_cores"]
    minutes = _median(both, "seconds") / both[0]["count"] * RECORDS / 60
    labs_minutes = _median(rounds["labs_own"], "seconds") / data["lab_rows"] * LAB_ROWS / 60
    peak = max(figures["peak_bytes"] for figures in rounds["labs_own"])
    return (
        f"At MIMIC's size, by both cores, if time grows with the rows: {RECORDS:,} records from the zip "
        f"{minutes:.0f} min (budget {RECORDS_BUDGET}: {_verdict(minutes <= RECORDS_BUDGET)}); {LAB_ROWS:,} lab rows "
        f"{labs_minutes:.1f} min (budget {LABS_BUDGET}: {_verdict(labs_minutes <= LABS_BUDGET)}), here in "
        f"{peak / 2**30:.1f} GB (budget {LABS_BUDGET_BYTES / 2**30:.0f} GB: {_verdict(peak <= LABS_BUDGET_BYTES)})."
    )


def _verdict(met: bool) -> str:
    return "met" if met else "missed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "benchmark", help="where the data set is kept")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 200,000 ECGs and 20 million lab rows")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    work = options.work.resolve()
    data, out = work / f"scale-{options.scale:g}", work / "out"
    _run("mimic_shaped", data, "--scale", options.scale)
    _read_once(data)
    rounds = measure(data, out, options.repeats)
    agreed = json.loads((out / "agreed.json").read_text())
    figures = summary(json.loads((data / "data.json").read_text()), rounds, agreed)
    text = table(figures)
    print(text)
    target = HERE if options.scale == 1 else work
    (target / "preparation.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (target / "preparation.md").write_text(text, encoding="utf-8")
    if target == HERE:
        readme = HERE / "README.md"
        between = re.compile(r"(?<=<!-- preparation -->\n).*(?=<!-- /preparation -->)", re.DOTALL)
        readme.write_text(between.sub(lambda _: text, readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:
        sys.exit(f"{' '.join(failed.cmd[2:4])} ended with {failed.returncode}; its message is above.")
