"""Scores written as MIDI files, byte for byte the same for the same score."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tonesmith.errors import ScoreError
from tonesmith.score.events import digits
from tonesmith.score.score import BEND, PRESSURE, Score, TextKind

_KINDS: Final[dict[TextKind, int]] = {"text": 1, "copyright": 2, "lyric": 5, "marker": 6, "cue": 7}
_DRUMS: Final = 9
_CHANNELS: Final = tuple(channel for channel in range(16) if channel != _DRUMS)

_NEAR: Final = tuple(map(digits, range(1024)))
"""The bytes of short gaps, which most are."""

Event = tuple[int, int, bytes]
"""Tick, its turn among those of one tick, and its bytes."""


def midi_of(score: Score) -> bytes:
    """Return a score as a MIDI file of type 1: a track for tempo, meter, keys and texts, and one for each part.

    Drums play on channel 10, the other parts on the 15 others in turn. Reading it gives the same score, but for notes
    of one pitch that overlap in a part: MIDI cannot say which of them ends first.

    Raises :class:`ScoreError` for what a MIDI file cannot say, such as a gap of more than 268,435,455 ticks.
    """
    tracks = [_track(_globals(score))]
    pitched = iter(range(len(score.parts)))
    for number, part in enumerate(score.parts):
        channel = _DRUMS if part.drums else _CHANNELS[next(pitched) % len(_CHANNELS)]
        tracks.append(_track(_part(score, number, channel)))
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


def _part(score: Score, number: int, channel: int) -> list[Event]:
    part = score.parts[number]
    events: list[Event] = [(0, 0, _meta(3, part.name))] if part.name else []
    events.append((0, 1, bytes([0xC0 | channel, part.program])))
    for time, _, kind, value in score.controls[score.controls["part"] == number].tolist():
        events.append((time, 3, _control(kind, value, channel)))
    for onset, duration, pitch, velocity, _ in score.notes[score.notes["part"] == number].tolist():
        events.append((onset, 4, bytes([0x90 | channel, pitch, velocity])))
        events.append((onset + duration, 2 if duration else 5, bytes([0x80 | channel, pitch, 64])))
    return events


def _control(kind: int, value: int, channel: int) -> bytes:
    if kind == BEND:
        return bytes([0xE0 | channel, (value + 8192) & 0x7F, (value + 8192) >> 7])
    if kind == PRESSURE:
        return bytes([0xD0 | channel, value])
    return bytes([0xB0 | channel, kind, value])


def _meta(kind: int, content: bytes) -> bytes:
    if len(content) >= 1 << 28:
        raise ScoreError("a text of more than 268,435,455 bytes.")
    return bytes([0xFF, kind]) + digits(len(content)) + content


def _track(events: Iterable[Event]) -> bytes:
    written, at = [], 0
    for tick, _, content in sorted(events, key=lambda event: event[:2]):
        gap = tick - at
        written.append((_NEAR[gap] if gap < len(_NEAR) else digits(gap)) + content)
        at = tick
    return b"".join(written) + digits(0) + bytes([0xFF, 0x2F, 0])
