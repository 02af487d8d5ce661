"""Files whose structure is right and whose meaning is absurd: what is said of them is true, or they are refused."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from ecgkt.ecg import LEADS, ECGError
from ecgkt.readers import TableLayout, read
from tests.readers import written_files as written

COUNTS = written.counts(5000)
TIMES = np.arange(5000) / written.RATE


def wfdb(rate: str = "500", comments: str = "") -> dict[str, bytes]:
    lines = [f"r 12 {rate} 5000", *(f"r.dat 16 200/mV 16 0 0 0 0 {lead}" for lead in LEADS), comments, ""]
    return {"r.hea": "\n".join(lines).encode(), "r.dat": COUNTS.T.astype("<i2").tobytes()}


@pytest.mark.parametrize(
    ("comment", "age"),
    [
        ("# Age: 65", 65), ("# Age: 65 Sex: M", 65), ("# age: 65Y", 65), ("# Age: 700 months", 700 / 12),
        ("# Age: 1e2", None), ("# Age: 0000000065", None), ("# Age: -5", None), ("# Age: 400", None),
        ("# Age: \N{ARABIC-INDIC DIGIT SIX}\N{ARABIC-INDIC DIGIT FIVE}", None), ("# Age: 1.2.3", None),
    ],
)  # fmt: skip
def test_an_age_is_read_as_a_whole_or_not_at_all(comment: str, age: float | None) -> None:
    found = read(wfdb(comments=comment)).age
    assert found == (age if age is None else pytest.approx(age))


@pytest.mark.parametrize("age", ["-1", "nan", "1_0", "-1e-3", "inf", "9e99"])
@pytest.mark.parametrize("unit", ["MONTHS", "YEARS"])
def test_no_such_age_is_0(age: str, unit: str) -> None:
    content = written.muse(COUNTS).replace(b">18<", f">{age}<".encode()).replace(b"MONTHS", unit.encode())
    assert read(content).age is None


@pytest.mark.parametrize("rate", ["5_00", "\N{ARABIC-INDIC DIGIT FIVE}00", "nan", "0x1f4"])
def test_what_only_python_takes_for_a_number_is_none(rate: str) -> None:
    with pytest.raises(ECGError, match="not a number"):
        read(wfdb(rate))


def test_an_origin_that_is_no_number_does_not_make_a_tracing_of_nothing() -> None:
    content = written.aecg(COUNTS).replace(b'<origin value="0"', b'<origin value="nan"', 1)
    with pytest.raises(ECGError, match="not a number"):
        read(content)


def group(samples: np.ndarray, rate: float) -> Dataset:
    made = Dataset()
    made.WaveformOriginality, made.SamplingFrequency = "ORIGINAL", str(rate)
    made.NumberOfWaveformChannels, made.NumberOfWaveformSamples = samples.shape
    made.ChannelDefinitionSequence = []
    for lead in LEADS:
        channel, source, unit = Dataset(), Dataset(), Dataset()
        source.CodeValue, source.CodingSchemeDesignator, source.CodeMeaning = "", "", f"Lead {lead}"
        unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "uV", "UCUM", "microvolt"
        channel.ChannelSourceSequence, channel.ChannelSensitivityUnitsSequence = [source], [unit]
        channel.ChannelSensitivity = "5"
        made.ChannelDefinitionSequence.append(channel)
    made.WaveformBitsAllocated, made.WaveformSampleInterpretation = 16, "SS"
    made.WaveformData = samples.T.astype("<i2").tobytes()
    return made


def test_a_long_trend_beside_a_recording_does_not_hide_it() -> None:
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = "1.2.3"
    file.WaveformSequence = [group(COUNTS[:, :600], 0.1), group(COUNTS, 500)]
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, file, enforce_file_format=True)
    ecg = read(stream.getvalue())
    assert (ecg.rate, ecg.samples) == (500, 5000)
    np.testing.assert_allclose(ecg.signal, COUNTS * 0.005, atol=1e-6)


def table(times: list[str], title: str = "time (s)", before: str = "") -> bytes:
    columns = zip(times, COUNTS.T * 0.005, strict=True)
    rows = (",".join([time, *(f"{value:.3f}" for value in column)]) for time, column in columns)
    heading = ",".join([title, *(f"{lead} (mV)" for lead in LEADS)])
    return "\n".join([before + heading, *rows]).encode()


def clock(times: np.ndarray, digits: int = 3) -> list[str]:
    return [f"23:{int(55 + t // 60):02d}:{t % 60:0{3 + digits if digits else 2}.{digits}f}" for t in times]


@pytest.mark.parametrize(
    "times",
    [
        [f"{t:.3f}" for t in np.where(TIMES > 5, TIMES + 5, TIMES)],
        [f"{t:.3f}" for t in np.where(np.arange(5000) > 4990, TIMES + 5, TIMES)],
        [f"{t:.3f}" for t in np.where(TIMES > 5, 5 + (TIMES - 5) * 4, TIMES)],
        clock(np.where(TIMES > 5, TIMES + 5, TIMES)),
    ],
    ids=["a gap", "a gap at the end", "two rates", "a gap by the clock"],
)  # fmt: skip
@pytest.mark.parametrize("layout", [None, TableLayout(500)])
def test_a_gap_in_a_tables_times_is_no_slower_rate(times: list[str], layout: TableLayout | None) -> None:
    with pytest.raises(ECGError, match="do not go up evenly"):
        read(table(times), layout)


def test_times_and_a_stated_rate_that_differ_are_refused() -> None:
    times = [f"{t:.3f}" for t in TIMES]
    assert read(table(times, before="sampling rate: 500\n")).rate == 500
    with pytest.raises(ECGError, match="do not fit the sampling rate"):
        read(table(times, before="sampling rate: 1000\n"))


def test_times_rounded_to_seconds_tell_no_rate() -> None:
    """4,999 steps in the nine seconds between the first and the last would be 555 Hz."""
    with pytest.raises(ECGError, match="does not say its sampling rate"):
        read(table(clock(np.floor(TIMES), 0)))
    assert read(table(clock(np.floor(TIMES), 0), before="sampling rate: 500\n")).rate == 500
    assert read(table(clock(TIMES))).rate == 500
