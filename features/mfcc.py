"""Mel-frequency cepstral coefficients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tonesmith.errors import ConfigError
from tonesmith.features._bands import BandOptions
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Feature
from tonesmith.plan.feature import FeatureArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.feature import Sound
    from tonesmith.plan.plan import Audio


class MfccOptions(BandOptions):
    """Options of :class:`Mfcc`."""

    coefficients: int = Field(default=20, ge=1, le=1024, description="Number of coefficients, the first included.")


class Mfcc(Feature[MfccOptions]):
    """The first coefficients of a cosine transform of the log-mel spectrogram: the shape of the spectrum.

    ::

        [features.mfcc]
        coefficients = 20

    Source: Davis & Mermelstein 1980, "Comparison of parametric representations for monosyllabic word recognition".
    """

    name = "mfcc"
    summary = "mel-frequency cepstral coefficients"
    Options = MfccOptions

    def arrays(self, audio: Audio) -> Sequence[FeatureArray]:
        """Return the coefficients: (coefficients, time), or (channels, coefficients, time)."""
        from tonesmith.dsp.spectrum import times

        options = self.options
        options.check(audio)
        if options.coefficients > options.bands:
            raise ConfigError(f"coefficients = {options.coefficients} must not be above bands = {options.bands}.")
        shape, dims = options.leading(audio)
        length = times(audio.frames, options.lengths(audio.sample_rate)[1])
        return (
            FeatureArray(
                "mfcc",
                (*shape, options.coefficients, length),
                (*dims, "coefficient", "time"),
                "dB",
                "cepstral coefficients of each window",
                tolerance=0.1,
            ),
        )

    def definition(self, audio: Audio) -> Mapping[str, Any]:
        """Return what defines the log-mel spectrogram, and the transform of it."""
        transform = f"DCT-II over the bands, orthonormal, the first {self.options.coefficients} coefficients; no lifter"
        return {"version": 1, **self.options.definition(audio), "transform": transform}

    def compute(self, sound: Sound) -> Mapping[str, NDArray[Any]]:
        """Return the coefficients."""
        from tonesmith.dsp.mel import cepstrum

        found = cepstrum(self.options.levels(sound), self.options.coefficients)
        return {"mfcc": found if self.options.channels == "each" else found[0]}


@hookimpl
def tonesmith_features() -> Iterable[type[Feature[Any]]]:
    """Return the feature of this module."""
    return [Mfcc]
