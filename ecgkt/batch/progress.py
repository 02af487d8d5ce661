"""How far a long run is, for whoever looks at it."""

from __future__ import annotations

import time
from typing import TextIO

TERMINAL, ELSEWHERE = 0.5, 30.0  # s between two lines


class Progress:
    """One line that is written over on a terminal, a line every half minute elsewhere."""

    def __init__(self, to: TextIO, total: int, done: int) -> None:
        self._to, self._total, self.done, self._refused = to, total, done, 0
        self._first, self._began, self._last = done, time.monotonic(), 0.0
        self._terminal = to.isatty()
        if done:
            print(f"{done:,} of {total:,} ECGs are done already.", file=to)

    def add(self, count: int, refused: int) -> None:
        self.done += count
        self._refused += refused
        now = time.monotonic()
        if now - self._last >= (TERMINAL if self._terminal else ELSEWHERE):
            self._last = now
            self._show(now)

    def _show(self, now: float) -> None:
        rate = (self.done - self._first) / max(now - self._began, 1e-3)
        left = round((self._total - self.done) / rate) if rate else 0
        text = f"{self.done:,} of {self._total:,} ECGs   {rate:.0f} a second   {self._refused:,} refused   "
        text += f"{left // 60}:{left % 60:02d} left"
        line = f"\r{text:<79}" if self._terminal else f"{text}\n"
        print(line, end="", file=self._to, flush=True)

    def end(self) -> None:
        if self._terminal and self.done > self._first:
            self._show(time.monotonic())
            print(file=self._to)
