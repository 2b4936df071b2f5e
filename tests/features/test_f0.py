"""f0 of sounds whose pitch is known, and of those that have none."""

from __future__ import annotations

import numpy as np
import pytest

from tonesmith import ConfigError
from tonesmith.features.f0 import F0
from tonesmith.host.computing import planned
from tonesmith.plan.feature import Sound
from tonesmith.plan.plan import Audio
from tonesmith.testing.feature import sine, white

RATE = 44100


def computed(audio, **options):
    return F0(F0.Options(**options)).compute(Sound(np.asarray(audio, np.float32), RATE))


@pytest.mark.parametrize("hertz", [55.0, 110.0, 261.63, 997.0, 2000.0])
def test_a_sine_has_its_frequency_to_a_few_cents(hertz):
    made = computed(sine(hertz, frames=RATE // 2))
    assert 1200 * abs(np.log2(made["median"] / hertz)) < 5
    assert made["voiced"] > 0.9
    assert np.nanmax(made["aperiodicity"][4:-4]) < 0.05


@pytest.mark.parametrize("partials", [range(1, 20), range(2, 20), range(1, 20, 2)], ids=["saw", "no first", "square"])
def test_a_harmonic_sound_has_the_frequency_of_its_period(partials):
    time = np.arange(RATE // 2) / RATE
    sound = sum(np.sin(2 * np.pi * 220 * n * time) / n for n in partials)
    assert computed(0.2 * sound[None])["median"] == pytest.approx(220.0, rel=0.003)


def test_noise_and_silence_have_none():
    noise = computed(white(channels=1, frames=RATE // 2))
    assert noise["voiced"] < 0.1
    assert np.median(noise["aperiodicity"]) > 0.5
    silent = computed(np.zeros((2, RATE // 2)))
    assert (silent["voiced"], silent["aperiodicity"].min()) == (0, 1)
    assert np.isnan(silent["median"])


def test_a_glide_is_followed():
    time = np.arange(RATE) / RATE
    glide = np.sin(2 * np.pi * (200 * time + 100 * time**2))[None]
    made = computed(0.5 * glide)["f0"]
    for place in (10, 25, 40):
        assert made[place] == pytest.approx(200 + 200 * place * 882 / RATE, rel=0.01)


def test_a_quiet_sound_has_the_same_pitch_as_a_loud_one():
    quiet, loud = computed(1e-3 * sine(330.0)), computed(sine(330.0))
    np.testing.assert_allclose(quiet["f0"], loud["f0"], rtol=1e-3)


def test_a_range_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="low = 500 Hz must be below high = 400 Hz"):
        F0(F0.Options(low=500, high=400))
    with pytest.raises(ConfigError, match="above half the sample rate"):
        planned(F0(F0.Options(high=5000)), Audio(8000, 1, 800))
