"""Data sets fetched from a server on this machine: resumed, checked, refused; and what was fetched opens."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from ecgkt.datasets.collection import open_collection
from tests.datasets.test_collection import record, table
from training import download as downloading
from training.__main__ import main
from training.download import DATASETS, download

TOP = "/ludb/1.0.1/"
CONTENT = bytes(range(256)) * 4000
FILES = {"ludb.csv": b"ID,Sex\n1,F\n", "data/1.dat": CONTENT, "data/1.hea": b"1 12 500 5000\n", "other/a b.txt": b"x"}


class Server(ThreadingHTTPServer):
    """path -> bytes, and how it misbehaves. `seen` holds the path and the Range of every request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.seen: list[tuple[str, str | None]] = []
        self.ranges = True
        self.cut: dict[str, int] = {}  # path -> bytes after which the connection ends, once
        self.busy: dict[str, int] = {}  # path -> how often the answer is 503
        self.redirect: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def publish(self, files: dict[str, bytes], top: str = TOP) -> None:
        sums = "".join(f"{hashlib.sha256(content).hexdigest()} {path}\n" for path, content in files.items())
        self.files |= {top + path: content for path, content in files.items()}
        self.files[top + "SHA256SUMS.txt"] = sums.encode()

    def asked(self, path: str) -> list[str | None]:
        return [wanted for name, wanted in self.seen if name == TOP + path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path, wanted = unquote(self.path), self.headers["Range"]
        self.server.seen.append((path, wanted))
        content = self.server.files.get(path)
        start = int(wanted[6:-1]) if wanted and self.server.ranges else 0
        if self.server.busy.get(path, 0) > 0:
            self.server.busy[path] -= 1
            return self.answer(503)
        if path in self.server.redirect:
            return self.answer(302, {"Location": self.server.redirect[path]})
        if content is None:
            return self.answer(404)
        if start >= len(content) > 0:
            return self.answer(416)
        # Some servers call the packing of a .csv.gz, which is the file's own, the encoding of their answer.
        headers = {"Content-Encoding": "gzip"} if path.endswith(".gz") else {}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.answer(206 if start else 200, headers, content[start:], self.server.cut.pop(path, None))

    def answer(
        self, status: int, headers: dict[str, str] | None = None, content: bytes = b"", cut: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])
        self.close_connection = cut is not None


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloading, "PAUSES", (0.0, 0.0, 0.0))
    with Server() as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield running
        running.shutdown()


def files_below(folder: Path) -> dict[str, bytes]:
    """What a data set's folder holds, without the list of checksums and the note of verified files."""
    own = ("SHA256SUMS.txt", ".verified")
    found = {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file() and f.name not in own}
    return dict(sorted(found.items()))


def test_all_files_come_and_a_second_run_asks_for_the_list_alone(server: Server, tmp_path: Path) -> None:
    server.publish(FILES)
    folder = download("ludb", tmp_path, server.url)
    assert folder == tmp_path / "ludb"
    assert files_below(folder) == dict(sorted(FILES.items()))
    server.seen.clear()
    download("ludb", tmp_path, server.url)
    assert server.seen == [(TOP + "SHA256SUMS.txt", None)]


def test_what_is_there_is_kept_if_right_and_replaced_if_not(server: Server, tmp_path: Path) -> None:
    server.publish(FILES)
    (tmp_path / "ludb/data").mkdir(parents=True)
    (tmp_path / "ludb/data/1.dat").write_bytes(CONTENT)
    (tmp_path / "ludb/ludb.csv").write_bytes(b"ID,Sex\n1,M\n")
    download("ludb", tmp_path, server.url)
    assert server.asked("data/1.dat") == []
    assert files_below(tmp_path / "ludb")["ludb.csv"] == FILES["ludb.csv"]
    # Changed after it was noted as verified, its length kept: found by its time, and fetched again.
    (tmp_path / "ludb/ludb.csv").write_bytes(b"ID,Sex\n1,M\n")
    download("ludb", tmp_path, server.url)
    assert files_below(tmp_path / "ludb")["ludb.csv"] == FILES["ludb.csv"]


def test_a_cut_connection_is_taken_up_where_it_broke_off(server: Server, tmp_path: Path) -> None:
    server.publish(FILES)
    server.cut[TOP + "data/1.dat"] = 700_000
    download("ludb", tmp_path, server.url)
    assert (tmp_path / "ludb/data/1.dat").read_bytes() == CONTENT
    first, second = server.asked("data/1.dat")
    assert first is None
    assert second is not None
    # Some of the last piece may be lost with the connection, nothing before it.
    assert 700_000 - downloading.PIECE <= int(second.removeprefix("bytes=").removesuffix("-")) <= 700_000


def test_a_part_of_an_earlier_run_is_gone_on_from(server: Server, tmp_path: Path) -> None:
    server.publish(FILES)
    (tmp_path / "ludb/data").mkdir(parents=True)
    (tmp_path / "ludb/data/1.dat.part").write_bytes(CONTENT[:1000])
    (tmp_path / "ludb/data/1.hea.part").write_bytes(FILES["data/1.hea"])  # complete, only not yet renamed
    download("ludb", tmp_path, server.url)
    assert files_below(tmp_path / "ludb") == dict(sorted(FILES.items()))
    assert server.asked("data/1.dat") == ["bytes=1000-"]
    assert server.asked("data/1.hea") == [f"bytes={len(FILES['data/1.hea'])}-"]


def test_a_server_without_ranges_makes_it_start_over(server: Server, tmp_path: Path) -> None:
    server.publish(FILES)
    server.ranges = False
    server.cut[TOP + "data/1.dat"] = 700_000
    download("ludb", tmp_path, server.url)
    assert (tmp_path / "ludb/data/1.dat").read_bytes() == CONTENT


def test_a_part_of_another_version_is_thrown_away(server: Server, tmp_path: Path) -> None:
    server.publish(FILES)
    (tmp_path / "ludb/data").mkdir(parents=True)
    (tmp_path / "ludb/data/1.dat.part").write_bytes(b"older" * 100)
    download("ludb", tmp_path, server.url)
    assert (tmp_path / "ludb/data/1.dat").read_bytes() == CONTENT
    assert server.asked("data/1.dat") == ["bytes=500-", None]


def test_a_wrong_byte_is_refused_and_the_other_files_still_come(server: Server, tmp_path: Path) -> None:
    server.publish(FILES)
    server.files[TOP + "data/1.dat"] = CONTENT[:-1] + b"\0"
    with pytest.raises(ValueError, match=r"^data/1\.dat .*checksum"):
        download("ludb", tmp_path, server.url)
    assert "data/1.dat" not in files_below(tmp_path / "ludb")
    assert "data/1.dat.part" not in files_below(tmp_path / "ludb")
    assert len(server.asked("data/1.dat")) == 2
    assert set(files_below(tmp_path / "ludb")) == set(FILES) - {"data/1.dat"}


@pytest.mark.parametrize("path", ["../evil", "data/../../evil", "/evil", "..\\evil", "C:evil", "data//evil", "ev\til"])
def test_a_path_that_leaves_the_folder_is_refused(path: str, server: Server, tmp_path: Path) -> None:
    server.publish(FILES | {path: b"evil"})
    with pytest.raises(ValueError, match="outside"):
        download("ludb", tmp_path / "in", server.url)
    assert [name for name, _ in server.seen] == [TOP + "SHA256SUMS.txt"]
    assert not [file for file in tmp_path.rglob("*") if "evil" in file.name]


def test_a_page_in_place_of_the_list_is_no_list(server: Server, tmp_path: Path) -> None:
    server.files[TOP + "SHA256SUMS.txt"] = b"<html>Please log in</html>\n"
    with pytest.raises(ValueError, match="no list of checksums"):
        download("ludb", tmp_path, server.url)


def test_busy_servers_are_asked_again_and_dead_ones_given_up(server: Server, tmp_path: Path) -> None:
    server.publish(FILES)
    server.busy[TOP + "data/1.hea"] = 3
    download("ludb", tmp_path, server.url)
    assert len(server.asked("data/1.hea")) == 4
    server.busy[TOP + "SHA256SUMS.txt"] = 100
    with pytest.raises(ValueError, match="cannot be reached"):
        download("ludb", tmp_path, server.url)
    assert len(server.asked("SHA256SUMS.txt")) == 1 + 4


def test_redirects_are_followed_but_not_forever_and_not_to_files(server: Server, tmp_path: Path) -> None:
    server.publish(FILES)
    server.files["/elsewhere"] = FILES["data/1.hea"]
    server.redirect[TOP + "data/1.hea"] = "/elsewhere"
    download("ludb", tmp_path, server.url)
    for target in (TOP + "SHA256SUMS.txt", "file:///etc/passwd"):
        server.redirect[TOP + "SHA256SUMS.txt"] = target
        with pytest.raises(ValueError, match="cannot be fetched"):
            download("ludb", tmp_path, server.url)


def test_match_takes_one_folder_and_the_files_at_the_top(server: Server, tmp_path: Path) -> None:
    server.publish(FILES)
    download("ludb", tmp_path, server.url, match="data/")
    assert set(files_below(tmp_path / "ludb")) == {"ludb.csv", "data/1.dat", "data/1.hea"}
    with pytest.raises(ValueError, match="nowhere/"):
        download("ludb", tmp_path, server.url, match="nowhere/")


def test_a_disk_too_small_is_told_before_anything_is_fetched(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.publish(FILES)
    usage = type("Usage", (), {"free": 20e6})
    monkeypatch.setattr(downloading.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(ValueError, match="20 MB are free"):
        download("ludb", tmp_path, server.url)
    assert [name for name, _ in server.seen] == [TOP + "SHA256SUMS.txt"]


def test_the_command_lists_fetches_and_says_what_is_wrong_in_one_sentence(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["download"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(DATASETS)
    server.publish(FILES)
    assert main(["download", "ludb", "--out", str(tmp_path), "--from", server.url + "/"]) == 0
    assert files_below(tmp_path / "ludb") == dict(sorted(FILES.items()))
    for wrong in (["nothing"], ["ludb", "--from", "file:///etc"], ["ptb-xl", "--from", server.url]):
        capsys.readouterr()
        assert main(["download", *wrong, "--out", str(tmp_path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_mimics_demos_open_where_they_were_fetched(server: Server, tmp_path: Path) -> None:
    """Their layouts: record_list.csv without file_name, three levels of folders, tables packed in hosp and ed."""
    origin = tmp_path / "origin"
    ecg = "files/p10001217/s102172660/102172660"
    record(origin / "mimic-iv-ecg-demo" / ecg)
    table(
        origin / "mimic-iv-ecg-demo/record_list.csv",
        "subject_id study_id ecg_time path",
        [(10001217, 102172660, "2157-11-19 02:00:00", ecg)],
    )
    hosp, ed = origin / "mimic-iv-demo/hosp", origin / "mimic-iv-ed-demo/ed"
    table(hosp / "patients.csv.gz", "subject_id gender anchor_age anchor_year", [(10001217, "F", 55, 2157)])
    table(
        hosp / "labevents.csv.gz",
        "labevent_id subject_id itemid charttime valuenum",
        [(1, 10001217, 50971, "2157-11-19 01:30:00", 6.1)],
    )
    table(origin / "mimic-iv-demo/icu/icustays.csv.gz", "subject_id stay_id", [(10001217, 1)])
    table(
        ed / "vitalsign.csv.gz",
        "subject_id charttime temperature heartrate resprate o2sat sbp dbp",
        [(10001217, "2157-11-19 02:10:00", 98.6, 88, 16, 97, 120, 70)],
    )
    for name in ("mimic-iv-ecg-demo", "mimic-iv-demo", "mimic-iv-ed-demo"):
        server.publish(files_below(origin / name), f"/{DATASETS[name].path}/")
        download(name, tmp_path / "data", server.url)
        assert files_below(tmp_path / "data" / name) == files_below(origin / name)
    collection = open_collection(tmp_path / "data")
    (entry,) = collection.entries
    clinical = collection.clinical(entry.key)
    assert (entry.age, entry.sex, entry.measured) == (55, "female", ("potassium_high",))
    assert (clinical["lab:potassium"], clinical["vital:heartrate"]) == (6.1, 88)
    assert collection.read(entry.key).rate == 500
    (alone,) = open_collection(tmp_path / "data/mimic-iv-ecg-demo").entries
    assert not alone.has_table
