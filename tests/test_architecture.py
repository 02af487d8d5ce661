"""The rules of the house: which room may import which, read from the code itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ECGKT = sorted((ROOT / "ecgkt").rglob("*.py"))
TRAINING = sorted((ROOT / "training").rglob("*.py"))
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]


def imports(path: Path) -> set[str]:
    """Full dotted names of all modules imported anywhere in a file, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import, which these rules cannot see"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def packages(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", ECGKT, ids=relative)
def test_ecgkt_never_imports_training_nor_outside_ui_streamlit(path: Path) -> None:
    assert "training" not in packages(path)
    if "ui" not in path.relative_to(ROOT / "ecgkt").parts:
        assert "streamlit" not in packages(path)
        assert not any(name.startswith("ecgkt.ui") for name in imports(path))


@pytest.mark.parametrize("path", TRAINING, ids=relative)
def test_training_knows_nothing_of_pages(path: Path) -> None:
    assert not {"streamlit", "plotly", "pages", "app"} & packages(path)
    assert not any(name.startswith("ecgkt.ui") for name in imports(path))


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_pages_know_nothing_of_tensors_or_training(path: Path) -> None:
    assert not {"torch", "numpy", "captum", "training", "wfdb"} & packages(path)


def test_networks_know_nothing_of_files_readers_or_figures() -> None:
    for path in sorted((ROOT / "ecgkt" / "nn").glob("*.py")):
        assert not {"wfdb", "pydicom", "plotly", "duckdb", "pandas"} & packages(path), path
        rooms = {".".join(name.split(".")[:2]) for name in imports(path)}
        assert not {"ecgkt.readers", "ecgkt.model.model", "ecgkt.model.bundle"} & rooms, path


def test_there_is_no_cycle_between_modules() -> None:
    modules = {
        ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in ECGKT + TRAINING
    }
    # The package's own __init__ hands out its parts lazily; that is no dependency of the parts on each other.
    graph = {name: {m for m in imports(path) if m in modules and m != name} for name, path in modules.items()}
    # `from package import module` needs the module; that it names the package as well is no edge of its own.
    graph = {
        name: {
            m for m in needed if not (modules[m].name == "__init__.py" and any(n.startswith(m + ".") for n in needed))
        }
        for name, needed in graph.items()
    }
    graph["ecgkt"] = {"ecgkt.ecg"}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for needed in graph[name]:
                visit(needed, (*trail, name))
            done.add(name)

    for name in modules:
        visit(name, ())


def test_no_pickle() -> None:
    for path in ECGKT + TRAINING + PAGES:
        text = path.read_text()
        assert "pickle" not in packages(path), path
        assert "torch.load(" not in text, path
        assert "torch.save(" not in text, path
        assert "allow_pickle=True" not in text, path
