"""Fit `ecgkt.model.out_of_distribution` on embeddings of training ECGs and of junk, and measure it, on junk that it
never saw too."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, sosfiltfilt
from sklearn.linear_model import LogisticRegression

from ecgkt.ecg import LEADS, derived_limb_leads
from ecgkt.model.networks.network import Network
from ecgkt.model.out_of_distribution import FARTHEST, Novelty
from ecgkt.model.preprocessing import BAND, MODEL_RATE
from ecgkt.results import trust_metrics
from ecgkt.results.trust_metrics import JunkNovelty, SourceNovelty
from training.calibrate.conformal import lower_limit, one_ecg_per_patient
from training.data.pool import Pool
from training.metrics import Array
from training.train.predict import embeddings_of_signals

Signals = npt.NDArray[np.float32]  # [N, 12, T] mV at MODEL_RATE
MOST = 3000  # training ECGs of a source that the fit looks at
JUNK = 600  # of each kind
FALSE_ALARMS = 0.01  # of validation ECGs, source by source
NOISE = {"white noise": 0.0, "pink noise": 1.0, "brown noise": 2.0}  # power falls with frequency to the power of this
STRENGTH = 0.01  # inverse of the ridge's weight


def seen_junk(signals: Signals, rng: np.random.Generator) -> dict[str, Signals]:
    """What the fit learns from: noise of three colors, and leads shifted against each other."""
    shifted = np.stack([[np.roll(lead, rng.integers(len(lead))) for lead in ecg] for ecg in signals])
    noise = {name: _as_large(_noise(signals.shape, exponent, rng), signals) for name, exponent in NOISE.items()}
    return {name: _limb_leads(made) for name, made in {**noise, "leads shifted": shifted}.items()}


def unseen_junk(signals: Signals, rng: np.random.Generator) -> dict[str, Signals]:
    """What it is measured on besides: a hand's line, a synthetic EEG, ECGs played backwards or twice as fast, ..."""
    time = np.arange(signals.shape[2]) / MODEL_RATE
    line = gaussian_filter1d(rng.standard_normal(signals.shape), 12, axis=2)
    alpha = np.sin(2 * np.pi * 10 * time + rng.uniform(0, 6, (*signals.shape[:2], 1)))
    eeg = _noise(signals.shape, 1, rng)
    eeg = eeg / eeg.std() + 1.2 * alpha * (1 + 0.6 * np.sin(2 * np.pi * 0.3 * time + rng.uniform(0, 6)))
    return {
        "scribbles": _limb_leads(_as_large(line, signals)),
        "synthetic EEG": _limb_leads(_as_large(eeg, signals)),
        "one lead twelve times": np.repeat(signals[:, 1:2], signals.shape[1], axis=1),
        "backwards": np.ascontiguousarray(signals[:, :, ::-1]),
        "twice as fast": np.concatenate([signals[:, :, ::2]] * 2, axis=2),
        "a sixth of the size": signals / 6,
    }


def _noise(shape: tuple[int, ...], exponent: float, rng: np.random.Generator) -> Array:
    frequency = np.fft.rfftfreq(shape[2], 1 / MODEL_RATE)
    frequency[0] = frequency[1]
    spectrum = np.fft.rfft(rng.standard_normal(shape), axis=2) / frequency ** (exponent / 2)
    return np.asarray(np.fft.irfft(spectrum, shape[2], axis=2))


def _as_large(made: Array, signals: Signals) -> Signals:
    """Band-limited like every model input, each lead with the standard deviation of the ECG's."""
    made = sosfiltfilt(butter(2, BAND, btype="bandpass", fs=MODEL_RATE, output="sos"), made, axis=2)
    size = signals.std(axis=2, keepdims=True) / (made.std(axis=2, keepdims=True) + 1e-9)
    return np.asarray(made * size, np.float32)


def _limb_leads(signals: npt.NDArray[np.floating]) -> Signals:
    """III and the augmented leads computed from I and II, as a recorder does."""
    out = np.array(signals, np.float32)
    for lead, row in derived_limb_leads(out[:, 0], out[:, 1]).items():
        out[:, LEADS.index(lead)] = row
    return out


def _some(rows: npt.NDArray[np.int64], most: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    return np.sort(rng.choice(rows, most, replace=False)) if len(rows) > most else rows


def fit(network: Network, pool: Pool, seed: int, validation: Array | None = None) -> Novelty:
    """From the training split, with limits from the validation split; validation: its embeddings, if they are known."""
    rng = np.random.default_rng(seed)
    sources = [_some(pool.rows("train", source), MOST, rng) for source in range(len(pool.sets))]
    inside = embeddings_of_signals(network, pool.signals(np.concatenate(sources)))
    weight = np.concatenate([np.full(len(rows), 1 / len(rows)) for rows in sources if len(rows)])
    made = seen_junk(pool.signals(_some(pool.rows("train"), JUNK, rng)), rng)
    outside = np.concatenate([embeddings_of_signals(network, signals) for signals in made.values()])
    mean, scale = inside.mean(axis=0), inside.std(axis=0) + 1e-6
    away = np.clip((np.concatenate([inside, outside]) - mean) / scale, -FARTHEST, FARTHEST)
    # Squares count a third as much: they are as large as 64.
    x = np.concatenate([away, away**2 / 3], axis=1)
    y = np.repeat([0, 1], [len(inside), len(outside)])
    count = len(inside) / weight.sum()
    weights = np.concatenate([weight * count, np.full(len(outside), len(inside) / len(outside))])
    found = LogisticRegression(C=STRENGTH, max_iter=500).fit(x, y, sample_weight=weights)
    linear, square = np.split(found.coef_[0], 2)
    unlimited = Novelty(mean, scale, linear, square / 3, float(found.intercept_[0]), np.inf, np.inf)
    near, far = [], []
    for source in range(len(pool.sets)):
        rows = pool.rows("validation", source)
        if len(rows):
            chosen = rows[one_ecg_per_patient(pool.ecgs["patient"].to_numpy(str)[rows], seed)]
            if validation is None:
                embedded = embeddings_of_signals(network, pool.signals(chosen))
            else:
                embedded = validation[np.searchsorted(pool.rows("validation"), chosen)]
            scores = unlimited.score(embedded)
            limit = lower_limit(-scores, FALSE_ALARMS)
            near.append(float(scores.max()) if limit is None else -limit)
            # As far again from the middle as the farthest: an ECG may be a little farther than any of so few.
            far.append(float(2 * scores.max() - np.median(scores)))
    return Novelty(mean, scale, linear, square / 3, unlimited.bias, max(near), max(far))


def figures(novelty: Novelty, network: Network, pool: Pool, seed: int) -> trust_metrics.Novelty:
    """Shares beyond the two limits: test ECGs by source, and junk made of test ECGs, seen in fitting or not."""
    rng = np.random.default_rng([seed, 1])

    def beyond(signals: Signals) -> tuple[float, float]:
        scores = novelty.score(embeddings_of_signals(network, signals))
        return float((scores > novelty.near).mean()), float((scores > novelty.far).mean())

    rows = _some(pool.rows("test"), JUNK // 2, rng)
    junk = []
    for seen, make in ((True, seen_junk), (False, unseen_junk)):
        for kind, signals in make(pool.signals(rows), rng).items():
            near, far = beyond(signals)
            junk.append(JunkNovelty(ecgs=len(signals), near=near, far=far, kind=kind, seen=seen))
    sources = {}
    for number, prepared in enumerate(pool.sets):
        here = _some(pool.rows("test", number), MOST, rng)
        if len(here):
            near, far = beyond(pool.signals(here))
            simulated = bool(prepared.info["simulated"])
            sources[prepared.info["name"]] = SourceNovelty(ecgs=len(here), near=near, far=far, simulated=simulated)
    return trust_metrics.Novelty(false_alarms_allowed=FALSE_ALARMS, test=sources, junk=junk)
