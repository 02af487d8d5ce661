"""The command line of training: what cannot be done is said in one sentence, with exit code 2 and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from training.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["prepare", "mimic", "NOWHERE", "--out", "OUT"], "There is no"),
        (["prepare", "ptbxl", "HERE", "--out", "OUT"], "ptbxl_database.csv"),
        (["prepare", "mimic"], "--out"),
        (["prepare", "table"], "needs the YAML and --out"),
        (["prepare", "table", "NOWHERE", "--out", "OUT"], "There is no"),
        (["pretrain", "--config", "NOWHERE"], "There is no"),
        (["pretrain", "--config", "CONFIG"], "prepare all"),
        (["pretrain", "--config", "HERE"], "cannot be used"),
        (["pretrain", "--config", "BINARY"], "no YAML file of settings"),
        (["card", "--model", "HERE"], "bundle.json"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "run.yaml"
    tiny = (ROOT / "training/configs/tiny.yaml").read_text()
    config.write_text(tiny.replace("out: runs/tiny", f"out: {tmp_path / 'run'}"))
    (tmp_path / "binary").write_bytes(b"\xff\x00\xfe")
    places = {
        "BINARY": tmp_path / "binary",
        "NOWHERE": tmp_path / "nowhere",
        "HERE": tmp_path,
        "OUT": tmp_path / "out",
        "CONFIG": config,
    }
    assert main([str(places.get(word, word)) for word in arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_data_without_diagnoses_are_prepared_but_not_trained_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = yaml.safe_load((ROOT / "training/configs/tiny.yaml").read_text()) | {"out": str(tmp_path)}
    config["sources"] = [{"name": "mine", "kind": "table", "path": "mine.yaml", "share": 1.0}]
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "prepared" / "mine").mkdir(parents=True)
    (tmp_path / "prepared" / "mine" / "prepared.json").write_text('{"labels": {"diagnoses": []}}')
    assert main(["prepare", "all", "--config", str(tmp_path / "run.yaml")]) == 0
    assert main(["all", "--config", str(tmp_path / "run.yaml")]) == 2
    assert "none has a diagnosis" in capsys.readouterr().err
