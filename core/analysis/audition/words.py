"""An audition in words: the lines of a terminal, and the facts of a page."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence

from tonesmith.analysis.audition.hearing import Auditioned
from tonesmith.analysis.audition.listening import Entry, shown_notes
from tonesmith.space.pitches import pitch_name
from tonesmith.terminal.table import table
from tonesmith.terminal.text import counted, one_line, rough, size

_WIDTH = 80
_HEADS = ("patch", "try", "note", "vel", "peak", "rms", "heard", "verdict")


def lines_of(found: Auditioned) -> Iterator[str]:
    """Yield an audition as lines of 80 columns: its sounds, what a run is to expect, and troubles."""
    yield headline(found)
    yield ""
    yield from table(_HEADS, (row for entry in found.entries for row in _rows(entry)))
    yield ""
    for name, value in facts(found):
        yield from _folded(f"{name:<10}  {value}", 12)
    for trouble in found.troubles:
        yield from _folded(f"{'trouble':<10}  {trouble.what}", 12)
        yield from _folded(f"{'':<12}{trouble.suggestion}", 12)


def headline(found: Auditioned) -> str:
    """Return what was tried, in a line."""
    of = f"{len(found.patches):,} of {counted(found.plan.patches, 'patch', 'patches')}"
    notes = found.plan.per_patch
    shown = len(shown_notes(notes))
    told = f"; {shown} of {notes} notes are shown" if shown < notes else ""
    return f"{one_line(found.name)}: {of}, {counted(len(found.entries), 'candidate')}{told}"


def facts(found: Auditioned) -> Iterator[tuple[str, str]]:
    """Yield what a run is to expect: pairs of a word and a clause."""
    rate = found.rate
    expected = f"the run is to expect {_percent(rate.low)} to {_percent(rate.high)}"
    yield "rejected", f"{rate.rejected} of {counted(rate.candidates, 'candidate')} ({_percent(rate.share)}); {expected}"
    if found.causes:
        yield "reasons", ", ".join(f"{one_line(cause)} ({count})" for cause, count in found.causes.items())
    for hole in found.holes:
        yield "cause", hole.text
    ahead = found.ahead
    free = f"; {size(ahead.free.nbytes)} free here" if ahead.free else ""
    yield "size", f"{counted(ahead.rows, 'row')}, about {size(ahead.needed.nbytes)}{free}"
    if ahead.seconds:
        yield "time", f"about {rough(ahead.seconds)} with {counted(ahead.workers, 'worker')} here"


def compared(first: Auditioned, second: Auditioned) -> Iterator[str]:
    """Yield how two plans differ, where that matters to whoever compares their sounds."""
    own, other = set(first.plan.space.names), set(second.plan.space.names)
    if own != other or first.plan.backend.name != second.plan.backend.name:
        yield (
            f"The two plans have different spaces: {_only(first, own - other)}, {_only(second, other - own)}. A patch "
            "of the same number is another sound, so compare all with all, not pair by pair."
        )
    elif _points(first) != _points(second):
        yield "The two plans draw different patches, so compare all with all, not pair by pair."


def _points(found: Auditioned) -> tuple[object, ...]:
    """Return what decides which patch has which number."""
    plan = found.plan
    ranges = [(p.name, p.drawn, p.weights) for p in plan.space.parameters]
    return plan.seed, plan.sampler, ranges, dict(plan.space.fixed), found.patches


def _only(found: Auditioned, names: set[str]) -> str:
    plan = found.plan
    return f"{one_line(found.name)} ({plan.backend.name}) alone varies {counted(len(names), 'parameter')}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 or not share else f"{share:.1%}"


def _rows(entry: Entry) -> Iterator[Sequence[str]]:
    for sound in entry.sounds:
        note = f"{pitch_name(sound.note.pitch)} {sound.note.pitch}"
        levels = [_level(value) if sound.heard else "-" for value in (sound.peak, sound.rms)]
        patch, attempt = str(entry.candidate.patch), str(entry.candidate.attempt)
        yield patch, attempt, note, str(sound.note.velocity), *levels, sound.pitch, one_line(entry.verdict)


def _level(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else "-"


def _folded(line: str, indent: int) -> list[str]:
    return textwrap.wrap(line, _WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False)
