"""The commands `ecgkt pacs list|read|store --url URL`: the ECGs of a PACS, what the model says of one, and the answer.

Credentials come from the environment or ~/.netrc (`ecgkt.pacs.server`). What is missing or refused is one sentence on
stderr and exit code 2. Nothing is stored unless asked for by `store`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ecgkt import explain
from ecgkt.ecg import ECGError
from ecgkt.interpretation.interpret import interpret, opening
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.readers import read

if TYPE_CHECKING:
    from ecgkt.model.model import Model
    from ecgkt.pacs.server import Server, StoredECG

DOCUMENTS = ("pdf", "sr")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    listed = actions.add_parser("list", help="studies with ECGs, one ECG a line")
    listed.add_argument("--patient", default="", metavar="ID", help="a Patient ID")
    listed.add_argument("--date", type=_dates, metavar="DATES", help="YYYYMMDD or YYYYMMDD-YYYYMMDD")
    listed.add_argument("--limit", default=50, type=_limit, metavar="N", help="studies at most (default: 50)")
    asked = actions.add_parser("read", help="what the model says of an ECG")
    asked.add_argument("--save", metavar="FILE", help="keep the ECG as a new DICOM file, for the other commands")
    answer = actions.add_parser("store", help="store the report beside its ECG: as PDF, and its scores as an SR")
    answer.add_argument("--only", choices=DOCUMENTS, help="one of the two")
    for each in (asked, answer):
        each.add_argument("study", metavar="STUDY", help="Study Instance UID")
        each.add_argument("--instance", default="", metavar="UID", help="SOP Instance UID, if the study has several")
        each.add_argument("--model", metavar="DIR", help="bundle folder (default: ECGKT_MODEL or the one that ships)")
    for each in (listed, asked, answer):
        each.add_argument("--url", required=True, help="root of the DICOMweb service, e.g. https://host/dicom-web")
    for each in (listed, asked):
        each.add_argument("--json", action="store_true", help="one JSON object per ECG and line")


def _dates(text: str) -> str:
    try:
        for day in text.split("-", 1):
            datetime.strptime(day, "%Y%m%d")
    except ValueError:
        raise argparse.ArgumentTypeError("must be YYYYMMDD or YYYYMMDD-YYYYMMDD") from None
    return text


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 4 and int(text)):
        raise argparse.ArgumentTypeError("must be 1 to 9999")
    return int(text)


def run(options: argparse.Namespace, load: Callable[[], Model]) -> None:
    """Do what `options` ask for; the model is loaded only if they need it.

    Raises ECGError, one sentence, for whatever the server does not do and for an ECG that cannot be read or saved; and
    what `load` raises.
    """
    if not (find_spec("dicomweb_client") and find_spec("highdicom")):
        raise ECGError("A PACS needs two more packages: pip install 'ecgkt[pacs]'.")
    from ecgkt.pacs.server import Server

    server = Server(options.url)
    if options.action == "list":
        try:
            for ecg in server.ecgs(options.patient, options.date or "", options.limit):
                print(json.dumps(asdict(ecg)) if options.json else line(ecg), flush=True)
        except BrokenPipeError:  # `ecgkt pacs list ... | head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if server.is_cut:
            print("The PACS has more than it listed: ask for fewer days, or for a patient.", file=sys.stderr)
        return
    ecg = server.ecg(options.study, options.instance)
    file = server.retrieve(ecg)
    if options.action == "store":
        _store(server, ecg, file, load(), [options.only] if options.only else [*DOCUMENTS])
        return
    if options.save:
        _save(file, Path(options.save))
    model = load()
    result = explain.explain_ecg(model, AnalyzedECG(read(file)), f"{ecg.study}/{ecg.instance}")
    print(json.dumps(result) if options.json else explain.table(result))


def _save(file: bytes, path: Path) -> None:
    """Never over another file, and whole or not at all. Raises ECGError."""
    try:
        with path.open("xb") as kept:
            try:
                kept.write(file)
                kept.flush()
            except OSError:
                path.unlink()
                raise
    except OSError as error:
        raise ECGError(f"{explain.on_terminal(str(path))}: The ECG cannot be saved ({error.strerror}).") from None


def line(ecg: StoredECG) -> str:
    """What people read: when, whose, what, and the UIDs that the other commands ask for."""
    when = " ".join(part for part in (ecg.date, ecg.time[:4]) if part) or "no date"
    told = [when, ecg.patient or "no Patient ID", ecg.description or "no description", ecg.study, ecg.instance]
    return explain.on_terminal("  ".join(told))


def _store(server: Server, ecg: StoredECG, file: bytes, model: Model, wanted: list[str]) -> None:
    from ecgkt.pacs import documents
    from ecgkt.report import content

    analyzed = AnalyzedECG(read(file))
    prediction = model.predict(analyzed)
    label = opening(prediction, interpret(analyzed.ecg, analyzed.intervals, analyzed.quantities, prediction))
    attribution = model.attribute(analyzed, label.code) if label else None
    data = content.build(analyzed, prediction, model, attribution=attribution)
    make = {"pdf": documents.encapsulated_pdf, "sr": documents.structured_report}
    try:
        with warnings.catch_warnings(action="ignore"):  # they quote elements, too
            header = documents.source(file)
            stored = [make[kind](data, header) for kind in wanted]
    except ECGError:
        raise
    except Exception:  # what libraries refuse in a header, they quote
        raise ECGError("The header of this ECG is malformed, so no report can be filed beside it.") from None
    server.store(ecg.study, stored)
    for kind, each in zip(wanted, stored, strict=True):
        print(f"{kind}  {each.SeriesInstanceUID}  {each.SOPInstanceUID}")
