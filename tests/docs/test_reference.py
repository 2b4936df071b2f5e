"""Pages that are looked up: every block runs."""

from __future__ import annotations

from support.documents import check_document, pages

PAGES = [
    "docs/cards.md",
    "docs/scale.md",
    "docs/security.md",
    "docs/vst3.md",
]
LONG = [
    "docs/cli.md",
    "docs/dataset.md",
    "docs/convert.md",
    "docs/dawdreamer.md",
    "docs/doctor.md",
    "docs/features.md",
    "docs/executors.md",
    "docs/folder.md",
    "docs/hdf5.md",
    "docs/importance.md",
    "docs/lmdb.md",
    "docs/parquet.md",
    "docs/report.md",
    "docs/scores.md",
    "docs/preview.md",
    "docs/sinks.md",
    "docs/space-and-labels.md",
    "docs/theory.md",
    "docs/trust.md",
    "docs/wavetables.md",
    "docs/webdataset.md",
]


@pages(PAGES, LONG)
def test_every_block_runs(name, folder, commands):
    check_document(name, folder, commands)
