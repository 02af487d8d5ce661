"""What a trained network says of a split, computed once, kept beside its weights and read by whoever needs it:
pupils, calibration, the evaluation, the bundle.

    STAGE/outputs/SPLIT_VIEWS.safetensors   embedding [rows, dimension] and, by head, logits [rows, labels of the pool]
                                            (NaN for labels that the network does not have), float32

VIEWS says what the network was given: `signals`, as in use, or `beats`, the views of training.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ecgkt.prediction import HEADS
from training.config import Config
from training.data.pool import Pool
from training.train import files
from training.train.devices import devices_of
from training.train.files import Damaged
from training.train.predict import look
from training.train.run import network_in, read_stage, stage_folder

Array = npt.NDArray[np.float64]
LOGITS = "logits."
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Outputs:
    """embedding: [rows, dimension]; logits: head -> [rows, labels of the pool]; rows: `pool.rows(split)`."""

    embedding: Array
    logits: dict[str, Array]


def run_outputs(config: Config, name: str, pool: Pool, split: str) -> Outputs:
    """Of a stage of a run, on its device; see `outputs`."""
    return outputs(stage_folder(config, name), pool, split, devices_of(config.hardware).device)


def outputs(folder: Path, pool: Pool, split: str, device: torch.device = CPU) -> Outputs:
    """Of the network of a finished stage; of a regression, which has no embedding, the logits of its record.

    Computed where they are missing, damaged, or of other weights or data. Raises FileNotFoundError where the stage is
    not finished, Damaged where its weights are not whole.
    """
    weights, record = read_stage(folder)
    if "architecture" not in record:
        kept = {key: value[pool.rows(split)] for key, value in weights.items()}
        return _outputs(kept)
    path = folder / "outputs" / f"{split}_{'signals' if pool.views is None else 'beats'}.safetensors"
    made_of = {"weights": record["weights"], "data": [prepared.info["fingerprint"] for prepared in pool.sets]}
    try:
        tensors, about = files.load_tensors(path)
    except FileNotFoundError:
        about = {}
    except Damaged as error:
        print(f"WARNING: {error} It is made again.", flush=True)
        about = {}
    if about != made_of:
        embedding, logits = look(network_in(folder).to(device), pool, pool.rows(split))
        arrays = {"embedding": embedding, **{LOGITS + head: values for head, values in logits.items()}}
        tensors = {key: torch.from_numpy(values.astype(np.float32)) for key, values in arrays.items()}
        files.save_tensors(path, tensors, made_of)
    return _outputs(tensors)


def _outputs(tensors: dict[str, torch.Tensor]) -> Outputs:
    arrays = {key: value.double().numpy() for key, value in tensors.items()}
    embedding = arrays.pop("embedding", np.empty((0, 0)))
    return Outputs(embedding, {head: arrays[LOGITS + head] for head in HEADS if LOGITS + head in arrays})
