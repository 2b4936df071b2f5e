"""Short-time spectra with evenly spaced bins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from tonesmith.features._spectral import SpectralOptions
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Feature
from tonesmith.plan.feature import FeatureArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.feature import Sound
    from tonesmith.plan.plan import Audio

_UNITS = {"decibels": ("dB", 1e-2), "magnitude": ("full scale", 1e-4), "complex": ("full scale", 1e-4)}
"""Kind -> unit, and by how much it may differ on another machine."""


class StftOptions(SpectralOptions):
    """Options of :class:`Stft`."""

    kind: Literal["decibels", "magnitude", "complex"] = Field(
        default="decibels", description="What is stored of each bin. complex: real and imaginary part, in a last axis."
    )
    floor: float = Field(default=-100.0, ge=-200.0, le=0.0, description="Lowest level of decibels.")
    dtype: Literal["float32", "float16"] = Field(
        default="float32", description="Format of the numbers. float16 takes half the space, and is off by 0.05 %."
    )


class Stft(Feature[StftOptions]):
    """A short-time Fourier transform: levels, magnitudes, or complex values that a sound can be made of again.

    ::

        [features.stft]
        kind = "magnitude"
    """

    name = "stft"
    summary = "short-time Fourier transform: decibels, magnitudes or complex values"
    Options = StftOptions

    def arrays(self, audio: Audio) -> Sequence[FeatureArray]:
        """Return the spectrogram: (bins, time), (channels, bins, time), and (..., 2) if it is complex."""
        from tonesmith.dsp.spectrum import times

        options = self.options
        options.check_size(audio)
        shape, dims = options.leading(audio)
        window, hop = options.lengths(audio.sample_rate)
        shape, dims = (*shape, window // 2 + 1, times(audio.frames, hop)), (*dims, "bin", "time")
        if options.kind == "complex":
            shape, dims = (*shape, 2), (*dims, "part")
        unit, tolerance = _UNITS[options.kind]
        if options.dtype == "float16":
            tolerance = max(tolerance, 0.1 if options.kind == "decibels" else 1e-2)
        doc = "spectrum of each window"
        return (FeatureArray("stft", shape, dims, unit, doc, options.dtype, tolerance),)

    def definition(self, audio: Audio) -> Mapping[str, Any]:
        """Return window, hop, padding and magnitude, and what is made of the magnitudes."""
        told: dict[str, Any] = {"version": 1, **self.options.definition(audio), "kind": self.options.kind}
        if self.options.kind == "decibels":
            told |= {"level": "20 * log10(max(magnitude, 10 ** (floor / 20)))", "floor": self.options.floor}
            told["reference"] = "1.0: a sine of full scale has 0 dB"
        if self.options.kind == "complex":
            told["phase"] = "counted from the first sample of each window"
        return told

    def compute(self, sound: Sound) -> Mapping[str, NDArray[Any]]:
        """Return the spectrogram, with time as the last axis but that of the parts."""
        import numpy as np

        from tonesmith.dsp.spectrum import decibels, powers, spectrum

        options = self.options
        audio, lengths = options.heard(sound.audio), options.lengths(sound.sample_rate)
        if options.kind == "complex":
            whole = spectrum(audio, *lengths)
            made = np.stack([whole.real, whole.imag], axis=-1).swapaxes(1, 2)
        else:
            power = powers(audio, *lengths)
            made = (np.sqrt(power) if options.kind == "magnitude" else decibels(power, options.floor)).swapaxes(1, 2)
        return {"stft": made if options.channels == "each" else made[0]}


@hookimpl
def tonesmith_features() -> Iterable[type[Feature[Any]]]:
    """Return the feature of this module."""
    return [Stft]
