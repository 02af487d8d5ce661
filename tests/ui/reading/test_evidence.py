"""What the page says of the chosen score: the wave, the criterion beside what was measured, and a contradiction."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.pages import linked, words_of


@pytest.mark.usefixtures("stand_in")
def test_the_criterion_stands_beside_the_sentence_and_the_sentence_s_numbers_in_the_table() -> None:
    words = words_of(linked(ecg="one", target="potassium_high"))
    assert "raises the score most (" in words
    assert "Criterion: T above 5 mm in a limb lead or 10 mm in a chest lead" in words
    assert "II is not I + III" in words  # the made-up leads are no limb leads
    assert "Source: Surawicz" in words
    said = words.split("raises the score most (")[1].split(" of the contribution")[0]
    assert f">{said}<" in words.split("Contribution to the score by wave")[1]
    assert "Criterion:" not in words_of(linked(ecg="one", target="E11"))


def test_a_definition_that_contradicts_the_score_is_told() -> None:
    def page() -> None:
        import numpy as np

        from ecgkt.criteria.check import check
        from ecgkt.measurements.delineation import delineate
        from ecgkt.model.analyzed import AnalyzedECG
        from ecgkt.prediction import Attribution, Label, Score
        from ecgkt.relevance.summary import summarize
        from ecgkt.ui.reading import evidence
        from tests.criteria.made import ecg

        label = Label("findings", "3AVB", "Third-degree AV block", "CD", 0.1, 0.4, "", None, 0, "simulated")
        relevance = np.ones((12, 1000), np.float32)
        found = summarize(Attribution(label, "integrated_gradients", 100.0, relevance), delineate(ecg()), True)
        checked = check("3AVB", AnalyzedECG(ecg()).quantities)
        evidence.headline(Score(label, 0.9), found, checked)

    app = AppTest.from_function(page).run()
    assert not app.exception
    words = words_of(app)
    assert "The measurement disagrees: this ECG does not meet the criterion, but the score is above" in words
    assert "a P wave before every QRS; PR 1" in words
