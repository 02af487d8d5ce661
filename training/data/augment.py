"""Random changes of a batch, on its device: whole tensors at a time, and the same on every device but for rounding."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from ecgkt.ecg import LEADS
from ecgkt.model.networks.beat_encoder import TEMPLATES, BeatView
from ecgkt.model.preprocessing import MODEL_RATE
from training.data.batch import Batch

SHIFT = 2  # samples by which the templates of a beat are moved at most: R is found to a sample or two
NOISE_SAMPLES = 1 << 20
NOISE_SEED = 20251207


@cache
def _noise(device: torch.device) -> Tensor:
    """Normal noise of which every lead takes a stretch, from a place of its own.

    Drawing it anew takes ten times as long as everything else that is done to a batch (12,000 numbers an ECG).
    """
    return torch.randn(NOISE_SAMPLES, generator=torch.Generator().manual_seed(NOISE_SEED)).to(device)


def augment(batch: Batch, settings: dict[str, float], seed: tuple[int, int]) -> Batch:
    """A random stretch, amplitudes off by a random gain (per ECG and per lead), white noise, some tables hidden.

    Gains matter: PTB-XL's amplitudes are modeled, so a network must not lean on the last tenth of a millivolt.
    Templates of beats get gains and a small shift; their noise is that of the random half. The input is not changed.
    What it takes counts on the batch's clock.
    """
    with batch.clock.running() if batch.clock else nullcontext():
        return _augmented(batch, settings, seed)


def _augmented(batch: Batch, settings: dict[str, float], seed: tuple[int, int]) -> Batch:
    device = batch.table.device
    # Drawn on the CPU, so that a batch does not depend on the device; a few numbers an ECG.
    generator = torch.Generator().manual_seed(seed[0] * 1_000_003 + seed[1])
    size = len(batch.table)
    gain = torch.randn(size, 1, 1, generator=generator) * settings["gain"]
    gain = (gain + torch.randn(size, len(LEADS), 1, generator=generator) * settings["lead_gain"]).exp().to(device)
    hidden = torch.rand(size, 1, generator=generator) < settings["table_dropout"]
    table = batch.table.masked_fill(hidden.to(device), float("nan"))
    signal: Tensor | BeatView
    if isinstance(batch.signal, BeatView):
        moved = int(torch.randint(-SHIFT, SHIFT + 1, (1,), generator=generator))
        templates = torch.roll(batch.signal.templates, moved, dims=2)
        by_lead = templates.reshape(size, TEMPLATES, len(LEADS), -1) * gain[:, None]
        signal = BeatView(by_lead.flatten(1, 2), batch.signal.rhythm)
    else:
        signal = batch.signal
        cut = int(settings["shift_s"] * MODEL_RATE)
        if cut:
            first = int(torch.randint(cut + 1, (1,), generator=generator))
            signal = signal[..., first : signal.shape[-1] - (cut - first)]
        signal = signal * gain
        if settings["noise_mv"]:
            stretches = _noise(device).unfold(0, signal.shape[-1], 1)
            begin = torch.randint(len(stretches), (size * len(LEADS),), generator=generator).to(device)
            signal.flatten(0, 1).add_(stretches.index_select(0, begin), alpha=settings["noise_mv"])
    return replace(batch, signal=signal, table=table)
