"""A YAML made to harm costs nothing and is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.limits import limited
from training import config, yaml_file
from training.cohort import config as cohort_config
from training.cohort.own.description import read_description

MERGED = b"a: &a {x: 1}\n" + b"".join(
    b"m%d: &m%d\n  <<: [%s]\n" % (i, i, b",".join([b"*m%d" % (i - 1) if i else b"*a"] * 10)) for i in range(9)
)
HARMFUL = {
    "a billion merged keys": MERGED,
    "deep lists": b"[" * 100_000,
    "deep sections": b"a: " + b"{a: " * 3000,
    "no date": b"a: 2020-99-99",
    "a number beyond all": b"a: " + b"1:" * 3000 + b"1.5",
    "an object": b"a: !!python/object/apply:os.getcwd []",
    "a list for a key": b"? [a]\n: b",
    "no text": b"a: \xff\xfe",
    "too large": b"# " + b"x" * 30_000_000,
    "zero": b"a: \0",
}


@pytest.mark.parametrize("content", HARMFUL.values(), ids=HARMFUL)
def test_it_is_refused_at_once(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_bytes(content)
    with limited(6.0, 100 * 2**20):
        for read in (read_description, config.read_settings, cohort_config.load_config):
            with pytest.raises(ValueError, match=r"own\.yaml") as caught:
                read(file)
            assert "\n" not in str(caught.value)
            assert str(caught.value).endswith(".")


def test_references_without_merging_are_read(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("a: &a [1, 2]\nb: *a\n")
    assert yaml_file.content_of(file) == {"a": [1, 2], "b": [1, 2]}


def test_a_list_is_no_settings(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("- 1\n")
    with pytest.raises(ValueError, match="holds no settings"):
        cohort_config.load_config(file)
