"""How the figures of simulated patients are told: probes of the embeddings, and heads that follow their cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecgkt import vocabulary
from ecgkt.results import names, numbers
from ecgkt.results.metrics import Metrics
from ecgkt.results.simulated_metrics import Probe, Response
from ecgkt.results.tables import Table

RESPONSES_EXPLAINED = (
    "Mean probability over simulated patients of average reactions as one cause runs away from normal, all else as it "
    "was. Physiology has each of these rise; where one does not, the network is wrong. A head may be right about the "
    "simulator and wrong about people."
)
PROBES_EXPLAINED = (
    "A linear model reads each quantity off the embedding of simulated patients, cross-validated: R² is the share of "
    "its variance that is explained (0 where nothing can be read, 1 where everything), for sex the AUROC. Both "
    "networks see the ECG alone; one was trained with labs and vitals as well. Mean corpuscular volume, platelets and "
    "ALT leave no mark on a simulated ECG and are the check: they must come out at 0."
)


def probe_name(probe: Probe) -> str:
    lab = vocabulary.labs().get(probe.target)
    name = lab.name if lab else probe.target
    return f"{name} (AUROC)" if probe.measure == "auroc" else name


def probes(found: Sequence[Probe]) -> Table:
    """Every probe of both networks, in the order given."""
    header = ("Quantity", *(names.title(name) for name in _models(found)), "Difference", "ECGs")
    rows = [
        (
            probe_name(probe) + (", logarithm" if probe.logarithm else ""),
            *(numbers.interval(probe.models.get(name)) for name in _models(found)),
            numbers.signed_interval(probe.gain),
            numbers.count(probe.ecgs),
        )
        for probe in found
    ]
    return Table(header, rows, "R² (95% interval over patients)", numbers=(len(header) - 1,))


def _models(found: Sequence[Probe]) -> list[str]:
    return list(dict.fromkeys(name for probe in found for name in probe.models))


def gained(found: Sequence[Probe]) -> str:
    """Of how many quantities the one network's embedding holds more than the other's, in a sentence or two."""
    parts = []
    for kind, words in (("lab", "labs"), ("measurement", "measurements of the tracing")):
        gains = [probe.gain for probe in found if probe.kind == kind and probe.gain is not None]
        if gains:
            more, less = sum(gain[1] > 0 for gain in gains), sum(gain[2] < 0 for gain in gains)
            mean = f"{sum(gain[0] for gain in gains) / len(gains):+.3f}".replace("-", numbers.MINUS)
            parts.append(
                f"Of {len(gains)} {words}, {more or 'none'} are read better off the embedding of the network that "
                f"learned from labs and vitals, and {less or 'none'} worse (95% interval of the difference without 0); "
                f"R² changes by {mean} in the mean."
            )
    return " ".join(parts)


def response(metrics: Metrics, quantity: str, code: str) -> Response | None:
    """The curve of a head over its cause; of two (one each way) the first."""
    return next((each for each in metrics.responses if (each.quantity, each.code) == (quantity, code)), None)


def follows(found: Response, label: str, quantity: str, unit: str) -> str:
    """How a head follows its cause, in a sentence or two."""
    words = (
        f"Over {found.patients} simulated patients of average reactions the mean probability of {label} goes from "
        f"{numbers.percent(found.probability[0], 1)} to {numbers.percent(found.probability[-1], 1)} as {quantity} goes "
        f"from {numbers.measured(found.values[0])} to {numbers.measured(found.values[-1])} {unit}; it ends higher in "
        f"{numbers.percent(found.rising)} of them."
    )
    return words if found.monotone else f"{words} It does not rise at every step, as physiology would have it."


def responses(metrics: Metrics, labels: Mapping[str, str], quantities: Mapping[str, tuple[str, str]]) -> Table:
    """Every head that was held against its cause; labels: code -> name; quantities: key -> (name, unit)."""
    rows: list[tuple[str, ...]] = []
    marked: list[int] = []
    for each in metrics.responses:
        name, unit = quantities.get(each.quantity, (each.quantity, ""))
        if not each.monotone:
            marked.append(len(rows))
        rows.append(
            (
                labels.get(each.code, each.code),
                f"{name} {numbers.measured(each.values[0])} to {numbers.measured(each.values[-1])} {unit}",
                " · ".join(numbers.percent(p, 1) for p in each.probability),
                numbers.percent(each.rising),
                "yes" if each.monotone else "no",
            )
        )
    patients = max((each.patients for each in metrics.responses), default=0)
    return Table(
        ("Score", "Cause", "Mean probability, step by step", "Patients in whom it ends higher", "Rises at every step"),
        rows,
        f"{patients} simulated patients without bundle branch block, pacing, pre-excitation, fibrillation or flutter",
        marked=marked,
    )
