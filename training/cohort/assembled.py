"""The last steps of a cohort with tables: labels, clinical inputs, files and card, from DuckDB's tables of each ECG.

What they start from is the same whatever the layout of the source: `ecg` and `split` by row, `coded` and `coded_label`
(`mimic.labels.map_codes`), `nearest_KIND` and `measured_KIND` (`ecgkt.datasets.mimic.clinical`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from training.cohort import clinical
from training.cohort.config import Config, recorded
from training.cohort.data_card import Step, write_card
from training.cohort.labels.findings import described
from training.cohort.labels.labs import enough, lab_labels
from training.cohort.prepared import Prepared, write_prepared


@dataclass(frozen=True)
class About:
    """What prepared.json says of a set. patients: what stands before a patient's id, so that sets do not meet."""

    source: str
    patients: str
    simulated: bool
    license: str
    note: str


def excluded(steps: Sequence[Step]) -> dict[str, int]:
    """Reason -> ECGs left out, over all steps."""
    return {reason: n for step in steps for reason, n in sorted(step.left_out.items()) if n}


def assemble(
    con: duckdb.DuckDBPyConnection,
    out: Path,
    ecgs: pd.DataFrame,
    findings: pd.DataFrame,
    diagnoses: tuple[pd.DataFrame, list[dict[str, str]]],
    about: About,
    steps: Sequence[Step],
    remarks: Sequence[str],
    settings: Config,
) -> Prepared:
    """Write the prepared cohort into `out`, where its signals are. The database is closed.

    ecgs: ecg_id, subject_id, stay, path (text), split, age (years), gender (M, F). findings: all label columns;
    diagnoses: those that are kept, and their descriptions.
    """
    table = clinical.clinical_table(con, ecgs)
    labs, lab_descriptions = lab_labels(table, clinical.lab_limits(con))
    kept_labs = enough(labs, ecgs["split"], settings["min_positives"]["labs"])
    kept_findings = enough(findings, ecgs["split"], settings["min_positives"]["findings"])
    lags, measured = clinical.lags(con), clinical.measured(con)
    con.close()
    frame = ecgs[["ecg_id", "stay", "split", "age", "path"]].assign(
        patient=f"{about.patients}:" + ecgs["subject_id"],
        source=about.source,
        sex=ecgs["gender"].map({"M": "male", "F": "female"}),
    )
    info: dict[str, Any] = {
        "name": out.name,
        "source": about.source,
        "simulated": about.simulated,
        "labels": {
            "findings": [described(code) for code in kept_findings],
            "diagnoses": diagnoses[1],
            "labs": [d for d in lab_descriptions if d["code"] in kept_labs],
        },
        "excluded": excluded(steps),
        "config": recorded(settings),
        "license": about.license,
        "note": about.note,
    }
    tables = {
        "ecgs": frame,
        "clinical": table,
        "findings": findings[kept_findings],
        "diagnoses": diagnoses[0],
        "labs": labs[kept_labs],
    }
    prepared = write_prepared(out, info, tables)
    write_card(prepared, steps, remarks, lags, measured)
    return prepared
