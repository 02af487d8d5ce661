"""Words of a bundle that Markdown or Plotly would obey: shown as they were written."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.prediction import HEADS
from ecgkt.ui import session
from ecgkt.ui.widgets import html
from tests import stand_in as stand_in_module
from tests.stand_in import StandIn
from tests.ui.pages import open_page

PICTURE = "![p](https://example.com/p.png) www.example.com $x$ :red[a]"
LINK = '<a href="https://example.com">%{x}</a>'


@pytest.fixture
def strange(stand_in: None, more: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that a bundle can name is called `LINK`, and the model and its labels `PICTURE` besides."""
    labels = {
        head: tuple(replace(each, name=PICTURE + LINK) for each in stand_in_module.LABELS[head]) for head in HEADS
    }
    monkeypatch.setattr(stand_in_module, "LABELS", labels)
    monkeypatch.setattr(StandIn, "labels", labels)
    monkeypatch.setattr(StandIn, "name", PICTURE)
    metrics = StandIn.metrics
    strange = msgspec.structs.replace(
        metrics,
        models={**metrics.models, LINK: metrics.models["signal_only"]},
        label_curve_groups={LINK: metrics.label_curve},
        dose_response={LINK: metrics.dose_response["potassium"]},
        lab_proxies={LINK: next(iter(metrics.lab_proxies.values()))},
    )
    monkeypatch.setattr(StandIn, "metrics", strange)


def read_as_markdown(app: AppTest) -> list[str]:
    told = [part.value for part in [*app.header, *app.subheader, *app.error]]
    return told + [button.label for button in app.button]


@pytest.mark.usefixtures("strange")
@pytest.mark.parametrize("page", ["browse", "compare", "model", "what_if"])
def test_names_are_neither_markdown_nor_html(page: str) -> None:
    app = open_page(page)
    told = read_as_markdown(app)
    assert not [words for words in told if "![" in words or "$x$" in words or ":red[" in words]
    if page != "compare":
        assert any(html.literal(PICTURE) in words for words in told)
    for chart in app.get("plotly_chart"):
        assert "<a" not in json.dumps(json.loads(chart.proto.spec))


def test_a_reason_why_a_model_cannot_be_loaded_is_no_markdown(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: str) -> None:
        raise ValueError(f"bundle.json has {PICTURE}.")

    monkeypatch.setattr(session, "_model", refused)
    (said,) = open_page("model").error
    assert html.literal(PICTURE) in said.value
