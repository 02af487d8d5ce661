"""The part of simulation.md about whole populations."""

from __future__ import annotations

from typing import Any


def pages(versions: dict[str, dict[str, Any]]) -> list[str]:
    """Markdown lines; `versions`: name -> what `populations.judge` returned."""
    names = list(versions)
    last = versions[names[-1]]
    lines = ["## Populations", "", "From the truth of the first ECG of each stay.", "", "### Published shares", ""]
    rows = []
    for i, row in enumerate(last["published"]):
        cells = [_cell(version["published"], i, row) for version in versions.values()]
        rows.append([row["among"], row["share_of"], row["published"], *cells, row["source"]])
    lines += _table(["among", "% with, or median", "published", *names, "source"], rows)
    lines += ["", "### Labs against intervals within heart failure (Spearman; MUSIC, 992 patients)", ""]
    rows = []
    for i, row in enumerate(last["music"]):
        cells = [f"{version['music'][i]['simulated']:.2f}" for version in versions.values()]
        rows.append([row["pair"], f"{row['real']:.2f}", *cells])
    lines += _table(["pair", "real", *names], rows)
    lines += ["", "### Intervals and rates by rhythm and age (chapman_diagnostics, 10,646 ECGs)", ""]
    lines += ["Quantiles 5 / 25 / 50 / 75 / 95, ms and 1/min; QTc after Fridericia on both sides. The real QRS was"]
    lines += ["measured by MUSE, which reads it shorter than other devices do; the simulated one is the truth.", ""]
    rows = []
    for row in last["chapman"]:
        cells = []
        for version in versions.values():
            same = [r for r in version["chapman"] if all(r[k] == row[k] for k in ("rhythm", "age", "measure"))]
            cells += [_numbers(same[0]["simulated"]), f"{same[0]['ks']:.2f}"] if same else ["-", "-"]
        counts = f"{row['real_ecgs']} / {row['simulated_ecgs']}"
        rows.append([row["rhythm"], row["age"], row["measure"], counts, _numbers(row["real"]), *cells])
    head = ["rhythm", "age", "measure", "real / simulated", "real"]
    for name in names:
        head += [name, "KS"]
    return lines + _table(head, rows)


def _cell(rows: list[dict[str, Any]], i: int, row: dict[str, Any]) -> str:
    here = rows[i] if i < len(rows) else {}
    alike = (here.get("among"), here.get("share_of")) == (row["among"], row["share_of"])
    return f"{here['simulated']:g} (n={here['ecgs']})" if alike else "-"


def _numbers(values: list[float]) -> str:
    return " / ".join(f"{v:.0f}" for v in values)


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(r) + " |" for r in rows)]
