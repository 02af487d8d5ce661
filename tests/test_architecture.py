"""The rules of the house: which room may import which, and what no room may do.

The rules themselves stand in `.importlinter`; here is what it cannot say, because `pages/` is no package and a rule on
how a thing is called is not one on imports.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]
OWN = ("ecgkt", "training", "benchmarks")
CODE = [*sorted((ROOT / "ecgkt").rglob("*.py")), *sorted((ROOT / "training").rglob("*.py")), *PAGES]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def packages(path: Path) -> set[str]:
    """Top-level names of all that is imported anywhere in a file, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def test_every_room_knows_only_what_it_may() -> None:
    # As a process of its own, since import-linter sets up logging anew for the process that it runs in.
    start = "from importlinter.cli import lint_imports_command as run; run()"
    command = [sys.executable, "-c", start, "--no-cache", "--no-logo"]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_pages_know_nothing_of_tensors_or_training(path: Path) -> None:
    assert not {"torch", "numpy", "captum", "training", "wfdb"} & packages(path)


def test_no_pickle() -> None:
    forbidden = re.compile(r"torch\.(load|save)\(|allow_pickle\s*=\s*True")
    assert not [relative(path) for path in CODE if "pickle" in packages(path) or forbidden.search(path.read_text())]


def test_what_is_imported_of_the_projects_own_exists() -> None:
    """Of programs that no test runs too, such as the one that draws normal beats."""
    missing = []
    for path in [*CODE, *sorted((ROOT / "benchmarks").rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OWN:
                place = ROOT.joinpath(*(node.module or "").split("."))
                if not place.with_suffix(".py").is_file() and not place.is_dir():
                    missing.append(f"{relative(path)}: {node.module}")
    assert not missing
