"""What the site shows of files that lie outside docs/: the pictures, the model card with its links, the changelog."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"model_card.md": "MODEL_CARD.md", "changes.md": "CHANGELOG.md"}
LINKED = ("MODEL_CARD_labels.csv", "assets/models/default/metrics.json")  # by the model card, at these paths


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for picture in sorted((ROOT / "assets" / "pictures").glob("*.png")):
        files.append(File.generated(config, f"pictures/{picture.name}", abs_src_path=str(picture)))
    for name, source in PAGES.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / source)))
    for name in LINKED:
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files
