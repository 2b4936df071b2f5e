"""An importer finds the scores and recordings in a folder, an archive, or whatever else it knows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tonesmith.host.roles.annotation import Annotation
from tonesmith.host.roles.base import O, Plugin


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be a score or a recording. The corpus decides whether it is one, and copies it.

    Attributes:
        path: of the file. It stays there until the importer is done with.
        name: that it has in its source, with ``/``, such as "songs/happy/one.mid". Folders and tables are told by it.
        item: the name of its item, if the source gives one: files with the same are one item. Else "".
        annotations: that the source gives of it.
        parent: the name of the item that it was derived from, if the source says so.
        provenance: where it is from, as JSON holds it: "source" (its name), "licence" (as that states it), and whatever
            else finds it again, such as a URL, or the fingerprint and row of a dataset.
        synthetic: whether a program made it, so that its place is ``raw/synthetic``.
        recipe: that makes it again, if the source is a corpus and has one.
    """

    path: Path
    name: str
    item: str = ""
    annotations: tuple[Annotation, ...] = ()
    parent: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    synthetic: bool = False
    recipe: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that is not taken.

    Attributes:
        name: of it in its source.
        reason: a clause that follows the name, such as "is a link".
    """

    name: str
    reason: str


class Importer(Plugin[O]):
    """Finds files in a source. It reads what a stranger made: nothing that it finds may lie outside that."""

    role = "importer"

    def __init__(self, options: O) -> None:
        self.options = options

    @classmethod
    @abstractmethod
    def takes(cls, path: Path) -> bool:
        """Return whether a path is of the kind that it reads, as far as can be seen without reading all of it."""

    def count(self, path: Path) -> int:
        """Return how many files it finds; 0 where that is known only once all are found.

        One that knows it yields the files of an item one after another, with the item's name. They are then taken one
        by one, so that a source may be larger than the disk has room for twice.
        """
        return 0

    @abstractmethod
    def find(self, path: Path, scratch: Path) -> Iterator[Found | Refused]:
        """Yield the files of a source in an order that is always the same.

        Args:
            path: one that it takes.
            scratch: an empty folder for what must be unpacked. It is removed afterwards, and so are its files, or
                moved into the corpus.

        Raises :class:`tonesmith.errors.ConfigError` for a source that cannot be read at all.
        """
