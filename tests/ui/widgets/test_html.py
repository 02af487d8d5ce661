"""HTML that pages write: escaped cells, printed shares."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def test_cells_are_escaped() -> None:
    def page() -> None:
        from ecgkt.ui.widgets import html

        html.table(("A",), [("<script>x</script>",), (html.Raw("<b>y</b>"),)])

    body = AppTest.from_function(page).run().get("html")[0].proto.body
    assert "&lt;script&gt;" in body
    assert "<b>y</b>" in body
