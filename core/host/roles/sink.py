"""A sink stores datasets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tonesmith.host.roles.base import O, Plugin
from tonesmith.host.roles.storage import Storage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.block import Block
    from tonesmith.plan.plan import Plan
    from tonesmith.plan.rejection import Rejection
    from tonesmith.plan.schema import Column


@dataclass(frozen=True, slots=True)
class FileSet:
    """A kind of file in a dataset, for its Croissant description.

    Attributes:
        name: the name of the set: letters, digits and ``-``.
        includes: a glob, relative to the dataset.
        media_type: the type of each file, such as "application/x-tar".
        doc: what the files hold.
        fields: column name -> its Croissant type, such as "sc:Float", if the files are tables that Croissant reads;
            else empty.
    """

    name: str
    includes: str
    media_type: str
    doc: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Footprint:
    """About what a dataset takes on a disk, for an estimate before it is made.

    Attributes:
        share: bytes that audio takes, for each of its bytes as float32.
        row_files: files of each row.
        block_files: files of each block, besides.
        copies: how often the rows are stored at the most, as when parts are joined at the end.
    """

    share: float = 1.0
    row_files: int = 0
    block_files: int = 2
    copies: int = 1


class Sink(Plugin[O]):
    """Stores a dataset at a path. Every method may be called from any process.

    A block is stored completely or not at all. It is written to a temporary place, flushed to the disk and renamed,
    and it counts once :meth:`committed` lists it. Nothing is locked.
    """

    role = "sink"
    divides: ClassVar[bool] = False
    """Whether readers of the format recognise splits by files, so that each split needs its own files."""
    buckets: ClassVar[bool] = False
    """Whether a dataset may be in a bucket: the path is then a :class:`tonesmith.buckets.address.BucketPath`."""
    needs_audio: ClassVar[bool] = False
    """Whether every row must have audio: then a corpus of scores alone cannot be packed with it."""
    record: ClassVar[str] = ""
    """Where a dataset has its plan and space as JSON: a file, or a place in one. For its card."""

    def __init__(self, options: O, path: Path) -> None:
        self.options = options
        self.path = path

    @classmethod
    @abstractmethod
    def recognises(cls, path: Path) -> bool:
        """Return whether the path holds a dataset that this sink wrote."""

    @classmethod
    @abstractmethod
    def open(cls, path: Path) -> Storage:
        """Return the dataset at a path, for reading, while others may be writing to it."""

    @abstractmethod
    def create(self, attributes: Mapping[str, Any], schema: Sequence[Column], rows: int, block_rows: int) -> None:
        """Create the dataset, or extend an existing one to these attributes and this many rows.

        The attribute "fingerprint" names the plan. Of several runs that make a dataset at one path at the same moment,
        the plan of one counts, decided in one step of the file system, such as renaming a folder or linking a file
        into place. A run of another plan is refused with :class:`tonesmith.OtherPlanError`; one of the same plan
        goes on as a second worker. :func:`tonesmith.plan.differences.check_same_plan` compares attributes.

        Args:
            attributes: JSON to keep with the data.
            schema: the columns.
            rows: the number of rows of the whole plan.
            block_rows: rows of a full block; the last may have fewer.
        """

    @abstractmethod
    def write_block(self, block: Block) -> None:
        """Store a block atomically, replacing one with the same index.

        Its ``plan`` is stored with it, and :meth:`Storage.plan_of` tells it: rows of another plan are then refused.
        """

    @abstractmethod
    def committed(self) -> Mapping[int, int]:
        """Return block index -> number of its rows, for each block that is stored."""

    @abstractmethod
    def add_asset(self, content: bytes) -> str:
        """Store a content under its SHA-256, and return the SHA-256."""

    @abstractmethod
    def record_fault(self, rejection: Rejection) -> None:
        """Store at once that a candidate crashed or timed out, so that a resumed run does not try it again."""

    @abstractmethod
    def faults(self) -> Sequence[Rejection]:
        """Return the rejections that :meth:`record_fault` stored."""

    @abstractmethod
    def finish(self) -> None:
        """Complete the dataset after the last block."""

    def footprint(self, columns: int) -> Footprint:
        """Return about what a dataset takes on a disk. Override it if audio is packed, or lies in more files.

        Args:
            columns: the number of columns of the schema.
        """
        return Footprint()

    @property
    def lossy(self) -> bool:
        """Whether :meth:`stored` may change the audio."""
        return False

    def stored(self, audio: NDArray[Any]) -> NDArray[Any]:
        """Return audio as it will be read back: the same float32, or the result of a lossy encoding.

        Idempotent: ``stored(stored(x))`` equals ``stored(x)``.
        """
        return audio

    @classmethod
    def loading(cls, path: str) -> str:
        """Return a few lines of Python that read a row of a dataset at a path, for its card.

        Override it to show the library that people read the format with.
        """
        return f"from tonesmith import open_dataset\n\nds = open_dataset({path!r})\naudio = ds[0].audio\n"

    @classmethod
    def columns(cls, plan: Plan, splits: Sequence[str]) -> Sequence[Column]:
        """Return the columns as readers of the format see them, for the card of a dataset of this plan.

        Override it if the format has other names than the schema, or more columns.

        Args:
            plan: the plan of the dataset.
            splits: the splits of the dataset; empty if it has none.
        """
        return plan.schema

    @classmethod
    def front_matter(cls, path: Path, splits: Sequence[str]) -> Mapping[str, Any]:
        """Return the YAML head of the card, for Hugging Face's libraries, such as the files of each split.

        Args:
            path: the path of the dataset.
            splits: the splits of the dataset; empty if it has none.
        """
        return {}

    @classmethod
    def file_sets(cls, plan: Plan, splits: Sequence[str]) -> Sequence[FileSet]:
        """Return the files that hold the rows of a dataset of this plan, for its Croissant description.

        Args:
            plan: the plan of the dataset.
            splits: the splits of the dataset; empty if it has none.
        """
        return ()
