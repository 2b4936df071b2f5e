"""Sounds at another sample rate."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tonesmith.dsp.resample import resampled


def sine(rate, seconds=0.5):
    return np.sin(2.0 * np.pi * 440.0 * np.arange(round(rate * seconds)) / rate).astype(np.float32)


@pytest.mark.parametrize("wanted", [8_000, 44_100, 48_000])
def test_a_tone_keeps_its_pitch_its_level_and_its_length(wanted):
    made = resampled(np.stack([sine(22_050), -sine(22_050)]), 22_050, wanted)
    assert (made.dtype, made.shape) == (np.float32, (2, wanted // 2))
    middle = slice(wanted // 20, -wanted // 20)
    np.testing.assert_allclose(made[0, middle], sine(wanted)[middle], atol=2e-3)
    np.testing.assert_array_equal(made[1], -made[0])


def test_at_its_own_rate_a_sound_is_itself_and_nothing_stays_nothing():
    sound = sine(8_000)
    assert resampled(sound, 8_000, 8_000) is sound
    assert resampled(np.zeros((2, 0), np.float32), 8_000, 48_000).shape == (2, 0)


@pytest.mark.parametrize(("rate", "wanted"), [(44_100, 48_000), (8_000, 48_000), (96_000, 48_000), (48_000, 44_100)])
@pytest.mark.parametrize("frames", [1, 37, 5_000])
def test_it_is_what_scipy_makes_of_it(rate, wanted, frames):
    from scipy.signal import resample_poly

    sound = np.random.default_rng(0).standard_normal((2, frames)).astype(np.float32)
    common = np.gcd(rate, wanted)
    made = resampled(sound, rate, wanted)
    np.testing.assert_allclose(made, resample_poly(sound, wanted // common, rate // common, axis=-1), atol=1e-5)


def test_it_does_without_the_second_that_scipy_signal_takes_to_import():
    code = "import sys, numpy as np; from tonesmith.dsp.resample import resampled as r; r(np.ones(9, 'f4'), 2, 3)"
    subprocess.run([sys.executable, "-c", f"{code}; sys.exit('scipy.signal' in sys.modules)"], check=True)
