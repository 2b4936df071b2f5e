"""The distances between two sounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonesmith.analysis.spectra import log_mel_distance, multi_resolution_stft_distance, spectra_of
from tonesmith.dsp.log_mel import FLOOR_DB, MELS, log_mel, windows_at
from tonesmith.dsp.mel import band_edges, hertz_of, mel_filters, mel_of

RATES = [8000, 16000, 22050, 44100, 48000, 96000, 192000]
DISTANCES = [log_mel_distance, multi_resolution_stft_distance]


def noise(frames=4000, channels=2, level=0.1, seed=0):
    return (level * np.random.default_rng(seed).standard_normal((channels, frames))).astype(np.float32)


def sine(hertz, sample_rate, amplitude=1.0, seconds=0.5):
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    return (amplitude * np.sin(2 * np.pi * hertz * time))[None].astype(np.float32)


def distances(a, b, sample_rate=8000):
    left, right = spectra_of(a, sample_rate), spectra_of(b, sample_rate)
    return [distance(left, right) for distance in DISTANCES]


@settings(max_examples=40)
@given(st.integers(0, 2000), st.integers(1, 3), st.sampled_from(RATES), st.integers(0, 99))
def test_distances_are_finite_symmetric_and_zero_for_equal_sounds(frames, channels, rate, seed):
    a, b = noise(frames, channels, seed=seed), noise(frames, channels, 0.3, seed + 1)

    there = distances(a, b, rate)

    assert distances(a, a.copy(), rate) == [0.0, 0.0]
    assert np.isfinite(there).all()
    assert distances(b, a, rate) == there
    assert (min(there) > 0.0) == (frames > 0)


@settings(max_examples=30)
@given(st.floats(-40.0, 30.0))
def test_a_gain_moves_the_log_mel_by_its_decibels_and_no_more(gain_db):
    loud = noise(level=0.3)
    gain = 10.0 ** (gain_db / 20.0)

    shifted = log_mel(loud * np.float32(gain), 8000)

    assert log_mel(loud, 8000).min() > FLOOR_DB + 45.0  # so that nothing here meets the floor
    assert np.allclose(shifted - log_mel(loud, 8000), gain_db, atol=2e-3)
    assert distances(loud, loud * np.float32(gain))[0] == pytest.approx(abs(gain_db), abs=2e-3)


def test_a_gain_has_a_known_multi_resolution_distance():
    loud = noise(level=0.3)

    assert distances(loud, loud * np.float32(0.5))[1] == pytest.approx(0.5 + np.log(2.0), rel=1e-3)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hertz", [220.0, 1000.0, 3100.0])
def test_a_sine_peaks_in_its_band_at_about_its_level(rate, hertz):
    told = log_mel(sine(hertz, rate, 0.5), rate)[0]
    middle = told[:, told.shape[1] // 2]
    centres = np.linspace(0.0, mel_of(np.array(rate / 2)), MELS + 2)[1:-1]

    assert abs(int(middle.argmax()) - int(np.abs(centres - mel_of(np.array(hertz))).argmin())) <= 1
    assert middle.max() == pytest.approx(-6.0, abs=2.5)
    assert np.median(middle) < -60.0


@pytest.mark.parametrize("rate", RATES)
def test_every_band_hears_something_at_every_sample_rate(rate):
    filters = mel_filters(band_edges(MELS, 0.0, rate / 2), rate, windows_at(rate)[-1])

    assert filters.shape == (MELS, windows_at(rate)[-1] // 2 + 1)
    assert filters.max(axis=1).min() > 0.4
    assert (filters >= 0.0).all()
    assert filters.max() <= 1.0


def test_the_mel_scale_is_that_of_slaney():
    # 15 mel at 1 kHz, 27 more for a factor of 6.4
    assert mel_of(np.array([0.0, 500.0, 1000.0, 6400.0])) == pytest.approx([0.0, 7.5, 15.0, 42.0])
    hertz = np.linspace(0.0, 20000.0, 99)
    assert hertz_of(mel_of(hertz)) == pytest.approx(hertz)


def test_silence_is_at_the_floor_and_as_far_from_a_sound_as_the_sound_is_loud():
    silence = np.zeros((2, 4000), np.float32)

    assert np.all(log_mel(silence, 8000) == FLOOR_DB)
    assert distances(silence, silence) == [0.0, 0.0]
    assert distances(silence, noise())[0] == pytest.approx(float(np.mean(log_mel(noise(), 8000) - FLOOR_DB)), rel=1e-6)
    assert np.isfinite(distances(silence, noise() * np.float32(1e-30))).all()


def test_the_convergence_of_unlike_sounds_is_bounded():
    low, high = spectra_of(sine(200.0, 8000), 8000), spectra_of(sine(3000.0, 8000), 8000)
    quiet = spectra_of(sine(200.0, 8000, 1e-4), 8000)
    logs = np.mean([np.mean(np.abs(a - b)) for a, b in zip(quiet.logs, low.logs, strict=True)])

    assert multi_resolution_stft_distance(quiet, low) - logs == pytest.approx(1.0, abs=1e-3)
    assert multi_resolution_stft_distance(low, high) < np.sqrt(2.0) + np.log(1e5)


@pytest.mark.parametrize("frames", [0, 1, 7, 127])
def test_a_sound_shorter_than_any_window_is_heard(frames):
    told = log_mel(np.full((1, frames), 0.5, np.float32), 44100)

    assert told.shape == (1, MELS, 1)
    assert np.isfinite(told).all()
    assert (told.max() > FLOOR_DB) == (frames > 0)


def test_every_sample_counts_from_the_first_to_the_last():
    for place in (0, 1, 1999, 3998, 3999):
        moved = noise()
        moved[1, place] += 0.5
        assert min(distances(noise(), moved)) > 0.0


def test_windows_keep_their_length_in_time_at_every_sample_rate():
    assert windows_at(44100) == windows_at(48000) == (512, 1024, 2048)
    assert windows_at(96000) == (1024, 2048, 4096)
    assert windows_at(8000) == (128, 256, 512)
