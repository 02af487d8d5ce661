"""Every model on the same test ECGs, with patient-level bootstrap intervals and the gap closed.

    python -m training evaluate --config training/configs/default.yaml

Writes OUT/evaluation/metrics.json and record.json; what each model says of validation and test ECGs is kept beside its
weights (training/train/outputs.py). Findings are measured on real test ECGs where those are known and have enough
positives, on simulated ones otherwise; each label says which. Diagnoses and labs exist for cohort patients only.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ecgkt.json_records import encode
from ecgkt.prediction import HEADS, Head
from ecgkt.results import names, numbers
from ecgkt.results.intervals import Kind
from ecgkt.results.metrics import VERSION, Bootstrap, Cohort, HeadFigures, Metrics, RealFindings, SourceCohort
from ecgkt.results.trust_metrics import Calibration, Refusals, Subgroup
from training.calibrate.fitted import fitted
from training.calibrate.platt import cross_fitted
from training.cohort.prepared import MODELED, RECORDED
from training.config import Config
from training.data.pool import Pool
from training.evaluate.auroc import difference, gap_closed, head_figures, real_findings
from training.evaluate.calibration_error import calibration_figures
from training.evaluate.refusals import refusals
from training.evaluate.run_metrics import read_run_metrics
from training.evaluate.selective_prediction import trust_figures
from training.evaluate.subgroups import abstention_figures, subgroup_figures
from training.evaluate.urgent import urgent_figures
from training.metrics import Array, patient_resamples
from training.train import files
from training.train.outputs import run_outputs
from training.train.run import load_sets

MODELS = (
    names.TRANSFER, names.SIGNAL, "signal_only_labs", names.PAPER, "random_linear", "clinical_only", names.MULTIMODAL
)  # fmt: skip


def evaluate(config: Config) -> Metrics:
    _, sets = load_sets(config)
    pool = Pool(sets)
    rows = pool.rows("test")
    patients = pool.ecgs["patient"].to_numpy(str)[rows]
    simulated = pool.simulated(rows)
    resamples = patient_resamples(patients, config.bootstrap, config.seed)
    codes = pool.codes()
    models: dict[str, dict[Head, HeadFigures]] = {}
    macros: dict[str, Array] = {}
    evaluated = [name for name in MODELS if name != names.PAPER or config.pretrain_steps]
    for name in tqdm(evaluated, desc="evaluate"):
        logits = run_outputs(config, name, pool, "test").logits
        models[name] = {}
        for head in (head for head in HEADS if head in logits):
            targets = pool.targets[head][rows].astype(float)
            models[name][head], macro = head_figures(codes[head], logits[head], targets, simulated, resamples)
            if head == "diagnoses" and macro is not None:
                macros[name] = macro
    shipped = _shipped(config, pool, codes, simulated, resamples)
    trust = trust_figures(
        config,
        pool,
        run_outputs(config, names.TRANSFER, pool, "test"),
        simulated,
        resamples,
    )
    metrics = Metrics(
        version=VERSION,
        test=Cohort(patients=len(np.unique(patients)), ecgs=len(rows)),
        test_by_source={
            prepared.info["name"]: SourceCohort(
                simulated=bool(prepared.info["simulated"]),
                patients=len(np.unique(patients[pool.source_of[rows] == number])),
                ecgs=int((pool.source_of[rows] == number).sum()),
            )
            for number, prepared in enumerate(pool.sets)
        },
        models=models,
        knowledge_transfer_recipe=config.transfer,
        bootstrap=Bootstrap(resamples=config.bootstrap, unit="patient", interval="95% percentile"),
        gap_closed=gap_closed(macros),
        transfer_minus_signal_only=difference(macros, names.TRANSFER, names.SIGNAL),
        transfer_minus_signal_only_labs=difference(macros, names.TRANSFER, "signal_only_labs"),
        calibration=shipped.calibration,
        subgroups=shipped.subgroups,
        abstention=shipped.abstention,
        left_out_in_preparation={prepared.info["name"]: prepared.info["excluded"] for prepared in pool.sets},
        real_findings=shipped.real_findings,
        urgent=urgent_figures(config, pool, simulated, resamples),
        conformal=trust.conformal,
        novelty=trust.novelty,
        risk_coverage=trust.risk_coverage,
    )
    path = config.folder / "evaluation" / "metrics.json"
    files.write(path, encode(metrics))
    record = {
        "stage": "evaluate",
        "config_hash": config.hash(),
        "seed": config.seed,
        "data": {prepared.info["name"]: prepared.info["fingerprint"] for prepared in sets},
        "models": evaluated,
    }
    files.write_json(path.parent / "record.json", record)
    _print_table(metrics)
    return metrics


@dataclass(frozen=True)
class Shipped:
    """What is measured of the model that ships only, under its keys in metrics.json."""

    calibration: dict[Head, dict[Kind, Calibration]]
    subgroups: dict[Head, dict[Kind, list[Subgroup]]]
    abstention: dict[Kind, list[Refusals]]
    real_findings: RealFindings | None


def _shipped(
    config: Config, pool: Pool, codes: dict[str, list[str]], simulated: npt.NDArray[np.bool_], resamples: Array
) -> Shipped:
    """Calibration, subgroups, abstention and real findings of the model that ships.

    Test ECGs have the calibration that the bundle gets, fitted on all validation patients; validation ECGs one that was
    fitted on other validation patients.
    """
    rows, before = pool.rows("test"), pool.rows("validation")
    ecgs, earlier = pool.ecgs.iloc[rows], pool.ecgs.iloc[before]
    patients = earlier["patient"].to_numpy(str)
    kinds: dict[Kind, npt.NDArray[np.bool_]] = {"real": ~simulated, "simulated": simulated}
    is_simulated = pool.simulated(before)
    kinds_before = {"real": ~is_simulated, "simulated": is_simulated}
    resamples_before = patient_resamples(patients, config.bootstrap, config.seed)
    calibration: dict[Head, dict[Kind, Calibration]] = {}
    subgroups: dict[Head, dict[Kind, list[Subgroup]]] = {}
    found: RealFindings | None = None
    made = fitted(config, pool, names.TRANSFER)
    fitted_on, tested = (run_outputs(config, names.TRANSFER, pool, split).logits for split in ("validation", "test"))
    for head in (head for head in HEADS if head in tested):
        logits = tested[head]
        truth, truth_before = (pool.targets[head][r].astype(float) for r in (rows, before))
        fit_data = (fitted_on[head], truth_before, is_simulated)
        p = made.probabilities(head, codes[head], logits)
        p_before = cross_fitted(*fit_data, patients, config.seed)
        calibration[head], subgroups[head] = {}, {}
        for kind, mask in kinds.items():
            figures = calibration_figures(p[mask], truth[mask], resamples[:, mask])
            if figures:
                here = kinds_before[kind]
                earlier_figures = calibration_figures(p_before[here], truth_before[here], resamples_before[:, here])
                calibration[head][kind] = msgspec.structs.replace(figures, validation=earlier_figures)
                subgroups[head][kind] = subgroup_figures(
                    codes[head], p[mask], truth[mask], ecgs[mask], resamples[:, mask]
                )
        if head == "findings" and kinds["real"].any():
            real = kinds["real"]
            groups = _groups(pool, rows[real])
            found = real_findings(codes[head], logits[real], truth[real], resamples[:, real], groups)
    refused = refusals(config, pool, rows)
    abstention = {kind: abstention_figures(refused[mask], ecgs[mask]) for kind, mask in kinds.items() if mask.any()}
    return Shipped(calibration, subgroups, abstention, found)


def _groups(pool: Pool, rows: npt.NDArray[np.int64]) -> dict[str, dict[str, npt.NDArray[np.bool_]]]:
    """The real ECGs `rows` by what their amplitudes are and by set; see `RealFindings`."""
    source = pool.source_of[rows]
    by_source = {str(prepared.info["name"]): source == number for number, prepared in enumerate(pool.sets)}
    amplitudes = np.array([prepared.info.get("amplitudes", RECORDED) for prepared in pool.sets])[source]
    return {"by_amplitudes": {kind: amplitudes == kind for kind in (RECORDED, MODELED)}, "by_source": by_source}


def _print_table(metrics: Metrics) -> None:
    print(f"{'macro AUROC':20s}" + "".join(f"{head:>24s}" for head in HEADS))
    for name in metrics.models:
        figures = (metrics.head(name, head) for head in HEADS)
        cells = (numbers.interval(found.macro_auroc if found else None) for found in figures)
        print(f"{name:20s}" + "".join(f"{cell:>24s}" for cell in cells))
    print("gap closed", numbers.percent_interval(metrics.gap_closed))


def load_metrics(config: Config) -> Metrics:
    """The figures of `evaluate`, with those that other stages left."""
    return read_run_metrics(config.folder, config.name)
