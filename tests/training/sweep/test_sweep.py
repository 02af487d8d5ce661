"""A sweep on toy data: what it asks for, what it never looks at, and that it goes on where it was killed."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import yaml

from tests.training.toy_run import ROOT, write_config, write_toy
from training.__main__ import main
from training.config import load_config, read_settings
from training.data.pool import Pool
from training.sweep.settings import load_sweep
from training.sweep.study import JOURNAL, Study
from training.train.log import read_log

SWEEP: dict[str, Any] = {
    "name": "rates", "trials": 4, "watch_every": 10, "seed": 1, "prune_after": {"trials": 1, "steps": 10},
    "settings": {"pretrain_steps": 0, "finetune_steps": 40},
    "search": {"lr": {"low": 1e-5, "high": 0.02, "log": True}, "batch": {"low": 8, "high": 24},
               "encoder.width": {"choices": [4, 6]}},
}  # fmt: skip


def write_sweep(folder: Path, **changes: Any) -> list[str]:
    """A toy run and its sweep; the command."""
    run = write_toy(folder)
    (folder / "sweep.yaml").write_text(yaml.safe_dump(SWEEP | changes))
    return ["sweep", "--config", str(run), "--sweep", str(folder / "sweep.yaml")]


def table(folder: Path) -> list[dict[str, str]]:
    rows = csv.DictReader((folder / "sweeps" / "rates" / "trials.csv").read_text().splitlines())
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    rows = Pool.rows

    def without_test(self: Pool, split: str, source: int | None = None) -> npt.NDArray[np.int64]:
        assert split != "test", "the test patients are not for choosing"
        return rows(self, split, source)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pool, "rows", without_test)
        assert main(write_sweep(folder)) == 0
    return folder


def test_every_trial_is_in_the_table_and_the_best_is_a_config(whole: Path) -> None:
    rows = table(whole)
    assert [row["trial"] for row in rows] == ["0", "1", "2", "3"]
    assert {row["state"] for row in rows} == {"complete", "pruned"}, "one that is worse than the others ends early"
    complete = [row for row in rows if row["state"] == "complete"]
    best = max(complete, key=lambda row: float(row["validation"]))
    config = load_config(whole / "sweeps" / "rates" / "best.yaml")
    assert config.lr == pytest.approx(float(best["lr"]))
    assert (config.batch, config.encoder["width"]) == (int(best["batch"]), int(best["encoder.width"]))
    assert (config.finetune_steps, config.out) == (40, f"{whole}_rates")
    assert len({row["lr"] for row in rows}) == 4, "no trial is drawn twice"
    for row in rows:
        (log,) = (whole / "sweeps" / "rates" / "trials" / f"{int(row['trial']):04d}").rglob("log.jsonl")
        looks = [entry.watched for entry in read_log(log) if entry.watched is not None]
        judged = max(looks) if row["state"] == "complete" else looks[-1]
        assert float(row["validation"]) == pytest.approx(judged, abs=1e-6)
        assert len(looks) == int(row["looks"])
    assert not list(whole.rglob("*checkpoint*"))


@pytest.mark.slow
def test_killed_in_a_trial_it_goes_on_with_that_trial(whole: Path, tmp_path: Path) -> None:
    """SIGKILL at the seventh checkpoint, the second trial's; then a half line in the journal, as of a full disk."""
    command = write_sweep(tmp_path)
    code = (
        "import os, signal, sys; from training.train.checkpoint import Training; save, count = Training.save, [0]\n"
        "def counted(*given):\n"
        "    save(*given); count[0] += 1; count[0] == 7 and os.kill(os.getpid(), signal.SIGKILL)\n"
        "Training.save = counted; from training.__main__ import main; main(sys.argv[1:])"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    killed = subprocess.run([sys.executable, "-c", code, *command], cwd=ROOT, env=environment, capture_output=True)
    assert killed.returncode == -9, killed.stderr[-2000:]
    journal = tmp_path / "sweeps" / "rates" / JOURNAL
    with journal.open("ab") as file:
        file.write(b'{"op_code":4,"wor')
    assert main(command) == 0
    assert table(tmp_path) == table(whole)
    for row in table(tmp_path):
        names = [path / "sweeps" / "rates" / "trials" / f"{int(row['trial']):04d}" for path in (whole, tmp_path)]
        logs = [read_log(next(name.rglob("log.jsonl"))) for name in names]
        assert [(e.step, e.loss, e.watched) for e in logs[0]] == [(e.step, e.loss, e.watched) for e in logs[1]]


def test_more_trials_may_be_asked_for_and_another_search_needs_another_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = write_sweep(tmp_path, trials=1)
    assert main(command) == 0
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(SWEEP | {"trials": 2}))
    assert main(command) == 0
    assert len(table(tmp_path)) == 2
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(SWEEP | {"seed": 2}))
    assert main(command) == 2
    assert "was made by another config or from other data (sweep)" in capsys.readouterr().err


def test_values_that_do_not_go_together_fail_their_trial_alone(tmp_path: Path) -> None:
    """A recipe with stage 1 has none without steps for it."""
    search = {"transfer": {"choices": ["signal_only", "vicreg"]}}
    assert main(write_sweep(tmp_path, search=search, trials=5, prune_after={"trials": 9})) == 0
    states = {row["transfer"].strip('"'): (row["state"], row["why"]) for row in table(tmp_path)}
    assert states["signal_only"] == ("complete", "")
    assert states["vicreg"][0] == "fail"
    assert "pretrain_steps must be above 0" in states["vicreg"][1]


def test_processes_side_by_side_share_the_trials_and_take_over_what_was_cut_off(tmp_path: Path) -> None:
    """Two studies on one folder, as two processes have them."""
    write_sweep(tmp_path, trials=3)
    sweep = load_sweep(tmp_path / "sweep.yaml", read_settings(tmp_path / "toy.yaml"))
    first, second = (Study(sweep, tmp_path / "study") for _ in range(2))
    (one, held_one), (two, held_two) = first.next(), second.next()  # type: ignore[misc]
    assert (one.number, two.number) == (0, 1), "a trial that is held is nobody else's"
    first.study.tell(one, 0.5)
    held_one.release()
    held_two.release()  # its process is killed
    again, held_two = first.next()  # type: ignore[misc]
    assert again.number == 1, "what is done is left alone, what was cut off is gone on with"
    three, held_three = second.next()  # type: ignore[misc]
    assert three.number == 2
    assert second.next() is None, "there are as many as were asked for"
    held_two.release()
    held_three.release()


def test_without_optuna_it_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.__main__.find_spec", lambda name: None)
    assert main(["sweep", "--config", str(write_config(tmp_path)), "--sweep", str(tmp_path / "sweep.yaml")]) == 2
    said = capsys.readouterr().err
    assert "needs the package optuna" in said
    assert said.count("\n") == 1
