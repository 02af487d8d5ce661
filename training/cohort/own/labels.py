"""Labels of a hospital's own tables: ICD codes, columns of 0 and 1, reports in words.

All of it starts from the table `ecg` (row, ecg_id, subject_id, stay).
"""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd

from training.cohort.labels import icd
from training.cohort.mimic.labels import report_findings
from training.cohort.own.description import Description, Labels, Link, OwnLabel
from training.cohort.own.tables import Table, in_order, key, open_table, text

JOINED = {"ecg": "ecg_id", "stay": "stay", "patient": "subject_id"}
YES_NO = {"1": 1.0, "1.0": 1.0, "true": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0}


def _link(link: Link) -> tuple[str, str]:
    """SQL: the cell that joins a row, and the column of `ecg` that it is joined to."""
    return key(getattr(link, link.key)), f"e.{JOINED[link.key]}"


def check(described: Description) -> None:
    """Raises ValueError for a table or a column that is not there, or a code that is none."""
    for codes in described.content.codes:
        open_table(described, codes.table).need(codes.columns.named())
    for labels in described.content.labels:
        columns = [label.column if isinstance(label, OwnLabel) else label for label in labels.diagnoses.values()]
        needed = [*labels.columns.named(), *labels.findings.values(), *columns]
        open_table(described, labels.table).need(needed)
        for code, label in labels.diagnoses.items():
            _described(code, label, described)
    for reports in described.content.reports:
        open_table(described, reports.table).need([reports.columns.ecg, *reports.columns.text])


def coded(described: Description) -> str:
    """SQL (row, code without dot, version 9 or 10)."""
    parts = ["SELECT 0::BIGINT AS row, '' AS code, 10::BIGINT AS version WHERE false"]
    for codes in described.content.codes:
        table, columns = open_table(described, codes.table), codes.columns
        cell, column = _link(columns)
        version = (
            f"TRY_CAST(regexp_extract({text(columns.version)}, '\\d+') AS BIGINT)" if columns.version else codes.version
        )
        parts.append(f"""SELECT e.row, upper(replace(d.code, '.', '')), d.version
            FROM (SELECT {cell} AS link, {text(columns.code)} AS code, {version} AS version FROM {table.reader}) d
            JOIN ecg e ON {column} = d.link WHERE d.code IS NOT NULL AND d.version IN (9, 10)""")
    return "SELECT DISTINCT * FROM (" + " UNION ALL ".join(parts) + ")"


def stated_findings(con: duckdb.DuckDBPyConnection, described: Description, rows: int) -> pd.DataFrame:
    """Label columns of findings by the tables' own columns."""
    found = [_columns(con, described, labels, labels.findings, rows) for labels in described.content.labels]
    return _beside(found, rows)


def stated_diagnoses(
    con: duckdb.DuckDBPyConnection, described: Description, rows: int
) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Label columns of diagnoses by the tables' own columns, and their descriptions."""
    found, descriptions = [], {}
    for labels in described.content.labels:
        columns = {}
        for code, label in labels.diagnoses.items():
            columns[code] = label.column if isinstance(label, OwnLabel) else label
            descriptions[code] = _described(code, label, described)
        found.append(_columns(con, described, labels, columns, rows))
    table = _beside(found, rows)
    return table, [descriptions[str(code)] for code in table]


def _described(code: str, label: str | OwnLabel, described: Description) -> dict[str, str]:
    if isinstance(label, OwnLabel):
        return {"code": code, "name": label.name, "group": label.group}
    if icd.cut_with_ancestors(code, len(code))[:1] != [code]:
        raise ValueError(
            f"{described.file.name}: labels: {code} is no ICD-10-CM code without its dot; a label of your own needs "
            "`column` and `name`."
        )
    return icd.describe(code)


def _beside(tables: list[pd.DataFrame], rows: int) -> pd.DataFrame:
    made = pd.DataFrame(index=range(rows))
    for table in tables:
        for code in table:
            made[code] = table[code] if code not in made else made[code].fillna(table[code])
    return made


def _columns(
    con: duckdb.DuckDBPyConnection, described: Description, labels: Labels, columns: dict[str, str], rows: int
) -> pd.DataFrame:
    """Code -> column, as label columns float32 [rows]. Where several rows tell of one ECG, 1 wins over 0."""
    if not columns:
        return pd.DataFrame(index=range(rows))
    table = open_table(described, labels.table)
    cell, column = _link(labels.columns)
    read = ", ".join(text(name) for name in columns.values())
    lines = in_order(con, f"""SELECT e.row, d.* FROM (
        SELECT row_number() OVER () AS place, {cell} AS link, {read} FROM {table.reader}) d
        LEFT JOIN ecg e ON {column} = d.link""")  # fmt: skip
    made = np.full((len(columns), rows), np.nan, dtype=np.float32)
    for row, place, _, *cells in lines:
        values = [_yes_no(value, place, table, name) for value, name in zip(cells, columns.values(), strict=True)]
        if row is not None:
            made[:, row] = np.fmax(made[:, row], values)
    return pd.DataFrame(dict(zip(columns, made, strict=True)), index=range(rows))


def _yes_no(cell: object, place: int, table: Table, column: str) -> float:
    value = np.nan if cell is None else YES_NO.get(str(cell).lower())
    if value is None:
        row = place - 1 + table.first_row
        raise ValueError(f"{table.name}, row {row}: the column `{column}` holds neither 0 nor 1 nor nothing.")
    return value


def reported_findings(con: duckdb.DuckDBPyConnection, described: Description, rows: int) -> pd.DataFrame:
    """Label columns of findings by the reports, each line of a cell by itself."""
    parts = []
    for reports in described.content.reports:
        table = open_table(described, reports.table)
        for column in reports.columns.text:
            lines = f"SELECT {key(reports.columns.ecg)} AS link, unnest(string_split({text(column)}, chr(10))) AS line"
            parts.append(f"SELECT e.row, d.line FROM ({lines} FROM {table.reader}) d JOIN ecg e ON e.ecg_id = d.link")
    return report_findings(con, rows, " UNION ALL ".join(parts)) if parts else pd.DataFrame(index=range(rows))
