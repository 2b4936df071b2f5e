"""The verbs that make new items and files of those that are there."""

from __future__ import annotations

from tonesmith.corpus.store import Store


class Derived(Store):
    """A corpus with the verbs that make files, each of which can be made again from its parent and its recipe."""
