"""A short run of benchmarks/fuzzing.py: whatever is done to a file, it is an ECG or one sentence."""

from __future__ import annotations

import random

import pytest

from benchmarks.fuzzing import NAMES, answer
from benchmarks.fuzzing_mutations import mutate, seeds

INPUTS = 150  # of each format


@pytest.mark.parametrize("name", NAMES)
def test_the_files_to_begin_with_are_read(name: str) -> None:
    assert [answer(name, content) for content in seeds(name)] == [None] * len(seeds(name))


@pytest.mark.parametrize("name", NAMES)
def test_changed_files_are_read_or_refused_in_one_sentence(name: str) -> None:
    dice, begun, said = random.Random(name), seeds(name), []
    for _ in range(INPUTS):
        content = mutate(name, dice.choice(begun), dice)
        said.append(answer(name, content))  # raises for anything else
    assert None in said
    assert len(set(said)) > 3
