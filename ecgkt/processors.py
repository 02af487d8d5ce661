"""How many processors this process may use, and what its workers owe it."""

from __future__ import annotations

import os
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait


def processors() -> int:
    """At least 1; fewer than the machine has where a scheduler or `taskset` gives only some of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def end_with_parent() -> None:
    """What a worker process does first: it waits for work for ever, and would outlive a parent that was killed."""
    parent = parent_process()
    assert parent is not None
    threading.Thread(target=lambda: wait([parent.sentinel]) and os._exit(1), daemon=True).start()
