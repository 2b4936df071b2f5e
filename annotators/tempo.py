"""Tempo and meter that a score states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic import Field

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Annotation, Annotator, Options, Subject

_UNSTATED = 500_000
"""Microseconds per beat of a score that states none."""


class TempoOptions(Options):
    """Options of :class:`Tempo`."""

    share: float = Field(
        default=0.9, gt=0.5, le=1.0, description="Part of the score in which a tempo or a meter must hold to be said."
    )


class Tempo(Annotator[TempoOptions]):
    """Says ``tempo_bpm`` and ``meter`` of a score that states them, and keeps to them.

    A score at 120 beats per minute without a time signature may be one that states nothing: its tempo is not said.
    """

    name = "tempo"
    summary = "tempo and meter, as the score states them"
    Options = TempoOptions
    version = 1
    authority = "score"

    def annotate(self, subject: Subject) -> Iterator[Annotation]:
        """Return tempo and meter, or nothing."""
        score = subject.score
        if score is None or not score.end:
            return
        tempos = zip(score.tempos.ticks.tolist(), score.tempos.microseconds.tolist(), strict=True)
        tempo, share = _longest(list(tempos), score.end)
        if share >= self.options.share and (tempo != _UNSTATED or score.meters):
            yield Annotation("tempo_bpm", round(60e6 / tempo, 3), round(share, 3))
        stated = [(meter.time, (meter.beats, meter.unit)) for meter in score.meters]
        meter, share = _longest(stated, score.end)
        if meter is not None and share >= self.options.share:
            yield Annotation("meter", f"{meter[0]}/{meter[1]}", round(share, 3))


def _longest(events: Sequence[tuple[int, Any]], end: int) -> tuple[Any, float]:
    """Return the value that holds longest, and in what share of the ticks up to an end; None and 0 without any."""
    held: dict[Any, int] = {}
    ends = [*(event[0] for event in events[1:]), end][: len(events)]
    for (time, value), following in zip(events, ends, strict=True):
        held[value] = held.get(value, 0) + max(0, min(following, end) - min(time, end))
    if not held:
        return None, 0.0
    value = max(held, key=lambda key: held[key])
    return value, held[value] / end


@hookimpl
def tonesmith_annotators() -> Iterable[type[Annotator[Any]]]:
    """Return the annotator of this module."""
    return [Tempo]
