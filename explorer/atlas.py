"""The atlas: a model of sounds that is fitted in seconds, by NumPy and SciPy alone.

A sound is a trajectory: one point for each frame in a space of whitened principal components of log-magnitudes. A
point is decoded by the components, plus what they leave of the nearest frames of the sounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer import frames
from tonesmith.explorer.code import Code, Coded
from tonesmith.explorer.controls import Labels
from tonesmith.explorer.exemplars import Exemplars
from tonesmith.explorer.onsets import onsets_of
from tonesmith.explorer.principal import Components
from tonesmith.explorer.sliders import Slider
from tonesmith.explorer.sounds import Recorded
from tonesmith.explorer.space import BANDS, space_of

CHUNK = 1024
"""Frames that are worked on at once."""
NEAREST = 4
"""Exemplars of a frame, unless one asks for others."""


@dataclass(frozen=True, eq=False, slots=True)
class Trajectory:
    """The path of a sound through a model.

    Attributes:
        latent: float16 (frames, k), in deviations of the model's sounds.
        space: float16 (frames, 32), as :func:`tonesmith.explorer.space.space_of` returns it.
        onsets: int32 (events,), the frames at which events begin.
    """

    latent: NDArray[np.float16]
    space: NDArray[np.float16]
    onsets: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.latent)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return (len(self.latent) - 1) * frames.STEP


@dataclass(frozen=True, slots=True)
class MadeBy:
    """What made a sound that was fed back: the name and SHA-256 of a model, the seed, and steps of sliders."""

    model: str
    sha256: str
    seed: int
    sliders: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound that a model was fitted on.

    Attributes:
        name: of its file.
        sha256: of its file.
        seconds: that it lasts.
        frames: of it.
        channels: of it.
        weight: how much each of its frames counts.
        made_by: the model that made it; None for a sound of one's own.
    """

    name: str
    sha256: str
    seconds: float
    frames: int
    channels: int
    weight: float = 1.0
    made_by: MadeBy | None = None


@dataclass(frozen=True, slots=True)
class Errors:
    """How far sounds are from what is made of them, in dB: the mean difference of log-magnitudes, floor -80 dB.

    Attributes:
        ceiling: with the true magnitudes, so that the phase alone is made.
        own: of sounds of the model, as it makes them.
        held_out: of sounds that a model of the others makes, by its components alone.
        held_out_levels: the root mean square error of the levels of held-out frames, which chose the components.
    """

    ceiling: float
    own: float
    held_out: float
    held_out_levels: float


@dataclass(frozen=True, slots=True)
class Trial:
    """How a model was judged, beside an atlas: both fitted without some sounds, and measured on those.

    Attributes:
        model: name of its plugin.
        kept: whether it described them better, and so is the model.
        sounds: how many were held out.
        frames: of them that are heard.
        atlas_levels: root mean square error of the levels of their frames, in dB, by the components of the others.
        model_levels: likewise, by the model.
        ceiling: mean error of log-magnitudes in dB of up to three of the sounds, the phase alone made.
        atlas_sound: likewise, as the components make them.
        model_sound: likewise, as the model makes them.
        report: what the model says of its fit.
    """

    model: str
    kept: bool
    sounds: int
    frames: int
    atlas_levels: float
    model_levels: float
    ceiling: float
    atlas_sound: float
    model_sound: float
    report: Mapping[str, float | str]


@dataclass(frozen=True, eq=False, slots=True)
class Atlas:
    """A fitted model.

    Attributes:
        components: of the frames.
        exemplars: frames that are kept as they are.
        trajectories: of the sounds.
        sounds: what they are.
        sliders: named ones first, then discovered ones, then those of a synth's parameters.
        confidences: feature -> held-out rank correlation, also of features that are no slider.
        errors: measured when it was fitted.
        coded: the fitted model of a plugin that encodes and decodes in place of the components; None for an atlas.
        trial: how that model, or one that was not kept, was judged; None if none was asked for.
        labels: of those of its sounds that a synth made; None if there are none.
    """

    components: Components
    exemplars: Exemplars
    trajectories: tuple[Trajectory, ...]
    sounds: tuple[Sound, ...]
    sliders: tuple[Slider, ...]
    confidences: Mapping[str, float]
    errors: Errors
    coded: Coded | None = None
    trial: Trial | None = None
    labels: Labels | None = None

    @property
    def kind(self) -> str:
        """The name of its model: "atlas", or that of a plugin."""
        return "atlas" if self.coded is None else self.coded.model.name

    @property
    def code(self) -> Code:
        """What encodes and decodes its frames."""
        return self.components if self.coded is None else self.coded

    @property
    def size(self) -> int:
        """How many dimensions its points have."""
        return len(self.code.deviation)

    @property
    def channels(self) -> int:
        """How many channels it makes: 2 if any of its sounds had a side."""
        return max(sound.channels for sound in self.sounds)

    def encode(self, sound: Recorded) -> Trajectory:
        """Return the trajectory of a sound, which need not be one of the model's."""
        return encoded(sound, self.code)

    def decode(
        self, latent: NDArray[np.float32], offset: NDArray[np.float32] | None = None, nearest: int = NEAREST
    ) -> NDArray[np.float32]:
        """Return the magnitudes of points of the model: float32 (frames, bins), 1.0 for a sine of full scale.

        Args:
            latent: float32 (frames, k). The exemplars are those near to it.
            offset: float32 (k,) or (frames, k), by which the components alone are moved; None for none.
            nearest: how many exemplars, 0 to 8.
        """
        at = latent if offset is None else latent + offset
        levels = self.code.decode(at) + self.exemplars.near(latent, nearest)
        return frames.magnitudes_of(levels)


def encoded(sound: Recorded, code: Code) -> Trajectory:
    """Return the trajectory of a sound."""
    parts, space, levels = [], [], []
    for mid, side in spectra(sound):
        level = frames.levels_of(np.abs(mid))
        if not code.reach:
            parts.append(code.encode(level).astype(np.float16))
        space.append(space_of(mid, side))
        levels.append(level.astype(np.float16))
    every = np.concatenate(levels)
    latent = np.concatenate(parts) if parts else latents_of(every, code).astype(np.float16)
    return Trajectory(latent, np.concatenate(space), onsets_of(every))


def latents_of(levels: NDArray[Any], code: Code) -> NDArray[np.float32]:
    """Return the latents of all frames (frames, bins) of a sound, whatever its length: float32 (frames, k)."""
    found = []
    for first in range(0, len(levels), CHUNK):
        start, stop = max(first - code.reach, 0), min(first + CHUNK + code.reach, len(levels))
        latent = code.encode(np.asarray(levels[start:stop], np.float32))
        found.append(latent[first - start :][:CHUNK])
    return np.concatenate(found)


def spectra(sound: Recorded) -> Iterator[tuple[NDArray[np.complex64], NDArray[np.complex64] | None]]:
    """Yield the frames of mid and side, at most 1024 at a time."""
    count = frames.count_of(len(sound.mid))
    for first in range(0, count, CHUNK):
        some = min(CHUNK, count - first)
        side = None if sound.side is None else frames.spectrum(sound.side, first, some)
        yield frames.spectrum(sound.mid, first, some), side


def blended(trajectories: Sequence[Trajectory], weights: Sequence[float]) -> Trajectory:
    """Return a trajectory between others: each stretched to the longest, and their weighted mean.

    Its events begin where those of the heaviest do.
    """
    length = max(map(len, trajectories))
    share = np.asarray(weights, np.float32) / np.float32(sum(weights))
    latent = sum(w * _stretched(one.latent, length) for w, one in zip(share, trajectories, strict=True))
    space = sum(w * _stretched(one.space, length) for w, one in zip(share, trajectories, strict=True))
    heaviest = trajectories[int(np.argmax(share))]
    onsets = np.unique((heaviest.onsets * ((length - 1) / max(len(heaviest) - 1, 1))).round().astype(np.int32))
    return Trajectory(np.asarray(latent, np.float16), np.asarray(space, np.float16), onsets)


def _stretched(values: NDArray[np.float16], length: int) -> NDArray[np.float32]:
    place = np.linspace(0.0, len(values) - 1.0, length)
    low = np.minimum(place.astype(np.int64), max(len(values) - 2, 0))
    high = np.minimum(low + 1, len(values) - 1)
    part = (place - low).astype(np.float32)[:, None]
    return np.asarray(values[low].astype(np.float32) * (1.0 - part) + values[high].astype(np.float32) * part)


SPACE = 2 * BANDS
"""Numbers that a frame has for its place between left and right."""
