"""Lines of machine reports -> findings: stated, open, and reports that say that nothing could be read."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.datasets.mimic.reports import read_line, unread


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("Sinus rhythm with 1st degree A-V block", {"SR", "1AVB"}),
        ("RBBB with left anterior fascicular block", {"CRBBB", "LAFB"}),
        ("Incomplete right bundle branch block", {"IRBBB"}),
        ("Inferior infarct - age undetermined", {"IMI"}),
        ("Atrial fibrillation with rapid ventricular response", {"AFIB"}),
        ("Sinus rhythm with PAC(s)", {"SR", "PAC"}),
        ("Prolonged Q-T interval", {"LNGQT"}),
        ("Left ventricular hypertrophy by voltage", {"VCLVH"}),
        ("Abnormal ECG", set()),
    ],
)
def test_machine_phrases(line: str, codes: set[str]) -> None:
    assert read_line(line) == dict.fromkeys(codes, 1.0)


@pytest.mark.parametrize(
    ("line", "open_codes", "sure"),
    [
        ("Possible inferior infarct - age undetermined", {"IMI"}, set()),
        ("Cannot rule out anterior infarct", {"AMI"}, set()),
        ("Sinus rhythm, no ST elevation", {"STE_"}, {"SR"}),
        ("Anterior infarct cannot be excluded", {"AMI"}, set()),
        ("Left axis deviation, consider left ventricular hypertrophy", {"LVH"}, set()),
        ("Otherwise normal ECG", {"NORM"}, set()),
        ("Atrial fibrillation, possible lateral infarct", {"LMI"}, {"AFIB"}),
    ],
)
def test_doubt_and_negation_leave_unknown(line: str, open_codes: set[str], sure: set[str]) -> None:
    found = read_line(line)
    assert {code for code, value in found.items() if np.isnan(value)} == open_codes
    assert {code for code, value in found.items() if value == 1} == sure


def test_unread_reports() -> None:
    assert unread("--- Warning: Data quality may affect interpretation ---")
    assert unread("All 12 leads are missing")
    assert not unread("Sinus rhythm")
