"""Recordings played faster or slower."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tonesmith.augmenters._drawing import Factors
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Augmenter, Options, Parameters, Relabelled, Unsuited

if TYPE_CHECKING:
    from tonesmith.host.roles import Recorded
    from tonesmith.host.roles.annotation import Said
    from tonesmith.score.draws import Draws


class StretchOptions(Options):
    """Options of :class:`Stretch`."""

    factor: Factors = Field(
        default=(0.9, 1.1), description="Least and greatest factor of the tempo; above 1 is faster."
    )


class Stretch(Augmenter[StretchOptions]):
    """Makes a recording shorter or longer, and leaves its pitches where they are. The tempo follows."""

    name = "stretch"
    summary = "recordings played faster or slower at the same pitch; the tempo follows"
    Options = StretchOptions
    takes = "audio"
    libraries = ("pedalboard",)

    def draw(self, music: Recorded, draws: Draws) -> Parameters | Unsuited:
        """Return the factor."""
        from tonesmith.augmenters._drawing import drawn
        from tonesmith.augmenters._stretching import too_short

        return too_short(music) or {"factor": drawn(draws, "factor", self.options.factor, lambda _: True)}

    def apply(self, music: Recorded, parameters: Parameters) -> Recorded:
        """Return the recording, of another length."""
        from tonesmith.augmenters._stretching import stretched

        return stretched(music, float(parameters["factor"]), 0.0)

    def relabel(self, labels: Mapping[str, Said], parameters: Parameters) -> dict[str, Relabelled]:
        """Return the tempo, and offsets in milliseconds; emotion and groove are inherited."""
        from tonesmith.augmenters._labels import sped

        return sped(labels, float(parameters["factor"]))


@hookimpl
def tonesmith_augmenters() -> Iterable[type[Augmenter[Any]]]:
    """Return the augmenter of this module."""
    return [Stretch]
