"""Log-mel spectrograms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from tonesmith.features._bands import BandOptions
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Feature
from tonesmith.plan.feature import FeatureArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.feature import Sound
    from tonesmith.plan.plan import Audio


class MelOptions(BandOptions):
    """Options of :class:`Mel`."""

    dtype: Literal["float32", "float16"] = Field(
        default="float32", description="Format of the numbers. float16 takes half the space, and is off by 0.03 dB."
    )


class Mel(Feature[MelOptions]):
    """A log-mel spectrogram in dB: levels of bands that are evenly spaced as pitches are heard.

    ::

        [features.mel]
        bands = 64

    Sources: Slaney 1998, "Auditory Toolbox, version 2"; Young et al. 2006, "The HTK Book".
    """

    name = "mel"
    summary = "log-mel spectrogram in dB"
    Options = MelOptions

    def arrays(self, audio: Audio) -> Sequence[FeatureArray]:
        """Return the spectrogram: (bands, time), or (channels, bands, time)."""
        from tonesmith.dsp.spectrum import times

        self.options.check(audio)
        shape, dims = self.options.leading(audio)
        _, hop = self.options.lengths(audio.sample_rate)
        tolerance = 0.1 if self.options.dtype == "float16" else 1e-2
        return (
            FeatureArray(
                "mel",
                (*shape, self.options.bands, times(audio.frames, hop)),
                (*dims, "band", "time"),
                "dB",
                "level of each mel band in each window",
                self.options.dtype,
                tolerance,
            ),
        )

    def definition(self, audio: Audio) -> Mapping[str, Any]:
        """Return window, hop, padding, scale, norm, power, floor, reference and the edges of the bands."""
        return {"version": 1, **self.options.definition(audio)}

    def compute(self, sound: Sound) -> Mapping[str, NDArray[Any]]:
        """Return the spectrogram."""
        levels = self.options.levels(sound)
        return {"mel": levels if self.options.channels == "each" else levels[0]}


@hookimpl
def tonesmith_features() -> Iterable[type[Feature[Any]]]:
    """Return the feature of this module."""
    return [Mel]
