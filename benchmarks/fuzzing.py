"""What readers do with files made to break them; writes fuzzing.json and .md

    python -m benchmarks.fuzzing [--inputs 50000] [--minutes 60] [--jobs 1] [--seed 1] [--only "DICOM ECG"]

For each format, files are changed with their structure in mind (`benchmarks.fuzzing_mutations`) and read. Where atheris
is installed it chooses, by the code that was reached, which changed files are changed further; elsewhere they are drawn
from those that were last read without a refusal, and from the seeds. The formats take turns of `TURN` inputs, each in a
process of its own, `--jobs` of them side by side. Every minute it is said how far they are and both files are written,
so what they hold when the run is stopped is true; it goes on from there: its state lies in runs/fuzzing.

Counted: inputs, what was read, refusals by sentence (numbers left out), the dearest input in processor time, and the
growth of the process's memory over a turn, an upper bound for any one input. A fault is whatever is neither an ECG nor
one sentence without the patient's name, and what takes more than the budget; it ends the run of its format, and the
input is kept.
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
from collections import Counter, deque
from pathlib import Path

try:
    import atheris
except ImportError:
    atheris = None
if atheris is not None and "--here" in sys.argv:  # what is imported here says afterwards which of its code was reached
    with atheris.instrument_imports(include=["ecgkt.readers"], enable_loader_override=False):
        import ecgkt.readers  # noqa: F401

import numpy as np

from benchmarks.fuzzing_mutations import LARGEST, MARK, ZIP, mutate, seeds
from ecgkt.ecg import ECG, LEADS, ECGError
from ecgkt.intake.reading import SECONDS
from ecgkt.intake.worker import MEMORY
from ecgkt.readers import FORMATS, Record, TableLayout, read, read_record, records
from tests.readers.written_files import NAME

HERE = Path(__file__).parent
STATE = HERE.parent / "runs" / "fuzzing"
LAYOUT = TableLayout(500.0, 1.0, LEADS)
NAMES = (*(form.name for form in FORMATS), ZIP)
TURN = 2_500  # inputs of one format before the next has its turn
SAVE_EVERY = 500  # inputs
SAY_EVERY = 60.0  # s
LONGEST_WORDS = 300  # of a refusal


class Fault(Exception):
    """A reader did what none may do."""


class Tally:
    """What came of the inputs of one format so far."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.path = STATE / f"{re.sub(r'[^A-Za-z0-9]', '_', name)}_{seed}.json"
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
        peak, begun = self._peak(), time.process_time()
        said = answer(self.name, content)
        spent = time.process_time() - begun
        self.inputs += 1
        self.processor += spent
        self.seconds = max(self.seconds, spent)
        self.megabytes = max(self.megabytes, self._peak() - self._start)
        if spent > SECONDS or self._peak() - peak > MEMORY / 2**20:
            raise Fault(f"beyond the budget: {spent:.1f} s, {self._peak() - peak:.0f} MB")
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
        part = self.path.with_suffix(".part")  # whoever looks meanwhile sees all of it or what was there before
        part.write_text(json.dumps(state))
        part.replace(self.path)


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
        if name == ZIP:  # whatever is in it, as an upload is read
            found = [_read(each) for each in records({"a.zip": content})]
            ecg = next((each for each in found if isinstance(each, ECG)), None)
            if ecg is None:
                raise ECGError(str(found[0]))
        else:
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


def _read(record: Record) -> ECG | ECGError:
    try:
        return read_record(record, LAYOUT)
    except ECGError as error:
        return error


def run_one(name: str, inputs: int, minutes: float, seed: int) -> None:
    """Until `inputs` are counted in all, or the time of this call is up."""
    tally = Tally(name, seed)
    begun, end = seeds(name), time.monotonic() + 60 * minutes
    for content in begun:
        answer(name, content)
    dice = random.Random(f"{seed} {name} {tally.inputs}")
    if atheris is None:
        _blind(tally, begun, dice, inputs, end)
    else:
        _guided(tally, begun, inputs, end, dice.randrange(1, 2**31))


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


def _guided(tally: Tally, begun: list[bytes], inputs: int, end: float, seed: int) -> None:
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
        f"-seed={seed}",
        "-verbosity=0",
        "-len_control=0",
        f"-artifact_prefix={STATE}/",  # what libFuzzer keeps of a fault
    ]
    atheris.Setup([sys.argv[0], *limits, str(corpus)], one, custom_mutator=change)
    atheris.Fuzz()


def results(seed: int) -> dict[str, dict[str, object]]:
    found = {}
    for name in NAMES:
        tally = Tally(name, seed)
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
        f"Budget: {SECONDS:.0f} s of processor time and {MEMORY // 2**20} MB. Memory: growth of the process.",
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


def _turn(name: str, options: argparse.Namespace, minutes: float) -> subprocess.Popen[bytes]:
    """The next inputs of a format, in a process of its own."""
    most = min(options.inputs, Tally(name, options.seed).inputs + TURN)
    command = [sys.executable, "-m", "benchmarks.fuzzing", "--here", "--only", name, "--seed", str(options.seed)]
    command += ["--inputs", str(most), "--minutes", f"{minutes:.3f}"]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=HERE.parent)


def write(seed: int) -> None:
    found = results(seed)
    (HERE / "fuzzing.json").write_text(json.dumps(found, indent=1) + "\n")
    (HERE / "fuzzing.md").write_text(table(found))
    print(", ".join(f"{name} {each['inputs']:,}" for name, each in found.items()), flush=True)


def run_all(names: list[str], options: argparse.Namespace) -> None:
    """All formats in turns, until each has its inputs or a fault, or the time is up."""
    end, said = time.monotonic() + 60 * options.minutes, time.monotonic()
    waiting, running = deque(names), dict[str, subprocess.Popen[bytes]]()
    while waiting or running:
        left = end - time.monotonic()
        while waiting and len(running) < options.jobs and left > 0:
            name = waiting.popleft()
            tally = Tally(name, options.seed)
            if tally.inputs < options.inputs and not tally.faults:
                running[name] = _turn(name, options, left / 60)
        time.sleep(0.5)
        for name in [name for name, process in running.items() if process.poll() is not None]:
            del running[name]
            waiting.append(name)
        if left <= 0 and not running:
            break
        if time.monotonic() - said > SAY_EVERY:
            write(options.seed)
            said = time.monotonic()
    write(options.seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=50_000, help="of each format, in all runs together")
    parser.add_argument("--minutes", type=float, default=60.0, help="that this run may take")
    parser.add_argument("--jobs", type=int, default=1, help="formats at a time")
    parser.add_argument("--seed", type=int, default=1, help="another one begins anew")
    parser.add_argument("--only", choices=NAMES)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    STATE.mkdir(parents=True, exist_ok=True)
    if options.here:
        run_one(options.only, options.inputs, options.minutes, options.seed)
    else:
        run_all([options.only] if options.only else [*NAMES], options)


if __name__ == "__main__":
    main()
