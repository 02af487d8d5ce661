"""Which test ECGs the dashboard would say nothing of: `ecgkt.quality.usable.assess` on the prepared tracings.

They lie there at 100 Hz and filtered to the model's band, after the preparation has left out what it cannot use
(excluded.csv), so this is what the gate refuses on top.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from ecgkt.ecg import ECG
from ecgkt.model.preprocessing import MODEL_RATE
from ecgkt.quality.usable import assess
from training.config import Config
from training.data.pool import Pool
from training.train import files
from training.train.files import Damaged


def refusals(config: Config, pool: Pool, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """[rows] whether an ECG is refused; computed once for the test split of a run and kept while its data stay."""
    data = hashlib.sha256("".join(str(prepared.info["fingerprint"]) for prepared in pool.sets).encode()).hexdigest()
    path = config.folder / "evaluation" / f"refused_{data[:12]}.safetensors"
    try:
        return files.load_tensors(path)[0]["refused"].numpy()
    except (FileNotFoundError, Damaged):
        refused = [not assess(ECG(pool.signals(rows[i : i + 1])[0], MODEL_RATE)).ok for i in tqdm(range(len(rows)))]
    files.save_tensors(path, {"refused": torch.tensor(refused, dtype=torch.bool)})
    return np.array(refused, bool)
