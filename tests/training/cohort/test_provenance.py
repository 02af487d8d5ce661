"""What is said of a set's license: nothing that nobody stated, and never that simulated patients are real."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.training.cohort.mimic.written_cohort import write_cohort
from training.__main__ import main
from training.cohort.mimic.prepare import prepare_mimic
from training.cohort.prepared import load_prepared
from training.cohort.provenance import NONE_STATED, NOTHING, SIMULATED, Stated, license_of, note_of
from training.config import load_config

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
CREDENTIALED = "The PhysioNet Credentialed Health Data License\nVersion 1.5.0\n\nCopyright (c) 2023 MIT\n"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hospital's own patients in MIMIC's layout, and rules for as few as they are."""
    top = tmp_path_factory.mktemp("hospital")
    write_cohort(top)
    least = {"train": 1, "validation": 0, "test": 0}
    (top / "cohort.yaml").write_text(yaml.safe_dump({"min_positives": dict.fromkeys(("findings", "labs"), least)}))
    return top


def test_own_data_in_mimics_layout_are_not_said_to_be_mimic(own: Path, tmp_path: Path) -> None:
    prepared = prepare_mimic(own, tmp_path / "out", own / "cohort.yaml")
    assert prepared.info["license"] == NONE_STATED
    assert "taken for real patients" in prepared.info["note"]
    card = (prepared.folder / "data_card.md").read_text()
    assert "PhysioNet" not in card
    assert "License: none stated." in card


def test_mimics_license_is_that_of_the_file_beside_its_tables(own: Path, tmp_path: Path) -> None:
    license_file = own / "mimic-iv" / "LICENSE.txt"
    license_file.write_text(CREDENTIALED)
    try:
        prepared = prepare_mimic(own, tmp_path / "out", own / "cohort.yaml")
    finally:
        license_file.unlink()
    assert prepared.info["license"] == "The PhysioNet Credentialed Health Data License Version 1.5.0"


def test_the_users_own_words_are_taken_from_the_command_and_from_the_config(own: Path, tmp_path: Path) -> None:
    said = ["--license", "Ours", "--note", "Ward 7."]
    assert main(["prepare", "mimic", str(own), "--out", str(tmp_path / "one"), "--cohort", str(own / "cohort.yaml"),
                 *said]) == 0  # fmt: skip
    settings = yaml.safe_load((ROOT / "training/configs/tiny.yaml").read_text())
    settings |= {"out": str(tmp_path), "cohort": str(own / "cohort.yaml")}
    source = {"name": "own", "kind": "mimic", "path": str(own), "share": 1.0, "license": "Ours", "note": "Ward 7."}
    settings["sources"] = [source]
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(settings))
    assert main(["prepare", "all", "--config", str(tmp_path / "run.yaml")]) == 0
    for folder in (tmp_path / "one", tmp_path / "prepared" / "own"):
        info = load_prepared(folder).info
        assert (info["license"], info["note"]) == ("Ours", "Ward 7.")


def test_a_simulated_cohort_is_said_to_be_one_whatever_else_is_stated(tmp_path: Path) -> None:
    (tmp_path / "LICENSE.txt").write_text(CREDENTIALED)
    assert license_of(NOTHING, True, [tmp_path]) == SIMULATED
    assert note_of(Stated(note="Ward 7."), True, "Real.").startswith("Simulated patients")
    assert note_of(NOTHING, False, "Real.") == "Real."


def test_of_a_license_file_the_title_only_and_each_once(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder, text in zip(folders, [CREDENTIALED, CREDENTIALED, "\n\n  ODbL v1.0  \nVery long " * 999], strict=True):
        folder.mkdir()
        (folder / "LICENSE.txt").write_text(text)
    expected = "The PhysioNet Credentialed Health Data License Version 1.5.0; ODbL v1.0"
    assert license_of(NOTHING, False, [*folders, tmp_path]) == expected


def test_open_sets_of_the_shipped_configs_have_their_license_from_them() -> None:
    for name in ("default", "paper", "mimic"):
        for source in load_config(ROOT / f"training/configs/{name}.yaml").sources:
            own = {"mimic": "", "simulated": "", "ludb": "ODC-By 1.0"}.get(source.kind, "CC BY 4.0")
            assert source.license.startswith(own)
            assert bool(own) == bool(source.license)
