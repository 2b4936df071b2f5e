"""Width, distance and azimuth of a sound before it has phases; time stretched, drawn out, repeated, and drifting."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tonesmith.explorer.air import absorption, gains_of
from tonesmith.explorer.atlas import Trajectory
from tonesmith.explorer.frames import BINS, RATE, SIZE, STEP, spectrum
from tonesmith.explorer.moves import Amount
from tonesmith.explorer.placing import Placing
from tonesmith.explorer.principal import Components
from tonesmith.explorer.recipe import Place
from tonesmith.explorer.stream import Picture, Stream
from tonesmith.explorer.timing import Drift, repeated, warped
from tonesmith.explorer.weave import scattered


@pytest.fixture(scope="module")
def noise() -> NDArray[np.float32]:
    sound = np.random.default_rng(0).standard_normal(40_000).astype(np.float32)
    return np.abs(spectrum(sound))[:128]


def made(picture: Picture, channels: str = "stereo", **place: Amount) -> NDArray[np.float32]:
    count = len(picture.magnitude)
    placed = Placing(Place(**place), channels).placed(picture, np.linspace(0.0, 1.0, count))
    return Stream(1 if channels == "mono" else 2, 0).push(placed, count)[:, 4_000:28_000]


def test_azimuth_moves_a_sound_from_right_to_left_at_the_same_power(noise):
    middle, moved = made(Picture(noise)), made(Picture(noise), azimuth=(-90.0, 90.0))
    thirds = np.square(moved).reshape(2, 3, -1).sum(axis=2)
    assert thirds[1, 0] > 3.5 * thirds[0, 0]
    assert thirds[0, 2] > 3.5 * thirds[1, 2]
    assert abs(np.square(moved).sum() / np.square(middle).sum() - 1.0) < 0.05
    assert np.array_equal(middle[0], middle[1])


def test_width_scales_the_side_and_azimuth_keeps_it(noise):
    own = Picture(noise, np.full_like(noise, 0.2), np.full_like(noise, 0.4))

    def side(**place: Amount) -> float:
        left, right = made(own, **place)
        return float(np.square(left - right).sum())

    plain = side()
    assert side(width=0.0) < 1e-9 * plain
    assert abs(side(width=0.5) / plain - 0.25) < 0.01
    assert side(width=2.0) > 4.5 * plain
    left, right = made(Picture(noise), width=2.0)
    assert 0.2 < np.corrcoef(left, right)[0, 1] < 0.9


def test_distance_makes_a_sound_quieter_and_the_air_takes_the_high_frequencies(noise):
    near, far = made(Picture(noise), "mono"), made(Picture(noise), "mono", distance=50.0)
    levels = [20 * np.log10(np.abs(np.fft.rfft(sound[0]))) for sound in (near, far)]
    lost = levels[0] - levels[1]
    hertz = np.fft.rfftfreq(24_000, 1 / RATE)
    low, high = (float(lost[(hertz > at - 400) & (hertz < at + 400)].mean()) for at in (800, 10_000))
    assert abs(low - 20 * np.log10(50)) < 1.0
    assert abs(high - low - 49 * 0.16) < 1.5


def test_the_air_takes_what_iso_9613_1_says():
    # Table 1 of the standard: 20 degrees, 50 % humidity, in dB per kilometre
    table = {125: 0.44, 1000: 4.66, 4000: 29.7, 8000: 105.0}
    for hertz, wanted in table.items():
        assert abs(1_000 * absorption(np.array([float(hertz)]))[0] / wanted - 1.0) < 0.04
    assert np.array_equal(gains_of(np.array([1.0])), np.ones((1, BINS)))
    assert SIZE == 2 * (BINS - 1)


def components(count: int = 3) -> Components:
    share = np.array([0.9, 0.05, 0.01])[:count]
    axes = np.zeros((count, BINS), np.float32)
    axes[0] = BINS**-0.5
    # The others say nothing of the level
    axes[1, :2] = axes[2, 2:4] = 0.5**0.5, -(0.5**0.5)
    return Components(np.zeros(BINS, np.float32), axes, np.ones(count, np.float32), share)


def events() -> Trajectory:
    """Two events of 100 frames, which rise over 10 frames and then fall slowly; the second number counts frames."""
    one = np.interp(np.arange(100), [0, 10, 99], [-20.0, 10.0, -5.0])
    latent = np.stack([np.tile(one, 2), np.arange(200), np.zeros(200)], axis=1).astype(np.float16)
    return Trajectory(latent, np.zeros((200, 32), np.float16), np.array([4, 104], np.int32))


def rising(values: NDArray[np.float32]) -> int:
    """Return how many frames an event takes from -15 to 5."""
    return int((values > 5).argmax() - (values > -15).argmax())


def test_stretch_takes_so_many_times_as_long_and_keeps_attacks():
    plain, track = events(), warped(events(), components(), 3.0, 1.0)
    assert len(track) == 600
    assert track.onsets.tolist() == [4, 304]
    assert rising(track.latent[:300,][:, 0]) <= rising(plain.latent[:100, 0]) + 1
    order = track.latent[:][:, 1]
    assert (np.diff(order[:300]) >= 0).all()
    assert abs(order[599] - 199) < 1
    assert len(warped(plain, components(), 0.5, 1.0)) == 100


def test_attack_makes_events_rise_more_slowly_and_no_later():
    plain, slow, fast = (warped(events(), components(), 1.0, attack) for attack in (1.0001, 4.0, 0.25))
    assert [len(track) for track in (plain, slow, fast)] == [200] * 3
    own = rising(plain.latent[:100][:, 0])
    assert abs(rising(slow.latent[:100][:, 0]) - 4 * own) <= 4
    assert rising(fast.latent[:100][:, 0]) <= own / 2
    assert slow.onsets.tolist() == [4, 104]


def test_a_loop_repeats_the_part_whose_ends_are_alike():
    latent = np.zeros((400, 3), np.float16)
    latent[:, 0] = np.where(np.arange(400) < 300, 5, -20)
    latent[:, 1] = np.abs(np.arange(400) - 200) / 10.0
    track = Trajectory(latent, np.zeros((400, 32), np.float16), np.array([0], np.int32))
    pieces = repeated(track, 3_000, 60 * STEP)
    assert {piece.count for piece in pieces[1:]} == {60}
    assert all(165 <= piece.first <= 175 for piece in pieces[1:])
    total = np.zeros(3_000)
    for piece in pieces:
        at = np.arange(piece.start, min(piece.start + piece.count, 3_000))
        total[at] += piece.weight(piece.start, piece.count)[: len(at)]
    assert np.abs(total[1:] - 1.0).max() < 1e-4


def test_drift_is_slow_the_same_each_time_and_of_deviation_1_along_what_differs():
    drift = Drift(components(), 7)
    whole = drift.between(0, 60_000)
    assert np.array_equal(whole[1_000:1_300], drift.between(1_000, 1_300))
    assert np.abs(whole[:, :2].std(axis=0) - 1.0).max() < 0.15
    assert not whole[:, 2].any()
    assert np.abs(np.diff(whole, axis=0)).max() < 0.08
    assert not np.array_equal(whole, Drift(components(), 8).between(0, 60_000))


def test_density_can_grow_over_a_sound():
    pieces = scattered([events()], 37_500, (1.0, 9.0), np.random.default_rng(0))
    starts = np.array([piece.start for piece in pieces])
    counts = np.histogram(starts, 4, (0, 37_500))[0]
    assert (np.diff(counts) > 0).all()
    assert abs(len(pieces) / 200 - 5.0) < 0.6
