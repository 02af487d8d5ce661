"""What is usable but doubtful is flagged with the right sentence, and good recordings are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from ecgkt.ecg import ECG, LEADS
from ecgkt.quality import lead_reversal
from ecgkt.quality.lead_reversal import FILE, LOOKED_AT, SWAPS, moved
from ecgkt.quality.usable import assess
from ecgkt.quality.warnings import quality_warnings
from ecgkt.readers import read

ROOT = Path(__file__).resolve().parents[2]
I, II, III, AVR, AVL, AVF = range(6)  # noqa: E741
Change = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def real() -> ECG:
    return read(get_testdata_file("waveform_ecg.dcm", download=False))


def electrodes(swap: dict[str, str]) -> Change:
    """What is recorded when each limb electrode of `swap` sits where its value should.

    From the potentials against the right arm; both legs have nearly the same.
    """

    def change(signal: np.ndarray) -> np.ndarray:
        at = {"RA": np.zeros(signal.shape[1]), "LA": signal[I], "LL": signal[II], "RL": 0.99 * signal[II]}
        ra, la, ll = (at[swap.get(name, name)] for name in ("RA", "LA", "LL"))
        limb = [la - ra, ll - ra, ll - la, ra - (la + ll) / 2, la - (ra + ll) / 2, ll - (ra + la) / 2]
        return np.concatenate([np.stack(limb), signal[6:]])

    return change


def order(*leads: str) -> Change:
    """The chest leads in another order."""
    return lambda signal: signal[[*range(6), *(LEADS.index(lead) for lead in leads)]]


def flags(ecg: ECG, change: Change) -> str:
    changed = ECG(np.ascontiguousarray(change(ecg.signal.copy())).astype(np.float32), ecg.rate)
    quality = assess(changed)
    assert quality.ok, quality.reasons
    return " ".join(quality_warnings(changed))


def noise(size: float) -> Change:
    def change(signal: np.ndarray) -> np.ndarray:
        signal[8] += size * np.random.default_rng(0).standard_normal(signal.shape[1])
        return signal

    return change


def limited(signal: np.ndarray) -> np.ndarray:
    signal[7, 3000:3250] = signal[7].max()
    return signal


def gaps(signal: np.ndarray) -> np.ndarray:
    signal[:, 1000:1400] = np.nan
    return signal


CHANGES: list[tuple[Change, str]] = [
    (electrodes({"RA": "LA", "LA": "RA"}), "right arm and left arm"),
    (electrodes({"RA": "LL", "LL": "RA"}), "right arm and left leg"),
    (electrodes({"RA": "LA", "LA": "LL", "LL": "RA"}), "right arm cable on the left arm, left arm on the leg"),
    (electrodes({"RA": "LL", "LA": "RA", "LL": "LA"}), "right arm cable on the leg, leg on the left arm"),
    (electrodes({"RA": "RL"}), "Lead II is nearly flat"),
    (order("V2", "V1", "V3", "V4", "V5", "V6"), "V1 and V2"),
    (order("V1", "V2", "V4", "V3", "V5", "V6"), "V3 and V4"),
    (order("V3", "V2", "V1", "V4", "V5", "V6"), "V1 and V3"),
    (order("V6", "V5", "V4", "V3", "V2", "V1"), "V1 to V6, in reverse"),
    (lambda s: s[:, ::-1], "samples may be in reverse order"),
    (lambda s: -s, "the signal may be inverted"),
    (noise(1.2), "Excessive noise in V3."),
    (limited, "clipped in places in V2"),
    (gaps, "of the samples are missing"),
    (lambda s: s / 8, "unusually small"),
    (lambda s: s * 8, "unusually large"),
]


@pytest.mark.parametrize(("change", "words"), CHANGES)
def test_a_fault_of_recording_is_named(real: ECG, change: Change, words: str) -> None:
    assert words in flags(real, change)


def test_a_good_recording_has_no_doubts(real: ECG) -> None:
    assert quality_warnings(real) == ()
    gains = np.linspace(0.6, 1.7, 12)[:, None]
    assert flags(real, lambda s: s * gains) == "", "gains alone are not a matter of electrodes"


@pytest.mark.slow
def test_real_recordings_are_seldom_flagged_and_swapped_ones_mostly(shared: Path) -> None:
    files = sorted(shared.glob("ptbxl/records100/*/*.hea"))[::60]
    ecgs = [ecg for ecg in map(read, files) if assess(ecg).ok]
    assert len(ecgs) > 20
    assert sum(bool(quality_warnings(ecg)) for ecg in ecgs) <= 2
    for change in (
        electrodes({"RA": "LA", "LA": "RA"}),
        order("V1", "V2", "V4", "V3", "V5", "V6"),
        lambda s: s[:, ::-1],
    ):
        found = sum(bool(flags(ecg, change)) for ecg in ecgs)
        assert found >= 0.8 * len(ecgs)


def test_swaps_are_what_the_electrodes_say(real: ECG) -> None:
    """Every swap of limb electrodes, undone by its table, gives the leads as they were: potentials are the judge."""
    turned = {
        "right arm and left arm": {"RA": "LA", "LA": "RA"},
        "left arm and left leg": {"LA": "LL", "LL": "LA"},
        "right arm and left leg": {"RA": "LL", "LL": "RA"},
        lead_reversal.ROTATED: {"RA": "LA", "LA": "LL", "LL": "RA"},
        lead_reversal.ROTATED_BACK: {"RA": "LL", "LA": "RA", "LL": "LA"},
    }
    rows = [LEADS.index(lead) for lead in LOOKED_AT]
    for name, swap in turned.items():
        recorded = electrodes(swap)(real.signal)[rows]
        np.testing.assert_allclose(moved(recorded, SWAPS[name]), real.signal[rows], atol=2e-2, err_msg=name)


def test_the_typical_beat_is_complete() -> None:
    import json

    content = json.loads(FILE.read_text())
    covariance = np.array(content["covariance"])
    assert covariance.shape == (len(content["mean"]),) * 2
    np.testing.assert_allclose(covariance, covariance.T, rtol=1e-3)
    assert np.linalg.eigvalsh(covariance)[0] > 0
    assert set(content["limits"]) == set(SWAPS)


def test_who_the_model_was_not_developed_on_is_said(shared: Path) -> None:
    paced = read(shared / "vendor" / "muse_braveheart_4_paced.xml")
    assert any(words.startswith("Paced rhythm (ventricular)") for words in quality_warnings(paced))
    child = replace(paced, age=7.0)
    assert any("under 18" in words and "do not answer for a child" in words for words in quality_warnings(child))
    assert not any("under 18" in words for words in quality_warnings(replace(paced, age=18.0)))


def test_no_shipped_example_is_said_to_run_backward_or_to_have_its_leads_exchanged() -> None:
    said = {}
    for path in sorted((ROOT / "assets" / "examples").rglob("*.hea")):
        ecg = read(path)
        if assess(ecg).ok:
            said[path.stem] = [words for words in quality_warnings(ecg) if "reverse" in words or "order" in words]
    assert len(said) > 30
    assert not {name: words for name, words in said.items() if words}


def test_chest_leads_in_reverse_are_found_in_bundle_branch_block_and_not_told_of_a_paced_beat(shared: Path) -> None:
    for number in (256, 279, 286, 287):  # PTB-XL: complete left bundle branch block, as recorded 500 times a second
        path = shared / "ptbxl_native" / "records500" / "00000" / f"{number:05d}_hr.hea"
        if not path.is_file():
            pytest.skip("the recordings are not among the shared ones")
        ecg = read(path)
        assert "V1 to V6, in reverse" in flags(ecg, order("V6", "V5", "V4", "V3", "V2", "V1")), number
        assert not any("order" in words for words in quality_warnings(ecg)), number
    paced = read(shared / "vendor" / "muse_braveheart_4_paced.xml")
    assert not any("order" in words or "reversed" in words for words in quality_warnings(paced))


def test_below_250_hz_pacing_is_a_doubt(shared: Path) -> None:
    folder = shared / "ptbxl_native"
    if not folder.is_dir():
        pytest.skip("the recordings are not among the shared ones")
    for number in (143, 190, 385, 498):  # stated to be paced
        fast = read(folder / "records500" / "00000" / f"{number:05d}_hr.hea")
        slow = read(folder / "records100" / "00000" / f"{number:05d}_lr.hea")
        assert any(words.startswith("Paced rhythm (ventricular)") for words in quality_warnings(fast)), number
        assert any(words.startswith("It may be a paced rhythm") for words in quality_warnings(slow)), number
    for number in (1, 256, 287):  # normal; left bundle branch block
        slow = read(folder / "records100" / "00000" / f"{number:05d}_lr.hea")
        assert not any("paced" in words.lower() for words in quality_warnings(slow)), number


@pytest.mark.parametrize("kept", [0.5, 0.8])
def test_a_long_stretch_without_a_beat_is_told(real: ECG, kept: float) -> None:
    """Filled up to its length with next to nothing, as a file of an open data set is, or a heart that pauses."""
    signal = real.signal.copy()
    end = round(kept * signal.shape[1])
    signal[:, end:] = 0.005 * np.sin(np.arange(signal.shape[1] - end) / 20)
    told = " ".join(quality_warnings(replace(real, signal=signal)))
    assert ("No QRS complex from" in told) == ((1 - kept) * real.seconds > 3)
    assert f"to {real.seconds:.1f} s: a pause, or the signal was lost." in told or kept == 0.8
    assert "No QRS" not in " ".join(quality_warnings(real))
