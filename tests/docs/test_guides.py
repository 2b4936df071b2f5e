"""Pages that are read from the start: every block runs."""

from __future__ import annotations

import pytest
from support.documents import check_document, pages

PAGES = [
    "CONTRIBUTING.md",
    "README.md",
    "docs/architecture.md",
    "docs/index.md",
]
LONG = [
    "docs/audition.md",
    "docs/corpora.md",
    "docs/explorer.md",
    "docs/generate.md",
    "docs/long-runs.md",
    "docs/matching.md",
    "docs/plugins.md",
    "docs/presets.md",
    "docs/python.md",
    "docs/sampling.md",
    "docs/splits.md",
    "docs/training.md",
    "docs/writing-a-plugin.md",
]


SLOW = "tonesmith doctor"
"""A command that takes as long as all others of the README, and that has tests of its own."""


@pages(PAGES, LONG)
def test_every_block_runs(name, folder, commands):
    check_document(name, folder, commands, SLOW if name == "README.md" else "")


@pytest.mark.long
def test_every_block_of_the_readme_runs_with_the_slow_ones(folder, commands):
    check_document("README.md", folder, commands)
