"""What is checked of every recording whatever its format."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.ecg import ECG, ECGError
from ecgkt.readers import TableLayout, read
from tests.readers import written_files as written
from tests.readers.written_files import counts, millivolts

PULSE = np.concatenate([np.zeros(20), np.full(100, 200), np.zeros(30)]).astype(np.int16)  # 1 mV in steps of 5 uV
WRITERS = {
    "muse": written.muse, "aecg": written.aecg, "sierra": written.sierra, "scp": written.scp, "edf": written.edf,
    "ishne": written.ishne, "mortara": written.mortara, "cardiosoft": written.cardiosoft,
    "csv": lambda table: written.csv(table * 0.005), "npy": lambda table: written.npy(table * 0.005),
}  # fmt: skip


def with_pulse(before: bool = False) -> np.ndarray:
    pulse = np.tile(PULSE, (12, 1))
    pulse[2:6] = 0  # of derived leads nothing is left in III, and half of it in the augmented ones
    return np.hstack([pulse, counts(750)] if before else [counts(750), pulse])


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("before", [False, True])
def test_a_calibration_pulse_is_cut_off_at_either_end(name: str, before: bool) -> None:
    ecg = read(WRITERS[name](with_pulse(before)), TableLayout(500.0))
    np.testing.assert_allclose(ecg.signal, millivolts(750), atol=1e-5)
    assert any(note.startswith("The calibration pulse at the") for note in ecg.notes)


def test_a_pulse_with_the_noise_of_a_conversion_is_cut_off_and_no_signal_is_not() -> None:
    table = with_pulse()
    table[:, 750:] += np.random.default_rng(1).integers(-1, 2, (12, 150)).astype(np.int16)
    assert abs(read(written.mortara(table)).samples - 750) <= 2
    table[:, 750:] = 0
    assert read(written.mortara(table)).samples == 900


@pytest.mark.parametrize("name", ["muse", "aecg", "sierra", "mortara", "cardiosoft"])
def test_one_sample_at_the_lowest_of_16_bits_is_missing(name: str) -> None:
    table = counts()
    table[7, 100] = -32768
    ecg = read(WRITERS[name](table))
    assert np.argwhere(np.isnan(ecg.signal)).tolist() == [[7, 100]]


def test_the_lowest_of_16_bits_is_a_sample_where_a_lead_is_stretched_over_them() -> None:
    rows = millivolts()
    rows[2:6] = rows[1] - rows[0], -(rows[0] + rows[1]) / 2, rows[0] - rows[1] / 2, rows[1] - rows[0] / 2
    low, high = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
    stretched = np.rint((rows - low) / (high - low) * 65535 - 32768).astype(np.int16)
    ecg = read(written.npy(stretched), TableLayout(500.0, 32768.0))
    assert np.isfinite(ecg.signal).all()


@pytest.mark.parametrize(
    "table",
    [
        counts(3000).byteswap(),  # the other byte order
        counts(3000).T.reshape(12, -1),  # a row a sample, read as a row a lead
        np.random.default_rng(1).integers(-200, 200, (12, 3000)).astype(np.int16),
    ],
)
def test_samples_in_another_order_than_stated_are_refused(table: np.ndarray) -> None:
    with pytest.raises(ECGError, match="jump as no ECG does"):
        read(written.npy(table), TableLayout(500.0, 200.0))


@pytest.mark.parametrize("lead", range(12))
def test_a_sample_that_no_recorder_has_is_doubted(lead: int) -> None:
    rows = millivolts()
    rows[lead, 300] = 55.0
    ecg: ECG = read(written.npy(rows), TableLayout(500.0))
    assert any("Samples reach 5" in note for note in ecg.notes)


def test_amplitudes_that_no_recorder_has_are_doubted() -> None:
    assert not read(written.npy(millivolts()), TableLayout(500.0)).notes
    in_uv = read(written.npy(millivolts() * 1000 / 20), TableLayout(500.0))
    assert any("the scale is wrong" in note for note in in_uv.notes)
