"""Pools and batches on a small made-up set: what must hold for any data."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from filelock import FileLock

from ecgkt.model.networks.beat_detection import BEAT
from ecgkt.model.networks.beat_encoder import BeatView
from training.cohort.prepared import CLINICAL_COLUMNS, SHAPE, load_prepared, write_prepared
from training.data.beat_views import beat_views
from training.data.pool import Pool, Sampler, augment

NO_AUGMENTATION = {"shift_s": 0.0, "gain": 0.0, "lead_gain": 0.0, "noise_mv": 0.0, "table_dropout": 0.0}


def write_set(folder: Path, name: str, count: int, with_labs: bool) -> None:
    rng = np.random.default_rng(count)
    folder.mkdir(parents=True)
    np.arange(count)[:, None, None].repeat(SHAPE[0], 1).repeat(SHAPE[1], 2).astype("<i2").tofile(folder / "signals.i16")
    text = {"stay": "s", "source": name, "age": 60.0, "sex": "male", "path": "p"}
    numbers = [f"{name}{i}" for i in range(count)]
    ecgs = pd.DataFrame({"ecg_id": numbers, "patient": numbers, "split": "train"} | text)
    ecgs.loc[ecgs.index % 5 == 4, "split"] = "test"
    clinical = pd.DataFrame(np.nan, index=range(count), columns=CLINICAL_COLUMNS)
    clinical["lab:potassium"] = rng.normal(4, 1, count) if with_labs else np.nan
    findings = pd.DataFrame({"AFIB": rng.integers(0, 2, count).astype(float)})
    labs = pd.DataFrame({"potassium_high": rng.integers(0, 2, count)} if with_labs else {}, index=range(count))
    labels = {"findings": [{"code": "AFIB"}], "diagnoses": [], "labs": [{"code": c} for c in labs]}
    info = {"name": name, "source": name, "simulated": with_labs, "labels": labels, "excluded": {}, "config": {}}
    tables = {"ecgs": ecgs, "clinical": clinical, "findings": findings, "labs": labs}
    tables["diagnoses"] = pd.DataFrame(index=range(count))
    write_prepared(folder, info | {"license": "", "note": ""}, tables)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    root = tmp_path_factory.mktemp("sets")
    write_set(root / "a", "a", 50, with_labs=True)
    write_set(root / "b", "b", 20, with_labs=False)
    return Pool([load_prepared(root / "a"), load_prepared(root / "b")])


def test_rows_of_several_sets_keep_their_signals_and_millivolts(pool: Pool) -> None:
    rows = np.array([60, 3, 50, 49, 3])
    np.testing.assert_allclose(pool.signals(rows)[:, 0, 0], np.array([10, 3, 0, 49, 3]) / 1000)


def test_what_a_set_does_not_know_is_unknown(pool: Pool) -> None:
    labs = pool.targets["labs"]
    assert not np.isnan(labs[:50]).any()
    assert np.isnan(labs[50:]).all()


def test_sampler_keeps_shares_and_visits_every_training_row_once_a_round(pool: Pool) -> None:
    sampler = Sampler([pool.rows("train", 0), pool.rows("train", 1)], [0.75, 0.25], batch=8, seed=1)
    steps = [sampler(step) for step in range(20)]
    drawn = np.concatenate(steps)
    assert all((rows >= 50).sum() == 2 for rows in steps)
    first_round = drawn[drawn < 50][:40]
    assert sorted(first_round) == sorted(pool.rows("train", 0))
    assert not set(drawn) & set(pool.rows("test"))
    assert (sampler(7) == steps[7]).all()


def test_what_a_device_holds_makes_the_same_batches(pool: Pool) -> None:
    gathered, held = Pool(pool.sets, beats=True), Pool(pool.sets, beats=True, held=True)
    rows = np.array([60, 3, 50, 49, 3])
    for seed in (None, (1, 7)):
        one, other = gathered.batch(rows, seed), held.batch(rows, seed)
        assert torch.equal(one.signal.templates, other.signal.templates)
        assert torch.equal(one.signal.rhythm, other.signal.rhythm)
        assert np.array_equal(one.source, other.source)
        for here, there in [(one.table, other.table), *((one.targets[h], other.targets[h]) for h in one.targets)]:
            assert torch.equal(here.nan_to_num(-1), there.nan_to_num(-1))
    other_targets = 1 - held.targets["findings"]
    assert torch.equal(
        held.with_targets("findings", other_targets).batch(rows).targets["findings"],
        torch.from_numpy(other_targets[rows]),
    )
    assert torch.equal(held.batch(rows).targets["findings"], torch.from_numpy(held.targets["findings"][rows]))


def test_augmentation_leaves_its_input_alone_and_follows_from_seed_and_step(pool: Pool) -> None:
    batch = pool.batch(np.arange(6))
    before = batch.signal.clone()
    settings = {"shift_s": 1.0, "gain": 0.1, "lead_gain": 0.1, "noise_mv": 0.01, "table_dropout": 0.5}
    one, same, other = (augment(batch, settings, key) for key in ((1, 2), (1, 2), (1, 3)))
    assert torch.equal(batch.signal, before)
    assert torch.equal(one.signal, same.signal)
    assert not torch.equal(one.signal, other.signal)
    assert one.signal.shape[-1] == 900
    assert torch.equal(augment(batch, NO_AUGMENTATION, (0, 0)).signal, before)


def test_a_set_has_gains_and_smoothing_of_its_own(pool: Pool) -> None:
    rows = np.concatenate([pool.rows("train", 0), pool.rows("train", 1)])
    batch = replace(pool.batch(rows), signal=torch.ones(len(rows), 12, 1000))
    first = pool.source_of[rows] == 0
    own = [{"gain": 0.2, "lead_gain": 0.4}, {"smoothing": 0.25}]
    made = augment(batch, NO_AUGMENTATION, (4, 2), own).signal
    assert isinstance(made, torch.Tensor)
    factors = made[..., 0].log()
    assert torch.equal(made[~first], torch.ones_like(made[~first])), "smoothing leaves what is level alone"
    assert factors[first].std(dim=1).mean().item() == pytest.approx(0.4, rel=0.15), "between leads"
    assert factors[first].mean(dim=1).std().item() == pytest.approx((0.2**2 + 0.4**2 / 12) ** 0.5, rel=0.35)
    tone = torch.sin(2 * torch.pi * 20 * torch.arange(1000) / 100).expand(len(rows), 12, 1000)
    smooth = augment(replace(batch, signal=tone), NO_AUGMENTATION, (4, 2), own).signal
    assert isinstance(smooth, torch.Tensor)
    kept = (smooth[~first][..., 100:900].std(dim=-1) / tone[0, 0, 100:900].std())[:, 0]
    assert 1 - 1.382 * 0.25 <= kept.min() < kept.max() <= 1, "2 w (1 - cos) is taken, w up to a quarter"
    assert kept.std() > 0.05, "each ECG its own"


def test_a_tracing_and_its_beats_are_smoothed_alike(pool: Pool) -> None:
    rows = pool.rows("train", 0)[:4]
    beat = torch.randn(4, 36, BEAT, generator=torch.Generator().manual_seed(1))
    view = BeatView(beat, torch.zeros(4, 16))
    settings = NO_AUGMENTATION | {"smoothing": 0.2}
    templates = augment(replace(pool.batch(rows), signal=view), settings, (1, 1)).signal
    assert isinstance(templates, BeatView)
    moved = next(m for m in range(-2, 3) if abs(torch.roll(beat, m, 2) - templates.templates)[..., 5:-5].mean() < 0.35)
    before = torch.roll(beat, moved, dims=2)
    neighbors = before[..., 4:-6] + before[..., 6:-4] - 2 * before[..., 5:-5]
    weights = ((templates.templates - before)[..., 5:-5] / neighbors).flatten(1).median(dim=1).values
    torch.testing.assert_close(templates.templates[..., 5:-5], before[..., 5:-5] + weights[:, None, None] * neighbors)
    assert ((weights > 0) & (weights < 0.2)).all()


def test_noise_is_white_normal_of_the_size_that_was_asked_for_and_each_lead_has_its_own(pool: Pool) -> None:
    batch = pool.batch(np.arange(40))
    assert isinstance(batch.signal, torch.Tensor)
    made = augment(batch, NO_AUGMENTATION | {"noise_mv": 0.02}, (5, 6)).signal
    assert isinstance(made, torch.Tensor)
    noise = (made - batch.signal).flatten(0, 1).double()
    assert noise.std().item() == pytest.approx(0.02, rel=0.02)
    assert noise.mean().item() == pytest.approx(0, abs=1e-4)
    near = noise[:, 1:] * noise[:, :-1]
    assert near.mean().item() / 0.02**2 == pytest.approx(0, abs=0.01), "white"
    kurtosis = (noise / 0.02).pow(4).mean().item()
    assert kurtosis == pytest.approx(3, abs=0.1), "normal"
    together = torch.corrcoef(noise) - torch.eye(len(noise))
    assert together.abs().max().item() < 0.2, "no lead has another's"


def test_signals_on_the_device_are_those_in_millivolts_and_the_clock_runs(pool: Pool) -> None:
    rows = np.array([60, 3, 50, 49, 3])
    before = pool.seconds
    batch = pool.batch(rows)
    made = pool.seconds
    assert isinstance(batch.signal, torch.Tensor)
    np.testing.assert_array_equal(batch.signal.numpy(), pool.signals(rows))
    assert batch.signal.device == batch.table.device == pool.device
    augment(batch, NO_AUGMENTATION, (1, 1))
    assert before < made < pool.seconds


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_batch_on_a_gpu_is_that_on_the_cpu(pool: Pool) -> None:
    other = Pool(pool.sets, device=torch.device("cuda"))
    settings = {"shift_s": 1.0, "gain": 0.1, "lead_gain": 0.1, "noise_mv": 0.01, "table_dropout": 0.5}
    here, there = (augment(one.batch(np.arange(30), (1, 2)), settings, (1, 2)) for one in (pool, other))
    assert isinstance(there.signal, torch.Tensor)
    assert there.signal.is_cuda
    torch.testing.assert_close(there.signal.cpu(), here.signal, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(there.table.cpu(), here.table, equal_nan=True)


def test_views_of_beats_come_from_their_own_rows_in_any_order(tmp_path: Path) -> None:
    sets = []
    for name, count in (("d", 6), ("e", 4)):
        write_set(tmp_path / name, name, count, with_labs=True)
        sets.append(load_prepared(tmp_path / name))
    both = Pool(sets, beats=True)
    assert both.views is not None
    rows, which = np.array([7, 2, 9, 0, 7]), np.array([0, 1, 4, 2, 3])
    seen = both.beats(rows, which)
    for i, (row, half) in enumerate(zip(rows, which, strict=True)):
        views, local = (both.views[1], row - 6) if row >= 6 else (both.views[0], row)
        np.testing.assert_array_equal(seen.templates[i].numpy(), views.templates[local, half].astype(np.float32))
        np.testing.assert_array_equal(seen.rhythm[i].numpy(), views.rhythm[local])


def test_views_of_beats_are_made_by_one_process_at_a_time(tmp_path: Path) -> None:
    write_set(tmp_path / "c", "c", 5, with_labs=True)
    prepared = load_prepared(tmp_path / "c")
    with ThreadPoolExecutor(1) as other:
        with FileLock(prepared.folder / "beat_views.lock"):
            waiting = other.submit(beat_views, prepared)
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
            assert not (prepared.folder / "beat_views.json").exists()
        assert len(waiting.result(60).rhythm) == 5
