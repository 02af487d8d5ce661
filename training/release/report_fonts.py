"""The fonts of the printed report: those characters of DejaVu Sans that its words are made of.

    python -m training.release.report_fonts

matplotlib cuts a font down to the characters of each document. That took two fifths of a report's time, nearly all of
it for 6,000 characters and for layout tables of scripts that no report prints. What a user types beyond the characters
kept here is drawn from the whole font, which comes with matplotlib. DejaVu's license allows both.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from matplotlib.font_manager import FontProperties, findfont

from ecgkt.report.fonts import FAMILY, FILES

# Latin with accents, Greek, punctuation, super- and subscripts, currency, letterlike signs, arrows, mathematics.
BLOCKS = (
    (0x20, 0x7E), (0xA0, 0x17F), (0x218, 0x21B), (0x370, 0x3FF), (0x2010, 0x2027), (0x202F, 0x203A), (0x2070, 0x209C),
    (0x20AC, 0x20AC), (0x2100, 0x214F), (0x2190, 0x21FF), (0x2200, 0x22FF), (0x25A0, 0x25FF), (0xFFFD, 0xFFFD),
)  # fmt: skip
NAMES = {1: FAMILY, 4: FAMILY, 6: FAMILY.replace(" ", "")}  # family, full name, PostScript name, by their numbers


def cut(weight: str, out: Path) -> None:
    """Write DejaVu Sans of a `weight` with the characters of `BLOCKS`, kerning, and nothing else."""
    options = Options()
    options.layout_features = []  # no ligatures: words are to be found and copied letter by letter
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "MATH", "FFTM"]
    options.legacy_kern = True
    options.hinting = False  # matplotlib hints by FreeType's own rules, a PDF's reader by its own
    options.notdef_outline = True
    with TTFont(findfont(FontProperties(family="DejaVu Sans", weight=weight))) as font:
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=[code for first, last in BLOCKS for code in range(first, last + 1)])
        subsetter.subset(font)
        for number, name in NAMES.items():
            suffix = "" if weight == "normal" or number == 1 else ("-" if number == 6 else " ") + weight.title()
            font["name"].setName(name + suffix, number, 3, 1, 0x409)
            font["name"].setName(name + suffix, number, 1, 0, 0)
        font.save(out)


def main() -> None:
    license_file = Path(matplotlib.get_data_path(), "fonts", "ttf", "LICENSE_DEJAVU")
    FILES["normal"].with_name(license_file.name).write_bytes(license_file.read_bytes())
    for weight, file in FILES.items():
        cut(weight, file)
        print(file.name, file.stat().st_size)


if __name__ == "__main__":
    main()
