"""The oracle's patients: a shard that is cut or altered is named and drawn again, bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.label_curve.oracle import draw_patients
from training.train import files


@pytest.mark.slow
def test_a_damaged_shard_is_named_and_drawn_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"first": 5, "patients": 2}
    draw_patients(settings, 1, ["I10", "I48", "I50"], tmp_path)
    shard = tmp_path / "000005.safetensors"
    whole = shard.read_bytes()
    tensors, _ = files.load_tensors(shard)
    assert len(tensors["templates"]) == len(tensors["rhythm"]) == len(tensors["targets"])
    assert tensors["targets"].shape[1] == 3
    shard.write_bytes(whole[: len(whole) // 2])
    draw_patients(settings, 1, ["I10", "I48", "I50"], tmp_path)
    assert "000005.safetensors is damaged" in capsys.readouterr().out
    assert shard.read_bytes() == whole
    before = shard.stat().st_mtime_ns
    draw_patients(settings, 1, ["I10", "I48", "I50"], tmp_path)
    assert shard.stat().st_mtime_ns == before, "what is whole is kept"
