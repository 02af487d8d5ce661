"""ST, T and Q in neighboring leads of one wall: what the definitions of ischemia and infarction ask for.

Each is the share of its limit (lead_limits.csv) that both of two contiguous leads reach: 1 and more meets it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ecgkt.criteria.rule import Quantity
from ecgkt.criteria.shapes import Lead
from ecgkt.criteria.table import lead_limit
from ecgkt.ecg import LEADS, Sex

# Neighbors (Thygesen et al. 2018: anterior V1-V6, inferior II, III, aVF, lateral or apical I, aVL).
PAIRS = (
    ("I", "aVL"), ("II", "aVF"), ("III", "aVF"), ("II", "III"),
    ("V1", "V2"), ("V2", "V3"), ("V3", "V4"), ("V4", "V5"), ("V5", "V6"),
)  # fmt: skip
WALLS: dict[str, tuple[str, ...]] = {
    "any": tuple(lead for lead in LEADS if lead != "aVR"),
    "inferior": ("II", "III", "aVF"),
    "septal": ("V1", "V2", "V3", "V4"),
    "anterior": ("V2", "V3", "V4", "V5"),
    "anterolateral": ("V3", "V4", "V5", "V6", "I", "aVL"),
    "lateral": ("I", "aVL", "V5", "V6"),
}
# Where the other wall shows the opposite of an elevation.
RECIPROCAL = {
    "any": (), "inferior": ("I", "aVL"), "septal": ("II", "III", "aVF"), "anterior": ("II", "III", "aVF"),
    "anterolateral": ("III", "aVF"), "lateral": ("III", "aVF"),
}  # fmt: skip
LEAST = 0.1  # of the limit, below which nothing is told of a lead
ERROR = 0.25  # of the limit: a quarter of a mm in most leads
PROMINENT_R = 1.0  # R over S from which an inverted T counts
NEXT_LEAD = re.compile(r", (?=(?:I|II|III|aV[RLF]|V[1-6]) )")
BY_LEAD = re.compile(r"(?:Q|T|ST at J\+60): [^;:]*(?<! at most)")


def quantities(
    shapes: dict[str, Lead], why: str, sex: Sex | None, age: float | None, left_out: frozenset[str]
) -> dict[str, Quantity]:
    """ "st_up_inferior" and the like -> share of the limit. why: not measurable at all. left_out: leads whose ST and T
    follow from QRS alone, as V1 to V3 in right bundle branch block."""
    out: dict[str, Quantity] = {}
    no_st = why or ("" if shapes and all(lead.st is not None for lead in shapes.values()) else "J + 60 ms not reached")
    no_t = why or ("" if shapes and all(lead.t is not None for lead in shapes.values()) else "no T wave found")

    def limit(quantity: str, lead: Lead) -> float:
        return lead_limit(quantity, lead.name, sex, age)

    def st_up(lead: Lead) -> float:
        return min(lead.st_j, lead.st or 0.0) / limit("st_up", lead)

    def st_up_at_60(lead: Lead) -> float:
        return (lead.st or 0.0) / limit("st_up", lead)

    def st_down(lead: Lead) -> float:
        return 0.0 if lead.st_rises else -(lead.st or 0.0) / limit("st_down", lead)

    def t_inverted(lead: Lead) -> float:
        return -(lead.t or 0.0) / limit("t_inverted", lead) if lead.r >= PROMINENT_R * lead.s else 0.0

    def q(lead: Lead) -> float:
        return 2.0 if lead.qs else min(lead.q_ms / limit("q_ms", lead), lead.q / limit("q_mm", lead))

    kept = {name: lead for name, lead in shapes.items() if name not in left_out}
    for wall, names in WALLS.items():
        here = [kept[name] for name in names if name in kept]
        every = [shapes[name] for name in names if name in shapes]
        opposite = [shapes[name] for name in RECIPROCAL[wall] if name in shapes]
        more = _reciprocal(opposite)
        st, t = (lambda x: f"{x.st or 0:+.1f} mm"), (lambda x: f"{x.t or 0:+.1f} mm")
        rises = ("ST at J+60", "no ST elevation")
        out[f"st_up_{wall}"] = _quantity(here, st_up, no_st, rises, _st_words, more, st_up_at_60)
        falls = ("ST at J+60", "no horizontal or downsloping ST depression")
        out[f"st_down_{wall}"] = _quantity(here, st_down, no_st, falls, st)
        out[f"t_inverted_{wall}"] = _quantity(here, t_inverted, no_t, ("T", "no inverted T"), t)
        out[f"q_{wall}"] = _quantity(every, q, why, ("Q", "no Q"), _q_words)
    leads_up = [lead.name for lead in shapes.values() if lead.name != "aVR" and st_up(lead) >= 1]
    told = f"ST elevation in {len(leads_up)} leads" + (f" ({', '.join(leads_up)})" if leads_up else "")
    out["st_up_leads"] = Quantity(None, "", no_st) if no_st else Quantity(len(leads_up), told)
    return out


def _st_words(lead: Lead) -> str:
    """At J + 60 ms, and at the J point where that is what the limit is held against."""
    at_j = f" (at J {lead.st_j:+.1f})" if lead.st_j < (lead.st or 0.0) - 0.5 else ""
    return f"{lead.st or 0:+.1f} mm{at_j}"


def _q_words(lead: Lead) -> str:
    return "QS" if lead.qs else f"{lead.q_ms:.0f} ms, {lead.q:.1f} mm"


def _quantity(
    here: list[Lead],
    share: Callable[[Lead], float],
    why: str,
    what: tuple[str, str],
    words: Callable[[Lead], str],
    more: str = "",
    most: Callable[[Lead], float] | None = None,
) -> Quantity:
    """what: its name, and what is said where no lead has any of it. more: said after the leads that meet the limit.
    most: what the share would be on a kinder reading; its distance is part of the error."""
    if why or not here:
        return Quantity(None, "", why or "not applied in right bundle branch block")
    by_name = {lead.name: share(lead) for lead in here}
    value = _in_pairs(by_name)
    error = max(ERROR, _in_pairs({lead.name: most(lead) for lead in here}) - value) if most else ERROR
    met = [lead for lead in here if by_name[lead.name] >= 1]
    if met:
        told = f"{what[0]}: {', '.join(f'{lead.name} {words(lead)}' for lead in met)}{more}"
    else:
        best = max(here, key=share)
        told = (
            f"{what[0]}: {best.name} {words(best)} at most" if share(best) > LEAST else f"{what[1]} in {_names(here)}"
        )
    return Quantity(value, told.replace("-", "−"), error=error)


def joined(words: Iterable[str]) -> list[str]:
    """Walls overlap, and some rules ask for two: what is told of the leads of both, "Q: V3 ...", is told once."""
    out: dict[str, str] = {}
    for each in words:
        what, _, told = each.partition(": ")
        leads = dict(part.split(" ", 1) for part in NEXT_LEAD.split(told)) if BY_LEAD.fullmatch(each) else {}
        if leads and what in out:
            leads |= dict(part.split(" ", 1) for part in NEXT_LEAD.split(out[what].partition(": ")[2]))
            each = f"{what}: " + ", ".join(f"{lead} {leads[lead]}" for lead in LEADS if lead in leads)
        out[what if leads else each] = each
    return list(out.values())


def _in_pairs(shares: dict[str, float]) -> float:
    return max((min(shares[a], shares[b]) for a, b in PAIRS if a in shares and b in shares), default=0.0)


def _names(here: Iterable[Lead]) -> str:
    names = [lead.name for lead in here]
    return "any lead" if len(names) > 8 else ", ".join(names)


def _reciprocal(leads: list[Lead]) -> str:
    down = [lead for lead in leads if lead.st is not None and -lead.st >= 0.5]
    return "; reciprocal: " + ", ".join(f"{lead.name} {lead.st:+.1f} mm" for lead in down) if down else ""
