"""The bounds of a score's numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ScoreError
from tonesmith.score.controllers import BEND, PRESSURE
from tonesmith.score.timing import END

if TYPE_CHECKING:
    from tonesmith.score.score import Score


def check_score(score: Score) -> None:
    """Raise :class:`ScoreError` for a number of a score that is out of its range, naming it."""
    _check_notes(score.notes, len(score.parts))
    _check_controls(score.controls, len(score.parts))
    _check_signatures(score)


def _check_notes(notes: NDArray[Any], parts: int) -> None:
    ends = notes["onset"] + notes["duration"]
    if len(notes) and _are_whole(notes, ends, parts):
        return
    _check("a note's onset", notes["onset"], 0, END)
    _check("a note's duration", notes["duration"], 0, END)
    _check("the end of a note", ends, 0, END)
    _check("a pitch", notes["pitch"], 0, 127)
    _check("a velocity", notes["velocity"], 1, 127)
    _check("the part of a note", notes["part"], 0, parts - 1)


def _are_whole(notes: NDArray[Any], ends: NDArray[Any], parts: int) -> bool:
    """Return whether no note is out of range, without asking which number of it is: most are not."""
    onsets, velocities = notes["onset"], notes["velocity"]
    return bool(
        onsets.min() >= 0
        and onsets.max() <= END
        and notes["duration"].min() >= 0
        and notes["duration"].max() <= END
        and ends.max() <= END
        and notes["pitch"].max() <= 127
        and velocities.min() >= 1
        and velocities.max() <= 127
        and notes["part"].max() < parts
    )


def _check_controls(controls: NDArray[Any], parts: int) -> None:
    if not len(controls):
        return
    _check("the time of a controller", controls["time"], 0, END)
    _check("the part of a controller", controls["part"], 0, parts - 1)
    _check("the kind of a controller", controls["kind"], 0, PRESSURE)
    bends = controls["kind"] == BEND
    _check("a pitch bend", controls["value"][bends], -8192, 8191)
    _check("the value of a controller", controls["value"][~bends], 0, 127)


def _check_signatures(score: Score) -> None:
    for meter in score.meters:
        if meter.unit not in {1, 2, 4, 8, 16, 32, 64} or not 1 <= meter.beats <= 255:
            raise ScoreError(f"a time signature of {meter.beats}/{meter.unit} at tick {meter.time}.")
    for key in score.keys:
        if not -7 <= key.sharps <= 7:
            raise ScoreError(
                f"a key signature of {abs(key.sharps)} {'sharps' if key.sharps > 0 else 'flats'}: 7 at most."
            )
    for part in score.parts:
        if not 0 <= part.program <= 127:
            raise ScoreError(f"a program {part.program}: it must be 0 to 127.")
    _check("a time", np.array([e[0] for e in (*score.meters, *score.keys, *score.texts)], np.int64), 0, END)


def _check(what: str, values: NDArray[Any], low: int, high: int) -> None:
    if len(values) and not (values.min() >= low and values.max() <= high):
        wrong = int(values.min() if values.min() < low else values.max())
        raise ScoreError(f"{what} is {wrong:,}: it must be {low:,} to {high:,}.")
