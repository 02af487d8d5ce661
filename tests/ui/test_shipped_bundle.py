"""Every page with the bundle and the examples that ship: nothing empty, nothing missing, no figure of a stand-in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.model.bundle import load_bundle
from ecgkt.results import label_curve_tables, numbers, performance, sections

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "assets" / "models" / "default"
PAGES = sorted((ROOT / "pages").glob("*.py"))


def opened(page: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    for name in ("ECGKT_MODEL", "ECGKT_ECGS"):
        monkeypatch.delenv(name, raising=False)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    if page.stem != "browse":
        app.switch_page(f"pages/{page.name}").run()
    assert not app.exception
    assert not app.error
    return app


def bodies(app: AppTest) -> list[str]:
    return [str(part.proto.body) for part in app.get("html")]


def tables(app: AppTest) -> list[str]:
    return [body for body in bodies(app) if "<table" in body]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_opens_and_none_of_its_tables_is_empty(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(page, monkeypatch)
    for table in tables(app):
        rows = re.findall("<tr", table.split("<tbody>")[1])
        assert rows, table
        assert re.findall("<tr", table.split("<tbody>")[0]), "a table has titles"
    assert not [body for body in bodies(app) if "None" in body or "nan" in body.split()]


def test_the_model_page_has_every_section_and_the_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    app, bundle = opened(ROOT / "pages" / "model.py", monkeypatch), load_bundle(BUNDLE)
    titles = [header.value for header in app.header]
    expected = [part.title for part in sections.SECTIONS if part != sections.LABEL_CURVE]
    assert [title for title in titles if title in expected] == expected
    links = " ".join(part.value for part in app.markdown)
    for part in sections.SECTIONS:
        assert (f"(#{part.anchor})" in links) == (part != sections.LABEL_CURVE)
    (architecture,) = [table for table in tables(app) if "encoder.kind" in table]
    for described in bundle.card.architectures.values():
        assert f"<td>{described.encoder['kind']}</td>" in architecture
        assert f"<td>{', '.join(map(str, described.encoder['widths']))}</td>" in architecture
    words = " ".join(bodies(app))
    erased = bundle.card.stages["knowledge_transfer"].source_erased_on
    assert erased is not None
    assert f"{erased:,} normal training ECGs" in words
    for digest in bundle.card.files.values():
        assert digest in words
    for row in performance.summary(bundle.metrics).rows:
        assert row[2] in words


def test_the_compare_page_tells_the_shipped_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    app, metrics = opened(ROOT / "pages" / "compare.py", monkeypatch), load_bundle(BUNDLE).metrics
    words = " ".join(bodies(app))
    for row in label_curve_tables.curve(metrics).rows:
        assert all(cell in words for cell in row[1:])
    assert numbers.percent_interval(metrics.gap_closed) in words
    assert len(label_curve_tables.models(metrics).rows) > 6
