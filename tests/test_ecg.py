"""Limb leads from leads I and II, against what the electrodes' potentials make of them; what may be said of age."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.ecg import ECG, LEADS, ECGError, age_band, derived_limb_leads
from ecgkt.simulation.leads import twelve
from training.calibrate.out_of_distribution import _limb_leads

RIGHT_ARM, LEFT_ARM, LEFT_LEG = np.random.default_rng(1).normal(size=(3, 50))
BY_DEFINITION = {
    "I": LEFT_ARM - RIGHT_ARM,
    "II": LEFT_LEG - RIGHT_ARM,
    "III": LEFT_LEG - LEFT_ARM,
    "aVR": RIGHT_ARM - (LEFT_ARM + LEFT_LEG) / 2,
    "aVL": LEFT_ARM - (RIGHT_ARM + LEFT_LEG) / 2,
    "aVF": LEFT_LEG - (RIGHT_ARM + LEFT_ARM) / 2,
}
LIMBS = np.stack([*BY_DEFINITION.values()])
CHEST = np.random.default_rng(2).normal(size=(6, 50))


def test_derived_leads_are_einthovens_and_goldbergers() -> None:
    derived = derived_limb_leads(BY_DEFINITION["I"], BY_DEFINITION["II"])
    assert list(derived) == list(LEADS[2:6])
    for lead, row in derived.items():
        np.testing.assert_allclose(row, BY_DEFINITION[lead], atol=1e-12)


@pytest.mark.parametrize("absent", [(), ("III",), ("aVR", "aVF"), ("III", "aVR", "aVL", "aVF")])
def test_all_who_need_twelve_leads_get_the_same(absent: tuple[str, ...]) -> None:
    whole = np.concatenate([LIMBS, CHEST])
    names = [lead for lead in LEADS if lead not in absent]
    ecg = ECG.from_leads(names, whole[[LEADS.index(lead) for lead in names]], 100)
    np.testing.assert_allclose(ecg.signal, whole, atol=1e-6)
    assert ecg.notes == ((f"{', '.join(absent)} derived from I and II",) if absent else ())
    np.testing.assert_allclose(twelve(np.concatenate([LIMBS[:2], CHEST])), whole, atol=1e-12)
    wrong = np.concatenate([LIMBS[:2], np.zeros((4, 50)), CHEST])
    np.testing.assert_allclose(_limb_leads(wrong[None])[0], whole, atol=1e-6)


@pytest.mark.parametrize(
    ("age", "band"), [(None, "age unknown"), (39.9, "30–39 years"), (40, "40–49 years"), (91, "90 years or older")]
)
def test_age_is_shown_as_a_band(age: float | None, band: str) -> None:
    assert age_band(age) == band


@pytest.mark.parametrize("rate", [1e-300, 0.001, 9.9, 1e6, 1e300, 0.0, -500.0, float("nan"), float("inf")])
def test_a_rate_that_no_recorder_has_is_refused(rate: float) -> None:
    """Ten seconds at 500 Hz, taken for two months at .001 Hz, would be resampled to terabytes."""
    with pytest.raises(ECGError, match="sampling rate"):
        ECG(np.zeros((12, 5000), np.float32), rate)


def test_infinite_samples_are_refused_and_lost_ones_are_not() -> None:
    """What is infinite would be searched for beats for minutes."""
    signal = np.zeros((12, 5000), np.float32)
    signal[3, 7] = np.nan
    assert ECG(signal, 500.0).samples == 5000
    signal[3, 8] = np.inf
    with pytest.raises(ECGError, match="infinite"):
        ECG(signal, 500.0)
