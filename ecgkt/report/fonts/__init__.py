"""The report's fonts: DejaVu Sans with the characters that reports print (`training.release.report_fonts` cut them)."""

from __future__ import annotations

from pathlib import Path

FAMILY = "ecgkt DejaVu Sans"
FILES = {
    "normal": Path(__file__).with_name("ecgkt-DejaVuSans.ttf"),
    "bold": Path(__file__).with_name("ecgkt-DejaVuSans-Bold.ttf"),
}
