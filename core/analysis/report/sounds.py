"""One sound of a report: what is measured of it, its spectrogram as a small picture, and a clip to listen to."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.pca import features_of_levels
from tonesmith.dsp.log_mel import log_mel, windows_at
from tonesmith.dsp.resample import resampled
from tonesmith.errors import ConfigError
from tonesmith.media.clip import Clip, clip_of
from tonesmith.media.colours import greys
from tonesmith.media.png import png_of

CLIP_SECONDS = 10.0
"""Of a clip at most."""
_BANDS, _TIMES, _RANGE_DB, _GREYS = 64, 160, 80.0, 16
"""Of a picture: its size at most, and its range below the strongest band."""
_STEP = 0.001
"""Seconds between two points of the envelope whose attack is told, as in the feature ``stats``."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What a report tells of one sound.

    Attributes:
        features: as :func:`tonesmith.analysis.pca.features_of` has them.
        peak: highest sample in dBFS; -inf for silence.
        loudness: in LKFS, ungated; see :attr:`tonesmith.analysis.metrics.sound.Sound.level`.
        centroid: mean frequency in Hz weighted with the magnitude; NaN of silence.
        attack: seconds from a tenth to nine tenths of the peak of the envelope; NaN of silence.
        picture: log-mel spectrogram as a PNG, dark where it is loud, over 80 dB.
        clip: Opus in Ogg, mono, the first 10 s at most; None if none was asked for.
    """

    features: NDArray[np.float64]
    peak: float
    loudness: float
    centroid: float
    attack: float
    picture: bytes
    clip: Clip | None

    @property
    def divided(self) -> float:
        """What the clip was divided by, lest it pass full scale; 1.0 for nothing."""
        return 1.0 / self.clip.gain if self.clip else 1.0


def heard(audio: NDArray[np.float32], sample_rate: int, at: int = 0, *, clip: bool = True) -> Heard:
    """Return what a report tells of a sound.

    Args:
        audio: float32 (channels, frames), full scale 1.0, finite.
        sample_rate: Hz.
        at: Hz at which spectra are compared with those of other sounds; 0 for the sample rate.
        clip: whether to make a clip.
    """
    from tonesmith.analysis.metrics.sound import sound_of
    from tonesmith.dsp.envelope import envelope_of, onset_and_attack

    compared = resampled(audio, sample_rate, at or sample_rate)
    levels = log_mel(compared, at or sample_rate).mean(axis=0, dtype=np.float64)
    peak = float(np.abs(audio).max(initial=0.0))
    mono = audio.mean(axis=0)
    made = clip_of(audio, sample_rate, seconds=CLIP_SECONDS) if clip else None
    return Heard(
        features=features_of_levels(levels),
        peak=20.0 * math.log10(peak) if peak > 0.0 else -math.inf,
        loudness=sound_of(audio, sample_rate).level,
        centroid=_centroid(mono, sample_rate),
        attack=onset_and_attack(envelope_of(audio, sample_rate, 0.01, _STEP))[1],
        picture=picture_of(levels),
        clip=made,
    )


def check_libraries() -> None:
    """Raise :class:`ConfigError` unless the libraries of a report can be used, before anything is read."""
    try:
        import altair as alt  # noqa: F401
        import soundfile  # noqa: F401
        import vl_convert  # noqa: F401
    except (ImportError, OSError) as error:  # soundfile needs a library beneath it
        raise missing(error) from error


def missing(error: ImportError | OSError) -> ConfigError:
    """Return the error that names a library of the extra."""
    told = f"a report needs altair, vl-convert-python and soundfile, which cannot be used here ({error})."
    return ConfigError(f"{told} Install them: pip install 'tonesmith[report]'")


def _centroid(mono: NDArray[np.float32], sample_rate: int) -> float:
    from tonesmith.dsp.moments import centroid_and_spread, weighted_mean
    from tonesmith.dsp.spectrum import bin_hertz, powers

    window = windows_at(sample_rate)[-1]
    power = powers(mono[None], window, window // 4)[0]
    centroid, _ = centroid_and_spread(np.sqrt(power), bin_hertz(window, sample_rate))
    return weighted_mean(centroid, power.sum(axis=1))


def picture_of(levels: NDArray[np.float64]) -> bytes:
    """Return the levels (bands, time) in dB as a PNG of 16 greys: black is the strongest, white 80 dB below it."""
    small = _shrunk(_shrunk(levels, _BANDS).T, _TIMES).T
    depth = np.clip((small.max(initial=-_RANGE_DB) - small) / _RANGE_DB, 0.0, 1.0)
    return png_of(np.round(depth[::-1] * (_GREYS - 1)).astype(np.uint8), greys(_GREYS))


def _shrunk(levels: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return the strongest of the neighbours along the first axis, so that at most so many are left."""
    step = -(-len(levels) // most)
    return np.maximum.reduceat(levels, np.arange(0, len(levels), step), axis=0)
