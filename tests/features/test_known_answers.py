"""Features of sounds that are made up, whose numbers are known."""

from __future__ import annotations

import numpy as np
import pytest

from tonesmith import ConfigError
from tonesmith.dsp.mel import hertz_of, mel_of
from tonesmith.features.mel import Mel
from tonesmith.features.mfcc import Mfcc
from tonesmith.features.perceptual import Perceptual
from tonesmith.features.stats import Stats
from tonesmith.features.stft import Stft
from tonesmith.host.computing import planned
from tonesmith.plan.feature import Sound
from tonesmith.plan.plan import Audio
from tonesmith.space.patch import Note
from tonesmith.testing.feature import sine, white

RATE = 44100
FORM = Audio(RATE, 2, RATE)


def computed(cls, audio, note=None, rate=RATE, **options):
    return cls(cls.Options.model_validate(options)).compute(Sound(np.asarray(audio, np.float32), rate, note))


def test_the_mel_scales_are_those_of_the_formulas():
    assert mel_of(np.array([0.0, 700.0, 1000.0]), "htk") == pytest.approx([0.0, 2595 * np.log10(2), 999.9856], abs=1e-3)
    assert mel_of(np.array([0.0, 1000.0, 6400.0]), "slaney") == pytest.approx([0.0, 15.0, 42.0])
    for scale in ("htk", "slaney"):
        assert hertz_of(mel_of(np.array([3.0, 999.0, 12345.0]), scale), scale) == pytest.approx([3.0, 999.0, 12345.0])


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_a_full_scale_sine_at_the_top_of_a_band_has_its_level_there(scale):
    feature = Mel(Mel.Options(bands=20, scale=scale))
    edges = feature.definition(FORM)["edges"]
    for band in (3, 10, 17):
        levels = computed(Mel, sine(edges[band + 1], amplitude=1.0, frames=RATE), bands=20, scale=scale)["mel"]
        middle = levels[:, levels.shape[1] // 2]
        assert middle.argmax() == band
        assert middle[band] == pytest.approx(1.76, abs=0.6)  # power of a Hann lobe: 1.5, less what the triangle leaves


def test_area_bands_of_white_noise_are_level_and_peak_bands_rise_with_their_width():
    noise = white(channels=1, frames=4 * RATE)
    area = computed(Mel, noise, bands=24, norm="area", floor=-200)["mel"].mean(axis=1)
    peak = computed(Mel, noise, bands=24, floor=-200)["mel"].mean(axis=1)
    assert np.ptp(area[4:]) < 1.5
    assert peak[-1] - peak[4] > 6.0


def test_a_gain_of_six_decibels_moves_every_level_by_six_and_only_the_first_coefficient():
    quiet, loud = (computed(Mel, white(seed=4) * gain)["mel"] for gain in (np.float32(0.25), np.float32(0.5)))
    np.testing.assert_allclose(loud - quiet, 20 * np.log10(2), atol=1e-3)
    one, other = (
        computed(Mfcc, white(seed=4) * gain, bands=64)["mfcc"] for gain in (np.float32(0.25), np.float32(0.5))
    )
    np.testing.assert_allclose((other - one)[0], 20 * np.log10(2) * 8, atol=1e-2)  # sqrt(64) of an orthonormal DCT
    np.testing.assert_allclose((other - one)[1:], 0.0, atol=1e-2)


def test_silence_is_at_the_floor():
    assert (computed(Mel, np.zeros((2, 5000)), floor=-80)["mel"] == -80).all()
    assert (computed(Stft, np.zeros((2, 5000)))["stft"] == -100).all()


def test_out_of_phase_cancels_in_the_mix_and_not_in_each_channel():
    audio = sine() * np.array([[1], [-1]], np.float32)
    assert computed(Mel, audio)["mel"].max() == -100
    assert computed(Mel, audio, channels="each")["mel"].max(axis=(1, 2)) == pytest.approx([-12, -12], abs=2)


def test_a_sine_on_a_bin_has_its_amplitude_there_and_a_click_is_in_every_bin():
    spectrum = computed(Stft, sine(40 * RATE / 2048, amplitude=0.5), kind="magnitude")["stft"]
    assert spectrum[40, spectrum.shape[1] // 2] == pytest.approx(0.5, abs=1e-3)
    click = np.zeros((1, 8192), np.float32)
    click[0, 4096] = 1.0
    flat = computed(Stft, click, kind="magnitude")["stft"][:, 8]  # the window around sample 4096
    np.testing.assert_allclose(flat, 2 / 1024, rtol=1e-3)


def test_the_complex_spectrum_is_that_of_a_plain_fourier_transform():
    audio = white(channels=1, frames=4096)
    found = computed(Stft, audio, kind="complex", window=512, hop=128)["stft"]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    expected = np.fft.rfft(np.pad(audio[0], 256)[10 * 128 : 10 * 128 + 512] * window) * 2 / window.sum()
    np.testing.assert_allclose(found[:, 10, 0] + 1j * found[:, 10, 1], expected, atol=1e-6)


def test_the_centroid_of_a_sine_is_its_pitch_and_of_noise_a_quarter_of_the_rate():
    tone, noise = computed(Stats, sine(1000.0, frames=RATE)), computed(Stats, white(channels=1, frames=RATE))
    assert tone["centroid"] == pytest.approx(1000.0, rel=0.01)
    assert tone["rolloff"] == pytest.approx(1000.0, abs=50)
    assert noise["centroid"] == pytest.approx(RATE / 4, rel=0.02)
    assert noise["spread"] == pytest.approx(RATE / 2 / np.sqrt(12), rel=0.03)
    assert noise["rolloff"] == pytest.approx(0.85 * RATE / 2, rel=0.02)
    assert tone["flatness"] < 1e-3
    assert noise["flatness"] == pytest.approx(np.exp(-np.euler_gamma), abs=0.06)  # of a chi-squared power


def test_a_chirp_has_a_centroid_that_climbs():
    time = np.arange(RATE) / RATE
    chirp = np.sin(2 * np.pi * (200 * time + 0.5 * 4000 * time**2))[None]
    centroid = computed(Stats, chirp, over_time="frames")["centroid"][4:-4]
    assert (np.diff(centroid) > 0).all()
    assert centroid[len(centroid) // 2] == pytest.approx(2200.0, rel=0.05)


def test_onset_attack_and_release_are_those_of_the_envelope_that_was_made():
    time = np.arange(2 * RATE) / RATE
    rise, fall = np.clip((time - 0.2) / 0.3, 0, 1), np.where(time > 1.0, np.exp(-(time - 1.0) / 0.1), 1.0)
    sound = (rise * fall * np.sin(2 * np.pi * 997 * time))[None]
    found = computed(Stats, sound, note=Note(60, 100, 1.0, 1.0))
    assert found["onset"] == pytest.approx(0.23, abs=0.01)
    assert found["attack"] == pytest.approx(0.24, abs=0.01)
    assert found["release"] == pytest.approx(0.1 * np.log(10), abs=0.01)


def test_what_never_sounds_or_never_ends_has_no_time():
    silent = computed(Stats, np.zeros((2, RATE)), note=Note(60, 100, 0.5, 0.5))
    assert np.isnan([silent[name] for name in ("onset", "attack", "release", "centroid")]).all()
    assert np.isnan(computed(Stats, sine(frames=RATE), note=Note(60, 100, 0.5, 0.5))["release"])


@pytest.mark.parametrize("cls", [Mel, Mfcc, Stats, Stft, Perceptual])
def test_options_that_make_more_than_memory_holds_are_refused_before_any_is_asked_for(cls):
    with pytest.raises(ConfigError, match=r"44,101 windows of a sound, too many of that length\. Raise hop"):
        planned(cls(cls.Options(hop=1, window=65536)), FORM)


def test_a_definition_tells_all_that_is_needed_to_compute_the_same():
    feature = Mel(Mel.Options(bands=12, scale="htk", norm="area", low=50.0, high=9000.0, floor=-90.0))
    told = planned(feature, FORM).definition
    audio = white()
    x = np.pad(audio.mean(axis=0), (told["window_frames"] // 2, told["window_frames"]))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(told["window_frames"]) / told["window_frames"])
    edges, hop = np.array(told["edges"]), told["hop_frames"]
    hertz = np.arange(told["window_frames"] // 2 + 1) * told["sample_rate"] / told["window_frames"]
    columns = []
    for i in range(1 + audio.shape[1] // hop):
        power = np.abs(np.fft.rfft(x[i * hop : i * hop + len(window)] * window) * 2 / window.sum()) ** told["power"]
        bands = [
            (power * np.interp(hertz, edges[b : b + 3], [0, 2 / (edges[b + 2] - edges[b]), 0])).sum()
            for b in range(told["bands"])
        ]
        columns.append(10 * np.log10(np.maximum(bands, 10 ** (told["floor"] / 10))))
    found = feature.compute(Sound(audio, RATE))["mel"]
    np.testing.assert_allclose(found, np.array(columns).T, atol=5e-3)
