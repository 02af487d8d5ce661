"""What is written about a bundle: MODEL_CARD.md, MODEL_CARD_labels.csv and the generated parts of the README.

    python -m training card --model assets/models/default

The README's parts stand between markers: `<!-- results -->` ... `<!-- /results -->`, `<!-- tree -->` ...
`<!-- /tree -->`.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from ecgkt.model.bundle import METRICS_FILE, load_bundle
from training.release.model_card import LABELS_FILE, labels_csv, model_card, results

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ecgkt", "training", "benchmarks")
OTHER_FOLDERS = {
    "pages": "the pages of the dashboard, listed in ecgkt/ui/widgets/navigation.py",
    "assets/models": "the shipped bundle",
    "assets/examples": "simulated test patients in MIMIC's layout, one real recording",
    "training/configs": "settings of every run: tiny, default, paper, mimic, the label-efficiency curve, the cohort",
    "tests": "mirrors the tree; browser/ drives Chromium",
    "docs": "the pages of the documentation site",
    "deploy": "a server of one's own: container, proxy, login",
}


def write_cards(bundle: Path) -> None:
    """Raises BundleError."""
    loaded = load_bundle(bundle)
    metrics_path = (bundle / METRICS_FILE).resolve()
    link = metrics_path.relative_to(ROOT) if metrics_path.is_relative_to(ROOT) else metrics_path
    (ROOT / "MODEL_CARD.md").write_text(model_card(loaded.card, loaded.metrics, str(link)))
    (ROOT / LABELS_FILE).write_text(labels_csv(loaded.card))
    readme = ROOT / "README.md"
    text = replaced(readme.read_text(), "results", results(loaded.metrics))
    readme.write_text(replaced(text, "tree", file_tree()))


def replaced(text: str, marker: str, content: str) -> str:
    """`text` with `content` between the two comments of a marker."""
    pattern = rf"(<!-- {marker} -->\n).*(<!-- /{marker} -->)"
    return re.sub(pattern, lambda match: match[1] + content + match[2], text, flags=re.DOTALL)


def file_tree() -> str:
    """The folders with the first sentence of their packages' docstrings, as a fenced block."""
    folders = {}
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("__init__.py")):
            summary = " ".join((ast.get_docstring(ast.parse(file.read_text())) or "").split())
            first = re.split(r"(?<=[.;])\s", summary)[0].rstrip(".:;,")
            if first:
                folders[str(file.parent.relative_to(ROOT))] = first
    lines = [f"{folder + '/':34s}{words}" for folder, words in (folders | OTHER_FOLDERS).items()]
    return "```\n" + "\n".join(lines) + "\n```\n"
