"""What reading an upload costs, counted by the system. `python -m tests.intake.cost` reads lines of {name: path}, JSON,
and answers each with one. The budget's own limits are not set, so that what would go beyond them is seen."""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import time
from pathlib import Path

from ecgkt.ecg import ECG, LEADS
from ecgkt.intake.reading import listed, read_each
from ecgkt.intake.worker import warm_up
from ecgkt.readers import TableLayout

HANGS = 30  # s of processor time
LAYOUT = TableLayout(2000.0, 1.0, LEADS)


def measured(files: dict[str, bytes]) -> dict[str, object]:
    """Processor time (s) and memory (MB) above what there was with the files, and what was said."""
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    begun = time.process_time()
    found, _ = listed(files)
    said = [each if isinstance(each, str) else _facts(each) for each in read_each(found, LAYOUT, begun)]
    return {"seconds": time.process_time() - begun, "megabytes": (_memory("VmHWM") - before) / 2**20, "said": said}


def _facts(ecg: ECG) -> str:
    return f"{ecg.samples} samples"


def _memory(field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024 * int(found[1])


def main() -> None:
    warm_up()
    for line in sys.stdin:
        given: dict[str, str] = json.loads(line)
        if os.fork() == 0:  # each from the same start
            resource.setrlimit(resource.RLIMIT_CPU, (HANGS, HANGS))
            print(json.dumps(measured({name: Path(path).read_bytes() for name, path in given.items()})), flush=True)
            os._exit(0)
        _, status = os.wait()
        if status:
            print(json.dumps({"seconds": HANGS, "megabytes": 0, "said": [f"ended by {status}"]}), flush=True)


if __name__ == "__main__":
    main()
