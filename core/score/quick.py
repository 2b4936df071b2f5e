"""All tracks of a file read at once, where that gives what reading them one by one would: some ten times as fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ScoreError
from tonesmith.score.events import NOTHING, Events, digits, without_pressures
from tonesmith.score.score import BEND, CONTROL, NOTE, PRESSURE, Part

if TYPE_CHECKING:
    from symusic import core

Table = tuple[NDArray[Any], NDArray[Any], list[Part]]
"""Notes, controllers, and the parts that they belong to."""

MOST_PARTS: Final = 8192
"""Of a file: twice as many as it may have tracks."""
_FAR: Final = (1 << 28) - 1
LATE: Final = 4 * _FAR
"""Ticks after the end of a track at which every key is let go: a note as long was not before."""
_RELEASES: Final = (digits(_FAR) + NOTHING) * 3 + digits(_FAR) + NOTHING
_END: Final = b"\x00\xff\x2f\x00"
_OTHERS: Final = bytes(byte for byte in range(256) if not 0x90 <= byte < 0xA0)
"""All but the status bytes of note-ons."""
_OFFS: Final = {
    0x90 + channel: b"".join(bytes([0, 0x80 + channel, pitch, 0]) for pitch in range(128)) for channel in range(16)
}
"""The ends of all notes that a channel may play."""
_SPARE: Final = tuple(n for n in range(119, 0, -1) if n not in {6, 32, 38, 64})
"""Controllers that may stand for pressures, where a track has no such byte."""


def quick_tables(tracks: Sequence[Events], names: Sequence[bytes], resolution: int) -> Table | None:
    """Return the notes and controllers of tracks that last less than :data:`LATE` ticks; None to read them one by one.

    That is for a note that nothing ends, for pressures whose part is not clear, and for what the reader refuses.
    """
    from symusic import core

    spares = [_spare(events) for events in tracks]
    if None in spares:
        return None
    contents = [
        _content(number, events, spare or 0) for number, (events, spare) in enumerate(zip(tracks, spares, strict=True))
    ]
    head = b"MThd" + b"".join(n.to_bytes(size) for n, size in ((6, 4), (1, 2), (len(tracks), 2), (resolution, 2)))
    chunks = (part for content in contents for part in (b"MTrk", len(content).to_bytes(4), content))
    try:
        score = core.ScoreTick.from_midi(b"".join((head, *chunks)))
    except (RuntimeError, ValueError):
        return None
    return _tables(score, [spare or 0 for spare in spares], names, sum(events.pressures for events in tracks))


def _spare(events: Events) -> int | None:
    """Return the controller that stands for the pressures of a track, 0 without any; None if none is free."""
    if not events.pressures:
        return 0
    joined = b"".join(events.pieces)
    return next((n for n in _SPARE if n not in joined), None)


def _content(number: int, events: Events, spare: int) -> bytes:
    """Return a track that has its number for a name, and lets every key go long after its end."""
    joined = b"".join(without_pressures(piece, spare) for piece in events.pieces) if spare else b"".join(events.pieces)
    name = str(number).encode()
    offs = (_OFFS[status] for status in sorted(set(joined.translate(None, _OTHERS))))
    return b"".join((b"\x00\xff\x03", bytes([len(name)]), name, joined, _RELEASES, *offs, _END))


def _tables(score: core.ScoreTick, spares: Sequence[int], names: Sequence[bytes], pressures: int) -> Table | None:
    playing = [part for part in score.tracks if len(part.notes)]
    if len(playing) > MOST_PARTS:
        raise ScoreError(f"it has more than {MOST_PARTS:,} parts.")
    found = [(part, int(part.name), part.notes.numpy()) for part in playing]
    notes = _notes([columns for _, _, columns in found])
    if len(notes) and not 0 <= notes["duration"].min() <= notes["duration"].max() < LATE:
        return None
    controls = _controls([(part, spares[track]) for part, track, _ in found])
    if pressures and int((controls["kind"] == PRESSURE).sum()) != pressures:
        return None
    return notes, controls, [Part(part.program, part.is_drum, names[track]) for part, track, _ in found]


def _notes(parts: Sequence[Mapping[str, NDArray[Any]]]) -> NDArray[Any]:
    counts = [len(columns["time"]) for columns in parts]
    notes = np.empty(sum(counts), NOTE)
    if parts:
        for name, column in (("onset", "time"), ("duration", "duration"), ("pitch", "pitch"), ("velocity", "velocity")):
            notes[name] = np.concatenate([columns[column] for columns in parts])
        notes["part"] = np.repeat(np.arange(len(parts)), counts)
    return notes


def _controls(parts: Sequence[tuple[core.TrackTick, int]]) -> NDArray[Any]:
    """Return the controllers of each part, with pressures for what stands for them, and then its bends."""
    counts = [(len(part.controls), len(part.pitch_bends)) for part, _ in parts]
    found = np.empty(sum(map(sum, counts)), CONTROL)
    times, kinds, values = np.empty((3, len(found)), np.int64)
    at = 0
    for (part, spare), (count, bent) in zip(parts, counts, strict=True):
        if count:
            columns, of = part.controls.numpy(), slice(at, at + count)
            times[of], kinds[of], values[of] = columns["time"], columns["number"], columns["value"]
            if spare:
                kinds[of][columns["number"] == spare] = PRESSURE
        if bent:
            columns, of = part.pitch_bends.numpy(), slice(at + count, at + count + bent)
            times[of], kinds[of], values[of] = columns["time"], BEND, columns["value"]
        at += count + bent
    found["time"], found["kind"], found["value"] = times, kinds, values
    found["part"] = np.repeat(np.arange(len(parts)), [count + bent for count, bent in counts])
    return found
