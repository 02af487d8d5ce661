"""ECG files of any format that `ecgkt.read` reads, one at a time -> the model's view, for `convert.convert_all`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ecgkt.ecg import ECGError, FloatArray
from ecgkt.model.preprocessing import MODEL_SAMPLES, MODEL_SECONDS
from ecgkt.readers import TableLayout, read
from training.cohort.signals.convert import Limits, view_of


@dataclass(frozen=True)
class AnyFiles:
    """Recordings below `folder`; names: their files (of a WFDB record any, or none of its extensions). layout: what
    bare tables of numbers do not say."""

    folder: str
    names: list[str]
    layout: TableLayout | None = None

    def __len__(self) -> int:
        return len(self.names)

    def part(self, first: int, last: int) -> AnyFiles:
        return AnyFiles(self.folder, self.names[first:last], self.layout)

    def stamp(self) -> list[object]:
        """Changes when a file, or how tables of numbers are read, has changed."""
        stamps: list[object] = [repr(self.layout)]
        for name in self.names:
            path = Path(self.folder) / name
            # A WFDB record's samples lie beside its header.
            for file in (path, path.with_suffix(".dat"), path.with_suffix(".mat"), path.with_suffix(".hea")):
                try:
                    stat = os.stat(file)
                    stamps.append([stat.st_size, stat.st_mtime_ns])
                except OSError:
                    stamps.append(None)
        return stamps

    def views(self, limits: Limits) -> list[FloatArray | ECGError]:
        """The view (uV) of each recording's first 10 s, or the reason against it."""
        return [self._view(name, limits) for name in self.names]

    def _view(self, name: str, limits: Limits) -> FloatArray | ECGError:
        try:
            ecg = read(Path(self.folder) / name, self.layout)
            samples = round(MODEL_SECONDS * ecg.rate)
            if ecg.samples < samples:
                raise ECGError("shorter than 10 s")
            view = view_of(ecg.crop(0, MODEL_SECONDS), limits)
            if view.shape[1] < MODEL_SAMPLES:
                raise ECGError("shorter than 10 s")
            return view
        except ECGError as error:
            return error
