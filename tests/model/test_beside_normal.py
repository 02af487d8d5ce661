"""Relevance beside normal beats: complete, none where nothing differs, and in the wave that differs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from captum.attr import IntegratedGradients

from ecgkt.datasets.collection import Collection
from ecgkt.ecg import LEADS
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.beside_normal import NEAREST, STEPS, beside_normal, by_part, nearest_normal, normal_beats
from ecgkt.model.effects import shipped_estimator
from ecgkt.model.model import Model
from ecgkt.model.networks.beat_detection import BEAT, BEFORE, find_beats
from ecgkt.model.networks.beat_encoder import BeatView, beat_view
from ecgkt.model.networks.network import Network
from ecgkt.model.preprocessing import MODEL_RATE
from ecgkt.readers import read
from ecgkt.relevance.summary import summarize

REAL = Path(__file__).resolve().parents[2] / "assets" / "examples" / "real" / "waveform_ecg.dcm"
T_WAVE = slice(round((BEFORE + 0.18) * MODEL_RATE), BEAT)


@pytest.fixture(scope="module")
def network(shipped_model: Model) -> Network:
    return shipped_model._networks["knowledge_transfer"]


def _normal_view(beat: torch.Tensor) -> BeatView:
    """The view of a tracing of such beats [12, BEAT], all alike, in a usual rhythm."""
    estimator, _ = shipped_estimator()
    usual = estimator.usual_view()
    return BeatView(torch.cat([beat[None], usual.templates[:, len(LEADS) :]], dim=1), usual.rhythm)


def test_what_it_gives_is_what_the_logit_is_above_the_normal_beats(
    network: Network, shipped_examples: Collection
) -> None:
    """Against the logits themselves; the path has few steps, so a tenth of the change may be missed."""
    estimator, _ = shipped_estimator()
    target = network.architecture.labels["findings"].index("LVH")
    for entry in shipped_examples.entries[:24:6]:
        signal = torch.from_numpy(AnalyzedECG(shipped_examples.read(entry.key)).windows[0][1])[None]
        view = beat_view(signal, find_beats(signal))
        on_beat, of_beats, of_rhythm = beside_normal(network, estimator, view, "findings", target)
        normal = nearest_normal(view.templates[0, : len(LEADS)])
        usual = estimator.usual_differences(view).expand(NEAREST, -1, -1)
        rhythm = estimator.nearest_usual_rhythm(view.rhythm).expand(NEAREST, -1)
        with torch.inference_mode():
            at_normal = network(BeatView(torch.cat([normal, usual], dim=1), rhythm))["findings"][:, target].mean()
            change = float(network(view)["findings"][0, target] - at_normal)
        assert float(on_beat.sum()) + of_beats + of_rhythm == pytest.approx(change, abs=max(0.1 * abs(change), 0.15))


@pytest.mark.parametrize("code", ["LVH", "INVT"])
def test_every_part_holds_what_captum_gives_it(network: Network, shipped_examples: Collection, code: str) -> None:
    """Integrated gradients of each normal beat by itself; within a part they are placed by where the beats differ."""
    estimator, _ = shipped_estimator()
    target = network.architecture.labels["findings"].index(code)
    captum = IntegratedGradients(lambda templates, rhythm: network(BeatView(templates, rhythm))["findings"])
    for entry in shipped_examples.entries[:24:8]:
        signal = torch.from_numpy(AnalyzedECG(shipped_examples.read(entry.key)).windows[0][1])[None]
        view = beat_view(signal, find_beats(signal))
        on_beat, of_beats, of_rhythm = beside_normal(network, estimator, view, "findings", target)
        usual, rhythm = estimator.usual_differences(view), estimator.nearest_usual_rhythm(view.rhythm)
        given = [
            captum.attribute(
                (view.templates, view.rhythm), (torch.cat([normal[None], usual], dim=1), rhythm), target, n_steps=STEPS
            )
            for normal in nearest_normal(view.templates[0, : len(LEADS)])
        ]
        templates, rhythms = (sum(each) / NEAREST for each in zip(*given, strict=True))
        change = float(templates.abs().sum() + rhythms.abs().sum())  # all that raises and all that lowers
        beat = by_part(templates[0, : len(LEADS)])
        torch.testing.assert_close(by_part(on_beat), beat, atol=1e-4 * change, rtol=0)
        assert of_beats == pytest.approx(float(templates[0, len(LEADS) :].sum()), abs=1e-4 * change)
        assert of_rhythm == pytest.approx(float(rhythms.sum()), abs=1e-4 * change)


def test_a_normal_beat_is_its_own_nearest() -> None:
    torch.testing.assert_close(nearest_normal(normal_beats()[7])[0], normal_beats()[7])


def test_a_t_wave_turned_over_is_found_in_the_t_wave(network: Network) -> None:
    """Of normal beats, however tall their QRS: most of what raises the scores of T-wave changes lies in the T wave."""
    estimator, _ = shipped_estimator()
    codes = network.architecture.labels["findings"]
    for number in (3, 50, 120):
        beat = normal_beats()[number].clone()
        beat[:, T_WAVE] *= -1
        for code in ("INVT", "LOWT"):
            on_beat, _, _ = beside_normal(network, estimator, _normal_view(beat), "findings", codes.index(code))
            raising = on_beat.clamp(min=0)
            assert float(raising[:, T_WAVE].sum() / raising.sum()) > 0.5, (number, code)


def test_parts_of_the_beat_are_summed_apart() -> None:
    values = torch.zeros(1, len(LEADS), BEAT)
    values[0, 3, round(BEFORE * MODEL_RATE)] = 1.0
    held = by_part(values)[0, 3] > 0
    assert bool(held[round(BEFORE * MODEL_RATE)])
    assert not bool(held[T_WAVE].any())
    assert 10 <= int(held.sum()) <= 20  # 100 to 200 ms


def test_sinus_rhythm_rests_on_p_waves_and_rr_intervals(shipped_model: Model) -> None:
    """Of a real ECG in sinus rhythm: beside fibrillation hardly anything else speaks for it."""
    analyzed = AnalyzedECG(read(REAL))
    found = summarize(shipped_model.attribute(analyzed, "SR"), analyzed.beats, positive=True)
    assert found.named is not None
    assert found.named.name in ("RR intervals", "P wave")
    raising = {part.name: part.share.raises for part in found.parts}
    assert raising["P wave"] + raising["RR intervals"] > 0.6 * sum(raising.values())


def test_a_slow_sinus_rhythm_rests_on_its_rr_intervals(shared: Path, shipped_model: Model) -> None:
    """Real ECGs at 45 to 49/min: the usual rhythm that is nearest to theirs is slow too and would hide it."""
    for number in ("00002", "00078", "00289"):
        path = shared / "ptbxl_native" / "records500" / "00000" / f"{number}_hr.hea"
        if not path.is_file():
            pytest.skip("PTB-XL with amplitudes as recorded is not among the shared recordings")
        analyzed = AnalyzedECG(read(path))
        found = summarize(shipped_model.attribute(analyzed, "SBRAD"), analyzed.beats, positive=True)
        assert found.named is not None
        assert found.named.name == "RR intervals", number


def test_flutter_is_not_explained_by_the_qrs_under_which_its_waves_run(shared: Path, shipped_model: Model) -> None:
    """Real ECGs with 2:1 conduction, narrow QRS: flutter waves lie before and in T, and in the rate."""
    asked = 0
    for number in ("00017", "00018", "00020"):
        path = shared / "ptbxl_native" / "records500" / "00000" / f"{number}_hr.hea"
        if not path.is_file():
            pytest.skip("PTB-XL with amplitudes as recorded is not among the shared recordings")
        analyzed = AnalyzedECG(read(path))
        if not any(s.positive and s.label.code == "AFLT" for s in shipped_model.predict(analyzed).findings):
            continue
        found = summarize(shipped_model.attribute(analyzed, "AFLT"), analyzed.beats, positive=True)
        assert found.named is not None
        assert found.named.name != "QRS complex", number
        asked += 1
    assert asked
