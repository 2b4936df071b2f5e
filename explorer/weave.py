"""What is played when: pieces of trajectories that loop, wander, or begin as events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.frames import STEP
from tonesmith.explorer.moves import Amount, ends

CROSSFADE = 0.25
"""Seconds at most over which a loop runs into its beginning, and a walk into what is next."""
LEG = (0.4, 1.6)
"""Seconds between which a walk stays with a sound."""
LONGEST_EVENT = 4.0
VOICES = 8
"""Events that may sound at once, on average."""
BEFORE_ONSET = 4
"""Frames by which an event begins before its onset: half a window, in which it is heard already."""
_FALL = 12
_CHOICES = 8
_FEWEST = 4


class Track(Protocol):
    """What is played: a trajectory, or one in another time."""

    @property
    def latent(self) -> Any:
        """(frames, k), rows by index or slice."""

    @property
    def space(self) -> Any:
        """(frames, 32), likewise."""

    @property
    def onsets(self) -> NDArray[np.int32]:
        """(events,), the frames at which events begin."""

    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a trajectory, and when it is played.

    Attributes:
        start: frame of the result.
        track: place of the trajectory.
        first: frame of it.
        count: frames.
        rise: frames over which it fades in, at least 1.
        fall: frames over which it fades out, at least 1.
    """

    start: int
    track: int
    first: int
    count: int
    rise: int = 1
    fall: int = 1

    def weight(self, at: int, count: int) -> NDArray[np.float32]:
        """Return how much of it is heard in frames of the result: float32 (count,), 0 to 1."""
        place = np.arange(at, at + count, dtype=np.float32) - self.start + 0.5
        made = np.minimum(place / self.rise, (self.count - place) / self.fall)
        return np.asarray(np.clip(made, 0.0, 1.0), np.float32)


def looped(track: Track, frames: int) -> list[Piece]:
    """Return a trajectory again and again, each time cross-faded into the next."""
    length = len(track)
    if length >= frames:
        return [Piece(0, 0, 0, frames)]
    fade = max(min(round(CROSSFADE / STEP), length // 4), 1)
    period = length - fade
    return [Piece(start, 0, 0, length, fade if start else 1, fade) for start in range(0, frames, max(period, 1))]


def walked(tracks: Sequence[Track], frames: int, random: np.random.Generator) -> list[Piece]:
    """Return pieces of trajectories, each of which begins near where the one before ends."""
    pieces: list[Piece] = []
    start, rise = 0, 1
    end: NDArray[np.float32] | None = None
    while start < frames:
        track, first, count = _leg(tracks, end, random)
        fade = max(min(round(CROSSFADE / STEP), count // 3), 1)
        pieces.append(Piece(start, track, first, count, rise, fade))
        end = tracks[track].latent[first + count - 1].astype(np.float32)
        start, rise = start + max(count - fade, 1), fade
    return pieces


def _leg(tracks: Sequence[Track], end: NDArray[np.float32] | None, random: np.random.Generator) -> tuple[int, int, int]:
    """Return where a walk goes next: of some places drawn by length, the nearest."""
    lengths = np.array([len(track) for track in tracks])
    wanted = round(random.uniform(*LEG) / STEP)
    best, least = (0, 0, 1), np.inf
    for track in random.choice(len(tracks), _CHOICES, p=lengths / lengths.sum()).tolist():
        count = min(wanted, int(lengths[track]))
        first = int(random.integers(0, lengths[track] - count + 1))
        if end is None:
            return track, first, count
        far = float(np.square(tracks[track].latent[first].astype(np.float32) - end).sum())
        if far < least:
            best, least = (track, first, count), far
    return best


def scattered(tracks: Sequence[Track], frames: int, density: Amount, random: np.random.Generator) -> list[Piece]:
    """Return events of trajectories, so many in a second on average.

    The times between them are those between the events of the tracks, drawn at random and scaled.

    Args:
        tracks: whose events they are.
        frames: of the result.
        density: events per second, from one to another over the result if they are two.
        random: draws them.
    """
    begin, end = ends(density)
    events = [event for place, track in enumerate(tracks) for event in _events(place, track, VOICES / max(begin, end))]
    gaps = _gaps(tracks)
    pieces: list[Piece] = []
    time = 0.0
    while time < frames:
        track, first, count = events[int(random.integers(len(events)))]
        pieces.append(Piece(round(time), track, first, count, 2, min(_FALL, max(count // 2, 1))))
        time += float(gaps[int(random.integers(len(gaps)))]) / ((begin + (end - begin) * time / frames) * STEP)
    return pieces


def _events(place: int, track: Track, longest: float) -> list[tuple[int, int, int]]:
    """Return track, first frame and frames of each event: from before its onset to the next, or to the end."""
    starts = np.maximum(track.onsets.astype(np.int64) - BEFORE_ONSET, 0)
    ends = np.append(starts[1:], len(track))
    most = max(round(min(longest, LONGEST_EVENT) / STEP), 2 * _FALL)
    pairs = zip(starts.tolist(), ends.tolist(), strict=True)
    return [(place, start, min(end - start, most)) for start, end in pairs if end > start]


def _gaps(tracks: Sequence[Track]) -> NDArray[np.float64]:
    """Return times between events of the same track, as multiples of their mean."""
    found = np.concatenate([np.diff(track.onsets) for track in tracks]).astype(np.float64)
    found = found[found > 0]
    if len(found) < _FEWEST:
        return np.linspace(0.5, 1.5, 11)
    held = np.clip(found / found.mean(), 0.1, 4.0)
    return np.asarray(held / held.mean())


class Woven:
    """Pieces by when they are played.

    Args:
        pieces: in the order of their start.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = list(pieces)
        self._starts = np.array([piece.start for piece in pieces])
        self._longest = max(piece.count for piece in pieces)

    def between(self, first: int, stop: int) -> list[Piece]:
        """Return the pieces that are heard in some frames of the result."""
        low = int(np.searchsorted(self._starts, first - self._longest, side="right"))
        high = int(np.searchsorted(self._starts, stop, side="left"))
        return [piece for piece in self._pieces[low:high] if piece.start + piece.count > first]
