"""One HTML page of a run or a bundle, by itself: no script, nothing loaded from elsewhere.

    python -m training report --run runs/default --against assets/models/default --out report.html

Charts are small SVG drawn here, since an interactive library would be some megabytes in every page. Everything that
comes from files is escaped, by the template or where it is drawn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import ecgkt
from ecgkt.results import calibration, label_curve, label_curve_tables, performance, real_ecgs, tail
from ecgkt.results.metrics import Metrics
from ecgkt.results.tables import Table
from training.report import compare, sections
from training.report.data_card import Flow, Heading, Part
from training.report.read import Run, read_run
from training.train import files

HERE = Path(__file__).resolve().parent


def write_page(run: Path, against: Path | None, out: Path) -> None:
    """Raises ValueError where a folder is neither a run's nor a bundle's."""
    page = render(read_run(run), read_run(against) if against else None)
    files.write(out, page.encode())
    print(out)


def render(run: Run, other: Run | None = None) -> str:
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.tests |= {
        "a_table": lambda part: isinstance(part, Table),
        "a_flow": lambda part: isinstance(part, Flow),
        "a_heading": lambda part: isinstance(part, Heading),
    }
    return environment.get_template("page.html").render(
        run=run,
        other=other,
        version=ecgkt.__version__,
        notice=ecgkt.NOTICE,
        style=(HERE / "page.css").read_text(encoding="utf-8"),
        facts=sections.facts(run),
        settings=Table(("Setting", "Value"), list(compare.flat(run.config).items())),
        data_sets=sections.data_sets(run),
        cards={name: _divided(parts) for name, parts in run.cards.items()},
        curves=[drawn for stage in run.stages if (drawn := sections.curves(stage))],
        times=sections.times(run),
        figures=_figures(run.metrics, run.labels, other) if run.metrics else None,
        differences=_differences(run, other) if other else None,
    )


def _figures(metrics: Metrics, labels: dict[str, str], other: Run | None) -> dict[str, Any]:
    """The figures of a run that was evaluated, each part empty where it was not measured."""
    curve, models = sections.curve_chart(metrics) if metrics.label_curve else ("", [])
    return {
        "summary": performance.summary(metrics),
        "charts": sections.macro_charts(metrics, other.metrics if other else None),
        "sentences": list(filter(None, [performance.gap_closed(metrics), performance.differences(metrics)])),
        "curve": curve,
        "curve_models": models,
        "curve_said": label_curve.sentences(metrics) + label_curve.gaps_closed(metrics),
        "curve_table": label_curve_tables.curve(metrics) if metrics.label_curve else None,
        "tail": tail.table(metrics) if tail.points(metrics) else None,
        "tail_said": tail.sentence(metrics),
        "urgent": sections.urgent(metrics, labels),
        "real": real_ecgs.findings(metrics.real_findings) if metrics.real_findings else None,
        "calibration": calibration.summary(metrics) if metrics.calibration else None,
        "reliability": list(sections.reliability(metrics)),
    }


def _differences(run: Run, other: Run) -> dict[str, Any]:
    table, only = compare.figures(run, other)
    without = [one.name for one in (run, other) if one.metrics is None]
    return {
        "settings": compare.settings(run, other),
        "data": compare.data(run, other),
        "figures": table,
        "only": [] if without else only,
        "without": f"No figures of {' and '.join(without)}, so none are compared." if without else "",
    }


def _divided(parts: list[Part]) -> dict[str, Any]:
    """What is shown of a data card at once (what it says first, the flow and whom it holds), and what is folded."""
    begun = [number for number, part in enumerate(parts) if isinstance(part, Heading) and part.level == 2]
    end = begun[1] if len(begun) > 1 else len(parts)
    shown = [part for part in parts[:end] if not isinstance(part, Heading)]
    return {"shown": shown, "folded": parts[end:]}
