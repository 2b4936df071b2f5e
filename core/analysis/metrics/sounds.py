"""The metrics themselves: functions of a target and a predicted sound.

MSS, wMFCC, SOT and RMS are those of Hayes, Saitis & Fazekas 2025, "Audio synthesizer inversion in symmetric parameter
spaces with approximately equivariant flow matching" (ISMIR), as the script of their project computes them with librosa.
None is ever NaN. A sound that is silent has a value as any other has; where a formula has none, it is the worst.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.metrics.mel import decibels
from tonesmith.analysis.metrics.sound import F0_RANGE, Sound
from tonesmith.analysis.metrics.warping import warped_distance
from tonesmith.errors import ConfigError

WORST_F0 = 1200.0 * math.log2(F0_RANGE[1] / F0_RANGE[0])
"""Cents: from one end of the range in which a pitch is looked for to the other."""


def mss(target: Sound, predicted: Sound) -> float:
    """Return the multi-scale spectrogram distance in dB, 0 to 80. It is blind to level.

    The mean absolute difference of log-mel spectrograms, averaged over windows of 10, 25 and 100 ms, moved by 5, 10 and
    50 ms, with 32, 64 and 128 bands. Each spectrogram is relative to its own highest value, and ends 80 dB below it.
    """
    return _mean_difference(target, predicted, own=True)


def mss_level(target: Sound, predicted: Sound) -> float:
    """Return the distance of :func:`mss` with one reference for both sounds, so that level counts, in dB."""
    return _mean_difference(target, predicted, own=False)


def wmfcc(target: Sound, predicted: Sound) -> float:
    """Return the distance of MFCC along their best alignment in time. Level counts, in the first coefficient.

    20 coefficients of 128 mel bands, of windows of 50 ms every 10 ms, those of all channels side by side; the mean
    absolute difference along the path of :func:`tonesmith.analysis.metrics.warping.warped_distance`.
    """
    return warped_distance(target.mfcc, predicted.mfcc)


def sot(target: Sound, predicted: Sound) -> float:
    """Return the spectral optimal transport distance, 0 to 1. It is blind to level.

    The Wasserstein-1 distance between the magnitudes of a spectrum, as shares of their sum, with half the sample rate
    as the unit of length; the mean over windows of 50 ms every 20 ms, of the mean of the channels.
    """
    distances = np.abs(target.spectrum - predicted.spectrum).sum(axis=-1) / target.spectrum.shape[-1]
    return float(distances.mean())


def rms(target: Sound, predicted: Sound) -> float:
    """Return the cosine similarity of the RMS envelopes, 0 to 1. More is better. It is blind to level.

    Root mean squares of 50 ms every 25 ms, of the mean of the channels. Beside a silent sound it is 0, the worst; of
    two silent sounds it is 1.
    """
    norms = [float(np.linalg.norm(sound.envelope)) for sound in (target, predicted)]
    if min(norms) < 1e-12:
        return float(max(norms) < 1e-12)
    # Of unit vectors, the cosine by their distance: 1 for equal ones, whatever the order in which sums are rounded.
    apart = target.envelope / norms[0] - predicted.envelope / norms[1]
    return max(1.0 - 0.5 * float(np.dot(apart, apart)), 0.0)


def f0(target: Sound, predicted: Sound) -> float:
    """Return the median absolute difference of the fundamental frequency in cents, 0 to 6857. It is blind to level.

    Over the frames in which both sounds have a pitch, every 20 ms: see :attr:`Sound.f0`. If there is no such frame, it
    is 6857, the worst: the whole range from 40 to 2100 Hz. If neither sound has a pitch anywhere, as noise or silence,
    it is 0. It hears one pitch, and of chords any of several: read it beside :func:`voicing`.

    Source: de Cheveigne & Kawahara 2002, "YIN, a fundamental frequency estimator for speech and music".
    """
    voiced = _voiced(target), _voiced(predicted)
    both = voiced[0] & voiced[1]
    if not both.any():
        return WORST_F0 if voiced[0].any() or voiced[1].any() else 0.0
    octaves = np.log2(predicted.f0[both] / target.f0[both])
    return min(1200.0 * float(np.median(np.abs(octaves))), WORST_F0)


def voicing(target: Sound, predicted: Sound) -> float:
    """Return the share of frames in which one of the sounds has a pitch and the other has none, 0 to 1.

    Frames and pitch are those of :func:`f0`. Silence has no pitch. It is blind to level.
    """
    return float(np.mean(_voiced(target) != _voiced(predicted)))


def sc(target: Sound, predicted: Sound) -> float:
    """Return the spectral convergence: 0 for equal sounds, 1 for silence, without an upper end. Level counts.

    ``||T - P|| / ||T||`` of STFT magnitudes in the Frobenius norm, the mean over Hann windows of 12, 23 and 46 ms moved
    by a quarter. Beside a silent target, the norm of the other is in its place, which gives 1; 0 if both are silent.

    Source: Arik, Jun & Diamos 2019, "Fast spectrogram inversion using multi-head convolutional neural networks".
    """
    values = []
    pairs = zip(target.spectra.magnitudes, predicted.spectra.magnitudes, target.spectra.norms, strict=True)
    for one, other, norm in pairs:
        error = float(np.sqrt(np.sum(np.square(one - other), dtype=np.float64)))
        values.append(error / (norm or error) if error else 0.0)
    return float(np.mean(values))


def lsd(target: Sound, predicted: Sound) -> float:
    """Return the log-spectral distance in dB. Level counts.

    The root of the mean squared difference of a spectrum in dB, over its bins; the mean over Hann windows of 46 ms
    moved by a quarter. Magnitudes below -100 dB re a sine of full scale count as that.

    Source: Gray & Markel 1976, "Distance measures for speech processing", with the logarithms in dB.
    """
    difference = (target.spectra.logs[-1] - predicted.spectra.logs[-1]) * (20.0 / np.log(10.0))
    return float(np.sqrt(np.mean(np.square(difference, dtype=np.float64), axis=-1)).mean())


def loudness(target: Sound, predicted: Sound) -> float:
    """Return the absolute difference of loudness in LU: see :attr:`Sound.level`. Silence has -100 LKFS."""
    return abs(target.level - predicted.level)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric.

    Attributes:
        name: in tables and files.
        unit: of its values, or "".
        doc: what it compares, in a few words.
        of: returns its value of a target and a predicted sound.
        level: whether the level of the sounds counts.
        best: its value for equal sounds: 0, or 1 where more is better.
    """

    name: str
    unit: str
    doc: str
    of: Callable[[Sound, Sound], float]
    level: bool
    best: float = 0.0


METRICS = (
    Metric("mss", "dB", "log-mel spectrograms at three scales", mss, level=False),
    Metric("sot", "", "optimal transport of spectra", sot, level=False),
    Metric("rms", "", "cosine of RMS envelopes", rms, level=False, best=1.0),
    Metric("f0", "ct", "pitch in cents, where both have one", f0, level=False),
    Metric("voicing", "", "time in which one alone has a pitch", voicing, level=False),
    Metric("mss_level", "dB", "mss with one reference", mss_level, level=True),
    Metric("wmfcc", "", "MFCC, aligned in time", wmfcc, level=True),
    Metric("sc", "", "spectral convergence", sc, level=True),
    Metric("lsd", "dB", "log-spectral distance", lsd, level=True),
    Metric("loudness", "LU", "difference of loudness", loudness, level=True),
)
"""All metrics: those that are blind to level first."""


def metrics_of(target: Sound, predicted: Sound) -> dict[str, float]:
    """Return name -> value of every metric, all finite.

    Raises :class:`ConfigError` if the sounds differ in channels, length or sample rate.
    """
    if target.audio.shape != predicted.audio.shape or target.sample_rate != predicted.sample_rate:
        raise ConfigError(
            f"sounds of {target.audio.shape} at {target.sample_rate} Hz and {predicted.audio.shape} at "
            f"{predicted.sample_rate} Hz cannot be compared"
        )
    return {metric.name: metric.of(target, predicted) for metric in METRICS}


def _mean_difference(target: Sound, predicted: Sound, *, own: bool) -> float:
    differences = [
        np.mean(np.abs(_level(one, own=own) - _level(other, own=own)), dtype=np.float64)
        for one, other in zip(target.mel_powers, predicted.mel_powers, strict=True)
    ]
    return float(np.mean(differences))


def _voiced(sound: Sound) -> NDArray[np.bool_]:
    return np.isfinite(sound.f0)


def _level(power: NDArray[np.float32], *, own: bool) -> NDArray[np.float32]:
    return decibels(power, float(power.max(initial=0.0)) if own else 1.0)
