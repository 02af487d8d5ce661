"""Lines of findings, diagnoses and labs: a group's scores above threshold beside the criterion of its leading label."""

from __future__ import annotations

from dataclasses import replace

from ecgkt import vocabulary
from ecgkt.criteria.check import Checked, check
from ecgkt.criteria.rhythm import BLOCKED
from ecgkt.interpretation.groups import Group, grouped, groups, within
from ecgkt.interpretation.line import Certainty, Line
from ecgkt.interpretation.reciprocal import ACROSS, ELEVATED, elevated, mirrors
from ecgkt.interpretation.rhythm import Seen
from ecgkt.measurements.intervals import Measured
from ecgkt.measurements.wording import flag, number
from ecgkt.prediction import HEADS, LIKELY, Prediction, Score

RARE = 0.2  # probability below which an urgent finding is only not excluded
NORMAL_QRS, WIDE_QRS = 110, 120  # ms (AHA/ACCF/HRS 2009 part III)
TORSADES = 500  # ms of QTc, from which torsades de pointes threaten (Drew et al. 2010)
NOT_MET = "criterion not met"
OF_P = ("avb1", "avb2", "lae", "rae")  # read from P waves: not likely where there is none before QRS
NORMAL = "NORM"
# Of these groups the leading label's own name says more than the group's.
NAMED_BY_LABEL = (
    "st_t", "pvc", "lvh", "infarction_inferior", "infarction_anterior", "ischemia_anterior", "ischemia_inferior",
)  # fmt: skip


def group_lines(seen: Seen, prediction: Prediction, taken: Line) -> list[Line]:
    """The line of rhythm, `taken`, whose group is told there, and one a group with a score above threshold or a
    definition met that stands alone. What a line takes in, because it says the same more precisely, is among its
    others."""
    above = [score for head in HEADS for score in prediction.scores(head) if score.positive]
    found: dict[str, tuple[Group, list[Score]]] = {
        key: (group, []) for key, group in groups().items() if group.alone and _defined(seen, group)
    }
    found |= grouped(score for score in above if score.label.code != NORMAL)
    told = next((key for key, group in groups().items() if taken.codes and group.codes == taken.codes), "")
    found.pop(told, None)
    lines = {told: taken} | {key: _line(seen, group, scores) for key, (group, scores) in found.items()}
    into: dict[str, str] = {}
    for key, (group, scores) in found.items():
        above_it = next(
            (other for other in group.under if other == told or _outranks(seen, other, lines.get(other), scores)), None
        )
        across = (other for other in ACROSS.get(key, ()) if mirrors(seen, key, scores, other, lines.get(other)))
        above_it = above_it or next(across, None)
        if above_it is not None:
            into[key] = above_it
    for key in into:
        last = into[key]
        while last in into:  # which another took in
            last = into[last]
        lines[last] = replace(lines[last], others=(*lines[last].others, *found[key][1]))
    return [line for key, line in lines.items() if key not in into]


def _outranks(seen: Seen, key: str, line: Line | None, scores: list[Score]) -> bool:
    """Is the line, of group `key`, sure enough for what `scores` say to go into it?"""
    if line is None or line.certainty == "doubted" or line.score is None:
        return line is not None and line.certainty == "measured"
    if line.is_likely or (line.is_open and elevated(seen, key)):
        return True
    return not scores or line.score.probability >= scores[0].probability


def _defined(seen: Seen, group: Group) -> Checked | None:
    """The first of the group's definitions that is met by more than the error of what it rests on.

    None of QT where QRS is wide, which lengthens it (AHA/ACCF/HRS 2009 part IV)."""
    if group.key == "qt" and _is_wide(seen):
        return None
    if group.key == "avb2" and (seen.value("blocked_p") or 0) < BLOCKED:
        return None
    for code in (code for code in group.codes if code in vocabulary.findings()):
        found = check(code, seen.known, seen.ecg.age)
        if found is not None and found.criterion.weight == "defines" and found.verdict == "met" and found.plain:
            return found
    return None


def _line(seen: Seen, group: Group, scores: list[Score]) -> Line:
    """scores: those above threshold, the leading first; empty where the definition alone speaks."""
    if not scores:
        return _by_definition(seen, group)
    lead = scores[0]
    checked = check(lead.label.code, seen.known, seen.ecg.age)
    certainty = _certainty(lead, checked, group.is_finding)
    contradiction = checked.disagreement(True) if checked and group.is_finding else ""
    foreign = sum(not beat.typical for beat in seen.found.beats.beats) if group.key == "pvc" else 0
    if foreign and certainty == "doubted":  # a broad beat is there; that it is not early does not contradict the score
        certainty, contradiction = ("likely" if lead.probability >= LIKELY else "possible"), ""
    by_qt = _rests_on_qt(group, checked)
    if by_qt and _is_wide(seen) and certainty == "confirmed":
        certainty = "likely" if lead.probability >= LIKELY else "possible"
    is_blind = (seen.has_paced_qrs and group.section != "rhythm") or (
        group.key in OF_P and seen.value("p_before_qrs") == 0
    )
    if is_blind and group.is_finding:
        certainty = "possible" if certainty == "likely" else certainty
    figures = ""
    if checked is not None and checked.verdict == "not measurable":
        figures = f"criterion not measurable: {checked.reason}"
    elif checked is not None:
        figures = checked.measured if checked.verdict == "met" or certainty == "doubted" else NOT_MET
        if foreign and checked.verdict != "met":
            figures = f"{foreign} beat{'s' if foreign > 1 else ''} of another shape, not premature"
        figures += f"; QRS {seen.found.qrs.value:.0f} ms" if by_qt and _is_wide(seen) else ""
    is_met = checked is not None and checked.verdict == "met"
    is_seen = is_met and (group.key not in ELEVATED or elevated(seen, group.key))
    is_defined = is_met and checked is not None and checked.criterion.weight == "defines"
    statement = _worded(group, lead, certainty, is_seen, is_defined)
    line = Line(
        group.section, statement, certainty, figures, lead, tuple(scores[1:]), checked, contradiction, codes=group.codes
    )
    return _pressing(seen, group, line)


def _rests_on_qt(group: Group, checked: Checked | None) -> bool:
    """Is it said because QT is long? A wide QRS lengthens QT, so beside one this confirms nothing."""
    met_by_qt = checked is not None and checked.verdict == "met" and checked.measured.startswith("QTc")
    return group.key == "qt" or (group.key == "hypocalcemia" and met_by_qt)


def _is_wide(seen: Seen) -> bool:
    return (seen.found.qrs.value or 0) >= WIDE_QRS


def _pressing(seen: Seen, group: Group, line: Line) -> Line:
    """A long QT is urgent from where torsades threaten, or where the score is likely; an improbable injury current
    where ST is elevated, since a slight depression meets its criterion too; an improbable hyperkalemia where the ECG is
    not held to be normal, since many healthy hearts have a tall T; what was only measured is not."""
    if group.key in ELEVATED and line.score is not None and line.score.probability < RARE:
        return replace(line, is_pressing=elevated(seen, group.key))
    if group.key == "hyperkalemia" and line.score is not None and line.score.probability < RARE:
        return replace(line, is_pressing=not seen.is_positive(NORMAL))
    threatens = group.key == "qt" and (seen.found.qtcf.value or 0) >= TORSADES
    is_likely = line.score is not None and line.score.positive and line.score.probability >= LIKELY
    is_pressing = threatens or (is_likely if group.key == "qt" else line.certainty != "measured")
    return replace(line, is_pressing=is_pressing)


def _by_definition(seen: Seen, group: Group) -> Line:
    checked = _defined(seen, group)
    assert checked is not None
    score = seen.scores.get(checked.criterion.code)
    contradiction = checked.disagreement(score.positive) if score else ""
    name = _start(score.label.name) if score and group.key in NAMED_BY_LABEL else _start(group.name)
    line = Line(group.section, name, "measured", checked.measured, score, (), checked, contradiction, codes=group.codes)
    return _pressing(seen, group, line)


def _certainty(lead: Score, checked: Checked | None, is_finding: bool) -> Certainty:
    is_met = checked is not None and checked.verdict == "met"
    if checked is not None and is_finding and checked.criterion.weight == "defines":
        if is_met:
            return "confirmed"
        if checked.verdict == "not met" and checked.plain:
            return "doubted"
    if lead.probability >= LIKELY:
        return "confirmed" if is_met else "likely"
    return "possible"


def _worded(group: Group, lead: Score, certainty: Certainty, is_met: bool, is_defined: bool) -> str:
    """is_defined: measured to be there by its definition, so that even a diagnosis of it is no mere thought."""
    is_finding = lead.label.head == "findings" and group.is_finding
    name = group.name
    is_denied = certainty == "doubted" or (bool(lead.label.urgency) and lead.probability < RARE and not is_met)
    if not is_finding and not (group.is_finding and (is_denied or is_defined)):
        return f"Consider {name}"
    if is_finding and (group.key in NAMED_BY_LABEL or len(group.codes) == 1):
        name = within(lead.label.name)
    if certainty == "doubted":
        return f"Not confirmed: {name}"
    if certainty == "confirmed":
        return _start(name)
    if certainty == "likely":
        return f"Probable {name}"
    if is_denied:
        return f"{_start(name)} not excluded"
    return f"Possible {name}"


def _start(name: str) -> str:
    return name[0].upper() + name[1:]


def axis_line(seen: Seen) -> Line:
    """The axis of QRS, always: within its limits, beyond them, or why it cannot be told."""
    axis: Measured = seen.found.qrs_axis
    if axis.value is None:
        return Line("axis", "Axis not told", "open", axis.reason)
    if axis.limit is None:
        return Line("axis", "QRS axis of a paced beat", "open", number(axis))
    words = flag(axis)
    return Line("axis", _start(words) if words else "Normal axis", "measured" if words else "normal", number(axis))


def conduction_lines(seen: Seen, lines: list[Line]) -> list[Line]:
    """What is measured of conduction beside the lines that there are: a wide QRS without a name, or that all is
    normal."""
    qrs, pr = seen.found.qrs, seen.found.pr
    if seen.has_paced_qrs:
        return []
    named = [line for line in lines if line.section == "conduction" and line.certainty != "doubted"]
    if qrs.value is not None and qrs.limit is not None and qrs.value > NORMAL_QRS + seen.known["qrs"].error:
        if any(line.is_likely and "QRS" in line.figures for line in named):
            return []
        preexcited = check("WPW", seen.known, seen.ecg.age)
        if flag(pr) == "short" and preexcited is not None and preexcited.verdict == "met":
            return [] if any("WPW" in line.codes for line in named) else [_preexcitation(seen, preexcited)]
        words = f"QRS {qrs.value:.0f} ms"
        return [Line("conduction", "Wide QRS without the full pattern of a bundle branch block", "measured", words)]
    if any(line.is_likely for line in named):
        return []
    out = []
    if flag(pr) == "short":
        return [Line("conduction", "Short PR interval", "measured", f"PR {pr.value:.0f} ms")]
    figures = [f"{word} {each.value:.0f} ms" for word, each in (("PR", pr), ("QRS", qrs)) if each.value is not None]
    if len(figures) == 2 and not flag(pr) and not flag(qrs):
        out.append(Line("conduction", "Normal conduction", "normal", ", ".join(figures)))
    return out


def _preexcitation(seen: Seen, checked: Checked) -> Line:
    """A short PR before a wide QRS, without a bundle branch block: that is what pre-excitation looks like, whatever its
    score."""
    statement = "Short PR interval and wide QRS: consider pre-excitation"
    codes = groups()["wpw"].codes
    score = seen.scores.get(codes[0])
    return Line("conduction", statement, "measured", checked.measured, score, (), checked, codes=codes)


def normal_line(seen: Seen, lines: list[Line]) -> Line | None:
    """ "Normal ECG" where its score says so and no line of a finding stands against it."""
    score = seen.scores.get(NORMAL)
    if score is None or not score.positive:
        return None
    against = [line for line in lines if line.is_likely and line.section not in ("rhythm", "beyond", "electrolytes")]
    rhythm = next(line for line in lines if line.section == "rhythm")
    if against or rhythm.codes != groups()["sinus"].codes:
        return None
    checked = check(NORMAL, seen.known, seen.ecg.age)
    is_met = checked is not None and checked.verdict == "met"
    statement = "Normal ECG" if is_met else "Probably a normal ECG"
    figures = checked.measured if checked is not None and not is_met else ""
    certainty: Certainty = "confirmed" if is_met else "likely"
    return Line("rhythm", statement, certainty, figures, score, (), checked, codes=(NORMAL,))
