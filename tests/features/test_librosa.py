"""The numbers of librosa, where it is installed: no dependency, and an independent reading of the same formulas."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tonesmith.features.f0 import F0
from tonesmith.features.mel import Mel
from tonesmith.features.mfcc import Mfcc
from tonesmith.features.stats import Stats
from tonesmith.features.stft import Stft
from tonesmith.plan.feature import Sound
from tonesmith.testing.feature import white

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]
RATE, WINDOW, HOP = 44100, 2048, 512
SPECTRUM = {"n_fft": WINDOW, "hop_length": HOP, "pad_mode": "constant"}


@pytest.fixture(scope="module")
def librosa():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("librosa")


@pytest.fixture(scope="module")
def sound():
    """A saw that glides, in noise."""
    time = np.arange(RATE) / RATE
    saw = sum(np.sin(2 * np.pi * n * (220 * time + 40 * time**2)) / n for n in range(1, 30))
    return (0.2 * saw + 0.1 * white(channels=1, frames=RATE)[0]).astype(np.float32)


def computed(cls, audio, **options):
    return cls(cls.Options(**options)).compute(Sound(audio[None], RATE))


@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize("norm", ["area", "peak"])
def test_mel_bands_and_cepstra_are_those_of_librosa(librosa, sound, scale, norm):
    named = {"htk": scale == "htk", "norm": "slaney" if norm == "area" else None}
    power = librosa.feature.melspectrogram(y=sound, sr=RATE, n_mels=64, **SPECTRUM, **named) * (2 / (WINDOW / 2)) ** 2
    expected = 10 * np.log10(np.maximum(power, 1e-10))
    options = {"bands": 64, "scale": scale, "norm": norm}
    np.testing.assert_allclose(computed(Mel, sound, **options)["mel"], expected, atol=5e-3)
    cepstra = librosa.feature.mfcc(S=expected, n_mfcc=20)
    np.testing.assert_allclose(computed(Mfcc, sound, **options)["mfcc"], cepstra, atol=5e-2)


def test_magnitudes_are_those_of_librosa(librosa, sound):
    expected = np.abs(librosa.stft(sound, **SPECTRUM)) * 2 / (WINDOW / 2)
    np.testing.assert_allclose(computed(Stft, sound, kind="magnitude")["stft"], expected, atol=1e-6)


def test_moments_are_those_of_librosa(librosa, sound):
    made, magnitude = (
        computed(Stats, sound, over_time="frames"),
        np.abs(librosa.stft(sound, **SPECTRUM)) * 2 / (WINDOW / 2),
    )
    feature = librosa.feature
    np.testing.assert_allclose(made["centroid"], feature.spectral_centroid(S=magnitude, sr=RATE)[0], rtol=1e-3)
    np.testing.assert_allclose(made["spread"], feature.spectral_bandwidth(S=magnitude, sr=RATE)[0], rtol=1e-3)
    np.testing.assert_allclose(made["flatness"], feature.spectral_flatness(S=magnitude)[0], rtol=1e-2)
    np.testing.assert_allclose(made["rolloff"], feature.spectral_rolloff(S=magnitude, sr=RATE)[0], atol=RATE / WINDOW)


def test_f0_is_that_of_librosa(librosa, sound):
    made = computed(F0, sound, hop=HOP / RATE)["f0"]
    expected = librosa.yin(sound, fmin=60, fmax=2000, sr=RATE, frame_length=4096, hop_length=HOP)[: len(made)]
    cents = 1200 * np.abs(np.log2(made / expected))
    assert np.nanmedian(cents) < 10
    assert np.isfinite(made).mean() > 0.9
