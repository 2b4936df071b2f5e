"""Something that is listed: rows of a dataset, or entries of its reject ledger; and the order in which it is shown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tonesmith.preview.lists.field import Field, Values
from tonesmith.preview.lists.matching import matcher, needed, unknown
from tonesmith.preview.lists.query import QueryError, parse

Report = Callable[[int, int], None]
"""Told how many of how many rows were read. It raises ``Stopped`` to end the reading."""


def silent(done: int, total: int) -> None:
    """Take a report, and let the reading go on."""


class Source(ABC):
    """Things with fields, read when they are asked for. Every method may be called in any thread."""

    unit: ClassVar[str]
    """Of what is listed, such as "row"."""
    fields: Mapping[str, Field]
    """By name, in the order in which they are listed."""
    listed: Sequence[str]
    """The fields that a list shows first."""
    searched: Sequence[str]
    """The fields in which a text alone is looked for."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, names: Sequence[str], report: Report = silent) -> Mapping[str, Values]:
        """Return field name -> values of everything there is; what cannot be read has no value.

        Raises :class:`DatasetError` if nothing at all can be read, and what the report raises.
        """

    @abstractmethod
    def cells(self, indices: Sequence[int], names: Sequence[str]) -> list[tuple[str, ...] | None]:
        """Return the texts of some fields of each index; None for what cannot be read."""

    def unread(self) -> NDArray[np.bool_] | None:
        """Return bool (len,): what could not be read so far, of which nothing is known; None where all could be."""
        return None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What is shown of a source, and how.

    Attributes:
        filter: as it was typed; "" for all.
        sort: the field that it is sorted by, or "".
        descending: whether the highest comes first.
    """

    filter: str = ""
    sort: str = ""
    descending: bool = False

    def check(self, source: Source) -> None:
        """Raise :class:`QueryError` if the filter or the field is none of the source's. Nothing is read."""
        matcher(parse(self.filter), source.fields, source.searched)
        if self.sort and self.sort not in source.fields:
            raise QueryError(unknown(self.sort, source.fields), 0)

    def asked(self, source: Source) -> list[str]:
        """Return the fields that it asks for and that a list does not show anyway."""
        asked = [*([self.sort] if self.sort else ()), *needed(parse(self.filter), ())]
        return [name for name in dict.fromkeys(asked) if name not in source.listed]


def arranged(source: Source, wanted: Arrangement, report: Report = silent) -> NDArray[np.int64]:
    """Return the indices of what is shown, in order: int64 (shown,). What has no value to sort by comes last.

    Args:
        source: of which. A filter lets nothing through that cannot be read.
        wanted: filter and order.
        report: told how far the reading is.

    Raises as :meth:`Arrangement.check` and :meth:`Source.read` do.
    """
    wanted.check(source)
    query = parse(wanted.filter)
    names = [*needed(query, source.searched), *([wanted.sort] if wanted.sort else ())]
    values = source.read(list(dict.fromkeys(names)), report)
    found = matcher(query, source.fields, source.searched, len(source))(values)
    if wanted.filter and (unread := source.unread()) is not None:
        found = found & ~unread
    shown = np.flatnonzero(found)
    if not wanted.sort:
        return shown
    ranks = source.fields[wanted.sort].ranks(values[wanted.sort][shown])
    return shown[np.argsort(-ranks if wanted.descending else ranks, kind="stable")]
