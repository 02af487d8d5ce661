"""What was measured near an ECG, by SQL over views of MIMIC's tables (`tables.add_views`).

All of it starts from the table `ecg` (row, subject_id, ecg_time): one row an ECG. The defaults of windows and limits
are those of training/configs/cohort.yaml, which training reads in their place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ecgkt import vocabulary
from ecgkt.mimic.tables import VITALS

if TYPE_CHECKING:
    import duckdb

# A measurement counts when it lies this close to the ECG, before or after; the nearest wins.
LAB_MINUTES, VITAL_MINUTES, BIOMETRIC_DAYS = 60.0, 30.0, 30.0
BODY = ("weight", "height", "bmi")
# Limits beyond which a value is a typing error: Celsius (after the repair below), 1/min, 1/min, %, mmHg, mmHg, kg, cm,
# kg/m2. Those of labs are in vocabulary/labs.csv.
PLAUSIBLE: Mapping[str, Sequence[float]] = {
    "temperature": (25, 45), "heartrate": (15, 320), "resprate": (2, 80), "o2sat": (30, 100), "sbp": (30, 300),
    "dbp": (10, 200), "weight": (20, 400), "height": (100, 230), "bmi": (8, 110),
}  # fmt: skip

# Celsius from what was typed: Fahrenheit, Celsius, and either with its decimal point lost (986 for 98.6).
CELSIUS = """CASE WHEN temperature BETWEEN 80 AND 115 THEN (temperature - 32) / 1.8
                  WHEN temperature BETWEEN 800 AND 1150 THEN (temperature / 10 - 32) / 1.8
                  WHEN temperature BETWEEN 25 AND 45 THEN temperature
                  WHEN temperature BETWEEN 250 AND 450 THEN temperature / 10 END"""


def nearest(measurements: str, seconds: int, time: str = "ecg_time") -> str:
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


def lab_items(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Lab -> itemid. `d_labitems` decides: the vocabulary's itemid if it stands there with the same label and fluid,
    else the item that bears this label and fluid, else the lab is left out."""
    items = con.execute(
        "SELECT itemid, lower(trim(label)), lower(trim(fluid)) FROM d_labitems ORDER BY itemid"
    ).fetchall()
    chosen = {}
    for code, lab in vocabulary.labs().items():
        fits = [i for i, label, fluid in items if (label, fluid) == (lab.mimic_label.lower(), lab.fluid.lower())]
        if fits:
            chosen[code] = lab.itemid if lab.itemid in fits else fits[0]
    return chosen


def add_nearest_labs(con: duckdb.DuckDBPyConnection, items: Mapping[str, int], minutes: float = LAB_MINUTES) -> None:
    """Make the table `nearest_lab` (row, item, lag_seconds, value, low, high) of the labs in `items` (lab -> itemid);
    low and high are the reference range that came with the value."""
    labs = vocabulary.labs()
    con.execute("CREATE OR REPLACE TABLE lab_item (itemid BIGINT, lab VARCHAR, least DOUBLE, most DOUBLE)")
    if items:
        rows = [(item, code, *labs[code].plausible) for code, item in items.items()]
        con.executemany("INSERT INTO lab_item VALUES (?, ?, ?, ?)", rows)
    measurements = """
        SELECT l.subject_id, l.charttime AS moment, l.labevent_id AS tie, i.lab AS item, l.valuenum AS value,
               l.ref_range_lower AS low, l.ref_range_upper AS high
        FROM labevents l JOIN lab_item i ON l.itemid = i.itemid
        WHERE l.valuenum BETWEEN i.least AND i.most"""
    con.execute(f"CREATE OR REPLACE TABLE nearest_lab AS {nearest(measurements, round(minutes * 60))}")


def add_nearest_vitals(
    con: duckdb.DuckDBPyConnection,
    minutes: float = VITAL_MINUTES,
    plausible: Mapping[str, Sequence[float]] = PLAUSIBLE,
) -> None:
    """Make the table `nearest_vital` (row, item, lag_seconds, value) from `vitalsign` and from `triage`, which has no
    time of its own and is taken at arrival."""
    columns = ", ".join(VITALS)
    names = ", ".join(f"'{vital}'" for vital in VITALS)
    repaired = ", ".join(CELSIUS if vital == "temperature" else vital for vital in VITALS)
    measurements = f"""
        SELECT *, NULL AS low, NULL AS high FROM (
            SELECT subject_id, moment, tie, unnest([{names}]) AS item, unnest([{repaired}]) AS value FROM (
                SELECT subject_id, charttime AS moment, 0 AS tie, {columns} FROM vitalsign
                UNION ALL
                SELECT e.subject_id, e.intime, 1, {columns} FROM triage t JOIN edstays e ON e.stay_id = t.stay_id
            )
        ) WHERE {_within(plausible, VITALS)}"""
    con.execute(f"CREATE OR REPLACE TABLE nearest_vital AS {nearest(measurements, round(minutes * 60))}")


def add_nearest_biometrics(
    con: duckdb.DuckDBPyConnection,
    days: float = BIOMETRIC_DAYS,
    plausible: Mapping[str, Sequence[float]] = PLAUSIBLE,
) -> None:
    """Make the table `nearest_biometric` (row, item, lag_seconds, value) of weight (kg), height (cm) and BMI (kg/m2)
    from `omr`, nearest day.

    A name without a unit ("Weight") is in pounds or inches like the names with one.
    """
    measurements = f"""
        SELECT * FROM (
            SELECT subject_id, date_trunc('day', chartdate) AS moment, seq_num AS tie,
                   CASE WHEN result_name ILIKE 'weight%' THEN 'weight' WHEN result_name ILIKE 'height%' THEN 'height'
                        WHEN result_name ILIKE 'bmi%' THEN 'bmi' END AS item,
                   TRY_CAST(result_value AS DOUBLE) * CASE WHEN result_name ILIKE '%kg)%' OR result_name ILIKE '%(cm)%'
                        OR result_name ILIKE 'bmi%' THEN 1 WHEN result_name ILIKE 'weight%' THEN 0.45359237
                        ELSE 2.54 END AS value, NULL AS low, NULL AS high
            FROM omr
        ) WHERE {_within(plausible, BODY)}"""
    found = nearest(measurements, round(days * 86400), "date_trunc('day', ecg_time)")
    con.execute(f"CREATE OR REPLACE TABLE nearest_biometric AS {found}")


def _within(plausible: Mapping[str, Sequence[float]], items: Iterable[str]) -> str:
    """SQL: is the value of the item plausible?"""
    return " OR ".join(
        f"(item = '{item}' AND value BETWEEN {plausible[item][0]} AND {plausible[item][1]})" for item in items
    )
