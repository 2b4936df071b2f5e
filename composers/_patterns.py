"""What drums and bass play: two bars, drawn and repeated, on a grid of sixteenths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from tonesmith.score.bars import Bar
from tonesmith.score.draws import Draws

KICK: Final = 36
SNARE: Final = 38
HAT: Final = 42
RIDE: Final = 51

_KICK_ON: Final = 0.35
_KICK_OFF: Final = 0.2
_BASS_OFF: Final = 0.3
_TONES: Final = (0, 0, 7, 12)
"""Semitones above the root that a bass plays."""


class Hit(NamedTuple):
    """A drum: the sixteenth from the beginning that it is on, its General MIDI pitch, its velocity.

    ``keeps`` tells whether it keeps the time.
    """

    place: int
    pitch: int
    velocity: int
    keeps: bool


def drums_of(bar: Bar, bars: int, feel: str, level: str, draws: Draws) -> list[Hit]:
    """Return what the drums play in so many bars: two that are drawn, in turn."""
    drawn = [_bar(bar, feel, level, draws, number) for number in range(min(2, bars))]
    length = 2 * bar.eighths
    return [hit._replace(place=hit.place + n * length) for n in range(bars) for hit in drawn[n % len(drawn)]]


def bass_of(bar: Bar, bars: int, level: str, drums: Sequence[Hit], draws: Draws) -> list[tuple[int, int, int]]:
    """Return sixteenth, pitch and velocity of each bass tone: with the kick, and at some places between."""
    root, length, repeat = draws.whole("root", 28, 39), 2 * bar.eighths, 4 * bar.eighths
    kicks = {hit.place for hit in drums if hit.pitch == KICK}
    step = _step(bar, level)
    between = draws.units("bass places", repeat)
    tones, loud = draws.units("bass tones", repeat), draws.units("bass velocities", repeat)
    found = []
    for place in range(0, bars * length, step):
        within = place % repeat
        if place in kicks or between[within] < _BASS_OFF:
            tone = 0 if place % length == 0 else _TONES[int(tones[within] * len(_TONES))]
            found.append((place, root + tone, 80 + int(20 * loud[within])))
    return found


def _bar(bar: Bar, feel: str, level: str, draws: Draws, number: int) -> list[Hit]:
    """Return one drawn bar: what keeps the time, and kick and snare."""
    starts, back = [2 * eighth for eighth in bar.starts], _backbeats(bar)
    loud = iter(draws.units(f"velocities {number}", 3 * 2 * bar.eighths))
    chance = draws.units(f"kick {number}", 2 * bar.eighths)
    hits = []
    for place in range(0, 2 * bar.eighths, _step(bar, level)):
        strength = 2 * (place == 0) + (place in starts)
        velocity = 66 + 12 * strength
        if _keeps(bar, feel, level, place):
            pitch = RIDE if feel == "swing" and level == "eighth" else HAT
            hits.append(Hit(place, pitch, velocity + int(10 * next(loud)), keeps=True))
        if place in back:
            hits.append(Hit(place, SNARE, 92 + int(16 * next(loud)), keeps=False))
        elif place == 0 or chance[place] < (_KICK_ON if place in starts else _KICK_OFF):
            hits.append(Hit(place, KICK, 84 + 6 * strength + int(12 * next(loud)), keeps=False))
    return hits


def _step(bar: Bar, level: str) -> int:
    """Return sixteenths between two places of the pattern."""
    return 1 if level == "sixteenth" and bar.simple else 2


def _keeps(bar: Bar, feel: str, level: str, place: int) -> bool:
    """Return whether hi-hat or ride play: a swing pattern leaves out the off-beats after the first and third beat."""
    return not (feel == "swing" and level == "eighth" and bar.simple and place % 8 == 2)


def _backbeats(bar: Bar) -> set[int]:
    """Return the sixteenths that the snare plays on: every second beat."""
    return {2 * start for start in bar.starts[1::2]}
