"""A dataset opened for reading: what a sink's ``open`` returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.rejection import Rejection


class Storage(ABC):
    """A dataset opened for reading: what a sink's ``open`` returns, and :class:`Dataset` reads.

    Safe to use from threads, to pickle, and to use after a fork.
    """

    live: ClassVar[bool] = False
    """Whether rows are made when they are read: then no digests are stored, and :meth:`blocks` makes all rows."""

    attributes: Mapping[str, Any]
    """The JSON that :meth:`Sink.create` was given, as last updated."""

    @abstractmethod
    def blocks(self) -> Mapping[int, tuple[bytes, ...]]:
        """Return block index -> digests of its rows, for each committed block."""

    def committed(self) -> Mapping[int, int]:
        """Return block index -> number of its rows, for each committed block. Override it if digests are costly."""
        return {block: len(digests) for block, digests in self.blocks().items()}

    def plan_of(self, block: int) -> str:
        """Return the fingerprint of the plan that a committed block was made by: what :attr:`Block.plan` was.

        So that rows which another plan has made are refused, however they came here. "" for a block that was stored
        before sinks kept it, and for one that is not there.
        """
        return ""

    @abstractmethod
    def read(self, column: str, rows: Sequence[int]) -> NDArray[Any]:
        """Return (len(rows), *shape) of a column, in the column's dtype.

        Raises :class:`tonesmith.errors.DatasetError`, naming the block, if the stored bytes are damaged.
        """

    @abstractmethod
    def rejections(self) -> Iterable[Rejection]:
        """Return the reject ledger, by patch and attempt."""

    @abstractmethod
    def asset(self, name: str) -> bytes:
        """Return the content with that SHA-256, after checking it."""

    @abstractmethod
    def assets(self) -> Sequence[str]:
        """Return the SHA-256 of every asset that is stored, in order."""

    @abstractmethod
    def nbytes(self) -> int:
        """Return the size of the dataset in storage, in bytes."""

    def check(self) -> Iterable[str]:
        """Yield a sentence for each fault in files besides rows and assets: what is wrong, and what to do.

        Override it if the format has such files: an index, markers, a document that other programs open.
        """
        return ()
