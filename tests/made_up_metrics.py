"""A bundle.json and a metrics.json with every part that a bundle may have, all of it made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from ecgkt.ecg import LEADS
from ecgkt.model.card import VERSION as CARD_VERSION
from ecgkt.model.card import Card, DataSet, LabelEntry, Normalization, Split, TrainingStage
from ecgkt.model.networks.network import CLIP_MV, Architecture
from ecgkt.model.preprocessing import BAND, MODEL_RATE, MODEL_SAMPLES
from ecgkt.prediction import HEADS, Head, Label
from ecgkt.results import names
from ecgkt.results.curve_metrics import Conclusions, CurveAbout, CurvePoint, TailPoint
from ecgkt.results.metrics import (
    VERSION,
    Bootstrap,
    Cohort,
    DomainProbe,
    DoseResponse,
    HeadFigures,
    LabelFigures,
    LabProxy,
    ListedFindings,
    ListedLabel,
    Metrics,
    RealFindings,
    SourceCohort,
)
from ecgkt.results.trust_metrics import Bin, Calibration, Refusals, Subgroup, Urgent

FIGURE = (0.7, 0.6, 0.8)
Labels = Mapping[Head, Sequence[Label]]


def card(labels: Labels) -> Card:
    """The facts of a bundle with these labels."""
    split = {"train": Split(patients=1200, ecgs=1300), "test": Split(patients=300, ecgs=400)}
    return Card(
        version=CARD_VERSION,
        name="stand-in",
        created="2026-11-01",
        leads=list(LEADS),
        rate=MODEL_RATE,
        samples=MODEL_SAMPLES,
        normalization=Normalization(unit="mV", band_hz=BAND, clip_mv=CLIP_MV, lead_scale_mv=[0.2] * 12),
        labels={head: [_entry(label) for label in listed] for head, listed in labels.items()},
        calibration={},
        training_data=[
            DataSet(
                name="Nobody", source="simulated", simulated=True, patients=1500, ecgs=1700, splits=split,
                license=None, note=None, fingerprint="ab" * 32, used_in_stage_1=True,
            )
        ],
        seeds={"run": 7},
        config={},
        stages={"knowledge_transfer": TrainingStage(parameters=1234, seconds_this_run=60, source_erased_on=1360)},
        intended_use="Research on a stand-in.",
        not_for=["Clinical decisions of any kind."],
        limits=["Knows nothing."],
        architectures={
            name: Architecture(
                "both" if name == "multimodal" else "ecg",
                {"kind": "beat", "widths": [32, 48]},
                {head: [label.code for label in listed] for head, listed in labels.items()},
            )
            for name in ("knowledge_transfer", "signal_only", "multimodal")
        },
        files={"model.safetensors": "ab" * 32},
    )  # fmt: skip


def with_few_labels(card: Card) -> Card:
    """The same with the paper's way, and all four networks taught with 2,000 labeled patients."""
    architectures, stages = dict(card.architectures), dict(card.stages)
    architectures["paper_way"] = architectures["knowledge_transfer"]
    recipes = ("distilled", "signal_only", "multimodal", "vicreg")
    for (name, few), recipe in zip(names.FEW_LABELS.items(), recipes, strict=True):
        heads = ("diagnoses", "labs") if name in (names.TRANSFER, names.PAPER) else ("diagnoses",)
        labels = {head: architectures[name].labels[head] for head in heads}
        architectures[few] = replace(architectures[name], labels=labels)
        stages[name] = TrainingStage(parameters=1234, seconds_this_run=60, labeled_patients=20_000)
        stages[few] = TrainingStage(parameters=400, seconds_this_run=60, labeled_patients=2000, recipe=recipe)
    return msgspec.structs.replace(card, architectures=architectures, stages=stages)


def _entry(label: Label) -> LabelEntry:
    return LabelEntry(
        code=label.code, name=label.name, group=label.group, prevalence=label.prevalence, training_positives=9,
        threshold=label.threshold, threshold_source=label.threshold_source, guarantee=None, auroc=label.auroc,
        test_positives=label.test_positives, measured_on=None, learned_from=label.learned_from,
    )  # fmt: skip


def bare(labels: Labels) -> Metrics:
    """The figures that every bundle has."""
    heads = {
        head: HeadFigures(
            macro_auroc=(0.712, 0.6, 0.8),
            labels={
                label.code: LabelFigures(auroc=FIGURE, positives=12, measured_on="simulated") for label in labels[head]
            },
        )
        for head in HEADS
    }
    return Metrics(
        version=VERSION,
        test=Cohort(patients=40, ecgs=41),
        test_by_source={"made up": SourceCohort(simulated=True, patients=40, ecgs=41)},
        models={"knowledge_transfer": heads, "signal_only": heads},
        bootstrap=Bootstrap(resamples=100, unit="patient", interval="95% percentile"),
        gap_closed=(0.37, 0.11, 0.6),
    )


def complete(metrics: Metrics) -> Metrics:
    """The same with every part but verdicts, risk and novelty, which tests/ui/test_abstention.py computes."""
    test = Calibration(
        ece=(0.011, 0.005, 0.02), ece_debiased=(0.006, 0.0, 0.015), ece_equal_mass=(0.012, 0.006, 0.02),
        in_the_large=(-0.002, -0.01, 0.006), pairs=1234, positives=100,
        bins=[
            Bin(0.05, 0.06, 0.04, 0.08, 1200), Bin(0.25, 0.3, 0.2, 0.4, 31), Bin(0.95, 1.0, 0.3, 1.0, 3),
        ],
        classwise=(0.03, 0.02, 0.04), classwise_debiased=(0.02, 0.01, 0.03), classwise_labels=7,
    )  # fmt: skip
    groups = (("age", "under 50 years"), ("age", "not known"), ("sex", "female"), ("sex", "male"))
    rows = [
        Subgroup(by=by, group=group, patients=20, ecgs=21, positives=9, labels=2, auroc=FIGURE, ece=FIGURE,
                 in_the_large=(-0.1, -0.2, 0.1))
        for by, group in groups
    ]  # fmt: skip
    refused = [
        Refusals(by=by, group=group, patients=20, ecgs=21, refused=0, share=(0.0, 0.0, 0.16)) for by, group in groups
    ]
    models = {"signal_only": FIGURE, "distilled": (0.75, 0.7, 0.8), "multimodal": (0.8, 0.75, 0.85), "oracle": FIGURE}
    curve = [
        CurvePoint(patients=n, models=models, gap_closed=(0.5, 0.3, 0.7), gain=(0.05, 0.01, 0.09))
        for n in (2000, 20000)
    ]
    part = ListedFindings(
        auroc=(0.94, 0.92, 0.96), labels={"NORM": ListedLabel(auroc=FIGURE, positives=3)}, few=["NORM"],
        missing=["SBRAD"],
    )  # fmt: skip
    return msgspec.structs.replace(
        metrics,
        calibration={"findings": {"real": msgspec.structs.replace(test, validation=test), "simulated": test}},
        subgroups={"findings": {"real": rows, "simulated": rows}},
        abstention={"real": refused},
        left_out_in_preparation={"ptbxl": {"flat lead": 17}},
        real_findings=RealFindings(ecgs=160, superclasses=part, statements=part),
        urgent=[Urgent("AFIB", "real", 12, 148, FIGURE, FIGURE, FIGURE)],
        label_curve=curve,
        label_curve_groups={"Kidney failure": curve},
        tail=[
            TailPoint(positives=(300, None), labels=40, signal_only=FIGURE, knowledge_transfer=FIGURE,
                      gain=(-0.001, -0.004, 0.002)),
            TailPoint(positives=(20, 50), labels=31, signal_only=FIGURE, knowledge_transfer=(0.713, 0.61, 0.81),
                      gain=(0.013, 0.004, 0.022)),
        ],
        label_curve_about=CurveAbout(
            best="distilled", tenth=2000, conclusions=Conclusions(), models={"distilled": "from a teacher"}, seeds=3,
            runs=[], note="",
        ),
        lab_proxies={"potassium_high on EL": LabProxy(auroc=FIGURE, positives=14, against=101, what="EL against NORM")},
        dose_response={
            "potassium": DoseResponse(
                values=[4, 6], unit="mmol/L", probability=[0.05, 0.4], low=[0.02, 0.3], high=[0.1, 0.5], ecgs=7,
                rising=1.0,
            )
        },
        domain_probe={
            "lab logits": DomainProbe(
                auroc=(0.55, 0.45, 0.65), chance=0.5, classifier="logistic regression", real=9, simulated=9
            )
        },
    )  # fmt: skip
