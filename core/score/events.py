"""The events of a track, found by patterns: what a note reader leaves out, and where a track breaks off.

Regular expressions run over the bytes as compiled code, some ten times as fast as a loop over events would: a *stretch*
is all events of channels up to the next other one, a *run* those of them that share a status byte. Every repetition
keeps what it took, so that a stretch is read once, whatever is in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tonesmith.errors import ScoreError

_V: Final = rb"[\x80-\xff]{0,3}[\x00-\x7f]"
"""Ticks since the event before: seven bits in each byte, and the eighth says whether another follows."""
_D: Final = rb"[\x00-\x7f]"
_TWO: Final = rb"[\x80-\xbf\xe0-\xef]"
"""Status bytes that two bytes of data follow; one follows the others."""
_ONE: Final = rb"[\xc0-\xdf]"

_RUN: Final = re.compile(
    rb"(%b)(?:(%b)(%b%b(?:%b%b%b)*+)|(%b)(%b(?:%b%b)*+))" % (_V, _TWO, _D, _D, _V, _D, _D, _ONE, _D, _V, _D), re.DOTALL
)
_STRETCH: Final = re.compile(
    rb"(?:%b(?:%b%b%b(?:%b%b%b)*+|%b%b(?:%b%b)*+))++" % (_V, _TWO, _D, _D, _V, _D, _D, _ONE, _D, _V, _D), re.DOTALL
)
_NOTES: Final = re.compile(
    rb"%b(?:[\x90-\x9f](%b%b(?:%b%b%b)*+)|%b%b%b(?:%b%b%b)*+|%b%b(?:%b%b)*+)"
    % (_V, _D, _D, _V, _D, _D, _TWO, _D, _D, _V, _D, _D, _ONE, _D, _V, _D),
    re.DOTALL,
)
"""A run, with its data if it is one of note-ons."""
_VELOCITY: Final = re.compile(rb"%b%b(%b)" % (_V, _D, _D), re.DOTALL)
_PRESSING: Final = re.compile(
    rb"(?:%b(?:[\x80-\x9f\xb0-\xbf\xe0-\xef]%b%b(?:%b%b%b)*+|[\xc0-\xcf]%b(?:%b%b)*+))*+%b[\xa0-\xaf\xd0-\xdf]"
    % (_V, _D, _D, _V, _D, _D, _D, _V, _D, _V),
    re.DOTALL,
)
"""A stretch up to a pressure."""
_PRESSED: Final = re.compile(
    rb"((?:%b(?:%b%b%b(?:%b%b%b)*+|[\xc0-\xcf]%b(?:%b%b)*+))*+%b)([\xd0-\xdf])(%b)((?:%b%b)*+)"
    % (_V, _TWO, _D, _D, _V, _D, _D, _D, _V, _D, _V, _D, _V, _D),
    re.DOTALL,
)
"""A stretch up to a run of pressures of a channel: what is before it, its status byte, its first value, the rest."""
NOTHING: Final = b"\xff\x01\x00"
"""A text without a letter."""
_PRESSURES: Final = bytes((*range(0xA0, 0xB0), *range(0xD0, 0xE0)))
_AGAIN_TWO: Final = re.compile(rb"(%b)(%b%b(?:%b%b%b)*+)" % (_V, _D, _D, _V, _D, _D), re.DOTALL)
_AGAIN_ONE: Final = re.compile(rb"(%b)(%b(?:%b%b)*+)" % (_V, _D, _V, _D), re.DOTALL)
_OTHER: Final = re.compile(rb"(%b)(?:\xff(%b)|[\xf0\xf7])(%b)" % (_V, _D, _V), re.DOTALL)
_PAIR: Final = re.compile(rb"(%b)(%b)(%b)" % (_V, _D, _D), re.DOTALL)
_SINGLE: Final = re.compile(rb"(%b)(%b)" % (_V, _D), re.DOTALL)

_END_OF_TRACK: Final = 0x2F

MOST_EVENTS: Final = 50_000
"""Texts, tempos, meters and the like of a file. A song with a lyric for each syllable has a thousand."""
MOST_PRESSURES: Final = 200_000
"""Pressures of a file: an hour of a keyboard that sends fifty a second."""


@dataclass(slots=True)
class Events:
    """What is in a track.

    Attributes:
        pressures: of a channel: how many there are.
        unplayed: events that no score holds -> how many.
        others: tick, kind and content of each event of the file itself (tempo, text, ...), in their order.
        whole: bytes up to the end of the last whole event.
        broken: whether something else follows there.
        closed: whether the track says where it ends.
        pieces: stretches of events of channels, and an empty text in the place of each other event.
    """

    pressures: int = 0
    unplayed: Counter[str] = field(default_factory=Counter)
    others: list[tuple[int, int, bytes]] = field(default_factory=list)
    whole: int = 0
    broken: bool = False
    closed: bool = False
    pieces: list[bytes] = field(default_factory=list)
    _ticks: int = 0
    _uncounted: list[bytes] = field(default_factory=list)
    """Stretches since the last event whose tick was needed."""
    _last: bytes = b""
    """The last stretch: in its end stands the status byte that holds on."""

    def add_stretch(self, stretch: bytes) -> None:
        """Add all events of channels up to another one."""
        if len(stretch.translate(None, _PRESSURES)) != len(stretch) and _PRESSING.match(stretch):
            self._add_pressures(stretch)
        self.pieces.append(stretch)
        self._uncounted.append(stretch)
        self._last = stretch

    def add_other(self, delta: bytes, kind: int | None, content: bytes) -> None:
        """Add an event that is no channel's; a system exclusive message has no kind."""
        self.closed = kind == _END_OF_TRACK
        if not self.closed:
            _check_count(len(self.others) + self.unplayed["system exclusive messages"], MOST_EVENTS, "texts and tempos")
            self.pieces.append(delta + NOTHING)
            self._ticks += sum(map(_ticks_of, self._uncounted)) + number(delta)
            self._uncounted.clear()
            if kind is None:
                self.unplayed["system exclusive messages"] += 1
            else:
                self.others.append((self._ticks, kind, content))

    @property
    def status(self) -> int:
        """The status byte that holds on; 0 before the first."""
        return _last_status(self._last) if self._last else 0

    @property
    def ticks(self) -> int:
        """The tick of the last event."""
        return self._ticks + sum(map(_ticks_of, self._uncounted))

    def count_notes(self) -> int:
        """Return how many notes begin: note-ons of velocity 0 end one."""
        velocities = [
            v for piece in self.pieces for run in _NOTES.findall(piece) for v in _VELOCITY.findall(b"\0" + run)
        ]
        return len(velocities) - velocities.count(b"\x00")

    def _add_pressures(self, stretch: bytes) -> None:
        for delta, two, pairs, one, singles in _RUN.findall(stretch):
            if two and 0xA0 <= two[0] < 0xB0:
                self.unplayed["pressures of single keys"] += len(_PAIR.findall(delta + pairs))
            if one and one[0] >= 0xD0:
                self.pressures += len(_SINGLE.findall(delta + singles))
                _check_count(self.pressures, MOST_PRESSURES, "pressures")


def events_of(track: bytes) -> Events:
    """Return what is in a track, up to its end or to the first thing that is no event."""
    found = Events()
    while not found.closed and found.whole < len(track):
        if stretch := _STRETCH.match(track, found.whole):
            found.add_stretch(stretch[0])
            found.whole = stretch.end()
        elif end := _other(found, track):
            found.whole = end
        elif again := _continued(track, found.whole, found.status):
            delta, rest = again.groups()
            found.add_stretch(delta + bytes([found.status]) + rest)
            found.whole = again.end()
        else:
            found.broken = True
            break
    return found


def runs_of(track: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield tick, status byte and data of each event of a channel in a track, one by one. This is slow."""
    tick = at = status = 0
    while at < len(track):
        if run := _RUN.match(track, at):
            status, rest, delta = (run[2] or run[4])[0], run[3] or run[5], run[1]
        elif run := _continued(track, at, status):
            rest, delta = run[2], run[1]
        elif run := _OTHER.match(track, at):
            tick += number(run[1])
            if run[2] is not None and run[2][0] == _END_OF_TRACK:
                return
            at = run.end() + number(run[3])
            continue
        else:
            return
        tick += number(delta)
        size = 2 if _is_two(status) else 1
        yield tick, status, rest[:size]
        if len(rest) > size:
            for moved, *values in (_PAIR if size == 2 else _SINGLE).findall(rest[size:]):
                tick += number(moved)
                yield tick, status, b"".join(values)
        at = run.end()


def without_pressures(stretch: bytes, controller: int) -> bytes:
    """Return a stretch with the pressures of its channels as a controller that it has none of."""
    found: list[bytes] = []
    at, name = 0, bytes([controller])
    while run := _PRESSED.match(stretch, at):
        before, status, first, others = run.groups()
        found += (before, bytes([status[0] - 0x20]), name, first)
        found += (part for moved, value in _SINGLE.findall(others) for part in (moved, name, value))
        at = run.end()
    return b"".join(found) + stretch[at:]


def number(digits: bytes) -> int:
    """Return a number that is written with seven bits in each byte."""
    total = 0
    for digit in digits:
        total = total << 7 | digit & 0x7F
    return total


def digits(number: int) -> bytes:
    """Return a number below 2**28 with seven bits in each byte."""
    if not 0 <= number < 1 << 28:
        raise ScoreError(f"{number:,} ticks between two events; a MIDI file can state {(1 << 28) - 1:,} at most.")
    found = [number & 0x7F]
    while number := number >> 7:
        found.append(number & 0x7F | 0x80)
    return bytes(reversed(found))


def _check_count(count: int, most: int, what: str) -> None:
    if count > most:
        raise ScoreError(f"it has more than {most:,} {what}.")


def _is_two(status: int) -> bool:
    return status < 0xC0 or status >= 0xE0


def _continued(track: bytes, at: int, status: int) -> re.Match[bytes] | None:
    """Return events that use the status byte of one before another kind of event: forbidden, and common."""
    if not status:
        return None
    return (_AGAIN_TWO if _is_two(status) else _AGAIN_ONE).match(track, at)


def _ticks_of(stretch: bytes) -> int:
    """Return the ticks that a stretch takes."""
    steps: Counter[bytes] = Counter()
    for delta, _, pairs, _, singles in _RUN.findall(stretch):
        steps[delta] += 1
        if len(pairs) > 2:
            steps.update(event[0] for event in _PAIR.findall(b"\x00" + pairs)[1:])
        elif len(singles) > 1:
            steps.update(event[0] for event in _SINGLE.findall(b"\x00" + singles)[1:])
    return sum(number(digits) * times for digits, times in steps.items())


def _last_status(stretch: bytes) -> int:
    _, two, _, one, _ = _RUN.findall(stretch)[-1]
    return int((two or one)[0])


def _other(found: Events, track: bytes) -> int:
    """Add an event that is no channel's, and return where it ends; 0 if there is no whole one."""
    event = _OTHER.match(track, found.whole)
    if event is None or (end := event.end() + number(event[3])) > len(track):
        return 0
    found.add_other(event[1], event[2][0] if event[2] is not None else None, track[event.end() : end])
    return end
