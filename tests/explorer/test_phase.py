"""Sound from magnitudes: phases that fit, on from block to block."""

from __future__ import annotations

import numpy as np
import pytest

from tonesmith.explorer.exemplars import Exemplars, typical
from tonesmith.explorer.export.peak import Peak, dithered
from tonesmith.explorer.frames import HOP, RATE, held_spectrum, levels_of, magnitudes_of, overlapped, spectrum
from tonesmith.explorer.space import over_bins, side_of, space_of
from tonesmith.explorer.stream import AHEAD, Picture, Stream, whole


def test_frames_give_back_the_sound_that_they_are_of():
    sound = np.random.default_rng(0).standard_normal(12_000).astype(np.float32)
    frames = held_spectrum(sound)
    inner = slice(2048, len(frames) * HOP - 2048)
    assert np.abs(overlapped(frames)[inner] - sound[inner]).max() < 1e-4
    assert np.abs(magnitudes_of(levels_of(np.abs(frames))) - np.abs(frames)).max() < 1e-4


def test_magnitudes_alone_give_back_a_click_at_its_place():
    sound = np.zeros(16_000, np.float32)
    sound[8_011] = 0.9
    made = whole(np.abs(spectrum(sound)), len(sound))
    # Magnitudes do not say how the phase of the whole is turned
    assert abs(int(np.abs(made).argmax()) - 8_011) <= 2
    assert np.square(made[8_011 - 20 : 8_011 + 21]).sum() > 0.95 * np.square(made).sum()
    assert abs(np.square(made).sum() / 0.81 - 1.0) < 0.1


def test_magnitudes_alone_give_back_a_sine_of_steady_level():
    sound = 0.5 * np.sin(2 * np.pi * 1234.5 * np.arange(24_000) / RATE).astype(np.float32)
    made = whole(np.abs(spectrum(sound)), len(sound))[4_000:-4_000]
    measured = np.abs(np.fft.rfft(made * np.hanning(len(made))))
    assert abs(measured.argmax() * RATE / len(made) - 1234.5) < 2.0
    parts = np.sqrt(np.square(made[: len(made) // 480 * 480].reshape(-1, 480)).mean(axis=1))
    assert parts.min() > 0.95 * parts.max()


def test_griffin_lim_brings_noise_nearer_to_its_magnitudes():
    sound = np.random.default_rng(1).standard_normal(16_000).astype(np.float32)
    magnitude = np.abs(spectrum(sound))[10:50]

    def error(rounds: int) -> float:
        made = Stream(1, 0, rounds).push(Picture(magnitude), 32)
        made = np.abs(held_spectrum(made[0]))
        return float(np.abs(made[8:20] - magnitude[8:20]).mean())

    assert error(16) < 0.8 * error(0)


def test_there_is_no_click_where_blocks_join():
    sound = 0.5 * np.sin(2 * np.pi * 440.0 * np.arange(48_000) / RATE).astype(np.float32)
    magnitude = np.abs(spectrum(sound))
    stream = Stream(1, 0)
    blocks = [stream.push(Picture(magnitude[at : at + 20 + AHEAD]), 20)[0] for at in range(0, 160, 20)]
    bend = np.abs(np.diff(np.concatenate(blocks)[4_000:], 2))
    joins = [place - 4_000 for place in range(5_120, 38_000, 5_120)]
    near = np.zeros(len(bend), bool)
    for join in joins:
        near[join - 8 : join + 8] = True
    assert len(joins) >= 6
    assert bend[near].max() <= bend[~near].max()
    made = np.concatenate(blocks)[4_000:36_640]
    levels = np.sqrt(np.square(made.reshape(-1, 480)).mean(axis=1))
    assert levels.min() > 0.9 * levels.max()


@pytest.mark.parametrize("pan", [-1.0, 1.0, 0.0])
def test_a_panned_sound_stays_where_it_is(pan):
    random = np.random.default_rng(2)
    left, right = random.standard_normal((2, 8_000)).astype(np.float32)
    if pan:
        left, right = left * (pan < 0), left * (pan > 0)
    mid, side = spectrum((left + right) / 2), spectrum((left - right) / 2)
    made = side_of(mid, *over_bins(space_of(mid, side).astype(np.float32)))
    loud = [np.square(np.abs(mid + made)).sum(), np.square(np.abs(mid - made)).sum()]
    if pan:
        assert loud[pan > 0] > 1e4 * loud[pan < 0]
    else:
        true = np.square(np.abs(side)).sum() / np.square(np.abs(mid)).sum()
        assert abs(np.square(np.abs(made)).sum() / np.square(np.abs(mid)).sum() / true - 1.0) < 0.05
        powers = np.square(np.abs(made)).sum() * np.square(np.abs(mid)).sum()
        assert np.abs((made.conj() * mid).sum()) < 0.3 * np.sqrt(powers)


def test_the_nearest_exemplars_are_those_of_a_whole_search():
    random = np.random.default_rng(3)
    latent = random.standard_normal((2_000, 6)).astype(np.float32)
    exemplars = Exemplars(latent, random.standard_normal((2_000, 4)).astype(np.float16))
    at = random.standard_normal((7, 6)).astype(np.float32)
    squared = np.square(latent[None] - at[:, None]).sum(axis=2)
    place = np.argsort(squared, axis=1)[:, :3]
    weight = 1.0 / np.take_along_axis(squared, place, axis=1)
    weight /= weight.sum(axis=1, keepdims=True)
    wanted = (weight[:, :, None] * exemplars.residual[place]).sum(axis=1)
    assert np.abs(exemplars.near(at, 3) - wanted).max() < 1e-3
    assert np.abs(exemplars.near(latent[:5], 4) - exemplars.residual[:5]).max() < 1e-2


def test_typical_frames_are_of_every_kind_and_the_same_each_time():
    random = np.random.default_rng(4)
    kinds = np.repeat(np.eye(5, 8, dtype=np.float32) * 9, [40, 3, 60, 90, 7], axis=0)
    latent = kinds + 0.1 * random.standard_normal(kinds.shape).astype(np.float32)
    chosen = typical(latent, 20)
    assert len(chosen) <= 20
    assert set(latent[chosen].argmax(axis=1).tolist()) == {0, 1, 2, 3, 4}
    assert np.array_equal(chosen, typical(latent, 20))


def test_the_peak_between_samples_is_seen_across_blocks():
    sound = np.sin(2 * np.pi * 12_000 * np.arange(2_000) / RATE + np.pi / 4).astype(np.float32)[None]
    peak = Peak(1)
    for at in range(0, 2_000, 300):
        peak.add(sound[:, at : at + 300])
    assert np.abs(sound).max() < 0.71
    assert abs(peak.value() - 1.0) < 0.02


def test_dither_keeps_the_mean_of_what_is_less_than_a_step():
    quiet = np.full((100_000, 1), 0.3 / 2**23, np.float32)
    steps = dithered(quiet, np.random.default_rng(0)) >> 8
    assert abs(float(steps.mean()) - 0.3) < 0.02
    assert int(np.abs(steps).max()) <= 2
