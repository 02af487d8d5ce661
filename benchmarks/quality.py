"""How often real recordings are refused or flagged, and how often faults are found; writes quality.json and .md

    python benchmarks/quality.py [--every N]

Real recordings below `benchmarks.real_data.REAL_DATA`, all as they are (every 5th of PTB-XL's), and every N-th with one
fault each; and the shipped examples. The training folds of all these sets were fitted to (training/calibrate:
lead_reversal.py, misread.py); benchmarks/junk.py leaves them out. LUDB's leads are scaled one by one, so a fault that
mixes leads (cables of the limbs) is not what it would be there; cables moved one on or back change order and sign only.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.real_data import REAL_DATA  # noqa: E402
from ecgkt.ecg import ECG, LEADS, ECGError, derived_limb_leads  # noqa: E402
from ecgkt.measurements.delineation import delineate  # noqa: E402
from ecgkt.quality.lead_reversal import SWAPS, Moves  # noqa: E402
from ecgkt.quality.usable import assess  # noqa: E402
from ecgkt.quality.warnings import quality_warnings  # noqa: E402
from ecgkt.readers import read  # noqa: E402

HERE = Path(__file__).parent
SETS = {
    "ptbxl": "ptbxl/records100/*/*.hea", "native ptbxl": "ptbxl_native/records500/*/*.hea", "ludb": "ludb/data/*.hea",
    "cinc": "cinc/*.hea", "cinc_extra": "cinc_extra/*.hea",
}  # fmt: skip
EXAMPLES = ROOT / "assets" / "examples"
LEADS_WRONG = ("reverse", "order", "inverted")  # words of a doubt about leads or time
I, II = 0, 1  # noqa: E741
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def swapped(moves: Moves) -> Change:
    """The mistake that `moves` puts right, in all twelve leads."""
    names = ("I", "II", "III", "V1", "V2", "V3", "V4", "V5", "V6")

    def change(signal: np.ndarray, _: np.random.Generator) -> np.ndarray:
        out = signal.copy()
        rows = [*range(3), *range(6, 12)]
        for recorded, (true, sign) in moves.items():
            out[rows[names.index(recorded)]] = sign * signal[rows[names.index(true)]]
        one, two = out[I], out[II]
        if set(moves) & {"I", "II", "III"}:
            derived = derived_limb_leads(one, two)
            out[3:6] = [derived[lead] for lead in LEADS[3:6]]
        return out

    return change


def noisy(size: float, leads: int) -> Change:
    """Tremor of `size` mV (SD, up to 40 Hz) in so many chest leads."""

    def change(signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        spectrum = np.fft.rfft(rng.standard_normal((leads, signal.shape[1])))
        spectrum[:, 400:] = 0  # ten seconds: a bin is 0.1 Hz
        noise = np.fft.irfft(spectrum, signal.shape[1])
        out = signal.copy()
        out[6 : 6 + leads] += size * noise / noise.std(axis=1, keepdims=True)
        return out

    return change


def clipped(signal: np.ndarray, _: np.random.Generator) -> np.ndarray:
    low, high = np.percentile(signal, [4, 96], axis=1, keepdims=True)
    return np.clip(signal, low, high)


def lead_off(signal: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.where(np.arange(12)[:, None] == 8, 0.0, signal)


def missing(share: float) -> Change:
    def change(signal: np.ndarray, _: np.random.Generator) -> np.ndarray:
        return np.where(np.arange(signal.shape[1]) < share * signal.shape[1], np.nan, signal)

    return change


FAULTS: dict[str, Change] = {
    **{f"exchanged: {name}": swapped(moves) for name, moves in SWAPS.items()},
    "played backwards": lambda s, _: s[:, ::-1],
    "upside down": lambda s, _: -s,
    "one lead twelve times": lambda s, _: np.repeat(s[1:2], 12, axis=0),
    "tremor of 0.1 mV in two leads": noisy(0.1, 2),
    "tremor of 0.3 mV in six leads": noisy(0.3, 6),
    "clipped at 4 and 96%": clipped,
    "V3 off": lead_off,
    "half missing": missing(0.5),
    "a tenth missing": missing(0.1),
    "µV taken for mV": lambda s, _: s * 1000,
    "mV taken for µV": lambda s, _: s / 1000,
}


def judged(ecg: ECG) -> tuple[str, tuple[str, ...]]:
    """("refused" | "flagged" | "passed", sentences)"""
    beats = delineate(ecg)
    quality = assess(ecg, beats)
    if not quality.ok:
        return "refused", quality.reasons
    found = quality_warnings(ecg, beats)
    return ("flagged" if found else "passed"), found


def measured(data: Path, every: int) -> dict[str, Any]:
    result: dict[str, Any] = {"every": every, "sets": {}}
    files = {name: sorted(data.glob(pattern))[:: 5 if name == "ptbxl" else 1] for name, pattern in SETS.items()}
    files["shipped examples"] = sorted(EXAMPLES.rglob("*.hea"))
    for name, paths in files.items():
        ecgs = []
        for file in paths:
            try:
                ecg = read(file)
            except ECGError:
                continue
            ecgs.append(ecg.crop(0, 30) if ecg.seconds > 60 else ecg)
        as_recorded = [judged(ecg) for ecg in ecgs]
        verdicts = [verdict for verdict, _ in as_recorded]
        sentences = [words for verdict, told in as_recorded if verdict == "flagged" for words in told]
        doubts = Counter(words for words in sentences if any(part in words for part in LEADS_WRONG))
        rows = {"as recorded": _shares(verdicts)}
        usable = [ecg for ecg, verdict in zip(ecgs, verdicts, strict=True) if verdict != "refused"][::every]
        rng = np.random.default_rng(0)
        for fault, change in FAULTS.items():
            made = [ECG(np.ascontiguousarray(change(e.signal, rng)).astype(np.float32), e.rate) for e in usable]
            rows[fault] = _shares([judged(ecg)[0] for ecg in made])
        result["sets"][name] = {
            "recordings": len(ecgs), "with_faults": len(usable), "leads_doubted": dict(doubts), "rows": rows,
        }  # fmt: skip
        print(name, len(ecgs), dict(doubts), flush=True)
    return result


def _shares(verdicts: list[str]) -> list[float]:
    """Share refused, share flagged."""
    return [round(verdicts.count(kind) / len(verdicts), 4) for kind in ("refused", "flagged")]


def table(result: dict[str, Any]) -> str:
    sets = result["sets"]
    head = [f"{name}, {entry['recordings']} ({entry['with_faults']} with faults)" for name, entry in sets.items()]
    lines = ["| | " + " | ".join(head) + " |", "|---|" + "---|" * len(sets)]
    for fault in next(iter(sets.values()))["rows"]:
        cells = [f"{100 * r:.1f}% + {100 * f:.1f}%" for r, f in (entry["rows"][fault] for entry in sets.values())]
        lines.append(f"| {fault} | " + " | ".join(cells) + " |")
    doubts = [
        f"- {name}: {sum(entry['leads_doubted'].values())} of {entry['recordings']}"
        + "".join(f"; {count} x {words}" for words, count in sorted(entry["leads_doubted"].items()))
        for name, entry in sets.items()
    ]
    return "\n".join(
        [
            "# Quality check",
            "",
            "Share of recordings refused + flagged with a doubt; `python benchmarks/quality.py` writes this.",
            "",
            *lines,
            "",
            "Leads or time doubted, as recorded:",
            "",
            *doubts,
            "",
        ]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--every", type=int, default=20, help="every N-th of each set gets faults")
    found = measured(REAL_DATA, parser.parse_args().every)
    (HERE / "quality.json").write_text(json.dumps(found, indent=1) + "\n")
    (HERE / "quality.md").write_text(table(found))
    print(table(found))
