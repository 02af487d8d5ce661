"""Figures of simulated patients in words and tables."""

from __future__ import annotations

from ecgkt.results.simulated import follows, gained, probes
from ecgkt.results.simulated_metrics import Probe, Response


def probe(target: str, gain: tuple[float, float, float]) -> Probe:
    models = {"knowledge_transfer": (0.3 + gain[0], 0.2, 0.4), "signal_only": (0.3, 0.2, 0.4)}
    return Probe(target, "lab", "r2", 900, models, gain, logarithm=target == "creatinine")


FOUND = [
    probe("potassium", (0.05, 0.02, 0.08)),
    probe("creatinine", (-0.03, -0.05, -0.01)),
    probe("mcv", (0.0, -0.01, 0.01)),
]


def test_what_was_gained_counts_differences_whose_interval_leaves_out_zero() -> None:
    words = gained(FOUND)
    assert "Of 3 labs, 1 are read better" in words
    assert "and 1 worse" in words
    assert "+0.007" in words


def test_the_table_names_labs_in_words_and_says_which_are_logarithms() -> None:
    table = probes(FOUND)
    assert [row[0] for row in table.rows] == ["Potassium", "Creatinine, logarithm", "Mean corpuscular volume"]
    assert table.rows[1][3] == "−0.030 (−0.050 to −0.010)"


def test_a_head_that_does_not_follow_its_cause_is_said_not_to() -> None:
    def response(monotone: bool) -> Response:
        return Response("potassium", "E875", [4.8, 8.5], [0.02, 0.3], [0, 0], [1, 1], 60, 0.95, monotone)

    words = follows(response(True), "Hyperkalemia", "Potassium", "mmol/L")
    assert "from 2.0% to 30.0% as Potassium goes from 4.8 to 8.5 mmol/L" in words
    assert "95% of them" in words
    assert "not rise" not in words
    assert "does not rise at every step" in follows(response(False), "Hyperkalemia", "Potassium", "mmol/L")
