"""A phrase as MIDI messages, each at a frame: what a synth is sent that listens to MIDI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tonesmith.errors import ScoreError
from tonesmith.score.controllers import BEND, CHOOSING, MODWHEEL, PEDALS, PRESSURE, SUSTAIN
from tonesmith.score.phrase import Phrase
from tonesmith.score.score import Score
from tonesmith.space.patch import Note

DRUMS: Final = 9
"""The channel of drums in General MIDI, counted from 0."""
_PITCHED: Final = tuple(channel for channel in range(16) if channel != DRUMS)
_RELEASE, _CONTROL, _STRIKE = range(3)
"""The order of messages at one frame: a key is let go before it is struck again."""

Message = tuple[int, bytes]
"""A frame, and the bytes of a MIDI message."""


@dataclass(slots=True)
class _Key:
    """A key that is struck: its channel and pitch, velocity, and the frames at which it is struck and let go."""

    place: tuple[int, int]
    velocity: int
    on: int
    off: int


def messages(phrase: Phrase, rate: int, held: Callable[[float], int] | None = None) -> list[Message]:
    """Return the messages of a phrase, in their order.

    Each part has a channel of its own, in the order of the parts, as long as there are any; drums have the tenth. A key
    is let go before it is struck again in the same channel, and of two that are struck at once the louder one counts.
    Program changes, bank selects and channel modes are left out: the patch says what sounds.

    Args:
        phrase: to play.
        rate: frames per second.
        held: returns the frames that a key is held, of seconds; by default the nearest.
    """
    score, last = phrase.score, round(phrase.hold * rate)
    channels = channels_of(score)
    keys = _keys(phrase, channels, rate, held or (lambda seconds: round(seconds * rate)))
    told = [(key.off, _RELEASE, bytes((0x80 | key.place[0], key.place[1], 0))) for key in keys]
    told += [(key.on, _STRIKE, bytes((0x90 | key.place[0], key.place[1], key.velocity))) for key in keys]
    down: dict[tuple[int, int], int] = {}
    for seconds, (_, part, kind, value) in zip(
        score.seconds(score.controls["time"]).tolist(), score.controls.tolist(), strict=True
    ):
        if (frame := round(seconds * rate)) < last and kind not in CHOOSING:
            told.append((frame, _CONTROL, control_message(channels[part], kind, value)))
            down[channels[part], kind] = value
    lifted = [place for place, value in down.items() if place[1] in PEDALS and value >= 64]
    told += [(last, _CONTROL, control_message(channel, kind, 0)) for channel, kind in lifted]
    return [(frame, message) for frame, _, message in sorted(told, key=lambda one: one[:2])]


def note_messages(note: Note, off: int) -> list[Message]:
    """Return the messages of a note in the first channel. The pedal, if it is down, is not lifted again.

    Args:
        note: to play.
        off: frame at which the key is let go.
    """
    if not (0 <= note.pitch <= 127 and 1 <= note.velocity <= 127):
        raise ScoreError(f"pitch {note.pitch} or velocity {note.velocity} is outside the range of MIDI")
    told = [control_message(0, kind, value) for kind, value in sorted(note_controls(note).items())]
    told.append(bytes((0x90, note.pitch, note.velocity)))
    return [*((0, message) for message in told), (off, bytes((0x80, note.pitch, 0)))]


def note_controls(note: Note) -> dict[int, int]:
    """Return kind -> value of what a note moves, in MIDI's steps; nothing for what stays where it is."""
    moved = {
        MODWHEEL: round(note.modwheel * 127),
        SUSTAIN: 127 * note.sustain,
        BEND: min(round(note.bend * 8192), 8191),
    }
    return {kind: value for kind, value in moved.items() if value}


def control_message(channel: int, kind: int, value: int) -> bytes:
    """Return the message of a controller of a score, of any of its kinds."""
    if kind == BEND:
        return bytes((0xE0 | channel, (value + 8192) & 0x7F, (value + 8192) >> 7))
    return bytes((0xD0 | channel, value) if kind == PRESSURE else (0xB0 | channel, kind, value))


def channels_of(score: Score) -> dict[int, int]:
    """Return part -> channel, 0..15, of each part that has notes or controllers. The 16th has the first one's."""
    playing = sorted({*score.notes["part"].tolist(), *score.controls["part"].tolist()})
    pitched = [part for part in playing if not score.parts[part].drums]
    channels = {part: _PITCHED[place % len(_PITCHED)] for place, part in enumerate(pitched)}
    return {part: channels.get(part, DRUMS) for part in playing}


def _keys(phrase: Phrase, channels: dict[int, int], rate: int, held: Callable[[float], int]) -> list[_Key]:
    """Return the keys that are struck, none of them struck again while it is down."""
    last = round(phrase.hold * rate)
    latest: dict[tuple[int, int], _Key] = {}
    keys: list[_Key] = []
    for onset, seconds, note in _notes(phrase.score):
        on = round(onset * rate)
        if on >= last:
            continue
        off = min(on + max(1, held(min(seconds, phrase.hold - onset))), last)
        key = _Key((channels[note["part"]], int(note["pitch"])), int(note["velocity"]), on, off)
        before = latest.get(key.place)
        if before is not None and before.on == on:
            before.velocity, before.off = max(before.velocity, key.velocity), max(before.off, off)
            continue
        if before is not None:
            before.off = min(before.off, on)
        latest[key.place] = key
        keys.append(key)
    return keys


def _notes(score: Score) -> list[tuple[float, float, Any]]:
    """Return onset and duration in seconds, and the record, of each note."""
    return list(zip(score.onsets.tolist(), score.durations.tolist(), score.notes, strict=True))
