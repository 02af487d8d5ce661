"""First values of admissions: of the MIMIC-IV demo (in CLIF's tables) and of the simulated cohort, in one shape.

The demo's patients are admitted, many to intensive care, and the simulated cohort is an emergency department's. So its
unplanned admissions are held against the simulated stays that end in admission, and its vitals, which intensive care
alone has charted, against the more urgent half of those (triage level 1 or 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ecgkt.datasets.mimic.clinical import PLAUSIBLE
from ecgkt.simulation.tables import labs

# Lab -> the demo's lab_name, reference_unit ("" for none) and what to multiply it with.
NAMES = {
    "potassium": ("Potassium", "mEq/L", 1), "sodium": ("Sodium", "mEq/L", 1), "chloride": ("Chloride", "mEq/L", 1),
    "bicarbonate": ("Bicarbonate", "mEq/L", 1), "urea_nitrogen": ("Urea Nitrogen", "mg/dL", 1),
    "creatinine": ("Creatinine", "mg/dL", 1), "glucose": ("Glucose", "mg/dL", 1),
    "calcium": ("Calcium, Total", "mg/dL", 1), "magnesium": ("Magnesium", "mg/dL", 1),
    "phosphate": ("Phosphate", "mg/dL", 1), "lactate": ("Lactate", "mmol/L", 1), "albumin": ("Albumin", "g/dL", 1),
    "alt": ("Alanine Aminotransferase (ALT)", "IU/L", 1), "ast": ("Asparate Aminotransferase (AST)", "IU/L", 1),
    "alp": ("Alkaline Phosphatase", "IU/L", 1), "bilirubin": ("Bilirubin, Total", "mg/dL", 1),
    "troponin_t": ("Troponin T", "ng/L", 1e-3), "crp": ("C-Reactive Protein", "mg/L", 1),
    "haemoglobin": ("Hemoglobin", "g/dL", 1), "platelets": ("Platelet Count", "K/uL", 1), "inr": ("INR(PT)", "", 1),
    "pt": ("PT", "sec", 1), "ptt": ("PTT", "sec", 1), "ph": ("pH", "units", 1), "pco2": ("pCO2", "mm Hg", 1),
    "po2": ("pO2", "mm Hg", 1),
}  # fmt: skip
VITALS = {
    "heart_rate": "heart_rate", "sbp": "sbp", "dbp": "dbp", "temperature": "temp_c", "resp_rate": "respiratory_rate",
    "o2sat": "spo2",
}  # fmt: skip
TRIAGE = {
    "heartrate": "heart_rate", "sbp": "sbp", "dbp": "dbp", "temperature": "temperature", "resprate": "resp_rate",
    "o2sat": "o2sat",
}  # fmt: skip
# Planned admissions and those to the emergency department's own observation (whose labs belong to no admission) have no
# counterpart among the simulated stays.
UNPLANNED = ("EW EMER.", "DIRECT EMER.", "URGENT", "OBSERVATION ADMIT")
# An admission starts hours after arrival, and what was drawn in the department belongs to it.
BEFORE_HOURS, HOURS = 12.0, 24.0
URGENT_LEVEL = 2


@dataclass(frozen=True)
class Admissions:
    """labs, vitals: a row an admission, the first plausible value of each (NaN: none within the day); patient: [rows
    of labs] and vital_patient: [rows of vitals] whose admission it is. Units are the vocabulary's; vitals as in `labs`.
    """

    labs: pd.DataFrame
    patient: np.ndarray
    vitals: pd.DataFrame
    vital_patient: np.ndarray


def read_demo(folder: Path) -> Admissions:
    """The demo's unplanned admissions. Raises ValueError where a unit is another one than expected."""
    stays = pd.read_parquet(folder / "clif_hospitalization.parquet")
    stays = stays[stays.admission_type_name.isin(UNPLANNED)].set_index("hospitalization_id").sort_index()
    events = pd.read_parquet(folder / "clif_labs.parquet")
    events = events[events.hospitalization_id.isin(stays.index)]
    start = events.hospitalization_id.map(stays.admission_dttm)
    hours = (events.lab_collect_dttm - start).dt.total_seconds() / 3600
    by_name = {name: (lab, unit, factor) for lab, (name, unit, factor) in NAMES.items()}
    for name, (lab, unit, _) in by_name.items():
        found = set(events.reference_unit[events.lab_name == name].fillna("")) - {""}
        if found - {unit}:
            raise ValueError(f"{lab} is in {found}, not in {unit}.")
    known = events.lab_name.isin(list(by_name))
    frame = pd.DataFrame({
        "stay": events.hospitalization_id, "hours": hours + BEFORE_HOURS, "lab": events.lab_name.map(
            {name: lab for name, (lab, *_) in by_name.items()}),
        "value": events.lab_value_numeric * events.lab_name.map({name: f for name, (*_, f) in by_name.items()}),
    })[known]  # fmt: skip
    table = first_values(frame, BEFORE_HOURS + HOURS).reindex(stays.index)
    vitals = pd.read_parquet(folder / "clif_vitals.parquet")
    vitals = vitals[vitals.hospitalization_id.isin(stays.index)].sort_values("recorded_dttm", kind="stable")
    first = vitals.groupby(["hospitalization_id", "vital_category"]).vital_value.first().unstack()
    first = pd.DataFrame({ours: first[theirs] for ours, theirs in VITALS.items()})
    return Admissions(
        table, stays.patient_id.to_numpy(str), _plausible_vitals(first), stays.patient_id[first.index].to_numpy(str)
    )


def first_values(events: pd.DataFrame, hours: float = HOURS) -> pd.DataFrame:
    """[stays, labs] from (stay, lab, hours since arrival, value): the first plausible value within `hours`."""
    limits = {lab.key: lab.plausible for lab in labs()}
    low, high = (events.lab.map({key: limit[side] for key, limit in limits.items()}) for side in (0, 1))
    kept = events[events.hours.between(0, hours) & events.value.between(low, high)]
    return kept.sort_values(["hours", "lab"], kind="stable").groupby(["stay", "lab"]).value.first().unstack()


def read_cohort(folder: Path) -> Admissions:
    """The admitted stays of a simulated cohort, from its MIMIC tables alone."""
    ed, hosp = folder / "mimic-iv-ed" / "ed", folder / "mimic-iv" / "hosp"
    return from_tables(
        pd.read_csv(ed / "edstays.csv.gz", usecols=["subject_id", "stay_id", "intime", "disposition"]),
        pd.read_csv(hosp / "labevents.csv.gz", usecols=["subject_id", "itemid", "charttime", "valuenum"]),
        pd.read_csv(ed / "triage.csv.gz", usecols=["stay_id", "acuity", *TRIAGE]),
    )


def from_tables(edstays: pd.DataFrame, labevents: pd.DataFrame, triage: pd.DataFrame) -> Admissions:
    """The admitted stays of MIMIC's tables; columns as in `read_cohort`."""
    stays = edstays[edstays.disposition == "ADMITTED"].assign(intime=lambda s: pd.to_datetime(s.intime))
    events = labevents.assign(charttime=pd.to_datetime(labevents.charttime))
    # hadm_id is often empty, so a value belongs to the patient's admission that is nearest in time.
    events = pd.merge_asof(
        events.sort_values("charttime", kind="stable"), stays.sort_values("intime", kind="stable"), by="subject_id",
        left_on="charttime", right_on="intime", direction="nearest", tolerance=pd.Timedelta("1D"),
    ).dropna(subset=["stay_id"])  # fmt: skip
    frame = pd.DataFrame({
        "stay": events.stay_id.astype("int64"), "lab": events.itemid.map({lab.itemid: lab.key for lab in labs()}),
        "hours": ((events.charttime - events.intime).dt.total_seconds() / 3600).clip(lower=0),
        "value": pd.to_numeric(events.valuenum),
    })  # fmt: skip
    subjects = stays.set_index("stay_id").subject_id.sort_index()
    urgent = triage.set_index("stay_id").rename(columns=TRIAGE).sort_index()
    urgent = urgent[urgent.index.isin(subjects.index) & (urgent.acuity <= URGENT_LEVEL)]
    vitals = urgent[list(VITALS)].apply(pd.to_numeric)
    typed = vitals.temperature
    vitals["temperature"] = typed.where(typed.between(25, 45), (typed - 32) / 1.8)
    return Admissions(
        first_values(frame).reindex(subjects.index), subjects.to_numpy(str), _plausible_vitals(vitals),
        subjects[vitals.index].to_numpy(str),
    )  # fmt: skip


def _plausible_vitals(vitals: pd.DataFrame) -> pd.DataFrame:
    limits = {ours: PLAUSIBLE[theirs] for theirs, ours in TRIAGE.items()}
    return vitals.apply(lambda column: column.where(column.between(*limits[str(column.name)])))
