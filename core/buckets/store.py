"""What is asked of an object store: a few things, each of which may be done again without harm."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """An object in a listing.

    Attributes:
        key: of it, from the bucket on.
        size: in bytes.
        stamp: another one once the object was written anew.
    """

    key: str
    size: int
    stamp: str


class Store(ABC):
    """A bucket. Objects appear whole or not at all, and who lists or reads after a write sees it.

    Nothing else is relied on: no renaming, no writing on a condition, no locks.

    Each method raises :class:`tonesmith.errors.BucketError` if the store cannot be reached or refuses.
    """

    @abstractmethod
    def put(self, key: str, content: bytes | Path) -> None:
        """Store an object, given as its bytes or as a local file."""

    @abstractmethod
    def get(self, key: str, to: Path) -> None:
        """Write an object to a new local file. Raises :class:`FileNotFoundError` if there is no such object."""

    @abstractmethod
    def list(self, folder: str, after: str = "") -> Iterator[Entry]:
        """Yield the objects below a folder, however deep, in the order of their keys.

        Args:
            folder: whole parts of a key, "" for all of the bucket.
            after: a name in the folder: only what follows it is listed.
        """

    @abstractmethod
    def names(self, folder: str) -> Sequence[str]:
        """Return the names right below a folder, sorted: of objects and of folders."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete an object, if it is there."""

    @abstractmethod
    def size(self, key: str) -> int | None:
        """Return the bytes of an object; None if there is none."""

    def is_empty(self, folder: str) -> bool:
        """Return whether there is no object below a folder."""
        return next(self.list(folder), None) is None
