"""Where the sounds of a model lie, and how new each sound is that was made with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError
from tonesmith.explorer.frames import RATE
from tonesmith.explorer.history import entries_of
from tonesmith.explorer.sounds import Recorded, read_sound

if TYPE_CHECKING:
    from tonesmith.explorer.atlas import Atlas, Trajectory
    from tonesmith.explorer.history import Entry

MOST_FRAMES = 4_000
"""Frames of the model's sounds that others are compared with."""
MOST_MADE = 40
"""Sounds of the history whose novelty is measured: the newest."""
_OF_ONE = 200
_TOGETHER = 256
LONGEST = 10.0
"""Seconds of a sound that was made whose novelty is measured: the first."""


@dataclass(frozen=True, slots=True)
class Place:
    """A sound on the map.

    Attributes:
        name: of it.
        x: along the direction in which the means of the sounds differ most, in deviations of frames.
        y: along the next.
    """

    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class New:
    """A sound that was made.

    Attributes:
        number: of it in the history.
        name: of its file.
        novelty: distance of its frames to the nearest of the model's sounds, over that of the model's sounds to each
            other; None if the file is gone, changed, or cannot be read.
        why: there is none; "" otherwise.
    """

    number: int
    name: str
    novelty: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is shown of a model beside its description.

    Attributes:
        places: of its sounds, in their order.
        share: of the variance of the means of the sounds that the two directions of the map have.
        apart: median distance of a sound's frames to the nearest of the others, in deviations; None for one sound.
        made: the newest 40 sounds of the history, the oldest of them first.
    """

    places: tuple[Place, ...]
    share: float
    apart: float | None
    made: tuple[New, ...]


def surveyed(atlas: Atlas, path: Path) -> Survey:
    """Return where the sounds of a model lie, and how new those are that were made with it.

    Args:
        atlas: the model.
        path: of its folder.

    Raises :class:`tonesmith.DatasetError` if its history cannot be read.
    """
    places, share = _mapped(atlas)
    own = _own_frames(atlas)
    apart = _apart(own)
    made = [_novelty(entry, atlas, np.concatenate(own), apart) for entry in entries_of(path)[-MOST_MADE:]]
    return Survey(places, share, apart, tuple(made))


def survey_json(survey: Survey) -> dict[str, Any]:
    """Return a survey as ``--json`` tells it."""
    return {
        "map": {"share": survey.share, "sounds": [asdict(place) for place in survey.places]},
        "apart": survey.apart,
        "made": [asdict(each) for each in survey.made],
    }


def _mapped(atlas: Atlas) -> tuple[tuple[Place, ...], float]:
    """Return the first two principal components of the mean latents, and their share of the variance."""
    means = np.stack([track.latent.astype(np.float64).mean(axis=0) for track in atlas.trajectories])
    placed = means - means.mean(axis=0)
    _, size, axes = np.linalg.svd(placed, full_matrices=False)
    power = np.square(size)
    axes = axes[:2] * np.sign(axes[:2][np.arange(len(axes[:2])), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    at = np.zeros((len(means), 2))
    at[:, : len(axes)] = placed @ axes.T
    share = float(power[:2].sum() / power.sum()) if power.sum() > 0.0 else 1.0
    pairs = zip(atlas.sounds, at.tolist(), strict=True)
    return tuple(Place(sound.name, float(x), float(y)) for sound, (x, y) in pairs), share


def _own_frames(atlas: Atlas) -> list[NDArray[np.float32]]:
    """Return frames of each sound of one's own at even distances, those of all sounds if a model made all."""
    own = [at for at, sound in enumerate(atlas.sounds) if sound.made_by is None] or list(range(len(atlas.sounds)))
    share = max(min(MOST_FRAMES // len(own), _OF_ONE), 1)
    chosen = own[:: max(len(own) // MOST_FRAMES, 1)]
    return [_some(atlas.trajectories[at], share) for at in chosen]


def _some(track: Trajectory, most: int) -> NDArray[np.float32]:
    at = np.unique(np.linspace(0, len(track) - 1, min(most, len(track))).round().astype(np.int64))
    return track.latent[at].astype(np.float32)


def _apart(own: Sequence[NDArray[np.float32]]) -> float | None:
    """Return the median over sounds of the distance to the others; None for one sound, or for all the same."""
    if len(own) < 2:
        return None
    every, of = np.concatenate(own), np.repeat(np.arange(len(own)), [len(each) for each in own])
    middle = float(np.median([distance(each, every[of != place]) for place, each in enumerate(own)]))
    return middle if middle > 0.0 else None


def distance(frames: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    """Return the mean distance of frames (count, k) to the nearest of others, in deviations of each dimension."""
    found = []
    size = np.square(others).sum(axis=1)
    for first in range(0, len(frames), _TOGETHER):
        some = frames[first : first + _TOGETHER]
        squared = np.square(some).sum(axis=1)[:, None] + size - 2.0 * (some @ others.T)
        found.append(np.sqrt(np.maximum(squared.min(axis=1), 0.0) / frames.shape[1]))
    return float(np.concatenate(found).mean())


def _start(sound: Recorded) -> Recorded:
    most = round(LONGEST * RATE)
    return replace(sound, mid=sound.mid[:most], side=None if sound.side is None else sound.side[:most])


def _novelty(entry: Entry, atlas: Atlas, own: NDArray[np.float32], apart: float | None) -> New:
    path = Path(entry.path)
    if entry.state:
        return New(entry.number, path.name, None, entry.state)
    if apart is None:
        return New(entry.number, path.name, None, "one sound")
    try:
        track = atlas.encode(_start(read_sound(path)))
    except ConfigError:
        return New(entry.number, path.name, None, "unreadable")
    return New(entry.number, path.name, distance(_some(track, _OF_ONE), own) / apart)
