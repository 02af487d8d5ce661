"""The command line: `ecgkt explain FILE... [--json] [--attribution LABEL] [--model DIR]` (`ecgkt.explain`),
`ecgkt explain DIR --out results.parquet` and `ecgkt explain --watch DIR --out OUT` (`ecgkt.batch.command`),
`ecgkt report FILE --out report.pdf` (`ecgkt.report.command`) and `ecgkt pacs list|read|store --url URL`
(`ecgkt.pacs.command`); `python -m ecgkt` is the same.

A table for people, or with --json one object per file and line. Input that cannot be read is one line on stderr naming
the file and the reason; the other files are still done and the exit code is 2.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from ecgkt import NOTICE, explain
from ecgkt.batch import command as batch
from ecgkt.batch.stopping import handled
from ecgkt.ecg import ECGError
from ecgkt.pacs import command as pacs
from ecgkt.report import command

BAD_INPUT, STOPPED = 2, 130  # exit codes; 130 is what shells give for Ctrl-C


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(explain.on_terminal(message))  # it quotes names, which a shell may have found in a folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0, or 2 if any file could not be explained or reported; 130 if interrupted."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal need not know every letter
    try:
        # As by Ctrl-C, so that what is half done is cleared away.
        with handled(signal.SIGTERM, signal.default_int_handler):
            return _run(arguments)
    except KeyboardInterrupt:
        print("Ended early.", file=sys.stderr)
        return STOPPED
    except OSError as error:  # of standard output; what befalls a file is told where it is opened
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would write once more at its end
        if not isinstance(error, BrokenPipeError):
            print(f"The answer cannot be written ({error.strerror}).", file=sys.stderr)
        return BAD_INPUT


def _run(arguments: Sequence[str] | None) -> int:
    parser = _Parser(prog="ecgkt", description=NOTICE)
    commands = parser.add_subparsers(dest="command", required=True)
    help_explain = "findings, diagnoses and lab abnormalities predicted from ECG files"
    explaining = commands.add_parser("explain", help=help_explain, description=NOTICE)
    explain.add_arguments(explaining)
    batch.add_arguments(explaining)
    report = commands.add_parser("report", help="one ECG as a PDF to scale, its tracing as PNG, or everything as JSON")
    command.add_arguments(report)
    pacs.add_arguments(commands.add_parser("pacs", help="ECGs of a PACS by DICOMweb: list, read, store the report"))
    options = parser.parse_args(arguments)
    if options.command == "explain" and (mistake := batch.mistake(options)):
        explaining.error(mistake)

    from ecgkt.model import model as models  # brings torch, which --help should not wait for
    from ecgkt.model.bundle import BundleError

    if options.command == "pacs":
        try:
            pacs.run(options, lambda: models.load(options.model))
        except (ECGError, BundleError) as error:
            print(explain.on_terminal(error.args[0]), file=sys.stderr)
            return BAD_INPUT
        return 0
    try:
        model = models.load(options.model)
        wanted = [options.target] if options.command == "report" else [options.attribution, *batch.codes(options)]
        for code in filter(None, wanted):
            model.label(code)
    except (BundleError, KeyError) as error:
        print(explain.on_terminal(error.args[0]), file=sys.stderr)
        return BAD_INPUT
    if options.command == "report":
        try:
            command.run(options, model)
        except ECGError as error:
            print(f"{explain.on_terminal(options.file)}: {error}", file=sys.stderr)
            return BAD_INPUT
        except OSError as error:
            print(
                f"{explain.on_terminal(str(options.out))}: The report cannot be written ({error.strerror}).",
                file=sys.stderr,
            )
            return BAD_INPUT
        return 0
    if batch.asked_for(options):
        return batch.run(options, model)
    return 0 if explain.run(options, model) else BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
