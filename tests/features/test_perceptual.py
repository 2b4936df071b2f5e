"""The numbers for what is heard move as the words say, and are what their sources give for made sounds."""

from __future__ import annotations

import numpy as np
import pytest

from tonesmith.dsp.perceptual import dissonance_of, tension
from tonesmith.features.perceptual import Perceptual
from tonesmith.plan.feature import Sound
from tonesmith.testing.feature import sine, white

RATE = 44100


def heard(*partials, seconds=1.0):
    time = np.arange(int(seconds * RATE)) / RATE
    return sum(a * np.sin(2 * np.pi * f * time) for f, a in partials)[None].astype(np.float32)


def computed(audio, **options):
    return Perceptual(Perceptual.Options(**options)).compute(Sound(audio, RATE))


def test_brightness_is_in_octaves_of_one_kilohertz():
    for hertz, octaves in ((250.0, -2.0), (1000.0, 0.0), (8000.0, 3.0)):
        assert computed(sine(hertz, frames=RATE))["brightness"] == pytest.approx(octaves, abs=0.01)
    two = computed(heard((500.0, 0.5), (2000.0, 0.5)))["brightness"]
    assert two == pytest.approx(0.0, abs=0.02)


def test_warmth_is_the_share_between_150_and_800_hertz():
    assert computed(heard((400.0, 0.4), (3000.0, 0.2)))["warmth"] == pytest.approx(0.8, abs=0.01)
    assert computed(sine(5000.0, frames=RATE))["warmth"] < 0.01


def test_two_partials_are_roughest_a_quarter_of_a_critical_band_apart():
    def rough(apart):
        return dissonance_of(np.array([440.0, 440.0 + apart]), np.ones(2))

    distances = np.arange(1.0, 200.0)
    roughest = distances[np.argmax([rough(d) for d in distances])]
    scale = 0.24 / (0.0207 * 440 + 18.96)
    assert roughest == pytest.approx(np.log(5.75 / 3.51) / (5.75 - 3.51) / scale, abs=1.0)  # of the curve, by hand
    assert rough(1e-9) == pytest.approx(0.0, abs=1e-9)
    assert computed(sine(440.0, frames=RATE))["roughness"] < 0.01
    beating, octave = heard((440.0, 0.3), (475.0, 0.3)), heard((440.0, 0.3), (880.0, 0.3))
    assert computed(beating)["roughness"] == pytest.approx(rough(35.0), rel=0.1)
    assert computed(octave)["roughness"] < 0.02
    assert computed(beating * np.float32(0.01))["roughness"] == pytest.approx(computed(beating)["roughness"], rel=1e-3)


def test_noise_is_noisy_and_a_tone_is_not():
    noise = computed(white(channels=1, frames=RATE))
    assert noise["noisiness"] == pytest.approx(np.exp(-np.euler_gamma), abs=0.05)
    assert np.isnan(noise["tension"])
    assert computed(sine(440.0, frames=RATE))["noisiness"] < 1e-3


def test_tension_is_zero_for_a_pitch_class_and_grows_from_fifth_to_tritone_to_cluster():
    def of(*classes):
        chroma = np.zeros((1, 12))
        chroma[0, list(classes)] = 1.0
        return tension(chroma)[0]

    assert of(0) == pytest.approx(0.0, abs=1e-12)
    assert of(0) < of(0, 7) < of(0, 6) < of(0, 1, 2, 3)
    assert of(0, 4, 7) == pytest.approx(of(2, 6, 9)), "the same chord a tone higher"
    weights = np.array([3, 8, 11.5, 15, 14.5, 7.5])
    by_hand = 1 - np.sqrt(
        np.sum((weights * np.abs(1 + np.exp(-2j * np.pi * np.arange(1, 7) * 7 / 12)) / 2) ** 2) / sum(weights**2)
    )
    assert of(0, 7) == pytest.approx(by_hand)
    assert np.isnan(tension(np.ones((1, 12)))[0])
    chord = computed(heard((261.63, 0.2), (329.63, 0.2), (392.0, 0.2)))
    assert chord["tension"] == pytest.approx(of(0, 4, 7), abs=0.02)


def test_silence_has_no_numbers_but_noisiness():
    made = computed(np.zeros((2, RATE), np.float32))
    assert np.isnan([made[name] for name in ("brightness", "warmth", "roughness", "tension")]).all()
    assert np.isnan(computed(np.zeros((2, RATE), np.float32), over_time="frames")["roughness"]).all()
