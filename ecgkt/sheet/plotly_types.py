"""What Plotly takes: plain dicts, which need no import of it."""

from __future__ import annotations

from typing import Any

Part = dict[str, Any]  # a trace, an axis, a shape, an annotation
Figure = dict[str, Any]  # {"data": [Part], "layout": Part}
