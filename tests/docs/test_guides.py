"""Pages that are read from the start: every block runs."""

from __future__ import annotations

import pytest
from support.documents import check_document

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/generate.md",
    "docs/index.md",
    "docs/plugins.md",
    "docs/presets.md",
    "docs/python.md",
    "docs/sampling.md",
    "docs/splits.md",
    "docs/writing-a-plugin.md",
]


@pytest.mark.parametrize("name", PAGES)
def test_every_block_runs(name, folder, commands):
    check_document(name, folder, commands)
