"""The four roles of a plugin. A plugin is a class with a name, a summary, ``Options`` and a few methods.

This module imports neither NumPy nor an engine: a plugin file should do the same, and import what is
heavy inside its methods, so that ``tonesmith --help`` and ``tonesmith plugins`` stay quick.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tonesmith.host.roles.base import O, Plugin
from tonesmith.plan.promises import Determinism, Isolation, Promises
from tonesmith.space.shape import SpaceShape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.space.patch import Note, Patch
    from tonesmith.space.preset import Preset
    from tonesmith.space.space import ParameterSpace


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

    @classmethod
    def loads(cls, options: O) -> tuple[str, ...]:
        """Return what code an engine with these options runs that no Python package brought: full paths, or names.

        A plan that is read from a dataset may be a stranger's. Before an engine is started from it, the host asks here,
        and refuses what this user has not named himself in an earlier run. Here it is the binary, and every option that
        is a ``Path``. Return nothing of a file that is only read.
        """
        binary = cls.binary(options)
        values = (getattr(options, name) for name in type(options).model_fields)
        paths = [value for value in values if isinstance(value, Path)]
        return tuple(dict.fromkeys(str(path) for path in ([] if binary is None else [binary]) + paths))

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
