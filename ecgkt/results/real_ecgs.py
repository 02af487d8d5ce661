"""What can be said of real ECGs: findings; labs by proxy only, where no real ECG has a laboratory value beside it."""

from __future__ import annotations

from collections.abc import Iterable

from ecgkt import vocabulary
from ecgkt.results import numbers
from ecgkt.results.metrics import DomainProbe, DoseResponse, LabProxy, RealFindings
from ecgkt.results.tables import Table

PROXIES = "Lab scores against related ECG statements"
DOSES = "Dose and response on real ECGs"
DOSES_EXPLAINED = (
    "Real ECGs whose waves were changed as the lab would change them, by published slopes: the predicted probability "
    "(median, quartiles) should follow."
)
PROBES = "Can it tell that an ECG is simulated?"


def findings(figures: RealFindings) -> Table:
    """Macro AUROC over two fixed lists of findings."""
    rows = []
    for title, part in (("Diagnostic superclasses", figures.superclasses), ("Statements", figures.statements)):
        few = f"fewer than five positives: {', '.join(part.few)}" if part.few else ""
        missing = f"left out, no positives: {', '.join(part.missing)}" if part.missing else ""
        note = "; ".join(filter(None, (few, missing))) or numbers.NONE
        rows.append((title, ", ".join(part.labels), numbers.interval(part.auroc), note))
    caption = f"Macro AUROC over a fixed list (95% confidence interval), {figures.ecgs:,} real test ECGs."
    return Table(("List", "Labels", "Macro AUROC", "Note"), rows, caption)


def findings_by_set(figures: RealFindings) -> Table:
    """The two means on ECGs with amplitudes of one kind, and on each data set by itself."""
    parts = [(f"amplitudes {kind}", part) for kind, part in figures.by_amplitudes.items()]
    parts += list(figures.by_source.items())
    rows = [
        (name, numbers.count(p.ecgs), numbers.interval(p.superclasses.auroc), numbers.interval(p.statements.auroc))
        for name, p in parts
    ]
    caption = "The same on some of these ECGs. Where they are few, labels without positives are left out of a mean."
    return Table(("ECGs", "Number", "Superclasses", "Statements"), rows, caption, numbers=(1,))


def each_finding(figures: RealFindings) -> Table:
    """AUROC of every label of the two lists."""
    rows = [
        (code, numbers.count(one.positives), numbers.interval(one.auroc))
        for part in (figures.superclasses, figures.statements)
        for code, one in part.labels.items()
    ]
    return Table(("Label", "Positives", "AUROC"), rows, numbers=(1,))


def caution(learned_from: Iterable[str]) -> str:
    """What figures on labs can say at all; learned_from: of every lab label."""
    if all(kind == "simulated" for kind in learned_from):
        return (
            "Labs were learned from simulated patients, and no real ECG here comes with a lab value, so how well they "
            "are predicted on real ECGs is not measured. This is indirect evidence only."
        )
    return "This is indirect evidence only."


def source_erased(ecgs: int) -> str:
    """Said where the real-or-simulated direction was erased from the lab heads."""
    return (
        "The direction that tells real from simulated ECGs was erased from the lab scores (least-squares concept "
        f"erasure, fitted on {ecgs:,} normal training ECGs); the probes below use other ECGs."
    )


def proxies(figures: dict[str, LabProxy], known: dict[str, str]) -> Table:
    """AUROC of each score for the statement that goes with it; known: code -> name of the label."""
    rows = [
        (proxy_name(key, known), numbers.count(one.positives), numbers.count(one.against),
         numbers.interval(one.auroc))
        for key, one in figures.items()
    ]  # fmt: skip
    return Table(
        ("Score", "With statement", "Normal ECGs", "AUROC"),
        rows,
        "AUROC of the score for telling real ECGs with the statement from normal ones (95% confidence interval).",
        numbers=(1, 2),
    )


def dose(key: str, figures: DoseResponse, *, whole: bool = False) -> Table:
    """Predicted probability at each value of a lab, or at whole ones alone."""
    steps = zip(figures.values, figures.probability, figures.low, figures.high, strict=True)
    rows = [
        (f"{value:g}", f"{numbers.percent(mid, 1)} ({numbers.percent(low, 1)} to {numbers.percent(high, 1)})")
        for value, mid, low, high in steps
        if not whole or value == round(value)
    ]
    caption = (
        f"{figures.ecgs:,} real normal ECGs; the probability rises from the first to the last value in "
        f"{numbers.percent(figures.rising)} of them."
    )
    return Table((f"{lab_name(key)}, {figures.unit}", "Predicted probability"), rows, caption)


def probes(figures: dict[str, DomainProbe]) -> Table:
    """AUROC of each classifier that tells real from simulated ECGs."""
    rows = [
        (lab_name(key), one.classifier, numbers.interval(one.auroc), f"{one.chance:g}") for key, one in figures.items()
    ]
    sizes = sorted({(one.real, one.simulated) for one in figures.values()})
    said = " or ".join(f"{real:,} real and {simulated:,} simulated" for real, simulated in sizes)
    caption = f"{said} normal ECGs outside training, cross-validated by patient (95% confidence interval)."
    return Table(("Input", "Classifier", "AUROC", "Chance"), rows, caption)


def lab_name(key: str) -> str:
    """A lab's name for its key; any other key as words."""
    lab = vocabulary.labs().get(key)
    words = key.replace("_", " ")
    return lab.name if lab else words[:1].upper() + words[1:]


def proxy_name(key: str, known: dict[str, str]) -> str:
    """ "potassium_high on EL" with the names of label and statement; known: code -> name of the label."""
    code, on, statement = key.partition(" on ")
    finding = vocabulary.findings().get(statement)
    return f"{known.get(code, lab_name(code))}{on}{finding.name if finding else statement}"
