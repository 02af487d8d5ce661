"""License and note of a prepared set: what the user states in the config, else what lies with the data, else nothing.

A folder in MIMIC's or PTB-XL's layout may be anybody's, so neither's license follows from the layout.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NONE_STATED = "none stated"
SIMULATED = "Apache-2.0 (simulated data)"  # what `python -m training simulate` writes belongs to this project
LICENSE_FILE = "LICENSE.txt"  # at the top of every data set of PhysioNet
LONGEST = 160  # characters of a title
READ = 2000  # bytes of a license file that are looked at


@dataclass(frozen=True)
class Stated:
    """What the user states of a source; empty where nothing is."""

    license: str = ""
    note: str = ""


NOTHING = Stated()


def license_of(stated: Stated, simulated: bool, folders: Iterable[Path]) -> str:
    """The user's word, else a simulated cohort's, else the titles of the license files in `folders`, each once."""
    if stated.license:
        return stated.license
    if simulated:
        return SIMULATED
    titles = dict.fromkeys(title for folder in folders if (title := _title(folder / LICENSE_FILE)))
    return "; ".join(titles) or NONE_STATED


def note_of(stated: Stated, simulated: bool, otherwise: str) -> str:
    """The user's word or `otherwise`; that patients are simulated is said in any case."""
    if simulated:
        return " ".join(["Simulated patients: nothing here was measured on a person.", stated.note]).strip()
    return stated.note or otherwise


def _title(file: Path) -> str:
    """The first line that is not empty, with the version that may stand below it; "" where there is no such file."""
    if not file.is_file():
        return ""
    with file.open("rb") as opened:
        text = opened.read(READ).decode("utf-8", "replace")
    lines = [line.strip("# \t\r") for line in text.splitlines() if line.strip()]
    version = [line for line in lines[1:2] if line.lower().startswith("version")]
    return " ".join([*lines[:1], *version])[:LONGEST]
