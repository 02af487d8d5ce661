"""What labs carry of a diagnosis: the table, the sum that comes out exactly, the refusals, the shipped bundle."""

from __future__ import annotations

import re

import pytest

from ecgkt import vocabulary
from ecgkt.json_records import RecordError, encode
from ecgkt.lab_links import story
from ecgkt.lab_links.links import VERSION, DiagnosisLinks, LabLinks, explain, log_odds, read_links
from ecgkt.lab_links.physiology import senses
from ecgkt.model.model import Model
from ecgkt.prediction import Prediction, Quality, Score
from tests.stand_in import label

POTASSIUM = label("labs", "potassium_high", "Hyperkalemia", lab="potassium", direction="high", unit="mmol/L", limit=5.1)
UREA = label("labs", "urea_nitrogen_high", "High urea nitrogen", lab="urea_nitrogen", direction="high", unit="mg/dL")
DIAGNOSIS = label("diagnoses", "E875", "Hyperkalemia")


def links(r2: float = 0.9, **slopes: float) -> LabLinks:
    known = DiagnosisLinks(mean=-3.0, r2=r2, slopes=slopes, free_r2=0.95, senseless=["sodium_low"])
    means = {"potassium_high": -2.0, "urea_nitrogen_high": -1.0}
    return LabLinks(version=VERSION, reference="made up", ecgs=100, labs=means, diagnoses={"E875": known})


def prediction(potassium: float = 0.7, urea: float = 0.5, diagnosis: float = 0.6) -> Prediction:
    sodium = label("labs", "sodium_low", "Hyponatremia", lab="sodium", direction="low", unit="mmol/L")
    labs = (Score(POTASSIUM, potassium), Score(UREA, urea), Score(sodium, 0.2))
    return Prediction(Quality(True), (), {}, (Score(DIAGNOSIS, diagnosis),), labs)


def test_shares_and_rest_make_the_whole_distance_from_the_mean() -> None:
    found = explain("E875", prediction(), links(potassium_high=0.9, urea_nitrogen_high=0.4))
    assert found is not None
    assert found.refusal == ""
    distance = log_odds(0.6) + 3.0
    first, second = found.carried
    assert first.share == pytest.approx(0.9 * (log_odds(0.7) + 2.0) / distance)
    assert second.share == pytest.approx(0.4 * (log_odds(0.5) + 1.0) / distance)
    assert first.share + second.share + found.rest == pytest.approx(1)
    assert (first.sense.role, second.sense.role) == ("defines", "cause")


def test_what_its_figures_do_not_support_is_not_told() -> None:
    slopes = {"potassium_high": 0.9, "urea_nitrogen_high": 0.4}
    for found in (
        explain("E875", prediction(), links(r2=0.4, **slopes)),  # labs tell too little in general
        explain("E875", prediction(), links()),  # no lab makes sense
        explain("E875", prediction(diagnosis=0.05), links(**slopes)),  # no higher than the average
        explain("E875", prediction(potassium=0.13, urea=0.27), links(**slopes)),  # the rest carries this one
    ):
        assert found is not None
        assert found.refusal
        assert story.sentence(found, story.Seen("", "")).startswith("Not explained by labs: ")
    assert explain("I50", prediction(), links(**slopes)) is None


def test_a_lab_without_sense_never_carries_however_large_its_slope() -> None:
    made = links(potassium_high=0.9, sodium_low=5.0)
    made.labs["sodium_low"] = -2.0
    found = explain("E875", prediction(diagnosis=0.2), made)
    assert found is not None
    assert [part.score.label.code for part in found.carried] == ["potassium_high"]
    assert "Hyponatremia, which physiology does not explain" in story.disagreement(found)


def test_the_sentence_has_the_figures_and_calls_a_marker_a_marker() -> None:
    found = explain("E875", prediction(), links(potassium_high=0.9, urea_nitrogen_high=0.4))
    assert found is not None
    told = story.sentence(found, story.Seen("tallest T in a chest lead 12.1 mm (V3)", "T wave in V2-V4"))
    assert told.startswith("Tallest T in a chest lead 12.1 mm (V3); T wave in V2-V4 → Potassium high 70% → Hyperkal")
    assert "(defines it) carries" in told
    assert "Urea nitrogen high (a cause) adds" in told
    shares = [float(part) for part in re.findall(r"(\d+)%(?: of what| is carried|;)", told.split("→")[-1])]
    assert sum(shares) == pytest.approx(100, abs=1.5)
    assert senses("I4891")["inr_high"].role == "marker"
    assert "not a cause" in story.ROLES["marker"]


def test_physiology_names_what_no_score_tells() -> None:
    known = DiagnosisLinks(mean=-3.0, r2=0.1, slopes={}, free_r2=0.6, senseless=[])
    made = LabLinks(version=VERSION, reference="", ecgs=1, labs={"potassium_high": 0.0}, diagnoses={"E039": known})
    score = Score(label("diagnoses", "E039", "Hypothyroidism"), 0.4)
    found = explain("E039", Prediction(Quality(True), (), {}, (score,), ()), made)
    assert found is not None
    assert story.disagreement(found) == "Physiology names High TSH, which no score of this model tells."


def test_the_table_names_labs_that_there_are_each_with_a_source_and_a_year() -> None:
    known = {f"{code}_{side}" for code in vocabulary.labs() for side in ("low", "high")}
    for code in ("E875", "I50", "I4891", "N186", "I2119", "D649", "A419", "I110"):
        assert senses(code), code
        for lab, sense in senses(code).items():
            assert lab in known, lab
            assert re.search(r"\b(19|20)\d\d\b", sense.source), sense.source
            assert sense.why
    assert not senses("L40")


def test_the_more_specific_row_of_the_table_wins() -> None:
    assert senses("N179")["urea_nitrogen_high"].role == "marker"
    assert "sodium_low" in senses("E87")
    assert "sodium_low" not in senses("E875"), "a disorder of the group is none of its members'"
    assert "haemoglobin_low" in senses("N184")
    assert "haemoglobin_low" not in senses("N179"), "an acute injury makes no anemia"


def test_links_come_back_from_disk_as_they_were_and_another_version_is_refused() -> None:
    made = links(potassium_high=0.9)
    assert read_links(encode(made)) == made
    with pytest.raises(RecordError, match="version 2"):
        read_links(encode(made).replace(b'"version": 1', b'"version": 2'))


def test_the_shipped_links_rest_on_labs_that_an_ecg_carries_and_that_make_sense(shipped_model: Model) -> None:
    if shipped_model.lab_links is None:
        pytest.skip("the bundle that ships has no lab_links.json")
    silent = {each.code for head in ("labs", "diagnoses") for each in shipped_model.labels[head] if each.silent}  # type: ignore[index]
    found = shipped_model.lab_links.diagnoses
    assert len(found) > 20
    assert not silent & (set(shipped_model.lab_links.labs) | set(found))
    for code, each in found.items():
        assert set(each.slopes) <= set(senses(code)), code
        assert all(slope > 0 for slope in each.slopes.values()), code
        assert each.r2 <= 1
    best = {code: max(each.slopes, key=each.slopes.__getitem__) for code, each in found.items() if each.r2 >= 0.5}
    for code, lab in {"E875": "potassium_high", "I21": "troponin_t_high", "I48": "inr_high"}.items():
        assert best.get(code, lab) == lab
