"""The command `python -m ecgkt report FILE --out report.pdf`: one ECG to a report, without the dashboard."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from ecgkt.datasets.mimic.tables import SIMULATED
from ecgkt.ecg import LEADS, ECGError
from ecgkt.interpretation.interpret import interpret, opening
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.readers import read
from ecgkt.sheet.display_filter import FILTERS
from ecgkt.sheet.layout import GAINS, LAYOUTS, ORDERS, SPEEDS, Paper

if TYPE_CHECKING:
    from ecgkt.model.model import Model
    from ecgkt.report.data import ReportData

SUFFIXES = (".pdf", ".png", ".fhir.json", ".json")  # the longer first


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="an ECG: WFDB (.hea, .dat, .mat), DICOM, XML, ...")
    parser.add_argument(
        "--out", type=_out, required=True, metavar="REPORT", help="a new .pdf, .png, .json or .fhir.json file"
    )
    parser.add_argument(
        "--target", metavar="LABEL", help="label whose contributions are drawn (default: most striking)"
    )
    parser.add_argument("--patient", default="", metavar="WORDS", help="text for the patient line, printed as entered")
    parser.add_argument("--recorded", default="", metavar="WORDS", help="time of recording, printed as entered")
    parser.add_argument("--layout", choices=LAYOUTS, default="3x4")
    parser.add_argument("--order", choices=ORDERS, default="standard", help="limb lead order")
    parser.add_argument("--rhythm", choices=LEADS, default="II", help="rhythm strip lead")
    parser.add_argument("--gain", type=int, choices=GAINS, default=10, help="mm/mV")
    parser.add_argument("--speed", type=int, choices=SPEEDS, default=25, help="mm/s")
    parser.add_argument("--filter", choices=FILTERS, default="none")
    parser.add_argument("--start", type=_seconds, default=0.0, help="second at which the sheet begins")
    parser.add_argument("--model", metavar="DIR", help="bundle folder (default: ECGKT_MODEL or the one that ships)")


def _out(name: str) -> Path:
    path = Path(name)
    if not path.name.lower().endswith(SUFFIXES):
        raise argparse.ArgumentTypeError(f"{name!r} does not end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    return path


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


def is_simulated(file: Path) -> bool:
    """Does it lie in a cohort of simulated patients?"""
    return any((folder / SIMULATED).is_file() for folder in file.resolve().parents)


def run(options: argparse.Namespace, model: Model) -> None:
    """Write the report that `options` ask for. Raises ECGError for a file that cannot be read or a start beyond it,
    KeyError for an unknown target, OSError where the report cannot be written."""
    from ecgkt.report import content, document  # bring matplotlib, which --help should not wait for

    ecg = read(options.file)
    if options.start >= ecg.seconds:
        raise ECGError(f"The tracing is {ecg.seconds:.3g} s long, so no sheet begins at {options.start:g} s.")
    paper = Paper(
        options.layout, options.gain, options.speed, options.rhythm, options.start, order=options.order,
        filter=options.filter,
    )  # fmt: skip
    analyzed = AnalyzedECG(ecg)
    prediction = model.predict(analyzed)
    label = opening(prediction, interpret(analyzed.ecg, analyzed.intervals, analyzed.quantities, prediction))
    attribution = None
    if label is not None:
        attribution = model.attribute(analyzed, options.target or label.code)
    simulated = is_simulated(Path(options.file))
    data = content.build(
        analyzed, prediction, model, paper, attribution, simulated, options.patient, recorded=options.recorded
    )
    suffix = next(each for each in SUFFIXES if options.out.name.lower().endswith(each))
    make: Callable[[ReportData], bytes] = document.FORMATS[suffix.removeprefix(".")]
    _write(options.out, make(data))


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing: a full disk leaves no empty report, and one that was there before stays. Raises OSError."""
    part = path.with_name(f".{token_hex(8)}.part")  # a name that nobody can have made a link of
    try:
        with part.open("xb") as file:
            file.write(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
