"""What an attribution rests on, in the words of an ECG: shares by lead, by wave and by region, and one sentence.

Every share is a share of sum |relevance| + |rhythm|, so lead by lead, or wave by wave, with the rhythm they make 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import LEADS
from ecgkt.measurements.delineation import SEGMENTS, Beats, Segment
from ecgkt.prediction import Attribution
from ecgkt.relevance.parts import stretches
from ecgkt.relevance.sentence import sentence
from ecgkt.relevance.shares import RHYTHM, Part, Region, Share, leading, region_of, regions_of

REGIONS, LEAST = 6, 0.01  # regions listed at most, each with so much of the relevance; the rhythm beyond them


@dataclass(frozen=True)
class RelevanceSummary:
    """by_lead and rhythm make 1, as do by_wave, elsewhere (outside any beat) and rhythm, as do parts, as do regions and
    rest.

    by_wave: by the boundaries as they were found. parts: the same in the order of a beat, but waves that are not sure
    go without a name, and what lies outside any beat and the RR intervals are there if they have a share. regions: the
    largest first; a part is split into the leads where it raises and those where it lowers the score. signed: False
    where the method cannot tell raising from lowering. named: the part that the sentence names, None if nothing has a
    share.
    """

    signed: bool
    by_lead: dict[str, Share]
    by_wave: dict[Segment, Share]
    elsewhere: Share
    rhythm: Share
    parts: tuple[Part, ...]
    regions: tuple[Region, ...]
    rest: Share
    named: Part | None
    sentence: str


def summarize(attribution: Attribution, beats: Beats, positive: bool | None = None) -> RelevanceSummary:
    """Shares of the attribution by lead, wave and region; `beats` of the same tracing.

    positive: whether the score is above its threshold, so that the sentence names what raises a positive score most,
    and what lowers a negative one most; None names what has the largest share, whichever way it goes.
    Raises ValueError if the relevance has not 12 rows.
    """
    relevance = np.nan_to_num(np.asarray(attribution.relevance, dtype=float))
    if relevance.ndim != 2 or relevance.shape[0] != len(LEADS):
        raise ValueError(f"relevance must be [12, samples], not {relevance.shape}")
    signed, whole = attribution.signed, _whole(attribution)

    def share(values: npt.ArrayLike) -> Share:
        net = float(np.sum(values) / whole)
        return Share(float(np.abs(values).sum() / whole), net if signed else None)

    names = beats.wave_at(np.arange(relevance.shape[1]) / attribution.rate)
    by_wave = {segment: share(relevance[:, names == segment]) for segment in SEGMENTS}
    elsewhere, rhythm = share(relevance[:, names == ""]), rhythm_share(attribution)
    parts, regions = [], []
    for each in stretches(beats):
        values = relevance[:, np.isin(names, each.segments)]
        if each.segments != ("",) or elsewhere.total:
            parts.append(Part(each.name, each.short, share(values)))
        regions += regions_of(each.name, values, whole, signed)
    if rhythm.total:
        parts.append(Part(RHYTHM, "rhythm", rhythm))
    named, way = leading(parts, positive)
    listed = _listed(regions, named, way, rhythm)
    every = share(np.append(relevance, attribution.rhythm))
    net = sum(region.share.net or 0.0 for region in listed)
    rest_total = max(0.0, every.total - sum(region.share.total for region in listed))
    return RelevanceSummary(
        signed=signed,
        by_lead={lead: share(row) for lead, row in zip(LEADS, relevance, strict=True)},
        by_wave=by_wave,
        elsewhere=elsewhere,
        rhythm=rhythm,
        parts=tuple(parts),
        regions=tuple(listed),
        rest=Share(rest_total, every.net - net if every.net is not None else None),
        named=named,
        sentence=sentence(parts, regions, named, way, positive),
    )


def rhythm_share(attribution: Attribution) -> Share:
    share = abs(attribution.rhythm) / _whole(attribution)
    return Share(share, math.copysign(share, attribution.rhythm) if attribution.signed else None)


def _whole(attribution: Attribution) -> float:
    return float(np.abs(np.nan_to_num(attribution.relevance)).sum(dtype=float) + abs(attribution.rhythm)) or 1.0


def _listed(regions: list[Region], named: Part | None, way: int, rhythm: Share) -> list[Region]:
    """The largest regions, that which the sentence tells among them, and the rhythm."""
    ranked = sorted(regions, key=lambda region: -region.share.total)
    kept = [region for region in ranked[:REGIONS] if region.share.total >= LEAST]
    told = region_of(regions, named, way)
    if told is not None and told not in kept:
        kept = [*kept[: REGIONS - 1], told]
    if rhythm.total:
        kept.append(Region(RHYTHM, rhythm, RHYTHM))
    return sorted(kept, key=lambda region: -region.share.total)
