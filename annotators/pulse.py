"""The tempo of recordings, by how their onsets repeat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import Field

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Annotation, Annotator, Options, Subject


class PulseOptions(Options):
    """Options of :class:`PulseAnnotator`."""

    least: float = Field(default=0.4, ge=0.0, le=1.0, description="Confidence below which nothing is said.")
    seconds: float = Field(default=6.0, ge=4.0, le=600.0, description="Length from which a recording can have a pulse.")


class PulseAnnotator(Annotator[PulseOptions]):
    """Says ``tempo_bpm`` of a recording without a score, and ``tempo_other_bpm``, an octave away, less surely.

    Nobody can tell for certain whether a beat is one or two, so that both are said. Without a clear pulse nothing is.
    """

    name = "pulse"
    summary = "tempo of a recording, by its onsets, and the octave that it may be as well"
    Options = PulseOptions
    version = 1

    def annotate(self, subject: Subject) -> Iterator[Annotation]:
        """Return tempo and alternative, or nothing."""
        from tonesmith.dsp.pulse import pulse_of

        heard = subject.recording if subject.score is None else None
        if heard is None or heard.audio.shape[1] < self.options.seconds * heard.sample_rate:
            return
        found = pulse_of(heard.audio, heard.sample_rate)
        if found is None or found.strength < self.options.least:
            return
        yield Annotation("tempo_bpm", round(found.bpm, 2), round(min(1.0, found.strength), 3))
        sure = round(min(1.0, found.strength, found.other_strength) * 0.5, 3)
        if found.other_strength > 0:
            yield Annotation("tempo_other_bpm", round(found.other, 2), sure)


@hookimpl
def tonesmith_annotators() -> Iterable[type[Annotator[Any]]]:
    """Return the annotator of this module."""
    return [PulseAnnotator]
