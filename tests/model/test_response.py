"""Dose and response of the bundle that ships, on average patients, where physiology leaves no doubt."""

from __future__ import annotations

import numpy as np
import pytest

import ecgkt
from ecgkt.model.model import Model
from ecgkt.model.response import response
from ecgkt.simulation.what_if import Changed, Subject, find, plain

PATIENTS = 12
SEED = 3  # no config simulates with it


@pytest.fixture(scope="module")
def model() -> Model:
    return ecgkt.load()


@pytest.fixture(scope="module")
def subjects() -> list[Subject]:
    found = (find(SEED, index) for index in range(200))
    return [s for s in found if not {"pacemaker", "lbbb", "avb3", "wpw"} & s.active.keys()][:PATIENTS]


def test_a_response_is_what_the_model_says_of_each_drawing(model: Model) -> None:
    subject = plain(1)
    found = response(model, subject, Changed(), "potassium", [4.0, 7.0])
    for place, value in enumerate((4.0, 7.0)):
        prediction = model.predict(subject.ecg(Changed({"potassium": value})))
        said = {score.label.code: score.probability for score in prediction.labs}
        assert found["potassium_high"][place] == pytest.approx(said["potassium_high"], abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quantity", "from_to", "code"),
    [
        ("potassium", (4.5, 7.0), "potassium_high"),
        ("potassium", (4.5, 2.5), "potassium_low"),
        ("calcium", (9.5, 6.0), "calcium_low"),
        ("haemoglobin", (13.0, 4.0), "haemoglobin_low"),
        ("temperature", (37.0, 40.5), "STACH"),
        ("heart_rate", (75.0, 125.0), "STACH"),
        ("heart_rate", (75.0, 42.0), "SBRAD"),
    ],
)
def test_a_head_follows_its_own_cause(
    model: Model, subjects: list[Subject], quantity: str, from_to: tuple[float, float], code: str
) -> None:
    values = np.linspace(*from_to, 3)
    curves = np.stack([response(model, s, Changed(average=True), quantity, values)[code] for s in subjects])
    mean = curves.mean(axis=0)
    assert mean[0] < mean[1] < mean[2], mean


@pytest.mark.slow
def test_the_figures_that_ship_hold_on_other_patients(model: Model, subjects: list[Subject]) -> None:
    """Every head said to follow its cause does; those that do not are few and stand in the same list, on the page."""
    shipped = model.metrics.responses
    if not shipped:
        pytest.skip("the bundle has no such figures: python -m training reference makes them")
    assert np.mean([each.monotone for each in shipped]) > 0.7
    for each in shipped:
        if not each.monotone or each.probability[-1] - each.probability[0] < 0.03:
            continue
        ends = np.array([each.values[0], each.values[-1]])
        curves = [response(model, s, Changed(average=True), each.quantity, ends)[each.code] for s in subjects[:6]]
        first, last = np.mean(curves, axis=0)
        assert last > first, (each.quantity, each.code)
