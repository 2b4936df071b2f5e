"""Recordings made louder or softer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tonesmith.augmenters._drawing import Factors
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Augmenter, Options, Parameters, Unsuited

if TYPE_CHECKING:
    from tonesmith.host.roles import Recorded
    from tonesmith.score.draws import Draws


class GainOptions(Options):
    """Options of :class:`Gain`."""

    factor: Factors = Field(default=(0.8, 1.2), description="Least and greatest factor of the amplitude.")


class Gain(Augmenter[GainOptions]):
    """Multiplies a recording. A factor that takes its peak over full scale is drawn again."""

    name = "gain"
    summary = "recordings made louder or softer, never over full scale"
    Options = GainOptions
    takes = "audio"

    def draw(self, music: Recorded, draws: Draws) -> Parameters | Unsuited:
        """Return the factor."""
        from tonesmith.augmenters._drawing import drawn

        peak = float(abs(music.audio).max(initial=0.0))
        factor = drawn(draws, "factor", self.options.factor, lambda f: peak * f <= max(1.0, peak))
        return Unsuited("would go over full scale") if factor is None else {"factor": factor}

    def apply(self, music: Recorded, parameters: Parameters) -> Recorded:
        """Return the recording, louder or softer."""
        import numpy as np

        return music._replace(audio=music.audio * np.float32(parameters["factor"]))


@hookimpl
def tonesmith_augmenters() -> Iterable[type[Augmenter[Any]]]:
    """Return the augmenter of this module."""
    return [Gain]
