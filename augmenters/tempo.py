"""Scores played faster or slower."""

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
    from tonesmith.score.timing import Tempos


class TempoOptions(Options):
    """Options of :class:`Tempo`."""

    factor: Factors = Field(
        default=(0.9, 1.1), description="Least and greatest factor of the tempo; above 1 is faster."
    )


class Tempo(Augmenter[TempoOptions]):
    """Changes the tempo map and no tick, so that the music is the same in beats and its tempo follows exactly."""

    name = "tempo"
    summary = "scores played faster or slower; the tempo follows"
    Options = TempoOptions
    takes = "score"

    def draw(self, music: Score, draws: Draws) -> Parameters | Unsuited:
        """Return the factor."""
        from tonesmith.augmenters._drawing import drawn
        from tonesmith.score.timing import SLOWEST

        slowest, fastest = int(music.tempos.microseconds.max()), int(music.tempos.microseconds.min())
        factor = drawn(draws, "factor", self.options.factor, lambda f: fastest / f >= 1 and slowest / f <= SLOWEST - 1)
        return (
            Unsuited("has a tempo that MIDI cannot state any faster or slower")
            if factor is None
            else {"factor": factor}
        )

    def apply(self, music: Score, parameters: Parameters) -> Score:
        """Return the score with another tempo map."""
        from dataclasses import replace

        return replace(music, tempos=_faster(music.tempos, float(parameters["factor"])))

    def relabel(self, labels: Mapping[str, Said], parameters: Parameters) -> dict[str, Relabelled]:
        """Return the tempo, and offsets in milliseconds; emotion and groove are inherited."""
        from tonesmith.augmenters._labels import sped

        return sped(labels, float(parameters["factor"]))


def _faster(tempos: Tempos, factor: float) -> Tempos:
    import numpy as np

    from tonesmith.score.timing import Tempos

    return Tempos(tempos.ticks, np.round(tempos.microseconds / factor).astype(np.int64))


@hookimpl
def tonesmith_augmenters() -> Iterable[type[Augmenter[Any]]]:
    """Return the augmenter of this module."""
    return [Tempo]
