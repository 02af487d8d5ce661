"""Draws what findings and sinus rhythm are held against and writes ecgkt/model/normal_beats.safetensors.

    python -m training.effects.normal_beats [--out FILE] [--count 200]

The average beats of simulated patients in whose ECG no cause changed anything, one a patient, and the median rhythm of
those in atrial fibrillation among the others, of a seed that no config and no benchmark uses. They know nothing of a
trained network. Two minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ecgkt.model.beside_normal import FILE
from ecgkt.model.networks.effect_estimator import INDEPENDENT
from ecgkt.simulation.visits import visits
from training.data.changed_beats import changed

SEED = 71005


def drawn(seed: int, wanted: int) -> tuple[Tensor, Tensor]:
    """(`wanted` beats [N, 8, BEAT] mV of `INDEPENDENT` leads that nothing changed, [16] the rhythm of fibrillation)."""
    beats: list[Tensor] = []
    fibrillating: list[Tensor] = []
    for index in count():
        ecgs = (changed(visit, planned) for visit in visits(seed, index) for planned in visit.ecgs)
        for ecg in ecgs:
            if ecg is not None and "afib" in ecg.effects:
                fibrillating.append(ecg.view.rhythm[0])
            if ecg is not None and not ecg.effects:
                beats.append(ecg.view.templates[0, list(INDEPENDENT)])
                break
        if len(beats) == wanted:
            break
    return torch.stack(beats), torch.stack(fibrillating).median(dim=0).values


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args(arguments)
    beats, rhythm = drawn(SEED, options.count)
    save_file({"beats": beats.half(), "fibrillation_rhythm": rhythm}, options.out)
    print(len(beats), "beats,", options.out.stat().st_size, "bytes,", options.out.name)


if __name__ == "__main__":
    main()
