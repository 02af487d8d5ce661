"""Worker processes end with the process that started them, whatever ends that."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from signal import SIGKILL

import pytest

WORKERS = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from ecgkt.processors import end_with_parent

def name(_):
    time.sleep(0.3)
    return os.getpid()

if __name__ == "__main__":
    with ProcessPoolExecutor(2, get_context("spawn"), end_with_parent) as pool:
        print(*set(pool.map(name, range(4))), flush=True)
        time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="looks for the workers in /proc")
def test_workers_do_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(WORKERS)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    run = subprocess.Popen([sys.executable, str(script)], env=environment, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    workers = run.stdout.readline().split()
    assert len(workers) == 2
    run.send_signal(SIGKILL)
    assert run.wait() == -SIGKILL
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)
