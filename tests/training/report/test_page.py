"""The page of a run: it holds what the run's files hold, says what is missing, and is nothing but text and pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from ecgkt.json_records import encode
from ecgkt.model.default_bundle import DEFAULT_BUNDLE
from ecgkt.results import numbers
from ecgkt.results.metrics import read_metrics
from tests.training.report.made_up_run import METRICS, write_run, write_stage
from training.__main__ import main
from training.report import compare, sections
from training.report.page import render
from training.report.read import read_run

VOID = {"meta", "br", "hr", "img", "input", "link"}
EVIL = '<script>alert("1")</script>'


class Page(HTMLParser):
    """tags: all of them; words: all text outside the style; links: what is referred to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == [], "every tag is closed"

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name in ("src", "href", "data", "action", "xlink:href"):
                self.links.append(value or "")
            if name == "id":
                assert value not in self.anchors
                self.anchors.add(value or "")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words.append(data)
        if self._open and self._open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def page(run: Path) -> Page:
    return Page(render(read_run(run)))


def test_it_loads_nothing_runs_nothing_and_its_links_lead_to_its_own_parts(run: Path, page: Page) -> None:
    assert not {"script", "iframe", "img", "link", "object", "form"} & set(page.tags)
    assert page.links
    assert {link.removeprefix("#") for link in page.links} <= page.anchors
    style = render(read_run(run)).split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_it_tells_figures_curves_times_and_data(page: Page) -> None:
    assert numbers.interval(METRICS.models["knowledge_transfer"]["findings"].macro_auroc) in page.text
    assert numbers.interval(METRICS.tail[1].knowledge_transfer) in page.text
    assert numbers.percent_interval(METRICS.gap_closed) in page.text
    assert numbers.interval(METRICS.calibration["findings"]["real"].ece_debiased) in page.text
    for words in ("Loss, findings", "Loss, labs", "Macro AUROC of diagnoses, validation", "network 2"):
        assert words in page.text, words
    assert ["0", "complete", "0.712345"] in page.rows
    assert [words for words in page.words if words.startswith("10 left out")] == ["10 left out: flat"]
    assert "250 ECGs listed, 240 patients" in page.text
    assert ["I48", "I48", "Heart"] in [row[:3] for row in page.rows], "the data card's tables are there, folded"
    assert ["augment.gain", "0.0"] in page.rows


def test_times_are_the_sums_of_the_logs_of_all_networks(run: Path) -> None:
    """Two networks of eight entries, 2 s each."""
    transfer, before = sections.times(read_run(run)).rows
    assert transfer[:7] == ("Knowledge transfer", "done", "12,345", "32 s", "25%", "62%", "190")
    assert transfer[7:] == ("60%, 3.5 GB", "2 min")
    assert before[3:7] == (numbers.NONE,) * 4, "a stage from before there were logs"


def test_what_files_say_is_never_markup(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", EVIL)
    other = write_run(tmp_path / "other", EVIL, lr=0.5)
    html = render(read_run(run), read_run(other))
    made = Page(html)
    assert "script" not in made.tags
    for words in (f"listed{EVIL}", f"flat{EVIL}", f"none{EVIL}", f"complete{EVIL}", f"toy{EVIL}", f"python 3{EVIL}"):
        assert " ".join(words.split()) in made.text, words


def test_an_unfinished_run_shows_what_is_there_and_says_what_is_not(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    shutil.rmtree(run / "evaluation")
    shutil.rmtree(run / "stages")
    write_stage(run / "stages" / "knowledge_transfer", None, last=60, networks=1)
    with (run / "stages" / "knowledge_transfer" / "member_0" / "log.jsonl").open("ab") as file:
        file.write(b'{"step":80,"ste')  # being written
    made = Page(render(read_run(run)))
    assert "Knowledge transfer is not done: step 60 of 160." in made.text
    assert "Nothing has been evaluated yet, so there are no figures." in made.text
    assert "Loss, findings" in made.text
    shutil.rmtree(run / "stages")
    shutil.rmtree(run / "prepared")
    made = Page(render(read_run(run)))
    assert "No network has been trained yet." in made.text
    assert "No data set has been prepared yet." in made.text


def test_a_damaged_file_is_named_and_the_rest_is_shown(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    for name in ("stages/knowledge_transfer/record.json", "evaluation/metrics.json"):
        (run / name).write_bytes((run / name).read_bytes()[:50])
    made = Page(render(read_run(run)))
    assert "record.json is damaged" in made.text
    assert "metrics.json is damaged" in made.text
    assert "Loss, findings" in made.text


@pytest.mark.parametrize("content", ["[1]", "[" * 100_000, '{"name": "a"}', '{"labels": {"labs": [1]}}', "null"])
def test_what_describes_no_run_or_set_is_named(tmp_path: Path, content: str) -> None:
    run = write_run(tmp_path)
    (prepared,) = (run / "prepared").glob("*/prepared.json")
    for file in (prepared, run / "run.json"):
        file.write_text(content)
    assert "prepared.json is damaged" in Page(render(read_run(run))).text


@pytest.mark.parametrize("content", [b"\xff\xfe\n", b"a,b\n1\n", b'a,b\n"1', b"", b"a\0b\n" + b"x" * 200_000 + b",1\n"])
def test_a_table_of_trials_that_is_none_is_named_and_the_rest_is_shown(tmp_path: Path, content: bytes) -> None:
    run = write_run(tmp_path)
    (run / "sweeps" / "rates" / "trials.csv").write_bytes(content)
    (card,) = (run / "prepared").glob("*/data_card.md")
    card.write_bytes(b"\xff")
    (run / "stages" / "knowledge_transfer" / "member_x").mkdir()
    (run / "stages" / "knowledge_transfer" / "member_x" / "log.jsonl").write_text("")
    made = Page(render(read_run(run)))
    assert "trials.csv is damaged: it is no table of trials." in made.text
    assert "data_card.md is damaged" in made.text
    assert "codec" not in made.text
    assert "Loss, findings" in made.text


def test_differences_are_those_of_settings_data_and_figures(tmp_path: Path, run: Path) -> None:
    other = write_run(
        tmp_path, lr=0.5, augment={"shift_s": 1.0, "gain": 0.0, "lead_gain": 0.0, "noise_mv": 0.0, "table_dropout": 0.0}
    )
    models = dict(METRICS.models)
    models["multimodal"] = models["signal_only"]
    models["signal_only"] = {
        "findings": msgspec.structs.replace(models["signal_only"]["findings"], macro_auroc=(0.9, 0.85, 0.95))
    }
    changed = msgspec.structs.replace(METRICS, models=models)
    (other / "evaluation" / "metrics.json").write_bytes(encode(changed))
    info = json.loads((other / "prepared" / "toy" / "prepared.json").read_text()) | {"fingerprint": "0" * 64}
    (other / "prepared" / "toy" / "prepared.json").write_text(json.dumps(info))
    here, there = read_run(run), read_run(other)
    rows = {row[0]: row[1:] for row in compare.settings(here, there).rows}
    assert rows["lr"] == (str(here.config["lr"]), "0.5")
    assert rows["augment.shift_s"] == ("0.0", "1.0")
    assert set(rows) <= {"lr", "augment.shift_s", "out"}
    assert ["The set toy is another in each" in said for said in compare.data(here, there)] == [True]
    table, only = compare.figures(here, there)
    found = {row[0]: row[1:] for row in table.rows}
    assert found["Signal only, findings"] == (
        "0.712 (0.600 to 0.800)", "0.900 (0.850 to 0.950)", "−0.188", "do not overlap: lower",
    )  # fmt: skip
    assert found["Knowledge transfer, findings"][2:] == ("0.000", "overlap")
    assert [table.rows[number][0] for number in table.marked] == ["Signal only, findings"]
    assert any(said.startswith(f"Only in {here.name}: Signal only, diagnoses") for said in only)
    assert any("Multimodal, labs" in said for said in only)
    assert "do not overlap: lower" in Page(render(here, there)).text


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ((0.7, 0.6, 0.8), (0.75, 0.7, 0.8), "overlap"),
        ((0.7, 0.6, 0.8), (0.9, 0.8, 0.95), "overlap"),
        ((0.7, 0.6, 0.8), (0.9, 0.81, 0.95), "do not overlap: lower"),
        ((0.7, 0.6, 0.8), (0.5, 0.4, 0.59), "do not overlap: higher"),
    ],
)
def test_intervals_overlap_where_they_share_a_value(
    first: tuple[float, float, float], second: tuple[float, float, float], words: str
) -> None:
    assert compare.apart(first, second) == words


def test_a_run_is_held_against_the_bundle_that_ships(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert main(["report", "--run", str(run), "--against", str(DEFAULT_BUNDLE), "--out", str(out)]) == 0
    shipped = read_metrics((DEFAULT_BUNDLE / "metrics.json").read_bytes())
    made = Page(out.read_text())
    (row,) = (row for row in made.rows if row[0] == "Share of the gap to multimodal closed")
    assert row[1:3] == [numbers.interval(METRICS.gap_closed), numbers.interval(shipped.gap_closed)]
    assert "default (bundle)" in made.text
    assert main(["report", "--run", str(DEFAULT_BUNDLE), "--out", str(out)]) == 0
    alone = Page(out.read_text()).text
    assert numbers.interval(shipped.models["knowledge_transfer"]["diagnoses"].macro_auroc) in alone
    assert "A bundle holds no loss curves" in alone


def test_what_is_no_run_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--run", str(tmp_path), "--out", str(tmp_path / "report.html")]) == 2
    said = capsys.readouterr().err
    assert "neither the folder of a run nor that of a bundle" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "report.html").exists()
