"""What the benchmark of urgent pictures makes of scores and lines that are known."""

from __future__ import annotations

import pandas as pd
import pytest

from benchmarks.urgent import PICTURES, Picture, Read, Truth, judged
from ecgkt.model.model import Model

PICTURE = Picture("I472", "drawn", lambda truth: set(truth.ecgs.index))


def read(probability: float | None, positive: bool = False, said: bool = False) -> Read:
    flags = ({"I472"} if positive else set(), {"I472"} if said else set())
    return Read({} if probability is None else {"I472": probability}, *flags)


def test_shares_are_of_those_that_show_it_and_of_the_others() -> None:
    shown = [read(0.9, positive=True, said=True), read(0.8, positive=True), read(0.3, said=True), read(None)]
    others = [read(i / 100) for i in range(60)] + [read(0.6, positive=True) for _ in range(3)]
    found = judged(PICTURE, shown, others)
    assert (found.shown, found.found[0], found.said[0]) == (4, 0.5, 0.5)
    assert found.spared[0] == pytest.approx(60 / 63)
    assert found.unsaid[0] == 1
    assert found.sensitivity[0] == 0.5, "of 63 others three may lie above: .6 three times, so the limit is .6"
    assert found.found[1] < 0.5 < found.found[2]


def test_pictures_are_found_in_what_was_drawn() -> None:
    ecgs = pd.DataFrame(
        {"rhythm": ["vt", "sinus", "sinus"], "qtc_ms": [520.0, 510.0, 490.0], "qrs_ms": [150.0, 90.0, 90.0]},
        index=[1, 2, 3],
    )
    truth = Truth(
        ecgs, {"3AVB": {2}, "AFIB": {3}},
        dict.fromkeys(("anterior", "inferior", "lateral"), pd.Series({1: 90.0, 3: 150.0})),
        pd.Series({1: 250.0, 2: 150.0, 3: 250.0}), pd.Series({1: 6.2, 2: 5.6, 3: 4.0}),
    )  # fmt: skip
    drawn = {(picture.code, picture.words): picture.drawn(truth) for picture in PICTURES}
    assert drawn["I472", "Ventricular tachycardia on this ECG"] == {1}
    assert drawn["INJAS", "ST raised by 0.1 to 0.2 mV, anterior, by an infarction"] == {3}
    assert drawn["INJAS", "ST raised by 0.2 mV and more, anterior, by an infarction"] == set()
    assert drawn["LNGQT", "QTc above 500 ms, QRS below 120 ms"] == {2}
    assert drawn["LNGQT", "QTc above 500 ms, QRS of 120 ms and more"] == {1}
    assert drawn["potassium_high", "T taller by 0.2 mV and more by raised potassium"] == {1}, (
        "3 is tall, its potassium is not"
    )
    assert drawn["potassium_high", "T taller by 0.1 to 0.2 mV by raised potassium"] == {2}


def test_every_code_is_one_of_the_bundle(shipped_model: Model) -> None:
    for picture in PICTURES:
        assert shipped_model.label(picture.code)
