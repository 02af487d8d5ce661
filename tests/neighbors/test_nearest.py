"""The nearest of a reference cohort: exact, how alike, and what they have against everybody."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt import vocabulary
from ecgkt.neighbors.nearest import NEAREST, distances, nearest, own_spread
from ecgkt.neighbors.reference import LEVELS, Reference, from_tensors
from ecgkt.neighbors.summary import has_label, labels, labs, rate, rates_over

SIZE, DIMENSION, K = 400, 6, 4
COLUMNS = ("potassium", "heart_rate")
CODES = ("E875", "AFIB", "I10")


@pytest.fixture(scope="module")
def reference() -> Reference:
    """Potassium and E875 lie along the first axis; I10 nowhere."""
    rng = np.random.default_rng(0)
    places = rng.normal(size=(SIZE, K)).astype(np.float16)
    potassium = 4.2 + 0.8 * places[:, 0].astype(np.float32)
    axes = np.eye(DIMENSION, K, dtype=np.float32)
    return Reference(
        seed=5,
        index=np.arange(SIZE, dtype=np.int32),
        mean=np.ones(DIMENSION, np.float32),
        scale=np.full(DIMENSION, 2.0, np.float32),
        axes=axes,
        places=places,
        columns=COLUMNS,
        quantities=np.stack([potassium, rng.normal(80, 10, SIZE)], axis=1).astype(np.float32),
        codes=CODES,
        labels=np.stack([potassium > 5.3, rng.random(SIZE) < 0.1, rng.random(SIZE) < 0.4], axis=1),
        spread=own_spread(places.astype(np.float32)),
    )


def embedding_at(place: np.ndarray) -> np.ndarray:
    """An embedding [D] that lies at `place` [K]."""
    return (np.concatenate([place, np.zeros(DIMENSION - K)]) * 2 + 1).astype(np.float32)


def test_the_nearest_are_those_that_a_plain_search_finds(reference: Reference) -> None:
    place = np.array([0.3, -0.2, 0.9, 0.0])
    found = nearest(reference, embedding_at(place))
    plain = np.linalg.norm(reference.places.astype(float) - place, axis=1)
    assert set(found.rows) == set(np.argsort(plain)[:NEAREST])
    assert np.allclose(found.distances, np.sort(plain)[:NEAREST], atol=1e-3)
    assert np.allclose(distances(reference, place[None].astype(np.float32))[0], plain, atol=1e-3)


def test_a_patient_of_the_cohort_is_its_own_nearest_and_as_alike_as_others(reference: Reference) -> None:
    at = [nearest(reference, embedding_at(place.astype(float))) for place in reference.places]
    assert [found.rows[0] for found in at] == list(range(SIZE))
    # Its own distance of 0 is among the fifty, so it lies a little nearer than the quantiles, which leave it out.
    assert np.median([found.farther for found in at]) == pytest.approx(0.5, abs=0.1)
    alone = nearest(reference, embedding_at(np.full(K, 40.0)))
    assert alone.farther == 0.0


def test_what_the_nearest_have_is_told_against_everybody(reference: Reference) -> None:
    found = nearest(reference, embedding_at(np.array([2.0, 0.0, 0.0, 0.0])))
    first = labs(reference, found.rows)[0]
    assert first.lab == "potassium"
    assert first.median > 5 > np.median(reference.quantities[:, 0])
    assert first.quartiles[0] <= first.median <= first.quartiles[1]
    limit = vocabulary.labs()["potassium"].reference_high
    assert first.above.base == pytest.approx((reference.quantities[:, 0] > limit).mean())
    assert first.above.differs
    by_code = {each.code: each for each in labels(reference, found.rows, ("E875", "I10", "unheard"))}
    assert set(by_code) == {"E875", "I10"}
    assert by_code["E875"].share > by_code["E875"].base
    assert abs(by_code["I10"].surprise) < abs(by_code["E875"].surprise)


def test_surprise_counts_standard_errors() -> None:
    everybody = np.arange(100) < 20
    assert rate("x", np.arange(25) < 10, everybody).surprise == pytest.approx((0.4 - 0.2) / np.sqrt(0.2 * 0.8 / 25))


def test_rates_over_a_lab_follow_the_labels(reference: Reference) -> None:
    found = rates_over(reference, "potassium", "E875", bins=8)
    assert found is not None
    values, shares = found
    assert values == sorted(values)
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert np.mean(shares) == pytest.approx(reference.labels[:, 0].mean(), abs=1e-6)
    assert rates_over(reference, "sodium", "E875") is None
    assert rates_over(reference, "potassium", "sodium_low") is None


def test_a_lab_label_is_the_lab_beyond_its_limit(reference: Reference) -> None:
    has = has_label(reference, "potassium_low")
    assert has is not None
    assert np.array_equal(has, reference.quantities[:, 0] < vocabulary.labs()["potassium"].reference_low)


def test_a_cohort_comes_back_from_its_file_and_a_wrong_one_is_refused(reference: Reference) -> None:
    tensors = reference.tensors()
    again = from_tensors(tensors, DIMENSION, COLUMNS, CODES)
    assert np.array_equal(again.labels, reference.labels)
    assert np.array_equal(again.places, reference.places)
    assert len(again.spread) == len(LEVELS)
    with pytest.raises(ValueError, match="shape"):
        from_tensors(tensors, DIMENSION + 1, COLUMNS, CODES)
    with pytest.raises(ValueError, match="shape"):
        from_tensors(tensors, DIMENSION, ("potassium",), CODES)
    with pytest.raises(ValueError, match="finite"):
        from_tensors({**tensors, "quantities": np.full((SIZE, 2), np.nan, np.float32)}, DIMENSION, COLUMNS, CODES)
    for wrong in (-tensors["index"] - 1, tensors["index"].astype(np.float32)):
        with pytest.raises(ValueError, match="whole numbers"):
            from_tensors({**tensors, "index": wrong}, DIMENSION, COLUMNS, CODES)
    with pytest.raises(KeyError):
        from_tensors({name: value for name, value in tensors.items() if name != "axes"}, DIMENSION, COLUMNS, CODES)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("index", np.full(SIZE, 2**40, np.int64)),
        ("index", np.full(SIZE, 1_000_000, np.int32)),
        ("spread", np.linspace(1, 0, len(LEVELS), dtype=np.float32)),
        ("spread", np.full(len(LEVELS), -1, np.float32)),
        ("quantities", np.full((SIZE, len(COLUMNS)), 3e38, np.float32)),
    ],
)
def test_patients_that_cannot_be_are_refused(reference: Reference, name: str, values: np.ndarray) -> None:
    """An index of 2**40 became a negative one, of whom no patient can be drawn."""
    assert len(from_tensors(reference.tensors(), DIMENSION, COLUMNS, CODES)) == SIZE
    with pytest.raises(ValueError, match=r"\.$"):
        from_tensors({**reference.tensors(), name: values}, DIMENSION, COLUMNS, CODES)
