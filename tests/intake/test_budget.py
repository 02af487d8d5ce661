"""No file costs more than 2 s of processor time and 200 MB above its own size, whatever it holds: counted by the system
in a process that reads it, not by a clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecgkt.intake.reading import SECONDS
from ecgkt.intake.worker import MEMORY
from tests.intake.hostile_files import MAKERS, Files
from tests.intake.informed_hostile_files import MAKERS as INFORMED

ROOT = Path(__file__).resolve().parents[2]
GIVEN = ("aecg_code.xml", "csv_digits_20k.csv", "csv_heading_60k.csv", "dicom_deflate_hidden_1G.dcm",
         "mortara_name.xml", "muse_leadid.xml", "scp_pointers_1024x1M.scp", "zip_255_scp_slow.zip")  # fmt: skip

pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux counts memory's peak anew")


class Meter:
    """A process that reads files and says what it cost (`tests.intake.cost`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        environment = os.environ | {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.intake.cost"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def cost(self, files: Files) -> dict[str, object]:
        paths = {}
        for number, (name, content) in enumerate(files.items()):
            path = self._folder / f"file{number}"
            path.write_bytes(content)
            paths[name] = str(path)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(paths) + "\n")
        self._process.stdin.flush()
        found: dict[str, object] = json.loads(self._process.stdout.readline())
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="module")
def meter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meter]:
    made = Meter(tmp_path_factory.mktemp("hostile"))
    yield made
    made.close()


def within_the_budget(cost: dict[str, object]) -> None:
    seconds, megabytes, said = cost["seconds"], cost["megabytes"], cost["said"]
    assert isinstance(seconds, float)
    assert seconds < SECONDS, cost
    assert isinstance(megabytes, float)
    assert megabytes < MEMORY / 2**20, cost
    assert isinstance(said, list)
    for words in said:
        assert words.endswith((".", "samples"))
        assert "\n" not in words


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS | INFORMED)
def test_no_made_file_goes_beyond_the_budget(meter: Meter, name: str) -> None:
    within_the_budget(meter.cost((MAKERS | INFORMED)[name]()))


@pytest.mark.parametrize("name", GIVEN)
def test_no_file_that_once_got_through_does(meter: Meter, shared: Path, name: str) -> None:
    within_the_budget(meter.cost({name: (shared / "hostile" / name).read_bytes()}))


def test_a_gain_that_would_round_to_0_is_refused(meter: Meter, shared: Path) -> None:
    files = {file.name: file.read_bytes() for file in (shared / "hostile/wfdb_gain_1e-10").iterdir()}
    said = meter.cost(files)["said"]
    assert isinstance(said, list)
    assert "amplitudes are unknown" in said[0]
