"""Labs, vitals and biometrics near each ECG, from tables long or wide (`ecgkt.datasets.mimic.clinical` does the rest).

A row that names its ECG belongs to that one, whatever the time; a row that names a patient and a time to every ECG of
that patient within the window, as in MIMIC.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from ecgkt import vocabulary
from ecgkt.datasets.mimic.clinical import add_nearest, celsius, near
from ecgkt.datasets.mimic.units import factors, same_spelling
from training.cohort.config import Config
from training.cohort.own.description import MEASURED, Description, Measurements
from training.cohort.own.tables import Table, in_order, key, moment, number, open_table, quoted, text, unread

KIND = {"labs": "lab", "vitals": "vital", "biometrics": "biometric"}
MOST_NAMED = 20
# What a value in another unit is multiplied with; "" and the first of each are the project's own. Whether a temperature
# is in Fahrenheit is seen from its size.
_UNITS = {
    "temperature": {"c": 1.0, "°c": 1.0, "celsius": 1.0, "f": 1.0, "°f": 1.0, "fahrenheit": 1.0},
    "heartrate": {"1/min": 1.0, "/min": 1.0, "bpm": 1.0, "beats/min": 1.0},
    "resprate": {"1/min": 1.0, "/min": 1.0, "breaths/min": 1.0},
    "o2sat": {"%": 1.0, "fraction": 100.0},
    "sbp": {"mmhg": 1.0, "kpa": 7.50062},  # NIST SP 811, appendix B.8
    "dbp": {"mmhg": 1.0, "kpa": 7.50062},
    "weight": {"kg": 1.0, "g": 0.001, "lb": 0.45359237, "lbs": 0.45359237},
    "height": {"cm": 1.0, "m": 100.0, "mm": 0.1, "in": 2.54, "inches": 2.54},
    "bmi": {"kg/m2": 1.0, "kg/m^2": 1.0, "kg/m²": 1.0},
}


def factor(item: str, unit: str) -> float | None:
    """What a value of `item` in `unit` is multiplied with to be in the project's own unit; None: not known."""
    if item in _UNITS:
        return 1.0 if not unit else _UNITS[item].get(same_spelling(unit))
    return factors().get((item, same_spelling(unit)))


def _factor(item: str, note: str) -> float | None:
    """As `factor`; the note of a temperature says what was repaired."""
    return 1.0 if item == "temperature" else factor(item, note)


def _units_of(item: str) -> list[str]:
    return list(_UNITS.get(item, ())) or sorted(unit for lab, unit in factors() if lab == item and unit)


def add_measurements(con: duckdb.DuckDBPyConnection, described: Description, config: Config) -> list[str]:
    """Make the tables nearest_KIND and measured_KIND of `KIND` from the table `ecg` (row, ecg_id, subject_id, stay,
    ecg_time); remarks on what could not be read are returned. Raises ValueError naming the column."""
    remarks: list[str] = []
    labs = {code: lab.plausible for code, lab in vocabulary.labs().items()}
    windows = config["windows"]
    seconds = {
        "labs": round(windows["labs_minutes"] * 60),
        "vitals": round(windows["vitals_minutes"] * 60),
        "biometrics": round(windows["biometrics_days"] * 86400),
    }
    for section, kind in KIND.items():
        found = [_NONE]
        for place, measured in enumerate(getattr(described.content, section)):
            table = open_table(described, measured.table)
            remarks += _remarks(con, measured, table)
            found.append(
                _near(_rows(con, measured, table, f"{kind}_name_{place}"), measured, section, seconds[section])
            )
        plausible = labs if section == "labs" else config["plausible"]
        add_nearest(con, kind, " UNION ALL ".join(f"({each})" for each in found), plausible, _factor)
    return remarks


def check(described: Description) -> None:
    """Raises ValueError for a table or a column that is not there, or a unit that nobody knows."""
    for section in KIND:
        for measured in getattr(described.content, section):
            _check(measured, open_table(described, measured.table))


_NONE = """SELECT 0::BIGINT AS row, '' AS item, 0::DOUBLE AS lag, 0::BIGINT AS tie, 0::DOUBLE AS value,
           NULL::DOUBLE AS low, NULL::DOUBLE AS high, '' AS note WHERE false"""


def _check(measured: Measurements, table: Table) -> None:
    wide = measured.wide()
    table.need([*measured.columns.named(), *(value.column for value in wide.values())])
    for item, unit in {**measured.units, **{item: value.unit for item, value in wide.items()}}.items():
        if factor(item, unit) is None:
            raise ValueError(
                f"The unit {unit!r} of {item} in {table.name} is not known; known are {', '.join(_units_of(item))}."
            )


def _remarks(con: duckdb.DuckDBPyConnection, measured: Measurements, table: Table) -> list[str]:
    columns = measured.columns
    said = unread(con, table, columns.time, moment(columns.time, measured.time_format))
    for column in [columns.value] if columns.value else [value.column for value in measured.wide().values()]:
        said += unread(con, table, column, number(column, measured.decimal))
    if measured.names:
        known = ", ".join(quoted(name) for name in sorted(_names(measured)))
        unasked = f"lower({key(columns.name)}) NOT IN ({known})"
        other = in_order(con, f"""SELECT {text(columns.name)}, count(*) FROM {table.reader}
                                  WHERE {unasked} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_NAMED}""")  # fmt: skip
        if other:
            listed = ", ".join(f"{name} ({count})" for name, count in other)
            said.append(f"{table.name}: not asked for in `names`, the commonest first: {listed}.")
    return said


def _names(measured: Measurements) -> dict[str, str]:
    """What the column `name` holds, in lower case -> item."""
    return {str(word).strip().lower(): item for item, words in measured.names.items() for word in words}


def _rows(con: duckdb.DuckDBPyConnection, measured: Measurements, table: Table, names: str) -> str:
    """SQL (link, moment, item, value, low, high, note) of a table; `names`: how a table of names may be called."""
    columns = measured.columns
    link = f"{key(getattr(columns, columns.key))} AS link, {moment(columns.time, measured.time_format)} AS moment"
    if measured.is_wide:
        wide = measured.wide()
        items = ", ".join(quoted(item) for item in wide)
        values = ", ".join(number(value.column, measured.decimal) for value in wide.values())
        units = ", ".join(quoted(value.unit) for value in wide.values())
        return f"""SELECT {link}, unnest([{items}]) AS item, unnest([{values}]) AS value, NULL::DOUBLE AS low,
                   NULL::DOUBLE AS high, unnest([{units}]) AS note FROM {table.reader}"""
    named = _names(measured)
    stated = [(name, item, measured.units.get(item, "")) for name, item in named.items()]
    con.register(names, pd.DataFrame(stated, columns=["spelled", "item", "unit_of"]).astype("object"))
    low, high = number(columns.low, measured.decimal), number(columns.high, measured.decimal)
    return f"""SELECT {link}, n.item, {number(columns.value, measured.decimal)} AS value, {low} AS low, {high} AS high,
               coalesce({text(columns.unit)}, n.unit_of) AS note
               FROM {table.reader} JOIN {names} n ON n.spelled = lower({key(columns.name)})"""


def _near(rows: str, measured: Measurements, section: str, seconds: int) -> str:
    """SQL as `near` gives it."""
    if section == "vitals":
        made, repaired = celsius("value")
        rows = f"""SELECT link, moment, item, CASE item WHEN 'temperature' THEN {made} ELSE value END AS value,
                   low, high, CASE item WHEN 'temperature' THEN {repaired} ELSE note END AS note FROM ({rows})"""
    if measured.columns.key == "patient" and measured.columns.time:
        day = section == "biometrics"
        when = "date_trunc('day', moment)" if day else "moment"
        asked = f"SELECT link AS subject_id, {when} AS moment, 0::BIGINT AS tie, * EXCLUDE (link, moment) FROM ({rows})"
        return near(asked, seconds, "date_trunc('day', ecg_time)" if day else "ecg_time")
    on = "e.ecg_id" if measured.columns.key == "ecg" else "e.subject_id"
    return f"""SELECT e.row, m.item, coalesce(epoch(m.moment) - epoch(e.ecg_time), 0) AS lag, 0::BIGINT AS tie, m.value,
               m.low, m.high, m.note FROM ({rows}) m JOIN ecg e ON {on} = m.link WHERE m.value IS NOT NULL"""


def lacking(described: Description) -> list[str]:
    """Labs that no table of the description has."""
    named = {item for table in described.content.labs for item in (*table.names, *table.values)}
    return [lab for lab in MEASURED["labs"] if lab not in named]
