"""A folder to a table: what stands in it, and that nothing is lost or there twice, whatever ends the run."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

import ecgkt
from ecgkt.batch import folder as batch_folder
from ecgkt.batch import table as batch_table
from ecgkt.batch import workers
from ecgkt.batch.folder import CannotBegin, Outcome, explain_folder
from ecgkt.batch.rows import Wanted
from ecgkt.batch.table import OtherRun, parts_folder
from ecgkt.model.model import Model
from ecgkt.prediction import AGGREGATES, HEADS
from tests.batch.batches import BAD, Quick, folder

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "assets" / "examples"


def explain(root: Path, out: Path, model: Any = None, wanted: Wanted | None = None) -> Outcome:
    return explain_folder(model or Quick(), None, root, out, wanted or Wanted(), 1, io.StringIO())


def table(path: Path) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT * FROM '{path}'")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_every_record_has_one_row_and_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    root = folder(tmp_path / "ecgs", 5, bad=1)
    (root / "lonely.dat").write_bytes(b"signal without a header")
    (root / "letter.xml").write_text("<letter>Dear colleague</letter>")
    (root / "notes.txt").write_text("no ECG by its name")
    outcome = explain(root, tmp_path / "out.parquet")
    rows = table(tmp_path / "out.parquet")
    assert [row["file"] for row in rows] == [
        "0/r000.hea", "0/r002.hea", "0/r004.hea", "1/r001.hea", "1/r003.hea", "letter.xml", "lonely.dat",
    ]  # fmt: skip
    assert (outcome.finished, outcome.read, outcome.abstained, outcome.refused.total()) == (True, 4, 0, 3)
    assert outcome.refused[BAD] == 1
    by_file = {row["file"]: row for row in rows}
    assert by_file["0/r004.hea"]["reason"] == BAD
    assert by_file["0/r004.hea"]["probability_AFIB"] is None
    assert "Dear" not in by_file["letter.xml"]["reason"]
    assert by_file["letter.xml"]["sha256"] == hashlib.sha256((root / "letter.xml").read_bytes()).hexdigest()
    both = (root / "0/r000.hea").read_bytes() + (root / "0/r000.dat").read_bytes()
    assert by_file["0/r000.hea"]["sha256"] == hashlib.sha256(both).hexdigest()
    assert by_file["0/r000.hea"]["status"] == "read"
    assert (by_file["0/r000.hea"]["sampling_rate"], by_file["0/r000.hea"]["seconds"]) == (500, 10)
    assert by_file["0/r000.hea"]["probability_I50"] == pytest.approx(0.55)
    assert not parts_folder(tmp_path / "out.parquet").exists()


def test_a_table_says_by_which_model_it_is_and_what_its_columns_mean(tmp_path: Path) -> None:
    root = folder(tmp_path / "ecgs", 2)
    explain(root, tmp_path / "out.parquet")
    with duckdb.connect() as connection:
        query = f"SELECT value FROM parquet_kv_metadata('{tmp_path / 'out.parquet'}') WHERE key = 'ecgkt'"
        (found,) = connection.execute(query).fetchall()
    said = json.loads(found[0])
    assert said["model"]["sha256"] == Quick.sha256
    assert said["notice"] == ecgkt.NOTICE
    assert [column["name"] for column in said["columns"]] == [*table(tmp_path / "out.parquet")[0]]
    assert {label["code"]: label["threshold"] for label in said["labels"]}["AFIB"] == 0.4
    for suffix in ("csv", "jsonl"):
        explain(root, tmp_path / f"out.{suffix}")
        assert json.loads((tmp_path / f"out.{suffix}.schema.json").read_text()) == said


def test_csv_and_json_lines_say_the_same_as_parquet(tmp_path: Path) -> None:
    root = folder(tmp_path / "ecgs", 3, bad=1)
    for suffix in ("parquet", "csv", "jsonl"):
        explain(root, tmp_path / f"out.{suffix}")
    rows = table(tmp_path / "out.parquet")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line.keys() for line in lines] == [row.keys() for row in rows]
    written = table(tmp_path / "out.csv")
    for row, line, text in zip(rows, lines, written, strict=True):
        for name in ("file", "sha256", "status", "reason", "abstained", "verdict_AFIB"):
            assert row[name] == line[name] == text[name], name
        assert line["quality_warnings"] == row["quality_warnings"]
        assert (text["quality_warnings"] or "") == " | ".join(row["quality_warnings"] or [])
        assert text["probability_AFIB"] == pytest.approx(row["probability_AFIB"], abs=1e-7)


def test_a_name_that_a_spreadsheet_would_compute_is_the_same_path_and_no_formula(tmp_path: Path) -> None:
    root = folder(tmp_path / "ecgs", 1)
    names = ["=HYPERLINK(1).xml", "@x.xml", "+1.xml", "-1.xml"]
    for name in names:
        (root / name).write_text("<letter/>")
    explain(root, tmp_path / "out.csv")
    found = {row["file"] for row in table(tmp_path / "out.csv")}
    assert found == {"0/r000.hea", *(f"./{name}" for name in names)}
    assert all((root / name).is_file() for name in found)


def test_no_link_out_of_the_folder_is_followed(tmp_path: Path) -> None:
    outside, root = folder(tmp_path / "outside", 1), tmp_path / "ecgs"
    root.mkdir()
    (root / "r000.dcm").write_bytes(b"no DICOM file")
    for suffix in (".hea", ".dat"):
        (root / f"r000{suffix}").symlink_to(outside / "0" / f"r000{suffix}")
    outcome = explain(root, tmp_path / "out.parquet")
    assert (outcome.read, outcome.refused.total()) == (0, 1)


def test_a_row_says_what_predict_measure_and_attribute_say_of_the_ecg_alone(
    tmp_path: Path, shipped_model: Model
) -> None:
    out = tmp_path / "out.parquet"
    explain(EXAMPLES, out, shipped_model, Wanted(measurements=True, relevance=("AFIB",)))
    rows = [row for row in table(out) if row["status"] == "read"]
    assert len(rows) > 5
    for row in rows:
        ecg = ecgkt.read(EXAMPLES / row["file"])
        alone = shipped_model.predict(ecg)
        assert row["abstained"] is alone.abstained
        assert row["quality_reasons"] == [*alone.quality.reasons]
        assert row["quality_warnings"] == [*alone.quality.warnings]
        for head in HEADS:
            for score in alone.scores(head):
                assert row[f"probability_{score.label.code}"] == pytest.approx(score.probability, abs=1e-6)
                assert row[f"verdict_{score.label.code}"] == score.verdict
        for code in AGGREGATES:
            assert row[f"probability_{code}"] == pytest.approx(alone.superclasses[code], abs=1e-6)
        measured = ecgkt.measure(ecg)
        assert row["measured_qrs"] == pytest.approx(measured.qrs.value)
        assert (row["measured_pr"] is None) == (measured.pr.value is None)
        leads = sum(row[f"relevance_AFIB_{lead}"] for lead in ecgkt.LEADS)
        assert leads + row["relevance_AFIB_rhythm"] == pytest.approx(1, abs=1e-5)


def test_one_ecg_that_the_model_fails_on_costs_no_other_its_row(tmp_path: Path) -> None:
    class Failing(Quick):
        def predict(self, analyzed: Any) -> Any:
            if analyzed.beats.heart_rate > 61.5:
                raise RuntimeError("of patient Doe")
            return super().predict(analyzed)

    root = folder(tmp_path / "ecgs", 3)
    explain(root, tmp_path / "out.parquet", Failing())
    assert [(row["file"], row["reason"]) for row in table(tmp_path / "out.parquet")] == [
        ("0/r000.hea", None),
        ("0/r002.hea", "It could not be analyzed (RuntimeError)."),
        ("1/r001.hea", None),
    ]


def test_a_run_that_is_ended_goes_on_without_loss_or_doubling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "CHUNK", 2)
    monkeypatch.setattr(batch_folder, "PART_ROWS", 2)
    root, out = folder(tmp_path / "ecgs", 9, bad=2), tmp_path / "out.parquet"
    explain(root, tmp_path / "whole.parquet")

    class Ending(Quick):
        def predict_many(self, ecgs: Any) -> Any:
            if self.asked >= 4:
                signal.raise_signal(signal.SIGINT)
            return super().predict_many(ecgs)

    first = explain(root, out, Ending())
    assert not first.finished
    assert not out.exists()
    assert 4 <= first.read + first.refused.total() < 9
    (root / "0" / "r000.hea").touch()
    again = Quick()
    assert explain(root, out, again).finished
    assert again.asked <= 7 - 4
    assert table(out) == table(tmp_path / "whole.parquet")


def test_what_a_kill_leaves_unfinished_is_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the disk looks after a kill within a write, and after one between the table and the end of its parts."""
    monkeypatch.setattr(batch_folder, "PART_ROWS", 2)
    monkeypatch.setattr(workers, "CHUNK", 2)
    root, out = folder(tmp_path / "ecgs", 6), tmp_path / "out.parquet"
    monkeypatch.setattr(batch_table.Table, "remove_parts", lambda self: None)
    explain(root, out)
    whole = table(out)
    monkeypatch.undo()
    parts = sorted(parts_folder(out).glob("*.parquet"))
    out.unlink()
    content = parts[-1].read_bytes()
    parts[-1].unlink()
    (parts[-1].parent / f"{parts[-1].name}.unfinished").write_bytes(content[:100])
    parts[0].write_bytes(content[: len(content) // 2])  # a disk that lost what it had confirmed
    assert explain(root, out).finished
    assert table(out) == whole
    assert not parts_folder(out).exists()


def test_a_run_does_not_go_on_from_another_ones_parts_or_over_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, out = folder(tmp_path / "ecgs", 2), tmp_path / "out.parquet"
    explain(root, out)
    with pytest.raises(CannotBegin, match="there already"):
        explain(root, out)
    out.unlink()
    monkeypatch.setattr(batch_table.Table, "merge", lambda self: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OSError, match="No space"):
        explain(root, out)
    monkeypatch.undo()
    with pytest.raises(OtherRun):
        explain(root, out, wanted=Wanted(measurements=True))
    assert explain(root, out).finished
    (tmp_path / "empty").mkdir()
    with pytest.raises(CannotBegin, match="no ECG"):
        explain(tmp_path / "empty", tmp_path / "none.parquet")


@pytest.mark.skipif(sys.platform != "linux", reason="names there are text")
def test_a_name_that_is_no_text_has_its_row_once(tmp_path: Path) -> None:
    root, out = folder(tmp_path / "ecgs", 2), tmp_path / "out.parquet"
    Path(os.fsdecode(os.fsencode(root) + b"/M\xfcller.xml")).write_text("<letter>Dear colleague</letter>")
    explain(root, out)
    assert [row["file"] for row in table(out)] == ["0/r000.hea", "1/r001.hea", "M\\xfcller.xml"]
    assert table(out)[-1]["status"] == "refused"


def command(root: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "ecgkt", "explain", str(root), "--out", str(out), *more]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_at_random_it_gives_the_table_of_an_uninterrupted_run(tmp_path: Path) -> None:
    """Through the command line on two processes with the shipped model; each kill comes at a random moment."""
    source = next((EXAMPLES / "simulated").rglob("*.hea"))
    root = tmp_path / "ecgs"
    root.mkdir()
    for k in range(100):
        header = source.read_text().replace(source.stem, f"r{k:03d}")
        (root / f"r{k:03d}.hea").write_text(header)
        shutil.copy(source.with_suffix(".dat"), root / f"r{k:03d}.dat")
    short = root / "r050.dat"
    short.write_bytes(short.read_bytes()[:-20])
    whole, out = tmp_path / "whole.parquet", tmp_path / "out.parquet"
    subprocess.run(command(root, whole, "--workers", "2"), cwd=ROOT, check=True, capture_output=True)
    chance = random.Random(7)
    kills = 0
    for _ in range(3):
        run = subprocess.Popen(command(root, out, "--workers", "2"), cwd=ROOT, stderr=subprocess.DEVNULL)
        parts = parts_folder(out)
        until = time.monotonic() + 120
        while not parts.exists() and run.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(chance.uniform(0, 12))
        run.kill()
        kills += run.wait() == -signal.SIGKILL
    assert kills, "it was done before it could be killed"
    if not out.exists():
        subprocess.run(command(root, out, "--workers", "2"), cwd=ROOT, check=True, capture_output=True)
    assert table(out) == table(whole)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
def test_a_full_disk_is_one_sentence_and_the_run_goes_on_when_there_is_room(tmp_path: Path) -> None:
    root, out = folder(tmp_path / "ecgs", 6), tmp_path / "out.parquet"
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); "
    limited += "from ecgkt.__main__ import main; sys.exit(main(sys.argv[1:]))"
    arguments = ["explain", str(root), "--out", str(out), "--workers", "1"]
    full = subprocess.run([sys.executable, "-c", limited, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert full.returncode == 1
    assert "cannot be written" in full.stderr
    assert "Traceback" not in full.stderr
    assert not out.exists()
    assert not [*parts_folder(out).glob("*.parquet")]
    done = subprocess.run(command(root, out), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(table(out)) == 6
