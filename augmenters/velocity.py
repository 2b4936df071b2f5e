"""Scores struck harder or softer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tonesmith.augmenters._drawing import Factors
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Augmenter, Options, Parameters, Relabelled, Unsuited

if TYPE_CHECKING:
    from tonesmith.host.roles.annotation import Said
    from tonesmith.score.draws import Draws
    from tonesmith.score.score import Score


class VelocityOptions(Options):
    """Options of :class:`Velocity`."""

    factor: Factors = Field(default=(0.8, 1.2), description="Least and greatest factor of all velocities.")


class Velocity(Augmenter[VelocityOptions]):
    """Multiplies all velocities, to the nearest whole number. A factor that takes one out of 1..127 is drawn again."""

    name = "velocity"
    summary = "scores struck harder or softer"
    Options = VelocityOptions
    takes = "score"

    def draw(self, music: Score, draws: Draws) -> Parameters | Unsuited:
        """Return the factor."""
        from tonesmith.augmenters._drawing import drawn

        if not len(music):
            return Unsuited("has no notes")
        low, high = int(music.notes["velocity"].min()), int(music.notes["velocity"].max())
        factor = drawn(draws, "factor", self.options.factor, lambda f: low * f >= 0.5 and high * f <= 127.49)
        return Unsuited("has velocities that would leave 1 to 127") if factor is None else {"factor": factor}

    def apply(self, music: Score, parameters: Parameters) -> Score:
        """Return the score with other velocities."""
        from dataclasses import replace

        import numpy as np

        notes = music.notes.copy()
        changed = np.floor(notes["velocity"] * float(parameters["factor"]) + 0.5).astype(np.int64)
        notes["velocity"] = np.maximum(changed, 1)
        return replace(music, notes=notes)

    def relabel(self, labels: Mapping[str, Said], parameters: Parameters) -> dict[str, Relabelled]:
        """Return what is only inherited: emotion, arousal, the dynamic level."""
        from tonesmith.augmenters._labels import inherited

        return inherited("level", labels, float(parameters["factor"]) - 1.0)


@hookimpl
def tonesmith_augmenters() -> Iterable[type[Augmenter[Any]]]:
    """Return the augmenter of this module."""
    return [Velocity]
