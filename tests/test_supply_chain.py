"""The lock of all packages: complete, in step with the requirements, free of places and of the GPL. Offline."""

from __future__ import annotations

import importlib.util
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LISTS = [ROOT / f"requirements{kind}.txt" for kind in ("", "-dev", "-docs")]


def requirements(file: Path) -> list[Requirement]:
    lines = (line.split("#")[0].strip() for line in file.read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


@pytest.fixture(scope="module")
def lock() -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for requirement in requirements(ROOT / "requirements.lock"):
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


@pytest.fixture(scope="module")
def licenses() -> Any:
    spec = importlib.util.spec_from_file_location("licenses", ROOT / "docs" / "licenses.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pinned(lock: dict[str, list[Requirement]], name: str) -> str | None:
    """The version locked for this machine."""
    for each in lock.get(canonicalize_name(name), []):
        if each.marker is None or each.marker.evaluate():
            return str(each.specifier).removeprefix("==")
    return None


def test_the_lock_has_every_requirement_at_its_version(lock: dict[str, list[Requirement]]) -> None:
    for file in LISTS:
        for requirement in requirements(file):
            assert pinned(lock, requirement.name) is not None, f"{requirement.name} is not locked: make lock"
            assert requirement.specifier.contains(str(pinned(lock, requirement.name))), f"{requirement}: make lock"


def test_every_line_is_an_exact_version_and_names_no_place(lock: dict[str, list[Requirement]]) -> None:
    for each in (one for several in lock.values() for one in several):
        assert re.fullmatch(r"==[0-9][\w.!]*", str(each.specifier)), (
            each
        )  # no local build, which only some machines have
        assert each.url is None
    assert not re.search(r"https?:|file:|--|@", (ROOT / "requirements.lock").read_text())


def test_what_the_installed_packages_ask_for_is_locked(lock: dict[str, list[Requirement]]) -> None:
    """All that is reached from the requirements on this machine, at the version that is installed here."""
    asked = [(r.name, set(r.extras)) for file in LISTS for r in requirements(file)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while asked:
        name, extras = asked.pop()
        if name == "pip" or (canonicalize_name(name), frozenset(extras)) in seen:
            continue  # pip comes with the environment
        seen.add((canonicalize_name(name), frozenset(extras)))
        try:
            installed = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # an environment with fewer of the three lists
        version = pinned(lock, name)
        assert version is not None, f"{name} is installed and not locked: make lock"
        assert Version(installed.version).public == version, f"{name} is not at its locked version: install again"
        for line in installed.requires or []:
            need = Requirement(line)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                asked.append((need.name, set(need.extras)))
    assert len(seen) > 60


def test_no_package_is_under_the_gpl_and_each_license_is_listed(licenses: Any) -> None:
    page = licenses.PAGE.read_text()
    for name, version, license in licenses.rows():
        assert not licenses.FORBIDDEN.search(licenses.LESSER.sub("", license)), f"{name}: {license}"
        assert f"| {name} | {version} |" in page, "python docs/licenses.py"
        if licenses.stated(name):
            assert f"| {name} | {version} | {license} |" in page, "python docs/licenses.py"
    assert "of which there is none" in page


@pytest.mark.parametrize(
    ("license", "is_forbidden"),
    [("GPL-3.0-or-later", True), ("AGPL-3.0", True), ("GNU General Public License v2 (GPLv2)", True),
     ("GNU Affero General Public License v3", True), ("LGPL-2.1", False), ("MIT", False),
     ("GNU Lesser General Public License v3 (LGPLv3)", False)],
)  # fmt: skip
def test_the_gpl_is_told_from_the_lgpl(licenses: Any, license: str, is_forbidden: bool) -> None:
    assert bool(licenses.FORBIDDEN.search(licenses.LESSER.sub("", license))) == is_forbidden


def test_the_lock_is_what_is_installed() -> None:
    """`make app` and what CI runs install under it."""
    makefile = (ROOT / "Makefile").read_text()
    installs = [line for line in makefile.splitlines() if "pip install" in line]
    assert len(installs) == 1
    assert "-c requirements.lock" in installs[0]
    assert makefile.count("$(INSTALL) -r") == len(LISTS)
