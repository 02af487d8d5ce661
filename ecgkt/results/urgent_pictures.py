"""How much of what is urgent is found where the ECG shows it, and how that is told.

urgent.json beside this file is written by `benchmarks/urgent.py`. Its figures hold for one bundle, so they are shown
beside that bundle alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from ecgkt.json_records import Record, decode
from ecgkt.results import numbers
from ecgkt.results.intervals import Interval
from ecgkt.results.tables import Table

FILE = Path(__file__).with_name("urgent.json")
VERSION = 1


class Found(Record, frozen=True):
    """Of the ECGs that show `picture` (shown: how many), the share that the score of `code` finds at a specificity of
    95%, at its threshold (found), and that a line of the interpretation says, if only as possible; of those that do not
    show it the share without (spared, unsaid). Each with its 95% interval."""

    code: str
    picture: str
    shown: int
    sensitivity: Interval
    found: Interval
    spared: Interval
    said: Interval
    unsaid: Interval


class UrgentPictures(Record, frozen=True):
    """model: SHA-256 of the bundle. ecgs: of how many the pictures were looked for; others: ECGs drawn from all of
    them, of which those without a picture are what it is told from."""

    version: int
    model: str
    ecgs: int
    others: int
    pictures: list[Found]


@cache
def _shipped() -> UrgentPictures:
    return decode(FILE.read_bytes(), UrgentPictures, VERSION, FILE.name)


def of_bundle(sha256: str) -> UrgentPictures | None:
    """The figures, if it was this bundle that they were measured on."""
    return _shipped() if _shipped().model == sha256 else None


def in_words(found: UrgentPictures) -> str:
    """What was measured, in three sentences."""
    return (
        "A code says more than the ECG of a moment: a patient coded with ventricular tachycardia may be in another "
        f"rhythm when an ECG is written. In {numbers.count(found.ecgs)} simulated ECGs that no network of this bundle "
        "has seen it is known which of them show the picture, and that is counted here. The lines of the "
        "interpretation rest on measurement as well as on scores."
    )


def table(found: UrgentPictures, name: Callable[[str], str]) -> Table:
    """A row a picture; name: of a label, by its code."""
    rows = [
        (name(one.code), one.picture, numbers.count(one.shown), *map(numbers.percent_interval, (
            one.sensitivity, one.found, one.spared, one.said, one.unsaid)))
        for one in found.pictures
    ]  # fmt: skip
    header = ("Label", "What the ECG shows", "ECGs", "Sensitivity at 95% specificity", "Sensitivity at its threshold",
              "Specificity there", "Said by a line", "Not said without it")  # fmt: skip
    caption = (
        f"What is urgent where simulated ECGs show it, told from those of {numbers.count(found.others)} others that do "
        "not (95% confidence interval)"
    )
    return Table(header, rows, caption, numbers=(2,))
