"""Report data (`ecgkt.report.content`) -> the bytes of a file: PDF, PNG of the tracing page, JSON, FHIR."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_pdf import PdfPages
from pypdf import PdfReader, PdfWriter
from pypdf.generic import BooleanObject, DictionaryObject, NameObject

from ecgkt.report import fhir, interpretation_page, scores_page, tracing_page
from ecgkt.report.data import ReportData
from ecgkt.report.drawing import Page

DPI = 150  # of the PNG: 5.9 dots a millimeter
TITLE = "12-lead ECG report"
# TrueType fonts, so that words can be searched and copied. Of the tracing every sample is drawn, none simplified away.
STYLE: dict[Any, Any] = {"pdf.fonttype": 42, "path.simplify": False}
SMALL_SHEET: dict[Any, Any] = {"path.simplify": True}  # by at most 1/9 point, 0.04 mm
# matplotlib's settings and font cache are shared by all threads.
_drawing = threading.Lock()


def pages(data: ReportData) -> list[Page]:
    """The tracing, and unless the model abstained its interpretation, then all scores and measurements."""
    count = page_count(data)
    first = Page()
    tracing_page.draw(first, data, count)
    if count == 1:
        return [first]
    second, third = Page(), Page()
    interpretation_page.draw(second, data, count)
    scores_page.draw(third, data, count)
    return [first, second, third]


def page_count(data: ReportData) -> int:
    return 1 if data["abstained"] else 3


def pdf(data: ReportData) -> bytes:
    """A4 landscape, vectors only, a millimeter a millimeter. Says nothing of whom it is about but what is printed."""
    drawn = BytesIO()
    midnight = datetime.fromisoformat(data["created"]).replace(tzinfo=UTC)
    told = {"Title": TITLE, "Creator": "ecgkt", "Producer": None, "CreationDate": midnight}
    with _drawing, mpl.rc_context(STYLE), PdfPages(drawn, metadata=told) as file:
        for number, page in enumerate(pages(data)):
            with mpl.rc_context(SMALL_SHEET if number else STYLE):
                file.savefig(page.figure)
    return _at_actual_size(drawn)


def _at_actual_size(drawn: BytesIO) -> bytes:
    """The same document with the wish that a printer does not shrink it to fit, which matplotlib cannot say."""
    writer = PdfWriter(clone_from=PdfReader(drawn))
    writer.pdf_header = "%PDF-1.6"  # the first in which a document may ask for that
    wishes = {NameObject("/PrintScaling"): NameObject("/None"), NameObject("/DisplayDocTitle"): BooleanObject(True)}
    writer.root_object[NameObject("/ViewerPreferences")] = DictionaryObject(wishes)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def png(data: ReportData) -> bytes:
    """The tracing page at 150 dpi."""
    out = BytesIO()
    with _drawing, mpl.rc_context(STYLE):
        page = Page()
        tracing_page.draw(page, data, page_count(data))
        page.figure.savefig(out, format="png", dpi=DPI, metadata={"Software": "ecgkt", "Title": TITLE})
    return out.getvalue()


def as_json(data: ReportData) -> bytes:
    return (json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n").encode()


FORMATS: dict[str, Callable[[ReportData], bytes]] = {
    "pdf": pdf,
    "png": png,
    "json": as_json,
    "fhir.json": fhir.as_fhir,
}
