"""Sounds at another sample rate."""

from __future__ import annotations

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
