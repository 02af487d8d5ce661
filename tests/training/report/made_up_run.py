"""The folder of a run as training leaves it, without any training: two networks, figures, a data card, a sweep."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from ecgkt.json_records import encode
from tests import made_up_metrics
from tests.training.toy_run import CODES, write_toy
from training.cohort.data_card import Step, write_card
from training.cohort.prepared import load_prepared
from training.config import load_config
from training.train.log import Entry, Gpu

BEGAN = datetime(2026, 11, 26, tzinfo=UTC)
LABELS = {head: [SimpleNamespace(code=code) for code in codes] for head, codes in CODES.items()}
METRICS = made_up_metrics.complete(made_up_metrics.bare(LABELS))


def entries(steps: int, last: int, start: float = 1.0) -> list[Entry]:
    """An entry every 20 steps up to `last`, with a loss that falls; 2 s each, a quarter of that for data."""
    return [
        Entry(
            step=step, steps=steps, at=BEGAN + timedelta(seconds=step), lr=0.01, ecgs_per_s=100.0 + step, seconds=2.0,
            data_s=0.5, model_s=1.25, loss={"findings": start / step, "labs": 2 * start / step},
            watched=0.5 + step / 1000 if step % 40 == 0 else None, gpu=Gpu(memory_gb=3.5, busy=0.6),
        )
        for step in range(20, last + 1, 20)
    ]  # fmt: skip


def write_log(folder: Path, found: list[Entry]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log.jsonl").write_bytes(b"".join(msgspec.json.encode(entry) + b"\n" for entry in found))


def write_stage(folder: Path, record: dict[str, Any] | None, last: int = 160, networks: int = 2) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(networks):
        write_log(folder / f"member_{number}", entries(160, last, 1.0 + number))
    (folder / "config.json").write_text('{"hash": "", "shaped_by": {}}')
    if record is not None:
        (folder / "record.json").write_text(json.dumps(record))


def write_run(folder: Path, evil: str = "", **changes: Any) -> Path:
    """The folder. evil: words put wherever a run's files have any."""
    path = write_toy(folder, **({"name": f"toy{evil}"} | changes))
    prepared = load_prepared(folder / "prepared" / "toy")
    write_card(prepared, [Step(f"listed{evil}", 250, 240, {}), Step("usable", 240, 240, {f"flat{evil}": 10})], [evil])
    info = prepared.info | {"license": f"none{evil}"}
    info["labels"] = {head: [e | {"name": e["name"] + evil} for e in listed] for head, listed in info["labels"].items()}
    (folder / "prepared" / "toy" / "prepared.json").write_text(json.dumps(info))
    config = load_config(path).to_json()
    (folder / "run.json").write_text(json.dumps({"config": config}))
    record = {
        "config": config, "parameters": 12345, "seconds_this_run": 100, "machine": {"python": f"3{evil}"},
        "figures": {"loss": {"findings": [0.5, 0.4], "labs": [0.3, 0.2]}},
    }  # fmt: skip
    write_stage(folder / "stages" / "knowledge_transfer", record)
    write_stage(folder / "stages" / "signal_only", record, networks=0)  # from before there were logs
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "metrics.json").write_bytes(encode(METRICS))
    (folder / "sweeps" / "rates").mkdir(parents=True)
    (folder / "sweeps" / "rates" / "trials.csv").write_text(f"trial,state,validation\n0,complete{evil},0.712345\n")
    return folder
