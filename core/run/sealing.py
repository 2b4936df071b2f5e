"""The end of a dataset: its sink completes it, and its card is written."""

from __future__ import annotations

from typing import Any

from tonesmith.card.card import renew_card
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.splits import UNFINISHED, finishing
from tonesmith.host.roles import Sink
from tonesmith.terminal.messages import warn


def seal(sink: Sink[Any], *, whole: bool) -> Dataset:
    """Complete a dataset if it is whole, write its card, and return it, opened.

    Several jobs may do so at the same moment, and again: each writes the same.

    Args:
        sink: of the dataset.
        whole: whether every block is there.
    """
    if whole:
        sink.finish()
    stored = Dataset(type(sink).open(sink.path), sink.path)
    renew_card(sink.path, stored)
    if UNFINISHED in stored.attributes:
        warn(f"{sink.path}: {finishing(sink.path)}")
    return stored
