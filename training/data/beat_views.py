"""What a beat encoder sees of every ECG of a prepared set, made once: looking has no weights, so no run repeats it.

    beat_pictures.f16   float16 [ecgs, 1 + HALVES, 36, BEAT]: the average of all beats, then of random halves; mV
    beat_rhythm.f32     float32 [ecgs, 16]
    beat_views.json     what they were made from, and how many are done

One pass, resumable; training draws one of the halves at a time, evaluation takes the first.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from filelock import FileLock
from tqdm import tqdm

from ecgkt.ecg import LEADS
from ecgkt.model.networks import beat_detection, beat_encoder
from ecgkt.model.networks.beat_detection import BEAT, RHYTHM_FEATURES, find_beats
from ecgkt.model.networks.beat_encoder import TEMPLATES, beat_view
from ecgkt.model.networks.network import CLIP_MV
from training.cohort.prepared import Prepared

HALVES = 4
CHUNK = 128  # ECGs looked at together
SHAPE = (1 + HALVES, TEMPLATES * len(LEADS), BEAT)


@dataclass(frozen=True)
class BeatViews:
    """templates: [N, 1 + HALVES, 36, BEAT] float16, rhythm: [N, 16] float32, rows as in the prepared set."""

    templates: npt.NDArray[np.float16]
    rhythm: npt.NDArray[np.float32]


def _fingerprint(prepared: Prepared) -> str:
    """Changes with the data and with the code that looks."""
    looking = (beat_detection, beat_encoder.beat_view, beat_encoder._mean, beat_encoder._distance_from_average)
    code = "".join(inspect.getsource(part) for part in looking)
    return hashlib.sha256((prepared.info["fingerprint"] + code).encode()).hexdigest()


def beat_views(prepared: Prepared) -> BeatViews:
    """The views of a prepared set, made or completed first if need be; by one process at a time."""
    with FileLock(prepared.folder / "beat_views.lock"):
        return _made(prepared)


def _made(prepared: Prepared) -> BeatViews:
    count, state = len(prepared), prepared.folder / "beat_views.json"
    wanted = {"from": _fingerprint(prepared), "done": count}
    found = json.loads(state.read_text()) if state.exists() else {}
    begun = found.get("from") == wanted["from"]
    files = prepared.folder / "beat_pictures.f16", prepared.folder / "beat_rhythm.f32"
    if found != wanted:
        mode: Literal["r+", "w+"] = "r+" if begun else "w+"
        templates = np.memmap(files[0], np.float16, mode, shape=(count, *SHAPE))
        rhythm = np.memmap(files[1], np.float32, mode, shape=(count, RHYTHM_FEATURES))
        start = found["done"] if begun else 0
        for first in tqdm(range(start, count, CHUNK), desc=f"beats of {prepared.info['name']}", mininterval=2):
            rows = slice(first, min(first + CHUNK, count))
            templates[rows], rhythm[rows] = _look(prepared, rows)
            if (first // CHUNK) % 20 == 19:
                _note(state, {**wanted, "done": rows.stop}, templates, rhythm)
        _note(state, wanted, templates, rhythm)
    return BeatViews(
        np.memmap(files[0], np.float16, "r", shape=(count, *SHAPE)),
        np.fromfile(files[1], np.float32).reshape(count, RHYTHM_FEATURES),
    )


def _note(state: Path, done: dict[str, object], *arrays: np.memmap) -> None:
    for array in arrays:
        array.flush()
    partial = state.with_suffix(".part")
    partial.write_text(json.dumps(done))
    partial.replace(state)


@torch.no_grad()
def _look(prepared: Prepared, rows: slice) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.float32]]:
    signal = torch.from_numpy(prepared.signals[rows].astype(np.float32) / 1000).clamp(-CLIP_MV, CLIP_MV)
    found = find_beats(signal)
    generator = torch.Generator().manual_seed(rows.start)
    views = [beat_view(signal, found)]
    for _ in range(HALVES):
        views.append(beat_view(signal, found, torch.rand(found.at.shape, generator=generator) < 0.5))
    templates = torch.stack([view.templates for view in views], dim=1)
    return templates.half().numpy(), views[0].rhythm.numpy()
