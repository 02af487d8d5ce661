"""Where the bundle that ships lies: inside the installed package, or in the repository that the package is run from."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_PLACE = Path("assets", "models", "default")


def _first_there() -> Path:
    # A wheel carries the bundle below the package (pyproject.toml, force-include); a clone has it beside the package.
    installed = _PACKAGE / _PLACE
    return installed if installed.is_dir() else _PACKAGE.parent / _PLACE


DEFAULT_BUNDLE = _first_there()
