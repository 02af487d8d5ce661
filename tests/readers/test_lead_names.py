"""What files call a lead: every usual way means the lead, what is another signal means none."""

from __future__ import annotations

import pytest

from ecgkt.ecg import LEADS
from ecgkt.readers.lead_names import lead_name

WAYS = (
    "{}", " {} ", "lead {}", "Lead {}", "LEAD_{}", "Lead-{}", "lead: {}", "ECG {}", "ECG lead {}", "ECG Lead {}",
    "EKG {}", "ecg_{}", "Lead{}", "MDC_ECG_LEAD_{}", "MDC_ECG_ELEC_POTL_{}", "Derivation {}", "Ableitung {}",
    "D\N{LATIN SMALL LETTER E WITH ACUTE}rivation {}", "Derivaci\N{LATIN SMALL LETTER O WITH ACUTE}n {}",
    "{} (augmented)", "{}, augmented voltage, right", "{} [mV]", "{}(mV)", "'{}'", '"{}"', "{} Lead",
    "{}\N{CJK UNIFIED IDEOGRAPH-5BFC}\N{CJK UNIFIED IDEOGRAPH-8054}",
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", [str, str.lower, str.upper])
def test_a_lead_is_known_by_any_of_its_usual_names(way: str, case: type[str]) -> None:
    assert [lead_name(way.format(case(lead))) for lead in LEADS] == list(LEADS)


def test_limb_leads_as_they_are_written_in_other_countries() -> None:
    for names in ("DI DII DIII", "D1 D2 D3", "di dii diii"):
        assert [lead_name(name) for name in names.split()] == ["I", "II", "III"]
    assert [lead_name(name) for name in ("\N{ROMAN NUMERAL ONE}", "\N{ROMAN NUMERAL THREE}")] == ["I", "III"]
    assert [lead_name(name) for name in ("D II", "aV R", "V 3", "ECG C4")] == ["II", "aVR", "V3", "V4"]


@pytest.mark.parametrize(
    "words",
    [
        "", "vx", "Pleth", "-aVR", "\N{MINUS SIGN}aVR", "Lead -aVR", "MDC_ECG_LEAD_AVRneg", "I-II", "I II", "I I", "V7",
        "V3R", "MLII", "V1-V2", "C3", "EEG C3", "ECG 1", "VR", "aVX", "IV", "MCL1", "lead", "II+", "Resp I",
        "(I)", "x" * 100_000, "I" + " " * 50 + "I", "resp (I)",
    ],
)  # fmt: skip
def test_other_signals_are_no_lead(words: str) -> None:
    assert lead_name(words) == ""


def test_names_of_a_million_characters_come_to_an_end() -> None:
    """A pattern that goes back over them for every character would take hours."""
    assert lead_name("I(" + " " * 2_000_000) == "I"
    for words in ("lead " * 400_000, "I" + " " * 2_000_000 + "x", "_" * 2_000_000):
        assert lead_name(words) == ""
