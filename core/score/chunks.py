"""What a MIDI file consists of: its header and its tracks, found without trusting any number in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tonesmith.errors import ScoreError

LARGEST: Final = 4 << 20
"""The most bytes that a file may have. A piece of 200,000 notes has half as many; those that people share, a tenth."""
_HEAD: Final = 1 << 10
"""Bytes in which the header must begin."""
_MOST_TRACKS: Final = 4096


@dataclass(frozen=True, slots=True)
class Chunks:
    """The parts of a MIDI file.

    Attributes:
        kind: 0 for one track, 1 for several at once.
        resolution: ticks per beat; of a file that counts frames of film, ticks per second.
        second: microseconds that such a second takes, since 29.97 frames per second are counted as 30; None for a file
            in beats.
        tracks: the events of each track.
        cut: whether the last track ends before its length says.
        mended: what was wrong and has been put right, a sentence each.
    """

    kind: int
    resolution: int
    second: int | None
    tracks: tuple[bytes, ...]
    cut: bool
    mended: tuple[str, ...]


def chunks_of(data: bytes) -> Chunks:
    """Return what a MIDI file consists of.

    Raises :class:`ScoreError` for a file that is none, and for one whose notes have no common time.
    """
    if len(data) > LARGEST:
        raise ScoreError(f"it has {len(data):,} bytes; a MIDI file of more than {LARGEST:,} is not read.")
    mended: list[str] = []
    at = _header_at(data, mended)
    length = int.from_bytes(data[at + 4 : at + 8])
    if len(data) < at + 14 or length < 6:
        raise ScoreError("its header is cut off.")
    if length != 6:
        mended.append(f"its header has {length} bytes, not 6: the others are ignored.")
    kind, declared, division = (int.from_bytes(data[at + 8 + n : at + 10 + n]) for n in (0, 2, 4))
    if kind == 2:
        raise ScoreError(
            "it is of type 2: its tracks are pieces of their own, each with its own time. Save each as a file."
        )
    if kind > 2:
        raise ScoreError(f"it is of type {kind}. The types 0 and 1 are read.")
    resolution, second = _division(division)
    tracks, cut = _tracks(data, at + 8 + length, mended)
    if not tracks:
        raise ScoreError("it has no track.")
    if declared != len(tracks):
        mended.append(f"its header tells of {declared} tracks; there are {len(tracks)}.")
    return Chunks(kind, resolution, second, tuple(tracks), cut, tuple(mended))


def _header_at(data: bytes, mended: list[str]) -> int:
    """Return where the header begins: in a RIFF file within it, and behind anything that is in front of it."""
    at = data.find(b"MThd", 0, _HEAD)
    if at < 0:
        raise ScoreError("it is not a MIDI file: it has no header.")
    if at and not (data[:4] == b"RIFF" and data[8:12] == b"RMID"):
        mended.append(f"there are {at} bytes before its header: they are ignored.")
    return at


def _division(division: int) -> tuple[int, int | None]:
    """Return ticks per beat or second, and microseconds of such a second."""
    if division == 0:
        raise ScoreError("it states 0 ticks per beat, so that its times mean nothing.")
    if division < 0x8000:
        return division, None
    frames, ticks = 256 - (division >> 8), division & 0xFF
    if frames not in {24, 25, 29, 30} or ticks == 0:
        raise ScoreError(f"it counts {frames} frames per second with {ticks} ticks each, which no film has.")
    return (30 if frames == 29 else frames) * ticks, 1_001_000 if frames == 29 else 1_000_000


def _tracks(data: bytes, at: int, mended: list[str]) -> tuple[list[bytes], bool]:
    tracks: list[bytes] = []
    cut = False
    for name, content, missing in _walk(data, at):
        if name != b"MTrk":
            mended.append(f"there is an unknown chunk {name!r} of {len(content):,} bytes: it is ignored.")
            continue
        if missing:
            cut = True
            mended.append(f"its last track ends {missing:,} bytes early: what is there was read.")
        tracks.append(content)
        if len(tracks) > _MOST_TRACKS:
            raise ScoreError(f"it has more than {_MOST_TRACKS:,} tracks.")
    return tracks, cut


def _walk(data: bytes, at: int) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield name and content of each chunk, and how many bytes of it are missing; what follows the last is no chunk."""
    while len(data) - at >= 8 and data[at : at + 4].isalnum():
        length = int.from_bytes(data[at + 4 : at + 8])
        content = data[at + 8 : at + 8 + length]
        yield data[at : at + 4], content, length - len(content)
        at += 8 + length
