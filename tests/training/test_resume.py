"""A run that is killed at any moment, that finds the disk full or a file half gone, ends with the bits of one that was
left alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from tests.training.toy_run import ROOT, toy_config, write_config, write_toy
from training.__main__ import main
from training.recipes import TRANSFER
from training.train import files
from training.train.files import Damaged
from training.train.finetune import train
from training.train.log import read_log
from training.train.task import run_task

pytestmark = pytest.mark.slow
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def run(seed: int, *arguments: str) -> int:
    """A command in processes that are killed (not with seed 0); how many were."""
    command = [sys.executable, "-m", "tests.training.train.killed", str(seed), *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return int(re.search(r"killed (\d+)", done.stdout)[1])


def same_files(first: Path, second: Path, *patterns: str) -> None:
    found = [file.relative_to(first) for pattern in patterns for file in sorted(first.glob(pattern))]
    assert len(found) >= len(patterns)
    for file in found:
        assert (first / file).read_bytes() == (second / file).read_bytes(), file


@needs_fork
@pytest.mark.training
def test_a_run_that_is_killed_again_and_again_leaves_the_same_bits(tmp_path: Path) -> None:
    """Two teachers, one of them a regression after stage 1, two members, baselines, evaluation, bundle."""
    changes = {"transfer": "taught", "members": 2, "dropout": 0.1, "augment": {"shift_s": 0.2, "gain": 0.1,
               "lead_gain": 0.1, "noise_mv": 0.01, "table_dropout": 0.1}}  # fmt: skip
    whole, killed = write_toy(tmp_path / "whole", **changes), write_config(tmp_path / "killed", **changes)
    shutil.copytree(tmp_path / "whole" / "prepared", tmp_path / "killed" / "prepared")
    assert run(0, "all", "--config", str(whole)) == 0
    assert run(1, "all", "--config", str(killed)) >= 3
    same_files(
        tmp_path / "whole", tmp_path / "killed", "stages/*/weights.safetensors", "evaluation/metrics.json",
        "stages/*/outputs/*", "stages/*/calibration.json", "bundle/*.safetensors", "bundle/metrics.json",
    )  # fmt: skip
    logs = [file.relative_to(tmp_path / "whole") for file in (tmp_path / "whole").glob("stages/**/log.jsonl")]
    assert len(logs) > 2
    for log in logs:
        first, second = (read_log(tmp_path / name / log) for name in ("whole", "killed"))
        assert [(e.step, e.loss, e.lr) for e in first] == [(e.step, e.loss, e.lr) for e in second], log
    for folder in (tmp_path / "whole", tmp_path / "killed"):
        assert not list(folder.rglob("*checkpoint*")), "nothing is left to be resumed"


@pytest.mark.training
def test_members_trained_in_parts_are_the_same_ensemble(tmp_path: Path) -> None:
    changes = {"members": 3, "transfer": "distilled"}
    whole, parts = write_toy(tmp_path / "whole", **changes), write_config(tmp_path / "parts", **changes)
    shutil.copytree(tmp_path / "whole" / "prepared", tmp_path / "parts" / "prepared")
    assert main(["finetune", "--config", str(whole)]) == 0
    assert main(["finetune", "--config", str(parts), "--part", "1/2"]) == 2, "its teacher is not there yet"
    for stage, *command in (["multimodal", "baselines", "--only", "multimodal"], [TRANSFER, "finetune"]):
        weights = tmp_path / "parts" / "stages" / stage / "weights.safetensors"
        for part in ("2/2", "1/2"):
            assert main([*command, "--config", str(parts), "--part", part]) == 0
            assert not weights.exists(), "parts leave it to a later call to join the members"
        assert main([*command, "--config", str(parts)]) == 0
        assert weights.exists()
    same_files(tmp_path / "whole", tmp_path / "parts", "stages/*/weights.safetensors")


@needs_fork
@pytest.mark.training
def test_a_watched_run_of_the_curve_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    settings = yaml.safe_load((ROOT / "training/configs/curve.yaml").read_text()) | {
        "source": "toy", "steps": 120, "watch_every": 6, "seeds": [1], "sizes": [0], "tenth": 40, "oracle": {},
        "everywhere": ["distilled", "multimodal", "vicreg"], "at_tenth": ["ridge"], "best": "distilled",
    }  # fmt: skip
    write_toy(tmp_path / "run")
    for name in ("whole", "killed"):
        settings |= {"run": str(tmp_path / "run" / "toy.yaml"), "out": str(tmp_path / name)}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(settings))
    for recipe in ("vicreg", "distilled"):
        assert run(0, "curve", "--config", str(tmp_path / "whole.yaml"), "--only", recipe) == 0
        assert run(2, "curve", "--config", str(tmp_path / "killed.yaml"), "--only", recipe) >= 1
    same_files(tmp_path / "whole", tmp_path / "killed", "runs/*/weights.safetensors", "stage1/*/weights.safetensors")
    first, second = (files.read_json(tmp_path / name / "curve.json") for name in ("whole", "killed"))
    assert first["label_curve"] == second["label_curve"]
    names = {run["recipe"] for run in first["label_curve_about"]["runs"]}
    assert names == {"vicreg", "distilled", "multimodal"}, "a teacher is trained for its pupil"


@needs_fork
def test_a_full_disk_is_one_sentence_and_the_same_command_goes_on(tmp_path: Path) -> None:
    """Files of at most 20 kB can be written: less than a checkpoint."""
    config = write_toy(tmp_path)
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY));"
        "from training.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "finetune", "--config", str(config)]
    failed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert failed.returncode == 2
    assert failed.stderr.splitlines()[-1].startswith("training: ")
    assert "Traceback" not in failed.stderr
    folder = tmp_path / "stages" / TRANSFER
    assert not list(folder.rglob("*.safetensors")), "nothing half-written"
    assert main(["finetune", "--config", str(config)]) == 0
    assert (folder / "weights.safetensors").exists()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    assert main(["all", "--config", str(write_toy(folder))]) == 0
    return folder


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def altered(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 4
    path.write_bytes(bytes(content))


@pytest.mark.training
@pytest.mark.parametrize(
    ("file", "command"),
    [
        (f"stages/{TRANSFER}/weights.safetensors", "finetune"),
        (f"stages/{TRANSFER}/record.json", "finetune"),
        (f"stages/{TRANSFER}/config.json", "finetune"),
        (f"stages/{TRANSFER}/member_0/weights.safetensors", ""),
        (f"stages/{TRANSFER}/outputs/test_signals.safetensors", "evaluate"),
        (f"stages/{TRANSFER}/calibration.json", "evaluate"),
        (f"stages/{TRANSFER}/novelty.safetensors", "evaluate"),
        ("evaluation/metrics.json", "evaluate"),
        ("bundle/model.safetensors", "bundle"),
    ],
)
@pytest.mark.parametrize("damage", [cut, altered])
def test_a_damaged_file_is_made_again(
    finished: Path, tmp_path: Path, file: str, command: str, damage: Callable[[Path], None],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if damage is altered and file.endswith(".json"):
        pytest.skip("a JSON record is checked by its grammar only")
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    config = write_config(folder)
    damage(folder / file)
    if not command:  # a member that is damaged is trained again where the stage is not done
        (folder / "stages" / TRANSFER / "record.json").unlink()
        command = "finetune"
    out = ["--out", str(folder / "bundle")] if command == "bundle" else []
    assert main([command, "--config", str(config), *out]) == 0
    said = capsys.readouterr()
    if command == "finetune" and "record" not in file:
        assert Path(file).name in said.out + said.err, "it is named"
    same_files(finished, folder, "stages/*/weights.safetensors", "bundle/*.safetensors", "evaluation/metrics.json")
    if "calibration" in file:
        same_files(finished, folder, f"stages/{TRANSFER}/calibration.json")


def test_training_goes_on_from_the_checkpoint_before_a_damaged_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_toy(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    weights = []
    for name in ("a", "b"):
        config = toy_config(tmp_path / name, out=str(tmp_path / name))
        member = tmp_path / name / "stages" / TRANSFER / "member_0"
        if name == "b":
            with pytest.MonkeyPatch.context() as patch:
                _stop_after(patch, checkpoints=3)
                with pytest.raises(KeyboardInterrupt):
                    train(run_task(config), "lab_heads", TRANSFER)
            assert {path.name for path in member.iterdir()} == {
                "checkpoint.safetensors", "checkpoint.previous.safetensors", "log.jsonl",
            }  # fmt: skip
            assert files.load_tensors(member / "checkpoint.safetensors")[1]["step"] == 21
            altered(member / "checkpoint.safetensors")
            with pytest.raises(Damaged, match=r"checkpoint\.safetensors is damaged"):
                files.load_tensors(member / "checkpoint.safetensors")
        folder = train(run_task(config), "lab_heads", TRANSFER)
        weights.append(files.load_tensors(folder / "weights.safetensors")[0])
    assert "checkpoint.safetensors is damaged" in capsys.readouterr().out
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())


def _stop_after(patch: pytest.MonkeyPatch, checkpoints: int) -> None:
    from training.train.checkpoint import Training

    save, count = Training.save, 0

    def stopping(self: Training, *arguments: object) -> None:
        nonlocal count
        save(self, *arguments)  # type: ignore[arg-type]
        count += 1
        if count == checkpoints:
            raise KeyboardInterrupt

    patch.setattr(Training, "save", stopping)
