"""The validators that measure level and loudness."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tonesmith.testing.validator import FRAMES, SAMPLE_RATE, ValidatorContract, render_of, tone
from tonesmith.validators.level import FLOOR, Level
from tonesmith.validators.loudness import Loudness


class TestLevelContract(ValidatorContract):
    validator = Level


class TestLoudnessContract(ValidatorContract):
    validator = Loudness


class TestLoudnessBoundsContract(ValidatorContract):
    validator = Loudness
    options: ClassVar = {"minimum": -40.0, "maximum": -10.0}


def level(audio, **options):
    return Level(Level.Options(**options)).check(render_of(audio))


def loudness(audio, sample_rate=SAMPLE_RATE, **options):
    return Loudness(Loudness.Options(**options)).check(render_of(audio, sample_rate=sample_rate))


def decibels(amplitude):
    return 20 * math.log10(amplitude)


def test_a_sine_of_full_scale_has_a_peak_of_0_and_an_rms_of_minus_3():
    verdict = level(tone(amplitude=1.0, hertz=1000.0))
    assert verdict.reason == ""
    assert verdict.measured["rms"] == pytest.approx(-3.0103, abs=1e-3)
    assert verdict.measured["peak"] == pytest.approx(0.0, abs=0.01)
    assert verdict.measured["dc"] == pytest.approx(0.0, abs=1e-4)


def test_rms_is_that_of_the_loudest_100_ms_of_any_channel():
    audio = np.zeros((2, 3 * SAMPLE_RATE + 123), np.float32)
    audio[0, 8820 : 8820 + 4410] = 0.01  # whole windows
    assert level(audio).measured["rms"] == pytest.approx(-40.0, abs=1e-3)
    audio[1, -4410:] = 0.1  # the last window ends with the audio, though no multiple of 100 ms does
    assert level(audio).measured["rms"] == pytest.approx(-20.0, abs=1e-3)
    assert level(audio[::-1]).measured["rms"] == pytest.approx(-20.0, abs=1e-3)


@given(
    st.integers(1, 3),
    st.integers(1, 400),
    st.integers(0, 2**32 - 1),
    st.floats(1e-4, 1e4),
    st.sampled_from([1000, 50, 7]),
)
def test_measurements_are_those_of_the_definition(channels, frames, seed, amplitude, sample_rate):
    noise = np.random.default_rng(seed).standard_normal((channels, frames)) + 0.1
    audio = (amplitude * noise).astype(np.float32)
    measured = Level(Level.Options()).check(render_of(audio, sample_rate=sample_rate)).measured
    window = min(max(1, round(sample_rate / 10)), frames)
    starts = {*range(0, frames - window + 1, window), frames - window}
    exact = audio.astype(np.float64)
    rms = max(np.sqrt((exact[:, s : s + window] ** 2).mean(axis=1)).max() for s in starts)
    assert measured["rms"] == pytest.approx(decibels(rms), abs=1e-3)
    assert measured["peak"] == pytest.approx(decibels(np.abs(exact).max()), abs=1e-5)
    assert measured["dc"] == pytest.approx(np.abs(exact.mean(axis=1)).max(), rel=1e-3, abs=1e-5 * amplitude)


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (tone(amplitude=0.0014), "silent"),
        (tone(amplitude=0.00142), ""),
        (tone(amplitude=1.99), ""),
        (tone(amplitude=2.0), "peak"),
        (-tone(amplitude=2.0), "peak"),
        (np.clip(tone(amplitude=9.0), -2.1, 2.1), "peak"),
        (tone() + np.float32(0.049), ""),
        (tone() + np.float32(0.301), "dc"),
        (tone() - np.float32(0.301), "dc"),
        (tone() + np.array([[0], [0.301]], np.float32), "dc"),
    ],
)
def test_level_rejects_by_its_defaults(audio, reason):
    assert level(audio).reason == reason


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"silence": -10.0}, "silent"),
        ({"silence": -20.0}, ""),
        ({"peak_max": -13.0}, "peak"),
        ({"peak_max": -11.0}, ""),
        ({"dc_max": 0.01}, "dc"),
        ({"dc_max": 0.03}, ""),
    ],
)
def test_every_option_of_level_decides(options, reason):
    assert level(tone() + np.float32(0.02), **options).reason == reason


def test_a_short_pluck_before_a_long_silence_is_no_silence():
    audio = np.zeros((2, 10 * SAMPLE_RATE), np.float32)
    audio[:, :1000] = tone(frames=1000, amplitude=0.01)
    assert level(audio).reason == ""


def test_no_level_at_all_is_a_finite_floor():
    assert level(np.zeros((2, 4410), np.float32)).measured == {"rms": FLOOR, "peak": FLOOR, "dc": 0.0}
    assert level(np.zeros((2, 0), np.float32)).measured == {"rms": FLOOR, "peak": FLOOR, "dc": 0.0}
    assert level(tone(amplitude=1e-15)).measured["peak"] == FLOOR
    assert level(np.zeros((2, 4410), np.float32), silence=FLOOR).reason == ""


def spoiled(value, frame):
    audio = tone()
    audio[1, frame] = value
    return audio


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("frame", [0, 12345, FRAMES - 1])
def test_one_sample_that_is_not_finite_is_enough(value, frame):
    verdict = level(spoiled(value, frame))
    assert verdict.reason == "not finite"
    assert all(math.isnan(v) for v in verdict.measured.values())
    assert math.isnan(loudness(spoiled(value, frame)).measured["loudness"])


def test_audio_that_is_not_what_the_plan_expects_is_rejected_unmeasured():
    check = Level(Level.Options()).check
    good = render_of(tone())
    for bad, reason in (
        (replace(good, frames=FRAMES + 1), "wrong shape"),
        (replace(good, channels=1), "wrong shape"),
        (replace(good, audio=tone().T), "wrong shape"),
        (replace(good, audio=tone()[0]), "wrong shape"),
        (replace(good, audio=tone().astype(np.float64)), "wrong dtype"),
        (replace(good, audio=tone().astype(np.int16)), "wrong dtype"),
    ):
        verdict = check(bad)
        assert verdict.reason == reason
        assert all(math.isnan(v) for v in verdict.measured.values())


def test_absurd_levels_are_measured_in_double():
    peak = float(np.finfo(np.float32).max)
    verdict = level(np.full((1, 8820), peak, np.float32))
    assert verdict.reason == "peak"
    assert verdict.measured["rms"] == pytest.approx(decibels(peak), abs=1e-3)
    assert verdict.measured["dc"] == pytest.approx(peak, rel=1e-6)


@pytest.mark.parametrize(
    ("channels", "decibels_full_scale", "expected"),
    [(2, -23.0, -23.0), (2, -33.0, -33.0), (1, 0.0, -3.01), (1, -20.0, -23.01), (2, 0.0, 0.0)],
)
@pytest.mark.parametrize("sample_rate", [44100, 48000])
def test_loudness_is_that_of_the_reference_tones(channels, decibels_full_scale, expected, sample_rate):
    """The 1 kHz sines of EBU Tech 3341, case 1 and 2, and the 997 Hz sine of ITU-R BS.1770 in one channel: -3.01."""
    hertz = 997.0 * SAMPLE_RATE / sample_rate
    audio = tone(frames=3 * sample_rate, channels=channels, amplitude=10 ** (decibels_full_scale / 20), hertz=hertz)
    verdict = loudness(audio, sample_rate)
    assert verdict.reason == ""
    assert verdict.measured["loudness"] == pytest.approx(expected, abs=0.1)


def test_loudness_gates_out_the_silence_after_a_note():
    sound = tone(frames=2 * SAMPLE_RATE, amplitude=0.1)
    long = np.concatenate([sound, np.zeros((2, 8 * SAMPLE_RATE), np.float32)], axis=1)
    assert loudness(long).measured["loudness"] == pytest.approx(loudness(sound).measured["loudness"], abs=1.0)


def test_loudness_only_measures_unless_it_is_told_to_reject():
    assert loudness(tone(amplitude=1e-3)).reason == ""
    assert loudness(tone(amplitude=9.0)).reason == ""
    assert loudness(tone(amplitude=0.01), minimum=-30.0).reason == "too quiet"
    assert loudness(tone(amplitude=1.0), maximum=-14.0).reason == "too loud"
    assert loudness(tone(amplitude=0.1), minimum=-30.0, maximum=-14.0).reason == ""


def test_sound_below_the_gate_is_too_quiet_and_has_no_loudness():
    silence = loudness(np.zeros((2, SAMPLE_RATE), np.float32), minimum=-60.0)
    assert silence.reason == "too quiet"
    assert math.isnan(silence.measured["loudness"])


def test_sound_too_short_for_a_loudness_is_accepted_without_one():
    short = loudness(tone(frames=17639), minimum=-60.0, maximum=-50.0)
    assert short.reason == ""
    assert math.isnan(short.measured["loudness"])
    assert math.isfinite(loudness(tone(frames=17640)).measured["loudness"])


def test_loudness_bounds_must_leave_something_between():
    with pytest.raises(ValidationError, match="minimum = -10 must be below maximum = -20"):
        Loudness.Options(minimum=-10.0, maximum=-20.0)
