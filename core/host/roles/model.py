"""A model maps the frames of sounds to points of a latent space, and back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from tonesmith.host.roles.base import O, Plugin

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Tensors = Mapping[str, NDArray[Any]]


def _nothing_kept() -> None:
    return None


def _not_kept(_: Tensors) -> None:
    pass


def _not_told(_: str) -> None:
    pass


@dataclass(frozen=True, eq=False, slots=True)
class Frames:
    """The frames of a sound, which follow each other.

    Attributes:
        levels: float32 (frames, bins), log-magnitudes in dB. Linear bins of 48 kHz; floor -80 dB.
        heard: bool (frames,), those that are no silence.
        group: of the sound, from 0 on. Sounds of a group are held out together.
    """

    levels: NDArray[np.float32]
    heard: NDArray[np.bool_]
    group: int


@dataclass(frozen=True, eq=False, slots=True)
class Material:
    """What a model is fitted on.

    Attributes:
        sounds: yields the sounds, as often as it is called and the same ones each time. They need not fit into memory.
        told: takes a sentence about the fit for the person at the terminal.
        shown: takes a few words about how far it is, which replace those before.
        kept: returns what an interrupted fit of the same model on the same material kept last, or None.
        keep: stores arrays, so that a fit that is interrupted can go on from them. What it kept before is replaced.
    """

    sounds: Callable[[], Iterable[Frames]]
    told: Callable[[str], None] = _not_told
    shown: Callable[[str], None] = _not_told
    kept: Callable[[], Tensors | None] = _nothing_kept
    keep: Callable[[Tensors], None] = _not_kept

    def without(self, group: int) -> Material:
        """Return the same material without a group of sounds."""
        every = self.sounds
        return replace(self, sounds=lambda: (sound for sound in every() if sound.group != group))


class Model(Plugin[O]):
    """Maps frames to latents and back. The explorer does the rest: exemplars, sliders, phase, files, and the judging.

    A frame's levels depend on its own latent alone, so that sound can be made in blocks. An encoder may look at
    ``reach`` frames on either side.

    A model other than ``atlas`` is judged before it is kept: it is fitted without one group of sounds, which an atlas
    that was fitted without them must not describe better.
    """

    role = "model"
    reach: ClassVar[int] = 0
    """Frames on either side of one that its latent depends on."""

    def __init__(self, options: O) -> None:
        self.options = options

    @classmethod
    def recorded(cls, options: O) -> Mapping[str, Any]:
        """Return the options that decide what is learned, as JSON; by default all.

        A fit that was interrupted goes on if they are the same.
        """
        return options.model_dump(mode="json")

    def check(self) -> None:
        """Raise :class:`tonesmith.errors.ConfigError` if it cannot be fitted here, such as for a missing library.

        It is called before a sound is read.
        """

    @abstractmethod
    def fit(self, material: Material) -> None:
        """Learn from sounds. The same material and options give the same model on one machine.

        One that is interrupted, and fitted again on the same material, ends as if it had not been, if it calls
        ``material.keep`` from time to time and begins with ``material.kept()``.
        """

    @abstractmethod
    def encode(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the latents of frames (frames, bins) that follow each other: float32 (frames, k).

        Over the sounds that it was fitted on, each of the k numbers has mean 0 and deviation 1, nearly.
        """

    @abstractmethod
    def decode(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the levels of latents (frames, k): float32 (frames, bins), in dB. Each frame for itself."""

    @abstractmethod
    def save(self) -> Tensors:
        """Return what :meth:`load` needs: arrays of numbers by name."""

    @abstractmethod
    def load(self, tensors: Tensors) -> None:
        """Become the model that was saved.

        The arrays may be a stranger's: raise :class:`ValueError` or :class:`KeyError` if they do not fit together.
        """

    def report(self) -> Mapping[str, float | str]:
        """Return what a person should know of the fit, such as its number of steps; by default, nothing."""
        return {}


@runtime_checkable
class Grows(Protocol):
    """What a :class:`Model` has besides, if ``tonesmith explore add`` can fit it again with more sounds."""

    def grow(self, material: Material, earlier: Any) -> None:
        """Learn from sounds as :meth:`Model.fit` does, and begin with what an earlier model learned.

        A step along a latent changes what it changed in ``earlier``, as far as it can, so that sliders and presets mean
        what they meant. There may be more latents, after those of ``earlier``.

        Args:
            material: the sounds of the earlier model, and new ones.
            earlier: a fitted model of the same class.
        """
