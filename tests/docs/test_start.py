"""Pages for a first look: every block runs."""

from __future__ import annotations

from support.documents import check_document, pages

LONG = [
    "docs/quickstart.md",
    "docs/gallery.md",
    "docs/faq.md",
]


@pages([], LONG)
def test_every_block_runs(name, folder, commands):
    check_document(name, folder, commands)
