"""The sides of benchmarks/preparation.py, each run in a process of its own, and the checks that they agree.

    python -m benchmarks.preparation_sides SIDE DATA OUT

DATA was made by benchmarks/mimic_shaped. A side leaves its result in OUT and OUT/measured.json: seconds (wall and
processor) of the work itself, imports left out, and the largest process's peak memory. A check reads both sides'
results and ends with an error when they differ by more than it allows.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import wfdb
import yaml
from scipy.signal import resample_poly

from ecgkt import vocabulary
from ecgkt.datasets.mimic.clinical import add_nearest_labs, lab_items
from ecgkt.datasets.mimic.tables import add_view, connect
from ecgkt.ecg import ECG, LEADS
from ecgkt.model.preprocessing import MODEL_RATE, MODEL_SAMPLES, model_view
from training.cohort.config import load_config
from training.cohort.mimic.labevents import keep_labs
from training.cohort.prepared import open_signals
from training.cohort.signals.convert import Limits, RecordFiles, Records, convert_all
from training.cohort.signals.zip_archive import zipped_records

ROUNDS = 4  # of the records by two workers, whose start (a second each) is nothing at full size
MOST_MICROVOLTS = 1  # by which the two ways may differ in a sample: both round to whole microvolts
LABEVENTS = "unpacked/mimic-iv/hosp/labevents.csv.gz"
PROCESSES = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
RECORD_LIST = "unpacked/mimic-iv-ecg/record_list.csv"


@contextmanager
def measured(out: Path, count: int) -> Iterator[None]:
    """Time the block and write OUT/measured.json. count: records or rows it works through."""
    wall, processor = time.perf_counter(), _processor()
    yield
    seconds = {"seconds": time.perf_counter() - wall, "processor_seconds": _processor() - processor}
    peak = max(resource.getrusage(who).ru_maxrss for who in PROCESSES) * 1024
    (out / "measured.json").write_text(json.dumps({**seconds, "count": count, "peak_bytes": peak}))


def _processor() -> float:
    """Processor time (s) of this process and of the workers that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in PROCESSES)


def _made(data: Path) -> dict[str, Any]:
    return json.loads((data / "data.json").read_text(encoding="utf-8"))


def _names(data: Path) -> list[str]:
    """Paths, below the folder of record_list and without suffix, of the records that have files."""
    return pd.read_csv(data / RECORD_LIST, usecols=["path"], nrows=_made(data)["files"])["path"].tolist()


def _convert(records: Records, out: Path, workers: int = 1) -> None:
    reasons = convert_all(records, out, Limits.of(load_config()), workers)
    assert not any(reasons), f"left out: {set(reasons)}"


def signals_own(data: Path, out: Path) -> None:
    names = _names(data)
    with measured(out, len(names)):
        _convert(RecordFiles(str((data / RECORD_LIST).parent), names), out)


def signals_zipped(data: Path, out: Path, workers: int = 1, rounds: int = 1) -> None:
    names, packed = _names(data) * rounds, next((data / "zipped").glob("*.zip"))
    with measured(out, len(names)):
        _convert(zipped_records(packed, f"{packed.stem}/", names), out, workers)


def signals_wfdb(data: Path, out: Path) -> None:
    names, folder = _names(data), (data / RECORD_LIST).parent
    with measured(out, len(names)):
        views = []
        for name in names:
            record = wfdb.rdrecord(str(folder / name))
            signal = record.p_signal.T[[record.sig_name.index(lead) for lead in LEADS]]
            resampled = resample_poly(signal, MODEL_RATE, record.fs, axis=1, padtype="line")
            view = model_view(ECG(resampled.astype(np.float32), MODEL_RATE))[:, :MODEL_SAMPLES]
            views.append(np.rint(view * 1000).astype(np.int16))
        np.save(out / "signals.npy", np.stack(views))


def workers_check(one: Path, two: Path) -> None:
    if (one / "signals.i16").read_bytes() * ROUNDS != (two / "signals.i16").read_bytes():
        raise SystemExit("Two workers gave other signals than one.")


def signals_check(files: Path, zipped: Path, other: Path) -> dict[str, Any]:
    mine, theirs = open_signals(files / "signals.i16"), np.load(other / "signals.npy", mmap_mode="r")
    if mine.shape != theirs.shape or not np.array_equal(mine, open_signals(zipped / "signals.i16")):
        raise SystemExit("The unpacked files and the zip gave different signals, or not all records were converted.")
    most = max(int(np.abs(a.astype(np.int32) - b).max()) for a, b in zip(mine, theirs, strict=True))
    if most > MOST_MICROVOLTS:
        raise SystemExit(f"The two ways differ by {most} uV.")
    return {"records": len(mine), "largest_difference_uv": most}


def labs_own(data: Path, out: Path) -> None:
    _labs(data, out, out)


def labs_kept(data: Path, out: Path) -> None:
    """A second preparation: the rows that `labs_own` kept are there."""
    _labs(data, out, out.parent / "labs_own")


def _labs(data: Path, out: Path, kept: Path) -> None:
    settings, made = load_config(), _made(data)
    duck = settings["duckdb"]
    with measured(out, made["lab_rows"]), connect(duck["memory_limit"], int(duck["threads"]), out / "spill") as con:
        for table in ("record_list", "d_labitems", "labevents"):
            add_view(con, data / "unpacked", table)
        con.execute("""CREATE TABLE ecg AS SELECT study_id, subject_id, ecg_time,
                       row_number() OVER (ORDER BY subject_id, ecg_time, study_id) - 1 AS row FROM record_list""")
        items = lab_items(con)
        keep_labs(con, data / "unpacked", list(items.values()), kept, int(duck["threads"]))
        add_nearest_labs(con, items, settings["windows"]["labs_minutes"])
        found = "SELECT study_id, item, lag_seconds, value, low, high FROM nearest_lab JOIN ecg USING (row)"
        con.execute(f"COPY ({found}) TO '{out}/labs.parquet'")


def labs_pandas(data: Path, out: Path) -> None:
    minutes, made, labs = load_config()["windows"]["labs_minutes"], _made(data), vocabulary.labs()
    with measured(out, made["lab_rows"]):
        events = pd.read_csv(
            data / LABEVENTS,
            usecols=["subject_id", "itemid", "charttime", "valuenum", "ref_range_lower", "ref_range_upper"],
            parse_dates=["charttime"],
        )
        ecgs = pd.read_csv(
            data / RECORD_LIST, usecols=["subject_id", "study_id", "ecg_time"], parse_dates=["ecg_time"]
        ).sort_values("ecg_time")
        found = []
        for lab in labs.values():
            values = events[(events["itemid"] == lab.itemid) & events["valuenum"].between(*lab.plausible)]
            near = pd.merge_asof(
                ecgs,
                values.sort_values("charttime"),
                left_on="ecg_time",
                right_on="charttime",
                by="subject_id",
                direction="nearest",
                tolerance=pd.Timedelta(minutes=minutes),
            ).dropna(subset=["valuenum"])
            found.append(near.assign(item=lab.code))
        table = pd.concat(found)
        table["lag_seconds"] = (table["charttime"] - table["ecg_time"]).dt.total_seconds()
        names = {"valuenum": "value", "ref_range_lower": "low", "ref_range_upper": "high"}
        table = table.rename(columns=names)[["study_id", "item", "lag_seconds", "value", "low", "high"]]
        table.to_parquet(out / "labs.parquet", index=False)


def labs_check(data: Path, own: Path, other: Path) -> dict[str, Any]:
    with connect(threads=2) as con:
        con.execute(f"""CREATE TABLE joined AS
            SELECT study_id, item, a.lag_seconds AS lag_seconds, a.value AS own, b.value AS other,
                   coalesce(abs(a.lag_seconds) = abs(b.lag_seconds), false) AS as_near
            FROM '{own}/labs.parquet' a FULL JOIN '{other}/labs.parquet' b USING (study_id, item)""")
        found, wrong = con.execute("SELECT count(*), count(*) FILTER (NOT as_near) FROM joined").fetchall()[0]
        con.execute("CREATE TABLE different AS FROM joined WHERE as_near AND own <> other")
        ties = con.execute("SELECT count(*) FROM different").fetchall()[0][0]
        proven = _count_ties(con, data) if ties else 0
    if not found or wrong or proven != ties:
        raise SystemExit(f"Of {found} values {wrong} are not as near, and {ties - proven} differ without a tie.")
    return {"values": found, "ties": ties}


def _count_ties(con: duckdb.DuckDBPyConnection, data: Path) -> int:
    """How many rows of `different` are ties: both values lie equally near the ECG."""
    for table in ("record_list", "labevents"):
        add_view(con, data / "unpacked", table)
    items = pd.DataFrame([(lab.code, lab.itemid) for lab in vocabulary.labs().values()], columns=["lab", "itemid"])
    con.register("code", items)
    return con.execute("""SELECT count(*) FROM (
        SELECT study_id, item FROM different d JOIN record_list r USING (study_id) JOIN code c ON c.lab = d.item
        JOIN labevents l ON l.subject_id = r.subject_id AND l.itemid = c.itemid
        WHERE abs(epoch(l.charttime) - epoch(r.ecg_time)) = abs(d.lag_seconds)
        GROUP BY ALL HAVING bool_or(l.valuenum = d.own) AND bool_or(l.valuenum = d.other))""").fetchall()[0][0]


def _whole(data: Path, out: Path, source: str) -> None:
    from training.cohort.mimic.prepare import (
        prepare_mimic,
    )  # 200 MB of code lists, which would hide what the others need

    config = out / "config.yaml"
    config.write_text(yaml.safe_dump({"signals": {"workers": 1}}))
    with measured(out, _made(data)["files"]):
        prepared = prepare_mimic(data / source, out / "prepared", config)
    assert len(prepared) > 0


SIDES: dict[str, Callable[[Path, Path], None]] = {
    "signals_own": signals_own,
    "signals_zipped": signals_zipped,
    "signals_both_cores": lambda data, out: signals_zipped(data, out, 2, ROUNDS),
    "signals_wfdb": signals_wfdb,
    "labs_own": labs_own,
    "labs_kept": labs_kept,
    "labs_pandas": labs_pandas,
    "whole_unpacked": lambda data, out: _whole(data, out, "unpacked"),
    "whole_zipped": lambda data, out: _whole(data, out, "zipped"),
}


def main() -> None:
    side, data, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if side == "check":
        workers_check(out / "signals_zipped", out / "signals_both_cores")
        agreed = {
            "signals": signals_check(out / "signals_own", out / "signals_zipped", out / "signals_wfdb"),
            "labs": labs_check(data, out / "labs_own", out / "labs_pandas"),
            "kept": labs_check(data, out / "labs_kept", out / "labs_pandas"),
        }
        (out / "agreed.json").write_text(json.dumps(agreed))
        return
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    SIDES[side](data, out)


if __name__ == "__main__":
    main()
