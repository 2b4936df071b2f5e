"""The four roles of a plugin. A plugin is a class with a name, a summary, ``Options`` and a few methods.

This module imports neither NumPy nor an engine: a plugin file should do the same, and import what is
heavy inside its methods, so that ``tonesmith --help`` and ``tonesmith plugins`` stay quick.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from tonesmith.shape import SpaceShape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.block import Block, Column, Rejection, Render, Verdict
    from tonesmith.patch import Candidate, Note, Patch
    from tonesmith.plan import Plan
    from tonesmith.preset import Preset
    from tonesmith.space import ParameterSpace

Isolation = Literal["snapshot", "fresh", "reuse"]
Determinism = Literal["exact", "exact-in-run", "floor", "none"]


@dataclass(frozen=True, slots=True)
class Promises:
    """What a backend promises of its rows, and the isolation that it takes: see :class:`Backend`."""

    isolation: Isolation
    fallback: Isolation
    determinism: Determinism
    fallback_determinism: Determinism


class Options(BaseModel):
    """Base of every plugin's options: each field is a TOML key and a command-line flag.

    Give each field a default, a description, and bounds (``Field(1, ge=0, le=9, description=...)``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


O = TypeVar("O", bound=Options)  # noqa: E741 - the options type of a plugin


class Plugin(ABC, Generic[O]):
    """What all roles share.

    A plugin object never crosses a process: a worker rebuilds it from its name and options.
    """

    role: ClassVar[str]
    name: ClassVar[str]
    """One word, unique in its role: lower-case letters, digits, ``-`` and ``_``."""
    summary: ClassVar[str]
    """One line, for ``tonesmith plugins``."""
    Options: ClassVar[type[Options]]

    options: O


class Backend(Plugin[O]):
    """A synth. Constructing one loads the engine; it is then used by one process and one thread.

    The host calls ``prepare(patch)`` and then ``render(note)``. With isolation ``snapshot`` each of them
    happens in a forked copy of the pristine engine; with ``fresh``, in a new object for each note; with
    ``reuse``, in one object, which promises that no note hears the one before.

    Raise :class:`tonesmith.errors.EngineError` from any method to reject the candidate with that text. Where the
    options name something that cannot be used, such as a file that is no plugin, the constructor and ``space``
    raise :class:`tonesmith.errors.ConfigError`: the command ends with status 2 and nothing is written.
    """

    role = "backend"
    isolation: ClassVar[Isolation] = "snapshot"
    """The isolation that this synth needs for its rows to render again."""
    fallback: ClassVar[Isolation] = "fresh"
    """The isolation to use where the platform has no fork."""
    determinism: ClassVar[Determinism] = "exact"
    """What is promised with ``isolation``: ``exact`` in any process, ``exact-in-run`` in one, or ``floor``."""
    fallback_determinism: ClassVar[Determinism] = "exact-in-run"
    """What is promised with ``fallback``."""
    preset_suffix: ClassVar[str] = ""
    """Suffix of the preset files that :meth:`preset` makes, such as ".vital"; "" if it makes none."""
    preset_suffixes: ClassVar[tuple[str, ...]] = ()
    """Suffixes of the preset files that :meth:`load_presets` reads, in lower case."""

    def __init__(self, options: O, sample_rate: int) -> None:
        self.options = options
        self.sample_rate = sample_rate

    @classmethod
    def promises(cls, options: O) -> Promises:
        """Return the isolation and the determinism with these options: those of the class.

        Where they depend on the options, override it, and let the class have what is true of any options.
        """
        return Promises(cls.isolation, cls.fallback, cls.determinism, cls.fallback_determinism)

    @classmethod
    def shape(cls, options: O) -> SpaceShape:
        """Return what varies by default, before the user's ``[space]``. No engine is loaded for it."""
        return SpaceShape()

    @classmethod
    def preset_shape(cls, options: O) -> SpaceShape:
        """Return what varies by default in a plan that has presets. Here as without them."""
        return cls.shape(options)

    @classmethod
    def shapes(cls, options: O) -> Mapping[str, SpaceShape]:
        """Return the shapes that ``[space] shape`` may name, with these options."""
        return {}

    @classmethod
    def recorded(cls, options: O) -> O:
        """Return the options as a plan records them: without what has done its part once the space is read.

        A folder whose contents the plan has taken over must not make two plans of one.
        """
        return options

    @classmethod
    def stock(cls, options: O) -> Mapping[str, bytes]:
        """Return SHA-256 -> content of each asset that a parameter with a ``slot`` may choose. No engine is needed."""
        return {}

    @classmethod
    def binary(cls, options: O) -> Path | None:
        """Return the file or bundle that the engine is loaded from, where the user names it; else None.

        ``generate`` checks a binary when it meets it for the first time, as ``tonesmith doctor`` does.
        """
        return None

    @abstractmethod
    def space(self) -> ParameterSpace:
        """Return every parameter of the live engine, none fixed. Called in a process of its own."""

    @abstractmethod
    def versions(self) -> Mapping[str, str]:
        """Return the versions of the engine and its library, which a plan records."""

    def assets(self) -> Mapping[str, bytes]:
        """Return slot name -> content of what the default patch holds. Called after :meth:`space`."""
        return {}

    def add_asset(self, name: str, content: bytes) -> None:
        """Take the content of an asset by its SHA-256, before a patch that names it."""
        raise NotImplementedError(f"{self.name} has no assets")

    def drop_asset(self, name: str) -> None:
        """Forget an asset: it is added again before a patch that names it. Where there are many, memory stays flat."""

    def template_key(self, patch: Patch) -> str:
        """Return a key of what :meth:`load_template` would load for a patch; "" for nothing.

        Patches with one key share one loaded snapshot, so the loading is paid once for all of them.
        """
        return ""

    def load_template(self, patch: Patch) -> None:
        """Load the costly part of a patch (its preset, wavetables) into the pristine engine."""

    @abstractmethod
    def prepare(self, patch: Patch) -> None:
        """Set every parameter of the patch. The template of its key is loaded."""

    def read(self) -> Mapping[str, float]:
        """Return parameter -> raw value as the engine has it now, for those that it can tell.

        ``tonesmith doctor`` compares it with what :meth:`prepare` was told.
        """
        return {}

    @abstractmethod
    def render(self, note: Note) -> NDArray[Any]:
        """Return float32 (channels, frames) of ``note.duration`` seconds from note on."""

    def load_preset(self, path: Path) -> Preset:
        """Return what is in a preset file. Called in a process that is used for nothing else, or in a fork.

        The file is hostile until proven: check what the engine does not. Raise
        :class:`tonesmith.errors.EngineError` with what is wrong; the host names the file.
        """
        raise NotImplementedError(f"{self.name} reads no presets")

    def load_presets(self, path: Path) -> Sequence[Preset]:
        """Return every preset of a file that may hold several, in their order there; else as :meth:`load_preset`.

        The ``patch.preset`` of each is a SHA-256 of its own part of the file, so that the same preset in two files
        is known as one.
        """
        return (self.load_preset(path),)

    @classmethod
    def preset(cls, patch: Patch, assets: Mapping[str, bytes], name: str) -> bytes:
        """Return a preset file that the synth itself opens. No engine is needed.

        Args:
            patch: with a value for every parameter.
            assets: SHA-256 -> content, for every asset that the patch names.
            name: shown as the preset's name.
        """
        raise NotImplementedError(f"{cls.name} writes no presets")


class Sampler(Plugin[O]):
    """Draws patches. ``draw`` is a pure function of the plan's seed and the candidate.

    Args of the constructor:
        options: of this sampler.
        space: to draw from.
        seed: of the plan.
        rounds: patches of each round of the plan: ``(48,)``, or ``(48, 52)`` once extended to 100.
        presets: the patches of the plan's presets; each names its file by ``Patch.preset``. What the plan fixes
            has its fixed value in them.
    """

    role = "sampler"
    uses_presets: bool = False
    """Whether it draws from the plan's presets."""

    def __init__(
        self,
        options: O,
        space: ParameterSpace,
        seed: int,
        rounds: tuple[int, ...],
        presets: Sequence[Patch] = (),
    ) -> None:
        self.options = options
        self.space = space
        self.seed = seed
        self.rounds = rounds
        self.presets = presets
        self.set_up()

    def set_up(self) -> None:
        """Get ready to draw. Override it in place of the constructor; raise :class:`tonesmith.errors.ConfigError`."""

    def origins(self) -> tuple[str, ...]:
        """Return the values of ``Patch.origin`` that it gives."""
        return (self.name,)

    def limit(self) -> int | None:
        """Return how many patches it can draw, or None for as many as are asked for."""
        return None

    @abstractmethod
    def draw(self, candidate: Candidate) -> Patch:
        """Return the patch of a candidate, at a cost that does not grow with its index.

        A later attempt is a new draw that leaves every other patch as it is.
        """


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that a validator measures of each render: its name, unit and meaning."""

    name: str
    unit: str
    doc: str


class Validator(Plugin[O]):
    """Measures a render, and accepts or rejects it. A pure function of the render."""

    role = "validator"
    measures: ClassVar[tuple[Measure, ...]]
    """Each becomes a column of the dataset; names are unique among a plan's validators."""

    def __init__(self, options: O) -> None:
        self.options = options

    @abstractmethod
    def check(self, render: Render) -> Verdict:
        """Return the verdict on a render, with a number for each of :attr:`measures`."""


class Storage(ABC):
    """A dataset opened for reading: what a sink's ``open`` returns, and :class:`Dataset` reads.

    Safe to use from threads, to pickle, and to use after a fork.
    """

    attributes: Mapping[str, Any]
    """The JSON that :meth:`Sink.create` was given, as last updated."""

    @abstractmethod
    def blocks(self) -> Mapping[int, tuple[bytes, ...]]:
        """Return block index -> digests of its rows, for each committed block."""

    def committed(self) -> Mapping[int, int]:
        """Return block index -> number of its rows, for each committed block. Override it if digests are costly."""
        return {block: len(digests) for block, digests in self.blocks().items()}

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
        """Return the content with that SHA-256, checked against it."""

    @abstractmethod
    def assets(self) -> Sequence[str]:
        """Return the SHA-256 of every asset that is stored, in order."""

    @abstractmethod
    def nbytes(self) -> int:
        """Return the bytes that the dataset takes in storage."""

    def check(self) -> Iterable[str]:
        """Yield what is wrong with what lies beside rows and assets, and what to do, a sentence each.

        Override it if the format keeps such things: an index, markers, a document that other programs open.
        """
        return ()


@dataclass(frozen=True, slots=True)
class FileSet:
    """Files of a dataset, as its Croissant description tells them.

    Attributes:
        name: of the set: letters, digits and ``-``.
        includes: a glob, relative to the dataset.
        media_type: of each file, such as "application/x-tar".
        doc: what they hold.
        fields: name of a column that a table of such files has -> its Croissant type, such as "sc:Float". Empty
            where the format is no table that Croissant reads.
    """

    name: str
    includes: str
    media_type: str
    doc: str
    fields: Mapping[str, str] = field(default_factory=dict)


class Sink(Plugin[O]):
    """Stores a dataset at a path. Every method may be called from any process.

    A block is stored whole or not at all: it counts once :meth:`committed` names it, and is written
    aside, flushed to the disk, and renamed. Nothing is locked.
    """

    role = "sink"
    divides: ClassVar[bool] = False
    """Whether readers of the format tell splits by files, so that the rows of each split lie in files of their own."""
    record: ClassVar[str] = ""
    """The file of a dataset, or what is in one, that has its plan and space as JSON, for its card."""

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
        """Make the dataset, or bring one that is there up to these attributes and this many rows.

        Args:
            attributes: JSON to keep with the data.
            schema: the columns.
            rows: of the whole plan.
            block_rows: rows of a full block; the last may have fewer.
        """

    @abstractmethod
    def write_block(self, block: Block) -> None:
        """Store a block: whole and atomic, replacing one of the same index."""

    @abstractmethod
    def committed(self) -> Mapping[int, int]:
        """Return block index -> number of its rows, for each block that is stored."""

    @abstractmethod
    def add_asset(self, content: bytes) -> str:
        """Store a content under its SHA-256, and return that."""

    @abstractmethod
    def record_fault(self, rejection: Rejection) -> None:
        """Store at once that a candidate crashed or timed out, so that a resumed run honours it."""

    @abstractmethod
    def faults(self) -> Sequence[Rejection]:
        """Return what :meth:`record_fault` stored."""

    @abstractmethod
    def finish(self) -> None:
        """Do what is left once every block is stored."""

    @property
    def lossy(self) -> bool:
        """Whether :meth:`stored` may return other audio than it is given."""
        return False

    def stored(self, audio: NDArray[Any]) -> NDArray[Any]:
        """Return audio as it will be read back: the same float32, or as a lossy encoding leaves it.

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
        """Return the columns as readers of the format find them, for the card of a dataset of this plan.

        Override it for a format that spells a column otherwise than the schema, or has further ones.

        Args:
            plan: of the dataset.
            splits: of the dataset; empty if it has none.
        """
        return plan.schema

    @classmethod
    def front_matter(cls, path: Path, splits: Sequence[str]) -> Mapping[str, Any]:
        """Return what the card tells Hugging Face's libraries in its YAML head, such as which files are which split.

        Args:
            path: of the dataset.
            splits: of the dataset; empty if it has none.
        """
        return {}

    @classmethod
    def file_sets(cls, plan: Plan, splits: Sequence[str]) -> Sequence[FileSet]:
        """Return the files that hold the rows of a dataset of this plan, for its Croissant description.

        Args:
            plan: of the dataset.
            splits: of the dataset; empty if it has none.
        """
        return ()
