"""Components that are laid along the axes of an earlier model, so that its directions mean what they meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.atlas import Atlas
from tonesmith.explorer.principal import Components
from tonesmith.explorer.sliders import Slider


def rotated(components: Components, size: int, like: Components) -> Components:
    """Return components whose axes are turned to those of an earlier model; what they span stays the same.

    The rotation is the orthogonal one of Procrustes (Schönemann 1966, doi:10.1007/BF02289451), each axis weighted with
    its variance in the earlier model. Axes that the earlier model lacks are principal ones of what is left.

    Args:
        components: as they were found, at most 64.
        size: how many are wanted. There are as many as the earlier model has, if more were not wanted.
        like: the components of the earlier model.

    Returns:
        The components. Frames have deviation 1 along each, and need not be independent along two of them.
    """
    size = min(max(size, len(like.axes)), len(components.axes))
    own = components.first(size)
    turn = _turn(own, like.first(size))
    variance = np.square(own.deviation.astype(np.float64))
    total = float(variance.sum()) / max(float(own.share.sum()), 1e-12)
    along = np.square(turn) @ variance
    axes = (turn @ own.axes.astype(np.float64)).astype(np.float32)
    return Components(own.mean, axes, np.sqrt(along).astype(np.float32), along / total)


def _turn(own: Components, like: Components) -> NDArray[np.float64]:
    """Return the rotation: float64 (k, k), whose rows are the turned axes in terms of the components' own."""
    wanted = np.square(like.deviation.astype(np.float64))[:, None] * (like.axes @ own.axes.T).astype(np.float64)
    left, _, right = np.linalg.svd(wanted, full_matrices=False)
    turned = left @ right
    variance = np.square(own.deviation.astype(np.float64))
    beside = np.eye(len(own.axes)) - turned.T @ turned
    spread = beside @ (variance[:, None] * beside)
    more = np.linalg.eigh(spread)[1][:, ::-1].T[: len(own.axes) - len(turned)]
    return np.concatenate([turned, more])


@dataclass(frozen=True, slots=True)
class MovedSound:
    """How far a sound is from where it was: in deviations of the earlier model, along its axes on average."""

    name: str
    distance: float


@dataclass(frozen=True, slots=True)
class MovedSlider:
    """What became of a slider.

    Attributes:
        name: of it.
        angle: degrees between its direction and the one that it had; None if it is gone, or new.
        before: confidence that it had; None if it is new.
        after: confidence that it has; None if it is gone.
    """

    name: str
    angle: float | None
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Growth:
    """What moved from a model to the one that it grew into."""

    sounds: tuple[MovedSound, ...]
    sliders: tuple[MovedSlider, ...]


def moved_between(old: Atlas, new: Atlas) -> Growth:
    """Return how far the sounds of a model moved, and what became of its sliders."""
    places = {sound.sha256: place for place, sound in enumerate(new.sounds)}
    sounds = [
        MovedSound(sound.name, _distance(old, new, place, places[sound.sha256]))
        for place, sound in enumerate(old.sounds)
        if sound.sha256 in places
    ]
    before, after = ({slider.name: slider for slider in atlas.sliders} for atlas in (old, new))
    names = dict.fromkeys([*before, *after])
    return Growth(tuple(sounds), tuple(_slider(name, old, new, before, after) for name in names))


def _slider(
    name: str, old: Atlas, new: Atlas, before: Mapping[str, Slider], after: Mapping[str, Slider]
) -> MovedSlider:
    one, other = before.get(name), after.get(name)
    angle = None
    if one is not None and other is not None:
        near = _cosine(_in_levels(old, one), _in_levels(new, other))
        angle = float(np.degrees(np.arccos(np.clip(near, -1.0, 1.0))))
    return MovedSlider(name, angle, one.confidence if one else None, other.confidence if other else None)


def _in_levels(atlas: Atlas, slider: Slider) -> NDArray[np.float64]:
    """Return the change of levels that a step of a slider is, around the mean of the sounds: float64 (bins,), in dB."""
    before, after = atlas.code.decode(np.stack([-0.5 * slider.direction, 0.5 * slider.direction])).astype(np.float64)
    return np.asarray(after - before)


def _cosine(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the cosine between two directions, negative if they point apart."""
    return float(first @ second / max(float(np.linalg.norm(first) * np.linalg.norm(second)), 1e-12))


def _distance(old: Atlas, new: Atlas, at_old: int, at_new: int) -> float:
    first = old.trajectories[at_old].latent.astype(np.float32)
    second = new.trajectories[at_new].latent.astype(np.float32)
    count, size = min(len(first), len(second)), min(first.shape[1], second.shape[1])
    return float(np.sqrt(np.square(first[:count, :size] - second[:count, :size]).mean()))
