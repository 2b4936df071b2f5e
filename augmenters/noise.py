"""Recordings with noise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from tonesmith.augmenters._drawing import rising
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Augmenter, Options, Parameters, Relabelled, Unsuited

if TYPE_CHECKING:
    from tonesmith.host.roles import Recorded
    from tonesmith.host.roles.annotation import Said
    from tonesmith.score.draws import Draws

_Level = Annotated[float, Field(ge=0.0, le=1.0)]


class NoiseOptions(Options):
    """Options of :class:`Noise`."""

    level: Annotated[tuple[_Level, _Level], AfterValidator(rising)] = Field(
        default=(0.0, 0.005), description="Least and greatest standard deviation, as a share of full scale."
    )


class Noise(Augmenter[NoiseOptions]):
    """Adds white noise, about normal, each channel its own: a function of a key that is stored."""

    name = "noise"
    summary = "recordings with white noise"
    Options = NoiseOptions
    takes = "audio"

    def draw(self, music: Recorded, draws: Draws) -> Parameters | Unsuited:
        """Return the level and a key."""
        from tonesmith.augmenters._drawing import drawn

        return {"level": drawn(draws, "level", self.options.level, lambda _: True), "key": draws.key("key")}

    def apply(self, music: Recorded, parameters: Parameters) -> Recorded:
        """Return the recording with noise."""
        import numpy as np

        from tonesmith.score.draws import bells

        audio = music.audio
        noise = bells(int(parameters["key"]), audio.size).reshape(audio.shape) * float(parameters["level"])
        return music._replace(audio=(audio + noise).astype(np.float32))

    def relabel(self, labels: Mapping[str, Said], parameters: Parameters) -> dict[str, Relabelled]:
        """Return what is only inherited: the quality."""
        from tonesmith.augmenters._labels import inherited

        return inherited("noise", labels, float(parameters["level"]))


@hookimpl
def tonesmith_augmenters() -> Iterable[type[Augmenter[Any]]]:
    """Return the augmenter of this module."""
    return [Noise]
