"""The ECG-only oracle: how much of the simulated diagnoses the tracing holds, whoever trains the network.

    python -m training oracle --config training/configs/curve.yaml [--part 1/2]     # draws its patients, resumable

It is trained on many more patients than the cohort has (the same simulator and seed, later numbers, so nobody of the
cohort), and on the probability of each label given the patient's true state in place of what one coder wrote down.
It sees one ECG a stay. What it does not reach stands in the table only, and no transfer can close that gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from ecgkt.ecg import ECG
from ecgkt.model.networks.beat_encoder import BeatView, beat_view
from ecgkt.model.networks.network import CLIP_MV
from ecgkt.model.preprocessing import model_view
from ecgkt.simulation.diagnoses import code
from ecgkt.simulation.tracing import RATE, draw_tracing
from ecgkt.simulation.visits import Visit, visits
from training.cohort.config import load_config as load_cohort_config
from training.cohort.labels.icd import labels_of
from training.config import part_of
from training.data.pool import Batch, augment
from training.train import checkpoint, files
from training.train.devices import Share
from training.train.files import Damaged
from training.train.finetune import figures_of, validation_score
from training.train.loop import EarlyStopping, Schedule, fit
from training.train.objectives import Terms, heads_loss
from training.train.run import Stage
from training.train.shaped_by import HEADS
from training.train.task import DIAGNOSES, Task, build_network

SHARD = 500  # patients
CODERS = 8  # draws of the codes of a stay, whose mean is the probability of a label


@cache
def _labels(icd: str, version: int) -> tuple[str, ...]:
    characters = load_cohort_config(None)["diagnoses"]["characters"]
    return tuple(labels_of([(icd, version)], characters)[icd, version])


def label_probabilities(visit: Visit, codes: list[str]) -> npt.NDArray[np.float32]:
    """[labels] how often `CODERS` coders who see the same patient give each label."""
    place = {label: number for number, label in enumerate(codes)}
    out = np.zeros(len(codes), dtype=np.float32)
    version = 9 if visit.stay.icd9 else 10
    for draw in range(CODERS):
        rng = np.random.default_rng([visit.patient.index, visit.stay.number, draw])
        given = {label for icd in code(rng, visit.patient, visit.stay) for label in _labels(icd, version)}
        out[[place[label] for label in given if label in place]] += 1 / CODERS
    return out


def _shards(settings: dict[str, int]) -> Iterator[tuple[int, int]]:
    last = settings["first"] + settings["patients"]
    for first in range(settings["first"], last, SHARD):
        yield first, min(first + SHARD, last)


def draw_patients(settings: dict[str, int], seed: int, codes: list[str], folder: Path, part: str = "1/1") -> None:
    """Write the shards that are missing: beat views and label probabilities of patients first to first + patients.

    part: "1/2" and "2/2" share them between two processes.
    """
    number, parts = part_of(part)
    folder.mkdir(parents=True, exist_ok=True)
    for first, last in tqdm(list(_shards(settings))[number - 1 :: parts], desc="oracle's patients", mininterval=5):
        path = folder / f"{first:06d}.safetensors"
        if _is_whole(path):
            continue
        signals, targets = [], []
        for index in range(first, last):
            for visit in visits(seed, index):
                planned = visit.ecgs[0]
                tracing = draw_tracing(planned.streams, visit.patient, visit.stay, visit.body, planned.drawn)
                signals.append(model_view(ECG(tracing.signal.astype(np.float32), float(RATE))))
                targets.append(label_probabilities(visit, codes))
        with torch.no_grad():
            views = [beat_view(torch.from_numpy(np.stack(signals[i : i + 128])).clamp(-CLIP_MV, CLIP_MV))
                     for i in range(0, len(signals), 128)]  # fmt: skip
        made = {
            "templates": torch.cat([view.templates for view in views]).half(),
            "rhythm": torch.cat([view.rhythm for view in views]),
            "targets": torch.from_numpy(np.stack(targets)).half(),
        }
        files.save_tensors(path, made)


def _is_whole(path: Path) -> bool:
    try:
        files.load_tensors(path)
    except FileNotFoundError:
        return False
    except Damaged as error:
        print(f"WARNING: {error} It is made again.", flush=True)
        return False
    return True


def train_oracle(settings: dict[str, int], task: Task, folder: Path, shards: Path) -> None:
    """Train the oracle, unless that is done, on the patients that are in `shards`; its stage is `folder`."""
    run, pool = task.config, task.pool
    names = sorted(path.name for path in shards.glob("??????.safetensors"))
    shaped_by = {
        **{key: getattr(run, key) for key in ("seed", *HEADS)},
        "oracle": settings,
        "patients": names,
        "test": [prepared.info["fingerprint"] for prepared in task.sets],
    }
    stage = Stage(run, folder, shaped_by)
    if task.devices.agreed(lambda: stage.done):
        return
    if not names:
        raise ValueError(f"{shards} holds no patients of the oracle: run `python -m training oracle` first.")
    arrays = [files.load_tensors(shards / name)[0] for name in names]
    data = {key: torch.cat([array[key] for array in arrays]) for key in arrays[0]}
    count = len(data["targets"])
    network = build_network(run, pool, "ecg", [DIAGNOSES])
    called = task.devices.forward(network)

    def loss(step: int, share: Share) -> Terms:
        rows = np.random.default_rng([run.seed, step]).integers(count, size=run.batch)
        own = torch.from_numpy(share.rows(rows))
        with pool.clock.running():
            view = BeatView(data["templates"][own].float(), data["rhythm"][own])
            targets = {DIAGNOSES: data["targets"][own].float()}
            empty = torch.full((len(own), len(pool.columns)), float("nan"))
            batch = task.devices.moved(Batch(view, empty, targets, pool.clock))
        batch = augment(batch, run.augment, share.seed(run.seed, step))
        known = {DIAGNOSES: share.known(data["targets"][torch.from_numpy(rows)].numpy())}
        return heads_loss(called(batch.signal), batch.targets, run.head_weights, known)

    schedule = Schedule(
        settings["steps"], run.lr, run.weight_decay, run.ema, run.seed, run.checkpoint_every, run.batch
    )  # fmt: skip
    watch = EarlyStopping(task.watch_every, validation_score(network, pool))
    curve = fit("oracle", network, [(network, 1.0)], loss, schedule, folder, watch, task.devices, pool.clock)
    network.cpu()
    if task.devices.is_first:
        stage.save(network.state_dict(), pool, figures_of([curve]) | {"labeled_ecgs": count}, network)
        checkpoint.remove(folder)
