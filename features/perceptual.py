"""Numbers for what is heard."""

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

_SECONDS = 8192 / 44100
"""Of the default window: 186 ms, in which two partials 25 Hz apart have a peak each."""
_ARRAYS = {
    "brightness": ("octaves re 1 kHz", "mean of log2(f / 1 kHz), weighted with the energy", 1e-3),
    "warmth": ("1", "share of the energy that lies between 150 and 800 Hz", 1e-3),
    "roughness": ("1", "dissonance of the 20 strongest partials: 0 for a sine, more where partials beat", 1e-2),
    "noisiness": ("1", "spectral flatness: near 0 for a tone, 0.56 for white noise", 1e-3),
    "tension": ("1", "distance of the pitch classes from a single one; NaN without pitch", 1e-2),
}
"""Array -> unit, meaning, and by how much it may differ on another machine."""


class PerceptualOptions(SpectralOptions):
    """Options of :class:`Perceptual`."""

    window: int | None = Field(
        default=None,
        ge=16,
        le=65536,
        description="Length of the Hann window, in samples. Unset: the power of two nearest to 186 ms.",
    )
    hop: int | None = Field(
        default=None, ge=1, le=65536, description="Samples between two windows. Unset: half of the window."
    )
    channels: Literal["mix"] = Field(default="mix", description="mix: of the mean of all channels.")
    over_time: Literal["mean", "frames"] = Field(
        default="mean",
        description="What is stored. mean: one number, windows weighted with their energy. frames: a number of each "
        "window.",
    )

    def lengths(self, sample_rate: int) -> tuple[int, int]:
        """Return window and hop, in samples."""
        from tonesmith.dsp.spectrum import window_near

        window = self.window or window_near(_SECONDS, sample_rate)
        return window, self.hop or max(window // 2, 1)


class Perceptual(Feature[PerceptualOptions]):
    """Brightness, warmth, roughness, noisiness and tension of a sound.

    ::

        [features.perceptual]
        over_time = "mean"

    They are numbers that move with what the words mean, and no measurements of listeners. Sources: Sethares 1993 for
    roughness, Johnston 1988 for noisiness, Bernardes et al. 2016 for tension, Schubert & Wolfe 2006 for brightness.
    """

    name = "perceptual"
    summary = "brightness, warmth, roughness, noisiness and tension"
    Options = PerceptualOptions

    def arrays(self, audio: Audio) -> Sequence[FeatureArray]:
        """Return an array for each number: (), or (time,)."""
        from tonesmith.dsp.spectrum import times

        self.options.check_size(audio)
        frames = self.options.over_time == "frames"
        shape = (times(audio.frames, self.options.lengths(audio.sample_rate)[1]),) if frames else ()
        return tuple(
            FeatureArray(name, shape, ("time",) if frames else (), unit, doc, tolerance=tolerance, missing=True)
            for name, (unit, doc, tolerance) in _ARRAYS.items()
        )

    def definition(self, audio: Audio) -> Mapping[str, Any]:
        """Return how each number is made."""
        return {
            "version": 1,
            **self.options.definition(audio),
            "over_time": "weighted with sum(|X| ** 2) of each window" if self.options.over_time == "mean" else "none",
            "brightness": "sum(log2(f / 1000) * |X| ** 2) / sum(|X| ** 2), f >= 20 Hz",
            "warmth": "sum of |X| ** 2 from 150 to 800 Hz over that from 20 Hz on",
            "roughness": "peaks: local maxima of |X| from 20 Hz on within 60 dB of the highest, the 20 strongest; sum "
            "over pairs of a * b * (exp(-3.51 * s * d) - exp(-5.75 * s * d)), d = distance in Hz, "
            "s = 0.24 / (0.0207 * lower f + 18.96); over sum(a ** 2)",
            "noisiness": "exp(mean(log(P))) / mean(P), P = max(|X| ** 2, 1e-10)",
            "tension": "chroma c: |X| ** 2 from 63.54 to 4066.84 Hz, C2 to B7, summed by nearest pitch class, "
            "A = 440 Hz, divided by its sum; 1 - sqrt(sum((w[k] * |DFT(c)[k]|) ** 2) / sum(w ** 2)), k = 1..6, "
            "w = 3, 8, 11.5, 15, 14.5, 7.5; NaN where max(c) < 2 / 12",
        }

    def compute(self, sound: Sound) -> Mapping[str, NDArray[Any]]:
        """Return the numbers."""
        import numpy as np

        from tonesmith.dsp import perceptual
        from tonesmith.dsp.moments import flatness, weighted_mean
        from tonesmith.dsp.spectrum import bin_hertz, powers

        window, hop = self.options.lengths(sound.sample_rate)
        power, hertz = powers(self.options.heard(sound.audio), window, hop)[0], bin_hertz(window, sound.sample_rate)
        made = {
            "brightness": perceptual.brightness(power, hertz),
            "warmth": perceptual.warmth(power, hertz),
            "roughness": perceptual.roughness(np.sqrt(power), hertz),
            "noisiness": flatness(power),
            "tension": perceptual.tension(perceptual.chroma(power, hertz)),
        }
        if self.options.over_time == "mean":
            weights = power.sum(axis=1)
            return {name: np.asarray(weighted_mean(values, weights), np.float32) for name, values in made.items()}
        return {name: values.astype(np.float32) for name, values in made.items()}


@hookimpl
def tonesmith_features() -> Iterable[type[Feature[Any]]]:
    """Return the feature of this module."""
    return [Perceptual]
