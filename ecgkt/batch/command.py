"""What `ecgkt explain` does with many ECGs: `--out` for a folder, `--watch` for one that ECGs arrive in."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING

from ecgkt.explain import on_terminal
from ecgkt.processors import processors

if TYPE_CHECKING:
    from ecgkt.batch.folder import Outcome
    from ecgkt.model.model import Model

SUFFIXES = (".parquet", ".csv", ".jsonl")
DONE, NOT_WRITTEN, WRONG, STOPPED = 0, 1, 2, 130  # exit codes; 130 is what shells give for Ctrl-C
MOST_WORKERS = 1000  # processes
REASONS = 12  # lines of the summary

EPILOG = """\
examples:
  ecgkt explain record.hea ecg.dcm                   what the model says, for people
  ecgkt explain record.hea --json                    the same as one JSON object a line
  ecgkt explain FOLDER --out results.parquet         one row for every ECG below FOLDER
  ecgkt explain --watch EXPORT --out RESULTS         one JSON file for every ECG that arrives

A run with --out that was ended, by Ctrl-C or by a power cut, goes on when it is started again.
exit codes: 0 done; 1 the result cannot be written; 2 wrong arguments, or a FILE that cannot be read (with --out, what
cannot be read is counted and has a row, and the exit code is 0); 130 ended by Ctrl-C, what is done is kept
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    group = parser.add_argument_group("a folder of ECGs to one table")
    out = f"a new {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file; with --watch a folder"
    group.add_argument("--out", metavar="TABLE", type=Path, help=out)
    group.add_argument("--measurements", action="store_true", help="columns of rate, intervals, axes and voltages too")
    group.add_argument(
        "--relevance", metavar="CODE[,CODE]", help="shares of each lead and wave in the scores of these labels too"
    )
    group.add_argument(
        "--workers", metavar="N", type=_count, default=processors(), help="processes (default: %(default)s)"
    )
    watched = parser.add_argument_group("a folder that ECGs arrive in")
    watched.add_argument("--watch", metavar="DIR", type=Path, help="handle every ECG below DIR once, until Ctrl-C")
    watched.add_argument("--report", action="store_true", help="write a PDF report of each instead of JSON")
    watched.add_argument("--once", action="store_true", help="handle what is there, then end")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_WORKERS):
        raise argparse.ArgumentTypeError(f"must be 1 to {MOST_WORKERS}")
    return int(text)


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:  # it stands for bytes that are none
        return False
    return True


def asked_for(options: argparse.Namespace) -> bool:
    """Is it about many ECGs, and not `ecgkt.explain`'s?"""
    return options.out is not None or options.watch is not None


def codes(options: argparse.Namespace) -> list[str]:
    """The labels that --relevance names."""
    named = (code.strip() for code in (options.relevance or "").split(","))
    return [*dict.fromkeys(code for code in named if code)]


def mistake(options: argparse.Namespace) -> str:
    """What is wrong with the options taken together; "" if nothing is. Looked at before the model is loaded."""
    for name, alone in (("measurements", "--out"), ("relevance", "--out"), ("report", "--watch"), ("once", "--watch")):
        if getattr(options, name) and (options.out is None or (options.watch is None) == (alone == "--watch")):
            return f"--{name} goes with {alone} only."
    if not asked_for(options):
        return "" if options.files else "Name an ECG file, or a folder with --out, or --watch a folder."
    if options.json or options.attribution:
        return "--json and --attribution are for single files; with --out there is --relevance, and .jsonl."
    if options.out is None:
        return "--watch needs --out, the folder that results are written to."
    if options.watch is not None:
        if options.files:
            return "--watch takes no FILE beside it."
        return "" if options.watch.is_dir() else f"There is no folder {options.watch}."
    if len(options.files) != 1 or not Path(options.files[0]).is_dir():
        return "--out needs one folder of ECGs."
    if options.out.suffix.lower() not in SUFFIXES:
        return f"--out must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}."
    if not _is_utf8(options.out.absolute()):
        return "--out has a name, or lies in a folder with one, that is no text in UTF-8: DuckDB cannot write there."
    if not options.out.absolute().parent.is_dir():
        return f"There is no folder {options.out.parent} to write to."
    return ""


def run(options: argparse.Namespace, model: Model) -> int:
    """Exit code; what is to be said goes to stderr."""
    import duckdb

    from ecgkt.batch.folder import CannotBegin, explain_folder
    from ecgkt.batch.rows import Wanted
    from ecgkt.batch.table import OtherRun
    from ecgkt.batch.watch import watch

    try:
        if options.watch is not None:
            print(on_terminal(f"Watching {options.watch}; Ctrl-C ends it."), file=sys.stderr)
            return DONE if watch(model, options.watch, options.out, options.report, options.once) else NOT_WRITTEN
        wanted = Wanted(options.measurements, tuple(codes(options)))
        outcome = explain_folder(
            model, options.model, Path(options.files[0]), options.out, wanted, options.workers, sys.stderr
        )
    except (CannotBegin, OtherRun) as error:
        return _said(str(error), WRONG)
    except BrokenProcessPool:
        return _said(f"A worker process was ended from outside, perhaps for want of memory. {_GOES_ON}", NOT_WRITTEN)
    except OSError as error:
        return _said(f"{options.out} cannot be written ({error.strerror}). {_GOES_ON}", NOT_WRITTEN)
    except duckdb.Error:
        return _said(f"{options.out} cannot be written: is the disk full? {_GOES_ON}", NOT_WRITTEN)
    except KeyboardInterrupt:
        return _said(_GOES_ON, STOPPED)
    _summarize(outcome, options.out)
    return DONE if outcome.finished else _said(f"Ended early. {_GOES_ON}", STOPPED)


_GOES_ON = "What is done is kept: the same command goes on from there."


def _said(text: str, code: int) -> int:
    print(on_terminal(text), file=sys.stderr)
    return code


def _summarize(outcome: Outcome, out: Path) -> None:
    count = outcome.refused.total()
    lines = [f"{outcome.read + count:,} ECGs: {outcome.read:,} read, {outcome.abstained:,} of them without a result"
             f" (quality_reasons says why); {count:,} refused"]  # fmt: skip
    lines += [f"{number:9,}  {reason}" for reason, number in outcome.refused.most_common(REASONS)]
    if len(outcome.refused) > REASONS:
        lines.append(f"{'':9}  and {len(outcome.refused) - REASONS} more reasons (column reason)")
    if outcome.finished:
        lines.append(on_terminal(str(out)))
    print("\n".join(lines), file=sys.stderr)
