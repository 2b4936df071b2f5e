"""When a controller of a phrase takes which value."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tonesmith.score.controllers import SUSTAIN, rests
from tonesmith.score.phrase import Phrase


@dataclass(frozen=True, slots=True)
class Course:
    """When one controller of a part takes which value.

    Attributes:
        seconds: rising.
        values: from each of these on; before the first it is 0.
    """

    seconds: list[float] = field(default_factory=list)
    values: list[int] = field(default_factory=list)

    def at(self, moment: float) -> int:
        """Return the value at a moment, in seconds."""
        place = bisect_right(self.seconds, moment)
        return self.values[place - 1] if place else 0

    def lifted(self, moment: float) -> float:
        """Return when a pedal that is down at a moment is lifted; infinity if that is not told."""
        later = range(bisect_right(self.seconds, moment), len(self.seconds))
        return next((self.seconds[place] for place in later if rests(SUSTAIN, self.values[place])), float("inf"))

    def stays(self, start: float, end: float) -> bool:
        """Return whether the value at the start is that of every moment before the end."""
        inside = range(bisect_right(self.seconds, start), bisect_left(self.seconds, end))
        return all(self.values[place] == self.at(start) for place in inside)

    def sampled(self, start: float, frames: int, rate: int) -> NDArray[np.float64]:
        """Return (frames,) the value at each frame from a moment on."""
        later = range(bisect_right(self.seconds, start), len(self.seconds))
        sampled = np.full(frames, float(self.at(start)))
        for place in later:
            sampled[max(0, round((self.seconds[place] - start) * rate)) :] = self.values[place]
        return sampled


def courses_of(phrase: Phrase) -> Mapping[tuple[int, int], Course]:
    """Return part and kind -> the course of a controller until the phrase's ``hold``; others stay at 0."""
    controls = phrase.score.controls
    courses: defaultdict[tuple[int, int], Course] = defaultdict(Course)
    times = phrase.score.seconds(controls["time"]).tolist()
    for seconds, (_, part, kind, value) in zip(times, controls.tolist(), strict=True):
        if seconds < phrase.hold:
            courses[part, kind].seconds.append(seconds)
            courses[part, kind].values.append(value)
    return courses
