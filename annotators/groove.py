"""The swing of scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import Field

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Annotation, Annotator, Options, Subject


class GrooveOptions(Options):
    """Options of :class:`Groove`."""

    least: float = Field(default=0.5, ge=0.0, le=1.0, description="Confidence below which nothing is said.")


class Groove(Annotator[GrooveOptions]):
    """Says ``swing_ratio`` of a score: the place of the off-beat within the beat, 0.5 for straight playing."""

    name = "groove"
    summary = "swing of a score, by its off-beats"
    Options = GrooveOptions
    version = 1

    def annotate(self, subject: Subject) -> Iterator[Annotation]:
        """Return the swing, or nothing where there are few off-beats, or they disagree."""
        from tonesmith.score.groove import groove_of

        if subject.score is None or not len(subject.score):
            return
        swing = groove_of(subject.score).swing
        if swing.confidence >= self.options.least and 0.5 <= round(swing.ratio, 3) <= 0.8:
            yield Annotation("swing_ratio", round(swing.ratio, 3), round(swing.confidence, 3))


@hookimpl
def tonesmith_annotators() -> Iterable[type[Annotator[Any]]]:
    """Return the annotator of this module."""
    return [Groove]
