"""A Plotly figure made ready once and sent as it is."""

from __future__ import annotations

from functools import cache

import numpy as np
from plotly.basedatatypes import BaseFigure
from plotly.graph_objects import Figure as Checked

from ecgkt.sheet.plotly_types import Figure, Part


class ReadyFigure(BaseFigure):  # type: ignore[misc]
    """What `st.plotly_chart` takes for a figure that is checked already.

    Of a dict it holds every property against Plotly's schema at each page run, a fifth of a run's processor time. Tests
    do that instead for every chart that they draw (tests/ui/conftest.py). alt: for those who cannot see it.
    """

    def __init__(self, figure: Figure, alt: str = "") -> None:
        self._data, self._frame_objs = figure["data"], ()
        self._layout = {"template": _template()} | figure["layout"]
        self._alt = alt
        self._size = 10_000 + sum(4 * value.nbytes // 3 for part in self._data for value in _arrays(part))
        self._ready: Figure = super().to_dict()

    def to_dict(self) -> Figure:
        """The same dict each time, not to be changed; arrays as base64."""
        return self._ready

    @property
    def alt(self) -> str:
        return self._alt

    @property
    def size(self) -> int:
        """Bytes, about."""
        return self._size


def _arrays(part: Part) -> list[np.ndarray]:
    return [value for value in part.values() if isinstance(value, np.ndarray)]


@cache
def _template() -> Part:
    """Streamlit's own, which Plotly adds to a figure without one."""
    return dict(Checked().to_dict()["layout"]["template"])
