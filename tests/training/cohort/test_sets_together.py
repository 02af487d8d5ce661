"""Sets without a hospital: LUDB's and the Challenge's layouts, and what several sets of one run owe each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgkt import read
from ecgkt.model.preprocessing import model_view
from tests.training.cohort.made_recordings import write_challenge, write_ludb, write_ptbxl
from training.__main__ import prepare_sources
from training.cohort.challenge import prepare_challenge
from training.cohort.ludb import prepare_ludb
from training.cohort.prepared import load_prepared
from training.cohort.ptbxl import prepare_ptbxl
from training.config import Config, Source, load_config
from training.train.run import StageError, load_sets

CONFIGS = Path(__file__).resolve().parents[3] / "training" / "configs"
SINUS, FIBRILLATION = "426783006", "164889003"


def test_the_challenges_records_in_any_folders(tmp_path: Path) -> None:
    source = write_challenge(tmp_path / "source" / "g1", {"E00001": FIBRILLATION, "HR00001": SINUS, "E00002": ""})
    write_challenge(source.parent / "g2", {"A0001": f"{SINUS},999", "E00001": SINUS, "I0001": SINUS, "other": SINUS})
    write_challenge(source.parent / "g3", {"S0001": SINUS}, gain="2000000/mV")
    cohort = prepare_challenge(source.parent, tmp_path / "out")
    assert cohort.ecgs["ecg_id"].tolist() == ["A0001", "E00001", "S0001"]
    assert cohort.findings["AFIB"].tolist()[:2] == [0, 1]
    assert cohort.info["excluded"] == {
        "half an hour, and not said when what was seen": 1,
        "listed more than once": 1,
        "no diagnosis stated": 1,
        "no record of the Challenge": 1,
        "of PTB-XL; a set of its own": 1,
    }
    assert cohort.ecgs["age"].tolist() == [61] * 3
    assert cohort.ecgs["sex"].tolist() == ["female"] * 3
    assert cohort.info["amplitudes"] == "recorded"
    size = np.abs(cohort.signals).max(axis=(1, 2))
    np.testing.assert_allclose(size[2], size[0], rtol=0.1), "a gain that its header states by mistake"
    assert "999 (1)" in (tmp_path / "out" / "data_card.md").read_text()


def test_splits_of_sets_without_folds_have_their_shares_and_do_not_depend_on_the_others(tmp_path: Path) -> None:
    names = {f"E{n:05d}": SINUS for n in range(1, 201)}
    all_of_them = prepare_challenge(write_challenge(tmp_path / "all", names), tmp_path / "out").ecgs
    shares = all_of_them["split"].value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.2, abs=0.07)
    assert shares["validation"] == pytest.approx(0.15, abs=0.07)
    some = {name: SINUS for name in list(names)[:40]}
    few = prepare_challenge(write_challenge(tmp_path / "some", some), tmp_path / "fewer").ecgs
    assert few["split"].tolist() == all_of_them["split"].tolist()[:40]
    several = {f"S{n:04d}": SINUS for n in range(1, 41)}
    hidden = prepare_challenge(write_challenge(tmp_path / "ptb", several), tmp_path / "hidden").ecgs
    assert set(hidden["split"]) == {"train"}, "patients have several records there, and whose is not said"


def test_ludb_in_its_layout_and_its_microvolts(tmp_path: Path) -> None:
    rows = [
        {"ID": "1\n", "Sex": "F\n", "Age": "51\n", "Rhythms": "Sinus bradycardia"},
        {"ID": "2", "Sex": "M", "Age": ">89", "Rhythms": "Atrial fibrillation",
         "Conduction abnormalities": "Incomplete right bundle branch block\nLeft anterior hemiblock"},
        {"ID": "3", "Sex": "M", "Age": "40", "Rhythms": "Sinus rhythm", "Ischemia": "Scar formation: inferior wall",
         "Hypertrophies": "Left ventricular hypertrophy\nA new word"},
    ]  # fmt: skip
    source = write_ludb(tmp_path / "ludb", rows)
    with (source / "ludb.csv").open("a") as table:
        table.write("4,M,40,,Sinus rhythm,,,,,,,\n")
    cohort = prepare_ludb(source, tmp_path / "out")
    assert cohort.info["excluded"] == {"no tracing": 1}
    expected = {"NORM": [1, 0, 0], "IRBBB": [0, 1, 0], "CD": [0, 1, 0], "IMI": [0, 0, 1], "MI": [0, 0, 1]}
    expected |= {"SBRAD": [1, 0, 0], "AFIB": [0, 1, 0], "SR": [0, 0, 1], "HYP": [0, np.nan, np.nan]}
    for code, values in expected.items():
        np.testing.assert_array_equal(cohort.findings[code], values, err_msg=code)
    assert cohort.ecgs["age"].tolist()[::2] == [51, 40]
    # Lead n has an amplitude of (6 + n) / 12 mV in the made-up recordings, whatever the header's gain.
    span = np.percentile(cohort.signals[0], 99, axis=1) / 1000
    np.testing.assert_allclose(span, 0.5 + np.arange(12) / 12, rtol=0.12)


def test_real_ludb_leads_are_of_one_scale(shared: Path, tmp_path: Path) -> None:
    source = tmp_path / "ludb"
    source.mkdir()
    lines = (shared / "ludb" / "ludb.csv").read_text().split("\n")
    (source / "ludb.csv").write_text("\n".join(lines))
    (source / "data").mkdir()
    for file in sorted((shared / "ludb" / "data").glob("1[0-3].*")):
        if file.suffix in (".hea", ".dat"):
            (source / "data" / file.name).symlink_to(file)
    cohort = prepare_ludb(source, tmp_path / "out")
    one, two, three = (cohort.signals[:, lead].astype(float) for lead in range(3))
    assert len(cohort) > 2
    assert np.abs(one + three - two).max() < 4, "uV; Einthoven's law, to rounding"
    assert np.median(np.ptp(cohort.signals[:, 8], axis=1)) > 1500, "V3 spans more than the 1 mV that headers state"


def test_real_challenge_records_as_they_are_read(shared: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for file in [f for f in sorted((shared / "cinc").iterdir()) if f.stem in ("A0001", "E00018", "JS00001")]:
        (source / file.name).symlink_to(file)
    cohort = prepare_challenge(source, tmp_path / "out")
    assert cohort.ecgs["ecg_id"].tolist() == ["A0001", "E00018", "JS00001"]
    for row, name in enumerate(cohort.ecgs["ecg_id"]):
        expected = model_view(read(source / f"{name}.hea").crop(0, 10))[:, :1000] * 1000
        np.testing.assert_allclose(cohort.signals[row], expected, atol=1)
    assert cohort.findings["LAFB"].tolist()[1] == 1
    assert cohort.findings["AFIB"].tolist() == [0, 0, 1]


@pytest.fixture
def run(tmp_path: Path) -> Config:
    """A run of two copies of PTB-XL: ECG 1 is in both; patient 7 has ECG 2 in one and ECG 3 in the other, whose folds
    contradict, as where one copy lacks fold 10."""
    write_ptbxl(tmp_path / "native", [(1, 6, 1, "NORM SR"), (2, 7, 8, "IMI SR"), (9, 9, 10, "NORM SR")])
    write_ptbxl(tmp_path / "modeled", [(1, 6, 1, "NORM SR"), (3, 7, 8, "IMI SR"), (4, 8, 8, "LVH SR")], recorded="")
    config = load_config(CONFIGS / "tiny.yaml")
    sources = tuple(Source(name, "ptbxl", 0.5, path=str(tmp_path / name)) for name in ("native", "modeled"))
    return replace(config, sources=sources, out=str(tmp_path / "run"), cohort=str(CONFIGS / "cohort.yaml"))


def test_an_ecg_in_two_copies_is_taken_as_recorded_and_a_patient_is_in_one_split(run: Config) -> None:
    prepare_sources(run)
    native, modeled = load_sets(run)[1]
    assert native.ecgs["ecg_id"].tolist() == ["1", "2", "9"]
    assert modeled.ecgs["ecg_id"].tolist() == ["3", "4"]
    assert modeled.info["excluded"] == {"in the set native already": 1}
    assert (native.info["amplitudes"], modeled.info["amplitudes"]) == ("recorded", "modeled")
    assert native.ecgs["split"].tolist() == ["train", "train", "test"], "fold 10 is there, so fold 8 trains"
    assert modeled.ecgs["split"].tolist() == ["train", "test"], "patient 7 as in the other set; fold 8 tests else"


def test_sets_that_were_not_prepared_together_are_refused(run: Config) -> None:
    for source in run.sources:
        prepare_ptbxl(Path(source.path), run.folder / "prepared" / source.name)
    with pytest.raises(StageError, match="1 patients are in two splits"):
        load_sets(run)


def test_rare_statements_are_known_and_not_named(tmp_path: Path) -> None:
    rows = [(n, n, 1, "NORM SR" if n < 8 else "LVH") for n in range(1, 10)]
    cohort = prepare_ptbxl(write_ptbxl(tmp_path / "source", rows), tmp_path / "out")
    named = [label["code"] for label in cohort.info["labels"]["findings"]]
    assert named == ["NORM", "SR"]
    assert cohort.findings["LVH"].sum() == 2
    assert cohort.findings["WPW"].eq(0).all(), "no cardiologist said so"
    assert load_prepared(tmp_path / "out").findings.shape == cohort.findings.shape
