"""The judge of the simulated cohort: how near its ECGs come to real ones. Every version of the simulator gets a column.

    python benchmarks/simulation.py --cohort DIR --name before
    python benchmarks/simulation.py --cohort DIR --name after --only shapes,domain
    python benchmarks/simulation.py --report

Parts: populations (intervals by rhythm and age, labs against intervals, published shares: seconds), shapes (intervals,
amplitudes, noise), domain (told apart?), findings (trained on simulated, tested on real), labs (against published
AUROCs), pictures; and, on request and once, reference (real sets told apart from each other).
Needs real data below `benchmarks.real_data.REAL_DATA`; measures and checkpoints are kept in runs/judge.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.real_data import REAL_DATA  # noqa: E402
from benchmarks.simulation_judge import report  # noqa: E402

PARTS = ("populations", "shapes", "domain", "findings", "labs", "pictures", "reference")
RESULTS = ROOT / "benchmarks" / "simulation.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", type=Path, help="folder of `python -m training simulate`")
    parser.add_argument("--name", default="now", help="under which the figures are kept in simulation.json")
    parser.add_argument("--only", default=",".join(PARTS[:-1]), help=f"comma-separated, of {', '.join(PARTS)}")
    parser.add_argument("--steps", type=int, default=1000, help="training steps of findings and labs (batch 128)")
    parser.add_argument("--domain-steps", type=int, default=200, help="training steps of the domain network")
    parser.add_argument("--data", type=Path, default=REAL_DATA, help="folder of the real sets")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "judge", help="folder of caches and checkpoints")
    parser.add_argument("--report", action="store_true", help="only write simulation.md again")
    given = parser.parse_args()
    if not given.report:
        wanted = given.only.split(",")
        if set(wanted) - set(PARTS):
            parser.error(f"--only takes {', '.join(PARTS)}")
        if given.cohort is None or not (given.cohort / "truth").is_dir():
            parser.error("--cohort must name a simulated cohort with its truth/ folder")
        if not (given.data / "ptbxl").is_dir():
            parser.error("there is no real data in --data")
        for part in wanted:
            began = time.monotonic()
            print(f"{part} ...", flush=True)
            keep(given.name, {"cohort": describe(given.cohort), part: run(part, given)})
            print(f"{part}: {time.monotonic() - began:.0f} s", flush=True)
    (ROOT / "benchmarks" / "simulation.md").write_text(report.text(json.loads(RESULTS.read_text())), encoding="utf-8")


def run(part: str, given: argparse.Namespace) -> Any:
    # Imported when needed: the report alone should not wait for torch.
    from benchmarks.simulation_judge import collected, recordings

    if part == "populations":
        from benchmarks.simulation_judge import populations

        return populations.judge(given.cohort, given.data)
    cache = given.work / "cache"
    if part == "findings":
        from benchmarks.simulation_judge import findings

        return findings.judge(given.cohort, given.data, given.work, given.name, given.steps)
    if part == "labs":
        from benchmarks.simulation_judge import labs

        return labs.judge(given.cohort, given.work, given.name, given.steps)
    simulated = collected.simulated(given.cohort, cache)
    reals = {source: collected.real(source, given.data, cache) for source in recordings.SETS}
    if part == "shapes":
        from benchmarks.simulation_judge import shapes

        return shapes.judge(reals, simulated)
    if part == "domain":
        from benchmarks.simulation_judge import domain

        return domain.judge(reals, simulated, given.domain_steps)
    if part == "reference":
        from benchmarks.simulation_judge import domain

        return domain.reference(reals, given.domain_steps)
    from benchmarks.simulation_judge import pictures

    return pictures.judge(reals, simulated, given.work, given.name)


def describe(cohort: Path) -> dict[str, str]:
    """Version, seed and size as the cohort's own note states them."""
    lines = (cohort / "SIMULATED.md").read_text(encoding="utf-8").splitlines()
    stated = [line[2:].split(" ", 1) for line in lines if line.startswith(("- version ", "- seed ", "- patients "))]
    return dict(stated)


def keep(name: str, figures: dict[str, Any]) -> None:
    """Add a part's figures to those of the version `name`; written at once and whole."""
    results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    results.setdefault(name, {}).update(figures)
    part = RESULTS.with_suffix(".part")
    part.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(RESULTS)


if __name__ == "__main__":
    main()
