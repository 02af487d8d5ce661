"""Pools and batches on a small made-up set: what must hold for any data."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from filelock import FileLock

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
