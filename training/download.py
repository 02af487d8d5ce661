"""The open data sets of PhysioNet, file by file, each held against its published SHA-256.

    python -m training download                                    which there are
    python -m training download mimic-iv-ecg-demo --out data       all of one, into data/mimic-iv-ecg-demo
    python -m training download ptb-xl --match records100/         of its folders only that one

The same command goes on where it was stopped. Of wfdb only the address of PhysioNet's files is used: `wfdb.dl_files`
takes the newest version only, compares sizes but no checksums, writes under the final name, does not try again, and
asks physionet.org for the version whatever host it is told.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3.exceptions import HTTPError
from wfdb.io.download import PN_INDEX_URL

SUMS = "SHA256SUMS.txt"
VERIFIED = ".verified"  # checksum, bytes, mtime in ns and path of each file found right, a line each
CONNECTIONS = 4
MOST_REDIRECTS = 5
TIMEOUT = (10, 30)  # seconds to connect, and between two pieces
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before each new attempt when nothing came
BUSY = (408, 429, 500, 502, 503, 504)  # HTTP's ways to say: try again later
PIECE = 2**16
_SUM = re.compile(r"([0-9a-fA-F]{64}) [ *]?(.+)")
_NOTE = re.compile(r"([0-9a-f]{64}) (\d+) (\d+) (.+)")


@dataclass(frozen=True)
class Dataset:
    """path: PhysioNet's slug and version. size: bytes, roughly; checksum lists do not tell."""

    path: str
    license: str
    size: float
    what: str


DATASETS = {
    "mimic-iv-ecg-demo": Dataset("mimic-iv-ecg-demo/0.1", "ODbL 1.0", 80e6, "659 ECGs of 92 patients of MIMIC-IV"),
    "mimic-iv-demo": Dataset("mimic-iv-demo/2.2", "ODbL 1.0", 16e6, "MIMIC-IV's tables for 100 patients"),
    "mimic-iv-ed-demo": Dataset("mimic-iv-ed-demo/2.2", "ODbL 1.0", 1e5, "MIMIC-IV-ED's tables for the same patients"),
    "ptb-xl": Dataset("ptb-xl/1.0.3", "CC BY 4.0", 3.1e9, "21,799 ECGs read by cardiologists, at 100 and 500 Hz"),
    "ludb": Dataset("ludb/1.0.1", "ODC-By 1.0", 30e6, "200 ECGs, P, QRS and T marked by hand"),
}


class FileRefused(ValueError):
    """One file cannot be had; the others may still be."""


def listing() -> str:
    """Which data sets there are, a line each."""
    return "\n".join(
        f"{name:18s} about {d.size / 1e6:4.4g} MB  {d.license:10s}  {d.what}" for name, d in DATASETS.items()
    )


def download(name: str, out: Path, mirror: str | None = None, match: str = "") -> Path:
    """Fetch what is missing of a data set into out/name and return that folder.

    mirror: address of a folder with PhysioNet's paths below it, in place of PhysioNet's own. match: beginning of the
    paths wanted from folders; the files at the top always are. Raises ValueError for what cannot be fetched or written.
    """
    if name not in DATASETS:
        raise ValueError(f"There is no open data set {name!r} here; there are {', '.join(DATASETS)}.")
    mirror = mirror or PN_INDEX_URL
    if urlsplit(mirror).scheme not in ("http", "https") or not urlsplit(mirror).hostname:
        raise ValueError(f"{mirror} is no http or https address.")
    folder = out / name
    try:
        _download(DATASETS[name], folder, mirror, match)
    except OSError as error:
        raise ValueError(f"{error.filename or folder}: {error.strerror or error}.") from None
    return folder


def _download(dataset: Dataset, folder: Path, mirror: str, match: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    server = _Server(f"{mirror.rstrip('/')}/{dataset.path}/")
    listed = _listed(server, folder)
    wanted = {path: checksum for path, checksum in listed.items() if "/" not in path or path.startswith(match)}
    if match and not any("/" in path for path in wanted):
        raise ValueError(f"No path of {dataset.path} begins with {match!r}.")
    known = _verified(folder)
    missing = [path for path in wanted if known.get(path) != (wanted[path], *_stamp(folder / path))]
    if not match:  # with one, how much is wanted cannot be known beforehand
        needed = dataset.size * sum(not (folder / path).is_file() for path in missing) / len(listed)
        _room(folder, needed)
    refused = _fetch_all(server, folder, {path: wanted[path] for path in missing})
    print(f"{folder}: {len(wanted) - len(refused)} of {len(wanted)} files, each with its published checksum")
    if refused:
        more = f" And so for {len(refused) - 1} more." if len(refused) > 1 else ""
        raise ValueError(refused[0] + more)


def _fetch_all(server: _Server, folder: Path, missing: dict[str, str]) -> list[str]:
    """Fetch path -> checksum over several connections; why files were refused, a sentence each."""
    refused = []
    with (
        (folder / VERIFIED).open("a", encoding="utf-8") as notes,
        tqdm(total=len(missing), unit=" files", desc=folder.name) as bar,
        ThreadPoolExecutor(CONNECTIONS) as pool,
    ):
        futures = {pool.submit(_obtain, server, folder, *item): item for item in missing.items()}
        try:
            for future in as_completed(futures):
                path, checksum = futures[future]
                try:
                    future.result()
                except FileRefused as error:
                    refused.append(str(error))
                else:
                    size, modified = _stamp(folder / path)
                    notes.write(f"{checksum} {size} {modified} {path}\n")
                bar.update()
        except BaseException:  # Ctrl-C too: what is half here stays, to go on from
            server.stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return refused


def _obtain(server: _Server, folder: Path, path: str, checksum: str) -> None:
    """One file, unless it is there already. Raises FileRefused, ValueError."""
    file = folder / path
    if file.is_file() and _sha256(file) == checksum:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    for _ in range(2):  # the first may have gone on from a part of something else
        server.fetch(path, part)
        if _sha256(part) == checksum:
            part.replace(file)
            return
        part.unlink()
    raise FileRefused(f"{path} came twice with another checksum than the published one and was not kept.")


class _Server:
    """A data set on its server. `stop`, once set, ends all transfers where they are."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.stop = threading.Event()
        self._session = requests.Session()
        self._session.max_redirects = MOST_REDIRECTS
        # Offsets and checksums count the bytes of the file, not of a compressed form of it.
        self._session.headers["Accept-Encoding"] = "identity"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))

    def fetch(self, path: str, part: Path) -> None:
        """Complete `part`, trying again after a pause as long as the server or the line fails. Raises ValueError."""
        most, failures = _size(part), 0
        while True:
            try:
                return self._transfer(path, part)
            except (requests.ConnectionError, requests.Timeout, HTTPError) as error:
                failures = 1 if _size(part) > most else failures + 1
                most = max(most, _size(part))
                if failures > len(PAUSES) or self.stop.wait(PAUSES[failures - 1]):
                    host = urlsplit(self.base).netloc
                    raise ValueError(
                        f"{host} cannot be reached or breaks off at {path} ({type(error).__name__}); "
                        "the same command goes on where it was."
                    ) from None
            except requests.RequestException as error:
                raise ValueError(f"{path} cannot be fetched: {str(error).rstrip('.')}.") from None

    def _transfer(self, path: str, part: Path) -> None:
        start = _size(part)
        headers = {"Range": f"bytes={start}-"} if start else {}
        url = self.base + quote(path)
        with self._session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if url.startswith("https:") and not all(r.url.startswith("https:") for r in (*response.history, response)):
                raise ValueError(f"{path}: the server leads away from https.")
            if start and response.status_code == 416:
                return  # nothing beyond what is here; whether that is the file its checksum will say
            if response.status_code in BUSY:
                raise requests.ConnectionError(f"status {response.status_code}")
            if response.status_code not in (200, 206):
                raise FileRefused(f"{url}: the server answers {response.status_code} {response.reason}.")
            resumed = response.status_code == 206
            if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                part.unlink(missing_ok=True)
                raise requests.ConnectionError("another range than asked for")
            _room(part.parent, response.raw.length_remaining or 0)
            with part.open("ab" if resumed else "wb") as out:
                # Not iter_content, which would unpack a .csv.gz whose packing the server calls its Content-Encoding.
                for piece in response.raw.stream(PIECE, decode_content=False):
                    out.write(piece)
                    if self.stop.is_set():
                        raise FileRefused(f"{path}: stopped.")


def _listed(server: _Server, folder: Path) -> dict[str, str]:
    """Path -> checksum of the published list. Raises ValueError when it is none or names a path outside the folder."""
    part = folder / f"{SUMS}.part"
    part.unlink(missing_ok=True)  # nothing tells whether an earlier part still fits
    server.fetch(SUMS, part)
    listed = {}
    for line in filter(None, part.read_text(encoding="utf-8", errors="replace").split("\n")):
        found = _SUM.fullmatch(line.rstrip("\r"))
        if not found:
            raise ValueError(f"{server.base}{SUMS} is no list of checksums.")
        path = found[2]
        if re.search(r"[\\:\x00-\x1f]", path) or not {"", ".", ".."}.isdisjoint(path.split("/")):
            raise ValueError(f"{SUMS} names a path outside its own folder: {path!r}.")
        listed[path] = found[1].lower()
    if not listed:
        raise ValueError(f"{server.base}{SUMS} is empty.")
    listed.pop(SUMS, None)
    part.replace(folder / SUMS)
    return listed


def _verified(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Path -> checksum, size and mtime when it was found right. A line that a crash cut off counts for nothing."""
    file = folder / VERIFIED
    lines = file.read_text(encoding="utf-8", errors="replace").split("\n") if file.is_file() else []
    return {m[4]: (m[1], int(m[2]), int(m[3])) for m in map(_NOTE.fullmatch, lines) if m}


def _stamp(file: Path) -> tuple[int, int]:
    """Size in bytes and mtime in ns; (-1, -1) where there is no file."""
    try:
        status = os.stat(file)
    except FileNotFoundError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _size(part: Path) -> int:
    return max(0, _stamp(part)[0])


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _room(folder: Path, needed: float) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise ValueError(f"{needed / 1e6:.0f} MB are needed in {folder}, {free / 1e6:.0f} MB are free.")
