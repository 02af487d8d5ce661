"""What `pip install` gives: one package with its bundle and tables, a command, and dependencies that are all named."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ecgkt
from ecgkt.model.default_bundle import DEFAULT_BUNDLE

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT / "assets" / "examples" / "real" / "waveform_ecg.dcm"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN = {"ecgkt", "training", "benchmarks", "pages", "app", "tests"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_the_package_its_bundle_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if not name.endswith("/")}
        info = f"ecgkt-{ecgkt.__version__}.dist-info/"
        metadata = Parser().parsestr(packed.read(f"{info}METADATA").decode())
        assert "ecgkt = ecgkt.__main__:main" in packed.read(f"{info}entry_points.txt").decode()
    assert {name.split("/")[0] for name in names} == {"ecgkt", info.rstrip("/")}
    tracked = subprocess.run(["git", "ls-files", "ecgkt"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("this is no clone, so there is no list of its files")
    assert set(tracked.stdout.split()) <= names, "a table or a style sheet is missing"
    bundle = {f"ecgkt/assets/models/default/{file.name}" for file in (ROOT / "assets/models/default").iterdir()}
    assert bundle | {"ecgkt/py.typed"} <= names
    assert metadata["Version"] == ecgkt.__version__


@pytest.mark.slow
def test_an_installed_wheel_explains_an_ecg_far_from_the_repository(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    script = (
        "import sys, ecgkt; from ecgkt.__main__ import main; "
        "print(ecgkt.__file__, file=sys.stderr); sys.exit(main(sys.argv[1:]))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "ECGKT_MODEL"} | {"PYTHONPATH": str(site)}
    explain = [sys.executable, "-c", script, "explain", str(REAL), "--json"]
    done = subprocess.run(explain, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr.startswith(str(site))
    said = json.loads(done.stdout)
    shipped = json.loads((DEFAULT_BUNDLE / "bundle.json").read_text())
    assert said["model"]["name"] == shipped["name"]
    assert said["findings"]


def _requirements(lines: Iterable[str]) -> dict[str, Requirement]:
    named = [Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-"))]
    return {canonicalize_name(requirement.name): requirement for requirement in named}


def test_what_is_pinned_is_what_the_package_asks_for() -> None:
    files = ("requirements.txt", "requirements-extras.txt")
    pinned = _requirements(line for file in files for line in (ROOT / file).read_text().splitlines())
    extras = [line for extra in PROJECT["optional-dependencies"].values() for line in extra]
    asked = _requirements([*PROJECT["dependencies"], *extras])
    assert set(asked) == set(pinned)
    for name, requirement in asked.items():
        (pin,) = pinned[name].specifier
        assert pin.operator == "==", f"{name} is not pinned exactly"
        assert requirement.specifier.contains(pin.version), (
            f"{name}: {pin.version} was tested, {requirement} is asked for"
        )


@pytest.mark.parametrize(
    ("folder", "extras"),
    [  # who may: .importlinter
        ("ecgkt", ("pacs", "fhir")),
        ("ecgkt/ui", ("app",)),
        ("training", ("train", "sweep", "tensorboard")),
    ],
    ids=lambda each: str(each),
)
def test_everything_imported_is_named_as_a_dependency(folder: str, extras: tuple[str, ...]) -> None:
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    named = set(_requirements(lines))
    files = (ROOT / folder).rglob("*.py")
    if folder == "ecgkt":
        files = (file for file in files if "ui" not in file.relative_to(ROOT).parts)
    of = packages_distributions()
    for file in files:
        for name in _imported(file) - OWN - set(sys.stdlib_module_names):
            distributions = {canonicalize_name(distribution) for distribution in of[name]}
            assert distributions & named, f"{file.relative_to(ROOT)} imports {name}, which no dependency is named for"


def _imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def test_the_version_stands_in_one_place_and_has_its_entry_in_the_changelog() -> None:
    assert "version" not in PROJECT
    assert re.search(rf"^## \[{re.escape(ecgkt.__version__)}\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert f"version: {ecgkt.__version__}\n" in (ROOT / "CITATION.cff").read_text()
