"""The key of scores and recordings, by their pitch classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Annotation, Annotator, Options, Subject

if TYPE_CHECKING:
    from tonesmith.score.theory.key_finding import KeyFound

_TONICS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")


class KeyOptions(Options):
    """Options of :class:`Key`."""

    floor: float = Field(
        default=1.7,
        ge=1.0,
        le=12.0,
        description="Strongest pitch class of a recording, in times their mean, below which it has no key.",
    )
    most: float = Field(
        default=4.0, ge=1.0, le=12.0, description="The same, above which it is one note, and has no key."
    )
    seconds: float = Field(
        default=3.0, ge=0.0, le=600.0, description="Length of a recording from which it can have a key."
    )
    least: float = Field(default=0.3, ge=0.0, le=1.0, description="Confidence below which nothing is said.")


class Key(Annotator[KeyOptions]):
    """Says ``key`` and ``mode``, of a score where there is one, else of a recording. It says nothing of drums.

    Source: the profiles of Temperley 1999, "What's key for key?", by correlation with the pitch classes.
    """

    name = "key"
    summary = "key and mode, by pitch classes"
    Options = KeyOptions
    version = 1

    def annotate(self, subject: Subject) -> Iterator[Annotation]:
        """Return key and mode, or nothing."""
        from tonesmith.score.theory.key_finding import find_key

        found = find_key(subject.score) if subject.score is not None else self._heard(subject)
        if found is None or found.confidence < self.options.least:
            return
        yield Annotation("key", _TONICS[found.tonality.tonic], round(found.confidence, 3))
        yield Annotation("mode", "minor" if found.tonality.is_minor else "major", round(found.confidence, 3))

    def _heard(self, subject: Subject) -> KeyFound | None:
        from tonesmith.dsp.chroma import chroma
        from tonesmith.score.theory.key_finding import find_key

        heard = subject.recording
        if heard is None or heard.audio.shape[1] < self.options.seconds * heard.sample_rate:
            return None
        weights = chroma(heard.audio, heard.sample_rate)
        return find_key(weights) if self.options.floor <= weights.max() <= self.options.most else None


@hookimpl
def tonesmith_annotators() -> Iterable[type[Annotator[Any]]]:
    """Return the annotator of this module."""
    return [Key]
