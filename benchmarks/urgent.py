"""Is what is urgent found where the ECG shows it? Writes urgent.json and .md, and ecgkt/results/urgent.json, which the
Model page shows.

    python -m benchmarks.urgent [--patients 12000] [--seed 20251209] [--cohort DIR] [--most 400]

A patient's codes say more than the ECG of a moment: whoever was coded with ventricular tachycardia may be in another
rhythm when an ECG is written. Here an ECG counts as positive if the picture was drawn into it, which is known of
simulated patients alone; these are of a seed that no network of the bundle has seen. Three ways of finding it are held
side by side on the same ECGs: the score, the score at its threshold, and the lines of the interpretation, which rest on
measurement as well. `--cohort` reads a simulated cohort that is there already (`python -m training simulate`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

import ecgkt
from ecgkt.interpretation.interpret import Interpretation, interpret
from ecgkt.json_records import encode
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.model import Model
from ecgkt.results import urgent_pictures
from ecgkt.results.intervals import Interval
from ecgkt.results.urgent_pictures import Found, UrgentPictures
from training.evaluate.urgent import SPECIFICITY, at_specificity
from training.metrics import estimate
from training.simulation import simulate

HERE = Path(__file__).parent
COHORT = HERE.parent / "runs" / "benchmark" / "urgent"
SAID = ("confirmed", "measured", "likely", "possible")
# What lines of the rhythm, which name no label where no score does, say of the same.
ALSO = {"I472": ("wide-QRS tachycardia",), "3AVB": ("P waves independent of QRS",)}
RESAMPLES = 1000
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """What was drawn.

    ecgs: a row a study (rhythm, qtc_ms, qrs_ms). findings: code -> studies. injury_uv: territory -> by how much an
    infarction raises ST. t_uv: by how much potassium raised the T of some lead. potassium: mmol/L.
    """

    ecgs: pd.DataFrame
    findings: dict[str, set[int]]
    injury_uv: dict[str, pd.Series]
    t_uv: pd.Series
    potassium: pd.Series

    @classmethod
    def of(cls, folder: Path) -> Truth:
        ecgs, findings, effects, changes, labs = (
            pd.read_parquet(folder / f"{name}.parquet") for name in ("ecgs", "findings", "effects", "changes", "labs")
        )
        infarctions = effects[effects["source"].str.startswith("stemi_")]
        return cls(
            ecgs.set_index("study_id"),
            {str(code): set(rows["study_id"]) for code, rows in findings.groupby("code")},
            {
                str(parameter).removeprefix("injury."): rows.set_index("study_id")["size"]
                for parameter, rows in infarctions.groupby("parameter")
                if str(parameter).startswith("injury.")
            },
            changes[changes["source"] == "potassium"].set_index("study_id").filter(regex="^T_").max(axis=1),
            labs[labs["lab"] == "potassium"].set_index("study_id")["value"],
        )

    def injury(self, territory: str, least: float, below: float = np.inf) -> set[int]:
        """Where an infarction raises ST by `least` uV and more, but by less than `below`."""
        return _within(self.injury_uv[territory], least, below)

    def long_qt(self, least: float, wide: bool) -> set[int]:
        """QTc above `least` ms beside a QRS of 120 ms and more, or a narrower one."""
        is_wide = self.ecgs["qrs_ms"] >= 120
        return set(self.ecgs.index[(self.ecgs["qtc_ms"] > least) & (is_wide if wide else ~is_wide)])

    def tall_t(self, least: float, below: float = np.inf) -> set[int]:
        """Where potassium above 5.1 mmol/L makes the T of some lead taller by `least` uV and more."""
        return _within(self.t_uv, least, below) & set(self.potassium.index[self.potassium > 5.1])


def _within(values: pd.Series, least: float, below: float) -> set[int]:
    return set(values.index[(values >= least) & (values < below)])


@dataclass(frozen=True)
class Picture:
    """code: whose score and lines are asked. words: what the ECG shows. drawn: the studies that show it."""

    code: str
    words: str
    drawn: Callable[[Truth], set[int]]


PICTURES = (
    Picture("INJAS", "ST raised by 0.2 mV and more, anterior, by an infarction", lambda t: t.injury("anterior", 200)),
    Picture(
        "INJAS", "ST raised by 0.1 to 0.2 mV, anterior, by an infarction", lambda t: t.injury("anterior", 100, 200)
    ),
    Picture("INJIN", "ST raised by 0.1 mV and more, inferior, by an infarction", lambda t: t.injury("inferior", 100)),
    Picture("INJLA", "ST raised by 0.1 mV and more, lateral, by an infarction", lambda t: t.injury("lateral", 100)),
    Picture("I2109", "ST raised by 0.2 mV and more, anterior, by an infarction", lambda t: t.injury("anterior", 200)),
    Picture("I2119", "ST raised by 0.1 mV and more, inferior, by an infarction", lambda t: t.injury("inferior", 100)),
    Picture("I2129", "ST raised by 0.1 mV and more, lateral, by an infarction", lambda t: t.injury("lateral", 100)),
    Picture("I472", "Ventricular tachycardia on this ECG", lambda t: set(t.ecgs.index[t.ecgs["rhythm"] == "vt"])),
    Picture("3AVB", "P waves and QRS independent of each other", lambda t: t.findings["3AVB"]),
    Picture("potassium_high", "T taller by 0.2 mV and more by raised potassium", lambda t: t.tall_t(200)),
    Picture("potassium_high", "T taller by 0.1 to 0.2 mV by raised potassium", lambda t: t.tall_t(100, 200)),
    Picture("E875", "T taller by 0.2 mV and more by raised potassium", lambda t: t.tall_t(200)),
    Picture("LNGQT", "QTc above 500 ms, QRS below 120 ms", lambda t: t.long_qt(500, wide=False)),
    Picture("LNGQT", "QTc above 500 ms, QRS of 120 ms and more", lambda t: t.long_qt(500, wide=True)),
    Picture("AFIB", "Atrial fibrillation, QRS not paced", lambda t: t.findings["AFIB"]),
)


@dataclass(frozen=True)
class Read:
    """What is said of one ECG. probability: by code; positive: codes above threshold; said: codes that a line names.
    All of them empty where the model abstains."""

    probability: dict[str, float]
    positive: set[str]
    said: set[str]


def read(model: Model, path: Path, codes: set[str]) -> Read:
    analyzed = AnalyzedECG(ecgkt.read(path.with_suffix(".hea")))
    prediction = model.predict(analyzed)
    told = interpret(analyzed.ecg, analyzed.intervals, analyzed.quantities, prediction)
    scores = {s.label.code: s for head in ("findings", "diagnoses", "labs") for s in prediction.scores(head)}
    return Read(
        {code: scores[code].probability for code in codes if code in scores},
        {code for code in codes if code in scores and scores[code].positive},
        {code for code in codes if _says(told, code)},
    )


def _says(told: Interpretation, code: str) -> bool:
    """Does a line say so, if only as possible?"""
    named = any(line.certainty in SAID and code in line.codes for line in told.lines)
    return named or any(words in line.statement for words in ALSO.get(code, ()) for line in told.lines)


def judged(picture: Picture, positive: list[Read], negative: list[Read], seed: int = 1) -> Found:
    """An ECG on which the model abstains counts as not found: its score is below all others."""
    everyone = positive + negative
    is_positive: Flags = np.arange(len(everyone)) < len(positive)
    score = np.array([each.probability.get(picture.code, -1.0) for each in everyone])
    flags = {
        "found": np.array([picture.code in each.positive for each in everyone]),
        "said": np.array([picture.code in each.said for each in everyone]),
    }
    rng = np.random.default_rng(seed)
    counts = [rng.multinomial(n, np.full(n, 1 / n), RESAMPLES) for n in (len(positive), len(negative))]
    weights = np.concatenate([np.ones((1, len(everyone))), np.concatenate(counts, axis=1)])

    def share(flag: Flags, of: Flags) -> Interval:
        part = weights[:, of]
        found = estimate((part * flag[of]).sum(axis=1) / part.sum(axis=1))
        assert found is not None
        return found

    sensitivity = estimate(at_specificity(score, is_positive, ~is_positive, weights, SPECIFICITY))
    assert sensitivity is not None
    return Found(
        picture.code, picture.words, len(positive), sensitivity, share(flags["found"], is_positive),
        share(~flags["found"], ~is_positive), share(flags["said"], is_positive), share(~flags["said"], ~is_positive),
    )  # fmt: skip


def measured(model: Model, cohort: Path, most: int) -> UrgentPictures:
    """Up to `most` ECGs of each picture, and five times as many that were drawn from all."""
    truth = Truth.of(cohort / "truth")
    records = pd.read_csv(cohort / "mimic-iv-ecg" / "record_list.csv").set_index("study_id")["path"]
    rng = np.random.default_rng(0)
    drawn = {picture: picture.drawn(truth) for picture in PICTURES}
    wanted = {picture: _some(studies, most, rng) for picture, studies in drawn.items()}
    others = _some(set(truth.ecgs.index), 5 * most, rng)
    codes = {picture.code for picture in PICTURES}
    reads = {
        study: read(model, cohort / "mimic-iv-ecg" / str(records[study]), codes)
        for study in tqdm(sorted(set(others).union(*wanted.values())), unit="ECG")
    }
    rows = [
        judged(picture, [reads[s] for s in wanted[picture]], [reads[s] for s in others if s not in drawn[picture]])
        for picture in PICTURES
        if len(wanted[picture]) >= 10
    ]
    return UrgentPictures(urgent_pictures.VERSION, model.sha256, len(truth.ecgs), len(others), rows)


def _some(studies: set[int], most: int, rng: np.random.Generator) -> list[int]:
    ordered = np.array(sorted(studies))
    return sorted(rng.choice(ordered, most, replace=False).tolist()) if len(ordered) > most else ordered.tolist()


def markdown(found: UrgentPictures) -> str:
    table = urgent_pictures.table(found, lambda code: code)
    lines = ["# Is what is urgent found where the ECG shows it?\n", urgent_pictures.in_words(found) + "\n"]
    lines += [f"| {' | '.join(table.header)} |", "|" + "---|" * len(table.header)]
    lines += [f"| {' | '.join(row)} |" for row in table.rows]
    return "\n".join([*lines, "", f"{table.caption}.", "Written by `python -m benchmarks.urgent`.", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=20251209)
    parser.add_argument("--cohort", type=Path)
    parser.add_argument("--most", type=int, default=400)
    options = parser.parse_args()
    cohort = options.cohort or COHORT
    if options.cohort is None:
        simulate(options.patients, options.seed, COHORT)
    found = measured(ecgkt.load(), cohort, options.most)
    written: dict[str, Any] = json.loads(encode(found))
    (HERE / "urgent.json").write_text(json.dumps(written, indent=1) + "\n")
    (HERE / "urgent.md").write_text(markdown(found))
    urgent_pictures.FILE.write_bytes(encode(found))
    print(markdown(found))


if __name__ == "__main__":
    main()
