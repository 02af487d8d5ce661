"""What is known of an ECG's patient near its time, by SQL over views of MIMIC's tables (`tables.add_views`).

All of it starts from the table `ecg` (row, subject_id, ecg_time, hadm_id, ed_stay): one row an ECG.
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from training.cohort.config import Config
from training.cohort.labels import LABS
from training.cohort.prepared import VITALS

Connection = duckdb.DuckDBPyConnection


def lab_items(con: Connection) -> dict[str, int]:
    """Lab -> itemid. `d_labitems` decides: the vocabulary's itemid if it stands there with the same label and fluid,
    else the item that bears this label and fluid, else the lab is left out."""
    items = con.execute(
        "SELECT itemid, lower(trim(label)), lower(trim(fluid)) FROM d_labitems ORDER BY itemid"
    ).fetchall()
    chosen = {}
    for key, lab in LABS.items():
        fits = [i for i, label, fluid in items if (label, fluid) == (lab.mimic_label.lower(), lab.fluid.lower())]
        if fits:
            chosen[key] = lab.itemid if lab.itemid in fits else fits[0]
    return chosen


def nearest(con: Connection, measurements: str, seconds: int, time: str = "ecg_time") -> str:
    """SQL: the measurement nearest to each ECG within +-`seconds`, one per row and item.

    measurements: SQL giving (subject_id, moment TIMESTAMP, tie BIGINT, item VARCHAR, value DOUBLE, low, high). Order:
    |dt|, then the earlier time, then the smaller `tie`. The join is on time slots as wide as the window, so each
    measurement meets only the ECGs near it and `measurements` is read once, as a stream.
    """
    return f"""
        WITH slots AS (
            SELECT row, subject_id, {time} AS moment, epoch({time})::BIGINT // {seconds} + unnest([-1, 0, 1]) AS slot
            FROM ecg
        ), m AS (SELECT *, epoch(moment)::BIGINT // {seconds} AS slot FROM ({measurements})), best AS (
            SELECT s.row, m.item,
                   arg_min({{'lag': epoch(m.moment) - epoch(s.moment), 'value': m.value, 'low': m.low, 'high': m.high}},
                           (abs(epoch(m.moment) - epoch(s.moment)), m.moment, m.tie, m.value)) AS found
            FROM slots s JOIN m ON m.subject_id = s.subject_id AND m.slot = s.slot
            WHERE abs(epoch(m.moment) - epoch(s.moment)) <= {seconds}
            GROUP BY s.row, m.item
        )
        SELECT row, item, found.lag AS lag_seconds, found.value AS value, found.low AS low, found.high AS high
        FROM best"""


def add_nearest_labs(con: Connection, minutes: float) -> list[str]:
    """Make the table `nearest_lab` (row, item, lag_seconds, value, low, high); labs without an item are returned."""
    items = lab_items(con)
    rows = [(item, key, *LABS[key].plausible) for key, item in items.items()]
    con.execute("CREATE OR REPLACE TABLE lab_item (itemid BIGINT, lab VARCHAR, least DOUBLE, most DOUBLE)")
    if rows:
        con.executemany("INSERT INTO lab_item VALUES (?, ?, ?, ?)", rows)
    measurements = """
        SELECT l.subject_id, l.charttime AS moment, l.labevent_id AS tie, i.lab AS item, l.valuenum AS value,
               l.ref_range_lower AS low, l.ref_range_upper AS high
        FROM labevents l JOIN lab_item i ON l.itemid = i.itemid
        WHERE l.valuenum BETWEEN i.least AND i.most"""
    con.execute(f"CREATE OR REPLACE TABLE nearest_lab AS {nearest(con, measurements, round(minutes * 60))}")
    return [lab for lab in LABS if lab not in items]


def lab_limits(con: Connection) -> dict[str, tuple[float, float]]:
    """Lab -> the limits beyond which it is low or high: medians of the reference ranges that came with the nearest
    measurements of the training ECGs (table `split`: row, split), the vocabulary's where the data state none."""
    medians = con.execute(
        "SELECT item, median(low), median(high) FROM nearest_lab JOIN split USING (row) "
        "WHERE split = 'train' GROUP BY item"
    ).fetchall()
    limits = {key: lab.reference for key, lab in LABS.items()}
    for lab, low, high in medians:
        stated = limits[lab]
        limits[lab] = (stated[0] if low is None else low, stated[1] if high is None else high)
    return limits


# Celsius from what was typed: Fahrenheit, Celsius, and either with its decimal point lost (986 for 98.6).
CELSIUS = """CASE WHEN temperature BETWEEN 80 AND 115 THEN (temperature - 32) / 1.8
                  WHEN temperature BETWEEN 800 AND 1150 THEN (temperature / 10 - 32) / 1.8
                  WHEN temperature BETWEEN 25 AND 45 THEN temperature
                  WHEN temperature BETWEEN 250 AND 450 THEN temperature / 10 END"""


def nearest_vitals(con: Connection, config: Config) -> pd.DataFrame:
    """Long table (row, item, lag_seconds, value) from `vitalsign` and from `triage` at the time of arrival."""
    values = ", ".join(VITALS)
    kinds = [
        f"""SELECT subject_id, moment, tie, '{vital}' AS item, {CELSIUS if vital == "temperature" else vital} AS value
            FROM bedside"""
        for vital in VITALS
    ]
    limits = " OR ".join(
        f"(item = '{v}' AND value BETWEEN {config['plausible'][v][0]} AND {config['plausible'][v][1]})" for v in VITALS
    )
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW bedside AS
        SELECT subject_id, charttime AS moment, 0 AS tie, {values} FROM vitalsign
        UNION ALL
        SELECT e.subject_id, e.intime, 1, {values} FROM triage t JOIN edstays e ON e.stay_id = t.stay_id""")
    measurements = f"SELECT *, NULL AS low, NULL AS high FROM ({' UNION ALL '.join(kinds)}) WHERE {limits}"
    return con.execute(nearest(con, measurements, round(config["windows"]["vitals_minutes"] * 60))).df()


def nearest_biometrics(con: Connection, config: Config) -> pd.DataFrame:
    """Long table (row, item, lag_seconds, value) of weight (kg), height (cm) and BMI (kg/m2) from `omr`, nearest day.

    A name without a unit ("Weight") is in pounds or inches like the names with one.
    """
    limits = " OR ".join(
        f"(item = '{b}' AND value BETWEEN {config['plausible'][b][0]} AND {config['plausible'][b][1]})"
        for b in ("weight", "height", "bmi")
    )
    measurements = f"""
        SELECT * FROM (
            SELECT subject_id, date_trunc('day', chartdate) AS moment, seq_num AS tie,
                   CASE WHEN result_name ILIKE 'weight%' THEN 'weight' WHEN result_name ILIKE 'height%' THEN 'height'
                        WHEN result_name ILIKE 'bmi%' THEN 'bmi' END AS item,
                   TRY_CAST(result_value AS DOUBLE) * CASE WHEN result_name ILIKE '%kg)%' OR result_name ILIKE '%(cm)%'
                        OR result_name ILIKE 'bmi%' THEN 1 WHEN result_name ILIKE 'weight%' THEN 0.45359237
                        ELSE 2.54 END AS value, NULL AS low, NULL AS high
            FROM omr
        ) WHERE {limits}"""
    days = round(config["windows"]["biometrics_days"] * 86400)
    return con.execute(nearest(con, measurements, days, "date_trunc('day', ecg_time)")).df()


def spread(long: pd.DataFrame, rows: int, prefix: str, items: list[str]) -> pd.DataFrame:
    """(row, item, value) -> float32 columns PREFIX:item, NaN where there is no value."""
    columns: dict[str, npt.NDArray[np.float32]] = {}
    for item in items:
        column = np.full(rows, np.nan, dtype=np.float32)
        chosen = long[long["item"] == item]
        column[chosen["row"].to_numpy(np.int64)] = chosen["value"].to_numpy(np.float32)
        columns[f"{prefix}:{item}"] = column
    return pd.DataFrame(columns, index=range(rows))
