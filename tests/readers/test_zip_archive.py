"""Zips of ECG files and the form for tables, both as the Upload page meets them."""

from __future__ import annotations

import stat
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb
from pydicom.data import get_testdata_file
from streamlit.testing.v1 import AppTest

import ecgkt.ui.sources.uploads  # noqa: F401  here, as the import must not count within the time that AppTest allows
from ecgkt.ecg import LEADS, ECGError
from ecgkt.readers import TableLayout, group_uploads, read
from tests.readers import written_files as written
from tests.readers.written_files import counts, millivolts


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def wfdb_files(folder: Path) -> dict[str, bytes]:
    wfdb.wrsamp(
        "rec", fs=500, units=["mV"] * 12, sig_name=list(LEADS), p_signal=millivolts().T, fmt=["16"] * 12,
        adc_gain=[200.0] * 12, baseline=[0] * 12, write_dir=str(folder),
    )  # fmt: skip
    return {file.name: file.read_bytes() for file in sorted(folder.glob("rec.*"))}


def test_a_zip_of_one_record_is_read_like_the_record(tmp_path: Path) -> None:
    files = {f"patient/{name}": content for name, content in wfdb_files(tmp_path).items()}
    content = packed({**files, "LICENCE": b"words", "__MACOSX/._rec.hea": b"x", "patient/.DS_Store": b"x"})
    np.testing.assert_allclose(read(content).signal, millivolts(), atol=1e-5)
    (tmp_path / "one.zip").write_bytes(content)
    np.testing.assert_allclose(read(tmp_path / "one.zip").signal, millivolts(), atol=1e-5)
    table = packed({"a.csv": written.csv(millivolts())})
    np.testing.assert_allclose(read(table, TableLayout(500.0)).signal, millivolts(), atol=1e-5)


def test_a_zip_of_several_falls_into_records_folder_by_folder(tmp_path: Path) -> None:
    files = wfdb_files(tmp_path)
    other = counts()[:, ::-1]
    archive = packed(
        {
            **{f"a/{name}": content for name, content in files.items()},
            **{f"../../b/{name}": content for name, content in files.items()},
            "c.scp": written.scp(other),
        }
    )
    groups = group_uploads({"x.zip": archive, "loose.xml": written.muse(counts())})
    assert [set(group) for group in groups] == [{"loose.xml"}, {*files}, {*files}, {"c.scp"}]
    np.testing.assert_allclose(read(groups[-1]).signal, other * 0.005, atol=1e-5)
    with pytest.raises(ECGError, match="holds 3 records"):
        read(archive)


def link() -> bytes:
    stream, info = BytesIO(), zipfile.ZipInfo("rec.hea")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return stream.getvalue()


def encrypted() -> bytes:
    content = bytearray(packed({"a.scp": b"x" * 100}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def lying(size: int) -> bytes:
    """A bomb whose directory states `size` bytes where there are 20 million."""
    content = bytearray(packed({"a.scp": bytes(20_000_000)}))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = size.to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (packed({}), "no files"),
        (packed({"a.txt": b"hello"}), "none of the formats"),
        (packed({"a.zip": packed({"b.scp": written.scp(counts())})}), "zip within a zip"),
        (packed({str(i): b"x" for i in range(257)}), "more than 256"),
        (packed({"a": bytes(17 * 2**20)}), "more than is read"),
        (packed({"a": bytes(2 * 2**20)}), "more than is read"),
        (packed({"a": b"x"}, zipfile.ZIP_LZMA), "packed in a way"),
        (lying(1000), "damaged|more than is read"),
        (lying(2**32 - 1), "damaged|more than is read"),
        (link(), "links"),
        (encrypted(), "encrypted"),
        (packed({"ab.scp": b"x"}).replace(b"ab.scp", b"\0b.scp"), "damaged"),  # no name, as the library reads it
        (packed({"a.scp": written.scp(counts())}, zipfile.ZIP_STORED).replace(b"SCPECG", b"XXXXXX", 1), "damaged"),
    ],
)
def test_zips_that_are_no_box_of_ecgs_are_refused(content: bytes, reason: str) -> None:
    for source in (content, *group_uploads({"x.zip": content})):
        with pytest.raises(ECGError, match=reason) as error:
            read(source)
        assert "\n" not in str(error.value)


def test_cut_and_flipped_zips_are_refused_or_whole() -> None:
    content = packed({"a.scp": written.scp(counts(300)), "b.xml": written.muse(counts(300))})
    dice = np.random.default_rng(0)
    for k in range(40):
        broken = bytearray(content[: len(content) * k // 20] if k < 20 else content)
        if k >= 20:
            broken[dice.integers(len(broken) - 200, len(broken))] ^= 1 << int(dice.integers(8))
        for group in group_uploads({"x.zip": bytes(broken)}):
            try:
                samples = read(group).samples
            except ECGError:
                continue
            assert samples == 300


def page() -> None:
    import streamlit as st

    from ecgkt.ui.sources import uploads

    opened = uploads.receive()
    st.text(f"{opened.ecg.rate:g} Hz, V6 to {opened.ecg.signal[11].max():.2f} mV, {opened.source}")


def uploaded(name: str, content: bytes) -> Any:
    app = AppTest.from_function(page, default_timeout=60).run()
    return app.file_uploader(key="upload").set_value([(name, content, "application/octet-stream")]).run()


def words(app: Any) -> str:
    return " ".join([*(str(part.proto.body) for part in app.get("html")), *(text.value for text in app.text)])


def test_the_form_is_there_for_a_table_only_and_says_what_was_understood() -> None:
    app = uploaded("ecg.dcm", Path(get_testdata_file("waveform_ecg.dcm", download=False)).read_bytes())
    assert not app.exception
    assert not app.number_input
    app = uploaded("ecg.csv", written.csv(counts().astype(float)))
    assert not app.exception
    assert f"500 Hz, V6 to {counts()[11].max():.2f} mV" in words(app)
    assert "Is the unit right" in app.warning[0].value
    app.selectbox(key="layout_unit").set_value("ADC units").run()
    app.number_input(key="layout_rate").set_value(250.0).run()
    assert not app.warning
    assert f"250 Hz, V6 to {millivolts()[11].max():.2f} mV" in words(app)
    assert "600 samples, 2.4 s at 250 Hz" in words(app)
    app.text_input(key="layout_leads").set_value("I, II").run()
    assert "2 leads are named" in app.error[0].value


def test_the_page_offers_the_records_of_a_zip() -> None:
    app = uploaded("x.zip", packed({"a.scp": written.scp(counts()), "b.xml": written.aecg(counts()), "c": b"words"}))
    assert not app.error
    assert list(app.selectbox(key="upload_record").options) == ["Upload 1 (SCP-ECG)", "Upload 2 (HL7 aECG)"]
    app = uploaded("x.zip", packed({"a": bytes(2 * 2**20)}))
    assert "more than is read" in app.error[0].value
