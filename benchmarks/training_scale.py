"""The hours of the runs that training/configs/ describes, at the size of MIMIC-IV-ECG, for benchmarks/training.py.

Estimates: no such GPU was at hand. The loop makes a batch and then computes, so a step takes as long as its data and
the slowest of the other three, each from a piece that was counted or measured here and a number that was not:

arithmetic  FLOP of a step, by PyTorch's counter, at `REACHED` of the card's bfloat16 peak
memory      bytes of every module's output, `PASSES` times through the card's memory, at `REACHED_BANDWIDTH` of it
launches    operations that PyTorch dispatches in a step, `LAUNCH` each, whatever the batch
data        ECGs a second of one core here, alone; every process has its own core
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from ecgkt.model.networks.beat_encoder import BeatNet, beat_view
from ecgkt.model.networks.encoders import build_encoder
from training.cohort.signals.convert import ECG_BYTES
from training.config import Config, load_config
from training.data.beat_views import SHAPE
from training.recipes import BASELINES, RECIPES

CONFIGS = Path(__file__).resolve().parents[1] / "training" / "configs"
ECGS = 800_000  # of MIMIC-IV-ECG 1.0
TRAIN_SHARE = 0.8
# NVIDIA H100 SXM, data sheet: dense bfloat16, memory, NVLink in one direction.
PEAK, BANDWIDTH, LINK = 989e12, 3.35e12, 450e9
# Assumed, not measured: small one-dimensional convolutions leave most of a card idle.
REACHED, REACHED_BANDWIDTH, LAUNCH = 0.1, 0.5, 10e-6
PASSES = 5  # written, read by what follows; read, written and read again on the way back
HALF = 2  # bytes of a bfloat16
OPTIMIZER_LAUNCHES = 40  # AdamW and clipping over all tensors together, about
REMEDIES = {
    "arithmetic": "more cards",
    "memory": "more cards",
    "launches": "larger batches and fewer steps, torch.compile, or several runs side by side; not more cards",
    "data": "more cores, each with a part of the batch, or the prepared arrays in the card's memory",
}
EXCHANGE = 100e-6  # s that an exchange of gradients takes however small they are


@dataclass(frozen=True)
class Pieces:
    """Of one encoder and one ECG: FLOP of a training step, bytes of activations; of a step: launches; parameters."""

    flop: float
    bytes: float
    launches: int
    parameters: int


class _Counter(TorchDispatchMode):
    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


def pieces(encoder: dict[str, Any]) -> Pieces:
    torch.manual_seed(0)
    module = build_encoder(encoder)
    signal = torch.randn(8, 12, 1000)
    given = beat_view(signal) if isinstance(module, BeatNet) else signal
    numbers = []

    def counted(_: nn.Module, __: Any, out: Any) -> None:
        if isinstance(out, torch.Tensor):
            numbers.append(out.numel())

    hooks = [child.register_forward_hook(counted) for child in module.modules() if not list(child.children())]
    with FlopCounterMode(display=False) as flop, _Counter() as operations:
        module(given).sum().backward()
    for hook in hooks:
        hook.remove()
    tensors = len(module.state_dict())
    return Pieces(
        flop.get_total_flops() / 8,
        HALF * sum(numbers) / 8,
        operations.count + OPTIMIZER_LAUNCHES + tensors,
        sum(parameter.numel() for parameter in module.parameters()),
    )


def stages(config: Config) -> dict[str, int]:
    """Stage -> steps of all its networks, those that see an ECG; the table alone costs next to nothing."""
    transfer = RECIPES[config.transfer]
    found = {}
    if transfer.stage_1:
        found["stage 1"] = config.pretrain_steps
    found["stages 2 and 3"] = round(config.steps * transfer.steps) - found.get("stage 1", 0)
    found["stages 2 and 3"] *= config.members
    others = {name for name in (*BASELINES.values(), *transfer.teachers) if RECIPES[name].modality != "table"}
    found["baselines and teachers"] = len(others) * config.steps * config.members
    return found


def times(config: Config, of: Pieces, data_rate: float, cards: int) -> dict[str, float]:
    """Seconds of one step by what holds it up."""
    here = config.batch / cards
    exchange = EXCHANGE + 2 * 4 * of.parameters / LINK if cards > 1 else 0.0
    return {
        "arithmetic": here * of.flop / (PEAK * REACHED),
        "memory": here * of.bytes * PASSES / (BANDWIDTH * REACHED_BANDWIDTH),
        "launches": of.launches * LAUNCH + exchange,
        "data": here / data_rate,
    }


def estimates(figures: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"ecgs": ECGS, "signals_gb": ECGS * ECG_BYTES / 1e9}
    found["beat_views_gb"] = ECGS * SHAPE[0] * SHAPE[1] * SHAPE[2] * HALF / 1e9
    loop = figures["loop"]
    for name in ("paper", "mimic"):
        config = load_config(CONFIGS / f"{name}.yaml")
        beats = config.encoder["kind"] == "beat"
        measured = loop["BeatNet, as shipped" if beats else "residual network, width 32"]["own, data alone"]["median"]
        of = pieces(config.encoder)
        by_cards = {cards: times(config, of, measured, cards) for cards in (1, 8)}
        step = {
            cards: parts["data"] + max(value for part, value in parts.items() if part != "data")
            for cards, parts in by_cards.items()
        }
        seen = {stage: steps * config.batch for stage, steps in stages(config).items()}
        found[name] = {
            "encoder": config.encoder["kind"],
            "batch": config.batch,
            "pieces": vars(of),
            "data_per_second": measured,
            "seconds_a_step": {str(cards): parts for cards, parts in by_cards.items()},
            "breaks_first": {str(cards): max(parts, key=lambda k: parts[k]) for cards, parts in by_cards.items()},
            "stages": {
                stage: {
                    "steps": steps,
                    "ecgs": seen[stage],
                    "rounds": seen[stage] / (ECGS * TRAIN_SHARE),
                    "hours": {str(cards): steps * step[cards] / 3600 for cards in step},
                }
                for stage, steps in stages(config).items()
            },
        }
    return found


def page(figures: dict[str, Any]) -> str:
    """training.md"""
    parts = ["# Training: encoders, the loop, the full size", ""]
    for device in ("cpu", "cuda"):
        if f"encoders {device}" in figures:
            where = "one thread of the CPU" if device == "cpu" else figures["machine"]["gpu"]
            parts += [f"## Encoders on {where}", "", *_encoders(figures[f"encoders {device}"], figures), ""]
    parts += ["## The loop against the plain way", "", *_loop(figures["loop"]), ""]
    parts += ["## The full size: an estimate", "", *_scale(figures["scale"]), ""]
    machine = ", ".join(f"{key} {value}" for key, value in figures["machine"].items() if value is not None)
    return "\n".join([*parts, f"From one machine, which was doing other work as well: {machine}.", ""])


def _rate(value: dict[str, float]) -> str:
    return f"{value['median']:,.0f} ({value['least']:,.0f}-{value['most']:,.0f})"


def _times(value: dict[str, float]) -> str:
    return f"{value['median']:.2f} ({value['least']:.2f}-{value['most']:.2f})"


def _encoders(found: dict[str, Any], figures: dict[str, Any]) -> list[str]:
    rows = [
        "| encoder | parameters | MFLOP an ECG, forward / training | ECG/s in training | in inference | "
        "torch.compile, training: times as fast |",
        "|---|---|---|---|---|---|",
    ]
    for name, of in found.items():
        flop = f"{of['flop_forward'] / 1e6:,.1f} / {of['flop_training'] / 1e6:,.1f}"
        rows.append(f"| {name} | {of['parameters']:,} | {flop} | {_rate(of['training'])} | {_rate(of['inference'])} | "
                    f"{_times(of['compile_gain']) if 'compile_gain' in of else '-'} |")  # fmt: skip
    note = (
        f"ECGs in a second of processor time; batches of {figures['batch']}, {figures['repeats']} rounds: median "
        "(least-most). Training of BeatNet starts from beat views that were made once, inference from the tracing. "
        "PyTorch's counter leaves out Fourier transforms, which S4D rests on."
    )
    return [*rows, "", note]


def _loop(found: dict[str, Any]) -> list[str]:
    rows = [
        "| network | plain way, ECG/s | loop, ECG/s | times as fast | its data alone, ECG/s |",
        "|---|---|---|---|---|",
    ]
    for name, of in found.items():
        if "own" in of:
            rows.append(f"| {name} | {_rate(of['plain'])} | {_rate(of['own'])} | {_times(of['times as fast'])} | "
                        f"{_rate(of['own, data alone'])} |")  # fmt: skip
    alone = _rate(found["either"]["plain, data alone"])
    note = (
        "Plain: a `Dataset` whose items are `wfdb.rdrecord`, resampling and filtering, in float32; its data alone: "
        f"{alone} ECG/s. Loop: `training.train.loop` on the prepared set, with augmentation, clipping and averaged "
        "weights."
    )
    return [*rows, "", note]


def _scale(found: dict[str, Any]) -> list[str]:
    parts = [
        f"MIMIC-IV-ECG has {found['ecgs']:,} ECGs: {found['signals_gb']:.0f} GB of prepared signals, "
        f"{found['beat_views_gb']:.0f} GB of beat views. Nothing here was run at that size or on such a card: a step "
        f"is taken to last as long as its data and the slowest of the rest, at {REACHED:.0%} of an H100's peak, "
        f"{REACHED_BANDWIDTH:.0%} of its memory's speed and {LAUNCH * 1e6:.0f} us an operation, all three assumed.",
        "",
        "| config | stage | steps | batch | rounds of the data | hours on one H100 | on eight |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ("paper", "mimic"):
        for stage, of in found[name]["stages"].items():
            hours = " | ".join(f"{of['hours'][cards]:.2g}" for cards in ("1", "8"))
            parts.append(
                f"| {name} | {stage} | {of['steps']:,} | {found[name]['batch']} | {of['rounds']:.1f} | {hours} |"
            )
    held_up = " | ".join(f"{part}, ms a step" for part in found["paper"]["seconds_a_step"]["1"])
    parts += ["", f"| config | cards | {held_up} | breaks first |", "|---|---|---|---|---|---|---|"]
    for name in ("paper", "mimic"):
        for cards, step in found[name]["seconds_a_step"].items():
            cells = " | ".join(f"{1000 * value:.2f}" for value in step.values())
            parts.append(f"| {name} | {cards} | {cells} | {found[name]['breaks_first'][cards]} |")
    first = sorted({part for name in ("paper", "mimic") for part in found[name]["breaks_first"].values()})
    parts += ["", *(f"Against {part} holding a step up: {REMEDIES[part]}." for part in first)]
    return parts
