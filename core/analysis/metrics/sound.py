"""A sound with all that metrics compare of it, each computed when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.metrics.mel import magnitudes, mel_power, mfcc
from tonesmith.analysis.spectra import Spectra, spectra_of
from tonesmith.dsp.pitch import yin
from tonesmith.errors import ConfigError

SCALES = ((0.010, 0.005, 32), (0.025, 0.010, 64), (0.100, 0.050, 128))
"""Windows and hops in seconds, and bands, of the multi-scale spectrogram."""
F0_RANGE = (40.0, 2100.0)
"""Hz between which a pitch is looked for."""
F0_HOP, F0_THRESHOLD = 0.02, 0.15
"""Seconds between two frames, and the aperiodicity below which one has a pitch: those of the feature ``f0``."""
LEAST_LEVEL = -100.0
"""LKFS below which nothing is told apart."""


@dataclass(frozen=True, eq=False)
class Sound:
    """A sound that others are compared with. Make it with :func:`sound_of`.

    Attributes:
        audio: float32 (channels, frames), full scale 1.0, finite.
        sample_rate: Hz.
    """

    audio: NDArray[np.float32]
    sample_rate: int

    @cached_property
    def mel_powers(self) -> tuple[NDArray[np.float32], ...]:
        """The power in mel bands at each of :data:`SCALES`, float32 (channels, bands, frames)."""
        return tuple(
            mel_power(self.audio, self.sample_rate, self._samples(window), self._samples(hop), bands)
            for window, hop, bands in SCALES
        )

    @cached_property
    def mfcc(self) -> NDArray[np.float32]:
        """20 MFCC of each channel, of 50 ms every 10 ms: float32 (frames, channels * 20)."""
        found = mfcc(self.audio, self.sample_rate, self._samples(0.05), self._samples(0.01))
        return np.ascontiguousarray(found.reshape(-1, found.shape[-1]).T)

    @cached_property
    def spectrum(self) -> NDArray[np.float64]:
        """Cumulated magnitudes of 50 ms every 20 ms, of the mean of the channels: (frames, bins), each ending at 1.

        A frame that is silent has zeros.
        """
        magnitude = magnitudes(self._mono, self._samples(0.05), self._samples(0.02))[0].astype(np.float64)
        return np.cumsum(magnitude / np.maximum(magnitude.sum(axis=-1, keepdims=True), 1e-6), axis=-1)

    @cached_property
    def envelope(self) -> NDArray[np.float64]:
        """Root mean square of 50 ms every 25 ms, of the mean of the channels: (frames,)."""
        window, hop = self._samples(0.05), self._samples(0.025)
        padded = np.pad(self._mono[0].astype(np.float64), max(window // 2, window - self.audio.shape[1]))
        sums = np.concatenate([[0.0], np.cumsum(np.square(padded))])
        starts = np.arange(0, len(padded) - window + 1, hop)
        means: NDArray[np.float64] = np.maximum(sums[starts + window] - sums[starts], 0.0) / window
        return np.sqrt(means)

    @cached_property
    def f0(self) -> NDArray[np.float64]:
        """Fundamental frequency in Hz every 20 ms, of the mean of the channels, by YIN: (frames,).

        NaN where there is no pitch: see :func:`tonesmith.dsp.pitch.yin`.
        """
        low, high = F0_RANGE
        return yin(self._mono[0], self.sample_rate, self._samples(F0_HOP), low, high, F0_THRESHOLD)[0]

    @cached_property
    def spectra(self) -> Spectra:
        """Spectra of three resolutions."""
        return spectra_of(self.audio, self.sample_rate)

    @cached_property
    def level(self) -> float:
        """Loudness of the whole sound in LKFS, at least :data:`LEAST_LEVEL`.

        Source: ITU-R BS.1770-4, K-weighting and equation 2 with a weight of 1 for each channel, and without its gates:
        rows are short.
        """
        import scipy.signal

        weighted = scipy.signal.sosfilt(_k_weighting(self.sample_rate), self.audio.astype(np.float64), axis=1)
        power = float(np.mean(np.square(weighted), axis=1).sum()) if self.audio.size else 0.0
        return max(-0.691 + 10.0 * float(np.log10(max(power, 1e-30))), LEAST_LEVEL)

    @property
    def _mono(self) -> NDArray[np.float32]:
        mono: NDArray[np.float32] = self.audio.mean(axis=0, keepdims=True)
        return mono

    def _samples(self, seconds: float) -> int:
        return max(int(seconds * self.sample_rate), 1)


def sound_of(audio: NDArray[Any], sample_rate: int) -> Sound:
    """Return a sound to compare.

    Args:
        audio: float (channels, frames), full scale 1.0.
        sample_rate: Hz.

    Raises :class:`ConfigError` if it has another shape, no sample, or one that is not finite.
    """
    samples = np.asarray(audio, np.float32)
    if samples.ndim != 2 or not samples.size:
        raise ConfigError(f"a sound is an array (channels, frames), not one of shape {samples.shape}")
    if not np.isfinite(samples).all():
        raise ConfigError("a sample of the sound is NaN or infinite")
    return Sound(samples, sample_rate)


def _k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """Return the two filters of BS.1770-4 as second-order sections, for any sample rate.

    Source: the analogue prototypes behind the coefficients that the standard gives for 48 kHz, as libebur128 has them.
    """
    gain = 10.0 ** (3.999843853973347 / 20.0)
    middle = gain**0.4996667741545416
    shelf = _section(sample_rate, 1681.974450955533, 0.7071752369554196, (gain, middle))
    edge = _section(sample_rate, 38.13547087602444, 0.5003270373238773, None)
    return np.array([shelf, edge])


def _section(sample_rate: int, hertz: float, quality: float, shelf: tuple[float, float] | None) -> tuple[float, ...]:
    """Return a second-order section: a high shelf with these gains, or a high pass that is not scaled."""
    k = float(np.tan(np.pi * hertz / sample_rate))
    scale = 1.0 + k / quality + k * k
    below = (1.0, 2.0 * (k * k - 1.0) / scale, (1.0 - k / quality + k * k) / scale)
    if shelf is None:
        return (1.0, -2.0, 1.0, *below)
    high, middle = shelf
    above = (high + middle * k / quality + k * k, 2.0 * (k * k - high), high - middle * k / quality + k * k)
    return (*(value / scale for value in above), *below)
