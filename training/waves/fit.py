"""Fits the wave network and writes ecgkt/measurements/wave_network.safetensors.

    python -m training.waves.fit --data DIR --out FILE [--half 0] [--steps 2000] [--simulated 5600]

DIR holds `ludb` and `ptbxl`. LUDB's records of the other half, those of odd number among PTB-XL's and all of every
other set stay unseen. First round: simulated ECGs, LUDB, fibrillation. Second round, from there on: PTB-XL's sinus
rhythms as well, whose P waves the first round's network placed. The shipped file took 1,100 steps of the first round
and 4,600 of the second, in four sittings of seven to ten minutes on part of a core; paced ECGs (seed 555) joined in the
third, turned leads in the fourth; its weights are the mean of those after the third and after the fourth.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.nn import functional

from ecgkt.measurements.p_waves import stretches
from ecgkt.measurements.r_peaks import RATE, r_peaks
from ecgkt.measurements.wave_network import standardized
from training.waves.examples import Example, annotated, recorded, simulated, with_p, without_p

WIDTHS = (24, 32, 48, 64, 64)
SPAN, BATCH = 1280, 16  # samples of an example, examples of a step
LEARNING_RATE = 2.5e-3
SHARES = ((0.62, 0.30, 0.08, 0.0), (0.50, 0.25, 0.08, 0.17))  # simulated, LUDB, fibrillation, sinus: by round


class Layer(nn.Module):
    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(inputs, outputs, size, stride=stride, padding=size // 2)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.norm(self.convolution(x)))


class WaveNetwork(nn.Module):
    """[B, 12, T] at RATE -> logits [B, 3, T / 2]; T a multiple of 32."""

    def __init__(self) -> None:
        super().__init__()
        w, levels = WIDTHS, range(len(WIDTHS) - 1)
        self.stem = Layer(12, w[0], 9, 2)
        self.down = nn.ModuleList([Layer(w[i], w[i + 1], 7, 2) for i in levels])
        self.mid = nn.ModuleList([Layer(w[i + 1], w[i + 1], 5) for i in levels])
        self.up = nn.ModuleList([Layer(w[i + 1] + w[i], w[i], 7) for i in reversed(levels)])
        self.last, self.head = Layer(w[0], w[0], 7), nn.Conv1d(w[0], 3, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        x, skips = self.stem(x), []
        for down, mid in zip(self.down, self.mid, strict=True):
            skips.append(x)
            x = mid(down(x))
        for up, skip in zip(self.up, reversed(skips), strict=True):
            x = up(torch.cat([functional.interpolate(x, scale_factor=2.0), skip], 1))
        return self.head(self.last(x))


def _noise(rng: np.random.Generator, samples: int) -> np.ndarray:
    """[12, samples] of SD 1: tremor, muscle, wander or all of it, in some only for a while."""
    f = np.fft.rfftfreq(samples, 1 / RATE)
    band = [(f > 4) & (f < rng.uniform(8, 15)), (f > 10) & (f < 40), (f > 0.5) & (f < 3), (f > 0.5) / np.maximum(f, 1)]
    spectrum = band[rng.integers(4)] * (rng.standard_normal((12, len(f))) + 1j * rng.standard_normal((12, len(f))))
    noise = np.fft.irfft(spectrum, samples, axis=1)
    noise /= noise.std(axis=1, keepdims=True) + 1e-9
    if rng.random() < 0.4:
        first, last = sorted(rng.integers(0, samples, 2))
        envelope = np.full(samples, 0.1)
        envelope[first:last] = 1
        noise *= envelope
    return np.asarray(noise)


def _drawn(rng: np.random.Generator, sources: Sequence[Sequence[Example]], shares: Sequence[float]) -> list[np.ndarray]:
    source = sources[int(rng.choice(len(sources), p=shares))]
    e = source[int(rng.integers(len(source)))]
    start = 2 * int(rng.integers(0, max(1, (e.signal.shape[1] - SPAN) // 2 + 1)))
    x = e.signal[:, start : start + SPAN] * np.exp(rng.normal(0, 0.25, (12, 1)))
    if rng.random() < 0.35:
        some = np.ones((12, 1)) if rng.random() < 0.5 else rng.random((12, 1)) < 0.4
        x = x + _noise(rng, x.shape[1]) * np.exp(rng.normal(-2.6, 0.8, (12, 1))) * some
    if rng.random() < 0.15:
        x[rng.integers(12)] = 0
    turned = rng.random()  # waves of unusual direction, exchanged electrodes
    if turned < 0.12:
        x[:6] *= -1
    elif turned < 0.20:
        x *= -1
    elif turned < 0.28:
        x *= np.where(rng.random((12, 1)) < 0.3, -1, 1)
    parts = [x, *(a[:, start // 2 : (start + SPAN) // 2] for a in (e.target, e.weight))]
    return [np.pad(a, ((0, 0), (0, n - a.shape[1]))) for a, n in zip(parts, (SPAN, SPAN // 2, SPAN // 2), strict=True)]


def train(
    network: WaveNetwork, sources: Sequence[Sequence[Example]], shares: Sequence[float], steps: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=1e-3)
    network.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1, step / 50 + 0.02) * (0.5 + 0.5 * np.cos(np.pi * step / steps)) + 1e-5
        columns = zip(*(_drawn(rng, sources, shares) for _ in range(BATCH)), strict=True)
        x, target, weight = (torch.from_numpy(np.stack(column).astype(np.float32)) for column in columns)
        loss = functional.binary_cross_entropy_with_logits(network(x), target, weight=weight, reduction="sum")
        optimizer.zero_grad()
        (loss / weight.sum()).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if step % 100 == 0:
            print(step, float(loss.detach() / weight.sum()), flush=True)
    network.eval()


@torch.no_grad()
def placed(network: WaveNetwork, signal: np.ndarray) -> Example | None:
    """A sinus rhythm's P waves where `network` mostly sees them."""
    x = standardized(signal)
    wide = np.pad(x, ((0, 0), (0, -x.shape[1] % 32)))
    probability = network(torch.from_numpy(wide)[None])[0].sigmoid().numpy()[:, : x.shape[1] // 2]
    found = stretches(probability[1].astype(float))
    near = [[w[0] for w in found if w[0] - 0.06 < r < w[1] + 0.06] for r in r_peaks(signal) / RATE]
    onsets = np.array([first[0] for first in near if first])
    return with_p(signal, probability, onsets) if len(onsets) > 3 else None


def folded(network: WaveNetwork) -> dict[str, np.ndarray]:
    """Weights with the normalization multiplied into them, as `ecgkt.measurements.wave_network` reads them."""
    out: dict[str, Tensor] = {"head.weight": network.head.weight}
    if network.head.bias is not None:
        out["head.bias"] = network.head.bias
    for name, layer in network.named_modules():
        if isinstance(layer, Layer):
            mean, variance = layer.norm.running_mean, layer.norm.running_var
            assert mean is not None
            assert variance is not None
            gain = layer.norm.weight / torch.sqrt(variance + layer.norm.eps)
            bias = layer.convolution.bias
            assert bias is not None
            out[f"{name}.weight"] = layer.convolution.weight * gain[:, None, None]
            out[f"{name}.bias"] = (bias - mean) * gain + layer.norm.bias
    return {name: np.ascontiguousarray(value.detach().numpy().astype(np.float16)) for name, value in out.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--half", type=int, choices=(0, 1), default=0, help="of LUDB, left out")
    parser.add_argument("--steps", type=int, default=2000, help="of each of the two rounds")
    parser.add_argument("--simulated", type=int, default=5600)
    options = parser.parse_args()
    torch.manual_seed(0)
    real = list(recorded(options.data / "ptbxl"))
    sources: list[list[Example]] = [
        list(simulated(991, options.simulated)),
        list(annotated(options.data / "ludb", options.half)),
        [without_p(signal) for signal, fibrillation in real if fibrillation],
    ]
    network = WaveNetwork()
    train(network, sources, SHARES[0][:3], options.steps, seed=0)
    guesses = (placed(network, signal) for signal, fibrillation in real if not fibrillation)
    sources.append([example for example in guesses if example is not None])
    train(network, sources, SHARES[1], options.steps, seed=1)
    save_file(folded(network), options.out)


if __name__ == "__main__":
    main()
