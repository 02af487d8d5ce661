"""What a watched folder's ECGs came to, by the hash of their content: one JSON object a line, appended.

Nothing in it tells of a patient: no name of a file, nothing that a file says. A line that was cut off by a power cut is
passed over. Before an ECG is worked on, a line says so, so that one that ends the program each time is found out.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from ecgkt.readers.opening import open_file

Outcome = Literal["begun", "postponed", "done", "abstained", "refused"]
FINAL = ("done", "abstained", "refused")
MOST_ATTEMPTS = 3  # times that an ECG may end the program
ENDED_IT = f"Working on it ended the program {MOST_ATTEMPTS} times."


class Journal:
    """The journal at `path`, made if there is none. Raises OSError where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._final: set[str] = set()
        self._begun: Counter[str] = Counter()
        self._torn = False
        if path.exists():
            with open_file(path) as file:
                content = file.read()
            self._torn = not content.endswith(b"\n") and bool(content)
            for line in content.splitlines():
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            sha256, outcome = str(entry["sha256"]), str(entry["outcome"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        self._count(sha256, outcome)

    def _count(self, sha256: str, outcome: str) -> None:
        if outcome in FINAL:
            self._final.add(sha256)
        self._begun[sha256] += {"begun": 1, "postponed": -1}.get(outcome, 0)

    def is_final(self, sha256: str) -> bool:
        """Was it handled, one way or the other?"""
        return sha256 in self._final

    def ended_the_program(self, sha256: str) -> bool:
        """Was it begun so often and never finished that it shall not be begun again?"""
        return self._begun[sha256] >= MOST_ATTEMPTS

    def add(self, sha256: str, outcome: Outcome, model: str, reason: str = "") -> None:
        """On disk when this returns."""
        entry = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "sha256": sha256, "outcome": outcome}
        entry |= {"model": model} | ({"reason": reason} if reason else {})
        line = json.dumps(entry) + "\n"
        with self._path.open("ab") as file:
            file.write(("\n" + line if self._torn else line).encode())
            self._torn = True  # until it is known to be whole
            file.flush()
            os.fsync(file.fileno())
        self._torn = False
        self._count(sha256, outcome)
