"""The fundamental frequency over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tonesmith.errors import ConfigError
from tonesmith.features._spectral import check_band
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Feature, Options
from tonesmith.plan.feature import FeatureArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.feature import Sound
    from tonesmith.plan.plan import Audio


class F0Options(Options):
    """Options of :class:`F0`."""

    low: float = Field(default=40.0, ge=10.0, le=5000.0, description="Lowest frequency that is looked for, in Hz.")
    high: float = Field(default=2100.0, ge=20.0, le=20000.0, description="Highest frequency that is looked for, in Hz.")
    hop: float = Field(default=0.02, ge=0.001, le=1.0, description="Seconds between two windows.")
    threshold: float = Field(
        default=0.15,
        gt=0.0,
        le=1.0,
        description="Aperiodicity below which there is a pitch. 0 is periodic, 1 is noise.",
    )

    def hop_frames(self, sample_rate: int) -> int:
        """Return the hop in samples."""
        return max(round(self.hop * sample_rate), 1)


class F0(Feature[F0Options]):
    """The fundamental frequency of each window by YIN, and how periodic the sound is there.

    ::

        [features.f0]
        low = 30.0

    Source: de Cheveigne & Kawahara 2002, "YIN, a fundamental frequency estimator for speech and music". It hears one
    pitch. Of chords, bells and beating oscillators it tells one of several, or none: the aperiodicity shows that.
    """

    name = "f0"
    summary = "fundamental frequency and aperiodicity over time, by YIN"
    Options = F0Options

    def __init__(self, options: F0Options) -> None:
        super().__init__(options)
        if options.low >= options.high:
            raise ConfigError(f"features.f0: low = {options.low:g} Hz must be below high = {options.high:g} Hz.")

    def arrays(self, audio: Audio) -> Sequence[FeatureArray]:
        """Return f0 and aperiodicity (time,), the median of f0 and the share of windows that have one, ()."""
        check_band(self.options.low, self.options.high, audio.sample_rate)
        shape = (1 + audio.frames // self.options.hop_frames(audio.sample_rate),)
        return (
            FeatureArray(
                "f0", shape, ("time",), "Hz", "fundamental frequency; NaN where there is none", "float32", 1.0, True
            ),
            FeatureArray("aperiodicity", shape, ("time",), "1", "0 for a periodic sound, 1 for noise", tolerance=1e-2),
            FeatureArray("median", (), (), "Hz", "median of f0; NaN if there is none", tolerance=1.0, missing=True),
            FeatureArray("voiced", (), (), "1", "share of windows that have an f0", tolerance=0.05),
        )

    def definition(self, audio: Audio) -> Mapping[str, Any]:
        """Return the steps of the estimator."""
        longest = -(-audio.sample_rate // self.options.low)
        return {
            "version": 1,
            "sample_rate": audio.sample_rate,
            "channels": "mean of all",
            "hop_frames": self.options.hop_frames(audio.sample_rate),
            "window_frames": int(longest),
            "padding": "zeros; the window and its shifts by up to a window lie around each hop-th sample",
            "method": "YIN: difference d(lag) = sum((x[i] - x[i + lag]) ** 2) over the window; divided by the mean of "
            "d up to the lag; first local minimum below the threshold; parabola through it and its neighbours",
            "low": self.options.low,
            "high": self.options.high,
            "threshold": self.options.threshold,
            "aperiodicity": "the normalised difference at that lag, or the least one where none is below that, "
            "at most 1",
        }

    def compute(self, sound: Sound) -> Mapping[str, NDArray[Any]]:
        """Return the arrays."""
        import numpy as np

        from tonesmith.dsp.pitch import yin

        options = self.options
        mixed = sound.audio.mean(axis=0, dtype=np.float32)
        hop = options.hop_frames(sound.sample_rate)
        found, dip = yin(mixed, sound.sample_rate, hop, options.low, options.high, options.threshold)
        known = found[np.isfinite(found)]
        return {
            "f0": found.astype(np.float32),
            "aperiodicity": dip.astype(np.float32),
            "median": np.asarray(np.median(known) if len(known) else np.nan, np.float32),
            "voiced": np.asarray(len(known) / len(found), np.float32),
        }


@hookimpl
def tonesmith_features() -> Iterable[type[Feature[Any]]]:
    """Return the feature of this module."""
    return [F0]
