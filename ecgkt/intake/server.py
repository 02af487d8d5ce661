"""The server's side: one reading process (`worker`), started once, and a socket for each upload."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from threading import BoundedSemaphore, Lock

from ecgkt.ecg import ECG, ECGError
from ecgkt.intake.outcome import MAX_SIGNAL, Broken, Outcome, receive_ecg, receive_list, send_request
from ecgkt.intake.reading import MOST_SAMPLES, READY, TOO_MUCH, listed, read_each
from ecgkt.readers import TableLayout

NOT_STARTED = "The file cannot be read now, since the process that reads files does not start."
BUSY = "The server is too busy to read this file now; try again in a minute."
AT_ONCE = 2  # uploads that are read side by side
PATIENCE = 30  # s of waiting, for a turn and then for an answer
START = 60  # s for the reading process to start, on a busy machine
# Of the server's environment, what a Python process may need to start. No secret reaches it.
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")
SINGLE = ("OMP", "OPENBLAS", "MKL")  # libraries whose threads would not survive a fork
PACKAGE = Path(__file__).resolve().parents[1]


class _Reader:
    """The reading process and the socket to it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._turn = BoundedSemaphore(AT_ONCE)
        self._process: subprocess.Popen[bytes] | None = None
        self._door: socket.socket | None = None
        self._ready = False

    def read(self, files: Mapping[str, bytes], layout: TableLayout | None) -> list[Outcome]:
        if not self._turn.acquire(timeout=PATIENCE):
            raise ECGError(BUSY)
        try:
            return self._ask(files, layout)
        finally:
            self._turn.release()

    def _ask(self, files: Mapping[str, bytes], layout: TableLayout | None) -> list[Outcome]:
        try:
            line = self._line()
        except OSError:
            raise ECGError(NOT_STARTED) from None
        known: list[Outcome] | None = None
        done: list[Outcome] = []
        with line, tempfile.TemporaryDirectory(prefix="ecgkt-", ignore_cleanup_errors=True) as folder:
            line.settimeout(PATIENCE)
            try:
                send_request(line, files, layout, folder)
                known = receive_list(line)
                held = 0
                for each in known:
                    found = receive_ecg(line)
                    held += 0 if isinstance(found, str) else found.signal.nbytes
                    if held > MOST_SAMPLES + MAX_SIGNAL:  # the reading process says more than it should
                        raise Broken
                    done.append(_with(each, found))
            except TimeoutError:
                raise ECGError(BUSY) from None
            except (Broken, OSError, ValueError, KeyError, TypeError):
                pass  # it was ended by a limit or by a fault of a library, or does not say what it should
        # What it was at when it ended is refused, and what was to follow.
        rest = [Outcome("", False, "")] if known is None else known[len(done) :]
        return [*done, *(replace(each, refusal=TOO_MUCH) for each in rest)]

    def _line(self) -> socket.socket:
        """A socket whose other end a fresh process holds."""
        ours, theirs = socket.socketpair()
        with theirs:
            door = self._opened()
            try:
                socket.send_fds(door, [b"f"], [theirs.fileno()])
            except OSError:  # the reading process is gone
                self.close(door)
                socket.send_fds(self._opened(), [b"f"], [theirs.fileno()])
        return ours

    def start(self) -> None:
        """Begins it, and does not wait until it is ready."""
        with self._lock:
            if self._door is None:
                self._door, theirs = socket.socketpair()
                with theirs:
                    self._process = _begun(theirs.fileno())

    def _opened(self) -> socket.socket:
        if self._process is not None and self._process.poll() is not None:  # its children are the last
            self.close(self._door)
        self.start()
        assert self._door is not None
        with self._lock:
            if not self._ready:
                self._door.settimeout(START)
                if self._door.recv(1) != READY:
                    raise OSError("The reading process did not start.")
                self._ready = True
        return self._door

    def close(self, door: socket.socket | None = None) -> None:
        """End the reading process (only the one behind `door`, if given). Another is started when it is needed."""
        with self._lock:
            if door is not None and door is not self._door:
                return
            if self._door is not None:
                self._door.close()
            if self._process is not None:
                self._process.kill()
                self._process.wait()
            self._door, self._process, self._ready = None, None, False


def _begun(handle: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ecgkt.intake.worker", str(handle)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # what a library says may quote the file
        pass_fds=[handle],
        cwd=PACKAGE.parent,
        env=_environment(),
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return passed_on | {f"{library}_NUM_THREADS": "1" for library in SINGLE} | {"PYTHONPATH": str(PACKAGE.parent)}


def _with(outcome: Outcome, found: ECG | str) -> Outcome:
    return replace(outcome, refusal=found) if isinstance(found, str) else replace(outcome, ecg=found)


_reader = _Reader()
atexit.register(_reader.close)


def start() -> None:
    """Start the reading process, which takes a second or two, before the first upload needs it."""
    _reader.start()


def read_upload(files: Mapping[str, bytes], layout: TableLayout | None = None) -> list[Outcome]:
    """The records among uploaded files (name -> bytes) and what came of each, in the order of their main files.

    Read in a process of its own, with 2 s of processor time and 200 MB of memory above the files; one that needs more
    is refused in one sentence. Raises ECGError only where this server cannot read any file now. Where the system has no
    fork (Windows), files are read here, within the limits that readers keep by themselves.
    """
    if not hasattr(os, "fork"):
        found, outcomes = listed(files)
        read = read_each(found, layout, time.process_time())
        return [_with(outcome, each) for outcome, each in zip(outcomes, read, strict=True)]
    return _reader.read(files, layout)
