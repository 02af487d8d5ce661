"""What `import ecgkt` offers, and that it is there without waiting for torch until a model is asked for."""

from __future__ import annotations

import subprocess
import sys

import ecgkt


def test_every_public_name_is_there_and_documented() -> None:
    for name in ecgkt.__all__:
        offered = getattr(ecgkt, name)
        assert name == "LEADS" or offered.__doc__, name
    for method in ("predict", "explain", "predict_many", "attribute", "compare", "label"):
        assert getattr(ecgkt.Model, method).__doc__, method
    assert set(ecgkt.__all__) <= set(dir(ecgkt))


def test_reading_and_measuring_need_no_torch() -> None:
    code = "import sys; from ecgkt import read, measure, delineate, AnalyzedECG; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
