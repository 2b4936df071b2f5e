"""Pages that are read from the start: every block runs."""

from __future__ import annotations

from support.documents import check_document, pages

PAGES = [
    "CONTRIBUTING.md",
    "README.md",
    "docs/architecture.md",
    "docs/index.md",
]
LONG = [
    "docs/generate.md",
    "docs/long-runs.md",
    "docs/plugins.md",
    "docs/presets.md",
    "docs/python.md",
    "docs/sampling.md",
    "docs/splits.md",
    "docs/training.md",
    "docs/writing-a-plugin.md",
]


@pages(PAGES, LONG)
def test_every_block_runs(name, folder, commands):
    check_document(name, folder, commands)
