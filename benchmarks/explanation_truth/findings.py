"""Explanations of findings that cardiologists stated of real ECGs, against the waves and leads that medicine knows them
by (findings.csv: waves that define it, waves that may change with it, leads; RR: the intervals between beats)."""

from __future__ import annotations

import ast
import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecgkt.ecg import ECG, LEADS
from ecgkt.measurements.delineation import SEGMENTS
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.model import Model
from ecgkt.readers import read
from ecgkt.relevance.parts import WAVE_NAMES
from ecgkt.relevance.shares import RHYTHM
from ecgkt.relevance.summary import summarize

TABLE = Path(__file__).with_name("findings.csv")
HELD_OUT, LEARNED = "PTB-XL, folds 8 to 10", "PTB-XL, folds 1 to 7"  # those of the shipped networks' training
FIRST_HELD_OUT = 8
LUDB = {  # what LUDB's table says -> finding
    "sinus rhythm": "SR", "sinus bradycardia": "SBRAD", "sinus tachycardia": "STACH", "sinus arrhythmia": "SARRH",
    "atrial fibrillation": "AFIB", "atrial flutter, typical": "AFLT", "i degree av block": "1AVB",
    "iii degree av-block": "3AVB", "left anterior hemiblock": "LAFB", "complete left bundle branch block": "CLBBB",
    "complete right bundle branch block": "CRBBB", "incomplete right bundle branch block": "IRBBB",
    "incomplete left bundle branch block": "ILBBB", "left ventricular hypertrophy": "LVH",
    "right ventricular hypertrophy": "RVH", "left atrial hypertrophy": "LAO/LAE", "left atrial overload": "LAO/LAE",
    "right atrial hypertrophy": "RAO/RAE", "right atrial overload": "RAO/RAE", "ventricular extrasystole": "PVC",
    "atrial extrasystole": "PAC", "unipolar ventricular pacing": "PACE", "bipolar ventricular pacing": "PACE",
    "biventricular pacing": "PACE", "ischemia: inferior wall": "ISCIN", "ischemia: lateral wall": "ISCLA",
    "stemi: anterior wall": "INJAS", "stemi: inferior wall": "INJIN", "stemi: lateral wall": "INJLA",
    "scar formation: inferior wall": "IMI", "scar formation: anterior wall": "AMI",
    "scar formation: septal": "ASMI", "scar formation: lateral wall": "LMI",
}  # fmt: skip


def known() -> dict[str, dict[str, list[str]]]:
    """Finding -> its waves, those that may change with it, its leads (all where none is named)."""
    with TABLE.open(newline="") as file:
        return {row["finding"]: {k: row[k].split() for k in ("waves", "also", "leads")} for row in csv.DictReader(file)}


def stated(data: Path) -> Iterator[tuple[str, ECG, set[str]]]:
    """(set, ECG, findings that a cardiologist stated of it)."""
    table = pd.read_csv(data / "ptbxl_native" / "ptbxl_database.csv")
    for row in table.itertuples():
        yield (
            HELD_OUT if row.strat_fold >= FIRST_HELD_OUT else LEARNED,
            read(data / "ptbxl_native" / f"{row.filename_hr}.hea"),
            set(ast.literal_eval(str(row.scp_codes))),
        )
    by_number = pd.read_csv(data / "ludb" / "ludb.csv").set_index("ID")
    for header in sorted((data / "ludb" / "data").glob("*.hea"), key=lambda path: int(path.stem)):
        said = " ; ".join(str(text) for text in by_number.loc[int(header.stem)].iloc[2:].dropna())
        words = [word.strip() for word in said.lower().replace("\n", ";").split(";")]
        yield "LUDB", read(header), {code for start, code in LUDB.items() if any(w.startswith(start) for w in words)}


def judged(model: Model, data: Path, method: str, only_positive: bool = True) -> list[dict[str, Any]]:
    """A row a stated finding that the model scores above its threshold: what the explanation names, and is it right?"""
    rows = []
    medicine = known()
    for source, ecg, codes in stated(data):
        analyzed = AnalyzedECG(ecg)
        prediction = model.predict(analyzed)
        if prediction.abstained:
            continue
        by_code = {score.label.code: score for score in prediction.findings}
        for code in sorted(codes & medicine.keys() & by_code.keys()):
            if by_code[code].positive or not only_positive:
                rows.append({"set": source, "finding": code} | _judge(model, analyzed, code, medicine[code], method))
    return rows


def _judge(model: Model, ecg: AnalyzedECG, code: str, medicine: dict[str, list[str]], method: str) -> dict[str, Any]:
    attribution = model.attribute(ecg, code, method)
    found = summarize(attribution, ecg.beats, positive=True)
    names = {WAVE_NAMES[segment]: segment for segment in SEGMENTS} | {RHYTHM: "RR"}
    part = "" if found.named is None else found.named.name
    wave = names.get(part, "")
    if not wave:
        return {"named": part, "lead": "", "verdict": "unclear"}
    lead = "" if wave == "RR" else _lead(attribution.relevance, attribution.rate, ecg, wave)
    right_lead = not medicine["leads"] or not lead or lead in medicine["leads"]
    if wave in medicine["waves"]:
        verdict = "right" if right_lead else "wrong lead"
    else:
        verdict = "unclear" if wave in medicine["also"] else "wrong wave"
    return {"named": part, "lead": lead, "verdict": verdict}


def _lead(relevance: np.ndarray, rate: float, ecg: AnalyzedECG, wave: str) -> str:
    """The lead in which the wave raises the score most."""
    names = ecg.beats.wave_at(np.arange(relevance.shape[1]) / rate)
    return LEADS[int(np.maximum(relevance[:, names == wave], 0).sum(axis=1).argmax())]


def counted(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Right, wrong and unclear of all and by finding; share: right of those where medicine is clear."""

    def count(some: list[dict[str, Any]]) -> dict[str, Any]:
        of = Counter(row["verdict"] for row in some)
        clear = len(some) - of["unclear"]
        return {**of, "share_right": round(of["right"] / clear, 3) if clear else None}

    codes = sorted({row["finding"] for row in rows})
    others = [row for row in rows if row["finding"] != "SR"]
    named = {code: Counter(row["named"] for row in rows if row["finding"] == code) for code in codes}
    return {
        "all": count(rows),
        "by_set": {name: count([r for r in rows if r["set"] == name]) for name in sorted({r["set"] for r in rows})},
        "without_sinus_rhythm": count(others),
        "by_set_without_sinus_rhythm": {
            name: count([r for r in others if r["set"] == name]) for name in sorted({r["set"] for r in others})
        },
        "by_finding": {
            code: count([r for r in rows if r["finding"] == code]) | {"named": dict(named[code].most_common(3))}
            for code in codes
        },
    }
