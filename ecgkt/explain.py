"""The command `ecgkt explain FILE...`: what the model says of ECG files, for people or as JSON, a line a file."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NotRequired, TypedDict

from ecgkt import NOTICE
from ecgkt.criteria.check import CriterionJSON, check, criterion_json
from ecgkt.ecg import ECGError
from ecgkt.interpretation.interpret import interpret
from ecgkt.interpretation.line import LineJSON, line_json
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.prediction import Head
from ecgkt.prediction_json import PredictionJSON, prediction_json
from ecgkt.readers import read
from ecgkt.relevance.summary import summarize

if TYPE_CHECKING:
    from ecgkt.model.model import Model

SECOND = ("possible", "doubted", "normal")  # lines that the table leaves to --json
SHOWN = 5  # scores a head in the table; all that are positive are shown, however many


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="an ECG: WFDB (.hea, .dat, .mat), DICOM, XML, ...")
    parser.add_argument("--json", action="store_true", help="one JSON object per file and line")
    parser.add_argument("--attribution", metavar="LABEL", help="what contributes to the score of this label")
    parser.add_argument("--model", metavar="DIR", help="bundle folder (default: ECGKT_MODEL or the one that ships)")


def run(options: argparse.Namespace, model: Model) -> bool:
    """Print what the model says of every file; False if one could not be read, which one line on stderr says."""
    all_read = True
    for file in options.files:
        try:
            result = predict_file(model, file, options.attribution)
        except ECGError as error:
            print(f"{on_terminal(file)}: {error}", file=sys.stderr)
            all_read = False
            continue
        try:
            print(json.dumps(result) if options.json else table(result), flush=True)
        except BrokenPipeError:  # `ecgkt explain ... | head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            break
    return all_read


class AttributionJSON(TypedDict):
    """Shares of the contribution to the score by lead, by wave, and of the RR intervals.

    parts: the waves as far as they are sure and the RR intervals, each with its share and net (raising less lowering,
    None without signs). criterion: the finding's definition beside what was measured, None where there is none.
    """

    label: str
    leads: dict[str, float]
    waves: dict[str, float]
    rhythm: float
    regions: list[str]
    sentence: str
    parts: dict[str, dict[str, float | None]]
    criterion: CriterionJSON | None


class FileJSON(PredictionJSON):
    """One line of `explain --json`. milliseconds: by step."""

    file: str
    model: dict[str, str]
    interpretation: list[LineJSON]
    milliseconds: dict[str, float]
    attribution: NotRequired[AttributionJSON]


def predict_file(model: Model, file: str, attribution: str | None = None) -> FileJSON:
    """The JSON object of one file; `attribution` is a label's code. Raises ECGError."""
    began = time.perf_counter()
    ecg = AnalyzedECG(read(file))
    return explain_ecg(model, ecg, file, attribution, {"read": _milliseconds(began)})


def explain_ecg(
    model: Model,
    ecg: AnalyzedECG,
    file: str,
    attribution: str | None = None,
    milliseconds: Mapping[str, float] | None = None,
) -> FileJSON:
    """The same of an ECG that was read from `file`; milliseconds: what that took. Raises ECGError."""
    times = {**(milliseconds or {})}
    began = time.perf_counter()
    prediction = model.predict(ecg)
    times["predict"] = _milliseconds(began)
    summary = None
    if attribution and not prediction.abstained:
        began = time.perf_counter()
        relevance = model.attribute(ecg, attribution)
        positive = prediction.is_positive(relevance.label)
        summary = summarize(relevance, ecg.beats, positive)
        checked = check(attribution, ecg.quantities, ecg.ecg.age)
        times["attribute"] = _milliseconds(began)
    said = prediction_json(prediction)
    lines = interpret(ecg.ecg, ecg.intervals, ecg.quantities, prediction)
    result: FileJSON = {
        "file": file,
        "model": {"name": model.name, "sha256": model.sha256},
        "quality": said["quality"],
        "abstained": said["abstained"],
        "interpretation": [line_json(line) for line in lines.ordered() + lines.normal],
        "findings": said["findings"],
        "superclasses": said["superclasses"],
        "diagnoses": said["diagnoses"],
        "labs": said["labs"],
        "milliseconds": times,
    }
    if attribution and summary is not None:
        result["attribution"] = {
            "label": attribution,
            "leads": {lead: round(share.total, 4) for lead, share in summary.by_lead.items()},
            "waves": {wave: round(share.total, 4) for wave, share in summary.by_wave.items()},
            "rhythm": round(summary.rhythm.total, 4),
            "regions": [region.words for region in summary.regions],
            "sentence": summary.sentence,
            "parts": {
                part.name: {"share": round(part.share.total, 4), "net": _rounded(part.share.net)}
                for part in summary.parts
            },
            "criterion": criterion_json(checked, positive) if checked else None,
        }
    return result


def table(result: FileJSON) -> str:
    """What people read, from the same object that --json prints."""
    lines = [on_terminal(result["file"]), f"  {NOTICE}"]
    if result["abstained"]:
        return "\n".join(
            [
                *lines,
                "  No result, because the tracing is not usable:",
                *(f"    {reason}" for reason in result["quality"]["reasons"]),
            ]
        )
    lines += [f"  Warning: {warning}" for warning in result["quality"]["warnings"]]
    lines.append("  Interpretation")
    lines += [f"    {line['text']}" for line in result["interpretation"] if line["certainty"] not in SECOND]
    if result["superclasses"]:
        lines.append("  Superclasses: " + ", ".join(f"{k} {100 * p:.0f}%" for k, p in result["superclasses"].items()))
    titles: dict[Head, str] = {
        "findings": "Findings",
        "diagnoses": "Diagnoses",
        "labs": "Lab abnormalities (predicted from the ECG, not measured)",
    }
    for head, title in titles.items():
        lines.append(f"  {title}")
        shown = [s for i, s in enumerate(result[head]) if i < SHOWN or s["positive"]]
        for score in shown:
            name = f"{score['lab']} {score['direction']}" if head == "labs" else f"{score['name']} ({score['code']})"
            mark = "  above" if score["positive"] else ""
            lines.append(
                f"    {100 * score['probability']:5.1f}%  (threshold {100 * score['threshold']:.1f}%)  {name}{mark}"
            )
    if "attribution" in result:
        lines.append(f"  {result['attribution']['label']}: {result['attribution']['sentence']}")
        criterion = result["attribution"]["criterion"]
        if criterion is not None:
            lines.append(f"    {criterion['words']} Source: {criterion['source']}.")
            lines += [f"    {criterion['disagreement']}"] if criterion["disagreement"] else []
    lines.append(f"  Model {result['model']['name']}, SHA-256 {result['model']['sha256'][:12]}")
    return "\n".join(lines)


def on_terminal(words: str) -> str:
    """A stranger's words (a file's name, what a server says) with whatever a terminal would obey spelled out: control
    characters, and those that turn the direction of writing."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in words
    )


def _rounded(net: float | None) -> float | None:
    return None if net is None else round(net, 4)


def _milliseconds(began: float) -> float:
    return round(1000 * (time.perf_counter() - began), 2)
