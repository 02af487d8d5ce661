"""What readers do with files made to break them; writes fuzzing.json and .md

    python -m benchmarks.fuzzing [--inputs 50000] [--minutes 60] [--only "DICOM ECG"]

For each format, files are changed with their structure in mind (`benchmarks.fuzzing_mutations`) and read. Where atheris
is installed it chooses, by the code that was reached, which changed files are changed further; elsewhere they are drawn
from those that were last read without a refusal, and from the seeds. A format's run is a process of its own, is seeded,
and goes on where it was stopped: its state lies in runs/fuzzing.

Counted: inputs, what was read, refusals by sentence (numbers left out), the dearest input in processor time, and the
growth of the process's memory over the run, an upper bound for any one input. A fault is whatever is neither an ECG nor
one sentence without the patient's name; it ends the run of its format, and the input is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

try:
    import atheris
except ImportError:
    atheris = None
if atheris is not None and "--here" in sys.argv:  # what is imported here says afterwards which of its code was reached
    with atheris.instrument_imports(include=["ecgkt.readers"], enable_loader_override=False):
        import ecgkt.readers  # noqa: F401

import numpy as np

from benchmarks.fuzzing_mutations import LARGEST, MARK, mutate, seeds
from ecgkt.ecg import LEADS, ECGError
from ecgkt.readers import FORMATS, TableLayout, read
from tests.readers.written_files import NAME

HERE = Path(__file__).parent
STATE = HERE.parent / "runs" / "fuzzing"
LAYOUT = TableLayout(500.0, 1.0, LEADS)
SAVE_EVERY = 500  # inputs
LONGEST_WORDS = 300  # of a refusal


class Fault(Exception):
    """A reader did what none may do."""


class Tally:
    """What came of the inputs of one format so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = STATE / f"{re.sub(r'[^A-Za-z0-9]', '_', name)}.json"
        known = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.inputs: int = known.get("inputs", 0)
        self.read: int = known.get("read", 0)
        self.refused: Counter[str] = Counter(known.get("refused", {}))
        self.seconds: float = known.get("seconds", 0.0)
        self.megabytes: float = known.get("megabytes", 0.0)
        self.processor: float = known.get("processor", 0.0)
        self.faults: list[str] = known.get("faults", [])
        self.guided: bool = known.get("guided", False)
        self._start = 0.0  # MB, when libraries were there and each seed had been read

    @staticmethod
    def _peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def count(self, content: bytes) -> bool:
        """Reads one input. Was it an ECG? Raises Fault."""
        if not self._start:
            self._start = self._peak()
        begun = time.process_time()
        said = answer(self.name, content)
        spent = time.process_time() - begun
        self.inputs += 1
        self.processor += spent
        self.seconds = max(self.seconds, spent)
        self.megabytes = max(self.megabytes, self._peak() - self._start)
        if said is None:
            self.read += 1
        else:
            self.refused[plain(said)] += 1
        if self.inputs % SAVE_EVERY == 0:
            self.save()
        return said is None

    def fault(self, content: bytes, error: BaseException) -> None:
        kept = STATE / f"fault_{self.path.stem}_{self.inputs}.bin"
        kept.write_bytes(content)
        self.faults.append(f"{type(error).__name__}: {error}"[:LONGEST_WORDS])
        self.save()

    def save(self) -> None:
        state = {
            key: value for key, value in vars(self).items() if not key.startswith("_") and key not in ("path", "name")
        }
        self.path.write_text(json.dumps(state))


def plain(words: str) -> str:
    """A sentence without its numbers, so that those that say the same are counted together."""
    return re.sub(r"\d[\d.e+]*", "N", words)


def answer(name: str, content: bytes) -> str | None:
    """What a reader says of a file it refuses, None for an ECG. Raises Fault for anything else."""
    files = {"": content}
    if name == "WFDB":
        header, _, samples = content.partition(MARK)
        files = {"r.hea": header, "r.dat": samples}
    try:
        ecg = read(files, LAYOUT)
    except ECGError as error:
        words = str(error)
        if not words.endswith(".") or "\n" in words or NAME in words or len(words) > 2 * LONGEST_WORDS:
            raise Fault(f"not one sentence: {words!r}") from None
        return words
    except Exception as error:
        raise Fault(f"{type(error).__name__}: {error}") from error
    finite = ecg.signal[np.isfinite(ecg.signal)]
    if np.abs(finite).max(initial=0) > 1000 or any(NAME in note for note in ecg.notes):
        raise Fault("an ECG beyond all measure, or a name in its notes")
    return None


def run_one(name: str, inputs: int, minutes: float) -> None:
    """Until `inputs` are counted in all, or the time of this call is up."""
    STATE.mkdir(parents=True, exist_ok=True)
    tally = Tally(name)
    begun, end = seeds(name), time.monotonic() + 60 * minutes
    for content in begun:
        answer(name, content)
    dice = random.Random(f"{name} {tally.inputs}")
    if atheris is None:
        _blind(tally, begun, dice, inputs, end)
    else:
        _guided(tally, begun, inputs, end)


def _blind(tally: Tally, begun: list[bytes], dice: random.Random, inputs: int, end: float) -> None:
    """Without coverage: from the seeds and from changed files that were still read."""
    pool = list(begun)
    while tally.inputs < inputs and time.monotonic() < end:
        content = mutate(tally.name, dice.choice(pool if dice.random() < 0.5 else begun), dice)
        try:
            if tally.count(content):
                pool = [*pool[-200:], content]
        except Fault as error:
            tally.fault(content, error)
            break
    tally.save()


def _guided(tally: Tally, begun: list[bytes], inputs: int, end: float) -> None:
    """By libFuzzer's search, with our changes in place of its own."""
    tally.guided = True
    corpus = STATE / tally.path.stem
    corpus.mkdir(exist_ok=True)
    for number, content in enumerate(begun):
        (corpus / f"seed{number}").write_bytes(content)

    def one(content: bytes) -> None:
        if tally.inputs >= inputs or time.monotonic() > end:
            tally.save()
            os._exit(0)  # libFuzzer knows no other end
        try:
            tally.count(content)
        except Fault as error:
            tally.fault(content, error)
            raise

    def change(content: bytes, most: int, seed: int) -> bytes:
        dice = random.Random(seed)
        # Every other one from a whole file: what has been changed often is refused early.
        return mutate(tally.name, content if content and dice.random() < 0.5 else dice.choice(begun), dice)[:most]

    limits = [
        f"-max_len={LARGEST}",
        "-rss_limit_mb=4096",
        "-timeout=600",
        f"-seed={1 + tally.inputs}",
        "-verbosity=0",
        "-len_control=0",
    ]
    atheris.Setup([sys.argv[0], *limits, str(corpus)], one, custom_mutator=change)
    atheris.Fuzz()


def results(names: list[str]) -> dict[str, dict[str, object]]:
    found = {}
    for name in names:
        tally = Tally(name)
        if tally.inputs:
            found[name] = {
                "inputs": tally.inputs, "read": tally.read, "refused": dict(tally.refused.most_common()),
                "worst_seconds": round(tally.seconds, 3), "mean_seconds": round(tally.processor / tally.inputs, 5),
                "megabytes": round(tally.megabytes, 1), "faults": tally.faults, "by_coverage": tally.guided,
            }  # fmt: skip
    return found


def table(found: dict[str, dict[str, object]]) -> str:
    lines = [
        "# Fuzzing",
        "",
        "Files changed with their format in mind, and what readers did; `python -m benchmarks.fuzzing` writes this.",
        "Budget: 2 s of processor time and 200 MB. Memory is the growth of the process over the whole run.",
        "",
        "| format | inputs | read | refused, in so many sentences | most processor time | memory | faults |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, each in found.items():
        refused = each["refused"]
        assert isinstance(refused, dict)
        faults = each["faults"]
        assert isinstance(faults, list)
        lines.append(
            f"| {name} | {each['inputs']:,} | {each['read']:,} | {sum(refused.values()):,}, in {len(refused)} | "
            f"{each['worst_seconds']:.2f} s | {each['megabytes']:.0f} MB | {len(faults)} |"
        )
    guided = [name for name, each in found.items() if each["by_coverage"]]
    lines += ["", f"Chosen by coverage (atheris): {', '.join(guided) or 'none'}."]
    malformed = {name: 0 for name in found}
    for name, each in found.items():
        refused = each["refused"]
        assert isinstance(refused, dict)
        malformed[name] = refused.get(plain(f"The {name} file is malformed."), 0)
    unforeseen = ", ".join(f"{name} {count:,}" for name, count in malformed.items() if count)
    lines += ["", f"Refused as malformed because a library or reader stumbled: {unforeseen or 'none'}.", ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=50_000, help="of each format, in all runs together")
    parser.add_argument("--minutes", type=float, default=60.0, help="for each format in this run")
    parser.add_argument("--only", choices=[form.name for form in FORMATS])
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = [form.name for form in FORMATS]
    if options.here:
        run_one(options.only, options.inputs, options.minutes)
        return
    for name in [options.only] if options.only else names:
        command = [sys.executable, "-m", "benchmarks.fuzzing", "--here", "--only", name]
        command += ["--inputs", str(options.inputs), "--minutes", str(options.minutes)]
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL, cwd=HERE.parent)
        found = results(names)
        (HERE / "fuzzing.json").write_text(json.dumps(found, indent=1) + "\n")
        (HERE / "fuzzing.md").write_text(table(found))
        if name in found:
            print(name, {key: value for key, value in found[name].items() if key != "refused"}, flush=True)


if __name__ == "__main__":
    main()
