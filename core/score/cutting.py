"""Scores cut into phrases: at bars or at times, exactly in ticks, with what is in force at the cut."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ScoreError
from tonesmith.score.score import BEND, CONTROL, PRESSURE, Key, Meter, Part, Score, Text
from tonesmith.score.timing import Tempos

MOST_WINDOWS: Final = 20_000
"""Into which one score is cut: a day of music in phrases of four seconds."""
_RESET: Final = 121
_PASSING: Final = frozenset((96, 97, 120, _RESET, 123))
"""Controllers that do something once, so that they have no value in force."""
_RETURNING: Final = frozenset((1, 11, 64, 65, 66, 67, 98, 99, 100, 101, BEND, PRESSURE))
"""What "reset all controllers" resets [MIDI 1.0, Recommended Practice 015]."""

Event = TypeVar("Event", Meter, Key, Text)


class Window(NamedTuple):
    """The ticks ``start`` to before ``end`` of a score, and the number of the bar that it begins in, from 1 on."""

    start: int
    end: int
    bar: int


@dataclass(frozen=True, slots=True)
class Windows:
    """Where a score is cut.

    Attributes:
        found: the windows, in their order.
        too_long: bars (or ticks) of which not even one fits into the time.
        shortest: seconds of the shortest of those; 0.0 without any.
    """

    found: tuple[Window, ...]
    too_long: int = 0
    shortest: float = 0.0


def bar_windows(score: Score, seconds: float | None, hop: int = 0) -> Windows:
    """Return windows that begin at bars, each as many whole bars as fit.

    The first begins at the bar of the first note; the last is the first that takes in the end.

    Args:
        score: to cut.
        seconds: that a window may last; None for no limit.
        hop: bars from the beginning of a window to that of the next; 0 for windows that follow each other.

    Raises :class:`ScoreError` for a score of more than :data:`MOST_WINDOWS` windows.
    """
    edges, first = _bars_of_notes(score)
    passed = score.tempos.passed(edges)
    limit = _counts(score, seconds)
    found: list[Window] = []
    too_long: list[int] = []
    at = 0
    while at < len(edges) - 1:
        last = len(edges) - 1 if limit is None else int(np.searchsorted(passed, passed[at] + limit, "right")) - 1
        if last > at:
            found.append(Window(int(edges[at]), int(edges[last]), first + at))
        else:
            too_long.append(int(passed[at + 1] - passed[at]))
        at = len(edges) if last == len(edges) - 1 else at + hop if hop else max(last, at + 1)
        _check_count(len(found))
    return Windows(tuple(found), len(too_long), min(too_long, default=0) / (score.resolution * 1e6))


def time_windows(score: Score, seconds: float, hop: float = 0.0) -> Windows:
    """Return windows of a length in seconds, or less by part of a tick.

    Those that follow each other leave no tick out: each begins where the one before ends. The first begins at the bar
    of the first note; the last is the first that takes in the end.

    Args:
        score: to cut.
        seconds: that a window lasts.
        hop: seconds from the beginning of a window to that of the next; 0 for windows that follow each other.

    Raises :class:`ScoreError` for a score of more than :data:`MOST_WINDOWS` windows.
    """
    edges, first = _bars_of_notes(score)
    if len(edges) < 2:
        return Windows(())
    begin, end = int(score.tempos.passed(edges[0])), int(score.tempos.passed(score.end))
    length = _counts(score, seconds) or 1
    if hop:
        step = _counts(score, hop) or length
        further = max(0, -((begin + length - end) // step))
        _check_count(further + 1)
        starts = score.tempos.reached(begin + step * np.arange(further + 1, dtype=np.int64))
        ends = _ends(score, starts, length)
    else:
        starts, ends = _following(score, int(edges[0]), length)
    bars = np.searchsorted(edges, starts, "right") - 1 + first
    found = [Window(*each) for each in zip(starts.tolist(), ends.tolist(), bars.tolist(), strict=True)]
    kept = tuple(window for window in dict.fromkeys(found) if window.end > window.start)
    return Windows(kept, len(found) - len(kept))


def _ends(score: Score, starts: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Return the last tick of windows that begin at some ticks, and last no longer than a length."""
    return score.tempos.reached(score.tempos.passed(starts) + length + 1) - 1


def _following(score: Score, first: int, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the starts and ends of windows of which each begins where the one before ends, up to the score's end."""
    starts, ends = [first], [int(_ends(score, np.array([first]), length)[0])]
    while ends[-1] < score.end:
        _check_count(len(starts))
        starts.append(max(ends[-1], starts[-1] + 1))
        ends.append(int(_ends(score, np.array(starts[-1:]), length)[0]))
    return np.array(starts, np.int64), np.array(ends, np.int64)


def first_window(score: Score, seconds: float | None) -> Windows:
    """Return the window that begins at the bar of the first note, up to a length in seconds; None for all."""
    edges, first = _bars_of_notes(score)
    if len(edges) < 2:
        return Windows(())
    start, end = int(edges[0]), int(edges[-1])
    limit = _counts(score, seconds)
    if limit is not None:
        end = min(end, int(score.tempos.reached(score.tempos.passed(start) + limit + 1)) - 1)
    return Windows((Window(start, end, first),) if end > start else (), int(end <= start))


def pieces(score: Score, windows: Iterable[Window]) -> Iterator[Score]:
    """Yield what each window holds, from tick 0 on.

    A note belongs to the window in which it begins; one that began before is left out, since striking it anew would
    be a note that nobody played. A note that sounds at the end is let go there. The tempo, meter, key and the value of
    each controller that are in force at the cut are stated at tick 0; a controller that does something once is not,
    and "reset all controllers" is heard. A part that plays no note there is left out. Texts stay where they are.

    Args:
        score: to cut.
        windows: in the order of their starts.
    """
    source = _Source.of(score)
    held = _Held(score)
    for window in windows:
        yield source.piece(window, held.at(window.start))


def with_parts(score: Score, kept: Sequence[bool]) -> Score:
    """Return a score with some of its parts, without those of them that play no note, numbered anew.

    Args:
        score: to take from.
        kept: whether to keep each part.
    """
    notes, controls, parts = _played(score.notes, score.controls, score.parts, np.asarray(kept, bool))
    return score if len(parts) == len(score.parts) else replace(score, notes=notes, controls=controls, parts=parts)


def _played(
    notes: NDArray[Any], controls: NDArray[Any], parts: tuple[Part, ...], kept: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[Any], tuple[Part, ...]]:
    """Return notes, controllers and parts of the parts that are kept and play a note; the first part if none does."""
    plays = np.zeros(len(parts), bool)
    plays[notes["part"]] = True
    plays &= kept
    if plays.all():
        return notes, controls, parts
    place = np.cumsum(plays) - 1
    notes, controls = notes[plays[notes["part"]]], controls[plays[controls["part"]]]
    notes["part"], controls["part"] = place[notes["part"]], place[controls["part"]]
    return notes, controls, tuple(part for part, stays in zip(parts, plays.tolist(), strict=True) if stays) or parts[:1]


@dataclass(frozen=True, slots=True)
class _Source:
    """A score with what finding a place in it needs."""

    score: Score
    onsets: NDArray[np.int64]
    changes: NDArray[np.int64]

    @classmethod
    def of(cls, score: Score) -> _Source:
        return cls(score, np.ascontiguousarray(score.notes["onset"]), np.ascontiguousarray(score.controls["time"]))

    def piece(self, window: Window, held: NDArray[Any]) -> Score:
        start, end, _ = window
        score = self.score
        notes = score.notes[slice(*np.searchsorted(self.onsets, (start, end)))].copy()
        notes["duration"] = np.minimum(notes["onset"] + notes["duration"], end) - notes["onset"]
        notes["onset"] -= start
        controls = score.controls[slice(*np.searchsorted(self.changes, (start, end)))].copy()
        controls["time"] -= start
        controls = np.concatenate([held, controls])
        notes, controls, parts = _played(notes, controls, score.parts, np.ones(len(score.parts), bool))
        return Score(
            score.resolution,
            notes,
            parts,
            _tempos(score.tempos, start, end),
            _from(score.meters, start, end),
            _from(score.keys, start, end),
            controls,
            _within(score.texts, start, end),
        )


class _Held:
    """The values of controllers in force at a tick, asked for in the order of ticks."""

    def __init__(self, score: Score) -> None:
        self._coming = iter(score.controls.tolist())
        self._next = next(self._coming, None)
        self._values: dict[tuple[int, int], int] = {}

    def at(self, tick: int) -> NDArray[Any]:
        """Return what is in force at a tick, of :data:`CONTROL` at tick 0, without what is said there anew."""
        while self._next is not None and self._next[0] < tick:
            _, part, kind, value = self._next
            self._take(part, kind, value)
            self._next = next(self._coming, None)
        return np.array([(0, part, kind, value) for (part, kind), value in self._values.items()], CONTROL)

    def _take(self, part: int, kind: int, value: int) -> None:
        if kind == _RESET:
            for returning in _RETURNING:
                self._values.pop((part, returning), None)
        elif kind not in _PASSING:
            self._values[part, kind] = value


def _tempos(tempos: Tempos, start: int, end: int) -> Tempos:
    first, last = int(np.searchsorted(tempos.ticks, start, "right")) - 1, int(np.searchsorted(tempos.ticks, end))
    last = max(last, first + 1)
    return Tempos(np.maximum(tempos.ticks[first:last] - start, 0), tempos.microseconds[first:last])


def _within(events: tuple[Event, ...], start: int, end: int) -> tuple[Event, ...]:
    low, high = (bisect_left(events, tick, key=_time) for tick in (start, end))
    return tuple(event._replace(time=event.time - start) for event in events[low:high])


def _from(events: tuple[Event, ...], start: int, end: int) -> tuple[Event, ...]:
    """Return events of a window, with the one in force at its start."""
    low, high = max(bisect_right(events, start, key=_time) - 1, 0), bisect_left(events, end, key=_time)
    return tuple(event._replace(time=max(event.time - start, 0)) for event in events[low:high])


def _time(event: Meter | Key | Text) -> int:
    return event.time


def _bars_of_notes(score: Score) -> tuple[NDArray[np.int64], int]:
    """Return the edges of the bars from that of the first note to the end of the last, and the number of the first."""
    if not len(score):
        return np.empty(0, np.int64), 1
    starts = score.bars(int(score.notes["onset"].max()) + 1)
    first = int(np.searchsorted(starts, score.notes["onset"][0], "right")) - 1
    end = max(score.end, int(starts[-1]) + 1)
    starts = score.bars(end)
    return np.append(starts[first:], score.bar_end(int(starts[-1]))), first + 1


def _counts(score: Score, seconds: float | None) -> int | None:
    """Return seconds in the unit of :meth:`Tempos.passed`, to the nearest."""
    return None if seconds is None else round(seconds * 1e6 * score.resolution)


def _check_count(count: int) -> None:
    if count > MOST_WINDOWS:
        raise ScoreError(f"it is cut into more than {MOST_WINDOWS:,} phrases. Make them longer, or their hop.")
