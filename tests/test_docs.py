"""The papers: links lead somewhere, nothing is left out, and the built site loads nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAPERS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FROM_ELSEWHERE = {"pictures/": ROOT / "assets" / "pictures", "model_card.md": ROOT, "changes.md": ROOT}
LOADING = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src", "object": "data"}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)
def test_links_of_a_paper_lead_to_files(paper: Path) -> None:
    text = re.sub(r"```.*?```", "", paper.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path = target.split("#")[0]
        if not path or re.match(r"https?://", path):
            continue
        if paper.parent == DOCS and path.startswith(tuple(FROM_ELSEWHERE)):
            continue  # put there by docs/site_hooks.py; the strict build looks after it
        assert (paper.parent / path).exists(), f"{paper.name} links to {target}"


def test_the_readme_is_short_and_has_its_generated_parts() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.encode()) <= 12_000
    for part in ("results", "tree"):
        assert 0 < text.index(f"<!-- {part} -->") < text.index(f"<!-- /{part} -->")
    assert "Not a medical device" in text


def test_every_page_stands_in_the_sites_navigation() -> None:
    # In mkdocs.yml nothing but plain YAML is used, so no loader of MkDocs' own is needed.
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    assert {path.name for path in DOCS.glob("*.md")} <= _pages(nav)


def _pages(nav: object) -> set[str]:
    if isinstance(nav, str):
        return {nav}
    parts = nav.values() if isinstance(nav, dict) else nav
    assert not isinstance(parts, str)
    return set().union(*(_pages(part) for part in parts))  # type: ignore[attr-defined]


@pytest.mark.parametrize("package", ["ecgkt", "training"])
def test_the_architecture_names_every_room(package: str) -> None:
    text = (DOCS / "architecture.md").read_text()
    rooms = [folder.parent.name for folder in sorted((ROOT / package).glob("*/__init__.py"))]
    assert rooms
    section = text.split(f"| room of `{package}` |")[1].split("\n\n")[0]
    assert [room for room in rooms if f"`{room}`" not in section] == []


class _Loads(HTMLParser):
    """What a page fetches by itself when it is opened; links that wait for a click do not count."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name == LOADING.get(tag) and value]


@pytest.mark.slow
def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="requirements-docs.txt is not installed")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    pages = sorted(tmp_path.glob("*.html"))
    assert {"index.html", "python.html", "api.html"} <= {page.name for page in pages}
    for page in pages:
        loads = _Loads()
        loads.feed(page.read_text())
        assert loads.found, "not even its own style sheet: the parser sees nothing"
        assert [url for url in loads.found if re.match(r"(?:https?:)?//", url)] == [], page.name
    for sheet in tmp_path.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", sheet.read_text()), sheet.name
    tour = (tmp_path / "python.html").read_text()
    for output in ("(12, 10000) float32", "There is no signal in any lead", "<svg"):
        assert output in tour, "an example was not run"
