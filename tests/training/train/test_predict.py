"""Inference in batches: every row once and in its place, whatever its batch, and by the label's and column's name."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecgkt.model.networks.network import Architecture, Network
from tests.training.data.test_pool import write_set
from training.cohort.prepared import load_prepared
from training.data.pool import Pool
from training.train import predict

COLUMNS = ["biometric:age", "lab:potassium"]  # in another order than the pool's
LABELS = {"findings": ["AFIB"], "labs": ["potassium_high"]}


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    folder = tmp_path_factory.mktemp("sets")
    write_set(folder / "a", "a", 30, True)
    write_set(folder / "b", "b", 7, False)
    return Pool([load_prepared(folder / "a"), load_prepared(folder / "b")])


def network(modality: str, columns: list[str], labels: dict[str, list[str]]) -> Network:
    torch.manual_seed(0)
    return Network(Architecture(modality, {"kind": "resnet", "width": 4}, labels, columns, 8)).eval()  # type: ignore


def test_batches_of_any_size_give_every_row_in_its_place(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    both, rows = network("both", COLUMNS, LABELS), np.array([36, 3, 0, 12, 31, 5, 5])
    table = torch.from_numpy(pool.table[rows][:, [pool.columns.index(column) for column in COLUMNS]])
    signal = torch.from_numpy(pool.signals(rows))
    with torch.inference_mode():
        expected, embedded = both(signal, table), both.embed(signal, table).numpy()
    for size in (3, 256):
        monkeypatch.setattr(predict, "BATCH", size)
        found = predict.logits(both, pool, rows)
        for head in LABELS:
            np.testing.assert_allclose(found[head], expected[head].numpy(), atol=1e-6)
        np.testing.assert_allclose(predict.embeddings(both, pool, rows), embedded, atol=1e-6)


def test_signals_are_looked_at_as_rows_are(pool: Pool) -> None:
    ecg, rows = network("ecg", [], LABELS), np.arange(37)
    signals = pool.signals(rows)
    np.testing.assert_array_equal(predict.embeddings_of_signals(ecg, signals), predict.embeddings(ecg, pool, rows))
    found, expected = predict.logits_of_signals(ecg, signals), predict.logits(ecg, pool, rows)
    np.testing.assert_array_equal(found["labs"], expected["labs"])


def test_labels_that_a_network_lacks_are_nan_and_others_stand_under_their_code(pool: Pool) -> None:
    pool.labels["findings"] = [{"code": "1AVB"}, {"code": "AFIB"}]
    one, rows = network("ecg", [], LABELS), np.array([2, 4])
    placed, own = predict.logits_by_pool(one, pool, rows), predict.logits(one, pool, rows)
    assert np.isnan(placed["findings"][:, 0]).all()
    np.testing.assert_array_equal(placed["findings"][:, 1], own["findings"][:, 0])
    assert "diagnoses" not in placed


def test_no_rows_give_no_rows(pool: Pool) -> None:
    ecg, none = network("ecg", [], LABELS), np.zeros(0, dtype=np.int64)
    assert predict.logits(ecg, pool, none)["labs"].shape == (0, 1)
    assert predict.embeddings(ecg, pool, none).shape == (0, ecg.dimension)
