"""Files on which this project was wrong once, each with the value that is right; they lie beside the checkout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgkt.ecg import ECG, ECGError
from ecgkt.measurements.delineation import delineate
from ecgkt.quality.usable import assess
from ecgkt.readers import TableLayout, group_uploads, read

TABLE = TableLayout(500.0)


@pytest.fixture(scope="module")
def original(shared: Path) -> np.ndarray:
    """[12, 5000] mV: the recording of which most of these files are made."""
    signal: np.ndarray = read(shared / "cinc/A0002.hea").signal[:, :5000]
    return signal


def same(ecg: ECG, original: np.ndarray) -> None:
    """These files have steps of 5 uV, in which III to aVF were derived; the original has steps of 1 uV."""
    assert ecg.rate == 500
    np.testing.assert_allclose(ecg.signal, original, atol=0.0076)


def test_the_calibration_pulse_is_cut_off_in_any_format(shared: Path) -> None:
    ecg = read(shared / "field/01_aecg_philips_converted_calibration_pulse.xml")
    assert (ecg.samples, len(delineate(ecg).r_times)) == (5300, 7)
    assert assess(ecg).ok
    assert any("calibration" in note for note in ecg.notes)
    philips = read(shared / "formats/philips_sierra_1_04.xml")
    np.testing.assert_allclose(ecg.signal, philips.signal, atol=0.025)  # the conversion was lossy


def test_a_padding_value_that_samples_have_is_none(shared: Path) -> None:
    ecg = read(shared / "field/02_dicom_padding_value_0.dcm")
    np.testing.assert_allclose(ecg.signal, read(shared / "formats/scp_example.scp").signal, atol=1e-5)
    assert any("padding" in note for note in ecg.notes)


def test_samples_of_big_endian_dicom(shared: Path, original: np.ndarray) -> None:
    same(read(shared / "field/03_dicom_explicit_vr_big_endian.dcm"), original)


def test_section_6_of_scp_settles_how_many_samples_there_are(shared: Path) -> None:
    path = shared / "field/06_scp_lead_span_0_to_10000.scp"
    ecg = read(path)
    content = path.read_bytes()
    stored = np.frombuffer(content[-160_000:], dtype="<i2").reshape(8, 10_000)  # at the end, uncompressed
    nanovolts = int.from_bytes(content[386 + 16 : 386 + 18], "little")
    assert (ecg.rate, ecg.samples) == (1000, 10_000)
    np.testing.assert_allclose(ecg.signal[[0, 1, *range(6, 12)]], stored * (nanovolts * 1e-6), atol=1e-5)


def test_age_and_sex_in_one_comment_line(shared: Path, original: np.ndarray) -> None:
    ecg = read(shared / "field/07_wfdb_age_sex_one_comment_line.hea")
    assert (ecg.age, ecg.sex) == (28, "male")
    same(ecg, original)


@pytest.mark.parametrize(
    "name", ["08_wfdb_names_ECG_lead_II.hea", "08b_wfdb_names_DI_DII_DIII.hea", "12_edf_labels_ECG_Lead_I.edf"]
)
def test_leads_by_other_names(shared: Path, original: np.ndarray, name: str) -> None:
    same(read(shared / "field" / name), original)


def test_a_matrix_of_another_matlab_version_is_told(shared: Path) -> None:
    with pytest.raises(ECGError, match="MATLAB version 5"):
        read(shared / "field/09_wfdb_mat_v5.hea")


def test_a_transposed_matrix_is_turned(shared: Path, original: np.ndarray) -> None:
    ecg = read(shared / "field/09c_wfdb_mat_v4_transposed.mat")
    same(ecg, original)
    assert any("turned" in note for note in ecg.notes)


def test_a_sample_at_the_lowest_value_is_missing(shared: Path, original: np.ndarray) -> None:
    ecg = read(shared / "field/11_muse_one_sample_minus_32768.xml")
    missing = np.isnan(ecg.signal)
    assert missing.any(axis=0).sum() == 1
    same(ecg, np.where(missing, np.nan, original))
    assert assess(ecg).ok


def test_the_longer_of_two_rhythm_waveforms(shared: Path, original: np.ndarray) -> None:
    ecg = read(shared / "field/14_muse_two_rhythm_waveforms.xml")
    same(ecg, original)
    assert any("rhythm waveforms" in note for note in ecg.notes)


def test_a_file_without_any_of_the_leads_may_be_absent(shared: Path) -> None:
    path = shared / "field/15_ptb_without_xyz/s0010_re.hea"
    ecg = read(path)
    stored = np.frombuffer(path.with_suffix(".dat").read_bytes(), dtype="<i2").reshape(-1, 12).T / 2000
    np.testing.assert_allclose(ecg.signal, stored, atol=1e-5)
    assert (ecg.age, ecg.sex) == (81, "female")


@pytest.mark.parametrize(
    "name",
    [
        "10_csv_pandas_header_0_to_11.csv", "16_csv/16a_clock_time_column.csv", "16_csv/16b_metadata_lines.csv",
        "16_csv/16c_trailing_comma.csv", "16_csv/16e_transposed_12_rows.csv",
    ],
)  # fmt: skip
def test_tables_of_many_makers(shared: Path, original: np.ndarray, name: str) -> None:
    same(read(shared / "field" / name, TABLE), original)


def test_a_table_that_states_rate_and_unit_needs_no_layout(shared: Path, original: np.ndarray) -> None:
    same(read(shared / "field/16_csv/16b_metadata_lines.csv"), original)


@pytest.mark.parametrize("name", ["00001_hr.hea", "00001_hr.dat"])
def test_a_pointer_says_that_the_file_was_not_fetched(shared: Path, name: str) -> None:
    path = shared / "field/17_git_lfs_pointer" / name
    for source in (path, path.read_bytes(), *group_uploads({name: path.read_bytes()})):
        with pytest.raises(ECGError, match="pointer to a file that was not fetched"):
            read(source)


def test_a_gain_that_would_round_to_nothing_is_refused(shared: Path) -> None:
    with pytest.raises(ECGError, match="gain"):
        read(shared / "hostile/wfdb_gain_1e-10/r.hea")


@pytest.mark.parametrize("folder", ["vendor", "formats"])
def test_every_file_of_a_recorder_is_read(shared: Path, folder: str) -> None:
    files = [file for file in sorted((shared / folder).iterdir()) if file.suffix in (".xml", ".dcm", ".scp", ".hea")]
    assert files
    for file in files:
        ecg = read(file)
        assert np.isfinite(ecg.signal).all()
        assert ecg.seconds >= 10
        assert 0.5 < np.median(np.ptp(ecg.signal, axis=1)) < 20
