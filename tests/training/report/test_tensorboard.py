"""Events for TensorBoard, read by TensorBoard's own reader."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorboard", reason="requirements-extras.txt is not installed")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.report.made_up_run import entries, write_log
from training.__main__ import main


def test_it_shows_the_numbers_of_every_log_and_takes_back_what_a_resumed_training_did(tmp_path: Path) -> None:
    member = tmp_path / "stages" / "knowledge_transfer" / "member_0"
    write_log(member, entries(160, 120))
    assert main(["tensorboard", "--run", str(tmp_path)]) == 0
    shown = EventAccumulator(str(tmp_path / "tensorboard" / member.relative_to(tmp_path))).Reload()
    assert {tag.split("/")[0] for tag in shown.Tags()["scalars"]} == {
        "loss", "validation", "learning rate", "speed", "GPU",
    }  # fmt: skip
    for entry, scalar in zip(entries(160, 120), shown.Scalars("loss/findings"), strict=True):
        assert scalar.step == entry.step
        assert scalar.value == pytest.approx(entry.loss["findings"])
        assert scalar.wall_time == entry.at.timestamp()
    watched = [entry for entry in entries(160, 120) if entry.watched is not None]
    assert [s.step for s in shown.Scalars("validation/macro AUROC of diagnoses")] == [e.step for e in watched]

    files = list((tmp_path / "tensorboard").rglob("events.*"))
    assert main(["tensorboard", "--run", str(tmp_path)]) == 0
    assert list((tmp_path / "tensorboard").rglob("events.*")) == files, "nothing is new"
    write_log(member, [*entries(160, 60), *entries(160, 160, start=3.0)[3:]])
    assert main(["tensorboard", "--run", str(tmp_path)]) == 0
    shown.Reload()
    again = shown.Scalars("loss/findings")
    assert [scalar.step for scalar in again] == list(range(20, 161, 20)), "no step twice"
    assert again[3].value == pytest.approx(3.0 / 80)


def test_following_a_log_that_is_cut_back_shows_no_step_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks the training is killed, and goes on from an earlier checkpoint with other numbers."""
    member = tmp_path / "stages" / "knowledge_transfer"
    looks = [entries(160, 60), entries(160, 120), entries(160, 40), [*entries(160, 40), *entries(160, 160, 3.0)[2:]]]
    waiting = iter(looks[1:])

    def sleep(seconds: float) -> None:
        found = next(waiting, None)
        if found is None:
            raise KeyboardInterrupt
        write_log(member, found)

    monkeypatch.setattr("training.report.tensorboard.time.sleep", sleep)
    write_log(member, looks[0])
    assert main(["tensorboard", "--run", str(tmp_path), "--follow", "1"]) == 130
    (file,) = (tmp_path / "tensorboard").rglob("events.*")
    shown = EventAccumulator(str(file.parent)).Reload().Scalars("loss/labs")
    assert [scalar.step for scalar in shown] == list(range(20, 161, 20))
    assert [s.value for s in shown] == pytest.approx([e.loss["labs"] for e in looks[-1]])


def test_without_logs_or_without_tensorboard_it_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["tensorboard", "--run", str(tmp_path)]) == 2
    assert "holds no log.jsonl" in capsys.readouterr().err
    monkeypatch.setattr("training.__main__.find_spec", lambda name: None)
    assert main(["tensorboard", "--run", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "needs the package tensorboard" in said
    assert said.count("\n") == 1
