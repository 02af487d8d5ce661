"""What is fitted to a trained network on validation patients, once, kept beside its weights, and read by the evaluation
and the bundle: calibration, thresholds and verdict limits; limits of what is unlike the training ECGs.

    STAGE/calibration.json, STAGE/novelty.safetensors
"""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from ecgkt.model.out_of_distribution import Novelty
from ecgkt.verdict import Guarantee
from training.calibrate import conformal, out_of_distribution, platt, thresholds
from training.calibrate.conformal import guarantees, one_ecg_per_patient
from training.calibrate.platt import Parameters, Thresholds, calibrate, calibrated
from training.config import Config
from training.data.pool import Pool
from training.metrics import Array
from training.train import files
from training.train.devices import devices_of
from training.train.files import Damaged
from training.train.outputs import outputs, run_outputs
from training.train.run import load_network, load_stage, read_stage, stage_folder

CALIBRATION, NOVELTY = "calibration.json", "novelty.safetensors"


@dataclass(frozen=True)
class Fitted:
    """By head and code: (slope, intercept), (threshold, how it was chosen), and the limits of a verdict."""

    parameters: dict[str, Parameters]
    thresholds: dict[str, Thresholds]
    guarantees: dict[str, dict[str, Guarantee]]

    def probabilities(self, head: str, codes: list[str], logits: Array) -> Array:
        """[N, L] calibrated probabilities of the pool's labels `codes` [L]; NaN for those that the model lacks."""
        missing = (np.nan, np.nan)
        return calibrated(logits, np.array([self.parameters[head].get(code, missing) for code in codes]).reshape(-1, 2))

    def limits(self, head: str, codes: list[str]) -> Array:
        """[L] thresholds."""
        return np.array([self.thresholds[head].get(code, (np.nan, ""))[0] for code in codes])


def fitted(config: Config, pool: Pool, name: str) -> Fitted:
    """Of a stage of a run, from the outputs for validation patients. pool: of signals, as in use."""
    load_stage(config, name)  # says in a sentence what is wrong with it
    return fitted_in(stage_folder(config, name), config, pool)


def fitted_in(folder: Path, config: Config, pool: Pool) -> Fitted:
    """The same of any finished stage. Raises FileNotFoundError, Damaged."""
    made_of = _made_of(folder, config, pool, platt, thresholds, conformal)
    found = _kept_json(folder / CALIBRATION)
    if found.get("made_of") != made_of:
        found = {"made_of": made_of, **_to_json(_fit(folder, config, pool))}
        files.write_json(folder / CALIBRATION, found)
    return _from_json(found)


def _fit(folder: Path, config: Config, pool: Pool) -> Fitted:
    device = devices_of(config.hardware).device
    rows, logits = pool.rows("validation"), outputs(folder, pool, "validation", device).logits
    simulated = pool.simulated(rows)
    made = Fitted(*calibrate(pool, logits, rows, simulated), {})
    # The calibration was fitted on the same patients, but keeps the order of a label's logits, which is all that the
    # limits rest on. One ECG a patient.
    chosen = one_ecg_per_patient(pool.ecgs["patient"].to_numpy(str)[rows], config.seed)
    for head, values in logits.items():
        codes = pool.codes()[head]
        p, truth = made.probabilities(head, codes, values), pool.targets[head][rows].astype(float)
        made.guarantees[head] = guarantees(
            codes, p[chosen], truth[chosen], simulated[chosen], made.limits(head, codes)
        )  # fmt: skip
    return made


def fitted_novelty(config: Config, pool: Pool, name: str) -> Novelty:
    """Of a stage of a run whose network sees the ECG alone. pool: of signals, as in use."""
    path = stage_folder(config, name) / NOVELTY
    made_of = _made_of(stage_folder(config, name), config, pool, out_of_distribution)
    try:
        tensors, about = files.load_tensors(path)
    except (FileNotFoundError, Damaged):
        about = {}
    if about != made_of:
        validation = run_outputs(config, name, pool, "validation").embedding
        novelty = out_of_distribution.fit(load_network(config, name), pool, config.seed, validation)
        tensors = {key: torch.from_numpy(np.asarray(value)) for key, value in novelty.tensors().items()}
        files.save_tensors(path, tensors, made_of)
    return Novelty.from_tensors({key: value.numpy() for key, value in tensors.items()})


def _made_of(folder: Path, config: Config, pool: Pool, *modules: ModuleType) -> dict[str, Any]:
    """Changes with the weights, the data, the seed, and the code that fits."""
    code = "".join(inspect.getsource(module) for module in modules)
    return {
        "weights": read_stage(folder)[1]["weights"],
        "data": [prepared.info["fingerprint"] for prepared in pool.sets],
        "seed": config.seed,
        "code": hashlib.sha256(code.encode()).hexdigest(),
    }


def _kept_json(path: Path) -> dict[str, Any]:
    try:
        found = files.read_json(path)
    except FileNotFoundError:
        return {}
    except Damaged as error:
        print(f"WARNING: {error} It is made again.", flush=True)
        return {}
    return found if isinstance(found, dict) else {}


def _to_json(made: Fitted) -> dict[str, Any]:
    limits = {head: {code: asdict(one) for code, one in found.items()} for head, found in made.guarantees.items()}
    return {"parameters": made.parameters, "thresholds": made.thresholds, "guarantees": limits}


def _from_json(found: dict[str, Any]) -> Fitted:
    def pairs(key: str) -> dict[str, Any]:
        return {head: {code: tuple(pair) for code, pair in by_code.items()} for head, by_code in found[key].items()}

    limits = {
        head: {c: Guarantee(**one) for c, one in by_code.items()} for head, by_code in found["guarantees"].items()
    }
    return Fitted(pairs("parameters"), pairs("thresholds"), limits)
