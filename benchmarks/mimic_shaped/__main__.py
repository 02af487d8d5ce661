"""The command line: see the package."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import benchmarks.mimic_shaped

parser = argparse.ArgumentParser(
    prog="python -m benchmarks.mimic_shaped",
    description=benchmarks.mimic_shaped.__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
)
parser.add_argument("folder", type=Path)
parser.add_argument("--scale", type=float, default=1.0)
options = parser.parse_args()
print(json.dumps(benchmarks.mimic_shaped.generate(options.folder, options.scale), indent=1))
