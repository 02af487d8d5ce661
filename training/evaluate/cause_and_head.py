"""Does each head follow its own cause? Curves over simulated patients where physiology leaves no doubt which way.

Every patient reacts as the tables' average, so that no effect is silent; all but the one cause stays as it was.
"""

from __future__ import annotations

import numpy as np

from ecgkt.model.model import Model
from ecgkt.model.response import response
from ecgkt.results.simulated_metrics import Response
from ecgkt.simulation.levers import LEVERS
from ecgkt.simulation.what_if import Changed, Subject, find

POINTS = 6
# What hides the waves that a lab acts on, or sets a rate of its own.
LEFT_OUT = {"pacemaker", "lbbb", "rbbb", "avb3", "wpw", "afib", "aflutter", "svt", "vt"}
# quantity, label, from (where the tables' effect begins) and to (near where it ends, or disease does): the label must
# rise on the way. Codes: ICD-10-CM, SCP-ECG, labs of the vocabulary.
EXPECTED: tuple[tuple[str, str, float, float], ...] = (
    ("potassium", "potassium_high", 4.8, 8.5),
    ("potassium", "E875", 4.8, 8.5),
    ("potassium", "potassium_low", 4.1, 2.2),
    ("potassium", "E876", 4.1, 2.2),
    ("potassium", "LNGQT", 4.1, 2.2),
    ("calcium", "calcium_low", 8.8, 5.5),
    ("calcium", "E8351", 8.8, 5.5),
    ("calcium", "LNGQT", 8.8, 5.5),
    ("calcium", "calcium_high", 10.2, 14.5),
    ("calcium", "E8352", 10.2, 14.5),
    ("magnesium", "magnesium_low", 1.58, 0.8),
    ("magnesium", "LNGQT", 1.58, 0.8),
    ("haemoglobin", "haemoglobin_low", 12.0, 3.5),
    ("haemoglobin", "D649", 12.0, 3.5),
    ("tsh", "tsh_high", 2.0, 25.0),
    ("tsh", "E039", 2.0, 25.0),
    ("tsh", "SBRAD", 2.0, 25.0),
    ("tsh", "tsh_low", 2.0, 0.02),
    ("tsh", "E0590", 2.0, 0.02),
    ("tsh", "STACH", 2.0, 0.02),
    ("troponin_t", "troponin_t_high", 0.005, 0.5),
    ("troponin_t", "I214", 0.005, 0.5),
    ("troponin_t", "ISC_", 0.005, 0.5),
    ("temperature", "STACH", 36.9, 41.0),
    ("heart_rate", "STACH", 75.0, 140.0),
    ("heart_rate", "SBRAD", 75.0, 42.0),
)


def subjects(seed: int, count: int) -> list[Subject]:
    """The first `count` patients of a seed whose waves a lab can act on."""
    found: list[Subject] = []
    index = 0
    while len(found) < count:
        subject = find(seed, index)
        if not LEFT_OUT & subject.active.keys():
            found.append(subject)
        index += 1
    return found


def responses(model: Model, seed: int, patients: int) -> list[Response]:
    """A curve for each of `EXPECTED` whose label the model has."""
    codes = {label.code for head in model.labels.values() for label in head}
    wanted = [row for row in EXPECTED if row[1] in codes]
    people, found = subjects(seed, patients), []
    for quantity, begin, end in dict.fromkeys((q, b, e) for q, _, b, e in wanted):
        lever = next(lever for lever in LEVERS if lever.key == quantity)
        values = (np.linspace if lever.step else np.geomspace)(begin, end, POINTS)
        curves = [response(model, subject, Changed(average=True), quantity, values) for subject in people]
        for code in (code for q, code, b, e in wanted if (q, b, e) == (quantity, begin, end)):
            found.append(_response(quantity, code, values, np.stack([curve[code] for curve in curves])))
    return found


def _response(quantity: str, code: str, values: np.ndarray, curves: np.ndarray) -> Response:
    mean = curves.mean(axis=0)
    low, high = np.percentile(curves, [25, 75], axis=0)

    def rounded(numbers: np.ndarray) -> list[float]:
        return [round(float(number), 5) for number in numbers]

    return Response(
        quantity=quantity,
        code=code,
        values=[float(f"{value:.4g}") for value in values],
        probability=rounded(mean),
        low=rounded(low),
        high=rounded(high),
        patients=len(curves),
        rising=round(float((curves[:, -1] > curves[:, 0]).mean()), 4),
        monotone=bool((np.diff(mean) > 0).all()),
    )
