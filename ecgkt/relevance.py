"""What an attribution rests on, in the words of an ECG: shares by lead and by wave, and one sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import LEADS
from ecgkt.waves import SEGMENTS, Beats, Segment

WAVE_NAMES: dict[Segment, str] = {
    "P": "P wave",
    "PR": "PR segment",
    "QRS": "QRS complex",
    "ST": "ST segment",
    "T": "T wave",
    "TP": "TP segment",
}
MOST = 0.7  # share of a wave's relevance that the leads named in the sentence hold together
SPREAD_LEADS = 6  # more leads than this and the sentence names none


@dataclass(frozen=True)
class RelevanceSummary:
    """Shares (0 to 1) of the absolute relevance. by_lead sums to 1; by_wave to 1 less what lies outside any beat."""

    by_lead: dict[str, float]
    by_wave: dict[Segment, float]
    sentence: str


def summarise(relevance: npt.NDArray[np.floating], rate: float, beats: Beats) -> RelevanceSummary:
    """Shares of |relevance| ([12, samples] at `rate` Hz, aligned with the tracing's start) by lead and wave.

    Raises ValueError if `relevance` has not 12 rows.
    """
    size = np.nan_to_num(np.abs(np.asarray(relevance, dtype=float)))
    if size.ndim != 2 or size.shape[0] != len(LEADS):
        raise ValueError(f"relevance must be [12, samples], not {size.shape}")
    total = size.sum()
    if total == 0:
        return RelevanceSummary(
            dict.fromkeys(LEADS, 0.0), dict.fromkeys(SEGMENTS, 0.0), "Rests on nothing in this tracing."
        )
    by_lead = {lead: float(row.sum() / total) for lead, row in zip(LEADS, size, strict=True)}
    masks = beats.masks(size.shape[1], rate)
    by_wave = {segment: float(size[:, mask].sum() / total) for segment, mask in masks.items()}
    wave = max(by_wave, key=lambda segment: by_wave[segment])
    if by_wave[wave] == 0:
        return RelevanceSummary(by_lead, by_wave, f"Rests on {_leads(size.sum(axis=1))[0]}; no beats were found.")
    rows = size[:, masks[wave]].sum(axis=1)
    named, share = _leads(rows)
    percent = 100 * share * by_wave[wave]
    return RelevanceSummary(
        by_lead, by_wave, f"Rests on the {WAVE_NAMES[wave]} in {named} ({percent:.0f}% of the relevance)."
    )


def _leads(rows: npt.NDArray[np.floating]) -> tuple[str, float]:
    """The fewest leads that together hold `MOST` of `rows`, in words, and their share of it."""
    order = np.argsort(-rows, kind="stable")
    shares = np.cumsum(rows[order]) / rows.sum()
    count = int(np.searchsorted(shares, MOST - 1e-9)) + 1
    if count >= SPREAD_LEADS:
        return "all leads", 1.0
    return _lead_list(sorted(int(i) for i in order[:count])), float(shares[count - 1])


def _lead_list(indices: list[int]) -> str:
    """[7, 8, 9] -> "V2-V4"; [1, 2, 5] -> "II, III and aVF". Only neighbouring chest leads make a range."""
    groups: list[list[int]] = []
    for i in indices:
        if groups and i == groups[-1][-1] + 1 and LEADS[i].startswith("V") and LEADS[i - 1].startswith("V"):
            groups[-1].append(i)
        else:
            groups.append([i])
    words: list[str] = []
    for group in groups:
        if len(group) > 2:
            words.append(f"{LEADS[group[0]]}-{LEADS[group[-1]]}")
        else:
            words += [LEADS[i] for i in group]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
