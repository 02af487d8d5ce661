"""Why a score changed: the measured change of what its label is read from, or that there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecgkt.ecg import ECG, LEADS
from ecgkt.measurements.intervals import measure
from ecgkt.serial.comparison import ROWS, WAVES, compare
from ecgkt.serial.reasons import VERBS, read_from, reason
from tests.serial.test_comparison import heart

BUNDLE = Path(__file__).resolve().parents[2] / "assets" / "models" / "default"


def told(code: str, before: ECG, now: ECG) -> str:
    one, other = measure(before), measure(now)
    return reason(code, compare(one, other), one, other)


def raised(lead: str, mv: float) -> ECG:
    """`heart` with ST raised in one lead alone."""
    signal = heart().signal.copy()
    row = LEADS.index(lead)
    signal[row] += mv / np.linspace(0.5, 1.6, 12)[row] * (heart(st=1.0).signal - heart().signal)[row]
    return ECG(signal, 500.0)


def test_st_that_fell_is_named_with_its_lead_and_size() -> None:
    words = told("INJIN", raised("III", 0.2), heart())
    assert words.startswith("ST in III fell 0.")
    assert abs(float(words.split("fell ")[1].split(" mV")[0]) - 0.2) <= 0.05
    assert told("INJIN", heart(), raised("III", 0.2)).startswith("ST in III rose 0.")


def test_only_what_the_label_is_read_from_is_named() -> None:
    assert "III" not in told("INJAS", raised("III", 0.2), heart())
    assert "by more than repeats differ by" in told("INJAS", raised("III", 0.2), heart())


def test_nothing_changed_is_said() -> None:
    words = told("CLBBB", heart(), heart())
    assert words.startswith("Nothing that it is read from changed by more than repeats differ by (most: ")
    assert told("1AVB", heart(pr=0.16), heart(pr=0.24)).startswith("PR lengthened ")


def test_rhythm_and_rate_are_told_in_words() -> None:
    assert told("STACH", heart(), heart(rr=0.5)) == "Heart rate rose 45/min."
    irregular = measure(heart())
    times = np.cumsum(np.tile([0.5, 1.1, 0.8], 4))
    beats = tuple(replace(irregular.beats.beats[0], r=float(t)) for t in times)
    now = replace(irregular, beats=replace(irregular.beats, beats=beats, atrial="none"))
    words = reason("AFIB", compare(measure(heart()), now), measure(heart()), now)
    assert "RR regular before, irregular now" in words
    assert "P waves before every QRS before, none found now" in words


def test_what_could_not_be_measured_or_is_not_known() -> None:
    nothing = ECG(np.zeros((12, 5000), np.float32), 500.0)
    assert told("CLBBB", heart(), nothing) == "Nothing that it is read from could be measured in both ECGs."
    assert told("J189", heart(), heart(rr=0.5)) == ""


def test_the_table_names_labels_measurements_and_leads_that_exist() -> None:
    listed = json.loads((BUNDLE / "bundle.json").read_text(encoding="utf-8"))["labels"]
    known = {label if isinstance(label, str) else label["code"] for labels in listed.values() for label in labels}
    for code, pairs in read_from().items():
        assert code in known, code
        for name, lead in pairs:
            assert lead in ("", *LEADS), (code, lead)
            if lead:
                assert name in WAVES, (code, name)
            else:
                assert name in (*ROWS, "rr", "p_waves", "premature", "spikes"), (code, name)
            assert name in VERBS or name in ("rr", "p_waves", "premature", "spikes"), (code, name)
