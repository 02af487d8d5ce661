"""Reading files: real ones of every kind, the same values by another route, and hostile ones that must be refused."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import wfdb
from pydicom import dcmread, dcmwrite
from pydicom.data import get_testdata_file

import ecgkt
from ecgkt.ecg import ECG, LEADS, ECGError
from ecgkt.readers import FORMATS, group_uploads, read
from ecgkt.readers.lead_names import lead_name

MIMIC_ORDER = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")


def tracing(samples: int = 2000) -> np.ndarray:
    """[samples, 12] mV, every lead different, limb leads consistent."""
    time = np.arange(samples) / 500
    rows = np.stack([np.sin(2 * np.pi * (k + 1) * time) * (0.2 + 0.1 * k) for k in range(12)], axis=1)
    rows[:, 2] = rows[:, 1] - rows[:, 0]
    return rows


def write(folder: Path, form: str = "16", names: tuple[str, ...] = LEADS, comments: list[str] | None = None) -> Path:
    gain, low = (200.0, 0) if form not in ("80",) else (40.0, 0)
    wfdb.wrsamp(
        "rec", fs=500, units=["mV"] * len(names), sig_name=list(names), p_signal=tracing()[:, : len(names)],
        fmt=[form] * len(names), adc_gain=[gain] * len(names), baseline=[low] * len(names),
        write_dir=str(folder), comments=comments,
    )  # fmt: skip
    return folder / "rec.hea"


def upload(header: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in header.parent.glob("rec.*")}


@pytest.mark.parametrize("form", ["16", "24", "32", "80", "212"])
def test_storage_formats_come_back_in_millivolts(tmp_path: Path, form: str) -> None:
    ecg = read(write(tmp_path, form))
    step = 1 / 40 if form == "80" else 1 / 200
    assert ecg.rate == 500
    np.testing.assert_allclose(ecg.signal, tracing().T, atol=0.51 * step)


def test_format_16_is_decoded_as_the_library_does_to_the_last_bit(tmp_path: Path) -> None:
    stored = np.rint(5000 * tracing()[:700]).astype("<i2")
    stored[:3, 5] = -32768
    (tmp_path / "one.dat").write_bytes(b"junk!" + stored[:, :5].tobytes())
    (tmp_path / "two.dat").write_bytes(stored[:, 5:].tobytes())
    lines = ["rec 12 500 700"]
    for k, lead in enumerate(LEADS):
        place = "one.dat 16+5" if k < 5 else "two.dat 16"
        lines.append(f"{place} {4999 + 7.3 * k:.1f}({30 * k - 90})/mV 16 0 0 0 0 {lead}")
    (tmp_path / "rec.hea").write_text("\n".join(lines) + "\n")
    expected = wfdb.rdrecord(str(tmp_path / "rec")).p_signal.T.astype(np.float32)
    assert np.isnan(expected[5, :3]).all()
    np.testing.assert_array_equal(read(tmp_path / "rec.hea").signal, expected)


def test_leads_are_ordered_by_name(tmp_path: Path) -> None:
    ecg = read(write(tmp_path, names=MIMIC_ORDER))
    expected = {name: tracing()[:, i] for i, name in enumerate(MIMIC_ORDER)}
    for lead, row in zip(LEADS, ecg.signal, strict=True):
        np.testing.assert_allclose(row, expected[lead], atol=0.003)


def test_any_file_of_a_record_finds_the_others(tmp_path: Path) -> None:
    header = write(tmp_path)
    first = read(header).signal
    for source in (tmp_path / "rec.dat", str(tmp_path / "rec"), upload(header)):
        np.testing.assert_array_equal(read(source).signal, first)


def test_missing_samples_are_nan(tmp_path: Path) -> None:
    header = write(tmp_path)
    files = upload(header)
    raw = np.frombuffer(files["rec.dat"], dtype="<i2").reshape(-1, 12).copy()
    raw[100:200, 7] = -32768  # the marker of format 16
    ecg = read({**files, "rec.dat": raw.tobytes()})
    assert np.isnan(ecg.signal[7, 100:200]).all()
    assert np.isfinite(np.delete(ecg.signal, np.s_[100:200], axis=1)).all()


def test_microvolts_and_baseline(tmp_path: Path) -> None:
    header = write(tmp_path)
    files = upload(header)
    plain = read(files).signal
    text = files["rec.hea"].decode()
    assert "200.0(0)/mV" in text
    shifted = read({**files, "rec.hea": text.replace("200.0(0)/mV", "0.2(100)/uV").encode()}).signal
    np.testing.assert_allclose(shifted, plain - 0.5, atol=1e-6)


@pytest.mark.parametrize(
    ("comments", "age", "sex"),
    [
        (["Age: 74", "Sex: Male"], 74.0, "male"),
        (["<age>: 51", "<sex>: F"], 51.0, "female"),
        (["Age: NaN", "Sex: Unknown"], None, None),
        (["mrn 0", "age 71", "sex FEMALE", "diagnosis Infarct, age 3 days"], 71.0, "female"),
        (["old age 71 is in words", "no sex M"], None, None),
        (["Age: 28 Sex: M"], 28.0, "male"),
        (["<age>: 28  <sex>: M  <Height>: 170"], 28.0, "male"),
        (["Age=28, Gender=Female"], 28.0, "female"),
        (["sex: F; age: 28 years"], 28.0, "female"),
        (["Patient age (years): 28", "patient sex: male"], 28.0, "male"),
        (["Age: 18 months Sex: F"], 1.5, "female"),
        (["Age: -1", "Sex: 0"], None, None),
        (["Dosage: 300", "Average: 7", "Sextuplet: F"], None, None),
        (None, None, None),
    ],
)
def test_age_and_sex_from_comments(
    tmp_path: Path, comments: list[str] | None, age: float | None, sex: str | None
) -> None:
    ecg = read(write(tmp_path, comments=comments))
    assert (ecg.age, ecg.sex) == (age, sex)


def test_extra_channels_are_ignored_and_a_missing_lead_is_named(tmp_path: Path) -> None:
    extra = write(tmp_path, names=("vx", *LEADS[:11]))
    with pytest.raises(ECGError, match="V6"):
        read(extra)
    words = ("vx", "Lead I (Einthoven)", "aVR, augmented voltage, right", "v1", "-aVR", "II")
    assert [lead_name(word) for word in words] == ["", "I", "aVR", "V1", "", "II"]


LINE = "rec.dat 16 200(0)/mV 16 0 0 0 0 {}"


def header(record: str = "rec 12 500 2000", **changes: str) -> bytes:
    lines = [changes.get(lead, LINE).format(lead) for lead in LEADS]
    return "\n".join([record, *lines]).encode()


def test_the_header_that_the_refused_ones_differ_from_is_read() -> None:
    assert read({"rec.hea": header(), "rec.dat": bytes(2 * 12 * 2000)}).samples == 2000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (header(V3="../rec.dat 16 200 16 0 0 0 0 {}"), "own files"),
        (header(V3="/etc/passwd 16 200 16 0 0 0 0 {}"), "own files"),
        (header(V3="s3://bucket/rec.dat 16 200 16 0 0 0 0 {}"), "own files"),
        (header(V3=r"..\rec.dat 16 200 16 0 0 0 0 {}"), "own files"),
        (header(V3="rec.dat 16:999999999 200 16 0 0 0 0 {}"), "skew"),
        (header(V3="rec.dat 16x4 200 16 0 0 0 0 {}"), "one sample a frame"),
        (header(V3="rec.dat 310 200 16 0 0 0 0 {}"), "formats"),
        (header(V3="rec.dat 16 0 16 0 0 0 0 {}"), "zero"),
        (header(V3="rec.dat 16 nan 16 0 0 0 0 {}"), "not a number"),
        (header(V3="rec.dat 16 1e400 16 0 0 0 0 {}"), "not a number"),
        (header(V3="rec.dat 16 200/mmHg 16 0 0 0 0 {}"), "unit"),
        (header(V3="other.dat 16 200 16 0 0 0 0 {}"), "several files"),
        (header("rec 12 500 999999999999"), "shorter"),
        (header("rec 12 500 2001"), "shorter"),
        (header("rec 999999999 500 2000"), "signals"),
        (header("rec 13 500 2000"), "describes 12"),
        (header("rec 12 1e9 2000"), "sampling rate"),
        (header("rec 12 -500 2000"), "sampling rate"),
        (header("rec 12 nan 2000"), "sampling rate"),
        (header("rec 12 10 2000"), "sampling rate"),
        (header("rec 12"), "sampling rate"),
        (header("rec/3 12 500 2000"), "segments"),
        (header() + b"\n#" + bytes([65]) * 70_000, "16 KB"),
    ],
)
def test_hostile_headers_are_refused_in_one_sentence(content: bytes, reason: str) -> None:
    with pytest.raises(ECGError, match=reason) as error:
        read({"rec.hea": content, "rec.dat": bytes(2 * 12 * 2000)})
    assert "\n" not in str(error.value)
    assert "passwd" not in str(error.value)


def test_a_header_alone_and_a_signal_file_alone_say_what_is_missing() -> None:
    with pytest.raises(ECGError, match="missing"):
        read({"rec.hea": header()})
    with pytest.raises(ECGError, match="header"):
        read({"rec.dat": bytes(48000)})
    for junk in (b"", b"hello", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(128) + b"DICM" + bytes(50)):
        with pytest.raises(ECGError):
            read(junk)
    with pytest.raises(ECGError, match="no such file"):
        read("nowhere/rec.hea")


def test_only_the_first_minute_of_a_long_recording_is_read() -> None:
    ecg = read({"rec.hea": header("rec 12 500 35000"), "rec.dat": bytes(2 * 12 * 35000)})
    assert ecg.seconds == 60
    assert any("60 s of 70 s" in note for note in ecg.notes)


def test_uploads_fall_into_records(tmp_path: Path) -> None:
    files = upload(write(tmp_path))
    dicom = Path(get_testdata_file("waveform_ecg.dcm", download=False)).read_bytes()
    other = {"b.hea": files["rec.hea"].replace(b"rec", b"b"), "b.dat": files["rec.dat"]}
    groups = group_uploads({**files, "x.dcm": dicom, **other, "stray.dat": b"123"})
    assert [set(group) for group in groups] == [{"rec.hea", "rec.dat"}, {"x.dcm"}, {"b.hea", "b.dat"}, {"stray.dat"}]
    assert all(read(group).seconds > 3 for group in groups[:3])


def test_dicom_agrees_with_pydicoms_own_conversion() -> None:
    file = get_testdata_file("waveform_ecg.dcm", download=False)
    ecg = read(file)
    assert (ecg.rate, ecg.samples, ecg.age, ecg.sex) == (1000, 10000, 42, "female")
    dataset = dcmread(file)
    np.testing.assert_allclose(ecg.signal.T, dataset.waveform_array(0) / 1000, atol=1e-5)
    np.testing.assert_array_equal(read(Path(file).read_bytes()).signal, ecg.signal)


def test_dicom_wrong_in_one_element_is_refused(tmp_path: Path) -> None:
    def changed(**values: object) -> bytes:
        dataset = dcmread(get_testdata_file("waveform_ecg.dcm", download=False))
        channel = dataset.WaveformSequence[0].ChannelDefinitionSequence[3]
        for name, value in values.items():
            setattr(channel if name.startswith("Channel") else dataset.WaveformSequence[0], name, value)
        dataset.save_as(tmp_path / "changed.dcm")
        return (tmp_path / "changed.dcm").read_bytes()

    assert read(changed()).samples == 10000
    np.testing.assert_allclose(
        read(changed(ChannelBaseline="500")).signal[3], read(changed()).signal[3] + 0.5, atol=1e-5
    )
    for values in (
        {"ChannelSensitivity": "0"},
        {"ChannelSampleSkew": "3"},
        {"SamplingFrequency": "5"},
        {"NumberOfWaveformSamples": 20000},
        {"WaveformBitsAllocated": 12},
        {"WaveformOriginality": "DERIVED"},
    ):
        with pytest.raises(ECGError):
            read(changed(**values))


def dicom_with_padding(folder: Path, value: int, written: int | None = None) -> ECG:
    """pydicom's example with that padding value, which `written` (if any) puts into 100 samples of channel 8."""
    dataset = dcmread(get_testdata_file("waveform_ecg.dcm", download=False))
    group = dataset.WaveformSequence[0]
    samples = np.frombuffer(group.WaveformData, dtype="<i2").reshape(-1, 12).copy()
    if written is not None:
        samples[500:600, 7] = written
    group.WaveformData = samples.tobytes()
    group.add_new("WaveformPaddingValue", "OW", value.to_bytes(2, "little", signed=True))
    dataset.save_as(folder / "padded.dcm")
    return read(folder / "padded.dcm")


def test_dicom_padding_is_missing_unless_samples_have_its_value(tmp_path: Path) -> None:
    for value in (-32768, 32767, -20_000):
        missing = np.isnan(dicom_with_padding(tmp_path, value, value).signal)
        assert missing[7, 500:600].all()
        assert missing.sum() == 100
    for value in (0, 5, -40):
        assert np.isfinite(dicom_with_padding(tmp_path, value).signal).all()


def test_dicom_of_a_kind_of_numbers_that_is_not_linear_is_refused(tmp_path: Path) -> None:
    dataset = dcmread(get_testdata_file("waveform_ecg.dcm", download=False))
    group = dataset.WaveformSequence[0]
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 8, "MB"
    dataset.save_as(tmp_path / "mu_law.dcm")
    with pytest.raises(ECGError, match="type that is not read"):
        read(tmp_path / "mu_law.dcm")


def test_dicom_of_both_byte_orders_holds_the_same(tmp_path: Path) -> None:
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    dataset = dcmread(path)
    for group in dataset.WaveformSequence:
        group.WaveformData = np.frombuffer(group.WaveformData, dtype="<i2").astype(">i2").tobytes()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.2"
    dcmwrite(tmp_path / "big.dcm", dataset, force_encoding=True, little_endian=False, implicit_vr=False)
    np.testing.assert_array_equal(read(tmp_path / "big.dcm").signal, read(path).signal)


def matlab(table: np.ndarray, name: bytes = b"val", kind: int = 30) -> bytes:
    """A matrix [rows, columns] of int16 in MATLAB's version 4, column by column."""
    head = struct.pack("<5i", kind, *table.shape, 0, len(name) + 1) + name + b"\0"
    return head + table.astype("<i2").tobytes(order="F")


def test_a_matlab_file_must_be_the_one_that_the_header_states() -> None:
    table = np.rint(tracing() * 200).astype(np.int16).T
    head = "rec 12 500 2000\n" + "\n".join(f"rec.mat 16+24 200(0)/mV 16 0 0 0 0 {lead}" for lead in LEADS)

    def given(content: bytes, header: str = head) -> ECG:
        return read({"rec.hea": header.encode(), "rec.mat": content})

    np.testing.assert_allclose(given(matlab(table)).signal, table / 200, atol=1e-6)
    turned = given(matlab(table.T))
    np.testing.assert_allclose(turned.signal, table / 200, atol=1e-6)
    assert any("turned" in note for note in turned.notes)
    plain = head.replace("16+24", "16")  # the header of the file taken for samples
    for content, header in (
        (matlab(table, b"signal"), head), (matlab(table, kind=0), head), (matlab(table), plain),
        (matlab(table[:, :-1]), head), (matlab(table.reshape(24, -1)), head), 
        (b"MATLAB 5.0 MAT-file" + bytes(60_000), head),
        (b"\x1e\0", head), (bytes(60_000), head), (struct.pack("<5i", 30, -12, 2000, 0, 4) + bytes(60_000), head),
    ):  # fmt: skip
        with pytest.raises(ECGError):
            given(content, header)


def test_files_without_a_lead_may_be_absent_and_others_not() -> None:
    head = header() + b"\n" + b"\n".join(f"rec.xyz 16 200 16 0 0 0 0 {name}".encode() for name in ("vx", "vy", "vz"))
    head = head.replace(b"rec 12", b"rec 15")
    assert read({"rec.hea": head, "rec.dat": bytes(48_000)}).samples == 2000
    chest = header().replace(b"rec.dat 16 200(0)/mV 16 0 0 0 0 V", b"chest.dat 16 200(0)/mV 16 0 0 0 0 V")
    with pytest.raises(ECGError, match="missing"):
        read({"rec.hea": chest, "rec.dat": bytes(24_000)})


@pytest.mark.parametrize("gain", ["1e-10", "4e-4", "0.4/uV", "-1e-9", "1e10", "2e6/uV"])
def test_gains_beyond_all_measure_are_refused(gain: str) -> None:
    content = header(V3="rec.dat 16 " + gain + " 16 0 0 0 0 {}")
    if gain == "0.4/uV":  # 400 per mV
        assert read({"rec.hea": content, "rec.dat": bytes(48_000)}).samples == 2000
        return
    with pytest.raises(ECGError, match="gain"):
        read({"rec.hea": content, "rec.dat": bytes(48_000)})


def test_reading_needs_no_torch() -> None:
    code = "import sys, ecgkt; ecgkt.read; import ecgkt.readers; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_format_says_what_it_takes() -> None:
    assert all(form.name and form.files and form.extensions for form in FORMATS)
    assert ecgkt.read is read


@pytest.mark.parametrize("pattern", ["cinc/*.hea", "ludb/data/*.hea", "ptbxl/records100/*/*.hea", "formats/*.dcm"])
def test_real_recordings_agree_with_einthoven(shared: Path, pattern: str) -> None:
    """II = I + III and aVF = (II + III) / 2 hold in a recorder's output; LUDB and this PTB-XL were scaled by lead."""
    files = sorted(shared.glob(pattern))
    files = files[:: max(1, len(files) // 10)]
    assert files
    for file in files:
        ecg = read(file)
        one, two, three, foot = ecg.signal[[0, 1, 2, 5]].astype(float)
        assert ecg.seconds >= 5
        assert 0.2 < np.median(np.ptp(ecg.signal, axis=1)) < 20
        if pattern.startswith(("cinc", "formats")):
            assert np.abs(one + three - two).max() < 0.02
            assert np.abs((two + three) / 2 - foot).max() < 0.02


def test_real_recordings_agree_with_wfdb(shared: Path) -> None:
    for name in ("ludb/data/1", "cinc/A0001", "cinc/E07501"):
        record = wfdb.rdrecord(str(shared / name))
        ecg = read(shared / f"{name}.hea")
        for lead, row in zip(LEADS, ecg.signal, strict=True):
            column = [n.upper() for n in record.sig_name].index(lead.upper())
            np.testing.assert_allclose(row, record.p_signal[:, column], atol=1e-5)


def test_wrong_gains_of_known_data_sets_are_put_right(shared: Path) -> None:
    for name, stated in (("cinc/E00002", 4880), ("cinc/S0001", 2_000_000)):
        record = wfdb.rdrecord(str(shared / name), physical=False)
        ecg: ECG = read(shared / f"{name}.hea")
        np.testing.assert_allclose(ecg.signal[0, :5000], record.d_signal[:5000, 0] / 1000, atol=1e-4)
        assert any(str(stated) in note for note in ecg.notes)
