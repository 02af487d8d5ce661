"""Two ECGs of one patient: beats over each other or sheets one above the other, and beside them what changed."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.measurements.intervals import DEGREE, Intervals
from ecgkt.measurements.wording import flag, number
from ecgkt.prediction import Prediction
from ecgkt.serial import figure as serial_figure
from ecgkt.serial.comparison import (
    IntervalChange,
    SerialComparison,
    Wave,
    apart,
    compare,
    mismatches,
    score_changes,
)
from ecgkt.serial.reasons import reason
from ecgkt.serial.repeatability import table
from ecgkt.sheet import figure as sheet_figure
from ecgkt.sheet.colors import paper_colors
from ecgkt.sheet.layout import GAINS, LAYOUTS, SPEEDS, Paper
from ecgkt.ui import audit
from ecgkt.ui.reading import sheet
from ecgkt.ui.reading.page import patient_line
from ecgkt.ui.serial import scores as serial_scores
from ecgkt.ui.session import Opened, remember
from ecgkt.ui.sources.pair import Pair
from ecgkt.ui.widgets import html
from ecgkt.ui.widgets.ready_figure import ReadyFigure
from ecgkt.ui.widgets.theme import dark, palette

if TYPE_CHECKING:
    from ecgkt.model.model import Model

BEATS, SHEETS = "Beats overlaid", "Tracings"
ST_AND_T: tuple[Wave, ...] = ("st", "t")
IN_SUMMARY = ("rate", "pr", "qrs", "qt", "qtcf", "qrs_axis")
ST_CHANGE = 0.05  # mV: half of what the Universal Definition of Myocardial Infarction (2018) asks of most leads


@st.fragment
def show(pair: Pair, model: Model) -> None:
    """Everything about the pair. A fragment: another view reruns this and nothing else."""
    before, now = pair.before, pair.now
    for mismatch in mismatches(before.ecg, now.ecg, pair.hours):
        st.warning(mismatch)
    one, other = before.analyzed, now.analyzed
    found = remember(("serial", before.key, now.key), lambda: compare(one.intervals, other.intervals))
    predictions = audit.predict(before, model), audit.predict(now, model)
    changes = score_changes(*predictions)

    with st.container(key="serial"):  # one under the other in a narrow window: style.css
        left, right = st.columns([2.7, 1], gap="medium")
    with left:
        with st.container(key="serial-view"):
            line, choice, menu = st.columns([3, 2.1, 1.1], vertical_alignment="center", gap="small")
        line.html(_line(pair))
        with choice:
            view = st.segmented_control(
                "View", (BEATS, SHEETS), default=BEATS, required=True, key="serial_view", bind="query-params",
                label_visibility="collapsed",
            )  # fmt: skip
        with menu.popover("Layout", width="stretch"):
            if view == SHEETS:
                laid_out = _sheet_settings()
            else:
                gain = _beat_gain()
        if view == SHEETS:
            _sheets(before, now, laid_out)
        else:
            _beats(found, gain)
        st.html(_rhythms(one.intervals, other.intervals))
        html.text(summary(found), "lead-in")
    with right:
        _missing(predictions, (one.warnings, other.warnings))
        serial_scores.ranked(changes, lambda code: reason(code, found, one.intervals, other.intervals))
    with left:
        parts: dict[str, Callable[[], None]] = {
            "Intervals": lambda: interval_table(found),
            "ST and T by lead": lambda: lead_table(found),
            "Labs: predicted and measured": lambda: serial_scores.labs_table(changes, before.clinical, now.clinical),
            "All probabilities": lambda: serial_scores.every(changes),
        }
        for tab, part in zip(st.tabs(list(parts), key="serial_tab", bind="query-params"), parts.values(), strict=True):
            if tab.open:
                with tab:
                    part()


def _line(pair: Pair) -> str:
    """HTML: the time between the two, and the patient line of the ECG now."""
    if pair.hours is None:
        gap = "time between the two unknown"
    elif pair.hours < 0:
        gap = f"in reverse order: the ECG under Now was recorded {apart(pair.hours)} before the other"
    else:
        gap = f"{apart(pair.hours)} apart"
    return patient_line(pair.now).replace('"2">', f'"2"><b>{escape(gap)}</b>&ensp;·&ensp;', 1)


def _rhythms(before: Intervals, now: Intervals) -> str:
    """HTML: rate and rhythm of both, so that neither is taken for the other's."""
    parts = ""
    for name, each in (("Before", before), ("Now", now)):
        words = f"{number(each.rate)}/min, {each.rhythm}" if each.rhythm else "fewer than two beats found"
        parts += f"<div><dt>{name}</dt> <dd>{escape(words)}</dd></div>"
    return f'<dl class="strip" aria-label="Rhythm of both ECGs">{parts}</dl>'


def _sheet_settings() -> Paper:
    """How both tracings are laid out; the same words in the address as on the other pages."""
    layout = sheet.switch("Layout", tuple(LAYOUTS), "layout")
    gain = sheet.switch("Gain, mm/mV", GAINS, "gain", 10)
    speed = sheet.switch("Paper speed, mm/s", SPEEDS, "speed", 25)
    return Paper(layout, gain, speed, dark=dark())


def _beat_gain() -> float | None:
    """mm/mV; None for the usual one, which tall waves halve."""
    gain = sheet.switch("Gain of the median beats, mm/mV", ("auto", "2.5", "5", "10", "20"), "beat_gain")
    return None if gain == "auto" else float(gain)


def _beats(found: SerialComparison, gain: float | None) -> None:
    if found.beats is None:
        st.info("Fewer than two beats were found in one of the two ECGs, so the median beats cannot be overlaid.")
        return
    drawn = serial_figure.figure(found.beats, gain, dark())
    _chart(drawn, "serial-beats", serial_figure.aspect(drawn), serial_figure.alt_text(found))


def _sheets(before: Opened, now: Opened, laid_out: Paper) -> None:
    for name, opened in (("Before", before), ("Now", now)):
        st.html(f'<div class="rows-title" role="heading" aria-level="3">{name}</div>')
        alt = f"{name}: {sheet_figure.alt_text(opened.ecg, laid_out)}"
        _chart(sheet_figure.figure(opened.ecg, laid_out), f"serial-{name.lower()}", laid_out.aspect, alt)


def _chart(figure: dict[str, object], key: str, aspect: float, alt: str) -> None:
    """As high as its paper at the width of its column."""
    st.html(
        f"<style>.st-key-{key}-box .stPlotlyChart{{aspect-ratio:{aspect:.4f};height:auto!important;"
        "min-height:0!important;overflow:hidden;"
        f"background:{paper_colors(Paper(dark=dark())).paper};border:1px solid {palette().line}}}</style>"
    )
    with st.container(key=f"{key}-box"):
        # Over the beats stands what solid and dashed mean, where the buttons would lie.
        config = sheet.CONFIG | {"displayModeBar": "hover" if key != "serial-beats" else False}
        st.plotly_chart(ReadyFigure(figure), key=key, theme=None, height="stretch", alt=alt, config=config)


def _missing(predictions: tuple[Prediction, Prediction], warnings: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    """Why there are no probabilities of one ECG, or of both, and what makes each tracing doubtful."""
    for name, prediction, doubts in zip(("before", "now"), predictions, warnings, strict=True):
        if prediction.abstained:
            st.warning(f"The model gives no result for the ECG {name}. {' '.join(prediction.quality.reasons)}")
        html.warnings([f"ECG {name}: {warning}" for warning in (prediction.quality.warnings or doubts)])


# ---- intervals ------------------------------------------------------------------------------------------------------

WAYS = {
    "ms": ("shorter", "longer"), "/min": ("slower", "faster"), "mV": ("lower", "higher"),
    DEGREE: ("shifted to the left", "shifted to the right"), "V lead": ("nearer V1", "nearer V6"),
}  # fmt: skip


def in_words(change: IntervalChange) -> str:
    """What a change is: longer, within what repeats differ by, or why it is not known."""
    if change.change is None:
        missing = [(name, m) for name, m in (("before", change.before), ("now", change.now)) if m.value is None]
        if len(missing) == 2 and change.before.reason == change.now.reason:
            return f"not measurable: {change.before.reason}"
        return "not measurable " + ", ".join(f"{name}: {measured.reason}" for name, measured in missing)
    if not shown_change(change.before.value, change.now.value, change.now.unit):
        return "no change"
    if change.beyond is False:
        return "within repeat variation"
    way = WAYS[change.now.unit][change.change > 0]
    return f"{way}, beyond repeat variation" if change.beyond else way


def shown_change(before: float | None, now: float | None, unit: str) -> float | None:
    """The change of two values as they are printed, so that what stands in a row adds up."""
    if before is None or now is None:
        return None
    digits = 2 if unit == "mV" else 0
    change = round(now, digits) - round(before, digits)
    return (change + 180) % 360 - 180 if unit == DEGREE else change


def signed(change: float | None, unit: str) -> str:
    if change is None:
        return "–"
    text = f"{change:+.{2 if unit == 'mV' else 0}f}"
    return "0" if float(text) == 0 else text.replace("-", "−")


def interval_table(found: SerialComparison) -> None:
    rows: list[tuple[str, ...]] = []
    marked: list[int] = []
    for change in found.intervals:
        if change.beyond:
            marked.append(len(rows))
        unit = "" if change.now.unit in (DEGREE, "V lead") else change.now.unit
        values = [f"{number(m)} {flag(m)}".strip() for m in (change.before, change.now)]
        least = "unknown" if change.detectable is None else _least(change.detectable, change.now.unit)
        rows.append((change.now.name, *values, unit, _shown(change), least, in_words(change)))
    html.table(
        ("Measurement", "Before", "Now", "Unit", "Change", "Smallest detectable change", "Interpretation"),
        rows,
        "Rate, intervals, axes and voltages, before and now",
        numbers=(1, 2, 4, 5),
        marked=marked,
    )
    html.text(_derivation())


def _derivation() -> str:
    """How the smallest detectable change was found."""
    qtc = table()["qtcf", ""]
    return (
        "Smallest detectable change: what 95% of two recordings of an unchanged heart differ by at most (Bland and "
        "Altman's repeatability coefficient, 1.96 × √2 × the SD within a patient; "
        f"QTc: SD {qtc.recordings:g} ms), from {qtc.pairs} pairs of real ECGs of one patient in the same rhythm, most "
        "of them days to months apart. So few pairs leave a limit uncertain by about a third. Where the beats of these "
        "two ECGs vary more, their own standard error counts instead."
    )


def _least(size: float, unit: str) -> str:
    return f"± {size:.{2 if unit == 'mV' else 1 if unit == 'V lead' else 0}f}"


def lead_table(found: SerialComparison) -> None:
    rows: list[list[str]] = []
    marked: list[int] = []
    for lead in found.leads:
        cells = [lead.lead]
        for wave in ST_AND_T:
            was, is_now = getattr(lead, wave)
            change, least = lead.change(wave), lead.detectable(wave)
            cells += [_millivolts(value) for value in (was, is_now)]
            cells.append(signed(shown_change(was, is_now, "mV"), "mV"))
            cells.append("unknown" if least is None else _least(least, "mV"))
            if change is not None and least is not None and abs(change) > least:
                marked.append(len(rows))
        rows.append(cells)
    if not rows:
        html.text("Without a median beat of each ECG, the leads cannot be compared.")
        return
    html.table(
        ("Lead", "ST before", "ST now", "Change", "Detectable", "T before", "T now", "Change", "Detectable"),
        rows,
        "mV relative to the level just before the QRS: ST at the J point, T at its largest deflection. Detectable: "
        "more than repeats differ by, as under Intervals",
        numbers=range(1, 9),
        marked=marked,
    )


def _shown(change: IntervalChange) -> str:
    return signed(shown_change(change.before.value, change.now.value, change.now.unit), change.now.unit)


def _millivolts(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def summary(found: SerialComparison) -> str:
    """The intervals that changed by more than repeats differ by, and where ST at the J point changed most."""
    return " ".join(filter(None, (_of_intervals(found), _of_st(found))))


def _of_st(found: SerialComparison) -> str:
    changes = {lead.lead: (shown_change(*lead.st, "mV") or 0.0, *lead.st) for lead in found.leads}
    if not changes:
        return ""
    lead = max(changes, key=lambda name: abs(changes[name][0]))
    change, was, is_now = changes[lead]
    if abs(change) < ST_CHANGE:
        return f"ST at the J point changed by less than {ST_CHANGE:g} mV in every lead."
    least = next(each for each in found.leads if each.lead == lead).detectable("st")
    repeats = "" if least is None or abs(change) > least else ", within repeat variation"
    return f"ST at the J point changed most in {lead}, from {_millivolts(was)} to {_millivolts(is_now)} mV{repeats}."


def _of_intervals(found: SerialComparison) -> str:
    known = [change for change in found.intervals if change.key in IN_SUMMARY and change.beyond is not None]
    if not known:
        return "No interval could be measured in both ECGs."
    # A QT that changes while QTc does not has changed with the rate, which stands beside it.
    by_rate = any(change.key == "qtcf" and not change.beyond for change in known)
    told = [change for change in known if not (change.key == "qt" and by_rate)]
    beyond = [f"{change.now.name} {_shown(change)}{_unit(change)}" for change in told if change.beyond]
    if beyond:
        return f"Beyond what two recordings of an unchanged heart differ by: {', '.join(beyond)}."
    names = ", ".join(change.now.name for change in known)
    return f"Within what two recordings of an unchanged heart differ by: {names}."


def _unit(change: IntervalChange) -> str:
    return {DEGREE: DEGREE, "V lead": ""}.get(change.now.unit, f"\N{NO-BREAK SPACE}{change.now.unit}")
