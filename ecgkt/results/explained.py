"""How true the pages' explanations are: explanations.json beside this file, which `benchmarks/explanations.py` writes,
and how it is told. Its figures hold for one bundle, so they are shown beside that bundle alone."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ecgkt.json_records import Record, decode
from ecgkt.results import numbers
from ecgkt.results.tables import Table

FILE = Path(__file__).with_name("explanations.json")
VERSION = 1
PAGES, SIZE, CHANCE = "the pages' way", "abs(x)", "random"
SHOWN_AS = {
    PAGES: "What the pages show",
    SIZE: "The tracing's own size",
    CHANCE: "Chance",
    "abs(x - normal)": "Distance from a normal beat",
    "that x abs(x - normal)": "Occlusion times the distance from a normal beat",
    "input x gradient": "Input times gradient",
    "integrated gradients, from the true counterfactual": "Integrated gradients, from the tracing without the cause",
}
HELD_OUT = "PTB-XL, folds 8 to 10"  # the set of real ECGs that no network learned from
LEARNED = {"PTB-XL, folds 1 to 7": " (learned from)", "LUDB": " (partly learned from)"}


class Truth(Record, frozen=True):
    """inside: share of the relevance where the cause changed the tracing. above_size: the same less that of the
    tracing's own size. cells: rank correlation with the change over waves and leads. scores: how many, 0 for all.
    drawn: inside, of what the pages draw unless another share is chosen, the strongest half; 0 where not measured."""

    inside: float
    above_size: float
    cells: float
    scores: int = 0
    drawn: float = 0.0


class Named(Record, frozen=True):
    """Real findings, by what the explanation names: the right wave and lead, a wrong one, or where medicine is not
    clear."""

    right: int
    wrong: int
    unclear: int


class Explained(Record, frozen=True):
    """model: SHA-256 of the bundle. methods, waves, groups: by name; the last two of the pages' way. real: set of ECGs
    -> findings named by it, sinus rhythm apart, which explained beside fibrillation can hardly be named wrong."""

    version: int
    model: str
    pairs: int
    causes: int
    scores: int
    methods: dict[str, Truth]
    waves: dict[str, Truth]
    groups: dict[str, Truth]
    real: dict[str, Named]


@cache
def _shipped() -> Explained:
    return decode(FILE.read_bytes(), Explained, VERSION, FILE.name)


def of_bundle(sha256: str) -> Explained | None:
    """The figures, if it was this bundle that they were measured on."""
    return _shipped() if _shipped().model == sha256 else None


def in_words(found: Explained) -> str:
    """What came out, in three sentences."""
    own, size, chance = (found.methods[name] for name in (PAGES, SIZE, CHANCE))
    named = found.real[HELD_OUT]
    strongest, of_size = (f"{numbers.percent(each.drawn)} of the strongest half" for each in (own, size))
    drawn = f" ({strongest}, which is drawn unless another share is chosen)" if own.drawn else ""
    shaded = f" ({of_size})" if own.drawn else ""
    return (
        f"In {found.pairs} simulated ECGs drawn again without one of {found.causes} causes, "
        f"{numbers.percent(own.inside)} of the relevance that the pages show lies where the cause had changed the "
        f"tracing{drawn}. Shading the tracing by its own size would give {numbers.percent(size.inside)}{shaded}, "
        f"chance {numbers.percent(chance.inside)}. Of findings (sinus rhythm apart) that cardiologists stated of real "
        f"ECGs which no network had learned from, the wave and the lead named are right in {named.right} of "
        f"{named.right + named.wrong} where medicine is clear. An explanation tells where to look; it is no proof of "
        "why the score is high."
    )


def method_name(name: str) -> str:
    return SHOWN_AS.get(name, name[0].upper() + name[1:])


def methods(found: Explained) -> Table:
    """Every method, the best first."""
    order = sorted(found.methods, key=lambda name: -found.methods[name].inside)
    rows = [(method_name(name), *_cells(found.methods[name])) for name in order]
    caption = (
        "Inside: share of the relevance within the smallest area that holds 90% of the energy of what the cause "
        "changed. Above size: the same less that of the tracing's own size. Drawn: inside, of what is drawn unless "
        "another share is chosen, the strongest half. Cells: rank correlation over 48 cells (P, QRS, ST, T by lead) "
        "with the change. Means over causes"
    )
    header = ("Way of explaining", "Inside", "Above size", "Drawn", "Cells")
    return Table(header, rows, caption, (1, 2, 3, 4), [order.index(PAGES)])


def parts(found: Explained) -> Table:
    """What the pages show, by the wave that the cause changed most and by group of labels."""
    rows = [
        (name, numbers.count(each.scores), *_cells(each))
        for name, each in (*found.waves.items(), *((_start(name), each) for name, each in found.groups.items()))
    ]
    caption = "What the pages show, by the wave that the cause changed most and by the kind of score"
    return Table(("", "Scores", "Inside", "Above size", "Drawn", "Cells"), rows, caption, (1, 2, 3, 4, 5))


def real(found: Explained) -> Table:
    """Findings on real ECGs, by set."""
    rows = [
        (name + LEARNED.get(name, ""), str(each.right), str(each.wrong), str(each.unclear),
         numbers.percent(each.right / (each.right + each.wrong)) if each.right + each.wrong else numbers.NONE)
        for name, each in found.real.items()
    ]  # fmt: skip
    caption = (
        "Findings that cardiologists stated and the model scores above threshold: does the explanation name a wave and "
        "a lead by which medicine knows the finding? Sinus rhythm apart. Unclear: the wave may change with the "
        "finding, or has no name here"
    )
    return Table(("Real ECGs", "Right", "Wrong", "Unclear", "Right where clear"), rows, caption, (1, 2, 3, 4))


def _cells(each: Truth) -> tuple[str, str, str, str]:
    points = round(100 * each.above_size)
    above = f"{points:+d}".replace("-", numbers.MINUS) if points else "0"
    drawn = numbers.percent(each.drawn) if each.drawn else numbers.NONE
    return numbers.percent(each.inside), f"{above} points", drawn, f"{each.cells:.2f}"


def _start(name: str) -> str:
    return name[0].upper() + name[1:]
