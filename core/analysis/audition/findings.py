"""What an audition came to: the rejections to expect, what a run takes, and a suggestion for each trouble."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tonesmith.analysis.audition.listening import Entry
from tonesmith.analysis.holes import Hole
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection
from tonesmith.run.ahead import Ahead
from tonesmith.run.exhausted import advice
from tonesmith.space.space import ParameterSpace
from tonesmith.terminal.text import counted, one_line

_SURE = 1.959964
"""Standard deviations that hold 95 of 100."""
_OFTEN = 0.05
_RINGS = -40.0
"""dB below its loudest, above which a sound is cut at its end."""
_MANY = 0.25
_ENOUGH = 100
"""Candidates after which more of them help no further."""
_LONG = 86400.0


@dataclass(frozen=True, slots=True)
class Rate:
    """The share of candidates that are rejected, and where it lies in 95 of 100 runs.

    The interval is Wilson's (Wilson 1927, "Probable inference, the law of succession, and statistical inference").

    Attributes:
        candidates, rejected: of the audition.
        low, high: ends of the interval.
    """

    candidates: int
    rejected: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share in the audition."""
        return self.rejected / self.candidates if self.candidates else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        ends = {"low": self.low, "high": self.high}
        return {"candidates": self.candidates, "rejected": self.rejected, "share": self.share, **ends}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a plan, in a sentence, and what to do about it, in another."""

    what: str
    suggestion: str


def rate_of(rejected: int, candidates: int) -> Rate:
    """Return the rate of rejection to expect, after so many of so many candidates were rejected."""
    if not candidates:
        return Rate(0, 0, 0.0, 1.0)
    share, z = rejected / candidates, _SURE
    scale = 1.0 + z * z / candidates
    middle = (share + z * z / (2 * candidates)) / scale
    reach = z / scale * math.sqrt(share * (1.0 - share) / candidates + z * z / (4 * candidates**2))
    low, high = max(0.0, middle - reach), min(1.0, middle + reach)
    return Rate(candidates, rejected, low if rejected else 0.0, high if rejected < candidates else 1.0)


def troubles(
    plan: Plan,
    entries: Sequence[Entry],
    holes: Sequence[Hole],
    exhausted: Mapping[int, Sequence[Rejection]],
    ahead: Ahead,
) -> tuple[Trouble, ...]:
    """Return what is wrong with a plan, the worst first.

    Args:
        plan: of the audition.
        entries: its candidates.
        holes: ranges that are rejected more often than others.
        exhausted: patch -> its rejections, of each that found no candidate.
        ahead: what the run takes.
    """
    found = [*_stops(plan, exhausted), *_rejections(plan, entries, holes, exhausted), *_size(ahead)]
    return (*found, *_sounds(plan, entries))


def _stops(plan: Plan, exhausted: Mapping[int, Sequence[Rejection]]) -> Iterator[Trouble]:
    for patch, rejections in exhausted.items():
        causes = Counter(one.cause for one in rejections).most_common()
        told = ", ".join(f"{one_line(cause)} {count}" for cause, count in causes)
        times = counted(len(rejections), "time")
        yield Trouble(f"patch {patch} was rejected {times} ({told}): a run stops there.", advice(plan, rejections))
        return


def _rejections(
    plan: Plan,
    entries: Sequence[Entry],
    holes: Sequence[Hole],
    exhausted: Mapping[int, Sequence[Rejection]],
) -> Iterator[Trouble]:
    rejections = [entry.rejection for entry in entries if entry.rejection]
    for cause, count in Counter(one.cause for one in rejections).most_common():
        if count < _OFTEN * len(entries) or exhausted:
            continue
        torn = [hole for hole in holes if f"{hole.by}: {hole.reason}" == cause]
        mine = [one for one in rejections if one.cause == cause]
        told = f"{one_line(cause)} rejects {count} of {counted(len(entries), 'candidate')}."
        yield Trouble(told, _cure(plan, torn, mine, len(entries)))


def _cure(plan: Plan, torn: Sequence[Hole], rejections: Sequence[Rejection], candidates: int) -> str:
    if torn:
        return _narrowed(plan.space, torn[0])
    if candidates < _ENOUGH and plan.patches > candidates:
        return f"Try more candidates to see which parameters cause it: -n {min(_ENOUGH, plan.patches)}."
    return advice(plan, rejections)


def _narrowed(space: ParameterSpace, hole: Hole) -> str:
    """Return how to draw less from a hole."""
    low, high = space[hole.parameter].drawn
    name = one_line(hole.parameter)
    if hole.choice:
        return f"Leave {hole.choice!r} out: give {name} [space.weights] without it."
    if hole.low <= low < hole.high < high:
        return f'Draw above it: [space.ranges] "{name}" = [{hole.high:g}, {high:g}].'
    if low < hole.low < high <= hole.high:
        return f'Draw below it: [space.ranges] "{name}" = [{low:g}, {hole.low:g}].'
    return f"See what {name} does {hole.where}, and whether it may vary there."


def _size(ahead: Ahead) -> Iterator[Trouble]:
    for objection in ahead.objections():
        yield Trouble(
            f"{objection[0].upper()}{objection[1:]}.",
            "Make fewer patches, or parts on several machines with --share; a sink with FLAC takes less room.",
        )
    if ahead.seconds and ahead.seconds > _LONG and not any("takes about" in one for one in ahead.objections()):
        yield Trouble(
            f"It takes about {ahead.seconds / _LONG:.1f} days here.",
            "Make parts of it on several machines with --share, or use --executor ray.",
        )


def _sounds(plan: Plan, entries: Sequence[Entry]) -> Iterator[Trouble]:
    sounds = [sound for entry in entries if not entry.rejection for sound in entry.sounds if sound.heard]
    ringing = sum(sound.ending > _RINGS for sound in sounds)
    if ringing > _MANY * len(sounds):
        tail = f"notes.tail, which is {plan.notes.tail:g} s"
        told = f"{ringing} of {counted(len(sounds), 'sound')} still ring when the row ends."
        yield Trouble(told, f"Raise {tail}, or take it as it is: each row is cut at the same place.")
    loud = sum(sound.peak > 0.0 for sound in sounds)
    if loud > _MANY * len(sounds):
        told = f"{loud} of {counted(len(sounds), 'sound')} pass full scale."
        yield Trouble(told, "Store them as float32, or reject them: validators.level.peak_max = 0.")
    if not plan.space.names:
        yield Trouble("The plan varies no parameter: all patches are alike.", "Free some of them: [space] free.")
