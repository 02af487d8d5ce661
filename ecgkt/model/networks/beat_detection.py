"""Beats inside a network: where they are, what the average one looks like, and in which rhythm they come.

Everything runs on batches [B, 12, T] mV at the model's rate, so an encoder that looks at beats still takes nothing but
the signal. Finding the beats carries no gradient and does not depend on the signal's scale; averaging them does and
is linear, so relevance for the average beat is laid back on every beat that it came from.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.signal import firwin
from torch import Tensor
from torch.nn import functional

from ecgkt.measurements.r_peaks import PEAK_SHARE, SHORTEST_RR, SIMILAR
from ecgkt.model.preprocessing import MODEL_RATE

BEFORE, AFTER = 0.44, 0.56  # s around R: from before P in first-degree block to the end of T at a usual rate
BEAT = round((BEFORE + AFTER) * MODEL_RATE)  # samples
MOST_BEATS = 44  # in 10 s at the shortest RR interval, and some
QRS_BAND = (8.0, 30.0)  # Hz, as in ecgkt.measurements.r_peaks
REACH = round(0.06 * MODEL_RATE)  # samples around a velocity peak within which R lies
NEAR_R = slice(round((BEFORE - 0.2) * MODEL_RATE), round((BEFORE + 0.3) * MODEL_RATE))  # of a beat: QRS and ST-T
TINY = 1e-6  # mV and mV/s; below it a lead holds no signal
RHYTHM_FEATURES = 16  # as many as `rhythm_by_name` names


@dataclass(frozen=True)
class DetectedBeats:
    """Beats of a batch. at: [B, N] R peaks (samples), rising; is_beat: [B, N], False for padding."""

    at: Tensor
    is_beat: Tensor


def _band(signal: Tensor) -> Tensor:
    """[B, 12, T] between `QRS_BAND`, zero-phase."""
    taps = firwin(41, QRS_BAND, pass_zero=False, fs=MODEL_RATE)
    kernel = torch.as_tensor(taps, dtype=signal.dtype, device=signal.device)[None, None]
    size, leads, length = signal.shape
    return functional.conv1d(signal.reshape(size * leads, 1, length), kernel, padding=20).reshape(signal.shape)


def _scaled(signal: Tensor) -> Tensor:
    """Each lead to the 98th percentile of its own size; a lead without signal stays 0. Free of the signal's scale."""
    count = max(1, signal.shape[-1] // 50)
    top = signal.abs().topk(count, dim=-1).values[..., -1:]
    return torch.where(top > TINY * signal.abs().amax(dim=(1, 2), keepdim=True), signal / top.clamp(min=1e-20), 0.0)


def _windows(signal: Tensor, first: Tensor, length: int) -> Tensor:
    """[B, N, C, length] of signal [B, C, T] from samples `first` [B, N]; outside it is 0."""
    size, channels, total = signal.shape
    padded = functional.pad(signal, (length, length))
    index = (first + length).clamp(0, total + length)[..., None] + torch.arange(length, device=signal.device)
    flat = index.reshape(size, 1, -1).expand(size, channels, -1)
    return padded.gather(2, flat).reshape(size, channels, -1, length).transpose(1, 2)


@torch.no_grad()
def find_beats(signal: Tensor) -> DetectedBeats:
    """R peaks in [B, 12, T] (any unit): peaks of the spatial velocity, aligned to the same point of QRS."""
    fast = _band(signal)
    slope = functional.pad(fast[..., 2:] - fast[..., :-2], (1, 1))
    speed = _scaled(slope).square().mean(dim=1, keepdim=True).sqrt()
    speed = functional.avg_pool1d(speed, 9, 1, 4)
    span = min(2 * MODEL_RATE, speed.shape[-1])
    blocks = functional.max_pool1d(speed, span, span // 2)
    height = PEAK_SHARE * blocks.median(dim=-1, keepdim=True).values
    radius = round(SHORTEST_RR * MODEL_RATE) - 1
    highest = functional.max_pool1d(speed, 2 * radius + 1, 1, radius)
    is_peak = ((speed == highest) & (speed > height) & (speed > 0))[:, 0]
    most = min(MOST_BEATS, max(2, int(is_peak.sum(dim=1).max())))
    chosen = (speed[:, 0] * is_peak).topk(most, dim=1)
    is_beat = chosen.values > 0
    at = torch.where(is_beat, chosen.indices, signal.shape[-1] + MODEL_RATE)
    at, order = at.sort(dim=1)
    is_beat = is_beat.gather(1, order)
    strong = _scaled(fast)
    size = strong.square().mean(dim=1, keepdim=True).sqrt()
    near = _windows(size, at - REACH, 2 * REACH + 1)[:, :, 0]
    at = at + torch.where(is_beat, near.argmax(dim=-1) - REACH, 0)
    return DetectedBeats(_aligned(strong, at, is_beat), is_beat)


def _aligned(strong: Tensor, at: Tensor, is_beat: Tensor) -> Tensor:
    """Peaks moved by up to `REACH` to where their QRS fits the average one best: a broad QRS has two peaks of like
    height, of which now one, now the other is the taller."""
    wide = _windows(strong, at - 2 * REACH, 4 * REACH + 1) * is_beat[..., None, None]  # [B, N, 12, 4R + 1]
    middle = wide[..., REACH : 3 * REACH + 1]
    # The beat most like all others stands for the kind; an average of misaligned ones would be a blur.
    unit = functional.normalize(middle.flatten(2), dim=2)
    typical = (unit @ unit.transpose(1, 2)).sum(dim=2).argmax(dim=1)
    pattern = unit[torch.arange(len(unit), device=unit.device), typical].reshape(len(unit), 1, *middle.shape[2:])
    lags = wide.unfold(3, 2 * REACH + 1, 1)  # [B, N, 12, lags, 2R + 1]
    likeness = (lags * pattern[:, :, :, None]).sum(dim=(2, 4))
    likeness = likeness / (lags.square().sum(dim=(2, 4)).sqrt() + 1e-12)
    best = likeness.max(dim=2)
    moved = best.values > SIMILAR  # an ectopic beat stays where it is
    return at + torch.where(moved & is_beat, best.indices - REACH, 0)


def cut(signal: Tensor, found: DetectedBeats) -> tuple[Tensor, Tensor]:
    """(beats [B, N, 12, BEAT], inside [B, N, 1, BEAT]): stretches around each R, and where they lie in the tracing."""
    first = found.at - round(BEFORE * MODEL_RATE)
    place = first[..., None] + torch.arange(BEAT, device=signal.device)
    inside = (place >= 0) & (place < signal.shape[-1]) & found.is_beat[..., None]
    return _windows(signal, first, BEAT), inside[:, :, None].to(signal.dtype)


def even(beats: Tensor) -> Tensor:
    """[B, N, 12, BEAT] with every lead at the same size, so that no lead's gain decides how similar beats are."""
    size = beats.square().mean(dim=(1, 3), keepdim=True).sqrt()
    return beats / size.clamp(min=1e-20)


def rhythm_features(found: DetectedBeats, beats: Tensor, inside: Tensor) -> Tensor:
    """[B, RHYTHM_FEATURES]: what `rhythm_by_name` gives, in its order."""
    return torch.stack(list(rhythm_by_name(found, beats, inside).values()), dim=1)


@torch.no_grad()
def rhythm_by_name(found: DetectedBeats, beats: Tensor, inside: Tensor) -> dict[str, Tensor]:
    """Feature -> [B]: RR intervals (s, or relative to their median) and how similar beats are; finite for any number
    of beats. Trained weights depend on the order.
    """
    is_rr = found.is_beat[:, 1:] & found.is_beat[:, :-1]
    rr = (found.at[:, 1:] - found.at[:, :-1]).float() / MODEL_RATE
    count = is_rr.sum(dim=1).clamp(min=1).float()
    nan = torch.full((), float("nan"), device=rr.device)
    known = torch.where(is_rr, rr, nan)
    middle = known.nanmedian(dim=1).values.nan_to_num(1.0)[:, None]
    ratio = torch.where(is_rr, rr / middle, 1.0)
    sd = ((ratio - 1).square() * is_rr).sum(dim=1).div(count).sqrt()
    steps = (ratio[:, 1:] - ratio[:, :-1]) * (is_rr[:, 1:] & is_rr[:, :-1])
    step_count = (count - 1).clamp(min=1)
    # Turns: how often a rise is followed by a fall. All the time in fibrillation, seldom in sinus arrhythmia.
    turns = ((steps[:, 1:] * steps[:, :-1]) < -1e-4).float().sum(dim=1) / step_count
    ordered = torch.where(is_rr, ratio, nan)
    low, high = (torch.nanquantile(ordered, q, dim=1).nan_to_num(1.0) for q in (0.2, 0.8))
    unit = functional.normalize((even(beats) * inside)[..., NEAR_R].flatten(2), dim=2)
    weight = found.is_beat.float()
    typical = ((unit @ unit.transpose(1, 2)) * weight[:, None]).sum(dim=2).argmax(dim=1)
    similar = (unit * unit[torch.arange(len(unit), device=unit.device), typical][:, None]).sum(dim=2)
    number = weight.sum(dim=1).clamp(min=1)
    ectopic = (similar < SIMILAR) & found.is_beat
    early = (ratio < 0.85) & is_rr
    late = (ratio > 1.15) & is_rr
    return {
        "tens_of_beats": number / 10,
        "rr": middle[:, 0],
        "rr_shortest": torch.where(is_rr, rr, 9.0).amin(dim=1).clamp(max=3.0),
        "rr_longest": torch.where(is_rr, rr, 0.0).amax(dim=1),
        "rr_sd": sd,
        "rr_step_rms": steps.square().sum(dim=1).div(step_count).sqrt(),
        "rr_step_mean": steps.abs().sum(dim=1).div(step_count),
        "rr_turns": turns,
        "rr_ratio_low": low,
        "rr_ratio_high": high,
        "early": early.float().sum(dim=1) / count,
        "late": late.float().sum(dim=1) / count,
        "early_ectopic": (early & ectopic[:, 1:]).float().sum(dim=1) / count,
        "similar": (similar * weight).sum(dim=1) / number,
        "least_similar": torch.where(found.is_beat, similar, 1.0).amin(dim=1),
        "ectopic": ectopic.float().sum(dim=1) / number,
    }
