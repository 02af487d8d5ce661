"""The YAML that says where a hospital's ECGs and tables lie and what their columns are called.

Every section and key: docs/hospital.md. Paths are relative to the YAML's own folder. What is wrong with it is said in
one sentence that names the key or the column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from ecgkt import vocabulary
from ecgkt.datasets.mimic.tables import VITALS
from ecgkt.prediction import CODE, LONGEST_WORDS, WORDS
from ecgkt.readers import TableLayout
from training import yaml_file

MEASURED = {
    "labs": tuple(vocabulary.labs()),
    "vitals": VITALS,
    "biometrics": ("weight", "height", "bmi"),
}
Word = str | int | float  # a word of the YAML: an item number need not be quoted


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Numbers(_Strict, frozen=True):
    """What bare tables of numbers (CSV, .npy) among the tracings do not say; as `ecgkt.TableLayout`."""

    rate: float
    units_per_mv: float = 1.0
    leads: tuple[str, ...] = ()

    def layout(self) -> TableLayout:
        return TableLayout(self.rate, self.units_per_mv, self.leads or TableLayout.leads)


class EcgColumns(_Strict, frozen=True):
    """Columns of the list of ECGs. id: of an ECG (default: its file). born: date of birth, in place of age (years)."""

    file: str
    patient: str
    id: str = ""
    time: str = ""
    stay: str = ""
    age: str = ""
    born: str = ""
    sex: str = ""


class Sexes(_Strict, frozen=True):
    """The words for a sex; upper and lower case are one."""

    female: tuple[Word, ...] = ("f", "female")
    male: tuple[Word, ...] = ("m", "male")


class EcgTable(_Strict, frozen=True):
    """The list of ECGs, one a row. folder: where the files lie."""

    table: str
    columns: EcgColumns
    folder: str = "."
    numbers: Numbers | None = None
    sex: Sexes = Sexes()
    time_format: str = ""


class Link(_Strict, frozen=True):
    """How a row is joined to ECGs: by the ECG, the stay, or the patient (with a time, where there is one)."""

    ecg: str = ""
    stay: str = ""
    patient: str = ""
    time: str = ""

    @property
    def key(self) -> str:
        """The kind of the join, "ecg" before "stay" before "patient"; "" where none is given."""
        return next((kind for kind in ("ecg", "stay", "patient") if getattr(self, kind)), "")

    def named(self) -> Iterator[str]:
        """All columns that are named."""
        return (name for field in self.__struct_fields__ if (name := getattr(self, field)))


class MeasurementColumns(Link, frozen=True):
    """name, value, unit, low, high (reference limits): of a long table, one measurement a row."""

    name: str = ""
    value: str = ""
    unit: str = ""
    low: str = ""
    high: str = ""


class Value(_Strict, frozen=True):
    """A column of a wide table, and its unit ("": the project's own)."""

    column: str
    unit: str = ""


class Measurements(_Strict, frozen=True):
    """A table of measurements: long (`columns` has name and value, `names` says what is what) or wide (`values`)."""

    table: str
    columns: MeasurementColumns
    names: dict[str, tuple[Word, ...]] = {}
    units: dict[str, str] = {}
    values: dict[str, str | Value] = {}
    time_format: str = ""
    decimal: str = "."

    @property
    def is_wide(self) -> bool:
        return bool(self.values)

    def wide(self) -> dict[str, Value]:
        """Item -> its column and unit."""
        return {item: Value(column=v) if isinstance(v, str) else v for item, v in self.values.items()}


class CodeColumns(Link, frozen=True, kw_only=True):
    code: str
    version: str = ""


class Codes(_Strict, frozen=True):
    """A table of ICD codes, one a row. version: of all of them, where no column says it."""

    table: str
    columns: CodeColumns
    version: int = 10


Words = Annotated[str, msgspec.Meta(pattern=WORDS, max_length=LONGEST_WORDS)]


class OwnLabel(_Strict, frozen=True):
    """A diagnosis that is no ICD-10-CM code."""

    column: str
    name: Words
    group: Words = "Other"


class Labels(_Strict, frozen=True):
    """A table of labels, one ECG (or stay, or patient) a row and a column a label: 1 present, 0 absent, blank unknown.

    findings: SCP-ECG code -> column. diagnoses: ICD-10-CM code -> column, or any code -> column, name and group.
    """

    table: str
    columns: Link
    findings: dict[str, str] = {}
    diagnoses: dict[str, str | OwnLabel] = {}


class ReportColumns(_Strict, frozen=True):
    ecg: str
    text: tuple[str, ...]


class Reports(_Strict, frozen=True):
    """A table of reports in English, read by the phrases of ecgkt/vocabulary/findings.csv."""

    table: str
    columns: ReportColumns


class Content(_Strict, frozen=True):
    """The YAML. A section but `ecgs` is one table or a list of them, or absent."""

    ecgs: EcgTable
    labs: tuple[Measurements, ...] = ()
    vitals: tuple[Measurements, ...] = ()
    biometrics: tuple[Measurements, ...] = ()
    codes: tuple[Codes, ...] = ()
    labels: tuple[Labels, ...] = ()
    reports: tuple[Reports, ...] = ()
    license: str = ""
    note: str = ""


@dataclass(frozen=True)
class Description:
    """What the YAML `file` says."""

    file: Path
    content: Content

    @property
    def folder(self) -> Path:
        """Where paths begin."""
        return self.file.parent

    def path(self, name: str) -> Path:
        return self.folder / name


SEVERAL = ("labs", "vitals", "biometrics", "codes", "labels", "reports")


def read_description(file: Path) -> Description:
    """Raises ValueError, one sentence, for what is no such YAML or contradicts itself."""
    raw = yaml_file.content_of(file)
    if not isinstance(raw, dict):
        raise ValueError(f"{file.name} holds no sections; it needs at least `ecgs`.")
    raw = {k: [v] if k in SEVERAL and isinstance(v, dict) else v for k, v in raw.items()}
    try:
        content = msgspec.convert(raw, Content)
    except msgspec.ValidationError as error:
        raise ValueError(f"{file.name}: {_plain(str(error))}.") from None
    for section, about in _contradictions(content):
        raise ValueError(f"{file.name}: {section}: {about}")
    return Description(file, content)


def _plain(message: str) -> str:
    """msgspec's words for where something is, as a reader of the YAML sees it."""
    return message.replace("Object", "a section").replace(" - at `$.", " (at `").replace("`$`", "the top") + (
        ")" if " - at `$." in message else ""
    )


def _contradictions(content: Content) -> Iterator[tuple[str, str]]:
    """(section, sentence) of what the types alone do not rule out."""
    ecgs = content.ecgs.columns
    for section, known in MEASURED.items():
        for table in getattr(content, section):
            timed = section != "biometrics"  # a height without a time is one at any time
            yield from ((section, said) for said in _measurements(table, known, ecgs, timed))
    for section in ("codes", "labels"):
        for table in getattr(content, section):
            yield from ((section, said) for said in _linked(table.table, table.columns, ecgs, timed=False))
    for labels in content.labels:
        unknown = [code for code in labels.findings if code not in vocabulary.findings()]
        if unknown:
            yield "labels", f"{', '.join(unknown)} is no SCP-ECG code of ecgkt/vocabulary/findings.csv."
        if odd := [code for code in labels.diagnoses if not re.search(CODE, code)]:
            yield "labels", f"{odd[0]!r} is no code: up to 40 letters, digits and `_/.+-`, since columns are called so."
    if ecgs.born and not ecgs.time:
        yield "ecgs", "an age from the date of birth (`born`) needs the `time` of the ECG."


def _linked(table: str, link: Link, ecgs: EcgColumns, timed: bool) -> Iterator[str]:
    if not link.key:
        yield f"{table} is joined to no ECG: `columns` needs `ecg`, `stay` or `patient`."
    if link.key == "stay" and not ecgs.stay:
        yield f"{table} is joined by `stay`, which `ecgs` does not name."
    if timed and link.key == "patient" and not (link.time and ecgs.time):
        yield f"{table} is joined by `patient`, which needs a `time` there and in `ecgs`."


def _measurements(table: Measurements, known: tuple[str, ...], ecgs: EcgColumns, timed: bool) -> Iterator[str]:
    yield from _linked(table.table, table.columns, ecgs, timed)
    if table.columns.key == "stay":
        yield f"{table.table}: measurements are joined by `ecg`, or by `patient` and `time`."
    long = bool(table.columns.name and table.columns.value)
    if long == table.is_wide:
        yield f"{table.table} needs either `columns` with `name` and `value`, and `names`, or `values`."
    if long and not table.names:
        yield f"{table.table} needs `names`: what the column {table.columns.name} calls each of them."
    unknown = [item for item in {**table.names, **table.units, **table.values} if item not in known]
    if unknown:
        yield f"{', '.join(unknown)} is none of those known: {', '.join(known)}."
    if table.decimal not in (".", ","):
        yield f"{table.table}: `decimal` is '.' or ','."
