"""Scores written as MIDI files, byte for byte the same for the same score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ScoreError
from tonesmith.score.events import digits
from tonesmith.score.score import BEND, PRESSURE, Score, TextKind

_KINDS: Final[dict[TextKind, int]] = {"text": 1, "copyright": 2, "lyric": 5, "marker": 6, "cue": 7}
_DRUMS: Final = 9
_CHANNELS: Final = tuple(channel for channel in range(16) if channel != _DRUMS)

_END: Final = digits(0) + bytes([0xFF, 0x2F, 0])

Event = tuple[int, int, bytes]
"""Tick, its turn among those of one tick, and its bytes."""


def midi_of(score: Score) -> bytes:
    """Return a score as a MIDI file of type 1: a track for tempo, meter, keys and texts, and one for each part.

    Drums play on channel 10, the other parts on the 15 others in turn. Reading it gives the same score, but for notes
    of one pitch that overlap in a part: MIDI cannot say which of them ends first.

    Raises :class:`ScoreError` for what a MIDI file cannot say, such as a gap of more than 268,435,455 ticks.
    """
    tracks = [_track(_globals(score)) + _END, *_parts(score)]
    head = b"MThd" + b"".join(n.to_bytes(size) for n, size in ((6, 4), (1, 2), (len(tracks), 2), (score.resolution, 2)))
    return head + b"".join(b"MTrk" + len(track).to_bytes(4) + track for track in tracks)


def _globals(score: Score) -> list[Event]:
    events = [
        (tick, 0, _meta(0x51, microseconds.to_bytes(3)))
        for tick, microseconds in zip(score.tempos.ticks.tolist(), score.tempos.microseconds.tolist(), strict=True)
    ]
    events.extend(
        (meter.time, 1, _meta(0x58, bytes([meter.beats, meter.unit.bit_length() - 1, 24, 8]))) for meter in score.meters
    )
    events.extend(
        (key.time, 2, _meta(0x59, key.sharps.to_bytes(1, signed=True) + bytes([key.minor]))) for key in score.keys
    )
    events.extend((text.time, 3, _meta(_KINDS[text.kind], text.content)) for text in score.texts)
    return events


def _parts(score: Score) -> Iterator[bytes]:
    """Yield the track of each part."""
    pitched = iter(range(len(score.parts)))
    notes, controls = _by_part(score.notes, len(score.parts)), _by_part(score.controls, len(score.parts))
    for part, own, changes in zip(score.parts, notes, controls, strict=True):
        channel = _DRUMS if part.drums else _CHANNELS[next(pitched) % len(_CHANNELS)]
        first: list[Event] = [(0, 0, _meta(3, part.name))] if part.name else []
        head = _track([*first, (0, 1, bytes([0xC0 | channel, part.program]))])
        yield head + _events(own, changes, channel) + _END


def _by_part(rows: NDArray[Any], count: int) -> list[NDArray[Any]]:
    """Return the rows of each part, in their order."""
    if count == 1:
        return [rows]
    order = np.argsort(rows["part"], kind="stable")
    ends = np.searchsorted(rows["part"][order], np.arange(1, count))
    return [rows[places] for places in np.split(order, ends)]


def _events(notes: NDArray[Any], controls: NDArray[Any], channel: int) -> bytes:
    """Return the events of a channel.

    Of those of one tick, ends of notes come first, then controllers, beginnings, and ends of notes of no length.
    """
    sounding, own = np.where(notes["duration"], 2, 5), controls["time"]
    ticks = np.concatenate([own, notes["onset"], notes["onset"] + notes["duration"]])
    turns = np.concatenate([np.full(len(own), 3), np.full(len(notes), 4), sounding])
    order = np.argsort(ticks << 3 | turns, kind="stable")
    gaps = np.diff(ticks[order], prepend=0)
    digits(int(gaps.max(initial=0)))  # refuses what is too long
    table = np.empty((len(order), 7), np.uint8)
    for place in range(4):
        table[:, place] = gaps >> 7 * (3 - place) & 0x7F | (0x80 if place < 3 else 0)
    data = np.concatenate(
        [_controls(controls, channel), _struck(notes, 0x90 | channel), _struck(notes, 0x80 | channel)]
    )
    data[len(own) + len(notes) :, 2] = 64
    table[:, 4:] = data[order]
    written = np.ones(table.shape, bool)
    written[:, :3] = gaps[:, None] >= 1 << np.array([21, 14, 7])
    written[:, 6] = table[:, 4] & 0xF0 != 0xD0
    return table[written].tobytes()


def _struck(notes: NDArray[Any], status: int) -> NDArray[np.uint8]:
    return np.stack([np.full(len(notes), status, np.uint8), notes["pitch"], notes["velocity"]], axis=1)


def _controls(controls: NDArray[Any], channel: int) -> NDArray[np.uint8]:
    """Return uint8 (controls, 3): status and data of each. A pressure has one byte of data; its third is no event's."""
    kinds, values = controls["kind"], controls["value"].astype(np.int64)
    bends, pressures = kinds == BEND, kinds == PRESSURE
    bent = values + 8192
    status = np.select([bends, pressures], [0xE0, 0xD0], 0xB0) | channel
    first = np.select([bends, pressures], [bent & 0x7F, values], kinds)
    return np.stack([status, first, np.where(bends, bent >> 7, values)], axis=1).astype(np.uint8)


def _meta(kind: int, content: bytes) -> bytes:
    if len(content) >= 1 << 28:
        raise ScoreError("a text of more than 268,435,455 bytes.")
    return bytes([0xFF, kind]) + digits(len(content)) + content


def _track(events: Iterable[Event]) -> bytes:
    written, at = [], 0
    for tick, _, content in sorted(events, key=lambda event: event[:2]):
        written.append(digits(tick - at) + content)
        at = tick
    return b"".join(written)
