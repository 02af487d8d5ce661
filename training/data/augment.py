"""Random changes of a batch, on its device: whole tensors at a time, and the same on every device but for rounding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from ecgkt.ecg import LEADS
from ecgkt.model.networks.beat_encoder import TEMPLATES, BeatView
from ecgkt.model.preprocessing import MODEL_RATE
from training.data.batch import Batch

SHIFT = 2  # samples by which the templates of a beat are moved at most: R is found to a sample or two
BY_SET = ("gain", "lead_gain", "smoothing")  # what a set may have settings of its own for
NOISE_SAMPLES = 1 << 20
NOISE_SEED = 20251207


@cache
def _noise(device: torch.device) -> Tensor:
    """Normal noise of which every lead takes a stretch, from a place of its own.

    Drawing it anew takes ten times as long as everything else that is done to a batch (12,000 numbers an ECG).
    """
    return torch.randn(NOISE_SAMPLES, generator=torch.Generator().manual_seed(NOISE_SEED)).to(device)


def augment(
    batch: Batch, settings: Mapping[str, float], seed: tuple[int, int], own: Sequence[Mapping[str, float]] = ()
) -> Batch:
    """A random stretch, amplitudes off by a random gain (per ECG and per lead), some smoothing, white noise, some
    tables hidden. own: of each set the settings that it has for itself, of `BY_SET`.

    gain, lead_gain: standard deviations of the factors' logarithms. Modeled amplitudes are off by a factor of .5 to
    1.6, so a network must not lean on them; on recorded ones it may. smoothing: the largest weight w of either neighbor
    in a sample, drawn evenly from 0 on; it takes 1.4 w of 20 Hz and 3.6 w of 40 Hz, as filters of recorders do.
    High-pass filters are left out: what they take is gone from the model's view, and from a beat of a second anyway.
    Templates of beats get all this, since they grow, shrink and are filtered as the tracing is (but for the spread
    between beats, to which a filter does only nearly the same), and a small shift; their noise is that of the random
    half. The input is not changed. What it takes counts on the batch's clock.
    """
    with batch.clock.running() if batch.clock else nullcontext():
        return _augmented(batch, settings, seed, own)


def _for_each(
    key: str, settings: Mapping[str, float], own: Sequence[Mapping[str, float]], batch: Batch
) -> Tensor | float:
    """A setting by ECG, [B, 1, 1], where sets differ in it."""
    usual = settings.get(key, 0.0)
    if batch.source is None or not any(key in mine for mine in own):
        return usual
    by_set = torch.tensor([mine.get(key, usual) for mine in own])
    return by_set[torch.from_numpy(batch.source)][:, None, None]


def _smoothed(signal: Tensor, weight: Tensor) -> Tensor:
    """[B, C, T] with a share weight [B, 1, 1] of either neighbor in every sample; ends are held."""
    padded = functional.pad(signal, (1, 1), mode="replicate")
    return signal + weight * (padded[..., :-2] + padded[..., 2:] - 2 * signal)


def _augmented(
    batch: Batch, settings: Mapping[str, float], seed: tuple[int, int], own: Sequence[Mapping[str, float]]
) -> Batch:
    device = batch.table.device
    # Drawn on the CPU, so that a batch does not depend on the device; a few numbers an ECG.
    generator = torch.Generator().manual_seed(seed[0] * 1_000_003 + seed[1])
    size = len(batch.table)
    of_all = torch.randn(size, 1, 1, generator=generator) * _for_each("gain", settings, own, batch)
    of_leads = torch.randn(size, len(LEADS), 1, generator=generator) * _for_each("lead_gain", settings, own, batch)
    gain = (of_all + of_leads).exp().to(device)
    hidden = torch.rand(size, 1, generator=generator) < settings["table_dropout"]
    table = batch.table.masked_fill(hidden.to(device), float("nan"))
    most = _for_each("smoothing", settings, own, batch)

    def smooth(signal: Tensor) -> Tensor:
        if isinstance(most, float) and not most:
            return signal
        return _smoothed(signal, (torch.rand(size, 1, 1, generator=generator) * most).to(device))

    signal: Tensor | BeatView
    if isinstance(batch.signal, BeatView):
        moved = int(torch.randint(-SHIFT, SHIFT + 1, (1,), generator=generator))
        templates = torch.roll(batch.signal.templates, moved, dims=2)
        by_lead = templates.reshape(size, TEMPLATES, len(LEADS), -1) * gain[:, None]
        signal = BeatView(smooth(by_lead.flatten(1, 2)), batch.signal.rhythm)
    else:
        signal = batch.signal
        cut = int(settings["shift_s"] * MODEL_RATE)
        if cut:
            first = int(torch.randint(cut + 1, (1,), generator=generator))
            signal = signal[..., first : signal.shape[-1] - (cut - first)]
        signal = smooth(signal * gain)
        if settings["noise_mv"]:
            stretches = _noise(device).unfold(0, signal.shape[-1], 1)
            begin = torch.randint(len(stretches), (size * len(LEADS),), generator=generator).to(device)
            signal.flatten(0, 1).add_(stretches.index_select(0, begin), alpha=settings["noise_mv"])
    return replace(batch, signal=signal, table=table)
