"""The third page: what the model says, what was measured, and what the chosen score rests on."""

from __future__ import annotations

from ecgkt.prediction import HEADS, TITLES, Head
from ecgkt.prediction_json import ScoreJSON
from ecgkt.relevance import classes as relevance_classes
from ecgkt.report import words
from ecgkt.report.data import AttributionData, ReportData, ShareData
from ecgkt.report.drawing import (
    ACCENT,
    BAR,
    FAINT,
    HEIGHT,
    QUIET,
    TEXT,
    WARNING,
    WIDTH,
    Box,
    Page,
    shortened,
    text_width,
    wrapped,
)
from ecgkt.report.sheet import RELEVANCE_MM, Sheet, paper_of
from ecgkt.report.tracing_page import EDGE, footer, heading
from ecgkt.results import numbers

LEFT, RIGHT = 12.0, WIDTH - 12.0
GAP = 8.0  # mm between columns
ROW = 3.7  # mm from line to line of a table
NEXT_LINE = 2.9  # mm from line to line of one name
ROWS = 22  # of each head, of one line each; more do not fit
SIZE, SMALL, TINY = 6.8, 6.0, 5.2  # points
BAR_MM = 10.0
INTERVALS_MM = 136.0  # width of their table
ROOM_MM = 14.0  # above and below the rows of the small sheet, at its full size
SHARES_MM = 32.0
UNDER_MM = 15.0  # for legend and the largest regions
LEARNT = {"simulated": "sim.", "real": "real", "simulated and real": "sim. + real"}


def draw(page: Page, data: ReportData, pages: int) -> None:
    """The whole page of report `data`; pages: how many the report has."""
    top = HEIGHT - EDGE
    heading(page, data, "Scores and measurements", Box(LEFT, 0, RIGHT, top))
    page.words(shortened(words.remark(data), RIGHT - LEFT, SMALL), LEFT, top - 9, SMALL, WARNING)
    width = (RIGHT - LEFT - 2 * GAP) / 3
    y = top - 13
    for k, head in enumerate(HEADS):
        left = LEFT + k * (width + GAP)
        _scores(page, data, head, Box(left, 0, left + width, y))
    y -= (ROWS + 3.7) * ROW
    key = "sim., real: learned from simulated or real patients. Tick on a bar: threshold; bold: above threshold."
    if data["superclasses"]:
        every = ", ".join(f"{name} {numbers.percent(share)}" for name, share in data["superclasses"].items())
        key = f"{key} Superclasses: {every}."
    page.words(key, LEFT, y, SMALL, QUIET)
    y -= 7
    low = _intervals(page, data, LEFT, y)
    if data["attribution"]:
        _criterion(page, data["attribution"], LEFT, low - 5)
        _attribution(page, data, Box(LEFT + INTERVALS_MM + GAP, EDGE + 12, RIGHT, y))
    footer(page, data, (3, pages), (f"SHA-256 of the model: {data['model']['sha256']}", ""), Box(LEFT, 0, RIGHT, 0))


def _title(page: Page, title: str, note: str, left: float, right: float, y: float) -> None:
    title = shortened(title, right - left, 9, bold=True)
    page.words(title, left, y, 9, bold=True)
    start = left + text_width(title, 9, bold=True) + 2.5
    if note:
        page.words(shortened(note, right - start, SMALL), start, y, SMALL, QUIET)
    page.line((left, right), (y - 1.5, y - 1.5), 0.2, QUIET)


def _scores(page: Page, data: ReportData, head: Head, box: Box) -> None:
    """The table of one head: those above their threshold however few, then the most probable, as many as fit."""
    scores = data[head]
    simulated = all(score["learned_from"] == "simulated" for score in scores)
    note = TITLES[head][1] + ("; learned from simulated patients" if simulated else "")
    _title(page, TITLES[head][0], note, box.left, box.right, box.high)
    if not scores:
        page.words("Not predicted by this model.", box.left, box.high - 1.5 * ROW, SIZE, QUIET)
        return
    learned = [LEARNT.get(score["learned_from"], score["learned_from"]) for score in scores]
    widest = max(text_width("learned from", TINY), *(text_width(each, SMALL) for each in learned))
    right = box.right - widest - 2.5
    threshold, probability = right - BAR_MM - 2, right - BAR_MM - 12.5
    names = {score["code"]: _name(score, probability - 8 - box.left) for score in scores}
    shown = _shown(scores, {code: ROW + NEXT_LINE * (len(lines) - 1) for code, lines in names.items()})
    y = box.high - 1.3 * ROW
    for title, x in (("probability", probability), ("threshold", threshold), ("learned from", box.right)):
        page.words(title, x, y, TINY, QUIET, side="right")
    for score in shown:
        y -= ROW
        bold, source = score["positive"], LEARNT.get(score["learned_from"], score["learned_from"])
        lines = names[score["code"]]
        for number, line in enumerate(lines):
            page.words(line, box.left, y - NEXT_LINE * number, SIZE, TEXT if bold else QUIET)
        if "lab" not in score:
            code_at = box.left + text_width(lines[-1], SIZE) + 1.5
            page.words(score["code"], code_at, y - NEXT_LINE * (len(lines) - 1), TINY, QUIET)
        page.words(numbers.percent(score["probability"]), probability, y, SIZE, TEXT, bold, "right")
        page.words(numbers.percent(score["threshold"]), threshold, y, SIZE, QUIET, side="right")
        page.words(source, box.right, y, SMALL, QUIET, side="right")
        place = Box(right - BAR_MM, y - 0.1, right, y + 1.7)
        _bar(page, place, score["probability"], ACCENT if bold else BAR)
        mark = place.left + score["threshold"] * place.width
        page.line((mark, mark), (place.low - 0.5, place.high + 0.5), 0.3, TEXT)
        y -= NEXT_LINE * (len(lines) - 1)
        page.line((box.left, box.right), (y - 1.1, y - 1.1), 0.1, FAINT)
    page.words(_left_out(scores, shown), box.left, box.high - (ROWS + 2.5) * ROW, SMALL, QUIET)


def _name(score: ScoreJSON, room: float) -> list[str]:
    """Its whole name in as many lines as it takes, with room after the last for the code of a finding or diagnosis."""
    code = score["code"] if "lab" not in score else ""
    lines = wrapped(score["name"], room, SIZE)
    if code and text_width(lines[-1], SIZE) + 1.5 + text_width(code, TINY) > room:
        *before, last = lines[-1].split() if " " in lines[-1] else ["", lines[-1]]
        lines[-1:] = [line for line in (" ".join(before).strip(), last) if line]
    return lines


def _shown(scores: list[ScoreJSON], heights: dict[str, float]) -> list[ScoreJSON]:
    """As many as fit, ranked by probability; one above its threshold takes the place of one that is not."""
    kept: set[str] = set()
    room = ROWS * ROW
    for score in sorted(scores, key=lambda score: (not score["positive"], -score["probability"])):
        room -= heights[score["code"]]
        if room < -0.01:
            break
        kept.add(score["code"])
    return [score for score in scores if score["code"] in kept]


def _left_out(scores: list[ScoreJSON], shown: list[ScoreJSON]) -> str:
    above = sum(score["positive"] for score in scores) - sum(score["positive"] for score in shown)
    more = f", {above} more of them above the threshold" if above else ""
    return f"{len(shown)} of {len(scores)}{more}; all of them in the JSON report"


def _bar(page: Page, box: Box, share: float, color: str) -> None:
    page.fill(box, "#e8ebec")
    page.fill(Box(box.left, box.low, box.left + share * box.width, box.high), color)


def _criterion(page: Page, found: AttributionData, left: float, y: float) -> None:
    """The chosen finding's definition beside what was measured, and whether that contradicts the score."""
    criterion = found["criterion"]
    if criterion is not None:
        text = f"{found['name']}. {criterion['words']} Source: {criterion['source']}."
        y = page.paragraph(text, left, y, INTERVALS_MM, SMALL)
        if criterion["disagreement"]:
            page.paragraph(criterion["disagreement"], left, y, INTERVALS_MM, SMALL)


def _intervals(page: Page, data: ReportData, left: float, y: float) -> float:
    """The table of measurements, each with its normal limit, or why it could not be measured; where it ends."""
    right = left + INTERVALS_MM
    _title(page, "Measurements", "global intervals from the median beat; limits for age and sex", left, right, y)
    value, limits = left + 46, left + 49
    y -= 1.3 * ROW
    for title, x, side in (("normal limits", limits, "left"), ("measured", value, "right")):
        page.words(title, x, y, TINY, QUIET, side=side)  # type: ignore[arg-type]
    for row in data["intervals"]["measurements"].values():
        y -= ROW
        flag = row["words"]["flag"]
        page.words(row["name"], left, y, SIZE)
        if row["value"] is None:
            reason = f"not measurable: {row['reason']}"
            page.words(shortened(reason, right - left - 33, SIZE), left + 33, y, SIZE, QUIET)
        else:
            page.words(words.value(row), value, y, SIZE, bold=bool(flag), side="right")
            page.words(row["words"]["normal"], limits, y, SIZE, QUIET)
            page.words(flag, limits + 18, y, SIZE, bold=True)
            start = max(limits + 35, limits + 20 + text_width(flag, SIZE, bold=True))
            page.words(shortened(row["source"] or "", right - start, TINY), start, y, TINY, QUIET)
        page.line((left, right), (y - 1.1, y - 1.1), 0.1, FAINT)
    found = data["intervals"]["r_progression"]
    if found:
        heights = "   ".join(f"{each['lead']} {each['r_mv']:.2f}" for each in found)
        page.words("R wave, mV", left, y - ROW, SIZE)
        page.words(heights, right, y - ROW, SIZE, side="right")
    return y - ROW


def _attribution(page: Page, data: ReportData, box: Box) -> None:
    """The sheet, small, with the relevance of the chosen score under it; its sentence; shares by lead and by wave."""
    found = data["attribution"]
    assert found is not None
    _title(page, f"What contributes to the score: {found['name']}", "", box.left, box.right, box.high)
    score = next(score for head in HEADS for score in data[head] if score["code"] == found["code"])
    side = "above" if score["positive"] else "below"
    sentence = (
        f"{numbers.percent(score['probability'])}, {side} its threshold of {numbers.percent(score['threshold'])}. "
        f"{found['sentence']}"
    )
    y = page.paragraph(sentence, box.left, box.high - 6, box.width, SIZE + 0.5)
    paper = paper_of(data)
    left, right = paper.x_range
    tall = paper.rows * paper.row + ROOM_MM
    scale = min((box.width - SHARES_MM - 5) / (right - left), (y + 1 - box.low - UNDER_MM) / tall)
    frame = Box(box.left, y + 1 - scale * tall, box.left + scale * (right - left), y + 1)
    origin = (frame.left - scale * left, (frame.low + frame.high + scale * (paper.rows - 1) * paper.row) / 2)
    _shares(page, Box(frame.right + 5, frame.low, frame.right + 5 + SHARES_MM, frame.high), found)
    sheet = Sheet(page, data, frame, origin, scale)
    sheet.grid()
    sheet.relevance(found)
    sheet.tracing()
    y = _legend(page, found["signed"], frame.left, frame.low - 3.2, scale)
    for region in found["regions"][1:]:  # the sentence tells the first
        if y > box.low:
            page.words(shortened(region["words"], box.width, SIZE), box.left, y, SIZE)
            y -= 0.9 * ROW


def _shares(page: Page, box: Box, found: AttributionData) -> None:
    """A bar for each lead and each wave: shares of all relevance, right of the middle what raises the score."""
    parts: dict[str, ShareData] = {part["short"]: part for part in found["parts"]}
    groups = (found["leads"], parts)
    every = [each["share"] for group in groups for each in group.values()]
    step, most = box.height / (len(every) + 0.7), max(every) or 1.0
    colors = relevance_classes.colors(found["signed"])
    y = box.high
    for group in groups:
        for name, each in group.items():
            y -= step
            page.words(name, box.left, y, SMALL)
            page.words(numbers.percent(each["share"]), box.right, y, SMALL, side="right")
            place = Box(box.left + 8, y - 0.1, box.right - 7.5, y + 1.5)
            if each["net"] is not None:
                raises, lowers = ((each["share"] + sign * each["net"]) / 2 / most for sign in (1, -1))
                middle, half = (place.left + place.right) / 2, place.width / 2
                page.fill(Box(middle, place.low, middle + raises * half, place.high), colors[4])
                page.fill(Box(middle - lowers * half, place.low, middle, place.high), colors[-4])
                page.line((middle, middle), (place.low - 0.3, place.high + 0.3), 0.15, QUIET)
            else:
                _bar(page, place, each["share"] / most, BAR)
        y -= 0.7 * step


def _legend(page: Page, signed: bool, x: float, y: float, scale: float) -> float:
    """One line: the colors from slight to strongest, and how much of the relevance they are; the next baseline."""
    colors = relevance_classes.colors(signed)
    ways = (("raises the score", 1), ("lowers it", -1)) if signed else (("contributes", 1),)
    for title, sign in ways:
        for k, width in enumerate(RELEVANCE_MM, start=1):
            page.line((x, x + 4), (y + 0.7, y + 0.7), width * scale, colors[sign * k], dashed=sign < 0)
            x += 4.3
        page.words(title, x + 0.5, y, SMALL, QUIET)
        x += text_width(title, SMALL) + 3.5
    page.words(f"(the strongest {relevance_classes.SHOWN}%); not to scale", x, y, SMALL, QUIET)
    return y - 5
