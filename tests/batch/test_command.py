"""`ecgkt explain --out` and `--watch` as they are typed: mistakes, exit codes, what is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecgkt.__main__ import main
from ecgkt.batch import watch
from ecgkt.model import model as models
from tests.batch.batches import BAD, Quick, folder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "load", lambda path=None: Quick())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([".", ".", "--out", "a.csv"], "one folder"),
        ([".", "--out", "a.xlsx"], "must end in .parquet, .csv or .jsonl"),
        ([".", "--out", "nowhere/a.csv"], "There is no folder nowhere"),
        ([".", "--out", "a.csv", "--json"], "for single files"),
        (["--watch", "."], "--watch needs --out"),
        (["--watch", "nowhere", "--out", "."], "There is no folder nowhere"),
        (["x.hea", "--measurements"], "--measurements goes with --out only"),
        ([".", "--out", "a.csv", "--report"], "--report goes with --watch only"),
        (["--watch", ".", "--out", ".", "--relevance", "AFIB"], "--relevance goes with --out only"),
        ([".", "--out", "a.csv", "--workers", "0"], "1 to 1000"),
        ([], "Name an ECG file"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_a_mistake_is_said_before_the_model_is_loaded(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(models, "load", lambda path=None: pytest.fail("it was loaded"))
    with pytest.raises(SystemExit) as stopped:
        main(["explain", *arguments])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_the_summary_counts_refusals_by_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, out = folder(tmp_path / "ecgs", 5, bad=2), tmp_path / "out.csv"
    assert main(["explain", str(root), "--out", str(out), "--relevance", "AFIB, I50,AFIB"]) == 0
    err = capsys.readouterr().err
    assert "5 ECGs: 3 read" in err
    assert f"2  {BAD}" in err
    assert "relevance_I50_V2" in out.read_text().splitlines()[0]
    assert main(["explain", str(root), "--out", str(out)]) == 2
    assert "there already" in capsys.readouterr().err


def test_watching_once_ends_when_nothing_more_settles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(watch, "EVERY", 0.02)
    monkeypatch.setattr(watch, "SETTLED", 0.05)
    root, out = folder(tmp_path / "ecgs", 3, bad=1), tmp_path / "results"
    arguments: list[Any] = ["explain", "--watch", str(root), "--out", str(out), "--once"]
    assert main(arguments) == 0
    assert len([*out.glob("*.json")]) == 2
    assert BAD in capsys.readouterr().err
    assert main(arguments) == 0
    assert len((out / watch.JOURNAL).read_text().splitlines()) == 2 * 3
