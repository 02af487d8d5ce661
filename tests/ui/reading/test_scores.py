"""The lists of scores: verdicts, their order, what a pressed row explains."""

from __future__ import annotations

import pytest

from ecgkt.prediction import Label, Score
from ecgkt.ui.reading import scores
from ecgkt.verdict import Guarantee
from tests.ui.pages import open_page, relevance_key, words_of

pytestmark = pytest.mark.usefixtures("stand_in")


def test_browse_shows_tracing_scores_and_measured_lab() -> None:
    app = open_page("browse")
    chart = app.get("plotly_chart")[0].proto
    assert relevance_key(app)
    assert "Hyperkalemia" in chart.alt
    assert "V2" in chart.alt
    labels = [button.label for button in app.button]
    assert "Hyperkalemia *measured 6.2 high* **81%**" in labels
    assert "Hyponatremia **< 1%**" in labels
    words = words_of(app)
    assert "predicted from the ECG, not measured" in words
    assert 'class="tag"' in words
    assert "60–69 years" in words
    assert "67" not in words.split("60–69 years")[0]
    assert "V2" in words


def test_pressing_a_diagnosis_explains_it() -> None:
    app = open_page("browse")
    next(button for button in app.button if button.label.startswith("Heart failure")).click().run()
    assert "Heart failure" in app.get("plotly_chart")[0].proto.alt
    assert app.query_params["target"] in ("I50", ["I50"])


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        (Guarantee(0.1, 0.2, 0.4, "simulated", 30, 90), "Verdict: present"),
        (Guarantee(0.1, 0.2, 0.7, "real", 30, 90), "Verdict: uncertain"),
        (Guarantee(0.1, None, None, "real", 3, 90), "No verdict: only 3 real validation patients with it"),
    ],
)
def test_a_row_says_its_verdict_and_who_it_rests_on(promise: Guarantee, words: str) -> None:
    label = Label("findings", "AFIB", "", "", 0.1, 0.5, "", None, 0, "real", guarantee=promise)
    facts = scores.facts(Score(label, 0.6))
    assert words in facts
    assert promise.population in facts


def test_rows_go_by_the_threshold_and_not_by_what_is_common() -> None:
    def score(code: str, probability: float, threshold: float) -> Score:
        return Score(Label("labs", code, "", "", 0.1, threshold, "", None, 0, "real"), probability)

    common, rare, near, above = score("c", 0.6, 0.9), score("r", 0.02, 0.5), score("n", 0.1, 0.11), score("a", 0.2, 0.1)
    most = score("m", 0.7, 0.7)
    ordered = [each.label.code for each in scores.by_threshold([common, rare, near, above, most])]
    assert ordered == ["m", "a", "n", "c", "r"]
