"""Writes licenses.md: every package of requirements.lock with the license that it states itself, where it is installed.

python docs/licenses.py
"""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK = HERE.parent / "requirements.lock"
PAGE = HERE / "licenses.md"
ELSEWHERE = "not installed where this page was made"
CUDA = "not installed where this page was made; part of CUDA, which is NVIDIA's own and comes with torch's CUDA builds"
FORBIDDEN = re.compile(r"(?<!L)GPL|GNU (Affero )?General Public", re.IGNORECASE)
LESSER = re.compile(r"LGPL|Lesser General Public", re.IGNORECASE)


def locked() -> dict[str, str]:
    """Package -> version, the first that stands there; names in lower case with hyphens."""
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK.read_text(), re.MULTILINE)
    return {name: version for name, version in reversed(pins)}


def stated(name: str) -> str:
    """The license in a package's metadata; empty where it is not installed or states none."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    expression = told.get("License-Expression") or ""
    classes = [each.split(" :: ")[-1] for each in told.get_all("Classifier") or [] if each.startswith("License :: ")]
    classes = [each for each in classes if each != "OSI Approved"]
    first = ((told.get("License") or "").strip().splitlines() or [""])[0]
    return expression or "; ".join(classes) or (first if len(first) <= 60 else first[:60])


def rows() -> list[tuple[str, str, str]]:
    """(package, version, license) of every line of the lock."""
    found = []
    for name, version in sorted(locked().items()):
        is_cuda = name.startswith(("nvidia-", "cuda-"))
        found.append((name, version, stated(name) or (CUDA if is_cuda else ELSEWHERE)))
    return found


def lesser() -> str:
    """The packages under the LGPL, which are used unchanged, as libraries."""
    return ", ".join(name for name, _, license in rows() if LESSER.search(license)) or "none"


def page() -> str:
    lines = [
        "# Licenses", "",
        "Of everything that `requirements.lock` pins, as each package states it; made by",
        "`python docs/licenses.py`. Which of them are installed depends on the machine. A test refuses the GPL and",
        "the AGPL, and asks for a word here on each package under the LGPL, of which there is " + lesser() + ".", "",
        "The report's fonts in `ecgkt/report/fonts` are parts of DejaVu Sans, under the license beside them.", "",
        "| package | version | license |", "|---|---|---|",
    ]  # fmt: skip
    return "\n".join([*lines, *(f"| {name} | {version} | {license} |" for name, version, license in rows())]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
