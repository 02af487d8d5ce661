"""How fast the encoders are, what the training loop is worth against the plain way, and what the full size would take.

    python benchmarks/training.py [--repeats 3] [--work DIR]

On one thread of the CPU, in processor time, and on the GPU where there is one. Every encoder: parameters, ECGs a second
in training (a whole step: forward, backward, AdamW) and in inference, alone and by torch.compile, FLOP by PyTorch's own
counter. The loop: steps of `training.train.loop` on a prepared set against steps of the plain way, a `Dataset` that
reads, resamples and filters one WFDB record an item. Sides take turns; medians, least and most. Then the hours of the
runs that training/configs/ describes, by benchmarks/training_scale.py. Writes training.json and training.md.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks import training_loop, training_scale  # noqa: E402
from ecgkt.ecg import LEADS  # noqa: E402
from ecgkt.model.networks.beat_encoder import BeatNet, BeatView, beat_view  # noqa: E402
from ecgkt.model.networks.encoders import build_encoder  # noqa: E402
from ecgkt.model.networks.network import count_parameters  # noqa: E402

BATCH, LABELS = 32, 200
STEPS = 1  # a measurement, after one that is not timed
COMPILED = ("BeatNet, as shipped",)
ENCODERS: dict[str, dict[str, Any]] = {
    "BeatNet, as shipped": {"kind": "beat", "widths": [32, 32, 48, 64]},
    "residual network, width 32": {"kind": "resnet", "width": 32},
    "xresnet1d50": {"kind": "xresnet1d50"},
    "S4D, 3 layers of 64": {"kind": "s4"},
}
Figures = dict[str, Any]


class Classifier(nn.Module):
    def __init__(self, encoder: dict[str, Any]) -> None:
        super().__init__()
        self.encoder = build_encoder(encoder)
        self.head = nn.Linear(self.encoder.dimension, LABELS)

    def forward(self, x: torch.Tensor | BeatView) -> torch.Tensor:
        return self.head(self.encoder(x))


def tracings(count: int, device: str) -> torch.Tensor:
    """[count, 12, 1000] mV with beats to be found."""
    generator = torch.Generator().manual_seed(0)
    time_s = torch.arange(1000) / 100
    rate = torch.empty(count, 1, 1).uniform_(0.7, 1.8, generator=generator)
    beat = torch.exp(-((((time_s * rate) % 1) - 0.5) / 0.03).square())
    return (beat + 0.02 * torch.randn(count, len(LEADS), 1000, generator=generator)).to(device)


def per_second(run: Callable[[], object], ecgs: int, device: str) -> float:
    def wait() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    # Of the one thread on a CPU, processor time: what other work the machine does is none of its.
    clock = time.process_time if device == "cpu" else time.perf_counter
    run()
    wait()
    begun = clock()
    for _ in range(STEPS):
        run()
    wait()
    return STEPS * ecgs / (clock() - begun)


def sides(encoder: dict[str, Any], device: str, compiled: bool) -> dict[str, Callable[[], object]]:
    """What is timed of one encoder: a step of training and a batch of inference."""
    torch.manual_seed(0)
    network = Classifier(encoder).to(device)
    signal = tracings(BATCH, device)
    # Training's beat views are made once for each ECG; inference looks at the tracing.
    given = beat_view(signal) if isinstance(network.encoder, BeatNet) else signal
    truth = torch.randint(0, 2, (BATCH, LABELS)).float().to(device)
    optimizer = torch.optim.AdamW(network.parameters())
    trained = torch.compile(network) if compiled else network

    def step() -> None:
        network.train()
        loss = nn.functional.binary_cross_entropy_with_logits(trained(given), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def infer() -> None:
        network.eval()
        with torch.inference_mode():
            network(signal)

    return {"training": step} if compiled else {"training": step, "inference": infer}


def flop(encoder: dict[str, Any]) -> tuple[float, float]:
    """(forward, forward and backward) of one ECG; what the counter knows: products and convolutions, no FFT."""
    network = Classifier(encoder)
    signal = tracings(8, "cpu")
    given = beat_view(signal) if isinstance(network.encoder, BeatNet) else signal
    counts = []
    for backward in (False, True):
        with FlopCounterMode(display=False) as counter:
            out = network(given)
            if backward:
                out.sum().backward()
        counts.append(counter.get_total_flops() / 8)
    return counts[0], counts[1]


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def encoders(repeats: int, device: str) -> Figures:
    found: Figures = {}
    timed = {
        (name, part): side
        for name, encoder in ENCODERS.items()
        for part, side in [
            *sides(encoder, device, False).items(),
            *((f"{part} compiled", side) for part, side in sides(encoder, device, True).items() if name in COMPILED),
        ]
    }
    rates: dict[tuple[str, str], list[float]] = {key: [] for key in timed}
    for number in range(repeats):
        for key in list(timed) if number % 2 == 0 else list(timed)[::-1]:
            rates[key].append(per_second(timed[key], BATCH, device))
            print(*key, round(rates[key][-1]), "ECG/s", file=sys.stderr, flush=True)
    for name, encoder in ENCODERS.items():
        forward, both = flop(encoder)
        found[name] = {
            "encoder": encoder,
            "parameters": count_parameters([build_encoder(encoder)]),
            "flop_forward": forward,
            "flop_training": both,
            **{part: spread(values) for (of, part), values in rates.items() if of == name},
        }
        compiled = rates.get((name, "training compiled"))
        if compiled:
            gain = [after / before for before, after in zip(rates[name, "training"], compiled, strict=True)]
            found[name]["compile_gain"] = spread(gain)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--work", type=Path, help="for the records and the prepared set (default: a temporary folder)")
    parser.add_argument("--again", action="store_true", help="measure nothing: estimate and page from training.json")
    options = parser.parse_args()
    if options.again:
        figures = json.loads((HERE / "training.json").read_text(encoding="utf-8"))
        return write(figures | {"scale": training_scale.estimates(figures)})
    torch.set_num_threads(1)
    figures = {"batch": BATCH, "repeats": options.repeats}
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        figures[f"encoders {device}"] = encoders(options.repeats, device)
    with tempfile.TemporaryDirectory() as temporary:
        figures["loop"] = training_loop.compare(options.work or Path(temporary), options.repeats)
    figures["scale"] = training_scale.estimates(figures)
    figures["machine"] = {
        "cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version(),
        "torch": torch.__version__, "numpy": np.__version__,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }  # fmt: skip
    write(figures)


def write(figures: Figures) -> None:
    # Through JSON, as a page made again from the file sees them.
    text = json.dumps(figures, indent=1) + "\n"
    (HERE / "training.json").write_text(text, encoding="utf-8")
    (HERE / "training.md").write_text(training_scale.page(json.loads(text)), encoding="utf-8")


if __name__ == "__main__":
    main()
