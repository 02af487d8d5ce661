"""The formats of recorders: real files against each other, written ones against what was written, broken ones."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest
import sierraecg

from ecgkt.ecg import LEADS, ECGError
from ecgkt.readers import FORMATS, TableLayout, needs_table_layout, read
from tests.readers import written_files as written
from tests.readers.written_files import BY_FORMAT, NAME, counts, millivolts

TABLE = TableLayout(500.0)


@pytest.mark.parametrize("name", BY_FORMAT)
def test_a_written_file_comes_back_and_only_its_reader_claims_it(name: str) -> None:
    content = BY_FORMAT[name](counts())
    assert [form.name for form in FORMATS if form.claims(content)] == [name]
    ecg = read(content, TABLE)
    assert ecg.rate == 500
    np.testing.assert_allclose(ecg.signal, millivolts(), atol=1e-5)
    assert ecg.sex == (None if name in ("NumPy", "CSV") else "female")
    ages = {"GE MUSE XML": 1.5, "SCP-ECG": 61, "Philips Sierra XML": 61, "Mortara XML": 61, "GE CardioSoft XML": 61}
    assert ecg.age == ages.get(name)
    assert not any(NAME in note for note in ecg.notes)


@pytest.mark.parametrize("huffman", [None, written.own_table()])
def test_scp_without_compression_and_with_a_table_of_its_own(huffman: bytes | None) -> None:
    np.testing.assert_allclose(read(written.scp(counts(), huffman)).signal, millivolts(), atol=1e-5)


@pytest.mark.parametrize("names", [LEADS, written.EIGHT])
def test_cardiosoft_of_twelve_and_of_eight_leads(names: tuple[str, ...]) -> None:
    ecg = read(written.cardiosoft(counts(), names))
    np.testing.assert_allclose(ecg.signal, millivolts(), atol=1e-5)
    assert (ecg.rate, ecg.age, ecg.sex) == (500, 61, "female")


def test_a_number_left_out_of_cardiosoft_is_a_lost_sample() -> None:
    content = written.cardiosoft(counts())
    strip = content.index(b"<StripData>")
    place = content.index(b",", content.index(b'lead="V6"', strip)) + 1
    ecg = read(content[:place] + b"," + content[content.index(b",", place) + 1 :])
    assert np.argwhere(np.isnan(ecg.signal)).tolist() == [[11, 1]]


@pytest.mark.parametrize("huffman", [None, written.own_table()])
def test_scp_samples_counted_from_0(huffman: bytes | None) -> None:
    """To the last one as it should be, or to their number; data a sample short of a count from 1 are damaged."""
    for last in (599, 600):
        np.testing.assert_allclose(read(written.scp(counts(), huffman, span=(0, last))).signal, millivolts(), atol=1e-5)
    for span in ((1, 601), (1, 602), (0, 602), (0, 700), (5, 5)):
        with pytest.raises(ECGError):
            read(written.scp(counts(), huffman, span=span))


def test_the_longest_rhythm_waveform_of_all_leads_is_read() -> None:
    content = written.muse(counts(2000))
    short = written.muse(counts(600))
    start, end = short.index(b"<Waveform><WaveformType>Rhythm"), short.index(b"</RestingECG>")
    long = content.index(b"<Waveform><WaveformType>Rhythm")
    for place in (long, content.index(b"</RestingECG>")):
        ecg = read(content[:place] + short[start:end] + content[place:])
        np.testing.assert_allclose(ecg.signal, millivolts(2000), atol=1e-5)
        assert any("longest of 2" in note for note in ecg.notes)


def test_scp_in_two_formats_is_one_tracing(shared: Path) -> None:
    """The standard's example, as SCP-ECG and as HL7 aECG."""
    one, two = read(shared / "formats/scp_example.scp"), read(shared / "formats/hl7_aecg_example.xml")
    np.testing.assert_allclose(one.signal, two.signal, atol=1e-5)
    assert one.rate == two.rate == 500
    assert one.sex == two.sex == "male"
    np.testing.assert_array_equal(read(shared / "formats/aecg_subject1_0.xml").signal, two.signal)


@pytest.mark.parametrize("name", ["guangxi_teaching_sinus_rhythm", "synthetic_muse"])
def test_muse_agrees_with_its_dicom_conversion(shared: Path, name: str) -> None:
    muse, dicom = read(shared / f"formats/{name}.xml"), read(shared / f"formats/{name}.dcm")
    assert (muse.rate, muse.age, muse.sex) == (dicom.rate, dicom.age, dicom.sex)
    np.testing.assert_allclose(muse.signal, dicom.signal, atol=0.008)  # limb leads were rounded to 4.88 uV there


@pytest.mark.parametrize("version", ["03", "04"])
def test_sierra_agrees_with_the_library_that_knows_it_whole(shared: Path, version: str) -> None:
    path = shared / f"formats/philips_sierra_1_{version}.xml"
    ecg = read(path)
    leads = sierraecg.read_file(str(path)).leads
    assert [lead.label for lead in leads] == list(LEADS)
    known = np.stack([lead.samples[: ecg.samples] for lead in leads]) * 0.005
    np.testing.assert_allclose(np.delete(ecg.signal, np.s_[2:6], 0), np.delete(known, np.s_[2:6], 0), atol=1e-5)
    np.testing.assert_allclose(ecg.signal[2:6], known[2:6], atol=0.0101)  # rounded there, by up to two units
    # Behind it stands nothing but a pulse of 1 mV in every lead.
    rest = np.stack([lead.samples[ecg.samples :] for lead in leads])[[0, 1, *range(6, 12)]] * 0.005
    assert set(np.unique(rest)) == {0.0, 1.0}
    assert any("calibration" in note for note in ecg.notes)


def test_sierra_agrees_with_the_recorders_own_amplitudes(shared: Path) -> None:
    """The file's R waves, measured by the recorder in uV, in leads where the R wave is the highest of all."""
    path = shared / "formats/philips_sierra_1_03.xml"
    ecg = read(path)
    stated = dict(re.findall(r'leadmeasurement leadname="(\w+)".*?<ramp>(\d+)</ramp>', path.read_text(), re.DOTALL))
    for lead in ("I", "aVL", "V5", "V6"):
        assert ecg.signal[LEADS.index(lead)].max() == pytest.approx(int(stated[lead]) / 1000, rel=0.12)


def answer(content: bytes) -> str | None:
    """What `read` says of a file it refuses, None for one it reads, whose amplitudes are then within all measure."""
    try:
        ecg = read(content, TABLE)
    except ECGError as error:
        return str(error)
    assert np.abs(ecg.signal[np.isfinite(ecg.signal)]).max(initial=0) <= 1000
    return None


@pytest.mark.parametrize("name", BY_FORMAT)
def test_truncated_and_damaged_files_give_one_sentence(name: str) -> None:
    content = BY_FORMAT[name](counts(300))
    dice = random.Random(name)
    broken = [content[: len(content) * k // 20] for k in range(20)]
    for _ in range(40):
        bytes_ = bytearray(content)
        for _ in range(dice.randint(1, 3)):
            bytes_[dice.randrange(len(bytes_) if dice.random() < 0.3 else 700)] ^= 1 << dice.randrange(8)
        broken.append(bytes(bytes_))
        if name in ("SCP-ECG", "ISHNE"):
            broken.append(written.mended(bytes(bytes_)))
    answers = [answer(content) for content in broken]
    said = [words for words in answers if words is not None]
    for words in said:
        assert words.endswith(".")
        assert "\n" not in words
        assert NAME[1:5] not in words
    # A table cut between two lines is a shorter table; every other format says how long it is.
    assert len(said) >= (1 if name == "CSV" else 20)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><RestingECG>&c;</RestingECG>', "none of the formats"),
        (b"<RestingECG><!DOCTYPE a []></RestingECG>", "malformed"),
        (b"<RestingECG>&lol;</RestingECG>", "malformed"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><RestingECG>&x;</RestingECG>', "malformed"),
        (b"<RestingECG>" + b"<a/>" * 500_000 + b"</RestingECG>", "more elements"),
        (b"<AnnotatedECG>" * 99_000, "malformed"),
        (b"<ECG>" + b" " * 9_000_000 + b"</ECG>", "8 MB"),
        (b'<?xml version="1.0" encoding="punycode"?><ECG/>', "one sampling rate"),
        (written.muse(counts(), LeadSampleCountTotal="599"), "number of samples"),
        (written.muse(counts(), LeadDataCRC32="17"), "checksum"),
        (written.muse(counts(), LeadAmplitudeUnits="VOLTS"), "unit"),
        (written.muse(counts(), LeadAmplitudeUnitsPerBit="1e300"), "beyond all measure"),
        (written.muse(counts(), LeadAmplitudeUnitsPerBit="nan"), "amplitude scale"),
        (written.muse(counts(), LeadID="I"), "twice"),
        (written.muse(counts(), WaveFormData="@@@@"), "base64"),
        (written.muse(counts()).replace(b">Rhythm<", b">Other<"), "no rhythm"),
        (written.aecg(counts(), unit="V"), "unit"),
        (written.aecg(counts()).replace(b"LEAD_V3", b"LEAD_V9"), "all 12 leads at once"),
        (written.aecg(counts()).replace(b'unit="ms"', b'unit="h"'), "sampling rate"),
        (written.cardiosoft(counts(), ChannelSampleCountTotal="599"), "number of samples"),
        (written.cardiosoft(counts(), units="VperLsb"), "unit"),
        (written.cardiosoft(counts(), Resolution="0"), "amplitude scale"),
        (written.cardiosoft(counts()).replace(b",", b";"), "not a number"),
        (written.cardiosoft(counts()).replace(b"StripData", b"FullDisclosure"), "no strip"),
        (written.cardiosoft(counts()).replace(b'lead="V6"', b'lead="V7"'), "lacks lead V6"),
        (written.mortara(counts(), ENCODING="HEX"), "base64"),
        (written.mortara(counts(), UNITS_PER_MV="0"), "amplitude scale"),
        (written.scp(counts(), flags=0x65), "reference beat"),
        (written.scp(counts(), mode=1), "bimodal"),
        (written.scp(counts()) + b"\0", "as long"),
        (written.edf(counts()).replace(b"EDF+C", b"EDF+D"), "gaps"),
        (written.edf(counts()).replace(b"uV      ", b"V       "), "unit"),
    ],
)
def test_what_cannot_be_right_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ECGError, match=reason):
        read(content)


def test_few_bytes_that_stand_for_many_are_not_expanded() -> None:
    """LZW codes that each repeat the one before and one byte more: half a megabyte of them stands for 300 MB."""
    codes = [0, *range(256, 1022), *[1021] * 400_000]
    bits = "".join(format(code, "010b") for code in codes)
    bits += "0" * (-len(bits) % 8)
    chunk = int(bits, 2).to_bytes(len(bits) // 8, "big")
    data = len(chunk).to_bytes(4, "little") + bytes(4) + chunk
    with pytest.raises(ECGError, match="number of samples"):
        read(written.sierra(counts(), data, "XLI"))


def test_lost_samples_of_a_holter_are_nan() -> None:
    table = counts()
    table[7, 100:200] = -32768
    ecg = read(written.ishne(table))
    assert np.isnan(ecg.signal[7, 100:200]).all()
    assert np.isfinite(np.delete(ecg.signal, np.s_[100:200], axis=1)).all()


@pytest.mark.parametrize(
    "content",
    [
        written.csv(millivolts(), "\t"),
        written.csv(millivolts(), " "),
        written.csv(millivolts(), ";", decimal=","),
        written.csv(millivolts()[::-1], ";", tuple(reversed(LEADS))),
        written.csv(np.vstack([np.arange(600) / 500, millivolts()]), ",", ("time (s)", *LEADS)),
        b"# a comment\n\n" + written.csv(millivolts()),
        written.npy(millivolts().T),
        written.npy(np.asfortranarray(millivolts())),
        written.npy(millivolts().astype(">f4")),
    ],
)
def test_tables_of_every_make(content: bytes) -> None:
    assert needs_table_layout({"": content})
    np.testing.assert_allclose(read(content, TABLE).signal, millivolts(), atol=1e-5)


def test_a_layout_gives_rate_unit_and_leads() -> None:
    order = ("index", *LEADS[6:], *LEADS[:6])
    table = np.vstack([np.arange(600), counts()[6:], counts()[:6]])
    lines = "\n".join(" ".join(map(str, column)) for column in table.T)
    for content in (written.npy(table), lines.encode()):
        ecg = read(content, TableLayout(250.0, 200.0, order))
        assert ecg.rate == 250
        np.testing.assert_allclose(ecg.signal, millivolts(), atol=1e-5)


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("a pickle was loaded",))


def pickled() -> bytes:
    from io import BytesIO

    stream = BytesIO()
    np.save(stream, np.array([[Trap()] * 12] * 12), allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "layout", "reason"),
    [
        (written.csv(millivolts()), None, "sampling rate and unit"),
        (written.npy(millivolts()), None, "sampling rate and unit"),
        (written.npy(millivolts()), TableLayout(5.0), "sampling rate must be"),
        (written.npy(millivolts()), TableLayout(500.0, 0.0), "unit"),
        (written.npy(millivolts()), TableLayout(500.0, 1e-9), "beyond all measure"),
        (written.npy(millivolts()), TableLayout(500.0, 1.0, LEADS[:11]), "11 rows or 11 columns"),
        (written.npy(millivolts()), TableLayout(500.0, 1.0, (*LEADS[:11], "V5")), "twice"),
        (written.npy(millivolts()), TableLayout(500.0, 1.0, (*LEADS[:11], "x")), "lacks lead V6"),
        (written.npy(np.zeros((12, 12))), TABLE, "12 rows or 12 columns"),
        (written.npy(millivolts() + 1j), TABLE, "real numbers"),
        (written.npy(millivolts())[:-8], TABLE, "as long as it states"),
        (written.npy(millivolts()).replace(b"(12, 600)", b"(12, 6e9)"), TABLE, "as long as it states"),
        (written.npy(millivolts()).replace(b"(12, 600)", b"(-1, 600)"), TABLE, "as long as it states"),
        (written.npy(millivolts()).replace(b"(12, 600), }  ", b"(12, 10**9), }"), TABLE, "as long as it states"),
        (pickled(), TABLE, "real numbers"),
        (written.csv(millivolts()) + b"\n1,2", TABLE, "equally long"),
        (written.csv(millivolts()) + b"\n1,2,3,4,5,6,7,8,9,10,11,twelve", TABLE, "not a number"),
        (written.csv(millivolts()[:10]), TABLE, "10 columns"),
    ],
)
def test_tables_that_do_not_fit_are_refused(content: bytes, layout: TableLayout | None, reason: str) -> None:
    with pytest.raises(ECGError, match=reason):
        read(content, layout)
