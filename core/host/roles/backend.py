"""A backend is a synth: it plays a patch.

This module imports neither NumPy nor an engine. A plugin file should do the same, and import heavy
libraries inside its methods, so that ``tonesmith --help`` and ``tonesmith plugins`` stay quick.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tonesmith.host.roles.base import O, Plugin
from tonesmith.plan.promises import Determinism, Isolation, Promises
from tonesmith.space.shape import SpaceShape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.score.phrase import Phrase
    from tonesmith.space.patch import Note, Patch
    from tonesmith.space.preset import Preset
    from tonesmith.space.space import ParameterSpace


class Backend(Plugin[O]):
    """A synth. Its constructor loads the engine, which one process and one thread then use.

    The host calls ``prepare(patch)`` and then ``render(note)``. With isolation ``snapshot`` each of them
    happens in a forked copy of the pristine engine; with ``fresh``, in a new object for each note; with
    ``reuse``, in one object, which promises that no note affects the next.

    A row that plays a score is a call of ``render_score(phrase)`` if ``plays`` is "scores". Else the host renders each
    note of it by itself, from the pristine state, and adds them up.

    Raise :class:`tonesmith.errors.EngineError` from any method to reject the candidate with that text. If the
    options name something that cannot be used, such as a file that is not a plugin, the constructor and ``space``
    must raise :class:`tonesmith.errors.ConfigError`. The command then ends with status 2, and nothing is written.
    """

    role = "backend"
    isolation: ClassVar[Isolation] = "snapshot"
    """The isolation that this synth needs for its rows to render again."""
    fallback: ClassVar[Isolation] = "fresh"
    """The isolation to use on platforms without fork."""
    determinism: ClassVar[Determinism] = "exact"
    """The promise with ``isolation``: ``exact`` in any process, ``exact-in-run`` in one, or ``floor``."""
    fallback_determinism: ClassVar[Determinism] = "exact-in-run"
    """The promise with ``fallback``."""
    preset_suffix: ClassVar[str] = ""
    """Suffix of the preset files that :meth:`preset` makes, such as ".vital"; "" if it makes none."""
    preset_needs_engine: ClassVar[bool] = False
    """Whether only a live engine can make preset files: with :meth:`save_preset`, and not with :meth:`preset`."""
    preset_suffixes: ClassVar[tuple[str, ...]] = ()
    """Suffixes of the preset files that it reads, in lower case."""
    interchangeable: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of modules that do the same, such as ("osc_1", "osc_2"), by what their parameters' names begin with.

    ``tonesmith score`` exchanges the modules of a group where that makes a predicted label more like the true one.
    """
    preset_banks: ClassVar[tuple[str, ...]] = ()
    """Those of :attr:`preset_suffixes` whose files hold preset files, as a zip does: :meth:`members` names these."""

    plays: ClassVar[Literal["notes", "scores"]] = "notes"
    """Whether it plays a score itself, with :meth:`render_score`, or one note at a time."""
    controls: ClassVar[frozenset[int]] = frozenset()
    """The controllers that it takes, kinds of :mod:`tonesmith.score.controllers`.

    A note may have ``bend``, ``modwheel`` and ``sustain`` if BEND, MODWHEEL and SUSTAIN are among them. For a backend
    that plays scores, a score may have whatever is among them. For one that plays notes, it may have BEND and MODWHEEL
    where they stay as they are while a note is held; and always the pedal, for which notes are held longer.
    """

    def __init__(self, options: O, sample_rate: int) -> None:
        self.options = options
        self.sample_rate = sample_rate

    @classmethod
    def promises(cls, options: O) -> Promises:
        """Return the isolation and the determinism with these options; by default, those of the class.

        Override it if they depend on the options. The attributes of the class must then hold for any options.
        """
        return Promises(cls.isolation, cls.fallback, cls.determinism, cls.fallback_determinism)

    @classmethod
    def shape(cls, options: O) -> SpaceShape:
        """Return what varies by default, before the user's ``[space]``. No engine is loaded."""
        return SpaceShape()

    @classmethod
    def preset_shape(cls, options: O) -> SpaceShape:
        """Return what varies by default in a plan with presets; by default, the same as without."""
        return cls.shape(options)

    @classmethod
    def shapes(cls, options: O) -> Mapping[str, SpaceShape]:
        """Return the shapes that ``[space] shape`` can name, with these options."""
        return {}

    @classmethod
    def recorded(cls, options: O) -> O:
        """Return the options that a plan records: without those that only help to read the space.

        For example, the plan has the contents of a wavetable folder, so the path must not make it a different plan.
        """
        return options

    @classmethod
    def stock(cls, options: O) -> Mapping[str, bytes]:
        """Return SHA-256 -> content of each asset that a parameter with a ``slot`` can choose. No engine is needed."""
        return {}

    @classmethod
    def binary(cls, options: O) -> Path | None:
        """Return the file or bundle that the engine is loaded from, if the user names it; else None.

        ``generate`` checks a binary the first time that it is used, as ``tonesmith doctor`` does.
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

    @classmethod
    def from_plan(cls, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the options of a plan as one would set them today; by default, as they are.

        A plan of an older version of the backend lacks options that are new. Give those here whose default would change
        how it sounds.
        """
        return options

    @classmethod
    def pinned(cls, options: O) -> bool:
        """Return whether engines with these options are to run in pinned processes; by default, not.

        Such a process starts without address randomisation. Call :func:`tonesmith.pinning.held.hold_still` in the
        constructor, right before the engine's code is loaded: from then on its wall clock and its random devices tell
        the same in each process.
        """
        return False

    @abstractmethod
    def space(self) -> ParameterSpace:
        """Return every parameter of the live engine. Called in a separate process.

        What it fixes, such as a pitch wheel that a note leaves where it is, varies only if the user frees it.
        """

    def remarks(self) -> Sequence[str]:
        """Return what a user should know of the live engine, a sentence each, such as what its space leaves out.

        Called after :meth:`space`, on the same object. ``generate`` and the doctor say it.
        """
        return ()

    @abstractmethod
    def versions(self) -> Mapping[str, str]:
        """Return the versions of the engine and its library, which a plan records."""

    def assets(self) -> Mapping[str, bytes]:
        """Return slot name -> content of each asset of the default patch. Called after :meth:`space`."""
        return {}

    def add_asset(self, name: str, content: bytes) -> None:
        """Store the content of an asset under its SHA-256. Called before a patch that names it."""
        raise NotImplementedError(f"{self.name} has no assets")

    def drop_asset(self, name: str) -> None:
        """Forget an asset, to keep memory flat if there are many. It is added again before a patch that names it."""

    def template_key(self, patch: Patch) -> str:
        """Return a key of what :meth:`load_template` would load for a patch; "" for nothing.

        Patches with the same key share one loaded snapshot, so the template is loaded once for all of them.
        """
        return ""

    def load_template(self, patch: Patch) -> None:
        """Load the costly part of a patch (its preset, wavetables) into the pristine engine."""

    @abstractmethod
    def prepare(self, patch: Patch) -> None:
        """Set every parameter of the patch. The template of its key is already loaded."""

    def held(self) -> Mapping[str, float]:
        """Return parameter -> raw value where the engine holds another one than :meth:`prepare` was told to set.

        A synth may clamp or round a value, as another one decides. Then the patch with the values that it holds is
        prepared and rendered instead, from the pristine state, and the label that is stored has these. They must be
        held when they are set: else the candidate is rejected.
        """
        return {}

    def read(self) -> Mapping[str, float]:
        """Return parameter -> current raw value in the engine, for the parameters that it can report.

        ``tonesmith doctor`` compares the values with those that :meth:`prepare` was given.
        """
        return {}

    @abstractmethod
    def render(self, note: Note) -> NDArray[Any]:
        """Return float32 (channels, frames) of ``note.duration`` seconds from note on."""

    def pieces(self, note: Note) -> Iterable[NDArray[Any]]:
        """Return what :meth:`render` returns, in pieces that follow each other in time; by default, in one.

        Each is float32 (channels, frames). The host stores a piece before it asks for the next, so a synth that renders
        in blocks needs the memory of one block only, which costs a fork less.
        """
        return (self.render(note),)

    def render_score(self, phrase: Phrase) -> NDArray[Any]:
        """Return float32 (channels, frames) of ``phrase.duration`` seconds. Called if ``plays`` is "scores".

        Each note begins at the frame ``round(onset * sample_rate)``. What sounds at ``phrase.hold`` is let go, and
        nothing begins after it. :func:`tonesmith.score.messages.messages` returns all of that as MIDI.
        """
        raise NotImplementedError(f"{self.name} does not play scores")

    def score_pieces(self, phrase: Phrase) -> Iterable[NDArray[Any]]:
        """Return what :meth:`render_score` returns, in pieces, as :meth:`pieces` does of a note."""
        return (self.render_score(phrase),)

    def load_preset(self, path: Path) -> Preset:
        """Return the preset in a file. Called in a process that is used for nothing else, or in a fork.

        The file may be hostile, so check everything that the engine does not. Raise
        :class:`tonesmith.errors.EngineError` with the reason; the host adds the name of the file.
        """
        raise NotImplementedError(f"{self.name} cannot read presets")

    def load_presets(self, path: Path) -> Sequence[Preset]:
        """Return every preset of a file that can hold several, in order; by default, the one of :meth:`load_preset`.

        The ``patch.preset`` of each is a SHA-256 of its own part of the file, so that the same preset in two files
        counts as one.
        """
        return (self.load_preset(path),)

    def members(self, path: Path) -> Sequence[str]:
        """Return the names of the preset files in a file with a suffix of :attr:`preset_banks`, in a stable order.

        Called as :meth:`load_preset` is, and the file may be as hostile. Raise
        :class:`tonesmith.errors.EngineError` if nothing in it can be read.
        """
        raise NotImplementedError(f"{self.name} cannot read banks of preset files")

    def load_member(self, path: Path, name: str) -> Preset:
        """Return a preset of such a file by its name. Each is read by itself, so one that is bad costs no other.

        Raise :class:`tonesmith.errors.EngineError` with the reason; the host adds the name of the file and of the
        preset in it.
        """
        raise NotImplementedError(f"{self.name} cannot read banks of preset files")

    @classmethod
    def preset(cls, patch: Patch, assets: Mapping[str, bytes], name: str) -> bytes:
        """Return a preset file that the synth itself opens. No engine is needed.

        Args:
            patch: with a value for every parameter.
            assets: SHA-256 -> content, for every asset that the patch names.
            name: shown as the preset's name.
        """
        raise NotImplementedError(f"{cls.name} cannot write presets")

    def save_preset(self, name: str) -> bytes:
        """Return a preset file of the patch that :meth:`prepare` was given, in a process used for nothing else.

        Args:
            name: shown as the preset's name, if the format has one.
        """
        raise NotImplementedError(f"{self.name} cannot write presets")
