"""The reject ledger of a dataset as a source: which candidates were rejected, by whom and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tonesmith.dataset.reader import Dataset
from tonesmith.plan.rejection import Rejection
from tonesmith.preview.lists.field import Field, Values, texts_of
from tonesmith.preview.lists.source import Report, Source, silent


class RejectSource(Source):
    """The entries of the reject ledger, which is read when this is made.

    Args:
        dataset: whose ledger.

    Raises :class:`DatasetError` if the ledger is damaged.
    """

    unit = "reject"

    def __init__(self, dataset: Dataset) -> None:
        self.entries: tuple[Rejection, ...] = dataset.rejections
        measures = [measure.name for measure in dataset.plan.measures]
        numbers = np.arange(len(self.entries), dtype=float)
        doc = "number that `tonesmith reproduce --reject` takes"
        fields = [
            Field("reject", doc, (), lambda _: numbers, width=6),
            self._number("patch", "number of the patch in the plan", lambda e: e.patch, 8),
            self._number("attempt", "which draw of the patch it was, 0 first", lambda e: e.attempt, 7),
            self._number("pitch", "MIDI pitch that was playing", lambda e: e.pitch if e.pitch >= 0 else np.nan, 5),
            self._text("by", "validator that rejected it, or engine", lambda e: e.by, 10),
            self._text("reason", "why", lambda e: e.reason, 10),
            self._text("detail", "what was measured, or said", lambda e: e.detail, 30, closed=False),
        ]
        fields += [self._measure(name) for name in measures if name not in {field.name for field in fields}]
        self.fields = {field.name: field for field in fields}
        self.listed = ["reject", "patch", "attempt", "pitch", "by", "reason", "detail"]
        self.searched = ["by", "reason", "detail"]

    def __len__(self) -> int:
        return len(self.entries)

    def read(self, names: Sequence[str], report: Report = silent) -> Mapping[str, Values]:
        """Return field name -> values of all entries."""
        return {name: self._values[name] for name in names}

    def cells(self, indices: Sequence[int], names: Sequence[str]) -> list[tuple[str, ...] | None]:
        """Return the texts of some fields of entries."""
        values = self.read(names)
        return [tuple(self.fields[name].text(values[name][index]) for name in names) for index in indices]

    @cached_property
    def _values(self) -> Mapping[str, Values]:
        return {name: field.of({}) for name, field in self.fields.items()}

    def _number(self, name: str, doc: str, of: Callable[[Rejection], float], width: int) -> Field:
        return Field(name, doc, (), lambda _: np.array([of(entry) for entry in self.entries], float), width=width)

    def _measure(self, name: str) -> Field:
        return self._number(name, "measured of the render", lambda e: e.measured.get(name, np.nan), 9)

    def _text(self, name: str, doc: str, of: Callable[[Rejection], Any], width: int, *, closed: bool = True) -> Field:
        texts = tuple(dict.fromkeys(texts_of(*map(of, self.entries))))
        places = {text: place for place, text in enumerate(texts)}
        codes = np.array([places[text] for text in texts_of(*map(of, self.entries))], np.int32)
        return Field(name, doc, (), lambda _: codes, texts, closed, width=width)
