"""The level of scores, by their velocities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Annotation, Annotator, Options, Subject

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVELS: Final = {"pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112}
"""Velocity that notation programs play each marking with: steps of 16 about mp = 64, as in MuseScore's handbook."""


class DynamicsOptions(Options):
    """Options of :class:`Dynamics`."""

    notes: int = Field(default=16, ge=2, le=10_000, description="Notes from which a score has dynamics.")
    change: float = Field(default=24.0, ge=1.0, le=127.0, description="Velocities that a crescendo rises by, at least.")


class Dynamics(Annotator[DynamicsOptions]):
    """Says ``dynamic_level``, the marking nearest to the median velocity of a score, and ``dynamic_shape``.

    Nothing is said of a score whose notes all have one velocity: a program wrote that, and nobody played it. Nothing is
    said of recordings: how loud one is tells of its mastering, not of the playing.
    """

    name = "dynamics"
    summary = "dynamic level and shape of a score, by its velocities"
    Options = DynamicsOptions
    version = 1

    def annotate(self, subject: Subject) -> Iterator[Annotation]:
        """Return level and shape, or nothing."""
        import numpy as np

        from tonesmith.score.quantiles import median

        score = subject.score
        if score is None or len(score) < self.options.notes:
            return
        velocities = score.notes["velocity"].astype(np.float64)
        if velocities.min() == velocities.max():
            return
        middle = median(velocities)
        level = min(LEVELS, key=lambda name: abs(LEVELS[name] - middle))
        inside = float(np.mean(np.abs(velocities - LEVELS[level]) <= 16))
        yield Annotation("dynamic_level", level, round(inside, 3))
        yield from self._shape(score.onsets, velocities)

    def _shape(self, onsets: NDArray[np.float64], velocities: NDArray[np.float64]) -> Iterator[Annotation]:
        """Return crescendo, decrescendo, swell or level, where a line, or a line up and one down, fits."""
        import numpy as np

        from tonesmith.score.quantiles import quantiles

        span = float(np.ptp(onsets))
        if span <= 0:
            return
        place = (onsets - onsets.min()) / span
        for name, shape in (("slope", place), ("swell", 1 - np.abs(2 * place - 1))):
            rise, fit = _line(shape, velocities)
            if abs(rise) >= self.options.change and fit >= 0.5 and (name == "slope" or rise > 0):
                word = "swell" if name == "swell" else "crescendo" if rise > 0 else "decrescendo"
                yield Annotation("dynamic_shape", word, round(fit, 3))
                return
        low, high = quantiles(velocities, 0.1, 0.9)
        spread = high - low
        if spread <= self.options.change / 2:
            yield Annotation("dynamic_shape", "level", round(1 - spread / self.options.change, 3))


def _line(shape: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[float, float]:
    """Return by how much values rise along a shape from 0 to 1, and what share of their variance that explains."""
    centred, told = shape - shape.mean(), values - values.mean()
    power = float((centred**2).sum())
    if power <= 0:
        return 0.0, 0.0
    rise = float((centred * told).sum()) / power
    return rise, float(rise**2 * power / (told**2).sum())


@hookimpl
def tonesmith_annotators() -> Iterable[type[Annotator[Any]]]:
    """Return the annotator of this module."""
    return [Dynamics]
