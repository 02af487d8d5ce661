"""SCP-ECG statements that a reader would give to a tracing, by the usual criteria on the noiseless beat.

Criteria: AHA/ACCF/HRS recommendations for the standardization and interpretation of the electrocardiogram (2009),
Sokolow-Lyon and Cornell voltages, QTc > 460 (men) or 470 ms (women) after Fridericia.
"""

from __future__ import annotations

import numpy as np

from ecgkt.simulation.effects import Morphology
from ecgkt.simulation.rhythm import AFIB, AFLT, SVT, VT
from ecgkt.simulation.state import Patient
from ecgkt.simulation.tracing import RATE, Tracing

WALL_LEADS = {"inferior": (1, 2, 5), "lateral": (0, 4, 10, 11), "anterior": (8, 9), "septal": (6, 7, 8)}
ISCHAEMIC = {"inferior": "ISCIN", "lateral": "ISCLA", "anterior": "ISCAL", "septal": "ISCAS"}
INFARCT = {"inferior": "IMI", "lateral": "LMI", "anterior": "AMI", "septal": "ASMI"}
INJURY = {"inferior": "INJIN", "lateral": "INJLA", "anterior": "INJAS", "septal": "INJAS"}


def find(patient: Patient, tracing: Tracing) -> list[str]:
    """SCP-ECG codes, rhythm first; NORM only where nothing else is abnormal."""
    m, c = tracing.morphology, tracing.conduction
    codes = _rhythm(tracing)
    conduction = _conduction(tracing)
    form: list[str] = []
    if c.block not in ("paced", "lbbb", "vt") and not c.delta:
        form = _infarction(m) + _voltage(patient, tracing) + _repolarization(patient, tracing)
        if c.kind == "sinus" and (m["p_terminal"] > 50 or m["p_ms"] > 126):
            form.append("LAO/LAE")
        if c.kind == "sinus" and m["p_uv"] > 62:
            form.append("RAO/RAE")
    codes += conduction + form
    if not set(codes) - {"SR", "SARRH", "SBRAD"}:
        codes.append("NORM")
    return codes


def _rhythm(t: Tracing) -> list[str]:
    r, out = t.rhythm, []
    if t.conduction.block == "paced":
        out.append("PACE")
    if r.kind == AFIB:
        out += [] if t.conduction.block == "paced" else ["AFIB"]
    elif r.kind == AFLT:
        out.append("AFLT")
    elif r.kind in (SVT, VT):  # SCP-ECG's statements, as PTB-XL has them, know no ventricular tachycardia
        out.append("SVTAC" if r.kind == SVT else "ABQRS")
    elif t.conduction.block != "paced":
        rate = 60 / float(np.median(np.diff(r.p)))
        rr = t.rr[1:] if not r.ectopic.any() and not r.pacs and not r.block else np.array([1.0])
        if rate > 100:
            out.append("STACH")
        elif rate < 60:
            out.append("SBRAD")
        elif rr.max(initial=0) - rr.min(initial=9) > 0.16:
            out.append("SARRH")
        else:
            out.append("SR")
    if (r.ectopic & (r.qrs > 0) & (r.qrs < 9.9)).any():
        out.append("PVC")
    return out + (["PAC"] if r.pacs else [])


def _conduction(t: Tracing) -> list[str]:
    m, c, out = t.morphology, t.conduction, []
    if c.kind == "sinus" and not c.av and c.block != "paced" and m["pr"] > 200:
        out.append("1AVB")
    out += [{"avb2": "2AVB", "avb3": "3AVB"}[c.av]] if c.av and c.block != "paced" else []
    out += {"lbbb": ["CLBBB"], "rbbb": ["CRBBB"], "irbbb": ["IRBBB"]}.get(c.block, [])
    out += [code for shown, code in ((c.lafb, "LAFB"), (c.lpfb, "LPFB"), (c.delta, "WPW")) if shown]
    if not c.block and not c.delta and c.av != "avb3" and m["qrs"] > 122:
        out.append("IVCD")
    return out


def _infarction(m: Morphology) -> list[str]:
    out = [INFARCT[wall] for wall in INFARCT if m[f"q_wave.{wall}"] > 0.35]
    if "AMI" in out and "LMI" in out:
        out = [code for code in out if code not in ("AMI", "LMI")] + ["ALMI"]
    return out + list(dict.fromkeys(INJURY[w] for w in INJURY if m[f"injury.{w}"] > 100))


def _voltage(patient: Patient, t: Tracing) -> list[str]:
    part = t.beat[:, int(0.2 * RATE) : int((0.2 + t.morphology["qrs"] / 1000) * RATE)]
    r, s = part.max(axis=1), -part.min(axis=1)
    out = []
    high = s[6] + max(r[10], r[11]) > 4.0 or r[4] + s[8] > (3.2 if patient.male else 2.6)
    if high and t.morphology["strain"] > 0.25:
        out.append("LVH")
    elif high:
        out.append("LVH" if t.morphology["posterior"] > 0.3 else "VCLVH")
    if (r + s)[:6].max() < 0.5 or (r + s)[6:].max() < 1.0:
        out.append("LVOLT")
    if t.morphology["rvh"] > 0.45 and r[6] > s[6]:
        out.append("RVH")
    return out


def _repolarization(patient: Patient, t: Tracing) -> list[str]:
    m, out = t.morphology, []
    j = int((0.2 + m["qrs"] / 1000) * RATE)
    st = t.beat[:, j + 20]
    # T from where the ST segment is over, so that a lowered ST is not taken for an inverted T.
    wave = t.beat[:, max(j + 30, int((0.2 + 0.7 * t.qt + m["st_ms"] / 1000) * RATE)) :]
    peak = np.where(wave.max(axis=1) > -wave.min(axis=1), wave.max(axis=1), wave.min(axis=1))
    upright = peak[[0, 1, 8, 9, 10, 11]]
    secondary = t.conduction.block == "rbbb"
    walls = [w for w in WALL_LEADS if w != "septal" and (peak[list(WALL_LEADS[w])] < -0.08).sum() >= 2]
    if m["t_anterior"] > 0.5 or m["t_territory.septal"] > 0.35:
        walls.append("septal")
    lateral_strain = m["strain"] > 0.25
    if walls and not secondary:
        out.append("INVT")
        out += [ISCHAEMIC[w] for w in walls if m[f"t_territory.{w}"] > 0.25]
        if not any(m[f"t_territory.{w}"] > 0.25 for w in walls):
            out.append("NDT")
    elif float(np.mean(np.abs(upright))) < 0.08:
        out.append("LOWT")
    elif (np.abs(upright) < 0.06).sum() >= 3:
        out.append("NDT")
    if (st[[0, 1, 9, 10, 11]] < -0.075).sum() >= 2:
        out.append("STD_")
        out += ["ISC_"] if m["st_sub"] > 60 and not lateral_strain else []
    elif (st[[0, 1, 9, 10, 11]] < -0.045).sum() >= 2:
        out.append("NST_")
    if (st[[0, 1, 4, 5, 10, 11]] > 0.1).sum() >= 2 or (st[[7, 8, 9]] > 0.24).sum() >= 2:
        out.append("STE_")
    if m["qtc"] + m["st_ms"] > (460 if patient.male else 470):
        out.append("LNGQT")
    if m["scoop"] > 40:
        out.append("DIG")
    if any(source in ("potassium", "calcium") and abs(size) > least
           for source, name, size in m.applied
           for least in [{"t_uv": 150, "u_uv": 50, "st_ms": 18, "qrs": 12, "p_log": 0.3}.get(name, 1e9)]):  # fmt: skip
        out.append("EL")
    return list(dict.fromkeys(out))
