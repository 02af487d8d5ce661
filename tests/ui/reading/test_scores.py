"""The lists of scores: verdicts, their order, what a pressed row explains."""

from __future__ import annotations

import pytest

from ecgkt.interpretation.interpret import Interpretation
from ecgkt.interpretation.line import Certainty, Line, Section
from ecgkt.prediction import Label, Prediction, Quality, Score
from ecgkt.ui import keys
from ecgkt.ui.reading import scores
from ecgkt.verdict import Guarantee
from tests.stand_in import LABELS, PROBABILITY, label
from tests.ui.pages import open_page, relevance_key, words_of

pytestmark = pytest.mark.usefixtures("stand_in")


def test_browse_shows_tracing_scores_and_measured_lab() -> None:
    app = open_page("browse")
    chart = app.get("plotly_chart")[0].proto
    assert relevance_key(app)
    assert "Hyperkalemia" in chart.alt
    assert "V2" in chart.alt
    labels = [button.label for button in app.button]
    assert r"Hyperkalemia *measured 6\.2 high* **81%** `shown on the tracing`" in labels
    assert [label for label in labels if "shown on the tracing" in label and "yperkalemia" not in label] == []
    assert "Hyponatremia **< 1%**" in labels
    words = words_of(app)
    assert "Tick: the threshold" in words
    assert 'role="status">Hyperkalemia' in words, "read out when another is chosen"
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


def test_a_score_pressed_on_another_ecg_is_kept_only_where_it_is_above_threshold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state: dict[str, str] = {}
    monkeypatch.setattr(scores.st, "session_state", state)
    monkeypatch.setattr(scores.address, "asked", lambda parameter: None)

    def shown(ecg: str, heart_failure: float) -> str:
        made = [(label, {"I50": heart_failure, "AFIB": 0.9}.get(label.code, 0.0)) for label in LABELS["diagnoses"]]
        fibrillation = Score(LABELS["findings"][0], 0.9)
        found = Prediction(Quality(True), (fibrillation,), {}, tuple(Score(*pair) for pair in made))
        return scores.chosen(found, Interpretation(), ecg).code

    assert shown("a", 0.1) == "AFIB"
    state[keys.TARGET] = "I50"
    assert shown("a", 0.1) == "I50", "pressed on this ECG, it is shown though it is low"
    assert shown("b", 0.1) == "AFIB"
    state[keys.TARGET] = "I50"
    assert shown("b", 0.1) == "I50"
    assert shown("c", 0.5) == "I50", "above its threshold there too"
    assert shown("d", 0.1) == "AFIB"
    assert shown("e", 0.5) == "AFIB", "once forgotten, it does not come back"


def test_the_first_line_is_explained_first_and_sinus_rhythm_only_where_nothing_else_is() -> None:
    def line(section: Section, code: str, probability: float, certainty: Certainty = "likely") -> Line:
        made = label("findings", code, code)
        return Line(section, code, certainty, score=Score(made, probability), codes=(code,))

    rare = Score(label("findings", "WPW", "Wolff-Parkinson-White", prevalence=0.001), 0.5)
    prediction = Prediction(Quality(True), (rare, Score(label("findings", "SR", "Sinus rhythm"), 0.9)))
    sinus, axis, urgent = line("rhythm", "SR", 0.9), line("conduction", "CLBBB", 0.6), line("conduction", "3AVB", 0.7)
    less = line("st-t", "NST_", 0.45, "possible")
    assert label("findings", "3AVB", "").urgency, "else this says nothing"
    for lines, first in (
        ((sinus, axis, urgent, less), "3AVB"),
        ((sinus, axis, less), "CLBBB"),
        ((sinus, less), "WPW"),
        ((), "WPW"),
    ):
        assert scores.opening(prediction, Interpretation(lines)).code == first


def test_every_score_above_threshold_can_be_pressed() -> None:
    app = open_page("browse")
    keyed = {str(button.key) for button in app.button}
    for head, labels in LABELS.items():
        for each in labels:
            if PROBABILITY[each.code] >= each.threshold:
                assert f"row-{head}-{each.code}" in keyed


def test_rows_go_by_the_threshold_and_not_by_what_is_common() -> None:
    def score(code: str, probability: float, threshold: float) -> Score:
        return Score(Label("labs", code, "", "", 0.1, threshold, "", None, 0, "real"), probability)

    common, rare, near, above = score("c", 0.6, 0.9), score("r", 0.02, 0.5), score("n", 0.1, 0.11), score("a", 0.2, 0.1)
    most = score("m", 0.7, 0.7)
    ordered = [each.label.code for each in scores.by_threshold([common, rare, near, above, most])]
    assert ordered == ["m", "a", "n", "c", "r"]
