"""The reading process with readers that fail as only a library could: what they do stands in the upload."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

import numpy as np

from ecgkt.ecg import ECG
from ecgkt.intake import worker
from ecgkt.readers import Record, TableLayout


def faulty(found: list[Record], layout: TableLayout | None, begun: float) -> Iterator[ECG | str]:
    for record in found:
        fault = next(iter(record.files.values()))
        if fault == b"spin":
            while True:
                pass
        if fault == b"spin in a library":
            np.linalg.svd(np.ones((4000, 4000)))
        if fault == b"allocate":
            held = [np.ones(1_000_000) for _ in range(100)]
            yield f"{len(held)} blocks of 8 MB were had"
        if fault == b"crash":
            os.abort()
        if fault == b"sleep":
            time.sleep(60)
        if fault == b"environment":
            yield ",".join(sorted(os.environ))
        if fault == b"handles":
            yield str(len(os.listdir("/proc/self/fd")))
        yield "read"


if __name__ == "__main__":
    worker.read_each = faulty
    worker.main(int(sys.argv[1]))
