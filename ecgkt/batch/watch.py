"""A folder that ECGs arrive in: each is handled once, when it has stopped growing, whatever ends the program meanwhile.

The folder is looked through every few seconds (`os.walk`) rather than told of by the operating system: what another
machine writes to a network share, as a cart does, is reported to nobody here, and ten thousand names take 20 ms.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from filelock import FileLock, Timeout

from ecgkt.batch.durable import UNFINISHED, whole
from ecgkt.batch.folder import CannotBegin
from ecgkt.batch.journal import ENDED_IT, Journal, Outcome
from ecgkt.batch.records import Content, companions, load, record_names, shown_name
from ecgkt.batch.rows import FAULT
from ecgkt.batch.stopping import Stop
from ecgkt.datasets.files import COMPANIONS
from ecgkt.ecg import ECGError
from ecgkt.explain import explain_ecg, on_terminal
from ecgkt.interpretation.interpret import interpret, opening
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.report.command import is_simulated

if TYPE_CHECKING:
    from ecgkt.model.model import Model

EVERY = 2.0  # s between two looks
SETTLED = 5.0  # s without a change of size or time, from which a file is taken for finished
PATIENCE = 600.0  # s that the other files of a record may take to follow its header
JOURNAL, LOCK = "journal.jsonl", "lock"

Stat = tuple[int, int]  # bytes, ns of the last change


@dataclass
class _Seen:
    """A record as it was at the last look. main, others: its files, None for one that is not there; since: when they
    were first so, s. handled: as they are."""

    main: Stat
    others: dict[Path, Stat | None]
    since: float
    handled: bool = False


class Watch:
    """Results go into the folder `out`, named by the content's SHA-256, beside the journal. patience: s that the other
    files of a record may take to follow its header."""

    def __init__(
        self,
        model: Model,
        folder: Path,
        out: Path,
        report: bool = False,
        patience: float = PATIENCE,
        tell: TextIO | None = None,
    ) -> None:
        self._model, self._folder, self._out, self._tell = model, folder.resolve(), out, tell or sys.stderr
        self._suffix = ".pdf" if report else ".json"
        self._make = _report if report else _as_json
        self._patience = patience
        self._seen: dict[str, _Seen] = {}
        self._trouble = ""
        for left in out.glob(f"*{UNFINISHED}"):
            left.unlink()
        self._journal = Journal(out / JOURNAL)

    def look(self, now: float | None = None, stopped: Callable[[], bool] = lambda: False) -> tuple[int, int]:
        """Handle what has arrived and settled, until `stopped` says so. Gives (records that are waited for, records
        that could not be handled now and are tried again). now: s of a clock that only goes forward."""
        now = time.monotonic() if now is None else now
        names = list(record_names(self._folder))
        for gone in self._seen.keys() - set(names):
            del self._seen[gone]
        waiting = troubled = 0
        for name in names:
            if stopped():
                break
            seen = self._look_at(name, now)
            if seen is None:
                troubled += 1
            elif not seen.handled:
                if now - seen.since < (SETTLED if None not in seen.others.values() else self._patience):
                    waiting += 1
                elif not self._handle(name, seen, now):
                    troubled += 1
        if not troubled:
            self._trouble = ""
        return waiting, troubled

    def _look_at(self, name: str, now: float) -> _Seen | None:
        """None for what cannot be opened."""
        path, before = self._folder / name, self._seen.get(name)
        try:
            main = _stat(path)
            if before and before.main == main:
                others = {other: _stat(other) for other in before.others}
            else:
                others = {path.parent / other: _stat(path.parent / other) for other in companions(path, self._folder)}
                if path.suffix.lower() in COMPANIONS:
                    others[path.with_suffix(".hea")] = None  # a signal file that came before its header
        except OSError as error:
            self._say_once(f"A file cannot be opened ({error.strerror}); it is tried again.")
            return None
        if main is None:
            return None  # gone since it was listed
        if before is None or (before.main, before.others) != (main, others):
            self._seen[name] = _Seen(main, others, now)
        return self._seen[name]

    def _handle(self, name: str, seen: _Seen, now: float) -> bool:
        """False if it is to be tried again: it changed under our hands, or the result cannot be written now."""
        content = load(self._folder / name, self._folder)
        if content.sha256 is None or self._look_at(name, now) is not seen:
            return False
        try:
            self._once(name, content, content.sha256)
        except OSError as error:
            self._say_once(f"{self._out} cannot be written ({error.strerror}); it is tried again.")
            return False
        seen.handled = True
        return True

    def _once(self, name: str, content: Content, sha256: str) -> None:
        result = self._out / f"{sha256}{self._suffix}"
        if self._journal.is_final(sha256):
            return
        if result.exists():  # written, and ended before the journal said so
            self._journal.add(sha256, "done", self._model.sha256)
            return
        if self._journal.ended_the_program(sha256):
            self._refuse(sha256, ENDED_IT)
            return
        self._journal.add(sha256, "begun", self._model.sha256)
        try:
            analyzed = AnalyzedECG(content.ecg())
            made = self._make(self._model, analyzed, self._folder / name, sha256)
            prediction = self._model.predict(analyzed)
        except ECGError as error:
            self._refuse(sha256, str(error))
            return
        except OSError:
            self._journal.add(sha256, "postponed", self._model.sha256)
            raise
        except Exception as error:  # a fault of ours; the next ECGs should not wait for it to be mended
            self._refuse(sha256, FAULT.format(type(error).__name__))
            return
        try:
            with whole(result) as path:
                path.write_bytes(made)
        except OSError:
            self._journal.add(sha256, "postponed", self._model.sha256)
            raise
        outcome: Outcome = "abstained" if prediction.abstained else "done"
        self._journal.add(sha256, outcome, self._model.sha256, " ".join(prediction.quality.reasons))
        self._say(f"{sha256[:12]} {outcome}")

    def _refuse(self, sha256: str, reason: str) -> None:
        self._journal.add(sha256, "refused", self._model.sha256, reason)
        self._say(f"{sha256[:12]} refused: {reason}")

    def _say(self, text: str) -> None:
        print(on_terminal(text), file=self._tell, flush=True)

    def _say_once(self, text: str) -> None:
        """What would be said at every look as long as it lasts."""
        if text != self._trouble:
            self._say(text)
        self._trouble = text


def watch(model: Model, folder: Path, out: Path, report: bool, once: bool) -> bool:
    """Until asked to stop; once: until nothing is waited for. False if something could not be handled by then. Raises
    CannotBegin, OSError."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / LOCK, timeout=0), Stop() as stop:
            watching = Watch(model, folder, out, report, SETTLED if once else PATIENCE)
            while True:
                waiting, troubled = watching.look(stopped=lambda: stop.asked)
                if (once and not waiting) or stop.wait(EVERY):
                    return not troubled
    except Timeout:
        raise CannotBegin(f"Another process writes to {out}.") from None


def _stat(path: Path) -> Stat | None:
    """None for a file that is not there, as under a name that none can have. Raises OSError for one that cannot be
    asked."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            return None
        raise
    return found.st_size, found.st_mtime_ns


def _as_json(model: Model, analyzed: AnalyzedECG, path: Path, sha256: str) -> bytes:
    return (json.dumps({**explain_ecg(model, analyzed, shown_name(path.name)), "sha256": sha256}) + "\n").encode()


def _report(model: Model, analyzed: AnalyzedECG, path: Path, sha256: str) -> bytes:
    from ecgkt.report import content, document  # bring matplotlib

    prediction = model.predict(analyzed)
    label = opening(prediction, interpret(analyzed.ecg, analyzed.intervals, analyzed.quantities, prediction))
    attribution = None if label is None else model.attribute(analyzed, label.code)
    data = content.build(analyzed, prediction, model, attribution=attribution, simulated=is_simulated(path))
    return document.pdf(data)
