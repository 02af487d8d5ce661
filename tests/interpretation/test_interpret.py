"""Lines of real and of simulated ECGs, with made-up scores where a case is asked for that no example is."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ecgkt import vocabulary
from ecgkt.criteria.rule import Quantity
from ecgkt.datasets.collection import Collection
from ecgkt.interpretation.groups import groups
from ecgkt.interpretation.interpret import Interpretation, interpret, opening
from ecgkt.interpretation.line import Line, line_json
from ecgkt.interpretation.record import Record, lab_words, measured_labs
from ecgkt.measurements.p_waves import Kind
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.model import Model
from ecgkt.prediction import HEADS, Head, Prediction, Quality, Score
from ecgkt.readers import read
from ecgkt.verdict import Guarantee
from tests.stand_in import label

NORMAL = Path(__file__).resolve().parents[2] / "assets" / "examples" / "real" / "waveform_ecg.dcm"


@cache
def normal() -> AnalyzedECG:
    """A real ECG in sinus rhythm at 61/min, PR 152 ms, QRS 76 ms, axis 49 degrees."""
    return AnalyzedECG(read(NORMAL))


def said(ecg: AnalyzedECG, prediction: Prediction, record: Record | None = None) -> Interpretation:
    return interpret(ecg.ecg, ecg.intervals, ecg.quantities, prediction, record)


def score(head: Head, code: str, name: str, probability: float, **more: Any) -> Score:
    return Score(label(head, code, name, **({"threshold": 0.2} | more)), probability)


def lab(code: str, name: str, lab_code: str, direction: str, probability: float) -> Score:
    return score("labs", code, name, probability, lab=lab_code, direction=direction, unit="mmol/L", limit=5.1)


def predicted(*scores: Score) -> Prediction:
    by_head = {head: tuple(each for each in scores if each.label.head == head) for head in HEADS}
    return Prediction(Quality(True), by_head["findings"], {}, by_head["diagnoses"], by_head["labs"])


def line_of(found: Interpretation, words: str) -> Line:
    (line,) = [line for line in found.lines if words in line.statement]
    return line


def test_a_normal_ecg_is_told_by_its_rhythm_its_rate_and_as_normal() -> None:
    scores = (score("findings", "SR", "Sinus rhythm", 0.99), score("findings", "NORM", "Normal ECG", 0.95))
    found = said(normal(), predicted(*scores))
    assert [line.statement for line in found.ordered()] == ["Sinus rhythm", "Normal ECG"]
    assert found.ordered()[0].figures == "61/min"
    assert {line.statement for line in found.normal} == {"Normal conduction", "Normal axis"}


def test_fibrillation_is_said_once_and_not_against_p_waves() -> None:
    many = predicted(
        score("findings", "AFIB", "Atrial fibrillation", 0.7),
        score("diagnoses", "I48", "Atrial fibrillation and flutter", 0.6),
        score("diagnoses", "I4891", "Unspecified atrial fibrillation", 0.5),
    )
    found = said(normal(), many)
    assert found.ordered()[0].statement == "Sinus rhythm"
    (line,) = [line for line in found.lines if "fibrillation" in line.statement]
    assert line.certainty == "doubted"
    assert line.statement.startswith("Not confirmed")
    assert [each.label.code for each in line.others] == ["I48", "I4891"]
    assert "The measurement disagrees" in line.contradiction


def test_a_parent_and_its_child_make_one_line_and_labs_of_one_kind_too() -> None:
    found = said(
        normal(),
        predicted(
            score("diagnoses", "I21", "Acute myocardial infarction", 0.6),
            score("diagnoses", "I2119", "STEMI of inferior wall", 0.7),
            lab("inr_high", "High INR", "inr", "high", 0.8),
            lab("pt_high", "Prolonged PT", "pt", "high", 0.7),
        ),
    )
    assert [line.statement for line in found.ordered()] == [
        "Consider inferior injury current",
        "Sinus rhythm",
        "Consider a high INR (anticoagulation, liver)",
    ]
    assert [each.label.code for each in line_of(found, "inferior").others] == ["I21"]


def test_what_is_weak_does_not_swallow_what_is_more_probable() -> None:
    found = said(
        normal(),
        predicted(
            score("findings", "INJIN", "Inferior injury current", 0.04, threshold=0.02),
            score("diagnoses", "I214", "NSTEMI", 0.45),
        ),
    )
    assert line_of(found, "acute coronary disease").score is not None
    assert line_of(found, "injury current").statement == "Inferior injury current not excluded"


def test_an_improbable_injury_across_the_heart_stands_under_the_likely_one() -> None:
    """Lateral at 4% beside a likely inferior injury is its mirror image; likelier, with ST elevation of its own, or
    beside an anterior injury, which it does not mirror, it is a line by itself."""
    lateral = score("findings", "INJLA", "Lateral injury current", 0.04, threshold=0.02)
    inferior = score("findings", "INJIN", "Inferior injury current", 0.9)
    line = line_of(said(normal(), predicted(inferior, lateral)), "injury current")
    assert [each.label.code for each in line.others] == ["INJLA"]

    likelier = replace(lateral, probability=0.12)
    anterior = score("findings", "INJAS", "Anteroseptal injury current", 0.9)
    weak = score("findings", "INJIN", "Inferior injury current", 0.15, threshold=0.02)
    for scores in ((inferior, likelier), (anterior, lateral), (weak, lateral)):
        found = said(normal(), predicted(*scores))
        assert sum("injury current" in each.statement for each in found.lines) == 2, scores

    elevated = AnalyzedECG(normal().ecg)
    elevated.__dict__["quantities"] = {**normal().quantities, "st_up_lateral": Quantity(2.0, "")}
    found = said(elevated, predicted(inferior, lateral))
    assert sum("injury current" in each.statement for each in found.lines) == 2


def test_nothing_above_its_threshold_is_lost_where_one_group_goes_into_another() -> None:
    """Of every group the leading code, beside those that it may go into and those that these may go into."""
    for key, group in groups().items():
        chain = [key, *group.under, *(further for other in group.under for further in groups()[other].under)]
        codes = dict.fromkeys(groups()[each].codes[0] for each in chain)
        scores = [score(_head(code), code, code, 0.9 - 0.01 * place, threshold=0.1) for place, code in enumerate(codes)]
        found = said(normal(), predicted(*scores))
        told = {each.label.code for line in found.lines for each in (line.score, *line.others) if each}
        assert set(codes) <= told, key


def _head(code: str) -> Head:
    if code in vocabulary.findings():
        return "findings"
    return "labs" if code.endswith(("_high", "_low")) else "diagnoses"


def test_the_urgent_comes_first_if_likely_and_the_order_of_likelihood_is_another() -> None:
    scores = (
        score("diagnoses", "I50", "Heart failure", 0.9),
        score("findings", "INJLA", "Lateral injury current", 0.6),
        score("findings", "INJAS", "Anterior injury current", 0.04, threshold=0.02),
    )
    found = said(normal(), predicted(*scores))
    urgent = [line.statement for line in found.ordered("Urgent")]
    assert urgent[:2] == ["Probable lateral injury current", "Sinus rhythm"]
    assert urgent.index("Anterior injury current not excluded") > urgent.index("Consider heart failure")
    likely = [line.statement for line in found.ordered("Likely")]
    assert likely[0] == "Sinus rhythm"
    assert likely.index("Consider heart failure") < likely.index("Probable lateral injury current")
    assert sorted(urgent) == sorted(likely)


def test_unsure_p_waves_give_no_name_but_a_likely_score_is_told_as_its_own() -> None:
    unsure = with_p_waves("unsure")
    nothing = said(unsure, predicted()).ordered()[0]
    assert (nothing.statement, nothing.certainty) == ("Rhythm not named: P waves not sure", "open")
    named = said(unsure, predicted(score("findings", "AFIB", "Atrial fibrillation", 0.97))).ordered()[0]
    assert named.statement == "Probable atrial fibrillation, P waves not sure"
    weak = said(unsure, predicted(score("findings", "AFIB", "Atrial fibrillation", 0.3))).ordered()[0]
    assert weak.statement.startswith("Rhythm not named")


def test_without_a_p_wave_no_sinus_rhythm_is_named_however_likely() -> None:
    scores = (score("findings", "SBRAD", "Sinus bradycardia", 0.95), score("findings", "SR", "Sinus rhythm", 0.9))
    first = said(with_p_waves("none"), predicted(*scores)).ordered()[0]
    assert (first.statement, first.certainty) == ("Regular rhythm, no P wave found", "measured")


def with_p_waves(kind: Kind) -> AnalyzedECG:
    ecg = AnalyzedECG(normal().ecg)
    ecg.__dict__["beats"] = replace(normal().beats, atrial=kind)
    return ecg


def test_no_silent_label_in_any_line_of_any_example(shipped_model: Model, shipped_examples: Collection) -> None:
    silent = {each.code for head in HEADS for each in shipped_model.labels[head] if each.silent}
    assert silent
    for entry in shipped_examples.entries[::6]:
        ecg = AnalyzedECG(shipped_examples.read(entry.key))
        clinical = shipped_examples.clinical(entry.key)
        record = Record(frozenset(entry.findings), frozenset(entry.diagnoses), measured_labs(clinical))
        prediction = shipped_model.predict(ecg)
        found = said(ecg, prediction, record)
        scores = [each for line in found.lines for each in (line.score, *line.others) if each] + [*found.missed]
        assert not {each.label.code for each in scores} & silent
        above = {s.label.code for head in HEADS for s in prediction.scores(head) if s.positive}
        told = {each.label.code for each in scores}
        assert above - {"NORM"} <= told, "something above its threshold is in no line"


def test_a_measured_lab_agrees_or_contradicts() -> None:
    high = lab("potassium_high", "Hyperkalemia", "potassium", "high", 0.7)
    for value, standing, words in (
        (6.4, "stated", "potassium measured 6.4 mmol/L, high"),
        (4.1, "contradicted", "contradicted: potassium measured 4.1 mmol/L, normal"),
    ):
        line = line_of(said(normal(), predicted(high), Record(labs={"potassium": value})), "hyperkalemia")
        assert (line.standing, line.record) == (standing, words)


def test_the_record_states_misses_and_contradicts() -> None:
    prediction = predicted(
        score("findings", "SR", "Sinus rhythm", 0.99),
        score("findings", "LAFB", "Left anterior fascicular block", 0.9),
        score("findings", "LVH", "Left ventricular hypertrophy", 0.05),
        score("diagnoses", "E11", "Type 2 diabetes mellitus", 0.1),
        score("diagnoses", "E119", "Type 2 diabetes mellitus without complications", 0.1),
    )
    found = said(normal(), prediction, Record(frozenset({"AFIB", "LVH", "NORM"}), frozenset({"E11", "E119"})))
    assert line_of(found, "Sinus").standing == "contradicted"
    assert line_of(found, "Sinus").record == "the record states atrial fibrillation or flutter"
    assert line_of(found, "fascicular").record == "the record states Normal ECG"
    assert [each.label.code for each in found.missed] == ["LVH", "E119"], "a parent is not told beside its child"
    assert line_of(said(normal(), prediction), "Sinus").standing is None


def test_nothing_is_said_of_a_tracing_without_a_result() -> None:
    assert said(normal(), Prediction(Quality(False, ("No lead holds a signal.",)))) == Interpretation()


def test_a_line_as_json_and_as_words_has_score_verdict_and_criterion() -> None:
    promise = Guarantee(0.1, 0.1, 0.3, "real", 20, 20)
    found = said(normal(), predicted(score("findings", "1AVB", "First-degree AV block", 0.8, guarantee=promise)))
    data = line_json(line_of(found, "first-degree"))
    assert (data["code"], data["verdict"], data["certainty"]) == ("1AVB", "present", "doubted")
    assert data["criterion"] is not None
    assert data["criterion"]["verdict"] == "not met"
    assert data["text"].startswith("Not confirmed: first-degree AV block, PR 152 ms")
    assert data["text"].endswith("score 80% (verdict: present)")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("00143", "Ventricular pacing"),
        ("00152", "Atrial fibrillation"),
        ("00020", "flutter"),
        ("00269", "Sinus rhythm"),
    ],
)
def test_the_rhythm_of_real_ecgs(shared: Path, name: str, first: str) -> None:
    path = shared / "ptbxl_native" / "records500" / "00000" / f"{name}_hr.hea"
    if not path.is_file():
        pytest.skip("PTB-XL with amplitudes as recorded is not among the shared recordings")
    analyzed = AnalyzedECG(read(path))
    fibrillation = score("findings", "AFIB", "Atrial fibrillation", 0.9 if name == "00152" else 0.01)
    line = next(line for line in said(analyzed, predicted(fibrillation)).lines if line.section == "rhythm")
    assert first in line.statement


def test_a_wide_qrs_is_told_without_a_name_where_it_has_none() -> None:
    wide = AnalyzedECG(normal().ecg)
    measured = normal().intervals
    wide.__dict__["intervals"] = replace(measured, qrs=replace(measured.qrs, value=124.0))
    lines = said(wide, predicted()).ordered()
    assert "Wide QRS without the full pattern of a bundle branch block" in [line.statement for line in lines]


def test_a_broad_beat_that_is_not_early_does_not_contradict_a_score_of_premature_beats() -> None:
    extra = score("findings", "PVC", "Premature ventricular complexes", 0.6)
    assert line_of(said(normal(), predicted(extra)), "premature ventricular").certainty == "doubted"
    ecg = AnalyzedECG(normal().ecg)
    beats = normal().beats.beats
    ecg.__dict__["beats"] = replace(normal().beats, beats=(*beats[:4], replace(beats[4], typical=False), *beats[5:]))
    line = line_of(said(ecg, predicted(extra)), "premature ventricular")
    assert (line.statement, line.contradiction) == ("Probable premature ventricular complexes", "")
    assert line.figures == "1 beat of another shape, not premature"


def measured(**quantities: float) -> AnalyzedECG:
    """The normal ECG with other values of some quantities of its criteria."""
    ecg = AnalyzedECG(normal().ecg)
    ecg.__dict__["quantities"] = {**normal().quantities} | {
        name: Quantity(value, f"{name} {value:g}") for name, value in quantities.items()
    }
    return ecg


def test_a_rate_and_a_premature_beat_give_way_to_another_finding_where_one_score_is_opened() -> None:
    sinus, slow = score("findings", "SR", "Sinus rhythm", 0.9), score("findings", "SBRAD", "Sinus bradycardia", 0.95)
    extra = score("findings", "PVC", "Premature ventricular complexes", 0.9)
    block = score("findings", "CRBBB", "Right bundle branch block", 0.6)
    failure = score("diagnoses", "I50", "Heart failure", 0.99)
    ecg = measured(premature_wide=1, qrs=150, v1_late=3, s_lateral=60)
    for scores, code in (
        ((sinus, slow, extra, block, failure), "CRBBB"),
        ((sinus, extra, failure), "PVC"),  # a diagnosis is not what the tracing shows
        ((sinus, extra), "PVC"),
        ((sinus, extra, replace(block, probability=0.3)), "PVC"),
        ((sinus, failure), "I50"),
    ):
        prediction = predicted(*scores)
        opened = opening(prediction, said(ecg, prediction))
        assert opened is not None
        assert opened.code == code


def test_an_injury_with_st_elevated_takes_in_what_says_less_however_low_its_score() -> None:
    """ST elevation that is stated as such, NSTEMI, and the mirror image across the heart; not a neighbor's, even less
    probable, whose own criterion is not met."""
    ecg = measured(st_up_lateral=4, st_up_any=4, st_up_anterolateral=4)
    scores = (
        score("findings", "INJLA", "Lateral injury current", 0.34, threshold=0.01),
        score("findings", "STE_", "Nonspecific ST elevation", 0.62),
        score("diagnoses", "I214", "NSTEMI", 0.65),
        score("diagnoses", "I2119", "Inferior STEMI", 0.03, threshold=0.02),
        score("findings", "INJAS", "Anteroseptal injury current", 0.03, threshold=0.02),
    )
    found = said(ecg, predicted(*scores))
    line = line_of(found, "Possible lateral injury current")
    assert {each.label.code for each in line.others} == {"STE_", "I214", "I2119"}
    others = [each for each in found.lines if each.section == "ischemia" and each is not line]
    assert [(each.statement, each.others) for each in others] == [("Anterior injury current not excluded", ())]


def test_a_slight_st_depression_makes_no_urgent_injury_of_an_improbable_score() -> None:
    """It meets the criterion, but takes nothing in and is not opened; elevated, or likelier, it is urgent."""
    injury = score("findings", "INJAS", "Anteroseptal injury current", 0.03, threshold=0.02)
    inverted = score("findings", "INVT", "T-wave inversion", 0.6)
    for ecg, probability, is_urgent in (
        (measured(st_down_septal=1.2, t_inverted_any=1.5), 0.03, False),
        (measured(st_down_septal=1.2, t_inverted_any=1.5), 0.3, True),
        (measured(st_up_septal=2, t_inverted_any=1.5), 0.03, True),
    ):
        prediction = predicted(replace(injury, probability=probability), inverted)
        found = said(ecg, prediction)
        line = line_of(found, "nterior injury current")
        assert (bool(line.urgency), line.is_open) == (is_urgent, is_urgent)
        opened = opening(prediction, found)
        assert opened is not None
        assert opened.code == ("INJAS" if is_urgent else "INVT")
        if not is_urgent:
            assert line.statement == "Anterior injury current not excluded"
            assert [each.label.code for each in line_of(found, "T-wave inversion").others] == []


def test_a_diagnosis_of_what_a_tracing_shows_is_denied_in_words_too() -> None:
    third = score("diagnoses", "I442", "Complete AV block", 0.01, threshold=0.005)
    assert line_of(said(normal(), predicted(third)), "third-degree").statement == "Not confirmed: third-degree AV block"
    lateral = score("diagnoses", "I2129", "Lateral STEMI", 0.01, threshold=0.005)
    found = said(normal(), predicted(lateral))
    assert line_of(found, "ateral injury").statement == "Lateral injury current not excluded"


def test_a_long_qt_of_a_wide_qrs_does_not_confirm_a_low_calcium() -> None:
    low = lab("calcium_low", "Hypocalcemia", "calcium", "low", 0.6)
    long = {**normal().quantities, "qtcf": Quantity(500.0, "QTcF 500 ms")}
    for qrs, certainty, figures in ((90.0, "confirmed", "QTcF 500 ms"), (145.0, "likely", "QTcF 500 ms; QRS 145 ms")):
        ecg = AnalyzedECG(normal().ecg)
        found = normal().intervals
        ecg.__dict__["intervals"] = replace(found, qrs=replace(found.qrs, value=qrs))
        ecg.__dict__["quantities"] = long
        line = line_of(said(ecg, predicted(low)), "hypocalcemia")
        assert (line.certainty, line.figures) == (certainty, figures)


def test_a_short_pr_before_a_wide_qrs_is_told_as_pre_excitation() -> None:
    """Also where the score is below its threshold; not beside a bundle branch block, which widens QRS by itself."""
    found = normal().intervals
    wide = measured(pr=95, qrs=140)
    wide.__dict__["intervals"] = replace(found, qrs=replace(found.qrs, value=140.0), pr=replace(found.pr, value=95.0))
    low = score("findings", "WPW", "Wolff-Parkinson-White pattern", 0.02)
    line = line_of(said(wide, predicted(low), Record(frozenset({"WPW"}))), "pre-excitation")
    assert (line.certainty, line.standing, line.figures) == ("measured", "stated", "pr 95; qrs 140")
    assert not [each for each in said(wide, predicted(low)).lines if "bundle branch" in each.statement]
    wide.__dict__["quantities"] = {**wide.quantities, "pr": Quantity(152.0, "PR 152 ms")}
    assert not [each for each in said(wide, predicted(low)).lines if "pre-excitation" in each.statement]


def test_high_voltage_alone_is_not_called_hypertrophy() -> None:
    voltage = score("findings", "VCLVH", "Voltage criteria for left ventricular hypertrophy", 0.3)
    found = said(measured(sokolow=39, female=0), predicted(voltage))
    assert [line.statement for line in found.lines if line.section == "hypertrophy"] == [voltage.label.name]


def test_st_t_and_q_are_not_measured_under_flutter_waves(shared: Path) -> None:
    path = shared / "ptbxl_native" / "records500" / "00000" / "00023_hr.hea"
    if not path.is_file():
        pytest.skip("PTB-XL with amplitudes as recorded is not among the shared recordings")
    ischemia = score("diagnoses", "I214", "NSTEMI", 0.3)
    line = line_of(said(AnalyzedECG(read(path)), predicted(ischemia)), "acute coronary")
    assert line.figures == "criterion not measurable: flutter waves run under QRS, ST and T"


def test_a_paced_rhythm_neither_shows_nor_denies_fibrillation_and_av_block(shared: Path) -> None:
    path = shared / "ptbxl_native" / "records500" / "00000" / "00143_hr.hea"
    if not path.is_file():
        pytest.skip("PTB-XL with amplitudes as recorded is not among the shared recordings")
    scores = (score("diagnoses", "I4891", "Atrial fibrillation", 0.8), score("diagnoses", "I442", "AV block", 0.3))
    found = said(AnalyzedECG(read(path)), predicted(*scores))
    for words in ("fibrillation", "third-degree"):
        line = line_of(found, words)
        assert "Not confirmed" not in line.statement
        assert line.contradiction == ""
        assert line.figures.startswith("criterion not measurable")


def test_what_is_measured_by_its_definition_is_not_only_considered() -> None:
    """Also where a diagnosis is above its threshold and no finding."""
    block = score("diagnoses", "I440", "First-degree AV block", 0.23)
    assert line_of(said(measured(pr=249), predicted(block)), "AV block").statement == "First-degree AV block"
    assert "Not confirmed" in line_of(said(normal(), predicted(block)), "AV block").statement


def test_no_av_block_is_probable_without_a_p_wave() -> None:
    ecg = with_p_waves("none")
    none = Quantity(None, "", "no P wave found")
    ecg.__dict__["quantities"] = {**ecg.quantities, "pr": none, "p_duration": none}
    block = score("findings", "1AVB", "First-degree AV block", 0.63)
    line = line_of(said(ecg, predicted(block)), "AV block")
    assert (line.statement, line.figures) == (
        "Possible first-degree AV block",
        "criterion not measurable: no P wave found",
    )


@pytest.mark.parametrize(
    ("rate", "qrs", "statement"),
    [
        (31, 90, "Regular bradycardia, no P wave found"),
        (72, 150, "Regular rhythm, no P wave found"),
        (150, 90, "Regular narrow-QRS tachycardia, no P wave found"),
        (150, 150, "Regular wide-QRS tachycardia, no P wave found: consider ventricular tachycardia"),
    ],
)
def test_a_rhythm_without_p_waves_is_named_by_its_rate_and_width(rate: float, qrs: float, statement: str) -> None:
    """A wide regular tachycardia is taken for a ventricular one until it is known to be another."""
    ecg = with_p_waves("none")
    found = ecg.intervals
    ecg.__dict__["intervals"] = replace(found, qrs=replace(found.qrs, value=float(qrs)))
    changed = {"rate": Quantity(rate, f"rate {rate}/min"), "qrs": Quantity(qrs, f"QRS {qrs} ms")}
    ecg.__dict__["quantities"] = {**ecg.quantities, **changed}
    ventricular = score("diagnoses", "I472", "Ventricular tachycardia", 0.04, threshold=0.01)
    found_lines = said(ecg, predicted(ventricular))
    first = next(line for line in found_lines.ordered() if line.section == "rhythm")
    assert first.statement == statement
    is_wide = statement.endswith("consider ventricular tachycardia")
    others = [line for line in found_lines.lines if line is not first and "entricular tachycardia" in line.statement]
    assert [line.statement for line in others] == ([] if is_wide else ["Ventricular tachycardia not excluded"])
    assert bool(first.urgency) == is_wide


def test_a_likely_flutter_is_told_beside_a_sinus_tachycardia_that_has_no_score() -> None:
    fast = measured(rate=140)
    flutter = score("findings", "AFLT", "Atrial flutter", 0.78)
    (line,) = [each for each in said(fast, predicted(flutter)).lines if "flutter" in each.statement]
    assert line.statement == "Sinus tachycardia, or atrial flutter with 2:1 conduction"
    sinus = score("findings", "STACH", "Sinus tachycardia", 0.9)
    assert said(fast, predicted(flutter, sinus)).ordered()[0].statement == "Sinus tachycardia"
    assert said(normal(), predicted(flutter)).ordered()[0].statement == "Sinus rhythm"


def test_what_is_measured_comes_before_what_is_likely_in_its_section() -> None:
    scores = (
        score("findings", "LAFB", "Left anterior fascicular block", 0.63),
        score("findings", "2AVB", "Second-degree AV block", 0.05),
    )
    ecg = measured(blocked_p=3, qrs_axis=-50, small_q_avl=1)
    conduction = [line.statement for line in said(ecg, predicted(*scores)).ordered() if line.section == "conduction"]
    assert conduction == ["Second-degree AV block", "Left anterior fascicular block"]


def test_a_normal_ecg_is_opened_as_normal_and_not_on_what_is_improbable() -> None:
    sinus, fine = score("findings", "SR", "Sinus rhythm", 0.99), score("findings", "NORM", "Normal ECG", 0.83)
    potassium = lab("potassium_high", "Hyperkalemia", "potassium", "high", 0.25)
    ventricular = score("diagnoses", "I472", "Ventricular tachycardia", 0.02, threshold=0.01)
    changes = score("findings", "NST_", "Nonspecific ST changes", 0.22)
    enlarged = score("findings", "LAO/LAE", "Left atrial enlargement", 0.88)
    inverted = score("findings", "LOWT", "Low T waves", 0.55)
    for scores, code in (
        ((sinus, fine, potassium), "NORM"),
        ((sinus, ventricular, changes), "NST_"),
        ((sinus, ventricular), "I472"),
        ((sinus, enlarged, inverted), "LOWT"),
        ((sinus, enlarged), "LAO/LAE"),
    ):
        prediction = predicted(*scores)
        opened = opening(prediction, said(measured(p_end_v1=60, t_low=3, t_limb=3, t_chest=4), prediction))
        assert opened is not None
        assert opened.code == code, (opened.code, code)


def test_units_stand_behind_a_value_as_they_are_written() -> None:
    assert lab_words("haematocrit", 24.9) == "measured 24.9%, low"
    assert lab_words("inr", 2.0) == "measured 2, high"
    assert lab_words("potassium", 6.4) == "measured 6.4 mmol/L, high"


def test_a_tall_t_of_a_normal_ecg_is_no_urgent_hyperkalemia() -> None:
    tall = measured(t_limb=5.7)
    fine = score("findings", "NORM", "Normal ECG", 0.98)
    for potassium, others, urgency in ((0.18, (), 6), (0.18, (fine,), None), (0.4, (fine,), 6)):
        high = lab("potassium_high", "Hyperkalemia", "potassium", "high", potassium)
        high = replace(high, label=replace(high.label, threshold=0.1))
        prediction = predicted(high, *others)
        found = said(tall, prediction)
        assert line_of(found, "hyperkalemia").urgency == urgency
        opened = opening(prediction, found)
        assert opened is not None
        assert opened.code == ("potassium_high" if urgency else "NORM")


def test_an_irregular_sinus_rhythm_may_be_that_of_a_normal_ecg() -> None:
    scores = (score("findings", "SR", "Sinus rhythm", 0.1), score("findings", "NORM", "Normal ECG", 0.83))
    found = said(measured(rr_spread=200, premature_wide=0, premature_narrow=0), predicted(*scores))
    assert [line.statement for line in found.ordered()] == ["Irregular sinus rhythm", "Normal ECG"]


def test_a_supraventricular_tachycardia_by_score_and_definition_is_said_once() -> None:
    ecg = with_p_waves("none")
    ecg.__dict__["quantities"] = {**ecg.quantities, "rate": Quantity(160, "rate 160/min")}
    fast = score("findings", "SVTAC", "Supraventricular tachycardia", 0.45)
    found = said(ecg, predicted(fast))
    assert line_of(found, "achycardia").statement == "Supraventricular tachycardia, no P wave found"
