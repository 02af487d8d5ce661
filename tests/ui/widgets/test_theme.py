"""Colors of the theme: contrast by WCAG 2.2, in both themes; one truth in config.toml and in the palette."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ecgkt.relevance import classes
from ecgkt.sheet import colors
from ecgkt.ui.widgets import theme

ROOT = Path(__file__).resolve().parents[3]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
THEMES = [("light", theme.LIGHT, colors.LIGHT), ("dark", theme.DARK, colors.DARK)]
TEXT, GRAPHIC = 4.5, 3.0  # 1.4.3 and 1.4.11, AA


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the known gray that just fails


@pytest.mark.parametrize(("name", "palette", "paper"), THEMES)
def test_everything_written_can_be_read(name: str, palette: theme.Palette, paper: Any) -> None:
    config = CONFIG[name]
    for background in (config["backgroundColor"], config["secondaryBackgroundColor"], palette.wash):
        assert contrast(palette.text, background) >= TEXT
    for color in (palette.quiet, palette.accent, config["linkColor"]):
        assert contrast(color, config["backgroundColor"]) >= TEXT
    assert contrast(palette.quiet, palette.wash) >= TEXT  # the measured value in a chosen row
    for color in (paper.trace, paper.quiet, paper.caliper):
        assert contrast(color, paper.paper) >= TEXT
        assert contrast(color, paper.minor) >= TEXT  # crossing the fine grid


@pytest.mark.parametrize(("name", "palette", "paper"), THEMES)
def test_everything_drawn_can_be_seen(name: str, palette: theme.Palette, paper: Any) -> None:
    background = CONFIG[name]["backgroundColor"]
    for color in (palette.above, palette.text, *palette.models):
        assert contrast(color, background) >= GRAPHIC
    assert contrast(palette.above, palette.line) >= GRAPHIC  # a bar above its threshold, on its groove
    assert (
        contrast(palette.bar, background) >= 1.5
    )  # below the threshold it is meant to be pale; the number is beside it
    assert contrast(paper.trace, paper.major) >= GRAPHIC
    strongest = classes.colors(signed=True, dark=name == "dark")
    for color in (strongest[4], strongest[-4]):
        assert contrast(color, paper.paper) >= GRAPHIC


@pytest.mark.parametrize(("name", "palette", "paper"), THEMES)
def test_palette_and_config_are_one(name: str, palette: theme.Palette, paper: Any) -> None:
    config = CONFIG[name]
    assert (palette.text, palette.accent, palette.line) == (
        config["textColor"], config["primaryColor"], config["borderColor"]
    )  # fmt: skip


def test_the_style_names_no_color_of_its_own_and_every_name_is_known() -> None:
    style = theme.STYLE.read_text()
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", style)
    known = set(theme.colors(theme.LIGHT, False))
    of_sheet = {"paper", "aspect", "enlarged"}  # set beside each sheet (`ecgkt.ui.reading.sheet`)
    assert set(re.findall(r"var\(--(\w+)\)", style)) <= known | of_sheet


def test_sizes_of_type_follow_the_reader() -> None:
    """In rem, not px: text grows to 200 % with the browser's own setting."""
    assert not re.findall(r"font-size:\s*[\d.]+px", theme.STYLE.read_text())


@pytest.mark.parametrize(("name", "palette", "paper"), THEMES)
def test_bars_below_the_threshold_stand_out_from_the_page_too(name: str, palette: theme.Palette, paper: Any) -> None:
    page = CONFIG[name]["backgroundColor"]
    assert contrast(palette.bar, page) >= GRAPHIC
