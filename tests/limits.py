"""What hostile input may cost, in processor time and memory."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLEAR = Path("/proc/self/clear_refs")  # Linux; elsewhere only processor time is looked at


@contextmanager
def limited(seconds: float, growth: float) -> Iterator[None]:
    """At most so many seconds of processor time, of all threads, and so many bytes above what the process has.

    The peak is begun anew: `getrusage`'s is that of the process's whole life, which after a dear test holds anything.
    """
    before = 0
    if CLEAR.exists():
        before = _memory("VmRSS")
        CLEAR.write_text("5")
    begun = time.process_time()
    yield
    assert time.process_time() - begun < seconds
    if CLEAR.exists():
        assert _memory("VmHWM") - before < growth


def _memory(field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024 * int(found[1])
