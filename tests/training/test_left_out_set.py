"""An optional set that is absent is announced, with what that does, where data are prepared and where they train."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from training.__main__ import prepare_sources
from training.config import Config, load_config
from training.train.run import StageError, present_sources

CONFIGS = Path(__file__).resolve().parents[2] / "training" / "configs"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The default run, its simulated patients prepared (an empty note will do), PTB-XL nowhere."""
    config = load_config(CONFIGS / "default.yaml")
    away = tuple(replace(source, path=str(tmp_path / "nowhere")) for source in config.sources)
    prepared = tmp_path / "run" / "prepared" / "simulated"
    prepared.mkdir(parents=True)
    (prepared / "prepared.json").write_text("{}")
    return replace(config, out=str(tmp_path / "run"), sources=away)


def test_preparing_and_training_say_that_a_set_is_left_out(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    prepare_sources(config)
    first = capsys.readouterr().err
    assert [source.name for source in present_sources(config)] == ["simulated"]
    second = capsys.readouterr().err
    for said in (first, second):
        assert "WARNING: the set 'ptbxl' is left out" in said
        share = next(source.share for source in config.sources if source.name == "ptbxl")
        assert f"{100 * share:g}% of its ECGs" in said
        assert "download ptb-xl --out data" in said


def test_a_set_that_is_not_optional_stops_the_run(config: Config) -> None:
    needed = replace(config, sources=tuple(replace(source, optional=False) for source in config.sources))
    with pytest.raises(ValueError, match=r"should be in .*nowhere, which is not there"):
        prepare_sources(needed)
    with pytest.raises(StageError, match="'ptbxl' is not prepared yet"):
        present_sources(needed)


@pytest.mark.parametrize("file", ["default.yaml", "paper.yaml", "mimic.yaml"])
def test_open_data_are_looked_for_where_the_download_puts_them(file: str) -> None:
    paths = {source.kind: source.path for source in reversed(load_config(CONFIGS / file).sources)}
    assert paths["ptbxl"] == "data/ptb-xl"
    assert paths.get("ludb", "data/ludb") == "data/ludb"
