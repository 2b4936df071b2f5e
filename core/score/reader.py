"""MIDI files read into scores: what is wrong with them is refused, or mended and said."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tonesmith.document import open_plain
from tonesmith.errors import ScoreError
from tonesmith.score.chunks import LARGEST, Chunks, chunks_of
from tonesmith.score.events import MOST_EVENTS, MOST_PRESSURES, Events, digits, events_of, runs_of
from tonesmith.score.quick import LATE, MOST_PARTS, Table, quick_tables
from tonesmith.score.score import BEND, CONTROL, NOTE, PRESSURE, Key, Meter, Part, Score, Text, TextKind
from tonesmith.score.timing import Tempos

if TYPE_CHECKING:
    from symusic import core

LONGEST: Final = 24 * 3600.0
"""The most seconds that a file may play."""
_LAST_TICK: Final = (1 << 31) - 1
_END: Final = b"\x00\xff\x2f\x00"
_TEXTS: Final[dict[int, TextKind]] = {1: "text", 2: "copyright", 5: "lyric", 6: "marker", 7: "cue"}
_NAME: Final = 3
_TEMPO: Final = 0x51
_METER: Final = 0x58
_KEY: Final = 0x59
_UNITS: Final = 6
"""The largest exponent of a note value: 2**6 is a sixty-fourth."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A MIDI file as it was read.

    Attributes:
        score: that it holds.
        kind: of file: 0 for one track, 1 for several.
        never_released: notes that nothing ends: they are left out, since nobody knows how long they are.
        zero_length: notes that end when they begin: they are kept.
        overlapping: notes that begin while another of the same pitch and part sounds: they are kept.
        mended: what was wrong and put right, or left out, a sentence each.
    """

    score: Score
    kind: int
    never_released: int
    zero_length: int
    overlapping: int
    mended: tuple[str, ...]


class Checked(NamedTuple):
    """A track of events of channels, and what was found in it."""

    content: bytes
    events: Events


def read_midi(path: str | os.PathLike[str]) -> Reading:
    """Return what a MIDI file holds. The file is only read.

    Raises :class:`ScoreError` for a file that is none, or that says nothing of when its notes sound, with its name; and
    if it cannot be opened.
    """
    try:
        with os.fdopen(open_plain(Path(path)), "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ScoreError(f"{path} cannot be read: {error.strerror or error}.") from None
    try:
        return midi_reading(data)
    except ScoreError as error:
        raise ScoreError(f"{path} cannot be read as MIDI: {error}") from None


def midi_reading(data: bytes) -> Reading:
    """Return what the bytes of a MIDI file hold.

    A RIFF file around it is unwrapped. What counts frames of film is turned into ticks of a second, with one beat per
    second. A channel of a track that plays with several programs is several parts; one that plays no note is none, and
    its controllers are left out. Raises :class:`ScoreError`.
    """
    chunks = chunks_of(data)
    mended = list(chunks.mended)
    tracks: list[Checked] = []
    others = pressures = 0
    for number, track in enumerate(chunks.tracks):
        tracks.append(_checked(number, track, chunks, mended))
        others += len(tracks[-1].events.others)
        pressures += tracks[-1].events.pressures
        if others > MOST_EVENTS:
            raise ScoreError(f"it has more than {MOST_EVENTS:,} texts and tempos.")
        if pressures > MOST_PRESSURES:
            raise ScoreError(f"it has more than {MOST_PRESSURES:,} pressures.")
    late = _may_reach(b"".join(track.content for track in tracks)) >= LATE and _last_tick(tracks) >= LATE
    quick = None if late else _quickly(tracks, chunks.resolution)
    notes, controls, parts = quick or _one_by_one(tracks, chunks.resolution)
    score = _with_globals(chunks, [track.events for track in tracks], notes, controls, parts, mended)
    if score.duration > LONGEST:
        raise ScoreError(
            f"it plays for {score.duration / 3600:,.0f} hours; more than {LONGEST / 3600:.0f} are not read."
        )
    return Reading(
        score,
        chunks.kind,
        0 if quick else max(0, sum(track.events.count_notes() for track in tracks) - len(score)),
        int((score.notes["duration"] == 0).sum()),
        _overlapping(score.notes),
        tuple(mended),
    )


def is_read_back(score: Score, data: bytes) -> bool:
    """Return whether what was written of a score is known to be read as it is, so that it need not be.

    Args:
        score: that was written.
        data: the file.
    """
    notes, tempos = score.notes, score.tempos.microseconds
    return bool(
        len(notes)
        and len(data) <= LARGEST
        and notes["duration"].min() > 0
        and len(np.unique(notes["part"])) == len(score.parts)
        and len(score.parts) <= MOST_PARTS
        and (tempos[1:] != tempos[:-1]).all()
        and not len(score.controls)
        and len(score.texts) + len(tempos) + len(score.meters) + len(score.keys) < MOST_EVENTS - len(score.parts)
        and score.end < LATE
        and score.duration <= LONGEST
        and not _overlapping(notes)
    )


def decoded(content: bytes) -> str:
    """Return a text of a MIDI file, which does not say its encoding: UTF-8, Shift JIS with kana, or Latin-1."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        text = content.decode("shift_jis")
    except UnicodeDecodeError:
        return content.decode("latin-1")
    return text if re.search("[\u3040-\u30ff]", text) else content.decode("latin-1")


def _checked(number: int, track: bytes, chunks: Chunks, mended: list[str]) -> Checked:
    """Return the events of the channels of a track, whole and with an end, and what else is in it."""
    events = events_of(track)
    is_cut = chunks.cut and number == len(chunks.tracks) - 1
    if events.broken and not is_cut:
        raise ScoreError(f"byte {events.whole:,} of its track {number} is no event.")
    if not events.closed and not is_cut:
        mended.append(f"its track {number} does not say where it ends.")
    for what, count in events.unplayed.items():
        mended.append(f"its track {number} has {what} ({count:,}), which no score holds.")
    content = b"".join(events.pieces) + _END
    return Checked(content, events)


def _last_tick(tracks: Sequence[Checked]) -> int:
    """Return the last tick of all tracks. Raises :class:`ScoreError` for one that nothing can count."""
    ticks = [track.events.ticks for track in tracks]
    for number, last in enumerate(ticks):
        if last > _LAST_TICK:
            raise ScoreError(f"its track {number} lasts {last:,} ticks.")
    return max(ticks)


def _may_reach(track: bytes) -> int:
    """Return a number of ticks that a track cannot exceed: any byte above 127 may go on with a number."""
    high = np.frombuffer(track, np.uint8) >= 0x80
    pairs = high[1:] & high[:-1]
    triples = pairs[1:] & high[:-2]
    counts = (len(high), int(high.sum()), int(pairs.sum()), int(triples.sum()))
    return sum(count << 7 * length for length, count in enumerate(counts, 1))


def _quickly(tracks: Sequence[Checked], resolution: int) -> Table | None:
    """Return all tracks read at once; None if one of them must be read with care."""
    events = [track.events for track in tracks]
    return quick_tables(events, [_name_of(each) for each in events], resolution)


def _one_by_one(tracks: Sequence[Checked], resolution: int) -> Table:
    return _joined([_tables(n, track, events, resolution) for n, (track, events) in enumerate(tracks)])


def _name_of(events: Events) -> bytes:
    return next((content for _, kind, content in events.others if kind == _NAME), b"")


def _tables(number: int, track: bytes, events: Events, resolution: int) -> Table:
    name = _name_of(events)
    if not events.pressures:
        return _read(number, track, resolution, name)
    return _joined([_with_pressures(number, own, found, resolution, name) for own, found in _channels(track)])


def _read(number: int, track: bytes, resolution: int, name: bytes) -> Table:
    """Return the notes and controllers of one track."""
    from symusic import core

    head = b"MThd" + b"".join(n.to_bytes(size) for n, size in ((6, 4), (1, 2), (1, 2), (resolution, 2)))
    try:
        score = core.ScoreTick.from_midi(head + b"MTrk" + len(track).to_bytes(4) + track)
    except (RuntimeError, ValueError) as error:
        raise ScoreError(f"its track {number} cannot be read: {error}.") from None
    found = [part for part in score.tracks if len(part.notes)]
    return (
        np.concatenate([np.empty(0, NOTE), *(_notes(part, n) for n, part in enumerate(found))]),
        np.concatenate([np.empty(0, CONTROL), *(_controls(part, n) for n, part in enumerate(found))]),
        [Part(part.program, part.is_drum, name) for part in found],
    )


def _notes(part: core.TrackTick, number: int) -> NDArray[Any]:
    columns = part.notes.numpy()
    notes = np.empty(len(columns["time"]), NOTE)
    notes["onset"], notes["duration"] = columns["time"], columns["duration"]
    notes["pitch"], notes["velocity"], notes["part"] = columns["pitch"], columns["velocity"], number
    return notes


def _controls(part: core.TrackTick, number: int) -> NDArray[Any]:
    numbers, bends = part.controls.numpy(), part.pitch_bends.numpy()
    count = len(numbers["time"])
    controls = np.empty(count + len(bends["time"]), CONTROL)
    controls["part"] = number
    controls["time"] = np.concatenate([numbers["time"], bends["time"]])
    controls["value"] = np.concatenate([numbers["value"], bends["value"]])
    controls["kind"][:count], controls["kind"][count:] = numbers["number"], BEND
    return controls


def _channels(track: bytes) -> Iterator[tuple[bytes, list[tuple[int, int, int]]]]:
    """Yield the events of each channel of a track as a track, and its pressures: tick, program, value."""
    tracks: dict[int, list[bytes]] = {}
    pressures: dict[int, list[tuple[int, int, int]]] = {}
    at, programs = [0] * 16, [0] * 16
    for tick, status, data in runs_of(track):
        channel = status & 0xF
        if status & 0xF0 == 0xD0:
            pressures.setdefault(channel, []).append((tick, programs[channel], data[0]))
            continue
        if status & 0xF0 == 0xC0:
            programs[channel] = data[0]
        tracks.setdefault(channel, []).append(digits(tick - at[channel]) + bytes([status]) + data)
        at[channel] = tick
    for channel, events in sorted(tracks.items()):
        yield b"".join(events) + _END, pressures.get(channel, [])


def _with_pressures(
    number: int, track: bytes, pressures: Sequence[tuple[int, int, int]], resolution: int, name: bytes
) -> Table:
    """Return what a channel plays, with its pressures: they belong to the part of the program that was chosen then."""
    notes, controls, parts = _read(number, track, resolution, name)
    if not parts:
        return notes, controls, parts
    place = {part.program: n for n, part in reversed(list(enumerate(parts)))}
    rows = [(tick, place.get(program, 0), PRESSURE, value) for tick, program, value in pressures]
    return notes, np.concatenate([controls, np.array(rows, CONTROL)]), parts


def _joined(tables: Sequence[Table]) -> Table:
    """Return several tables as one, with their parts numbered on."""
    parts: list[Part] = []
    notes, controls = [np.empty(0, NOTE)], [np.empty(0, CONTROL)]
    for own, changes, found in tables:
        if len(parts) + len(found) > MOST_PARTS:
            raise ScoreError(f"it has more than {MOST_PARTS:,} parts.")
        own["part"] += len(parts)
        changes["part"] += len(parts)
        notes.append(own)
        controls.append(changes)
        parts.extend(found)
    return np.concatenate(notes), np.concatenate(controls), parts


def _with_globals(
    chunks: Chunks,
    tracks: Sequence[Events],
    notes: NDArray[Any],
    controls: NDArray[Any],
    parts: Sequence[Part],
    mended: list[str],
) -> Score:
    """Return the score, with what its tracks say for all of them."""
    events = sorted((event for track in tracks for event in track.others), key=lambda event: event[0])
    return Score(
        chunks.resolution,
        notes,
        tuple(parts) or (Part(),),
        Tempos.of(_tempos(events, mended) if chunks.second is None else [(0, chunks.second)]),
        tuple(_meters(events, mended)),
        tuple(_keys(events, mended)),
        controls,
        tuple(Text(tick, _TEXTS[kind], content) for tick, kind, content in events if kind in _TEXTS),
    )


def _tempos(events: Sequence[tuple[int, int, bytes]], mended: list[str]) -> Iterator[tuple[int, int]]:
    for tick, _, content in (event for event in events if event[1] == _TEMPO):
        if len(content) == 3 and any(content):
            yield tick, int.from_bytes(content)
        else:
            mended.append(f"its tempo at tick {tick:,} is none: it is left out.")


def _meters(events: Sequence[tuple[int, int, bytes]], mended: list[str]) -> Iterator[Meter]:
    for tick, _, content in (event for event in events if event[1] == _METER):
        if len(content) >= 2 and content[0] and content[1] <= _UNITS:
            yield Meter(tick, content[0], 1 << content[1])
        else:
            told = f"{content[0]}/2^{content[1]}" if len(content) >= 2 else "none"
            mended.append(f"its time signature at tick {tick:,} is {told}: it is left out.")


def _keys(events: Sequence[tuple[int, int, bytes]], mended: list[str]) -> Iterator[Key]:
    for tick, _, content in (event for event in events if event[1] == _KEY):
        sharps = int.from_bytes(content[:1], signed=True)
        if len(content) == 2 and abs(sharps) <= 7 and content[1] <= 1:
            yield Key(tick, sharps, bool(content[1]))
        else:
            mended.append(f"its key signature at tick {tick:,} is none: it is left out.")


def _overlapping(notes: NDArray[Any]) -> int:
    """Return how many notes, in the order of their onsets, begin while another of their pitch and part sounds."""
    key = notes["part"].astype(np.int64) << 7 | notes["pitch"]
    order = np.argsort(key, kind="stable")
    key, onsets = key[order], notes["onset"][order]
    ends = onsets + notes["duration"][order]
    return int(((key[1:] == key[:-1]) & (onsets[1:] < ends[:-1])).sum())
