"""Where benchmarks look for real recordings and tables: data/ below ECGKT_SHARED, or the repository's own data/, where
`python -m training download` puts what it fetches."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = Path(os.environ.get("ECGKT_SHARED", ROOT)) / "data"
