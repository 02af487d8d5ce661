"""One sentence on what a score rests on: the wave that goes the score's way most, then the leads within it."""

from __future__ import annotations

from collections.abc import Sequence

from ecgkt.relevance.shares import ALL_LEADS, RHYTHM, Part, Region, Share, region_of


def sentence(
    parts: Sequence[Part], regions: Sequence[Region], named: Part | None, way: int, positive: bool | None
) -> str:
    if named is None:
        return "Nothing in this tracing contributes to the score."
    subject, s = _subject(named)
    region = region_of(regions, named, way)
    where = region.where.split(" in ")[-1] if region else ""
    where = f", {'spread over' if where.startswith(ALL_LEADS) else 'mainly in'} {where}" if where else ""
    doing = _doing(named.share)
    size = f"({_percent(named.share.total)}{f', {doing}' if doing else ''})"
    if way:
        verb, other = ("raise", "lower") if way > 0 else ("lower", "raise")
        size = f"{_percent(named.share.toward(way))} of the contribution {verb}s it"
        against = _percent(named.share.toward(-way))
        size += f", {against} {other}s it" if against != "0%" else ""
        text = f"{subject} {verb}{s} the score most ({size}){where}."
    elif positive is None or named.share.net is None:
        text = f"{subject} contribute{s} most to the score {size}{where}."
    else:
        verb = "raises this score above" if positive else "lowers this score below"
        name = f"{subject[0].lower()}{subject[1:]}"
        text = (
            f"On balance nothing in this tracing {verb} where a flat line would put it; "
            f"{name} contribute{s} most {size}{where}."
        )
    rhythm = next((part.share for part in parts if part.name == RHYTHM and part is not named), None)
    if rhythm is not None and round(100 * rhythm.total):
        doing = _doing(rhythm)
        return f"{text} The {RHYTHM} contribute {_percent(rhythm.total)}{f', {doing}' if doing else ''}."
    return text


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _doing(share: Share) -> str:
    """ "raising it", "on balance lowering it"; empty without signs."""
    return share.direction.replace("raises", "raising").replace("lowers", "lowering").replace("the score", "it")


def _subject(part: Part) -> tuple[str, str]:
    """(a part as the beginning of a sentence, "s" where its verb needs one)."""
    if part.name == RHYTHM:
        return f"The {RHYTHM}", ""
    capital = part.name.split(" ")[0]
    name = part.name if capital in ("P", "PR", "QRS", "ST", "T", "TP") else part.name[0].lower() + part.name[1:]
    return f"The {name}", "s"
