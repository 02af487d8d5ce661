"""What holds on every page."""

from __future__ import annotations

import pytest

import ecgkt
from tests.ui.pages import PAGES, open_page, words_of

pytestmark = pytest.mark.usefixtures("stand_in")


@pytest.mark.parametrize("page", PAGES)
def test_research_notice_on_every_page(page: str) -> None:
    assert ecgkt.NOTICE in words_of(open_page(page))
