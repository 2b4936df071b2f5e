"""Mel scales, the triangular bands on them, and log-mel spectrograms."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.spectrum import bin_hertz, decibels

Scale = Literal["slaney", "htk"]
Norm = Literal["peak", "area"]

_BREAK_HERTZ, _BREAK_MEL, _STEP = 1000.0, 15.0, np.log(6.4) / 27.0
_HTK_MEL, _HTK_HERTZ = 2595.0, 700.0


def mel_of(hertz: NDArray[np.float64], scale: Scale = "slaney") -> NDArray[np.float64]:
    """Return the mel of frequencies in Hz.

    Sources: ``slaney``, linear to 1 kHz, where it is 15, and logarithmic above: Slaney 1998, "Auditory Toolbox,
    version 2", Interval technical report 1998-010. ``htk``, ``2595 * log10(1 + f / 700)``: Young et al. 2006, "The HTK
    Book", equation 5.13.
    """
    if scale == "htk":
        return _HTK_MEL * np.log10(1.0 + np.asarray(hertz) / _HTK_HERTZ)
    above = _BREAK_MEL + np.log(np.maximum(hertz, _BREAK_HERTZ) / _BREAK_HERTZ) / _STEP
    return np.where(hertz < _BREAK_HERTZ, hertz * (_BREAK_MEL / _BREAK_HERTZ), above)


def hertz_of(mel: NDArray[np.float64], scale: Scale = "slaney") -> NDArray[np.float64]:
    """Return the frequencies of mel, in Hz: the inverse of :func:`mel_of`."""
    if scale == "htk":
        return _HTK_HERTZ * (10.0 ** (np.asarray(mel) / _HTK_MEL) - 1.0)
    above = _BREAK_HERTZ * np.exp(_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * (_BREAK_HERTZ / _BREAK_MEL), above)


def band_edges(bands: int, low: float, high: float, scale: Scale = "slaney") -> NDArray[np.float64]:
    """Return the edges of bands that are evenly spaced in mel: float64 (bands + 2,) in Hz.

    Band ``i`` rises from edge ``i`` to edge ``i + 1`` and falls to edge ``i + 2``.
    """
    ends = mel_of(np.array([low, high]), scale)
    return hertz_of(np.linspace(ends[0], ends[1], bands + 2), scale)


def mel_filters(edges: NDArray[np.float64], sample_rate: int, window: int, norm: Norm = "peak") -> NDArray[np.float32]:
    """Return triangular bands on the bins of a spectrum: float32 (bands, window // 2 + 1).

    Args:
        edges: of the bands, as :func:`band_edges` returns them.
        sample_rate: Hz.
        window: in samples.
        norm: ``peak`` for triangles of height 1; ``area`` for those of area 1, as in Slaney's toolbox.
    """
    bins = bin_hertz(window, sample_rate)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    bands = np.clip(np.minimum(rising, falling), 0.0, None)
    if norm == "area":
        bands *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return bands.astype(np.float32)


class MelBank:
    """Triangular bands that are laid over spectra.

    Args:
        edges: of the bands in Hz, as :func:`band_edges` returns them.
        sample_rate: Hz.
        window: of the spectra, in samples.
        norm: as :func:`mel_filters` takes it.
    """

    def __init__(self, edges: NDArray[np.float64], sample_rate: int, window: int, norm: Norm = "peak") -> None:
        import scipy.sparse

        self.bands = len(edges) - 2
        self._filters = scipy.sparse.csr_array(mel_filters(edges, sample_rate, window, norm))

    def powers(self, power: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return float32 (channels, bands, time) of powers (channels, time, bins)."""
        channels, frames, bins = power.shape
        # A sparse product adds in a fixed order; a dense one is BLAS, which need not
        summed = (self._filters @ power.reshape(-1, bins).T).reshape(self.bands, channels, frames)
        return np.ascontiguousarray(summed.transpose(1, 0, 2), np.float32)

    def levels(self, power: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
        """Return :meth:`powers` in dB, nowhere below a floor in dB."""
        return decibels(self.powers(power), floor)


@lru_cache(maxsize=8)
def mel_bank(
    bands: int,
    sample_rate: int,
    window: int,
    low: float = 0.0,
    high: float | None = None,
    scale: Scale = "slaney",
    norm: Norm = "peak",
) -> MelBank:
    """Return bands from ``low`` to ``high`` Hz, by default half the sample rate; made once for each definition."""
    edges = band_edges(bands, low, sample_rate / 2.0 if high is None else high, scale)
    return MelBank(edges, sample_rate, window, norm)


def cepstrum(levels: NDArray[np.float32], count: int) -> NDArray[Any]:
    """Return the first ``count`` coefficients of the orthonormal DCT-II over the bands: (..., count, time).

    Args:
        levels: (..., bands, time), in dB.
        count: of coefficients, at most the bands.
    """
    import scipy.fft

    found: NDArray[Any] = scipy.fft.dct(levels, type=2, axis=-2, norm="ortho", workers=1)
    return found[..., :count, :]
