"""DejaVu Sans, cut to what reports print.

`training.release.report_fonts` makes the files.
"""

from __future__ import annotations

from pathlib import Path

FAMILY = "ecgkt DejaVu Sans"
FILES = {
    "normal": Path(__file__).with_name("ecgkt-DejaVuSans.ttf"),
    "bold": Path(__file__).with_name("ecgkt-DejaVuSans-Bold.ttf"),
}
