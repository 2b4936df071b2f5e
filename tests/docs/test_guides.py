"""Pages that are read from the start: every block runs."""

from __future__ import annotations

import pytest
from support.documents import check_document

PAGES = [
    "CONTRIBUTING.md",
    "README.md",
    "docs/architecture.md",
    "docs/index.md",
    "docs/python.md",
]
LONG = [
    "docs/generate.md",
    "docs/plugins.md",
    "docs/presets.md",
    "docs/sampling.md",
    "docs/splits.md",
    "docs/writing-a-plugin.md",
]


@pytest.mark.parametrize("name", [*PAGES, *(pytest.param(name, marks=pytest.mark.long) for name in LONG)])
def test_every_block_runs(name, folder, commands):
    check_document(name, folder, commands)
