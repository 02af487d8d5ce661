"""A PACS that means harm, or is broken: no answer without an end, nothing but what was asked for, one true sentence.

Each test stands for a kind that got through, or that must not. Processor time and memory are counted, wall time is not.
"""

from __future__ import annotations

import gzip
import json
import logging
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("dicomweb_client", reason="the extra ecgkt[pacs] is not installed")

import pydicom
from pydicom import config
from pydicom.data import get_testdata_file

from ecgkt.__main__ import main
from ecgkt.ecg import ECGError
from ecgkt.model import model as models
from ecgkt.model.model import Model
from ecgkt.pacs import server, transport
from ecgkt.pacs.server import PACSError, Server
from ecgkt.readers import dicom_elements
from tests.limits import limited
from tests.pacs import hostile
from tests.pacs.hostile import (
    INSTANCE,
    SERIES,
    STUDY,
    Talk,
    always,
    answer,
    endless,
    envelope,
    instance,
    listing,
    pacs,
    serving,
    silent,
    study,
)  # fmt: skip

FILE = Path(str(get_testdata_file("waveform_ecg.dcm", download=False)))
SECRET = "Doe^Jane"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\n"
MOVED = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"
PATIENCE = 2.0  # s, for what never ends
pytestmark = pytest.mark.usefixtures("no_credentials")
MOST_SECONDS, MOST_BYTES = 2.0, 100 * 2**20  # of the processor, and of memory


@pytest.fixture
def at() -> Iterator[Callable[[Talk], str]]:
    """The address of a server that talks so."""
    with ExitStack() as running:
        yield lambda talk: running.enter_context(serving(talk))[0]


@pytest.fixture
def bounded() -> Iterator[None]:
    """Little of the processor (of this thread and the one that asks; the server's is small) and of memory is used."""
    with limited(MOST_SECONDS, MOST_BYTES):
        yield


def _inflated_to(megabytes: int) -> bytes:
    packed = BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        for _ in range(megabytes):
            file.write(b" " * 2**20)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("talk", "sentence"),
    [
        (silent(OK + b"\r\n["), "in time"),
        (silent(b"HTTP/1.1 200 OK\r\nX: "), "in time"),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), "in time"),
        (endless(OK + b"\r\n", b" " * 2**16), "more than 4 MB"),
        (endless(MOVED, b" " * 2**16), "redirects"),
        (silent(MOVED), "redirects"),
        (endless(b"HTTP/1.1 500 No\r\n\r\n", b" " * 2**16), "answers 500"),
        (always(answer(b"[]", status="302 Found")), "redirects"),
        (always(answer(b"", status="302 Found", more="Location: file:///etc/passwd\r\n")), "redirects"),
        (always(answer(_inflated_to(64), more="Content-Encoding: gzip\r\n")), "compresses"),
        (always(answer(gzip.compress(_inflated_to(64)), more="Content-Encoding: gzip, gzip\r\n")), "compresses"),
        (always(OK + b"Content-Length: 1000\r\n\r\n[{}"), "cuts its answer off"),
        (always(OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n[]"), "cuts its answer off"),
        (lambda connection, first: None, "cuts its answer off"),
        (always(answer(b"[" * 3_000_000)), "not DICOMweb"),
        (always(answer(b"[" + b"[]," * 1_000_000 + b"[]]")), "not DICOMweb"),
        (always(answer(b'[{"0020000D":{"vr":"UI","Value":[' + b"1" * 3_000_000 + b"]}}]")), "not DICOMweb"),
    ],
    ids=[
        "half a body", "half a header", "endless 100", "endless body", "redirect with endless body",
        "redirect with half a body", "error with endless body", "redirect to nowhere", "redirect to a file",
        "gzip bomb", "gzip in gzip", "cut off", "lying chunk", "hangs up", "deep JSON", "many lists", "long number",
    ],
)  # fmt: skip
def test_no_answer_is_without_an_end(
    at: Callable[[Talk], str], talk: Talk, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", PATIENCE)
    with limited(PATIENCE + MOST_SECONDS, MOST_BYTES), pytest.raises(PACSError, match=sentence):  # of both sides
        list(Server(at(talk)).ecgs())


def test_of_a_list_only_what_is_asked_for_is_looked_into(at: Callable[[Talk], str], bounded: None) -> None:
    many = {f"{tag:08X}": {"vr": "LO", "Value": ["x"]} for tag in range(0x00110010, 0x00110010 + 90_000)}
    nested: dict[str, Any] = {"vr": "LO", "Value": ["x"]}
    for _ in range(300):
        nested = {"vr": "SQ", "Value": [{"00081115": nested}]}
    odd = {
        "00081030": {"vr": "LO", "BulkDataURI": "http://127.0.0.1:1/"},
        "00080020": {"vr": "SQ", "Value": [{"00100010": {"vr": "PN", "Value": [{"Alphabetic": SECRET}]}}]},
    }
    listed = listing(study(**many, **{"00081115": nested}, **odd))
    (plain,) = Server(at(pacs(b""))).ecgs()
    assert list(Server(at(pacs(b"", studies=listed))).ecgs()) == [plain]


def test_a_server_that_lists_more_than_asked_is_cut_and_one_that_has_more_is_told(
    at: Callable[[Talk], str], capsys: pytest.CaptureFixture[str]
) -> None:
    several = listing(*(study(f"1.2.{number}") for number in range(1000)))
    here = instance()
    del here["0020000D"]
    talk = pacs(b"", listed=listing(here), studies=several)
    assert main(["pacs", "list", "--limit", "3", "--url", at(talk)]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert err == ""
    more = answer(b"[]", more=f"Warning: 299 {SECRET}: there are 10 additional results\r\n")
    assert main(["pacs", "list", "--url", at(always(more))]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "The PACS has more than it listed: ask for fewer days, or for a patient.\n"


@pytest.mark.parametrize("uid", ["../../admin", "1.2/../3", "1.2?x=1", "", None, "1" * 65])
def test_what_is_asked_for_next_is_a_uid(at: Callable[[Talk], str], uid: str | None) -> None:
    with serving(always(listing(study(uid)))) as (address, asked):  # type: ignore[arg-type]
        with pytest.raises(PACSError, match="not DICOMweb"):
            list(Server(address).ecgs())
        assert len(asked) == 1
    for listed in (instance(series=uid), instance(own=uid)):  # type: ignore[arg-type]
        with pytest.raises(PACSError, match="not DICOMweb"):
            Server(at(pacs(b"", listed=listing(listed)))).ecg(STUDY)


def test_ecgs_of_another_study_or_patient_are_not_taken_for_those_asked_for(at: Callable[[Talk], str]) -> None:
    with pytest.raises(PACSError, match="another study"):
        Server(at(pacs(b"", listed=listing(instance(study="9.9"))))).ecg(STUDY)
    address = at(pacs(b""))
    with pytest.raises(PACSError, match="other patients"):
        list(Server(address).ecgs("P2"))
    for asked in ("P1", " P1 ", "P*", "?1", ""):
        assert len(list(Server(address).ecgs(asked))) == 1


# ---- the file -------------------------------------------------------------------------------------------------------


@pytest.fixture
def header() -> pydicom.Dataset:
    made = pydicom.dcmread(FILE)
    made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID = STUDY, SERIES, INSTANCE
    return made


def _bytes(dataset: pydicom.Dataset) -> bytes:
    made = BytesIO()
    pydicom.dcmwrite(made, dataset)
    return made.getvalue()


@pytest.fixture
def file(header: pydicom.Dataset) -> bytes:
    return _bytes(header)


def test_a_file_comes_as_it_was_sent(at: Callable[[Talk], str], file: bytes) -> None:
    for sent in (envelope(file), envelope(file, boundary='"B"'), answer(file, "application/dicom")):
        there = Server(at(pacs(sent)))
        assert there.retrieve(there.ecg(STUDY)) == file


@pytest.mark.parametrize(
    "wrong", ["no end", "another part", "another boundary", "no boundary", "not a file", "no kind"]
)
def test_an_envelope_is_whole_and_has_one_part(at: Callable[[Talk], str], file: bytes, wrong: str) -> None:
    part = b"\r\n--B\r\n\r\n"
    sent = {
        "no end": envelope(file, end=b""),
        "another part": envelope(file, end=part + file + b"\r\n--B--"),
        "another boundary": envelope(file, boundary="C"),
        "no boundary": envelope(file, boundary='""'),
        "not a file": answer(json.dumps({"name": SECRET}).encode()),
        "no kind": b"HTTP/1.1 200 OK\r\n\r\n" + file,
    }[wrong]
    there = Server(at(pacs(sent)))
    with pytest.raises(PACSError, match="not DICOMweb"):
        there.retrieve(there.ecg(STUDY))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SOPInstanceUID", "7.7", "another object"),
        ("StudyInstanceUID", "7.7", "another object"),
        ("PatientID", SECRET, "another patient"),
    ],
)
def test_what_was_changed_between_the_list_and_the_file_is_not_taken(
    at: Callable[[Talk], str], header: pydicom.Dataset, name: str, value: str, sentence: str
) -> None:
    header.PatientID = "P1"
    here = instance() | {"00100020": {"vr": "LO", "Value": ["P1"]}}
    there = Server(at(pacs(envelope(_bytes(header)), listed=listing(here))))
    there.retrieve(there.ecg(STUDY))
    setattr(header, name, value)
    with serving(pacs(envelope(_bytes(header)), listed=listing(here))) as (address, asked):
        there = Server(address)
        with pytest.raises(PACSError, match=sentence) as caught:
            there.retrieve(there.ecg(STUDY))
        assert not any(first.startswith("POST") for first in asked)
    assert SECRET not in str(caught.value)


def _elements(count: int) -> bytes:
    return b"\x11\x00\x10\x10LO\0\0" * count


def _sequence(tag: bytes, content: bytes) -> bytes:
    """A sequence with one item, both of known length."""
    item = b"\xfe\xff\x00\xe0" + len(content).to_bytes(4, "little") + content
    return tag + b"SQ\0\0" + len(item).to_bytes(4, "little") + item


@pytest.mark.parametrize(
    ("added", "sentence"),
    [
        (_elements(2_000_000), "more elements than"),
        (_sequence(b"\x10\x00\x02\x10", _elements(1_900_000)), "header of the DICOM file is longer"),
        (b"\x99\x99\x10\x10SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 100_000, "malformed"),
    ],
    ids=["elements", "a sequence in the header", "depth"],
)
def test_a_file_made_to_take_long_is_refused_at_once(
    at: Callable[[Talk], str], file: bytes, added: bytes, sentence: str, bounded: None
) -> None:
    there = Server(at(pacs(envelope(file + added))))
    with pytest.raises(ECGError, match=sentence):
        there.retrieve(there.ecg(STUDY))


def test_a_long_sequence_behind_the_header_is_passed_over(
    at: Callable[[Talk], str], file: bytes, bounded: None
) -> None:
    there = Server(at(pacs(envelope(file + _sequence(b"\x99\x99\x10\x10", _elements(1_900_000))))))
    whole = there.retrieve(there.ecg(STUDY))
    assert pydicom.dcmread(BytesIO(dicom_elements.header(whole))).PatientID == pydicom.dcmread(FILE).PatientID


# ---- what is stored -------------------------------------------------------------------------------------------------


@pytest.fixture
def store(
    at: Callable[[Talk], str], monkeypatch: pytest.MonkeyPatch, shipped_model: Model, capsys: pytest.CaptureFixture[str]
) -> Callable[[Talk], str]:
    """`ecgkt pacs store` at a server that talks so fails; what stderr says then."""
    monkeypatch.setattr(models, "load", lambda path=None: shipped_model)

    def fails(talk: Talk) -> str:
        assert main(["pacs", "store", STUDY, "--only", "sr", "--url", at(talk)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert SECRET not in err
        assert err.count("\n") == 1
        return err

    return fails


@pytest.mark.slow
def test_a_report_is_stored_when_the_server_says_so_and_else_it_is_not_known(
    store: Callable[[Talk], str], file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = envelope(file)
    failed = {"00081198": {"vr": "SQ", "Value": [{"00081155": hostile.uid("1.1")}]}}
    other = {"00081199": {"vr": "SQ", "Value": [{"00081155": hostile.uid("1.1")}]}}
    assert "does not say whether" in store(pacs(sent, answer(b"")))
    assert "does not say whether" in store(pacs(sent, answer(SECRET.encode(), "text/html")))
    for body in (failed, other):
        assert "did not store all" in store(pacs(sent, answer(json.dumps(body).encode())))
    assert store(pacs(sent, answer(b"", status="409 Conflict"))) == "The PACS answers 409.\n"
    unknown = "Whether the report was stored is not known.\n"
    assert store(pacs(sent, answer(SECRET.encode(), status="500 No"))) == f"The PACS answers 500. {unknown}"
    assert store(pacs(sent, answer(bytes(range(128, 256)) * 10_000))).endswith(unknown)
    monkeypatch.setattr(transport, "ANSWER_SECONDS", PATIENCE)
    assert store(pacs(sent, silent(b""))) == f"The PACS does not answer in time. {unknown}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PatientSex", SECRET),
        ("PatientBirthDate", SECRET),
        ("StudyDate", SECRET),
        ("PatientName", f"{SECRET}\\{SECRET}"),
        ("SOPClassUID", None),
    ],
)
def test_a_header_that_libraries_refuse_is_not_quoted(
    store: Callable[[Talk], str], header: pydicom.Dataset, name: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config.settings, "reading_validation_mode", config.IGNORE)
    monkeypatch.setattr(config.settings, "writing_validation_mode", config.IGNORE)
    if value is None:
        del header[name]
    else:
        setattr(header, name, value)
    assert "header of this ECG is malformed" in store(pacs(envelope(_bytes(header))))


# ---- the command ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1", "http://127.0.0.1:99999", "http://127.0.0.1:x/", "http://a b/", "https://host/\x1b[31m",
        "https://host/\n", "http://h\u00f6st/",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_told(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pacs", "list", "--url", url]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "The address of a PACS begins with https:// and is the root of its DICOMweb service.\n"


@pytest.mark.parametrize("name", [server.TOKEN, server.USER, server.PASSWORD])
def test_credentials_that_no_header_can_carry_are_told_and_not_quoted(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, f"{SECRET}\nX-Other: 1")
    assert main(["pacs", "list", "--url", "https://127.0.0.1:1"]) == 2
    out, err = capsys.readouterr()
    assert (out, SECRET in err) == ("", False)
    assert "cannot be sent" in err


def test_credentials_for_this_computer_do_not_go_to_a_proxy(
    at: Callable[[Talk], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(server.TOKEN, "abc")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with serving(always(answer(b"[]"))) as (proxy, asked):
        monkeypatch.setenv("http_proxy", proxy.removesuffix("/dicom-web"))
        assert len(list(Server(at(pacs(b""))).ecgs())) == 1
        assert asked == []


@pytest.mark.parametrize("limit", ["0", "-1", "x", "9" * 30, "1e3"])
def test_a_limit_is_a_number_of_studies(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["pacs", "list", "--url", "https://127.0.0.1:1", "--limit", limit])
    assert ended.value.code == 2
    assert "1 to 9999" in capsys.readouterr().err


def test_nothing_that_a_server_says_is_logged(
    at: Callable[[Talk], str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even by the handler that Python has where there is no other."""
    monkeypatch.setattr(logging.root, "handlers", [])
    headers = f"Warning: 199 {SECRET}\r\nBad header {SECRET}\r\n"
    assert list(Server(at(always(answer(b"[]", more=headers)))).ecgs()) == []
    assert capsys.readouterr().err == ""


def test_a_full_disk_leaves_no_empty_file(
    at: Callable[[Talk], str], file: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        code = main(["pacs", "read", STUDY, "--save", str(tmp_path / "ecg.dcm"), "--url", at(pacs(envelope(file)))])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert code == 2
    assert "cannot be saved" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
