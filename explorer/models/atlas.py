"""The model ``atlas``: whitened principal components of frames, as many as held-out sounds say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tonesmith.errors import ConfigError
from tonesmith.host.roles import Frames, Material, Model, Options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.explorer.principal import Components, Sums

_TOGETHER = 1024
"""Frames whose products are summed at once."""


class AtlasOptions(Options):
    """The atlas has no options: held-out sounds choose the number of components."""


class AtlasModel(Model[AtlasOptions]):
    """Fitted in seconds by NumPy and SciPy alone. Sounds of a group are held out together to choose its size."""

    name = "atlas"
    summary = "principal components of the frames; fits in seconds, without a GPU"
    Options = AtlasOptions

    def fit(self, material: Material, like: Components | None = None) -> None:
        """Find the components of all frames, and those without each group of sounds.

        Args:
            material: of the sounds.
            like: components along which those of all frames are laid, as far as they go; None for their own.
        """
        from tonesmith.explorer import principal
        from tonesmith.explorer.aligned import rotated

        folds = summed(material)
        if not folds:
            raise ConfigError("no sound can be used: a model needs at least one file that is not silent.")
        whole = principal.components_of(total_of(folds))
        size, self._held_out, others = chosen(folds, total_of(folds), whole)
        self._components = whole.first(size) if like is None else rotated(whole, size, like)
        self._others = [other.first(size) for other in others]

    @property
    def components(self) -> Components:
        """The components of all frames."""
        return self._components

    @property
    def others(self) -> Sequence[Components]:
        """For each group, the components of the frames of the other groups. Not of a model that was loaded."""
        return self._others

    @property
    def held_out(self) -> float:
        """The root mean square error of levels of held-out frames, in dB. Not of a model that was loaded."""
        return self._held_out

    def encode(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the latents of frames (frames, bins): float32 (frames, k)."""
        return self._components.encode(levels)

    def decode(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the levels of latents (frames, k): float32 (frames, bins), in dB."""
        return self._components.decode(latent)

    def save(self) -> Mapping[str, NDArray[Any]]:
        """Return the components as arrays."""
        return tensors_of(self._components)

    def load(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Become the model of components that were saved."""
        self._components = components_from(tensors)

    def report(self) -> Mapping[str, float | str]:
        """Return how many components there are."""
        return {"components": len(self._components.axes)}


def tensors_of(components: Components) -> dict[str, NDArray[Any]]:
    """Return components as arrays."""
    return {name: getattr(components, name) for name in ("mean", "axes", "deviation", "share")}


def components_from(tensors: Mapping[str, NDArray[Any]]) -> Components:
    """Return components that were saved as arrays. Raises :class:`ValueError` or :class:`KeyError` for others."""
    from tonesmith.explorer.principal import Components

    found = Components(tensors["mean"], tensors["axes"], tensors["deviation"], tensors["share"])
    size, bins = found.axes.shape if found.axes.ndim == 2 else (0, 0)
    shapes = (found.mean.shape, found.deviation.shape, found.share.shape)
    if shapes != ((bins,), (size,), (size,)) or not size or not (found.deviation > 0.0).all():
        raise ValueError("its components have another size")
    return found


def summed(material: Material) -> list[Sums]:
    """Return the sums of the heard frames of each group that has any."""
    folds: dict[int, Summing] = {}
    for sound in material.sounds():
        fold = folds.setdefault(sound.group, Summing(sound.levels.shape[1]))
        for levels in _parts(sound):
            fold.add(levels)
    sums = [folds[group].done() for group in sorted(folds)]
    return [each for each in sums if each.count]


def _parts(sound: Frames) -> list[NDArray[np.float32]]:
    starts = range(0, len(sound.levels), _TOGETHER)
    return [sound.levels[at : at + _TOGETHER][sound.heard[at : at + _TOGETHER]] for at in starts]


class Summing:
    """Adds up frames, many at once: a product of few is as large as one of many."""

    def __init__(self, bins: int) -> None:
        from tonesmith.explorer import principal

        self._sums = principal.nothing(bins)
        self._waiting: list[NDArray[np.float32]] = []

    def add(self, levels: NDArray[np.float32]) -> None:
        """Add frames (count, bins)."""
        self._waiting.append(levels)
        if sum(map(len, self._waiting)) >= _TOGETHER:
            self.done()

    def done(self) -> Sums:
        """Return the sums of all that were added."""
        import numpy as np

        from tonesmith.explorer import principal

        if sum(map(len, self._waiting)):
            self._sums += principal.sums_of(np.concatenate(self._waiting))
        self._waiting = []
        return self._sums


def total_of(folds: Sequence[Sums]) -> Sums:
    """Return the sums of all groups together."""
    total = folds[0]
    for fold in folds[1:]:
        total += fold
    return total


def chosen(folds: Sequence[Sums], total: Sums, whole: Components) -> tuple[int, float, list[Components]]:
    """Return how many components are worth it, their held-out error in dB, and the components without each group."""
    import numpy as np

    from tonesmith.explorer import principal

    others = [principal.components_of(total - fold if len(folds) > 1 else fold, whole) for fold in folds]
    errors = [principal.held_out_error(other, fold) for other, fold in zip(others, folds, strict=True)]
    size = principal.chosen_size(errors)
    return size, float(np.mean([error[size - 1] for error in errors])), others
