"""The simulated cohort: MIMIC's layout as other software reads it, and the same bytes again."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecgkt.simulation.tables import statements
from training.__main__ import main
from training.simulation import simulate
from training.simulation.layout import LEAD_ORDER, TABLES, TRUTH

pytestmark = pytest.mark.slow

PATIENTS = 60


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated")
    simulate(PATIENTS, seed=7, out=out, workers=1)
    return out


def _digests(folder: Path) -> dict[str, str]:
    files = (p for p in folder.rglob("*") if p.is_file() and ".shards" not in p.parts)
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def _table(cohort: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(cohort / f"{name}{'.csv' if 'ecg' in name else '.csv.gz'}")


def test_columns_are_mimics(cohort: Path) -> None:
    for name, columns in TABLES.items():
        assert tuple(_table(cohort, name).columns) == columns
    assert "Nobody in this folder exists" in (cohort / "SIMULATED.md").read_text()
    for name, columns in TRUTH.items():
        assert tuple(pd.read_parquet(cohort / "truth" / f"{name}.parquet").columns) == columns


def test_wfdb_reads_every_record_and_its_checksums(cohort: Path) -> None:
    for path in _table(cohort, "mimic-iv-ecg/record_list").path:
        record = wfdb.rdrecord(str(cohort / "mimic-iv-ecg" / path), physical=False)
        assert tuple(record.sig_name) == LEAD_ORDER
        assert (record.fs, record.sig_len, record.fmt[0], record.adc_gain[0]) == (500, 5000, "16", 200)
        assert record.calc_checksum() == [c % 65536 for c in record.checksum]
        assert np.array_equal(record.d_signal[0], record.init_value)


def test_limb_leads_obey_einthoven_and_goldberger(cohort: Path) -> None:
    for path in _table(cohort, "mimic-iv-ecg/record_list").path[:20]:
        record = wfdb.rdrecord(str(cohort / "mimic-iv-ecg" / path))
        lead = dict(zip(record.sig_name, record.p_signal.T, strict=True))
        step = 1 / 200
        assert np.abs(lead["I"] + lead["III"] - lead["II"]).max() <= 1.5 * step + 1e-9
        assert np.abs(lead["aVR"] + (lead["I"] + lead["II"]) / 2).max() <= 1.01 * step
        assert np.abs(lead["aVR"] + lead["aVL"] + lead["aVF"]).max() <= 1.5 * step + 1e-9


def test_amplitudes_are_those_of_an_ecg(cohort: Path) -> None:
    peak = []
    for path in _table(cohort, "mimic-iv-ecg/record_list").path:
        signal = wfdb.rdrecord(str(cohort / "mimic-iv-ecg" / path)).p_signal
        assert np.isfinite(signal).all()
        assert np.abs(signal).max() < 10
        peak.append(np.ptp(signal[:, LEAD_ORDER.index("V5")]))
    assert 0.8 < np.median(peak) < 3.0  # mV; adults' QRS in V5 is about 1 to 2


def test_keys_join_and_every_ecg_is_within_the_hour_after_arrival(cohort: Path) -> None:
    truth = pd.read_parquet(cohort / "truth" / "ecgs.parquet")
    stays = _table(cohort, "mimic-iv-ed/ed/edstays")
    records = _table(cohort, "mimic-iv-ecg/record_list")
    assert truth.study_id.is_unique
    assert stays.stay_id.is_unique
    assert set(truth.study_id) == set(records.study_id)
    joined = truth.merge(stays, on=["subject_id", "stay_id"]).merge(records, on=["subject_id", "study_id"])
    assert len(joined) == len(truth)
    wait = pd.to_datetime(joined.ecg_time, format="ISO8601") - pd.to_datetime(joined.intime, format="ISO8601")
    first = wait.groupby(joined.stay_id).min()
    assert (first >= pd.Timedelta(0)).all()
    assert (first <= pd.Timedelta(minutes=60)).all()
    events = _table(cohort, "mimic-iv/hosp/labevents")
    assert events.labevent_id.is_unique
    assert set(events.subject_id) <= set(stays.subject_id)
    assert events.hadm_id.isna().mean() > 0.1
    codes = _table(cohort, "mimic-iv-ed/ed/diagnosis").icd_code.astype(str)
    assert not codes.str.contains(".", regex=False).any()


def test_reports_are_statements_of_scp_ecg(cohort: Path) -> None:
    machine = _table(cohort, "mimic-iv-ecg/machine_measurements").set_index("study_id")
    findings = pd.read_parquet(cohort / "truth" / "findings.parquet").groupby("study_id").code.agg(list)
    for study, codes in findings.items():
        reports = machine.loc[study, [f"report_{i}" for i in range(18)]].dropna().tolist()
        assert reports == [statements()[code] for code in codes]
        assert not {"AFIB", "SR"} <= set(codes)


def test_statements_are_ptbxls(shared: Path) -> None:
    theirs = pd.read_csv(shared / "ptbxl" / "scp_statements.csv", index_col=0).description
    assert all(theirs[code] == text for code, text in statements().items())


def test_same_bytes_when_resumed_and_with_other_workers(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.simulation.SHARD", 20)  # the result must not depend on it either
    monkeypatch.setattr("training.simulation.cohort.write_record", _stop_after(45))
    with pytest.raises(InterruptedError):
        simulate(PATIENTS, seed=7, out=tmp_path, workers=1)
    assert (tmp_path / ".shards" / "000000-000020").is_dir()
    monkeypatch.undo()
    monkeypatch.setattr("training.simulation.SHARD", 20)
    simulate(PATIENTS, seed=7, out=tmp_path, workers=2)
    assert _digests(tmp_path) == _digests(cohort)


def test_a_finished_shard_is_kept(cohort: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _digests(cohort)
    monkeypatch.setattr("training.simulation.cohort.write_record", _stop_after(0))
    simulate(PATIENTS, seed=7, out=cohort, workers=1)
    assert _digests(cohort) == before


def test_another_seed_is_refused_where_a_cohort_stands(cohort: Path) -> None:
    with pytest.raises(ValueError, match="another seed"):
        simulate(PATIENTS, seed=8, out=cohort)
    with pytest.raises(ValueError, match="number of patients"):
        simulate(0, seed=8, out=cohort)


def test_a_seed_that_is_none_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="seed is a whole number from 0"):
        simulate(5, seed=-1, out=tmp_path / "out")
    with pytest.raises(SystemExit):
        main(["simulate", "--patients", "5", "--seed", "-1", "--out", str(tmp_path / "out")])
    assert "must be 0 or more" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_gzip_headers_hold_no_time(cohort: Path) -> None:
    with open(cohort / "mimic-iv/hosp/patients.csv.gz", "rb") as file:
        assert file.read(8)[4:8] == b"\0\0\0\0"
    with gzip.open(cohort / "mimic-iv/hosp/patients.csv.gz", "rt") as text:
        assert len(text.readlines()) == PATIENTS + 1


def _stop_after(count: int):
    from training.simulation.writer import write_record

    left = [count]

    def write(*arguments):
        if left[0] == 0:
            raise InterruptedError
        left[0] -= 1
        return write_record(*arguments)

    return write
