"""The reading process: knows the readers and nothing else, and keeps children in readiness, each for one upload.

`python -m ecgkt.intake.worker FD` waits at a Unix socket. Whatever socket comes through it is taken by a child, which
takes the upload in, sets limits to its processor time, memory and files, sends back what it read, and is gone, with all
that it held. This process itself never sees a byte of a file; it forks the next child.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ecgkt.ecg import INDEPENDENT, ECGError
from ecgkt.intake.outcome import receive_request, send_ecg, send_list
from ecgkt.intake.reading import READY, SECONDS, listed, read_each
from ecgkt.readers import TableLayout, read

MEMORY = 200 * 1024 * 1024  # bytes above what the process has when it holds the upload
WALL_SECONDS = 60  # after which nobody waits for an answer
IN_READINESS = 2  # children; as many as uploads are read side by side
CLOSED = 3  # exit code of a child to which no upload will come
MAX_OPEN, MAX_WRITTEN = 64, 64 * 1024 * 1024  # files; bytes of any of them (WFDB's go through a temporary folder)


def main(control: int) -> None:
    """Until the server closes its end of the control socket, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server's to handle
    warm_up()
    gc.freeze()
    door = socket.socket(fileno=control)
    door.sendall(READY)
    for _ in range(IN_READINESS):
        _fork(door)
    while os.waitstatus_to_exitcode(os.wait()[1]) != CLOSED:
        _fork(door)


def _fork(door: socket.socket) -> None:
    if os.fork() == 0:
        code = 1
        try:
            code = _child(door)
        finally:
            os._exit(code)


def _child(door: socket.socket) -> int:
    """Waits for one upload and serves it. CLOSED when none will come."""
    practice()
    sent, handles, _, _ = socket.recv_fds(door, 1, 1)
    if not sent:
        return CLOSED
    door.close()
    with socket.socket(fileno=handles[0]) as line:
        serve(line)
    return 0


def serve(line: socket.socket) -> None:
    """One upload, in a process that ends with it."""
    signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)
    files, layout, tempfile.tempdir = receive_request(line)
    limit()
    begun = time.process_time()
    found, outcomes = listed(files)
    send_list(line, outcomes)
    for each in read_each(found, layout, begun):
        send_ecg(line, each)


def limit() -> None:
    """From here on, for this process. The kernel ends one that goes beyond its time; memory is refused to it."""
    import resource

    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    seconds = int(time.process_time() + SECONDS) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold the file
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_OPEN, MAX_OPEN))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_WRITTEN, MAX_WRITTEN))
    held = _address_space()
    if held is not None:
        resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))


def _address_space() -> int | None:
    """Bytes; None where the system does not say (elsewhere than on Linux), and memory has no limit."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def warm_up() -> None:
    """Bring in the libraries that readers import when they need them, so that no upload waits for that."""
    # pandas brings pyarrow in where it is installed: threads, which no fork keeps, and 40 MB that no reader needs.
    sys.modules.setdefault("pyarrow", None)  # type: ignore[arg-type]
    import edfio  # noqa: F401

    header = "r 8 500 500\n" + "\n".join(f"r.dat 16 200 16 0 0 0 0 {lead}" for lead in INDEPENDENT)
    read({"r.hea": header.encode(), "r.dat": bytes(8000)})
    table = ("\n".join(",".join(str(row % (7 + lead)) for lead in range(8)) for row in range(500))).encode()
    read(table, TableLayout(500.0, 1.0, INDEPENDENT))


def practice() -> None:
    """Reads a table, so that a child has its own copies of the memory that reading touches before an upload comes."""
    stream = io.BytesIO()
    samples = np.arange(12 * 5000, dtype=np.int16).reshape(12, 5000) % 97
    np.save(stream, samples.cumsum(axis=1) % 200, allow_pickle=False)
    with contextlib.suppress(ECGError):
        read(stream.getvalue(), TableLayout(500.0, 200.0))


if __name__ == "__main__":
    main(int(sys.argv[1]))
