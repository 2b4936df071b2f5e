"""What completes words that depend on the dataset which is named before them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import typer

from tonesmith.buckets.address import place_of
from tonesmith.errors import TonesmithError


def split_names(context: typer.Context) -> list[str]:
    """Return what completes the name of a split."""
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.dataset.splits import splits_of

    if path := _dataset(context):
        with suppress(TonesmithError):
            splits = splits_of(open_dataset(path).attributes, path)
            return list(splits.names) if splits else []
    return []


def parameter_names(context: typer.Context) -> list[str]:
    """Return what completes the name of a parameter that varies, or of a group of them."""
    from tonesmith.dataset.opening import open_dataset

    if path := _dataset(context):
        with suppress(TonesmithError):
            space = open_dataset(path).space
            return sorted({*space.names, *(space[name].group for name in space.names)} - {""})
    return []


def _dataset(context: typer.Context) -> Path | None:
    """Return the dataset of a command line, of which nothing is read while a word of it is missing."""
    path = context.params.get("dataset") or next(iter(context.args), None)
    return place_of(path) if path else None
