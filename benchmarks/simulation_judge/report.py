"""simulation.json -> simulation.md: a column a version of the simulator."""

from __future__ import annotations

from typing import Any

from benchmarks.simulation_judge import populations_pages
from ecgkt.ecg import LEADS

Versions = dict[str, dict[str, Any]]
MOST_DIFFERENT = 40  # rows of a table of shapes
SETS = {
    "simulated": "held-out simulated", "ptbxl_native": "PTB-XL as recorded", "ptbxl": "PTB-XL, modeled amplitudes", 
    "ptbxl_unseen": "PTB-XL, modeled, folds 8 and 9", "native_unseen": "PTB-XL as recorded, folds 8 and 9",
    "ludb": "LUDB", "cinc": "CinC",
}  # fmt: skip


def text(results: Versions) -> str:
    """The whole page. The last version that measured a part decides the order of its rows."""
    lines = [
        "# The simulated cohort against real ECGs",
        "",
        "Written by `benchmarks/simulation.py` from `simulation.json`; a column is a version of the simulator.",
        "",
        *_table(["version", "of the simulator", "seed", "patients"], [
            [name, *(str(figures.get("cohort", {}).get(k, "")) for k in ("version", "seed", "patients"))]
            for name, figures in results.items()
        ]),
    ]  # fmt: skip
    for part, write in WRITERS.items():
        versions = {name: figures[part] for name, figures in results.items() if part in figures}
        if versions:
            lines += ["", *write(versions)]
    return "\n".join(lines) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(r) + " |" for r in rows)]


def _auroc(figures: dict[str, Any] | None) -> str:
    if not figures:
        return "-"
    return f"{figures['auroc']:.2f} ({figures['low']:.2f}-{figures['high']:.2f})"


def _numbers(values: list[float]) -> str:
    return " / ".join(f"{v:.3g}" for v in values)


def _domain(versions: Versions) -> list[str]:
    lines = [
        "## Told apart from real?",
        "",
        "AUROC by cross-validation by patient, 95% interval; .50 is indistinguishable. Without amplitudes, at 100 Hz,",
        "0.5-40 Hz, matched for age, sex and heart rate. Forests see measures of a group, the network the tracing.",
        "",
    ]
    last = list(versions.values())[-1]
    rows = []
    for source, figures in last.items():
        kind = "normal" if figures["stage"] == "normal" else "sinus without block"
        for group in (*figures["forest"], "network"):
            cells = []
            for version in versions.values():
                here = version.get(source, {})
                cells.append(_auroc(here.get("network") if group == "network" else here.get("forest", {}).get(group)))
            who = "network" if group == "network" else f"forest: {group}"
            rows.append([f"{SETS[source]} ({kind}, {figures['real_ecgs']})", who, *cells])
    lines += _table(["real set (ECGs)", "seen by", *versions], rows)
    name = list(versions)[-1]
    for source, figures in last.items():
        lines += ["", f"What gives '{name}' away most against {SETS[source]}, to the forest (log loss gained when the"]
        lines += ["measure is shuffled) and each measure alone (KS); quantiles 10 / 50 / 90:", ""]
        telling = figures["most_telling"] + figures["most_different"][:15]
        gains = {r["measure"]: f"{r['log_loss_gained']:.3f}" for r in figures["most_telling"]}
        unique = {r["measure"]: r for r in telling}
        lines += _table(
            ["measure", "real", "simulated", "KS", "log loss gained"],
            [
                [f"`{m}`", _numbers(r["real"]), _numbers(r["simulated"]), str(r["ks"]), gains.get(m, "")]
                for m, r in unique.items()
            ],
        )
        lines += ["", f"KS distance by lead against {SETS[source]}, + where the simulated median is higher:", ""]
        table = figures["by_lead_and_measure"]
        order = sorted(table, key=lambda m: -sum(abs(v) for v in table[m].values()) / len(table[m]))
        rows = [[f"`{m}`", *(f"{table[m][lead]:+.2f}" if lead in table[m] else "-" for lead in LEADS)] for m in order]
        lines += _table(["measure", *LEADS], rows)
    return lines


def _reference(versions: Versions) -> list[str]:
    lines = [
        "## Real sets told apart from each other",
        "",
        "The same classifiers on another real set against PTB-XL, sinus without block, matched: how far apart real",
        "sets are by device, filter and people. No simulator needs to be nearer than that.",
        "",
    ]
    rows = []
    for source, figures in list(versions.values())[-1].items():
        seen = {f"forest: {g}": f for g, f in figures["forest"].items()} | {"network": figures["network"]}
        rows += [[f"{SETS[source]} ({figures['real_ecgs']})", who, _auroc(found)] for who, found in seen.items()]
    return lines + _table(["set against PTB-XL (ECGs)", "seen by", "AUROC"], rows)


def _findings(versions: Versions) -> list[str]:
    lines = [
        "## Findings: trained on simulated ECGs alone, tested on real ones",
        "",
        "AUROC with 95% interval over patients, and cases among ECGs; the goal is .90 each. '-': fewer than 5 cases.",
        "",
    ]
    rows = []
    last = list(versions.values())[-1]["auroc"]
    for source, findings in last.items():
        for finding in findings:
            shown = [v["auroc"].get(source, {}).get(finding) for v in versions.values()]
            if any(shown):
                some = next(s for s in reversed(shown) if s)
                rows.append([SETS[source], finding, f"{some['positives']} / {some['ecgs']}", *map(_auroc, shown)])
    return lines + _table(["tested on", "finding", "cases / ECGs", *versions], rows)


def _labs(versions: Versions) -> list[str]:
    lines = [
        "## Labs and conditions from the ECG, on held-out simulated patients",
        "",
        "AUROC with 95% interval; 'measured' counts only patients whose lab was drawn, as published figures do. Bands",
        "and their sources: `simulation_judge/plausible.csv`.",
        "",
    ]
    last = list(versions.values())[-1]["targets"]
    head, rows = ["target", "published", "cases"], []
    for name in versions:
        head += [f"{name}: all", f"{name}: measured"]
    for target, figures in last.items():
        if "band" not in figures:
            continue
        low, high = figures["band"]
        row = [target, f"{low:.2f}-{high:.2f}" if low < high else f"{low:.2f}"]
        row.append(str(figures["all"]["positives"]) if figures["all"] else "-")
        for version in versions.values():
            here = version["targets"].get(target, {})
            row += [_auroc(here.get("all")), _auroc(here.get("measured"))]
        rows.append(row)
    lines += _table(head, rows)
    lines += ["", "All labs beyond their reference intervals (108 labs from a single lead, published: 33 above .65, 59",
              "at .55-.65, 16 below .55):", ""]  # fmt: skip
    counts = []
    for name, version in versions.items():
        values = [f["all"]["auroc"] for f in version["targets"].values() if "band" not in f and f["all"]]
        counts.append([name, str(sum(v > 0.65 for v in values)), str(sum(0.55 <= v <= 0.65 for v in values)),
                       str(sum(v < 0.55 for v in values))])  # fmt: skip
    return lines + _table(["version", "> .65", ".55-.65", "< .55"], counts)


def _shapes(versions: Versions) -> list[str]:
    lines = [
        "## Intervals, amplitudes, noise",
        "",
        "Quantiles 5 / 25 / 50 / 75 / 95 by the same automatic measurement; KS is the two-sample Kolmogorov-Smirnov",
        "distance (0 alike, 1 apart). ms, 1/min, degrees; `mv:` mV; `raw:` log10 of mV RMS; `noise:`, `space:` log10;",
        "`shape:` shares of the lead's QRS.",
    ]
    last = list(versions.values())[-1]
    for comparison, figures in last.items():
        lines += ["", f"### {comparison} ({figures['real_ecgs']} real), {figures['rate_hz']} Hz", ""]
        groups = figures["mean_ks"]
        rows = [
            [n, *(str(v[comparison]["mean_ks"].get(g, "-")) for g in groups)]
            for n, v in versions.items() if comparison in v
        ]  # fmt: skip
        rows.append(["two samples of one kind", *[str(figures["ks_by_chance"])] * len(groups)])
        lines += _table(["mean KS over all measures of", *groups], rows)
        lines.append("")
        measures = figures["measures"]
        order = sorted(measures, key=lambda m: (not m.startswith(("time:", "axis:")), -measures[m]["ks"]))
        rows = []
        for name in order[:MOST_DIFFERENT]:
            row = [f"`{name}`", _numbers(measures[name]["real"])]
            for version in versions.values():
                here = version.get(comparison, {}).get("measures", {}).get(name)
                row += [_numbers(here["simulated"]), f"{here['ks']:.2f}"] if here else ["-", "-"]
            rows.append(row)
        head = ["measure", "real"]
        for name in versions:
            head += [name, "KS"]
        lines += _table(head, rows)
    return lines


def _pictures(versions: Versions) -> list[str]:
    return ["## Simulated tracings", ""] + [f"![{name}]({shown['file']})" for name, shown in versions.items()]


WRITERS = {
    "populations": populations_pages.pages, "domain": _domain, "reference": _reference, "findings": _findings,
    "labs": _labs, "shapes": _shapes, "pictures": _pictures,
}  # fmt: skip
