"""What the dashboard loads: networks, their calibration, labels, figures and provenance in one folder.

    python -m training bundle --config training/configs/default.yaml --curve training/configs/curve.yaml \
        --out assets/models/default

With --curve, networks that the label-efficiency curve taught with few patients' labels go in beside the run's own.

Calibration and thresholds come from the validation split only: see `training.calibrate.platt`.
"""

from __future__ import annotations

import datetime
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ecgkt import vocabulary
from ecgkt.ecg import LEADS
from ecgkt.lab_links.links import LabLinks
from ecgkt.model.bundle import REFERENCE_FILE, save_bundle
from ecgkt.model.card import VERSION, Card, DataSet, LabelEntry, Normalization, Split, TrainingStage
from ecgkt.model.networks.network import CLIP_MV, Network
from ecgkt.model.out_of_distribution import Novelty
from ecgkt.model.preprocessing import BAND, MODEL_RATE, MODEL_SAMPLES
from ecgkt.prediction import HEADS, Head
from ecgkt.results import names
from ecgkt.results.metrics import Metrics
from ecgkt.verdict import Guarantee
from training.calibrate.fitted import Fitted, fitted, fitted_novelty
from training.calibrate.lab_links import fit_links
from training.calibrate.platt import Thresholds
from training.cohort.prepared import MODELED
from training.config import Config
from training.data.pool import Pool
from training.evaluate.evaluate import load_metrics
from training.recipes import RECIPES, TRANSFER
from training.release.few_labels import CurveRuns, few_labels
from training.train import files
from training.train.outputs import run_outputs
from training.train.run import load_network, load_sets, load_stage

CARD_FILE = "bundle.json"
Info = dict[str, Any]  # prepared.json of a data set
INTENDED_USE = (
    "Research on what a 12-lead ECG reveals about ECG findings, diagnoses and laboratory abnormalities, and on how "
    "such a model can be explained. For researchers and clinicians evaluating the method, not for patient care."
)
NOT_FOR = [
    "Any clinical decision: triage, diagnosis, treatment or reassurance.",
    "Ruling anything out: a low probability is not a negative test.",
    "Patients under 18, paced rhythms, exercise or ambulatory recordings, recordings with fewer than 12 leads.",
    "Ranking patients against each other; populations other than those described under training data.",
]


def bundle(config: Config, out: Path, curve: CurveRuns | None = None) -> None:
    """curve: whose networks with few labels ship too. Raises StageError where something has not been trained."""
    sources, sets = load_sets(config)
    pool = Pool(sets)
    metrics = load_metrics(config)
    own = [name for name in names.COMPARED if name != names.PAPER or name in metrics.models]
    networks = {name: load_network(config, name) for name in own}
    made = {name: fitted(config, pool, name) for name in own}
    few = few_labels(config, curve, sources, sets) if curve else {}
    transfer = made[TRANSFER]
    card = Card(
        version=VERSION,
        name=config.name,
        created=datetime.date.today().isoformat(),
        leads=list(LEADS),
        rate=MODEL_RATE,
        samples=MODEL_SAMPLES,
        normalization=Normalization(
            unit="mV",
            band_hz=BAND,
            clip_mv=CLIP_MV,
            lead_scale_mv=[round(float(v), 5) for v in networks[TRANSFER].lead_scale[:, 0]],
        ),
        labels={
            head: _label_entries(
                pool, head, transfer.thresholds.get(head, {}), transfer.guarantees.get(head, {}), metrics
            )
            for head in HEADS
        },
        calibration={name: one.parameters for name, one in made.items()}
        | {name: one.calibration for name, one in few.items()},
        training_data=[
            _provenance(prepared.info, source.pretrain) for source, prepared in zip(sources, sets, strict=True)
        ],
        seeds={"run": config.seed, **{s.name: s.seed for s in sources if s.seed}},
        config=config.to_json(),
        stages=_stages(config, own, pool) | {name: one.stage for name, one in few.items()},
        intended_use=INTENDED_USE,
        not_for=NOT_FOR,
        limits=_limits(pool),
        architectures={},  # these two are filled in as the files are written
        files={},
    )
    networks |= {name: one.network for name, one in few.items()}
    links = _lab_links(config, pool, made[TRANSFER], card)
    _replace(out, networks, card, metrics, fitted_novelty(config, pool, TRANSFER), links)
    print(f"bundle written: {sum(f.stat().st_size for f in out.iterdir()) / 1e6:.1f} MB in {out}")


def _lab_links(config: Config, pool: Pool, transfer: Fitted, card: Card) -> LabLinks | None:
    """How diagnoses hang on labs among validation patients, the simulated ones if there are any; None without labs that
    an ECG carries."""
    rows = pool.rows("validation")
    logits = run_outputs(config, TRANSFER, pool, "validation").logits
    kept = pool.simulated(rows) if pool.simulated(rows).any() else np.ones(len(rows), dtype=bool)
    said = {
        code: column
        for head, values in logits.items()
        for code, column in zip(
            pool.codes()[head], transfer.probabilities(head, pool.codes()[head], values[kept]).T, strict=True
        )
    }
    labels = {head: [entry.label(head) for entry in card.labels[head]] for head in HEADS}
    kind = "simulated" if pool.simulated(rows).any() else "real"
    return fit_links(said, labels["labs"], labels["diagnoses"], f"validation patients of the run, {kind}")


def _replace(
    out: Path, networks: dict[str, Network], card: Card, metrics: Metrics, novelty: Novelty, links: LabLinks | None
) -> None:
    """Write a bundle beside `out` and move it there file by file, bundle.json last: what a killed run leaves is the old
    one, the new one, or one that is refused because a SHA-256 differs, and is made again by the same command."""
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    save_bundle(partial, networks, card, metrics, novelty, lab_links=links)
    out.mkdir(parents=True, exist_ok=True)
    for file in sorted(partial.iterdir(), key=lambda file: file.name == CARD_FILE):
        files.write(out / file.name, file.read_bytes())
    (out / REFERENCE_FILE).unlink(missing_ok=True)  # of the former bundle, if any: `training reference` makes it again
    shutil.rmtree(partial)


def _stages(config: Config, own: list[str], pool: Pool) -> dict[str, TrainingStage]:
    """Of the run's own networks; all of them were taught with all labels."""
    train = pool.rows("train")
    labeled = ~np.isnan(pool.targets["diagnoses"][train]).all(axis=1)
    patients = len(np.unique(pool.ecgs["patient"].to_numpy(str)[train][labeled]))
    found = {}
    for name in (*(["pretrain"] if RECIPES[config.transfer].stage_1 else []), *own):
        _, record = load_stage(config, name)
        found[name] = TrainingStage(
            parameters=record["parameters"],
            seconds_this_run=record["seconds_this_run"],
            source_erased_on=record["figures"].get("source_erased_on") or None,
            labeled_patients=patients if name in own else None,
        )
    return found


def _label_entries(
    pool: Pool, head: Head, thresholds: Thresholds, promised: dict[str, Guarantee], metrics: Metrics
) -> list[LabelEntry]:
    """The labels of a head in the order of the network's outputs, with all that `ecgkt.prediction.Label` needs."""
    measured = metrics.head(TRANSFER, head)
    train = pool.rows("train")
    findings: dict[str, object] = (
        {code: finding.name for code, finding in vocabulary.findings().items()} if head == "findings" else {}
    )
    is_simulated = pool.simulated(train)
    entries = []
    for column, entry in enumerate(pool.labels[head]):
        truth = pool.targets[head][train, column]
        positive = truth == 1
        kinds = [
            kind for kind, mask in (("simulated", is_simulated), ("real", ~is_simulated)) if (positive & mask).any()
        ]
        code = str(entry["code"])
        figure = measured.labels.get(code) if measured else None
        threshold, source = thresholds[code]
        made = {
            **entry,
            "name": findings.get(code, entry["name"]),  # as the vocabulary has it now, whenever the set was prepared
            "prevalence": round(float(np.nanmean(truth)), 5) if (~np.isnan(truth)).any() else 0.0,
            "training_positives": int(positive.sum()),
            "threshold": round(threshold, 5),
            "threshold_source": source,
            "guarantee": _around(promised[code], round(threshold, 5)) if code in promised else None,
            "auroc": figure.auroc if figure else None,
            "test_positives": figure.positives if figure else 0,
            "measured_on": figure.measured_on if figure else None,
            "learned_from": " and ".join(kinds) or "nobody",
        }
        entries.append(msgspec.convert(made, LabelEntry))
    return entries


def _around(promise: Guarantee, threshold: float) -> dict[str, object]:
    """The limits of a verdict, moved by a last digit to take in the threshold as it is rounded here."""
    low = None if promise.low is None else min(promise.low, threshold)
    high = None if promise.high is None else max(promise.high, threshold)
    return vars(replace(promise, low=low, high=high))


def _provenance(info: Info, pretrain: bool) -> DataSet:
    return DataSet(
        name=info["name"],
        source=info["source"],
        simulated=bool(info["simulated"]),
        patients=info["patients"],
        ecgs=info["ecgs"],
        splits={name: Split(**sizes) for name, sizes in info["splits"].items()},
        license=info.get("license"),
        note=info.get("note"),
        fingerprint=info["fingerprint"],
        used_in_stage_1=pretrain,
    )


def _limits(pool: Pool) -> list[str]:
    limits = []
    if any(prepared.info["simulated"] for prepared in pool.sets):
        limits.append(
            "Diagnoses and laboratory abnormalities were learned from simulated patients and tested on simulated "
            "patients; how well they carry over to real patients is unknown."
        )
    modeled = [p for p in pool.sets if p.info.get("amplitudes") == MODELED]
    if modeled:
        real = sum(len(prepared) for prepared in pool.sets if not prepared.info["simulated"])
        share = sum(len(prepared) for prepared in modeled) / real
        limits.append(
            f"{share:.0%} of the real ECGs have modeled amplitudes, so voltage criteria (LVH, low voltage) are "
            "unreliable."
        )
    limits.append(
        "Thresholds (best F1 at 90% specificity, at least 10% and twice the prevalence; lower if urgent) serve no "
        "clinical purpose."
    )
    limits.append(
        "Not done: external validation in another hospital, evaluation by ethnicity, a reader study, a prospective "
        "study."
    )
    return limits
