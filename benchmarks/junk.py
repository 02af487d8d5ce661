"""How often the model answers what is no ECG, or none that it was made for, without a doubt; writes junk.json and .md

    python benchmarks/junk.py [--each N]

Each kind of junk is made of real recordings outside the training folds (benchmarks/held_out.py; N of each set, evenly
spread), with limb leads as a recorder computes them, so that no check of the leads alone finds it. Some kinds were
fitted to on other recordings (training/calibrate/misread.py, training/calibrate/out_of_distribution.py). Children are
as recorded, with their age and without.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.signal import sawtooth

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.held_out import held_out  # noqa: E402
from benchmarks.real_data import REAL_DATA  # noqa: E402
from ecgkt.ecg import ECG, LEADS, ECGError, derived_limb_leads  # noqa: E402
from ecgkt.model.model import Model, load  # noqa: E402
from ecgkt.prediction import HEADS  # noqa: E402
from ecgkt.readers import read  # noqa: E402

HERE = Path(__file__).parent
CHILDREN = "children"
CONFIDENT = 0.5  # a diagnosis or abnormal finding at least so likely, without a doubt
Rng = np.random.Generator
Change = Callable[[ECG, Rng], np.ndarray]


def _with_limb_leads(signal: np.ndarray) -> np.ndarray:
    out = np.array(signal)
    for lead, row in derived_limb_leads(out[0], out[1]).items():
        out[LEADS.index(lead)] = row
    return out


def _as_large(made: np.ndarray, ecg: ECG) -> np.ndarray:
    size = np.nanstd(ecg.signal, axis=1, keepdims=True)
    return _with_limb_leads(made / made.std(axis=1, keepdims=True) * size)


def _pink(ecg: ECG, rng: Rng, exponent: float) -> np.ndarray:
    frequency = np.fft.rfftfreq(ecg.samples, 1 / ecg.rate)
    frequency[0] = frequency[1]
    return np.fft.irfft(np.fft.rfft(rng.standard_normal(ecg.signal.shape)) / frequency ** (exponent / 2), ecg.samples)


def eeg_like(ecg: ECG, rng: Rng) -> np.ndarray:
    """Pink noise with an alpha rhythm of 8 to 12 Hz that waxes and wanes, phases by lead."""
    time = np.arange(ecg.samples) / ecg.rate
    alpha = np.sin(2 * np.pi * rng.uniform(8, 12) * time + rng.uniform(0, 6, (12, 1)))
    noise = _pink(ecg, rng, 1)
    waxing = 1 + 0.6 * np.sin(2 * np.pi * 0.3 * time + rng.uniform(0, 6))
    return _as_large(noise / noise.std() + 1.2 * alpha * waxing, ecg)


def saw(ecg: ECG, rng: Rng) -> np.ndarray:
    """A sawtooth of 1 to 3 Hz with 5% of noise, phases by lead."""
    time = np.arange(ecg.samples) / ecg.rate
    made = sawtooth(2 * np.pi * (rng.uniform(1, 3) * time + rng.uniform(0, 1, (12, 1))), 0.9)
    return _as_large(made + 0.05 * rng.standard_normal(made.shape), ecg)


def sine(ecg: ECG, rng: Rng) -> np.ndarray:
    time = np.arange(ecg.samples) / ecg.rate
    made = np.sin(2 * np.pi * (rng.uniform(0.8, 3) * time + rng.uniform(0, 1, (12, 1))))
    return _as_large(made + 0.02 * rng.standard_normal(made.shape), ecg)


def shuffled(ecg: ECG, rng: Rng, seconds: float = 0.1) -> np.ndarray:
    """Pieces of so many seconds in another order, the same in all leads."""
    size = max(1, round(seconds * ecg.rate))
    pieces = [np.arange(first, first + size) for first in range(0, ecg.samples - size + 1, size)]
    return ecg.signal[:, np.concatenate([pieces[i] for i in rng.permutation(len(pieces))])]


def leads_shuffled(ecg: ECG, rng: Rng) -> np.ndarray:
    """Each electrode in the place of another: leads I and II and the chest leads drawn from all eight."""
    independent = [0, 1, *range(6, 12)]
    out = np.array(ecg.signal)
    out[independent] = ecg.signal[rng.permutation(independent)]
    return _with_limb_leads(out)


KINDS: dict[str, Change] = {
    "EEG-like": eeg_like,
    "sawtooth": saw,
    "sine": sine,
    "white noise": lambda e, rng: _as_large(_pink(e, rng, 0), e),
    "brown noise": lambda e, rng: _as_large(_pink(e, rng, 2), e),
    "samples shuffled": lambda e, rng: rng.permuted(e.signal, axis=1),
    "pieces shuffled": shuffled,
    "pieces of half a second shuffled": lambda e, rng: shuffled(e, rng, 0.5),
    "leads shuffled": leads_shuffled,
    "inverted": lambda e, _: -e.signal,
    "five times as large": lambda e, _: 5 * e.signal,
    "a fifth of the size": lambda e, _: e.signal / 5,
    "played backwards": lambda e, _: e.signal[:, ::-1],
    "twice as fast": lambda e, _: np.tile(e.signal[:, ::2], 2)[:, : e.samples],
}


def judged(model: Model, ecg: ECG) -> tuple[str, tuple[str, ...]]:
    """ "refused", "doubted", "answered", or "confident" where something abnormal is likely; and why."""
    prediction = model.predict(ecg)
    if prediction.abstained:
        return "refused", prediction.quality.reasons
    if prediction.quality.warnings:
        return "doubted", prediction.quality.warnings
    abnormal = [s for head in HEADS for s in prediction.scores(head) if s.label.code not in ("NORM", "SR")]
    is_sure = any(s.positive and s.probability >= CONFIDENT for s in abnormal)
    return ("confident" if is_sure else "answered"), ()


def cause(sentence: str) -> str:
    """A warning without what differs from ECG to ECG."""
    named = re.sub(r" in (places in )?(I|aV|V\d)[IVaRLF\d, ]*\.", r" in \1a lead.", sentence)
    return re.sub(r"\d+(\.\d+)?", "n", re.sub(r"\(([^)]* (exchanged|leg|arm)[^)]*|V1 to V6[^)]*)\)", "(...)", named))


def recordings(each: int) -> dict[str, list[ECG]]:
    """Name of a set -> its readable ECGs; children with and without their age."""
    files = held_out() | {CHILDREN: sorted((REAL_DATA / "zzu_pecg" / "records").glob("*.hea"))}
    sets: dict[str, list[ECG]] = {}
    for name, paths in files.items():
        sets[name] = []
        for path in paths[:: max(1, len(paths) // each)]:
            try:
                sets[name].append(read(path))
            except ECGError:
                continue
    listed = pd.read_csv(REAL_DATA / "zzu_pecg" / "records.csv").set_index("ecg_id")["age"]
    years = {name: float(age.split()[0]) / (12 if age.endswith("mo") else 1) for name, age in listed.items()}
    ages = [years[path.stem] for path in files[CHILDREN]]
    sets["children, their age stated"] = [replace(ecg, age=age) for ecg, age in zip(sets[CHILDREN], ages, strict=True)]
    return sets


def measured(model: Model, each: int) -> dict[str, Any]:
    result: dict[str, Any] = {"each": each, "model": model.sha256, "as recorded": {}, "causes": {}, "junk": {}}
    made_of = []
    for name, ecgs in recordings(each).items():
        verdicts = [judged(model, ecg) for ecg in ecgs]
        result["as recorded"][name] = _shares([verdict for verdict, _ in verdicts])
        result["causes"][name] = dict(Counter(cause(words) for _, told in verdicts for words in told).most_common())
        if CHILDREN not in name and name != "LUDB":  # LUDB's leads are each scaled to the same height
            made_of += [ecg for ecg, (verdict, _) in zip(ecgs, verdicts, strict=True) if verdict != "refused"]
        print(name, result["as recorded"][name], result["causes"][name], flush=True)
    for kind, change in KINDS.items():
        rng = np.random.default_rng(0)
        made = [ECG(np.ascontiguousarray(change(e, rng), np.float32), e.rate) for e in made_of[::2]]
        result["junk"][kind] = _shares([judged(model, ecg)[0] for ecg in made])
        print(kind, result["junk"][kind], flush=True)
    return result


def _shares(verdicts: list[str]) -> dict[str, float]:
    kinds = ("refused", "doubted", "answered", "confident")
    return {"ecgs": len(verdicts), **{k: round(verdicts.count(k) / max(1, len(verdicts)), 4) for k in kinds}}


def table(result: dict[str, Any]) -> str:
    lines = [
        "# What is no ECG, or none that the model was made for",
        "",
        "Shares refused, doubted (a warning), answered without a doubt, and of those with something abnormal at 50% or "
        "more. Of recordings outside the training folds. `python benchmarks/junk.py` writes this.",
    ]
    for title in ("as recorded", "junk"):
        lines += ["", f"| {title} | ECGs | refused | doubted | answered | confidently |", "|---|---|---|---|---|---|"]
        for name, row in result[title].items():
            cells = (f"{100 * row[k]:.1f}%" for k in ("refused", "doubted", "answered", "confident"))
            lines.append(f"| {name} | {row['ecgs']} | " + " | ".join(cells) + " |")
    lines += ["", "Why ECGs as recorded were refused or doubted:", ""]
    for name, causes in result["causes"].items():
        lines += [f"- {name}: {count} x {words}" for words, count in causes.items()]
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=100)
    result = measured(load(), parser.parse_args().each)
    (HERE / "junk.json").write_text(json.dumps(result, indent=1) + "\n")
    (HERE / "junk.md").write_text(table(result))
    print(table(result))


if __name__ == "__main__":
    main()
