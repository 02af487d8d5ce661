"""A folder of ECG files and the tables beside them, described by one YAML -> a prepared cohort.

    python -m training prepare table hospital.yaml --out DIR

Files may be of any format that `ecgkt.read` reads. What the YAML may hold: docs/hospital.md. Windows and label rules
are those of training/configs/cohort.yaml, as for MIMIC. Made again on the same files, the result is the same; a run
that was killed goes on with the signals where it was.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from ecgkt.datasets.mimic.tables import SIMULATED, connect
from training.cohort.assembled import About, assemble, excluded
from training.cohort.config import Config, load_config
from training.cohort.data_card import Step
from training.cohort.labels.findings import with_superclasses
from training.cohort.labels.labs import enough
from training.cohort.mimic.labels import diagnosis_labels, map_codes
from training.cohort.own import labels, measurements
from training.cohort.own.description import Description, read_description
from training.cohort.own.ecgs import listed_ecgs
from training.cohort.prepared import Prepared
from training.cohort.provenance import NOTHING, Stated, license_of, note_of
from training.cohort.signals.any_format import AnyFiles
from training.cohort.signals.convert import Limits, convert_all
from training.cohort.splits import first_of_stay, splits_from_folds, stable_splits

SOURCE = "own"
NOTE = "Own data, not marked as simulated, so taken for real patients: not to be shared."


def prepare_table(file: Path, out: Path, config: Path | None = None, stated: Stated = NOTHING) -> Prepared:
    """Prepare what the YAML `file` describes into `out`; `config` is a YAML merged over training/configs/cohort.yaml.

    A SIMULATED.md beside the YAML or among the tracings calls the patients simulated. stated: what the user says of the
    data, before what the YAML says. Raises ValueError, one sentence that names the key, the column or the row.
    """
    file, out, settings = Path(file), Path(out), load_config(config)
    limits, described = Limits.of(settings), read_description(file)
    content = described.content
    measurements.check(described)  # before the tracings, which may take hours
    labels.check(described)
    out.mkdir(parents=True, exist_ok=True)
    con = connect(settings["duckdb"]["memory_limit"], int(settings["duckdb"]["threads"]), out / "work")
    candidates, steps, remarks = listed_ecgs(con, described)
    if settings["folds"]:
        candidates["split"] = splits_from_folds(candidates, settings)
        unlisted = {"not in the file of folds": int(candidates["split"].isna().sum())}
        candidates = candidates[candidates["split"].notna()].reset_index(drop=True)
        steps.append(Step("in the file of folds", len(candidates), candidates["subject_id"].nunique(), unlisted))
    ecgs = _usable(candidates, described, out, limits, settings["signals"]["workers"])
    left_out = Counter(reason for reason in ecgs["reason"] if reason)
    ecgs = ecgs[ecgs["reason"] == ""].drop(columns="reason").reset_index(drop=True)
    steps.append(Step("usable", len(ecgs), ecgs["subject_id"].nunique(), left_out))
    if ecgs.empty:
        raise ValueError(f"No usable ECG: {excluded(steps)}.")
    ecgs["row"] = np.arange(len(ecgs))
    con.register("ecg_frame", ecgs[["row", "ecg_id", "subject_id", "stay", "ecg_time"]].astype({"stay": "object"}))
    con.execute("""CREATE OR REPLACE TABLE ecg AS
        SELECT row, ecg_id::VARCHAR AS ecg_id, subject_id::VARCHAR AS subject_id, stay::VARCHAR AS stay,
               ecg_time::TIMESTAMP AS ecg_time FROM ecg_frame""")
    unmapped = map_codes(con, settings, labels.coded(described))
    ecgs["split"] = _splits(con, ecgs, out, settings)
    con.register("split_frame", ecgs[["row", "split"]])
    con.execute("CREATE OR REPLACE TABLE split AS SELECT row, split FROM split_frame")
    diagnoses = _diagnoses(con, described, ecgs, settings)
    remarks += measurements.add_measurements(con, described, settings)
    findings = with_superclasses(labels.reported_findings(con, described, len(ecgs)))
    own_findings = labels.stated_findings(con, described, len(ecgs))
    findings = pd.concat([own_findings, findings.drop(columns=own_findings.columns, errors="ignore")], axis=1)
    remarks += [f"Labs that no table has: {', '.join(measurements.lacking(described))}."] * bool(
        measurements.lacking(described)
    )
    remarks += [f"ICD codes without a mapping to ICD-10-CM: {unmapped}."] * bool(content.codes)
    said = Stated(stated.license or content.license, stated.note or content.note)
    folder = described.path(content.ecgs.folder)
    simulated = any((place / SIMULATED).is_file() for place in (described.folder, folder))
    license, note = license_of(said, simulated, [described.folder]), note_of(said, simulated, NOTE)
    about = About(SOURCE, out.name, simulated, license, note)
    return assemble(con, out, ecgs, findings, diagnoses, about, steps, remarks, settings)


def _usable(ecgs: pd.DataFrame, described: Description, out: Path, limits: Limits, workers: int) -> pd.DataFrame:
    """`ecgs` with a column `reason`: "" or why the tracing is left out."""
    section = described.content.ecgs
    folder = described.path(section.folder)
    if not folder.is_dir():
        raise ValueError(f"{described.file.name} names the folder {section.folder}, which is not there.")
    layout = section.numbers.layout() if section.numbers else None
    return ecgs.assign(reason=convert_all(AnyFiles(str(folder), ecgs["path"].tolist(), layout), out, limits, workers))


def _splits(con: duckdb.DuckDBPyConnection, ecgs: pd.DataFrame, out: Path, config: Config) -> pd.Series:
    """The split of each ECG, "extra" where it is not the first usable one of its stay in validation or test."""
    if "split" in ecgs:
        split = ecgs["split"]
    else:
        groups = con.execute("""SELECT DISTINCT e.subject_id, c.label FROM coded_label c JOIN ecg e USING (row)
                                WHERE length(c.label) = 3""").df()
        split = stable_splits(ecgs, groups, out, config)
    return first_of_stay(split, ecgs["stay"], ecgs["row"])


def _diagnoses(
    con: duckdb.DuckDBPyConnection, described: Description, ecgs: pd.DataFrame, config: Config
) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Label columns from ICD codes and from columns of 0 and 1, which win where both have a label."""
    table, entries = labels.stated_diagnoses(con, described, len(ecgs))
    kept = enough(table, ecgs["split"], config["min_positives"]["diagnoses"])
    chosen = [entry for entry in entries if entry["code"] in kept]
    from_codes, more = diagnosis_labels(con, ecgs, config)
    more = [entry for entry in more if entry["code"] not in kept]
    columns = sorted([*kept, *(entry["code"] for entry in more)])
    both = pd.concat([table[kept], from_codes[[entry["code"] for entry in more]]], axis=1)[columns]
    return both, sorted([*chosen, *more], key=lambda entry: entry["code"])
