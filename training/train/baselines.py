"""The models that knowledge transfer has to be compared with, on the same data and with its whole budget of steps.

    python -m training baselines --config training/configs/default.yaml [--only NAME]

| name             | sees        | learns                                                          |
|------------------|-------------|-----------------------------------------------------------------|
| random_linear    | ECG         | linear heads on the same encoder, never trained                 |
| signal_only      | ECG         | findings and diagnoses from scratch                             |
| signal_only_labs | ECG         | the same plus lab heads: what stage 1 adds is the rest          |
| clinical_only    | table       | diagnoses from labs, vitals, biometrics                         |
| multimodal       | ECG + table | findings and diagnoses, both at inference: the ceiling          |

Lab heads of models that see the labs would be meaningless, so those have none.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecgkt.model.networks.network import Modality, Network
from training.config import Config
from training.train.finetune import train_heads
from training.train.run import Stage, build_network, load_sets, pool_of
from training.train.shaped_by import by_baseline


@dataclass(frozen=True)
class Baseline:
    """modality and heads of the network; encoder_lr: 0 freezes a randomly initialized encoder."""

    modality: Modality
    heads: tuple[str, ...]
    encoder_lr: float = 1.0


BASELINES = {
    "random_linear": Baseline("ecg", ("findings", "diagnoses", "labs"), encoder_lr=0.0),
    "signal_only": Baseline("ecg", ("findings", "diagnoses")),
    "signal_only_labs": Baseline("ecg", ("findings", "diagnoses", "labs")),
    "clinical_only": Baseline("table", ("diagnoses",)),
    "multimodal": Baseline("both", ("findings", "diagnoses")),
}


def baselines(config: Config, only: str | None = None) -> None:
    for name, baseline in BASELINES.items():
        if only in (None, name):
            train_baseline(config, name, baseline)


def train_baseline(config: Config, name: str, baseline: Baseline) -> None:
    stage = Stage(config, name, by_baseline(config, baseline.modality))
    if stage.done:
        print(f"{name}: done before, kept")
        return
    sources, sets = load_sets(config)
    if baseline.modality == "table":  # sets without labs have nothing to say to a table alone
        kept = [number for number, source in enumerate(sources) if source.pretrain]
        sources, sets = [sources[i] for i in kept], [sets[i] for i in kept]
    pool = pool_of(config, sets)

    def build(seed: int) -> Network:
        network = build_network(config, pool, baseline.modality, list(baseline.heads), seed)
        if baseline.encoder_lr == 0.0:
            network.encoder.requires_grad_(False)
        return network

    network, figures = train_heads(
        name, config, sources, pool, build, config.baseline_steps, baseline.encoder_lr, stage.folder
    )
    stage.save(network, pool, figures)
