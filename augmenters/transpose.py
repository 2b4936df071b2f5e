"""Scores moved up or down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Augmenter, Options, Parameters, Relabelled, Unsuited

if TYPE_CHECKING:
    from tonesmith.host.roles.annotation import Said
    from tonesmith.score.draws import Draws
    from tonesmith.score.score import Score


class TransposeOptions(Options):
    """Options of :class:`Transpose`."""

    semitones: tuple[int, int] = Field(
        default=(-6, 6), description="Least and most semitones, up or, below 0, down. 0 itself is never drawn."
    )

    @field_validator("semitones")
    @classmethod
    def _moves(cls, ends: tuple[int, int]) -> tuple[int, int]:
        if not -60 <= ends[0] <= ends[1] <= 60 or ends == (0, 0):
            raise ValueError("must be two numbers from -60 to 60, the lower one first, and not both 0.")
        return ends


class Transpose(Augmenter[TransposeOptions]):
    """Moves every note that is no drum's, and key signatures with them. Key and chords follow.

    Of the semitones that keep every note in MIDI's range one is drawn: no note is clamped.
    """

    name = "transpose"
    summary = "scores moved up or down; key and chords follow, drums stay"
    Options = TransposeOptions
    takes = "score"

    def draw(self, music: Score, draws: Draws) -> Parameters | Unsuited:
        """Return the semitones."""
        import numpy as np

        drums = np.array([part.drums for part in music.parts], bool)
        pitches = music.notes["pitch"][~drums[music.notes["part"]]]
        if not len(pitches):
            return Unsuited("has only drums, which are not transposed")
        low, high = self.options.semitones
        least, most = max(low, -int(pitches.min())), min(high, 127 - int(pitches.max()))
        steps = [step for step in range(least, most + 1) if step]
        if not steps:
            return Unsuited(f"has notes that would leave the range of MIDI, whether {low} or {high} semitones up")
        return {"semitones": draws.one_of("semitones", steps)}

    def apply(self, music: Score, parameters: Parameters) -> Score:
        """Return the score moved."""
        return music.transposed(int(parameters["semitones"]))

    def relabel(self, labels: Mapping[str, Said], parameters: Parameters) -> dict[str, Relabelled]:
        """Return key and chords moved; emotion is inherited."""
        from tonesmith.augmenters._labels import moved

        return moved(labels, int(parameters["semitones"]))


@hookimpl
def tonesmith_augmenters() -> Iterable[type[Augmenter[Any]]]:
    """Return the augmenter of this module."""
    return [Transpose]
