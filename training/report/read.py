"""The folder of a run, finished or not, or of a bundle -> what there is to be shown, and what is missing in words."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ecgkt.model.bundle import CARD_FILE, METRICS_FILE
from ecgkt.model.card import DataSet, Split, read_card
from ecgkt.readers.opening import open_file
from ecgkt.results import names
from ecgkt.results.metrics import Metrics, read_metrics
from ecgkt.results.tables import Table
from training.evaluate.run_metrics import read_run_metrics
from training.report.data_card import Part, read_data_card
from training.train import files
from training.train.log import NAME, Entry, read_log
from training.train.run import MARKER, RECORD, RUN

T = TypeVar("T")
LARGEST = 10_000_000  # bytes of a table of trials or a data card; a trial has some hundred


@dataclass(frozen=True)
class Stage:
    """record: what it left, None while it is not done. logs: network of an ensemble ("" where there is one) -> log."""

    name: str
    record: dict[str, Any] | None
    logs: dict[str, list[Entry]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        if self.name.startswith("pretrain"):
            return "Stage 1" + self.name.removeprefix("pretrain").replace("_", ": ", 1)
        return names.title(self.name)

    @property
    def state(self) -> str:
        if self.record is not None:
            return "done"
        latest = [entries[-1] for entries in self.logs.values() if entries]
        if not latest:
            return "begun"
        done = sum(entry.step == entry.steps for entry in latest)
        at = ", ".join(f"step {e.step:,} of {e.steps:,}" for e in latest if e.step < e.steps)
        return "; ".join(filter(None, (f"networks trained: {done}" if done else "", at)))


@dataclass(frozen=True)
class Run:
    """config: the run's settings, {} where nothing tells them. labels: code -> name. cards: data set -> its data card.
    sweeps: name -> table of trials. missing: a sentence each."""

    name: str
    config: dict[str, Any]
    data: list[DataSet]
    stages: list[Stage]
    metrics: Metrics | None
    labels: dict[str, str] = field(default_factory=dict)
    cards: dict[str, list[Part]] = field(default_factory=dict)
    sweeps: dict[str, Table] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def read_run(folder: Path) -> Run:
    """Raises ValueError where the folder is neither a run's nor a bundle's."""
    if (folder / CARD_FILE).exists():
        return _bundle(folder)
    if not any((folder / part).exists() for part in (RUN, "stages", "prepared")):
        raise ValueError(f"{folder} is neither the folder of a run nor that of a bundle.")
    return _run(folder)


def _bundle(folder: Path) -> Run:
    card = read_card((folder / CARD_FILE).read_bytes())
    stages = [
        Stage(name, {"parameters": stage.parameters, "seconds_this_run": stage.seconds_this_run})
        for name, stage in card.stages.items()
    ]
    labels = {entry.code: entry.name for entries in card.labels.values() for entry in entries}
    missing = ["A bundle holds no loss curves and no data cards; they stay with the run that it was made from."]
    metrics = read_metrics((folder / METRICS_FILE).read_bytes())
    return Run(f"{card.name} (bundle)", card.config, card.training_data, stages, metrics, labels, missing=missing)


def _run(folder: Path) -> Run:
    missing: list[str] = []

    def tried(read: Callable[[], T], absent: str) -> T | None:
        try:
            return read()
        except FileNotFoundError:
            missing.append(absent)
        except ValueError as error:  # damaged, or of another version
            missing.append(str(error))
        return None

    stages = [_stage(place, tried) for place in sorted((folder / "stages").glob("*")) if (place / MARKER).exists()]
    stages.sort(key=_place)
    if not stages:
        missing.append("No network has been trained yet.")
    missing += [f"{stage.title} is not done: {stage.state}." for stage in stages if stage.record is None]
    if any(stage.record is not None and not stage.logs for stage in stages):
        missing.append(
            "Stages without a log were trained before there were logs: only the mean of their networks is known."
        )
    config = _config(folder, stages)
    data: list[DataSet] = []
    labels: dict[str, str] = {}
    cards: dict[str, list[Part]] = {}
    for place in sorted((folder / "prepared").glob("*/prepared.json")):
        found = tried(lambda place=place: _prepared(place, config), "")  # type: ignore[misc]
        if found is None:
            continue
        data.append(found[0])
        labels |= found[1]
        card = tried(
            lambda place=place: _text(place.parent / "data_card.md"),  # type: ignore[misc]
            f"The set {found[0].name} has no data card.",
        )
        cards |= {found[0].name: read_data_card(card)} if card else {}
    if not data:
        missing.append("No data set has been prepared yet.")
    name = str(config.get("name", folder.resolve().name))
    metrics = tried(lambda: read_run_metrics(folder, name), "Nothing has been evaluated yet, so there are no figures.")
    sweeps: dict[str, Table] = {}
    for place in sorted((folder / "sweeps").glob("*/trials.csv")):
        trials = tried(lambda place=place: _trials(place), "")  # type: ignore[misc]
        sweeps |= {place.parent.name: trials} if trials else {}
    return Run(name, config, data, stages, metrics, labels, cards, sweeps, missing)


def _stage(folder: Path, tried: Callable[[Callable[[], Any], str], Any]) -> Stage:
    record = None
    if (folder / RECORD).exists():
        record = tried(lambda: files.read_json(folder / RECORD), "")
    logs = {"": read_log(folder / NAME)}
    members = [(place.parent.name.removeprefix("member_"), place) for place in folder.glob(f"member_*/{NAME}")]
    for number, place in sorted((int(name), place) for name, place in members if name.isascii() and name.isdigit()):
        logs[f"network {number + 1}"] = read_log(place)
    return Stage(folder.name, record, {name: entries for name, entries in logs.items() if entries})


def _place(stage: Stage) -> tuple[int, str]:
    """Stage 1 first, then the networks as figures have them, teachers last."""
    known = ["pretrain", *names.NETWORKS]
    first = stage.name.partition("_")[0] if stage.name.startswith("pretrain") else stage.name
    return known.index(first) if first in known else len(known), stage.name


def _config(folder: Path, stages: list[Stage]) -> dict[str, Any]:
    """The config that the run was last trained with; of older runs, of a stage that is done."""
    try:
        found: dict[str, Any] = files.read_json(folder / RUN)["config"]
        return found
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        records = [stage.record for stage in reversed(stages) if stage.record]
        return next((record["config"] for record in records if "config" in record), {})


def _prepared(file: Path, config: dict[str, Any]) -> tuple[DataSet, dict[str, str]]:
    """A prepared set and the names of its labels by code. Raises FileNotFoundError and Damaged."""
    info = files.read_json(file)
    try:
        labels = {entry["code"]: entry["name"] for entries in info["labels"].values() for entry in entries}
        return _data_set(info, config), labels
    except (KeyError, TypeError, AttributeError) as error:
        raise files.Damaged(f"{file} is damaged: it describes no prepared set.") from error


def _data_set(info: dict[str, Any], config: dict[str, Any]) -> DataSet:
    used = {source["name"]: bool(source.get("pretrain", True)) for source in config.get("sources", [])}
    return DataSet(
        name=info["name"], source=info["source"], simulated=bool(info["simulated"]), patients=info["patients"],
        ecgs=info["ecgs"], splits={name: Split(**sizes) for name, sizes in info["splits"].items()},
        license=info.get("license"), note=info.get("note"), fingerprint=info["fingerprint"],
        used_in_stage_1=used.get(info["name"], False),
    )  # fmt: skip


def _trials(path: Path) -> Table:
    """Raises Damaged for what is no table."""
    try:
        header, *rows = list(csv.reader(io.StringIO(_text(path), newline=""), strict=True))
        if any(len(row) != len(header) for row in rows):
            raise ValueError("Its rows are not equally long.")
    except (csv.Error, ValueError) as error:
        raise files.Damaged(f"{path} is damaged: it is no table of trials.") from error
    return Table(header, rows, "By the best look at the validation patients; the best is in best.yaml beside it.")


def _text(path: Path) -> str:
    """Raises FileNotFoundError, and Damaged for what is no text."""
    with open_file(path) as file:
        content = file.read(LARGEST + 1)
    try:
        if len(content) <= LARGEST:
            return content.decode()
    except UnicodeDecodeError:
        pass
    raise files.Damaged(f"{path} is damaged: it is no text in UTF-8, or longer than any such file.")
