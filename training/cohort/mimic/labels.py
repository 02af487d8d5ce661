"""Labels from MIMIC's text and codes: diagnoses from ICD codes of the stay, findings from the machine's reports.

Like `clinical`, all of it starts from the table `ecg` (row, study_id, hadm_id, ed_stay).
"""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd

from ecgkt.datasets.mimic.reports import read_line, unread
from ecgkt.datasets.mimic.stays import CODES
from ecgkt.datasets.mimic.tables import REPORTS
from training.cohort.config import Config
from training.cohort.labels import icd
from training.cohort.labels.findings import findings_table


def map_codes(con: duckdb.DuckDBPyConnection, config: Config, coded: str = CODES) -> int:
    """Make the tables `coded` (row, code, version), the ICD codes of each ECG's stay by the SQL `coded`, and
    `coded_label` (row, label), their ICD-10 labels with ancestors; how many distinct codes could not be mapped is
    returned."""
    con.execute(f"CREATE OR REPLACE TABLE coded AS {coded}")
    codes = con.execute("SELECT DISTINCT code, version FROM coded ORDER BY ALL").fetchall()
    labels = icd.labels_of(codes, config["diagnoses"]["characters"])
    mapping = pd.DataFrame(
        [(code, version, label) for (code, version), found in labels.items() for label in found],
        columns=["code", "version", "label"],
    ).astype({"code": "object", "version": "int64", "label": "object"})
    con.register("icd_label", mapping)
    con.execute("""CREATE OR REPLACE TABLE coded_label AS
        SELECT DISTINCT c.row, m.label FROM coded c JOIN icd_label m USING (code, version)""")
    return sum(not found for found in labels.values())


def diagnosis_labels(
    con: duckdb.DuckDBPyConnection, ecgs: pd.DataFrame, config: Config
) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Label columns and their descriptions, after `map_codes`. Stays without any code are unknown in all columns."""
    long = con.execute("SELECT row, label FROM coded_label").df()
    # As sparse pairs until it is known which of thousands of labels stay.
    split = ecgs["split"]
    least = config["min_positives"]["diagnoses"]
    coded_rows = con.execute("SELECT DISTINCT row FROM coded ORDER BY row").df()["row"].to_numpy(np.int64)
    counts = long.groupby(["label", split.to_numpy()[long["row"]]]).size().unstack(fill_value=0)
    sizes = split.iloc[coded_rows].value_counts()
    keep = pd.Series(True, index=counts.index)
    for name in ("train", "validation", "test"):
        if sizes.get(name, 0):
            needed = least[name] * sizes[name] if least[name] < 1 else least[name]
            positives = counts[name] if name in counts else pd.Series(0, index=counts.index)
            keep &= (positives >= needed) & (sizes[name] - positives >= needed)
    totals = {str(label): int(n) for label, n in counts[keep].sum(axis=1).items()}
    kept = sorted(set(totals) - icd.redundant(totals))
    base = np.full(len(ecgs), np.nan, dtype=np.float32)
    base[coded_rows] = 0
    rows_of = {label: part["row"].to_numpy(np.int64) for label, part in long[long["label"].isin(kept)].groupby("label")}
    columns = {}
    for label in kept:
        columns[label] = base.copy()
        columns[label][rows_of[label]] = 1
    table = pd.DataFrame(columns, index=range(len(ecgs)))
    return table, [icd.describe(label) for label in kept]


# (row, line) of the machine's reports.
LINES = "SELECT e.row, m.line FROM ({}) m JOIN ecg e USING (study_id)".format(
    " UNION ALL ".join(f"SELECT study_id, {report} AS line FROM machine_measurements" for report in REPORTS)
)


def report_findings(con: duckdb.DuckDBPyConnection, rows: int, lines: str = LINES) -> pd.DataFrame:
    """Statements of the reports that the SQL `lines` (row, line) gives; unknown where an ECG has no report or one that
    says it could not be read."""
    con.execute(f"CREATE OR REPLACE TABLE report AS SELECT DISTINCT row, trim(line) AS line FROM ({lines}) "
                "WHERE trim(line) <> ''")  # fmt: skip
    texts = [line for (line,) in con.execute("SELECT DISTINCT line FROM report ORDER BY line").fetchall()]
    read = [(line, code, value) for line in texts for code, value in read_line(line).items()]
    said = pd.DataFrame(read, columns=["line", "code", "value"])
    con.register("line_code", said.astype({"line": "object", "code": "object", "value": "float64"}))
    con.register("unread", pd.DataFrame({"line": pd.Series([line for line in texts if unread(line)], dtype="object")}))
    known = np.zeros(rows, dtype=bool)
    reported = con.execute("SELECT DISTINCT row FROM report").df()["row"]
    without = con.execute("SELECT DISTINCT row FROM report JOIN unread USING (line)").df()["row"]
    known[reported.to_numpy(np.int64)] = True
    known[without.to_numpy(np.int64)] = False
    statements = con.execute("SELECT row, code, value FROM report JOIN line_code USING (line)").df()
    return findings_table(rows, statements, known)
