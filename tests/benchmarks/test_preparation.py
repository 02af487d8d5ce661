"""The two ways of benchmarks/preparation.py on a small data set: another implementation finds the same answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import preparation_sides as sides
from benchmarks.mimic_shaped import generate

pytestmark = pytest.mark.slow
SCALE = 0.001  # 200 ECGs, 20,000 lab rows, 5 files


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark")
    generate(folder, SCALE)
    return folder


def run(side: str, data: Path, out: Path) -> Path:
    folder = out / side
    folder.mkdir()
    sides.SIDES[side](data, folder)
    return folder


def test_nearest_labs_are_those_of_merge_asof(data: Path, tmp_path: Path) -> None:
    own, other = run("labs_own", data, tmp_path), run("labs_pandas", data, tmp_path)
    found = sides.labs_check(data, own, other)
    assert found["values"] > 1000
    assert sides.labs_check(data, run("labs_kept", data, tmp_path), other) == found


def test_signals_are_those_of_wfdb_and_scipy(data: Path, tmp_path: Path) -> None:
    own, zipped, other = (run(f"signals_{way}", data, tmp_path) for way in ("own", "zipped", "wfdb"))
    assert sides.signals_check(own, zipped, other)["records"] == 5


def test_a_wrong_answer_is_noticed(data: Path, tmp_path: Path) -> None:
    own, other = run("signals_own", data, tmp_path), run("signals_wfdb", data, tmp_path)
    signals = np.load(other / "signals.npy")
    signals[3, 7, 500] += 5
    np.save(other / "signals.npy", signals)
    with pytest.raises(SystemExit, match="differ by"):
        sides.signals_check(own, own, other)
