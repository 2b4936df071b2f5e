"""A corpus as the source of a conversion: opened in the form that a plan has it in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import DatasetError
from tonesmith.host.readers import reader_at
from tonesmith.plan.plan import Plan


def opened_as(path: Path, plan: Plan) -> Dataset:
    """Return the dataset at a path; a corpus in the form that a plan has it in.

    Raises :class:`DatasetError` if the corpus has changed since the plan was made.
    """
    if plan.items is None or reader_at(path) is None:
        return open_dataset(path)
    opened = open_dataset(path, **form_of(plan))
    if opened.plan.items != plan.items:
        raise DatasetError(f"{path} was changed while it was packed. Pack it anew, to another path.")
    return opened


def form_of(plan: Plan) -> dict[str, Any]:
    """Return how the rows of a plan of items are made: what :func:`tonesmith.open_dataset` takes."""
    items, audio = plan.items, plan.audio
    windows = {"window": items.window, "hop": items.hop} if items and items.window else {}
    return windows | ({"sample_rate": audio.sample_rate, "channels": audio.channels} if audio.frames else {})
