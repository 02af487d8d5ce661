"""A strict parser of WFDB headers, so that nothing untrusted reaches the wfdb library.

Grammar: "header(5)" of the WFDB Applications Guide, https://physionet.org/physiotools/wag/header-5.htm. What an ECG at
rest does not need (several segments, skew, several samples a frame, other folders) is refused rather than handled.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from itertools import pairwise

from ecgkt.ecg import ECGError, Sex
from ecgkt.readers.format import AGE_UNITS, MAX_SIGNALS, MILLIVOLTS, age_of, check_rate, number, sex_of
from ecgkt.readers.lead_names import lead_name

MAX_HEADER_BYTES, MAX_LINES = 16 * 1024, 1000  # real ones have some 20 lines, with comments up to 5 kB
SNIFFED = 16 * 1024  # bytes in which the first line that is no comment must begin and end
# WFDB storage formats and their bytes a sample ("signal(5)" of the same guide).
BYTES_PER_SAMPLE = {"16": 2.0, "24": 3.0, "32": 4.0, "80": 1.0, "212": 1.5}
# ADC units per mV. A recorder has 1 (a step of 1 mV is the coarsest ever stored) to some millions (24 bits).
MIN_GAIN, MAX_GAIN = 1e-3, 1e9

# Matched as a whole, without a way back ("++" gives nothing up again): strangers write what they are held against.
_RECORD = re.compile(r"[\w.-]++(?P<segments>/\S*+)?+\s++(?P<signals>\d{1,9}+)(?:\s++(?P<rest>.*+))?+")
_FORMAT = re.compile(
    r"(?P<code>\d{1,4}+)(?:x(?P<frame>\d{1,9}+))?+(?::(?P<skew>-?\d{1,12}+))?+(?:\+(?P<offset>\d{1,9}+))?+"
)
_GAIN = re.compile(r"(?P<gain>[^(/]++)(?:\((?P<baseline>[+-]?\d{1,10})\))?+(?:/(?P<units>.++))?+")
_FILE = re.compile(r"(?!\.)[\w.-]{1,128}+")
# One or several to a comment line: "# Age: 74", "# <age>: 28  <sex>: M", "#Age=28 years, Gender: female"; without a
# colon only at the beginning of one ("# age 71"). Every repeat is bounded, so that no line takes more than a few steps
# a character.
_AGE = re.compile(
    r"(?:(?<![\w-])age>?+\s{0,3}+(?:\((?P<unit>\w{1,8}+)\)\s{0,3}+)?+[:=]|^#\s{0,3}+age\s)\s{0,3}+"
    r"(?P<age>[\d.]{1,8}+)(?![\d.])\s?+(?P<behind>[a-z]{0,8}+)(?!\d)",
    re.IGNORECASE | re.MULTILINE,
)
_SEX = re.compile(
    r"(?:(?<![\w-])(?:sex|gender)>?+\s{0,3}+[:=]|^#\s{0,3}+(?:sex|gender)\s)\s{0,3}+(?P<sex>[a-z]{1,8}+)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class Signal:
    """One signal line. gain: ADC units per mV; baseline: ADC value of 0 mV; lead: "" if not one of the 12."""

    file: str
    code: str
    offset: int
    gain: float
    baseline: int
    lead: str


@dataclass(frozen=True)
class Header:
    """rate in Hz; length in samples a signal, None if the header leaves it to the file's size."""

    rate: float
    length: int | None
    signals: tuple[Signal, ...]
    age: float | None
    sex: Sex | None

    @property
    def files(self) -> tuple[str, ...]:
        """The signal files it names, each once, in order."""
        return tuple(dict.fromkeys(signal.file for signal in self.signals))

    def of_leads(self) -> Header:
        """The same without the files that hold none of the 12 leads (Frank's leads of a PTB record)."""
        needed = {signal.file for signal in self.signals if signal.lead}
        kept = tuple(signal for signal in self.signals if signal.file in needed)
        return replace(self, signals=kept or self.signals)


def is_header(content: bytes) -> bool:
    """Does the first line that is no comment look like a WFDB record line?"""
    start = content[:SNIFFED]
    if b"\0" in start:
        return False
    first = next((line for raw in _raw_lines(start.lstrip()) if (line := raw.strip()) and not line.startswith("#")), "")
    return _RECORD.fullmatch(first) is not None


def parse_header(content: bytes) -> Header:
    """Raises ECGError, one sentence, for whatever is malformed or beyond the limits of `readers.format`."""
    if len(content) > MAX_HEADER_BYTES:
        raise ECGError(f"The WFDB header is larger than {MAX_HEADER_BYTES // 1024} KB.")
    if content.count(b"\n") + content.count(b"\r") > 2 * MAX_LINES:
        raise ECGError(f"The WFDB header has more than {MAX_LINES} lines.")
    lines = _lines(content)
    record = _RECORD.fullmatch(lines[0]) if lines else None
    if record is None:
        raise ECGError("The WFDB header's first line is not a record line.")
    if record["segments"]:
        raise ECGError("WFDB records of several segments are not read.")
    count = int(record["signals"])
    if not 1 <= count <= MAX_SIGNALS:
        raise ECGError(f"The WFDB header names {count} signals; 1 to {MAX_SIGNALS} are read.")
    rest = (record["rest"] or "").split()
    if not rest:
        raise ECGError("The WFDB header does not state a sampling rate.")
    rate = _number(rest[0].split("/")[0].split("(")[0], "sampling rate")
    check_rate(rate)
    length = None
    if len(rest) > 1 and rest[1] != "0":
        if not re.fullmatch(r"\d{1,12}", rest[1]):
            raise ECGError("The WFDB header's number of samples is not a number.")
        length = int(rest[1])
    if len(lines) - 1 < count:
        raise ECGError(f"The WFDB header names {count} signals but describes {len(lines) - 1}.")
    signals = tuple(_signal(line) for line in lines[1 : count + 1])
    _check_files(signals)
    return Header(rate, length, signals, *_patient(content))


def _patient(content: bytes) -> tuple[float | None, Sex | None]:
    """Age and sex, from the comments."""
    comments = "\n".join(line for line in _stripped(content) if line.startswith("#"))
    age, sex = _AGE.search(comments), _SEX.search(comments)
    unit = "years"
    if age:
        unit = next((word for word in (age["behind"], age["unit"]) if word and word.lower() in AGE_UNITS), unit)
    return age_of(age["age"], unit) if age else None, sex_of(sex["sex"]) if sex else None


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _stripped(content: bytes) -> list[str]:
    return [line.strip() for line in _raw_lines(content)]


def _raw_lines(content: bytes) -> list[str]:
    return _text(content).replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _lines(content: bytes) -> list[str]:
    return [line for line in _stripped(content) if line and not line.startswith("#")]


def _number(text: str, what: str) -> float:
    try:
        value = number(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ECGError(f"The WFDB header's {what} is not a number.")
    return value


def _signal(line: str) -> Signal:
    fields = line.split(maxsplit=8)
    if len(fields) < 3:
        raise ECGError("A signal line of the WFDB header lacks its file, format or gain.")
    if not _FILE.fullmatch(fields[0]):
        raise ECGError("The WFDB header points outside the record's own files.")
    form = _FORMAT.fullmatch(fields[1])
    if form is None or form["code"] not in BYTES_PER_SAMPLE:
        raise ECGError(f"Only the WFDB formats {', '.join(BYTES_PER_SAMPLE)} are read.")
    if int(form["frame"] or 1) != 1:
        raise ECGError("WFDB signals with more than one sample a frame are not read.")
    if int(form["skew"] or 0) != 0:
        raise ECGError("WFDB signals with a skew are not read.")
    lead = lead_name(fields[8]) if len(fields) > 8 else ""
    scale = _GAIN.fullmatch(fields[2])
    if scale is None:
        raise ECGError("A gain in the WFDB header is not a number.")
    gain = _number(scale["gain"], "gain")
    units = (scale["units"] or "mV").lower()
    per_mv = gain / MILLIVOLTS.get(units, 1.0)
    if not MIN_GAIN <= abs(per_mv) <= MAX_GAIN:
        raise ECGError("A gain in the WFDB header is zero or beyond all measure, so amplitudes are unknown.")
    if lead and units not in MILLIVOLTS:
        raise ECGError("A lead's unit in the WFDB header is neither mV nor uV.")
    zero = fields[4] if len(fields) > 4 else "0"
    baseline = int(_number(scale["baseline"] or zero, "baseline"))
    if abs(baseline) >= 2**31:
        raise ECGError("A baseline in the WFDB header is beyond all measure.")
    return Signal(fields[0], form["code"], int(form["offset"] or 0), per_mv, baseline, lead)


def _check_files(signals: tuple[Signal, ...]) -> None:
    """The signals of one file stand in one block, share format and offset; and no more files than signals follow."""
    order = [signal.file for signal in signals]
    if sum(a != b for a, b in pairwise(order)) + 1 != len(set(order)):
        raise ECGError("The WFDB header mixes the signals of several files.")
    for name in set(order):
        if len({(s.code, s.offset) for s in signals if s.file == name}) > 1:
            raise ECGError("The WFDB header gives one file several formats.")
