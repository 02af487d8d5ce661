"""Records that a killed run leaves whole, and damage that is noticed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from training.train import checkpoint, files
from training.train.files import Damaged

TENSORS = {
    "a": torch.arange(6).reshape(2, 3).float(),
    "half": torch.ones(4).half(),
    "flags": torch.tensor([True, False]),
    "count": torch.tensor(7),
    "none": torch.empty(0, 3),
}


def test_tensors_come_back_with_what_was_said_of_them_and_are_plain_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "t.safetensors"
    files.save_tensors(path, {**TENSORS, "view": TENSORS["a"].T}, {"curve": [0.1, float("inf")]})
    for found in (files.load_tensors(path)[0], load_file(path)):
        assert torch.equal(found["view"], TENSORS["a"].T)
        assert all(torch.equal(found[key], value) and found[key].dtype == value.dtype for key, value in TENSORS.items())
    assert files.load_tensors(path)[1] == {"curve": [0.1, float("inf")]}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_every_cut_and_every_changed_byte_is_damage_with_the_name_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    files.save_tensors(path, TENSORS)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(Damaged, match=r"t\.safetensors is damaged"):
            files.load_tensors(path)
    values = len(whole) - sum(value.numel() * value.element_size() for value in TENSORS.values())
    for place in range(values, len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        with pytest.raises(Damaged, match="not those that were written"):
            files.load_tensors(path)


def test_tensors_without_a_checksum_are_not_ours(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "t.safetensors")
    with pytest.raises(Damaged, match="no safetensors file of this program"):
        files.load_tensors(tmp_path / "t.safetensors")


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.json"
    files.write_json(path, {"before": 1})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_json(path, {"after": 2})
    assert files.read_json(path) == {"before": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["record.json"]


def test_half_a_record_is_named(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    files.write_json(path, {"loss": [1, 2, 3]})
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(Damaged, match=r"record\.json is damaged"):
        files.read_json(path)
    with pytest.raises(FileNotFoundError):
        files.read_json(tmp_path / "absent.json")


def test_a_folder_is_made_by_one_process_at_a_time(tmp_path: Path) -> None:
    assert not files.is_locked(tmp_path / "stage")
    with files.lock(tmp_path / "stage"):
        assert files.is_locked(tmp_path / "stage")
        assert not files.is_locked(tmp_path / "other")
    assert not files.is_locked(tmp_path / "stage")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_what_a_killed_writer_left_of_a_checkpoint_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        os._exit(0)

    child = os.fork()
    if child == 0:
        monkeypatch.setattr(os, "fsync", killed)  # all is written, nothing renamed yet
        files.write(tmp_path / "checkpoint.safetensors", b"half of it")
    os.waitpid(child, 0)
    assert len(list(tmp_path.iterdir())) == 1
    checkpoint.remove(tmp_path)
    assert not list(tmp_path.iterdir())
