"""A storage whose every answer is checked, and whose every failure is one of tonesmith's errors, with the path in it.

Sinks are plugins, and what they read is anybody's: their libraries raise what they like. Here, in one place, that
becomes a :class:`DatasetError`; and here a block that another plan has made is refused, whichever sink holds it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.buckets.address import place_of
from tonesmith.errors import DatasetError, TonesmithError, unreadable
from tonesmith.host.roles import Storage
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection


@contextlib.contextmanager
def guarding(path: str, what: str) -> Iterator[None]:
    """Turn whatever the body raises into a :class:`DatasetError` that names the path; tonesmith's errors pass.

    Args:
        path: of the dataset, "" where that is not known.
        what: was to be read, for the message.
    """
    try:
        yield
    except TonesmithError as error:
        if path and path not in str(error) and error.args:
            error.args = (f"{path}: {error}", *error.args[1:])
        raise
    except OSError as error:
        raise unreadable(error.filename or path or what, error) from error
    except MemoryError as error:
        raise DatasetError(f"{path or 'the dataset'}: its {what} do not fit into memory") from error
    except Exception as error:
        told = f"{type(error).__name__}: {error!s:.200}"
        raise DatasetError(
            f"{path or 'the dataset'}: its {what} cannot be read, for they are damaged ({told})"
        ) from error


class GuardedStorage(Storage):
    """Answers as the storage does that it is made of.

    Args:
        storage: as a sink opened it.
        path: of the dataset, for messages; "" where that is not known.
    """

    def __init__(self, storage: Storage, path: str = "") -> None:
        self._storage = storage
        self._path = path
        self._of_this_plan: set[int] = set()

    @property
    def live(self) -> bool:  # type: ignore[override]  # as that of the storage
        """Whether rows are made when they are read."""
        return self._storage.live

    @property
    def path(self) -> Path | None:
        """Of the dataset, if it is known."""
        return place_of(self._path) if self._path else None

    def __reduce__(self) -> tuple[Any, ...]:
        return (GuardedStorage, (self._storage, self._path))

    @property
    def attributes(self) -> Mapping[str, Any]:  # type: ignore[override]  # those of the storage, as last updated
        """The JSON kept with the data."""
        attributes = self._storage.attributes
        if not isinstance(attributes, Mapping):
            raise DatasetError(f"{self._path or 'the dataset'}: its attributes are damaged: they are no JSON object")
        return attributes

    @cached_property
    def plan(self) -> Plan:
        """The plan among the attributes. Raises :class:`DatasetError` if it is missing or damaged."""
        with guarding(self._path, "attributes"):
            if "plan" not in self.attributes:
                raise DatasetError("the dataset has no plan among its attributes")
            return Plan.from_json(self.attributes["plan"])

    @cached_property
    def _columns(self) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
        """Column -> shape of a row, and dtype, as the plan has it."""
        return {column.name: (column.shape, np.dtype(column.dtype)) for column in self.plan.schema}

    def blocks(self) -> Mapping[int, tuple[bytes, ...]]:
        """Return block index -> digests of its rows."""
        with guarding(self._path, "digests"):
            return _Guarded(self._storage.blocks(), self._path)

    def committed(self) -> Mapping[int, int]:
        """Return block index -> number of its rows."""
        with guarding(self._path, "blocks"):
            return self._storage.committed()

    def plan_of(self, block: int) -> str:
        """Return the fingerprint of the plan that a block was made by; "" where the sink does not tell."""
        with guarding(self._path, "blocks"):
            return self._storage.plan_of(block)

    def read(self, column: str, rows: Sequence[int]) -> NDArray[Any]:
        """Return (len(rows), *shape) of a column, as the plan has it.

        Raises :class:`DatasetError` for a block of another plan too.
        """
        with guarding(self._path, f"values of {column}"):
            self._check_blocks(rows)
            array = self._storage.read(column, rows)
            wanted = self._columns.get(column)
            if wanted is not None and (array.shape[1:] != wanted[0] or array.dtype != wanted[1]):
                told = f"{array.dtype} {array.shape[1:]}, and {wanted[1]} {wanted[0]} by the plan"
                raise DatasetError(f"what it stores as {column} is {told}: the plan was changed, or the record")
            return array

    def foreign(self, block: int) -> str:
        """Return what tells that a block was made by another plan than the dataset's, or ""."""
        made_by = self.plan_of(block)
        if not made_by or made_by in {self.attributes.get("fingerprint"), self.plan.fingerprint}:
            return ""
        return f"it was made by another plan, {made_by[:12]}, not by the dataset's, {self.plan.fingerprint[:12]}"

    def _check_blocks(self, rows: Sequence[int]) -> None:
        size, known = self.plan.block_rows, self._of_this_plan
        for block in {row // size for row in rows} - known:
            if told := self.foreign(block):
                raise DatasetError(f"block {block} is not read: {told}. `tonesmith verify` tells what to do.")
            known.add(block)

    def rejections(self) -> Iterable[Rejection]:
        """Return the reject ledger."""
        with guarding(self._path, "rejections"):
            return tuple(self._storage.rejections())

    def asset(self, name: str) -> bytes:
        """Return the content with that SHA-256."""
        with guarding(self._path, "assets"):
            return self._storage.asset(name)

    def assets(self) -> Sequence[str]:
        """Return the SHA-256 of every asset."""
        with guarding(self._path, "assets"):
            return self._storage.assets()

    def nbytes(self) -> int:
        """Return the bytes that the dataset takes."""
        with guarding(self._path, "files"):
            return self._storage.nbytes()

    def check(self) -> Iterable[str]:
        """Yield what is wrong with what lies beside rows and assets."""
        with guarding(self._path, "documents"):
            yield from self._storage.check()


class _Guarded(Mapping[int, tuple[bytes, ...]]):
    """Digests, which a sink may read only when they are asked for."""

    def __init__(self, digests: Mapping[int, tuple[bytes, ...]], path: str) -> None:
        self._digests = digests
        self._path = path

    def __getitem__(self, block: int) -> tuple[bytes, ...]:
        if block not in self._digests:
            raise KeyError(block)
        with guarding(self._path, f"digests of block {block}"):
            return self._digests[block]

    def __iter__(self) -> Iterator[int]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)
