"""What was measured near an ECG, by SQL over views of MIMIC's tables (`tables.add_views`).

All of it starts from the table `ecg` (row, subject_id, ecg_time): one row an ECG. The defaults of windows and limits
are those of training/configs/cohort.yaml, which training reads in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ecgkt import vocabulary
from ecgkt.datasets.mimic.tables import VITALS
from ecgkt.datasets.mimic.units import factors, same_spelling

if TYPE_CHECKING:
    import duckdb

# A measurement counts when it lies this close to the ECG, before or after; the nearest wins.
LAB_MINUTES, VITAL_MINUTES, BIOMETRIC_DAYS = 60.0, 30.0, 30.0
# Limits beyond which a value is a typing error: Celsius (after the repair below), 1/min, 1/min, %, mmHg, mmHg, kg, cm,
# kg/m2. Those of labs are in vocabulary/labs.csv.
PLAUSIBLE: Mapping[str, Sequence[float]] = {
    "temperature": (25, 45), "heartrate": (15, 320), "resprate": (2, 80), "o2sat": (30, 100), "sbp": (30, 300),
    "dbp": (10, 200), "weight": (20, 400), "height": (100, 230), "bmi": (8, 110),
}  # fmt: skip

# (condition, Celsius, what was repaired): temperature as typed, in Fahrenheit, in Celsius, and either with its decimal
# point lost (986 for 98.6).
_TEMPERATURES = (
    ("{0} BETWEEN 80 AND 115", "({0} - 32) / 1.8", "Fahrenheit"),
    ("{0} BETWEEN 800 AND 1150", "({0} / 10 - 32) / 1.8", "Fahrenheit without decimal point"),
    ("{0} BETWEEN 250 AND 450", "{0} / 10", "Celsius without decimal point"),
)
SLICE = 50_000  # ECGs whose nearest measurements are sought at once: what bounds the memory of the search


def celsius(temperature: str) -> tuple[str, str]:
    """SQL: a temperature in Celsius, and what of it was repaired. temperature: a column's name."""
    made = [f"WHEN {when} THEN {then}".format(temperature) for when, then, _ in _TEMPERATURES]
    repaired = [f"WHEN {when} THEN '{note}'".format(temperature) for when, _, note in _TEMPERATURES]
    return f"CASE {' '.join(made)} ELSE {temperature} END", f"CASE {' '.join(repaired)} ELSE '' END"


def near(measurements: str, seconds: int, time: str = "ecg_time") -> str:
    """SQL (row, item, lag, tie, value, low, high, note): the measurements within +-`seconds` of each ECG.

    measurements: SQL giving (subject_id, moment TIMESTAMP, tie BIGINT, item VARCHAR, value DOUBLE, low, high, note).
    The join is on time slots as wide as the window, so each measurement meets only the ECGs near it and `measurements`
    is read once, as a stream.
    """
    return f"""
        WITH slots AS (
            SELECT row, subject_id, {time} AS moment, epoch({time})::BIGINT // {seconds} + unnest([-1, 0, 1]) AS slot
            FROM ecg
        ), m AS (SELECT *, epoch(moment)::BIGINT // {seconds} AS slot FROM ({measurements}) WHERE value IS NOT NULL)
        SELECT s.row, m.item, epoch(m.moment) - epoch(s.moment) AS lag, m.tie, m.value, m.low, m.high, m.note
        FROM slots s JOIN m ON m.subject_id = s.subject_id AND m.slot = s.slot
        WHERE abs(epoch(m.moment) - epoch(s.moment)) <= {seconds}"""


def nearest(measurements: str) -> str:
    """SQL (row, item, lag_seconds, value, low, high): of what is `near`, the nearest for each row and item.

    Order: |lag|, then the earlier time, then the smaller `tie`, then the smaller value.
    """
    return f"""
        SELECT row, item, lag AS lag_seconds, value, low, high FROM ({measurements})
        QUALIFY row_number() OVER (PARTITION BY row, item ORDER BY abs(lag), lag, tie, value, low, high) = 1"""


def add_nearest(
    con: duckdb.DuckDBPyConnection,
    kind: str,
    near_ecgs: str,
    plausible: Mapping[str, Sequence[float]],
    factor: Callable[[str, str], float | None],
) -> None:
    """Make `nearest_KIND` (row, item, lag_seconds, value, low, high) from the SQL `near_ecgs`, and `measured_KIND`
    (item, note, factor, measurements, implausible): how many lay near an ECG, counted once for each ECG.

    factor: (item, note) -> what values, low and high are multiplied with; None where they cannot be used.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE near_ecgs AS {near_ecgs}")
    notes = con.execute("SELECT DISTINCT item, note FROM near_ecgs ORDER BY ALL").fetchall()
    con.execute("CREATE OR REPLACE TEMP TABLE scale (item VARCHAR, note VARCHAR, factor DOUBLE, a DOUBLE, b DOUBLE)")
    if notes:
        rows = [(item, note, factor(item, note), *plausible[item]) for item, note in notes]
        con.executemany("INSERT INTO scale VALUES (?, ?, ?, ?, ?)", rows)
    con.execute(f"""CREATE OR REPLACE TABLE measured_{kind} AS
        SELECT item, note, factor, count(*) AS measurements,
               count(*) FILTER (WHERE NOT value * factor BETWEEN a AND b) AS implausible
        FROM near_ecgs JOIN scale USING (item, note) GROUP BY ALL ORDER BY ALL""")
    usable = """SELECT row, item, lag, tie, value * factor AS value, low * factor AS low, high * factor AS high
                FROM near_ecgs JOIN scale USING (item, note) WHERE value * factor BETWEEN a AND b"""
    con.execute(f"CREATE OR REPLACE TABLE nearest_{kind} AS {nearest(usable + ' AND false')}")
    last = con.execute("SELECT coalesce(max(row), -1) FROM near_ecgs").fetchall()[0][0]
    for first in range(0, last + 1, SLICE):
        part = f"{usable} AND row >= {first} AND row < {first + SLICE}"
        con.execute(f"INSERT INTO nearest_{kind} {nearest(part)}")
    con.execute("DROP TABLE near_ecgs")


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
    """Make the tables `nearest_lab` and `measured_lab` (see `add_nearest`) of the labs in `items` (lab -> itemid).

    low and high are the reference range that came with the value; note is the unit. All are in the lab's own unit; a
    value in a unit that units.csv does not know is left out.
    """
    con.execute("CREATE OR REPLACE TABLE lab_item (itemid BIGINT, lab VARCHAR)")
    if items:
        con.executemany("INSERT INTO lab_item VALUES (?, ?)", [(item, code) for code, item in items.items()])
    measurements = """
        SELECT l.subject_id, l.charttime AS moment, l.labevent_id AS tie, i.lab AS item, l.valuenum AS value,
               l.ref_range_lower AS low, l.ref_range_upper AS high, coalesce(l.valueuom, '') AS note
        FROM labevents l JOIN lab_item i ON l.itemid = i.itemid"""
    plausible = {code: lab.plausible for code, lab in vocabulary.labs().items()}
    found = near(measurements, round(minutes * 60))
    add_nearest(con, "lab", found, plausible, lambda lab, unit: factors().get((lab, same_spelling(unit))))


def add_nearest_vitals(
    con: duckdb.DuckDBPyConnection,
    minutes: float = VITAL_MINUTES,
    plausible: Mapping[str, Sequence[float]] = PLAUSIBLE,
) -> None:
    """Make the tables `nearest_vital` and `measured_vital` (see `add_nearest`) from `vitalsign` and from `triage`,
    which has no time of its own and is taken at arrival. note: what of a temperature was repaired."""
    columns = ", ".join(VITALS)
    names = ", ".join(f"'{vital}'" for vital in VITALS)
    made, note = celsius("temperature")
    values = ", ".join(made if vital == "temperature" else vital for vital in VITALS)
    repaired = ", ".join(note if vital == "temperature" else "''" for vital in VITALS)
    measurements = f"""
        SELECT subject_id, moment, tie, unnest([{names}]) AS item, unnest([{values}]) AS value, NULL AS low,
               NULL AS high, unnest([{repaired}]) AS note
        FROM (SELECT subject_id, charttime AS moment, 0 AS tie, {columns} FROM vitalsign
              UNION ALL
              SELECT e.subject_id, e.intime, 1, {columns} FROM triage t JOIN edstays e ON e.stay_id = t.stay_id)"""
    add_nearest(con, "vital", near(measurements, round(minutes * 60)), plausible, lambda *_: 1.0)


def add_nearest_biometrics(
    con: duckdb.DuckDBPyConnection,
    days: float = BIOMETRIC_DAYS,
    plausible: Mapping[str, Sequence[float]] = PLAUSIBLE,
) -> None:
    """Make the tables `nearest_biometric` and `measured_biometric` (see `add_nearest`) of weight (kg), height (cm) and
    BMI (kg/m2) from `omr`, nearest day; triage holds none of them.

    A name without a unit ("Weight") is in pounds or inches like the names with one.
    """
    measurements = """
        SELECT * FROM (
            SELECT subject_id, date_trunc('day', chartdate) AS moment, seq_num AS tie,
                   CASE WHEN result_name ILIKE 'weight%' THEN 'weight' WHEN result_name ILIKE 'height%' THEN 'height'
                        WHEN result_name ILIKE 'bmi%' THEN 'bmi' END AS item,
                   TRY_CAST(result_value AS DOUBLE) * CASE WHEN result_name ILIKE '%kg)%' OR result_name ILIKE '%(cm)%'
                        OR result_name ILIKE 'bmi%' THEN 1 WHEN result_name ILIKE 'weight%' THEN 0.45359237
                        ELSE 2.54 END AS value, NULL AS low, NULL AS high, '' AS note
            FROM omr
        ) WHERE item IS NOT NULL"""
    found = near(measurements, round(days * 86400), "date_trunc('day', ecg_time)")
    add_nearest(con, "biometric", found, plausible, lambda *_: 1.0)
