"""Recordings moved up or down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Augmenter, Options, Parameters, Relabelled, Unsuited

if TYPE_CHECKING:
    from tonesmith.host.roles import Recorded
    from tonesmith.host.roles.annotation import Said
    from tonesmith.score.draws import Draws


class PitchOptions(Options):
    """Options of :class:`Pitch`."""

    semitones: tuple[int, int] = Field(
        default=(-2, 2), description="Least and most semitones, up or, below 0, down. 0 itself is never drawn."
    )

    @field_validator("semitones")
    @classmethod
    def _moves(cls, ends: tuple[int, int]) -> tuple[int, int]:
        if not -24 <= ends[0] <= ends[1] <= 24 or ends == (0, 0):
            raise ValueError("must be two numbers from -24 to 24, the lower one first, and not both 0.")
        return ends


class Pitch(Augmenter[PitchOptions]):
    """Moves a recording by whole semitones, so that its key and chords follow; it stays as long as it is.

    Nobody tells drums from a recording: leave this out where they are to stay.
    """

    name = "pitch"
    summary = "recordings moved up or down; key and chords follow"
    Options = PitchOptions
    takes = "audio"
    libraries = ("pedalboard",)

    def draw(self, music: Recorded, draws: Draws) -> Parameters | Unsuited:
        """Return the semitones."""
        from tonesmith.augmenters._stretching import too_short

        low, high = self.options.semitones
        steps = [step for step in range(low, high + 1) if step]
        return too_short(music) or {"semitones": draws.one_of("semitones", steps)}

    def apply(self, music: Recorded, parameters: Parameters) -> Recorded:
        """Return the recording moved."""
        from tonesmith.augmenters._stretching import stretched

        return stretched(music, 1.0, float(parameters["semitones"]))

    def relabel(self, labels: Mapping[str, Said], parameters: Parameters) -> dict[str, Relabelled]:
        """Return key and chords moved; emotion is inherited."""
        from tonesmith.augmenters._labels import moved

        return moved(labels, int(parameters["semitones"]))


@hookimpl
def tonesmith_augmenters() -> Iterable[type[Augmenter[Any]]]:
    """Return the augmenter of this module."""
    return [Pitch]
