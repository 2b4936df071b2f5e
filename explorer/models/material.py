"""Stretches of frames that a network is trained on: drawn at random, and changed at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.frames import FLOOR, RATE, SIZE
from tonesmith.explorer.models.network import REACH
from tonesmith.host.roles import Frames, Material

if TYPE_CHECKING:
    import torch

MOST = 40_000
"""Frames that are held in memory: 82 MB."""
PIECE = 512
"""Frames of a piece of a long sound, where not all can be held."""
_PLAIN = 0.2
"""Share of stretches that are not changed."""
_MIXED = 0.3
"""Share of stretches to which another one is added."""
_OCTAVES, _TILT, _BELL, _GAIN = 0.5, 6.0, 12.0, 10.0
"""The farthest changes: of pitch in octaves, and of levels in dB: over all octaves, in a bell, and of all."""


@dataclass(frozen=True, eq=False, slots=True)
class Held:
    """The frames of sounds that fit into memory.

    Attributes:
        levels: float16 (frames, bins) of each piece of a sound.
        heard: bool (frames,) of each.
    """

    levels: Sequence[NDArray[np.float16]]
    heard: Sequence[NDArray[np.bool_]]

    @property
    def frames(self) -> int:
        """How many there are."""
        return sum(map(len, self.levels))


def held_of(material: Material) -> tuple[Held, Held]:
    """Return the frames to learn from, and those that say when to stop.

    The last group of sounds says when to stop; of a single group, the last fifth of each sound.
    """
    sounds = [(sound.group, _cut(sound)) for sound in material.sounds()]
    last = max(group for group, _ in sounds)
    if len({group for group, _ in sounds}) == 1:
        both = [_parted(sound) for _, sound in sounds]
        return _capped([learned for learned, _ in both]), _capped([stopping for _, stopping in both])
    return (
        _capped([sound for group, sound in sounds if group != last]),
        _capped([sound for group, sound in sounds if group == last]),
    )


def _cut(sound: Frames) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
    """Return a sound from its first to its last heard frame."""
    heard = np.flatnonzero(sound.heard)
    first, last = (int(heard[0]), int(heard[-1]) + 1) if len(heard) else (0, 1)
    return sound.levels[first:last].astype(np.float16), sound.heard[first:last]


def _parted(sound: tuple[NDArray[Any], NDArray[Any]]) -> tuple[Any, Any]:
    at = max(len(sound[0]) * 4 // 5, 1)
    return (sound[0][:at], sound[1][:at]), (sound[0][at - 1 :], sound[1][at - 1 :])


def _capped(sounds: Sequence[tuple[NDArray[np.float16], NDArray[np.bool_]]]) -> Held:
    """Return all frames, or if they are too many, pieces at even distances of all sounds."""
    total = sum(len(levels) for levels, _ in sounds)
    if total > MOST:
        pieces = [
            (one[at : at + PIECE], two[at : at + PIECE]) for one, two in sounds for at in range(0, len(one), PIECE)
        ]
        chosen = np.unique(np.linspace(0, len(pieces) - 1, max(len(pieces) * MOST // total, 1)).astype(int))
        sounds = [pieces[place] for place in chosen]
    return Held([levels for levels, _ in sounds], [heard for _, heard in sounds])


@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """Stretches of frames.

    Attributes:
        levels: float32 (stretches, frames, bins), in dB.
        valid: bool (stretches, frames), those that are of a sound.
        counted: bool (stretches, frames), those whose neighbours are all there and that are heard.
    """

    levels: NDArray[np.float32]
    valid: NDArray[np.bool_]
    counted: NDArray[np.bool_]


def batch_of(held: Held, stretches: int, frames: int, random: np.random.Generator) -> Batch:
    """Return stretches from anywhere in the sounds, more of the longer ones."""
    sizes = np.array([len(levels) for levels in held.levels])
    chosen = random.choice(len(sizes), stretches, p=sizes / sizes.sum())
    levels = np.zeros((stretches, frames, held.levels[0].shape[1]), np.float32)
    valid, counted = np.zeros((stretches, frames), bool), np.zeros((stretches, frames), bool)
    for row, place in enumerate(chosen):
        start = int(random.integers(0, max(int(sizes[place]) - frames, 0) + 1))
        stop = min(start + frames, int(sizes[place]))
        levels[row, : stop - start] = held.levels[place][start:stop]
        valid[row, : stop - start] = True
        # A frame at the end of a sound has no neighbours; one at the end of a stretch has some that are not here
        inner = slice(0 if start == 0 else REACH, stop - start - (0 if stop == sizes[place] else REACH))
        counted[row, inner] = held.heard[place][start:stop][inner]
    return Batch(levels, valid, counted)


@dataclass(frozen=True, eq=False, slots=True)
class Changes:
    """How stretches are changed, a number for each.

    Attributes:
        pitch: in octaves.
        gains: float32 (stretches, bins), in dB.
        partner: which stretch is added.
        share: how loud, 0 for none.
    """

    pitch: NDArray[np.float32]
    gains: NDArray[np.float32]
    partner: NDArray[np.int64]
    share: NDArray[np.float32]


def changes_of(stretches: int, bins: int, random: np.random.Generator) -> Changes:
    """Draw changes: resampling, a tilt and a bell of the spectrum, a gain, and the sum of two sounds."""
    changed = (random.random(stretches) >= _PLAIN).astype(np.float32)
    octave = np.log2(np.maximum(np.arange(bins) * (RATE / SIZE), 20.0) / 1000.0).astype(np.float32)
    tilt = random.uniform(-_TILT, _TILT, (stretches, 1)) * octave / 5.0
    centre, width = random.uniform(-4.0, 4.0, (stretches, 1)), random.uniform(0.3, 1.5, (stretches, 1))
    bell = random.uniform(-_BELL, _BELL, (stretches, 1)) * np.exp(-np.square((octave - centre) / width))
    gain = random.uniform(-_GAIN, _GAIN, (stretches, 1))
    pitch = random.uniform(-_OCTAVES, _OCTAVES, stretches) * changed
    share = (random.random(stretches) < _MIXED) * random.uniform(0.1, 1.0, stretches) * changed
    return Changes(
        pitch.astype(np.float32),
        ((tilt + bell + gain) * changed[:, None]).astype(np.float32),
        random.permutation(stretches),
        share.astype(np.float32),
    )


def changed(levels: torch.Tensor, changes: Changes) -> torch.Tensor:
    """Return stretches (stretches, frames, bins) of levels in dB, changed."""
    import torch

    device, bins = levels.device, levels.shape[2]
    magnitude = torch.clamp(torch.pow(10.0, levels / 20.0) - FLOOR, min=0.0)
    place = torch.arange(bins, device=device)[None] / torch.exp2(torch.from_numpy(changes.pitch).to(device))[:, None]
    low = place.floor().clamp(max=bins - 1)
    part = (place - low).clamp(0.0, 1.0)[:, None, :]
    inside = (place <= bins - 1).to(levels.dtype)[:, None, :]
    index = low.long()[:, None, :].expand(magnitude.shape)
    upper = (index + 1).clamp(max=bins - 1)
    moved = (magnitude.gather(2, index) * (1.0 - part) + magnitude.gather(2, upper) * part) * inside
    moved = moved * torch.pow(10.0, torch.from_numpy(changes.gains).to(device) / 20.0)[:, None, :]
    share = torch.from_numpy(changes.share).to(device)[:, None, None]
    other = moved[torch.from_numpy(changes.partner).to(device)]
    mixed = torch.where(share > 0.0, torch.sqrt(moved.square() + (share * other).square()), moved)
    return 20.0 * torch.log10(mixed + FLOOR)
