"""What is found where simulated ECGs show it is told as it was measured, and of no other bundle."""

from __future__ import annotations

import pytest

from ecgkt import vocabulary
from ecgkt.json_records import decode
from ecgkt.model.model import Model
from ecgkt.results import urgent_pictures
from ecgkt.results.urgent_pictures import UrgentPictures


@pytest.fixture
def shipped() -> UrgentPictures:
    return decode(urgent_pictures.FILE.read_bytes(), UrgentPictures, urgent_pictures.VERSION, "urgent.json")


def test_they_are_shown_beside_the_bundle_that_they_were_measured_on_alone(shipped: UrgentPictures) -> None:
    assert urgent_pictures.of_bundle(shipped.model) == shipped
    assert urgent_pictures.of_bundle(shipped.model[::-1]) is None


def test_they_are_those_of_the_bundle_that_ships(shipped: UrgentPictures, shipped_model: Model) -> None:
    assert shipped.model == shipped_model.sha256
    assert {one.code for one in shipped.pictures} <= set(vocabulary.urgent())
    for one in shipped.pictures:
        for value, low, high in (one.sensitivity, one.found, one.spared, one.said, one.unsaid):
            assert 0 <= low <= value <= high <= 1


def test_a_row_has_a_picture_and_its_figures(shipped: UrgentPictures) -> None:
    table = urgent_pictures.table(shipped, lambda code: f"<{code}>")
    first = shipped.pictures[0]
    assert len(table.rows) == len(shipped.pictures)
    assert list(table.rows[0][:3]) == [f"<{first.code}>", first.picture, f"{first.shown:,}"]
    assert all(len(row) == len(table.header) for row in table.rows)
    assert f"{shipped.ecgs:,} simulated ECGs" in urgent_pictures.in_words(shipped)
