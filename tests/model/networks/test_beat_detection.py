"""Beats inside a network: found where cardiologists found them, free of scale, averaged linearly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import wfdb

from ecgkt.model.attribution import relevance
from ecgkt.model.networks.beat_detection import DetectedBeats, cut, find_beats, rhythm_by_name, rhythm_features
from ecgkt.model.networks.beat_encoder import BeatView, beat_view
from ecgkt.model.networks.network import Architecture, Network
from ecgkt.model.preprocessing import MODEL_RATE, model_view
from ecgkt.readers import read

ENCODER = {"kind": "beat", "widths": [8, 8, 8, 8], "hidden": 16, "rhythm": 8}


def tracing(r_times: list[float], seconds: float = 10.0, broad: bool = False) -> torch.Tensor:
    """[1, 12, T]: a P, a QRS and a T for every R, larger from lead to lead."""
    t = np.arange(int(seconds * MODEL_RATE)) / MODEL_RATE
    one = np.zeros_like(t)
    for r in r_times:
        for at, height, width in ((-0.16, 0.1, 0.025), (0.0, 1.0, 0.03 if broad else 0.012), (0.28, 0.25, 0.05)):
            one += height * np.exp(-(((t - r - at) / width) ** 2) / 2)
    signal = np.linspace(0.3, 1.4, 12)[:, None] * np.array([1, -1] * 6)[:, None] * one
    return torch.from_numpy(signal.astype(np.float32))[None]


def test_no_beat_is_singled_out_unless_it_is_another() -> None:
    torch.manual_seed(1)
    network = Network(Architecture("ecg", ENCODER, {"findings": ["A", "B"]})).eval()
    times = [0.9 + 0.8 * k for k in range(11)]
    noise = 0.02 * torch.randn(1, 12, 1000)
    wide = tracing(times[:5] + times[6:]) + tracing([times[5]], broad=True) * -1.5

    def shares(signal: torch.Tensor) -> np.ndarray:
        of_signal, of_rhythm = relevance(network, signal, "findings", 0)
        with torch.no_grad():
            change = network(signal)["findings"][0, 0]
        whole = float(of_signal.sum()) + of_rhythm
        flat = BeatView(torch.zeros(1, 36, 100), network.encoder.usual_rhythm.running_mean[None])  # type: ignore
        with torch.no_grad():
            assert whole == pytest.approx(float(change - network(flat)["findings"][0, 0]), abs=0.1)
        size = np.abs(of_signal).sum(axis=0)
        each = np.array([size[round((r - 0.3) * MODEL_RATE) : round((r + 0.4) * MODEL_RATE)].sum() for r in times])
        return each / each.sum()

    similar, one_wide = shares(tracing(times) + noise), shares(wide + noise)
    assert similar.max() < 1.1 * np.median(similar)
    assert one_wide.argmax() == 5
    assert one_wide[5] > 2 * np.median(one_wide)


@pytest.mark.slow
def test_every_beat_of_ludb_is_found_and_none_beside(shared: Path) -> None:
    """150 recordings, paced ones among them, against the annotations of lead II."""
    found, missed, false = 0, 0, 0
    for header in sorted((shared / "ludb").rglob("*.hea")):
        annotated = wfdb.rdann(str(header.with_suffix("")), "ii")
        truth = annotated.sample[np.array(annotated.symbol) == "N"] / annotated.fs
        beats = find_beats(torch.from_numpy(model_view(read(header)))[None])
        times = beats.at[beats.is_beat].numpy() / MODEL_RATE
        inside = times[(times > truth.min() - 0.15) & (times < truth.max() + 0.15)]
        distance = np.abs(truth[:, None] - times[None])
        found += int((distance.min(axis=1) < 0.1).sum())
        missed += int((distance.min(axis=1) >= 0.1).sum())
        false += sum(np.abs(truth - time).min() >= 0.1 for time in inside)
    assert found > 1000
    assert missed <= 0.005 * found
    assert false <= 0.005 * found


@pytest.mark.parametrize("rate", [35, 60, 120, 200])
@pytest.mark.parametrize("broad", [False, True])
def test_regular_beats_are_found_at_their_times(rate: int, broad: bool) -> None:
    times = np.arange(0.4, 9.8, 60 / rate)
    beats = find_beats(tracing(list(times), broad=broad))
    np.testing.assert_allclose(beats.at[beats.is_beat].numpy() / MODEL_RATE, times, atol=0.02)


def test_gain_of_single_leads_moves_no_beat_and_no_rhythm_feature() -> None:
    signal = tracing([0.5, 1.4, 2.2, 3.3, 4.1, 5.2, 6.0, 7.1, 8.0, 9.1]) + 0.01 * torch.randn(1, 12, 1000)
    gain = torch.linspace(0.2, 5, 12)[:, None]
    one, other = find_beats(signal), find_beats(signal * gain)
    assert torch.equal(one.at, other.at)
    torch.testing.assert_close(beat_view(signal).rhythm, beat_view(signal * gain).rhythm, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(
        beat_view(signal * gain).templates[:, :12], beat_view(signal).templates[:, :12] * gain, rtol=1e-4, atol=1e-5
    )


def test_rhythm_tells_regular_from_irregular_and_premature() -> None:
    def rhythm(signal: torch.Tensor) -> dict[str, float]:
        found = find_beats(signal)
        return {name: float(value) for name, value in rhythm_by_name(found, *cut(signal, found)).items()}

    regular = rhythm(tracing(list(np.arange(0.5, 9.5, 0.8))))
    rng = np.random.default_rng(0)
    irregular = rhythm(tracing(list(np.cumsum(rng.uniform(0.5, 1.2, 10)))))
    early = rhythm(tracing([0.5, 1.3, 2.1, 2.6, 3.7, 4.5, 5.3, 6.1, 6.9, 7.7]))
    assert regular["rr"] == pytest.approx(0.8, abs=0.01)
    assert regular["rr_sd"] < 0.02 < irregular["rr_sd"]
    assert regular["early"] == 0 < early["early"] <= 0.2
    assert irregular["rr_turns"] > regular["rr_turns"]


def test_every_rhythm_feature_is_what_its_name_says_and_stands_in_that_order() -> None:
    """Two RR intervals by hand, 1.0 s and 0.6 s, between three beats that are alike."""
    at = torch.tensor([[100, 200, 260, 2000]])
    found = DetectedBeats(at, torch.tensor([[True, True, True, False]]))
    beats = tracing([0.44], seconds=1.0)[:, None].repeat(1, 4, 1, 1)
    inside = found.is_beat[:, :, None, None].float().expand(-1, -1, 1, beats.shape[3])
    named = rhythm_by_name(found, beats, inside)
    median = 0.6  # of an even number the lower one
    first, second = 1.0 / median - 1, 0.0
    assert {name: float(value) for name, value in named.items()} == pytest.approx(
        {
            "tens_of_beats": 0.3, "rr": median, "rr_shortest": 0.6, "rr_longest": 1.0,
            "rr_sd": ((first**2 + second**2) / 2) ** 0.5, "rr_step_rms": first, "rr_step_mean": first, "rr_turns": 0,
            "rr_ratio_low": 1 + 0.2 * first, "rr_ratio_high": 1 + 0.8 * first, "early": 0, "late": 0.5,
            "early_ectopic": 0, "similar": 1, "least_similar": 1, "ectopic": 0,
        },
        abs=1e-5,
    )  # fmt: skip
    assert torch.equal(rhythm_features(found, beats, inside), torch.stack(list(named.values()), dim=1))


def test_no_beats_give_finite_views() -> None:
    for signal in (torch.zeros(2, 12, 1000), torch.randn(2, 12, 300), torch.ones(1, 12, 64)):
        view = beat_view(signal)
        assert torch.isfinite(view.templates).all()
        assert torch.isfinite(view.rhythm).all()


def test_a_foreign_beat_is_shown_apart_from_the_average() -> None:
    signal = tracing([0.5, 1.3, 2.1, 2.9, 4.5, 5.3, 6.1, 6.9, 7.7]) - 2 * tracing([3.7], broad=True)
    average, _, ectopic = beat_view(signal).templates[0].split(12)
    quiet = beat_view(tracing([0.5, 1.3, 2.1, 2.9, 3.7, 4.5, 5.3])).templates[0].split(12)[2]
    assert ectopic.abs().max() > 1.5 * average.abs().max()
    assert quiet.abs().max() < 0.2


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    network = Network(Architecture("ecg", ENCODER, {"findings": ["A", "B"]}))
    network.train()
    with torch.no_grad():  # give the running statistics something to be about
        for seed in range(20):
            rng = np.random.default_rng(seed)
            network(torch.cat([tracing(list(np.cumsum(rng.uniform(0.5, 1.1, 10)))) for _ in range(4)]))
    return network.eval()


def test_signal_and_its_view_give_the_same_logits(network: Network) -> None:
    signal = tracing([0.5, 1.4, 2.2, 3.3, 4.1, 5.2, 6.0]) + 0.02 * torch.randn(1, 12, 1000)
    network.lead_scale.copy_(torch.linspace(0.1, 0.4, 12)[:, None])
    view = beat_view(signal)
    torch.testing.assert_close(network(signal)["findings"], network(view)["findings"], rtol=1e-3, atol=1e-3)


def test_relevance_of_signal_and_rhythm_adds_up_to_the_change_of_the_logit(network: Network) -> None:
    """Completeness (Sundararajan 2017), from the flat line in the usual rhythm."""
    signal = tracing([0.5, 1.4, 2.2, 3.3, 4.1, 5.2, 6.0, 7.2, 8.0, 9.1])
    of_signal, of_rhythm = relevance(network, signal, "findings", 1)
    usual = network.encoder.usual_rhythm.running_mean[None]
    flat = beat_view(torch.zeros_like(signal), find_beats(signal)).templates
    with torch.no_grad():
        change = network(signal)["findings"][0, 1] - network(BeatView(flat, usual))["findings"][0, 1]
    assert of_rhythm != 0
    assert of_signal.sum() + of_rhythm == pytest.approx(float(change), rel=0.1, abs=0.05)


def test_relevance_lies_on_every_beat_and_nowhere_far_from_one(network: Network) -> None:
    times = [0.9, 3.0, 5.1, 7.2, 9.2]  # slow enough for stretches that belong to no beat
    of_signal, _ = relevance(network, tracing(times), "findings", 0)
    size = np.abs(of_signal).sum(axis=0)
    for time in times:
        at = round(time * MODEL_RATE)
        assert size[at - 3 : at + 4].sum() > 0.02 * size.sum()
    assert size[round(1.6 * MODEL_RATE) : round(2.4 * MODEL_RATE)].sum() == 0
