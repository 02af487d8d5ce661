"""Settings of a cohort: the defaults, and what is not known is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.cohort.config import load_config


def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("windows: {labs_minutes: 30}\n")
    assert load_config(file)["windows"] == {"labs_minutes": 30, "vitals_minutes": 30, "biometrics_days": 30}
    file.write_text("windows: {lab_minutes: 30}\n")
    with pytest.raises(ValueError, match=r"windows\.lab_minutes"):
        load_config(file)
