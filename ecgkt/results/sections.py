"""The sections that tell the test figures of a bundle, in order: the same on the Model page and in the model card, but
for the probes and the explanations, which stand on the page alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ecgkt.results.metrics import Metrics


@dataclass(frozen=True)
class Section:
    """anchor: its place on a page; short: its name in a list of contents; measured: has a bundle figures for it?"""

    anchor: str
    title: str
    short: str
    measured: Callable[[Metrics], bool]


PERFORMANCE = Section("performance", "Performance on held-out patients", "Performance", lambda m: True)
LABEL_CURVE = Section("labeled-patients", "Label efficiency", "Label efficiency", lambda m: bool(m.label_curve))
REAL_FINDINGS = Section(
    "real-findings", "Findings on real ECGs", "Findings on real ECGs", lambda m: m.real_findings is not None
)
CALIBRATION = Section("calibration", "Calibration", "Calibration", lambda m: any(m.calibration.values()))
SUBGROUPS = Section("subgroups", "Performance by age and sex", "Age and sex", lambda m: any(m.subgroups.values()))
ABSTENTION = Section("abstention", "Verdicts and abstention", "Abstention", lambda m: m.conformal is not None)
REAL_LABS = Section(
    "labs",
    "Labs on real ECGs: indirect evidence",
    "Labs on real ECGs",
    lambda m: bool(m.lab_proxies or m.dose_response or m.domain_probe),
)
PROBES = Section("probes", "What the labs taught the encoder", "Probes", lambda m: bool(m.probes))
EXPLAINED = Section("explanations", "How true explanations are", "Explanations", lambda m: True)
BUILD = Section("build", "Build", "Build", lambda m: True)

SECTIONS = (PERFORMANCE, LABEL_CURVE, REAL_FINDINGS, CALIBRATION, SUBGROUPS, ABSTENTION, REAL_LABS, BUILD)
