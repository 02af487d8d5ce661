"""`labevents`, the one table that is large: drawn in chunks of stays, packed by DuckDB."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from benchmarks.mimic_shaped.cohort import ECGS, LAB_ROWS, MINUTE, SEED, STAYS_AN_ECG, Columns, times
from ecgkt import vocabulary

CHUNK = 4_000  # stays whose rows are in memory at once, about 460,000 rows

# Labs that are drawn together: how often a draw holds the panel, the vocabulary's labs in it, and what MIMIC's
# laboratory reports along with them (itemid: label), which preparation has to skip.
PANELS: dict[str, tuple[float, str, dict[int, str]]] = {
    "chemistry": (
        0.95,
        "potassium sodium chloride bicarbonate anion_gap urea_nitrogen creatinine glucose calcium magnesium phosphate",
        {50934: "H", 51678: "L", 50947: "I"},
    ),
    "blood count": (
        0.9, "haemoglobin haematocrit rbc rdw mcv wbc platelets", {51248: "MCH", 51249: "MCHC", 52172: "RDW-SD"}
    ),
    "differential": (
        0.35, "",
        {51146: "Basophils", 51200: "Eosinophils", 51244: "Lymphocytes", 51254: "Monocytes", 51256: "Neutrophils"},
    ),
    "liver": (0.35, "albumin alt ast alp bilirubin", {50954: "Lactate Dehydrogenase (LD)", 50956: "Lipase"}),
    "heart": (0.4, "ck_mb troponin_t nt_probnp", {50910: "Creatine Kinase (CK)"}),
    "coagulation": (0.35, "inr pt ptt d_dimer", {51214: "Fibrinogen, Functional"}),
    "blood gas": (
        0.2, "lactate ph pco2 po2",
        {50802: "Base Excess", 50804: "Calculated Total CO2", 50817: "Oxygen Saturation", 50808: "Free Calcium",
         50822: "Potassium, Whole Blood", 50809: "Glucose", 52033: "Specimen Type"},
    ),
    "rare": (0.08, "crp tsh", {50924: "Ferritin", 50952: "Iron", 50852: "% Hemoglobin A1c"}),
}  # fmt: skip
# MIMIC's spellings where the vocabulary has another.
UNITS = {"10^3/uL": "K/uL", "10^6/uL": "m/uL", "s": "sec", "ratio": ""}
MILLIEQUIVALENTS = ("potassium", "sodium", "chloride", "bicarbonate", "anion_gap")


def lab_items() -> tuple[pd.DataFrame, npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """`d_labitems` with unit and range, in the order of PANELS; the panels' sizes; how often each is drawn."""
    labs, rows, sizes = vocabulary.labs(), [], []
    for _, ours, others in PANELS.values():
        for lab in (labs[key] for key in ours.split()):
            unit = "mEq/L" if lab.code in MILLIEQUIVALENTS else UNITS.get(lab.unit, lab.unit)
            rows.append(
                (lab.itemid, lab.mimic_label, lab.fluid, lab.category, unit, *lab.reference, lab.plausible_high)
            )
        rows += [(item, label, "Blood", "Chemistry", "%", 20.0, 40.0, 100.0) for item, label in others.items()]
        sizes.append(len(ours.split()) + len(others))
    frame = pd.DataFrame(
        rows, columns=["itemid", "label", "fluid", "category", "valueuom", "ref_range_lower", "ref_range_upper", "most"]
    )
    absent = {lab.itemid for lab in labs.values()} - set(frame["itemid"])
    assert not absent, f"labs of the vocabulary without a panel: {sorted(absent)}"
    return frame, np.array(sizes), np.array([probability for probability, _, _ in PANELS.values()])


def _lab_chunks(stays: Columns) -> Iterator[pd.DataFrame]:
    """The numeric columns of `labevents`, CHUNK stays at a time; `item` is a row of `lab_items`.

    Draws cluster near the ECG and spread over the stay; a draw takes several panels at the same minute.
    """
    items, sizes, probability = lab_items()
    low, high, most = (items[name].to_numpy() for name in ("ref_range_lower", "ref_range_upper", "most"))
    center, spread = (low + high) / 2, np.maximum(high - low, 1e-3) / 2.5
    first_item = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    total = len(stays["start"])
    draws_a_stay = LAB_ROWS / (ECGS * STAYS_AN_ECG) / (sizes * probability).sum()
    events = 0
    for chunk, first in enumerate(range(0, total, CHUNK)):
        rng = np.random.default_rng([SEED, 1, chunk])
        part = {name: column[first : first + CHUNK] for name, column in stays.items()}
        count = 1 + rng.poisson(draws_a_stay - 1, len(part["start"]))
        stay = np.repeat(np.arange(len(count)), count)
        near = np.diff(stay, prepend=-1).astype(bool) | (rng.random(len(stay)) < 0.3)
        time = np.where(
            near,
            part["ecg_time"][stay] + rng.normal(0, 25 * MINUTE, len(stay)),
            part["start"][stay] + rng.random(len(stay)) * (part["home"] - part["start"])[stay],
        )
        draw, panel = np.nonzero(rng.random((len(stay), len(sizes))) < probability)
        reported = time[draw] + rng.uniform(20, 90, len(draw)) * MINUTE
        specimen = np.repeat(np.arange(len(draw)), sizes[panel])
        within = np.arange(len(specimen)) - np.repeat(np.cumsum(sizes[panel]) - sizes[panel], sizes[panel])
        item = first_item[panel][specimen] + within
        owner = stay[draw][specimen]
        value = np.abs(center[item] + spread[item] * rng.normal(size=len(item)))
        value = np.round(np.where(rng.random(len(item)) < 0.001, most[item] * 10, value), 2)  # typing errors
        value[rng.random(len(item)) < 0.02] = np.nan  # a comment in place of a number
        known = rng.random(len(item)) < 0.6
        frame = pd.DataFrame(
            {
                "subject_id": part["subject_id"][owner],
                "hadm_id": np.where(known, part["hadm_id"][owner], -1),
                "specimen_id": 50_000_000 + 10 * events + specimen,
                "item": item,
                "charttime": times(time[draw][specimen]),
                "storetime": times(reported[specimen]),
                "valuenum": value,
            }
        )
        frame = frame.iloc[np.lexsort((frame["charttime"], part["patient"][owner]))]
        frame.insert(0, "labevent_id", events + np.arange(len(frame)))
        events += len(frame)
        yield frame


def write_labevents(target: Path, stays: Columns) -> int:
    """Write labevents.csv.gz; returns the number of rows.

    The chunks wait in a database on disk, because a .csv.gz is written in one go.
    """
    database = target.with_name("labevents.building")
    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as con:
        con.execute("SET memory_limit = '2GB'; SET enable_progress_bar = false")
        chunks = tqdm(_lab_chunks(stays), total=-(-len(stays["start"]) // CHUNK), desc="labevents", unit="chunk")
        for number, chunk in enumerate(chunks):
            con.register("chunk", chunk)
            con.execute("CREATE TABLE event AS FROM chunk" if number == 0 else "INSERT INTO event FROM chunk")
        con.register("item", lab_items()[0].reset_index(names="item"))
        print("labevents: packing", file=sys.stderr)
        con.execute(f"""COPY (
            SELECT labevent_id, subject_id, nullif(hadm_id, -1) AS hadm_id, specimen_id, itemid,
                   NULL AS order_provider_id, charttime, storetime,
                   CASE WHEN isnan(valuenum) THEN '___' ELSE valuenum::VARCHAR END AS value,
                   CASE WHEN NOT isnan(valuenum) THEN valuenum END AS valuenum, valueuom, ref_range_lower,
                   ref_range_upper, CASE WHEN valuenum NOT BETWEEN ref_range_lower AND ref_range_upper
                   THEN 'abnormal' END AS flag, 'ROUTINE' AS priority, NULL AS comments
            FROM event JOIN item USING (item)) TO '{target}' (HEADER, COMPRESSION gzip)""")
        rows = con.execute("SELECT count(*) FROM event").fetchall()[0][0]
    database.unlink()
    return rows
