"""A score: notes in time, with tempo, meter, keys and controllers, as a MIDI file holds them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ScoreError
from tonesmith.score.checks import check_score
from tonesmith.score.controllers import BEND, MODWHEEL, PRESSURE, SUSTAIN
from tonesmith.score.timing import Tempos

__all__ = [
    "BEND",
    "CONTROL",
    "MAX_RESOLUTION",
    "MODWHEEL",
    "NOTE",
    "PRESSURE",
    "SUSTAIN",
    "Key",
    "Meter",
    "Part",
    "Score",
    "Text",
    "TextKind",
    "controls_of",
    "notes_of",
]

NOTE: Final = np.dtype([("onset", "<i8"), ("duration", "<i8"), ("pitch", "u1"), ("velocity", "u1"), ("part", "<u2")])
"""A note: ticks, ticks, MIDI pitch 0..127, MIDI velocity 1..127, place of its part in ``Score.parts``."""

CONTROL: Final = np.dtype([("time", "<i8"), ("part", "<u2"), ("kind", "<u2"), ("value", "<i2")])
"""A controller's value: ticks, part, kind, value.

The kinds are the controller numbers 0..127 with values 0..127, :data:`BEND` with -8192..8191, and :data:`PRESSURE` of
the channel with 0..127.
"""

MAX_RESOLUTION: Final = 0x7FFF
"""The finest resolution that a MIDI file can state, in ticks per beat."""

MOST_BARS: Final = 1_000_000
"""That are counted: a day of one beat each at the fastest tempo that anybody plays has less."""

TextKind = Literal["text", "copyright", "lyric", "marker", "cue"]


class Meter(NamedTuple):
    """A time signature from a tick on: ``beats`` notes of the value 1/``unit`` fill a bar."""

    time: int
    beats: int
    unit: int


class Key(NamedTuple):
    """A key signature from a tick on: sharps, or minus the flats, -7..7, and whether it is minor."""

    time: int
    sharps: int
    minor: bool


class Text(NamedTuple):
    """A text at a tick, as the bytes that were written: nobody says in which encoding."""

    time: int
    kind: TextKind
    content: bytes


class Part(NamedTuple):
    """What plays some of the notes: its General MIDI program 0..127, whether it is drums, and its name as bytes."""

    program: int = 0
    drums: bool = False
    name: bytes = b""


@dataclass(frozen=True, eq=False, slots=False)
class Score:
    """Notes in time.

    A position is a whole number of ticks, so that ``Fraction(ticks, resolution)`` is its place in beats (quarter notes)
    exactly; seconds follow from the tempo map. Two scores are equal if they say the same in beats, whatever their
    resolutions and in whatever order equal events were given. The arrays cannot be written to.

    Attributes:
        resolution: ticks per beat, 1..32767.
        notes: (notes,) of :data:`NOTE`, in the order of onset, part, pitch, duration, velocity.
        parts: that the notes belong to.
        tempos: the tempo map.
        meters: time signatures in the order of their ticks. Before the first it is 4/4.
        keys: key signatures in the order of their ticks.
        controls: (events,) of :data:`CONTROL` in the order of time, part, kind. Of several values of one at one tick,
            the one that was given last.
        texts: lyrics, markers and the like, in the order of their ticks.

    Raises :class:`ScoreError` for a value out of its range, naming it.
    """

    resolution: int
    notes: NDArray[Any]
    parts: tuple[Part, ...] = (Part(),)
    tempos: Tempos = field(default_factory=Tempos)
    meters: tuple[Meter, ...] = ()
    keys: tuple[Key, ...] = ()
    controls: NDArray[Any] = field(default_factory=lambda: np.empty(0, CONTROL))
    texts: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.resolution <= MAX_RESOLUTION:
            raise ScoreError(f"a resolution of {self.resolution} ticks per beat: it must be 1 to {MAX_RESOLUTION:,}.")
        object.__setattr__(self, "notes", _frozen(_sorted_notes(np.asarray(self.notes, NOTE))))
        object.__setattr__(self, "controls", _frozen(_last_of_each(np.asarray(self.controls, CONTROL))))
        for name in ("meters", "keys", "texts"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))
        check_score(self)

    @classmethod
    def of(
        cls,
        notes: Iterable[tuple[float | Fraction, float | Fraction, int, int]],
        *,
        resolution: int = 480,
        bpm: float = 120.0,
        program: int = 0,
        drums: bool = False,
    ) -> Score:
        """Return a score of one part.

        Args:
            notes: onset and duration in beats, pitch, velocity of each.
            resolution: ticks per beat. Onsets and ends are rounded to the nearest tick.
            bpm: beats (quarter notes) per minute.
            program: General MIDI program of the part, 0..127.
            drums: whether the part is drums.

        Raises :class:`ScoreError` for a value out of its range.
        """
        rows = [
            (start := round(onset * resolution), round((onset + duration) * resolution) - start, pitch, velocity, 0)
            for onset, duration, pitch, velocity in notes
        ]
        return cls(resolution, _records(rows, NOTE), (Part(program, drums),), Tempos.steady(bpm))

    def __len__(self) -> int:
        return len(self.notes)

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, Score) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        parts = "1 part" if len(self.parts) == 1 else f"{len(self.parts)} parts"
        notes = "1 note" if len(self) == 1 else f"{len(self):,} notes"
        return f"<Score: {notes} in {parts}, {float(self.beats):g} beats, {self.duration:.3f} s>"

    @cached_property
    def content(self) -> bytes:
        """What the score says in beats, as JSON in the fewest ticks that hold it: the same for equal scores."""
        return json.dumps(_in_lowest_terms(self).to_json(), separators=(",", ":")).encode()

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of :attr:`content` as hexadecimal digits, by which a dataset keeps it among its assets."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def end(self) -> int:
        """The tick at which the last note ends; 0 without notes."""
        return int((self.notes["onset"] + self.notes["duration"]).max(initial=0))

    @property
    def beats(self) -> Fraction:
        """Beats until the last note ends."""
        return Fraction(self.end, self.resolution)

    @property
    def duration(self) -> float:
        """Seconds until the last note ends."""
        return float(self.seconds(self.end))

    def seconds(self, ticks: NDArray[np.int64] | int) -> NDArray[np.float64]:
        """Return when some ticks are, in seconds from the beginning, float64 of the same shape."""
        return self.tempos.seconds(ticks, self.resolution)

    @property
    def onsets(self) -> NDArray[np.float64]:
        """(notes,) seconds from the beginning at which each note begins."""
        return self.seconds(self.notes["onset"])

    @property
    def durations(self) -> NDArray[np.float64]:
        """(notes,) seconds that each note is held."""
        return self.seconds(self.notes["onset"] + self.notes["duration"]) - self.onsets

    def bars(self, ticks: int) -> NDArray[np.int64]:
        """Return (bars,) the tick at which each bar begins that begins before a tick.

        A bar that a new time signature cuts short ends there. Raises :class:`ScoreError` for more than a million bars.
        """
        meters = self._meters_before(ticks)
        ends = [*(m.time for m in meters[1:]), ticks]
        spans = [(m.time, end, self._bar_of(m)) for m, end in zip(meters, ends, strict=True)]
        if sum((end - start) // length for start, end, length in spans) > MOST_BARS:
            raise ScoreError(f"it has more than {MOST_BARS:,} bars.")
        return np.concatenate([np.arange(*span, dtype=np.int64) for span in spans])

    def bar_end(self, tick: int) -> int:
        """Return the tick at which the bar ends that a tick is in."""
        meter = self._meters_before(tick + 1)[-1]
        length = self._bar_of(meter)
        end = meter.time + ((tick - meter.time) // length + 1) * length
        return min([end, *(m.time for m in self.meters if tick < m.time < end)])

    def _meters_before(self, tick: int) -> list[Meter]:
        """Return the meters that begin before a tick, from tick 0 on: 4/4 before the first."""
        meters = [m for m in self.meters if m.time < tick]
        return meters if meters and meters[0].time == 0 else [Meter(0, 4, 4), *meters]

    def _bar_of(self, meter: Meter) -> int:
        """Return the ticks of a bar, at least one."""
        return max(1, meter.beats * 4 * self.resolution // meter.unit)

    def transposed(self, semitones: int) -> Score:
        """Return the score with every note that is no drum's moved, and its key signatures with them.

        Raises :class:`ScoreError` if a note would leave MIDI's range of 0 to 127.
        """
        notes = self.notes.copy()
        pitched = ~np.array([part.drums for part in self.parts], bool)[notes["part"]]
        pitches = notes["pitch"].astype(int) + semitones * pitched
        if len(pitches) and not (pitches.min() >= 0 and pitches.max() <= 127):
            far = int(pitches.min() if pitches.min() < 0 else pitches.max())
            raise ScoreError(
                f"transposed by {semitones} semitones, a note would have the pitch {far}: outside 0 to 127."
            )
        notes["pitch"] = pitches
        return replace(self, notes=notes, keys=tuple(k._replace(sharps=_moved(k.sharps, semitones)) for k in self.keys))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form, which :func:`tonesmith.score.stored.stored_score` reads."""
        return {
            "format": 1,
            "resolution": self.resolution,
            "parts": [{"program": p.program, "drums": p.drums, "name": p.name.hex()} for p in self.parts],
            "notes": _rows(self.notes),
            "tempos": self.tempos.to_json(),
            "meters": [list(meter) for meter in self.meters],
            "keys": [list(key) for key in self.keys],
            "controls": _rows(self.controls),
            "texts": [[text.time, text.kind, text.content.hex()] for text in self.texts],
        }


def notes_of(rows: Iterable[tuple[int, int, int, int, int]]) -> NDArray[Any]:
    """Return (rows,) of :data:`NOTE` from onset, duration, pitch, velocity and part of each.

    Raises :class:`ScoreError` for a number that does not fit.
    """
    return _records(rows, NOTE)


def controls_of(rows: Iterable[tuple[int, int, int, int]]) -> NDArray[Any]:
    """Return (rows,) of :data:`CONTROL` from time, part, kind and value of each.

    Raises :class:`ScoreError` for a number that does not fit.
    """
    return _records(rows, CONTROL)


def _records(rows: Iterable[tuple[int, ...]], dtype: np.dtype[Any]) -> NDArray[Any]:
    try:
        return np.array([tuple(row) for row in rows], dtype)
    except (OverflowError, ValueError, TypeError) as error:
        raise ScoreError(f"a number in the score is out of its range: {error}.") from None


def _rows(records: NDArray[Any]) -> list[list[int]]:
    """Return records of whole numbers as lists, twice as fast as one by one."""
    columns = [records[name].astype(np.int64) for name in records.dtype.names or ()]
    rows: list[list[int]] = np.column_stack(columns).tolist()
    return rows


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def _sorted_notes(notes: NDArray[Any]) -> NDArray[Any]:
    """Return notes in their order. It is found from a number for each, five times as fast, where no two are equal."""
    place = notes["onset"] << 23 | notes["part"].astype(np.int64) << 7 | notes["pitch"]
    if (place[1:] > place[:-1]).all():
        return notes.copy()
    order = np.argsort(place, kind="stable")
    placed = place[order]
    if (placed[1:] == placed[:-1]).any():
        order = np.lexsort([notes[name] for name in ("velocity", "duration", "pitch", "part", "onset")])
    return np.ascontiguousarray(notes[order])


def _last_of_each(controls: NDArray[Any]) -> NDArray[Any]:
    """Return controls in their order, with the last of several values of one at one tick."""
    if len(controls) < 2:
        return controls.copy()
    keys = [controls[name] for name in ("kind", "part", "time")]
    ordered = controls[np.lexsort(keys)]
    same = np.ones(len(ordered) - 1, bool)
    for name in ("time", "part", "kind"):
        same &= ordered[name][:-1] == ordered[name][1:]
    return np.ascontiguousarray(ordered[np.append(~same, True)])


def _moved(sharps: int, semitones: int) -> int:
    """Return the sharps of a key signature some semitones up: a semitone is seven fifths, spelled with six at most."""
    return (sharps + 7 * semitones + 5) % 12 - 5


def _in_lowest_terms(score: Score) -> Score:
    """Return the same score in the fewest ticks per beat that hold it."""
    times = [score.notes["onset"], score.notes["duration"], score.controls["time"], score.tempos.ticks]
    events = [e[0] for e in (*score.meters, *score.keys, *score.texts)]
    common = math.gcd(score.resolution, *(int(np.gcd.reduce(t, initial=0)) for t in times), *events)
    if common == 1:
        return score
    notes, controls = score.notes.copy(), score.controls.copy()
    notes["onset"] //= common
    notes["duration"] //= common
    controls["time"] //= common
    return Score(
        score.resolution // common,
        notes,
        score.parts,
        score.tempos.divided(common),
        tuple(m._replace(time=m.time // common) for m in score.meters),
        tuple(k._replace(time=k.time // common) for k in score.keys),
        controls,
        tuple(t._replace(time=t.time // common) for t in score.texts),
    )
