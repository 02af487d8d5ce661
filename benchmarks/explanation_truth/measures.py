"""How good an explanation is: against what was changed, against what the network does, and against chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from time import process_time
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from benchmarks.explanation_truth.methods import Asked, Explained
from benchmarks.explanation_truth.pairs import Logits, Pair, cells
from ecgkt.ecg import LEADS
from ecgkt.model.networks.beat_encoder import BeatView
from ecgkt.model.preprocessing import MODEL_RATE
from ecgkt.prediction import Attribution
from ecgkt.relevance.classes import classes, summed

Values = np.ndarray
STEPS = np.linspace(0, 1, 11)  # of the samples, taken away or put in
SOME = 6  # every so many scores are asked about again, of a disturbed beat or a disturbed network
NOISE = 0.01  # mV, of a disturbance within a reader's sight


def inside(values: Values, area: Values) -> float:
    """Share of the relevance within the area."""
    size = np.abs(values)
    return float(size[area].sum() / max(size.sum(), 1e-12))


def like(one: Values, other: Values, edges: list[int]) -> float:
    """Rank correlation over the 48 cells, 0 where one of them is flat."""
    found = spearmanr(cells(one, edges), cells(other, edges))[0]
    return float(np.nan_to_num(found))


def drawn(values: Values, asked: Asked) -> Values:
    """[12, BEAT] what the pages draw of it unless another share is chosen, by their own code, and 0 where they draw
    nothing: relevance summed over 50 ms, the strongest stretches, which hold half of it."""
    label = asked.logits.model.label(asked.logits.codes[asked.target][1])
    attribution = Attribution(label, "effects", float(MODEL_RATE), values.astype(np.float32))
    return np.where(classes(attribution) != 0, summed(attribution), 0)


def against_truth(values: Values, asked: Asked) -> dict[str, float]:
    pair = asked.pair
    size = np.abs(asked.templates[0, : len(LEADS)].numpy())
    share, share_drawn = inside(values, pair.area), inside(drawn(values, asked), pair.area)
    return {
        "inside": share,
        "above abs(x)": share - inside(size, pair.area),
        "drawn, inside": share_drawn,
        "drawn, above abs(x)": share_drawn - inside(drawn(size, asked), pair.area),
        "raising, inside": inside(np.maximum(values, 0), pair.area),
        "pointing": float(pair.area.ravel()[np.abs(values).argmax()]),
        "cells": like(values, pair.effect, pair.edges),
    }


def against_network(values: Values, asked: Asked) -> dict[str, float]:
    """What the score loses as the most relevant samples become the normal beat's, mean over shares of samples
    (deletion, more is better), and what a normal beat gains as it takes them over (insertion), relative to all that
    lies between the two."""
    beat, normal = asked.templates.clone(), asked.templates.clone()
    normal[0, : len(LEADS)] = asked.median[0, : len(LEADS)]
    order = np.argsort(-np.where(values > 0, values, values.min() - 1 + values).ravel(), kind="stable")
    rows = []
    for share in STEPS:
        taken = np.zeros(values.size, dtype=bool)
        taken[order[: round(share * values.size)]] = True
        mask = torch.zeros_like(beat, dtype=torch.bool)
        mask[0, : len(LEADS)] = torch.from_numpy(taken.reshape(values.shape))
        rows += [torch.where(mask, normal, beat), torch.where(mask, beat, normal)]
    with torch.inference_mode():
        logits = asked.logits(torch.cat(rows), asked.rhythm.repeat(len(rows), 1))[:, asked.target].numpy()
    whole, none = logits[0], logits[1]
    span = max(abs(whole - none), 0.5)
    return {
        "deletion": float((whole - logits[0::2]).mean() / span),
        "insertion": float((logits[1::2] - none).mean() / span),
    }


def disturbed(asked: Asked) -> Asked:
    """The same question of a beat with a little noise."""
    templates = asked.templates.clone()
    noise = asked.rng.normal(0, NOISE, (len(LEADS), templates.shape[2]))
    templates[0, : len(LEADS)] += torch.from_numpy(noise.astype(np.float32))
    return replace(asked, pair=replace(asked.pair, view=BeatView(templates, asked.rhythm)))


def randomized(logits: Logits, seed: int) -> Logits:
    """The same network with the weights of every layer shuffled: a method that explains it as before explains nothing
    of it (Adebayo et al. 2018)."""
    other = deepcopy(logits)
    generator = torch.Generator().manual_seed(seed)
    for weights in other.network.parameters():
        flat = weights.data.flatten()
        weights.data = flat[torch.randperm(len(flat), generator=generator)].view_as(weights)
    return other


Methods = Mapping[str, Callable[[Asked], Explained]]


def measured(
    logits: Logits, pairs: list[Pair], normal: BeatView, seed: int, methods: Methods
) -> dict[str, list[dict[str, Any]]]:
    """Method -> a row a score of a pair; what noise, shuffled weights and null labs do to it for every `SOME`th."""
    shuffled = randomized(logits, seed)
    null = [k for k, (head, code) in enumerate(logits.codes) if head == "labs" and logits.model.label(code).silent]
    asked = [
        Asked(logits, pair, target.place, normal, np.random.default_rng([seed, number, target.place]))
        for number, pair in enumerate(pairs)
        for target in pair.targets
    ]
    out: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number, one in enumerate(asked):
        target = logits.target(one.target)
        for name, method in methods.items():
            row, values = _row(method, one)
            if number % SOME == 0:
                row["under noise"] = like(values, method(disturbed(one)).values, one.pair.edges)
                row["shuffled weights"] = like(values, method(replace(one, logits=shuffled)).values, one.pair.edges)
                if null:
                    of_null = method(replace(one, target=null[number % len(null)])).values
                    row |= {"null lab": float(np.abs(of_null).sum()), "size": float(np.abs(values).sum())}
            about = {"cause": one.pair.cause, "wave": one.pair.wave, "group": target.group, "head": target.head}
            out[name].append(row | about)
        print(f"score {number + 1} of {len(asked)}", flush=True)
    return out


def _row(method: Callable[[Asked], Explained], asked: Asked) -> tuple[dict[str, Any], Values]:
    began = process_time()
    explained = method(asked)
    milliseconds = 1000 * (process_time() - began)
    values = explained.values
    row = against_truth(values, asked) | against_network(values, asked)
    if explained.since is not None:
        change = float((asked.logits.of(asked.pair.view) - asked.logits.of(explained.since))[0, asked.target])
        row["missed"] = abs(change - float(values.sum()) - explained.rhythm) / max(abs(change), 0.5)
    return row | {"ms": milliseconds}, values


def figure(rows: list[Mapping[str, Any]], key: str) -> float | None:
    """What a method's rows come to. Of null labs the size over all scores that were asked about, relative to that of
    the scores together: for one of them a method may draw next to nothing."""
    if key != "null lab":
        return by_cause(rows, key)
    asked = [row for row in rows if key in row]
    own = sum(row["size"] for row in asked)
    return sum(row[key] for row in asked) / own if own else None


def by_cause(rows: list[Mapping[str, Any]], key: str) -> float | None:
    """Mean over causes of the mean over their scores, so that no cause counts for more than another."""
    found = defaultdict(list)
    for row in rows:
        if key in row:
            found[row["cause"]].append(row[key])
    return float(np.mean([np.mean(values) for values in found.values()])) if found else None
