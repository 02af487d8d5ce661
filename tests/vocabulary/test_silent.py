"""What is no result of an ECG, and what is urgent: by its code, and by how well it was told on test patients."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecgkt.datasets.collection import Collection
from ecgkt.explain import explain_ecg
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.model import Model
from ecgkt.prediction import HEADS, LEAST_AUROC, Prediction, Quality, Score
from ecgkt.report import content
from ecgkt.vocabulary import findings, labs, not_offered, urgent
from tests.stand_in import label


@pytest.mark.parametrize("code", ["F101", "F1721", "S0990", "W19", "M549", "R0789", "R51", "Z87891", "T148"])
def test_complaints_injuries_and_social_history_are_not_offered(code: str) -> None:
    assert not_offered(code)


@pytest.mark.parametrize("code", ["I4891", "E875", "T460", "T460X1A", "Z950", "N186", "D649", "F4320"])
def test_what_an_ecg_may_tell_is_offered(code: str) -> None:
    assert not_offered(code) == ""


def test_a_label_is_silent_where_its_auroc_may_be_next_to_chance() -> None:
    seen = label("labs", "potassium_high", "Hyperkalemia")
    assert replace(seen, auroc=(0.7, LEAST_AUROC, 0.8)).silent == ""
    assert "0.59" in replace(seen, auroc=(0.7, 0.59, 0.8)).silent
    assert replace(seen, auroc=None).silent == ""  # never measured is not measured badly
    assert replace(seen, head="findings", code="W19", auroc=None).silent == ""  # only ICD codes are looked up


def test_no_silent_label_is_in_a_prediction_of_the_shipped_model(
    shipped_model: Model, shipped_examples: Collection
) -> None:
    prediction = shipped_model.predict(shipped_examples.read(shipped_examples.entries[0].key))
    told = {score.label.code for head in HEADS for score in prediction.scores(head)}
    every = {each.code: each for head in HEADS for each in shipped_model.labels[head]}
    assert {"F101", "W19", "S0990", "R51", "platelets_low", "wbc_high"} <= every.keys() - told
    assert {"AFIB", "potassium_high", "E875", "I50"} <= told
    for each in every.values():
        assert bool(each.silent) == (each.code not in told) or each.code in ("MI", "STTC", "CD", "HYP")
    assert {"NORM", "MI", "STTC", "CD", "HYP"} == prediction.superclasses.keys()


def test_no_label_that_is_shown_is_positive_below_twice_its_prevalence_or_a_tenth(shipped_model: Model) -> None:
    for head in HEADS:
        for each in shipped_model.labels[head]:
            if each.prevalence <= 1 / 3:
                assert each.threshold >= 2 * each.prevalence - 5e-5, each.code
            if each.urgency is None:
                assert each.threshold >= 0.1 - 1e-5, each.code


def test_every_urgent_code_is_in_a_vocabulary() -> None:
    known = {*findings(), *(f"{lab}_{side}" for lab in labs() for side in ("low", "high"))}
    for code in urgent():
        assert code in known or (code[0].isalpha() and code[1:3].isdigit()), code


def test_what_is_urgent_is_read_first_and_the_likely_of_it_before_the_rest() -> None:
    def score(head: str, code: str, probability: float) -> Score:
        return Score(label(head, code, code, threshold=0.1, prevalence=0.05), probability)  # type: ignore[arg-type]

    findings_ = (score("findings", "CLBBB", 0.99), score("findings", "AFIB", 0.9), score("findings", "INJIN", 0.2))
    prediction = Prediction(Quality(True), findings=findings_)
    first = prediction.striking()
    assert first is not None
    assert first.label.code == "AFIB"
    quiet = replace(prediction, findings=(findings_[0], findings_[2])).striking()
    assert quiet is not None
    assert quiet.label.code == "INJIN"
    usual = replace(prediction, findings=findings_[:1]).striking()
    assert usual is not None
    assert usual.label.code == "CLBBB"


def test_a_finding_is_read_before_a_diagnosis_that_is_hardly_positive() -> None:
    normal = Score(label("findings", "NORM", "Normal ECG", threshold=0.69, prevalence=0.3), 0.48)
    diabetes = Score(label("diagnoses", "E119", "Diabetes", threshold=0.24, prevalence=0.12), 0.242)
    prediction = Prediction(Quality(True), findings=(normal,), diagnoses=(diabetes,))
    assert prediction.striking() == normal
    failing = Score(label("diagnoses", "I50", "Heart failure", threshold=0.33, prevalence=0.14), 0.8)
    assert replace(prediction, diagnoses=(failing, diabetes)).striking() == failing


@pytest.mark.parametrize(("code", "known"), [("MI", True), ("F101", False), ("AFIB", True)])
def test_superclasses_and_silent_labels_are_explained_too(
    shipped_model: Model, shipped_examples: Collection, code: str, known: bool
) -> None:
    ecg = AnalyzedECG(shipped_examples.read(shipped_examples.entries[0].key))
    said = explain_ecg(shipped_model, ecg, "", code)
    assert said["attribution"]["label"] == code
    assert (shipped_model.predict(ecg).is_positive(shipped_model.label(code)) is not None) == known
    attribution = shipped_model.attribute(ecg, code)
    report = content.build(ecg, shipped_model.predict(ecg), shipped_model, attribution=attribution)
    assert report["attribution"] is not None
