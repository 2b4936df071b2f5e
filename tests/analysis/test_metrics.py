"""The metrics of predicted sounds: known values, what each is blind to, and silence."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tonesmith.analysis.metrics import (
    METRICS,
    Sound,
    f0,
    loudness,
    lsd,
    metrics_of,
    mss,
    mss_level,
    rms,
    sc,
    sot,
    sound_of,
    voicing,
)
from tonesmith.analysis.metrics.sounds import WORST_F0
from tonesmith.analysis.metrics.warping import warped_distance
from tonesmith.errors import ConfigError

RATE = 44100
TIME = np.arange(2 * RATE) / RATE


def tone(hertz: float, amplitude: float = 0.5, decay: float = 2.0) -> NDArray[np.float32]:
    wave = amplitude * np.sin(2 * np.pi * hertz * TIME) * np.exp(-decay * TIME)
    return np.stack([wave, 0.5 * wave]).astype(np.float32)


def heard(audio: NDArray[np.float32]) -> Sound:
    return sound_of(audio, RATE)


@pytest.fixture(scope="module")
def target() -> Sound:
    return heard(tone(220.0))


@pytest.fixture(scope="module")
def silence() -> Sound:
    return heard(np.zeros((2, 2 * RATE), np.float32))


REFERENCE = {
    330.0: {"mss": 2.338204, "sot": 0.00502135, "rms": 0.9800516, "wmfcc": 12.760642},
    1760.0: {"mss": 7.120398, "sot": 0.06997860, "rms": 0.9800569, "wmfcc": 18.034974},
}
"""Hz -> what librosa 0.11 and dtw-python 1.9 make of a tone beside the target, by the published script."""


@pytest.mark.parametrize("hertz", REFERENCE)
def test_published_metrics_have_the_values_of_their_script(target: Sound, hertz: float) -> None:
    found = metrics_of(target, heard(tone(hertz, 0.3, 3.0)))
    assert {name: found[name] for name in REFERENCE[hertz]} == pytest.approx(REFERENCE[hertz], rel=2e-4)


def test_equal_sounds_have_the_best_value_of_each(target: Sound, silence: Sound) -> None:
    for sound in (target, silence):
        again = heard(sound.audio.copy())
        assert metrics_of(sound, again) == pytest.approx({m.name: m.best for m in METRICS}, abs=1e-9)


def test_a_quieter_copy_is_told_by_the_metrics_that_are_said_to_hear_level_alone(target: Sound) -> None:
    found = metrics_of(target, heard(tone(220.0, 0.05)))
    blind = {m.name: found[m.name] for m in METRICS if not m.level}
    assert blind == pytest.approx({"mss": 0.0, "sot": 0.0, "rms": 1.0, "f0": 0.0, "voicing": 0.0}, abs=1e-3)
    assert (found["mss_level"], found["loudness"]) == pytest.approx((20.0, 20.0), abs=1e-2)
    assert found["sc"] == pytest.approx(0.9, abs=1e-5)
    assert 1.0 < found["lsd"] <= 20.0
    frames = 201  # all in the first of 20 coefficients, and the step into the path counts once
    assert found["wmfcc"] == pytest.approx(np.sqrt(128) * (2 * frames - 1) / (2 * frames), rel=1e-4)


def test_silence_is_the_worst_for_what_is_blind_to_level_and_never_nan(target: Sound, silence: Sound) -> None:
    others = [heard(tone(hertz, 0.5, decay)) for hertz in (30.0, 330.0, 9000.0) for decay in (0.0, 20.0)]
    for a, b in ((target, silence), (silence, target)):
        assert np.isfinite(list(metrics_of(a, b).values())).all()
    worst = metrics_of(target, silence)
    assert (worst["rms"], worst["sc"], worst["f0"]) == (0.0, 1.0, WORST_F0)
    assert worst["voicing"] > 0.98  # the last frame hangs over the end
    assert sc(silence, target) == 1.0
    assert mss(target, silence) > max(mss(target, other) for other in others)
    assert sot(target, silence) > max(sot(target, other) for other in others)


def test_a_tone_moved_in_frequency_costs_its_way_in_optimal_transport(target: Sound) -> None:
    steady = [heard(tone(hertz, 0.5, 0.0)) for hertz in (2000.0, 2000.0 + 0.1 * RATE / 2)]
    assert sot(*steady) == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize("cents", [50.0, -50.0, 1200.0])
def test_a_tone_that_is_sharp_or_flat_costs_as_many_cents(target: Sound, cents: float) -> None:
    other = heard(tone(220.0 * 2.0 ** (cents / 1200.0), 0.1, 4.0))
    assert (f0(target, other), f0(other, target)) == pytest.approx((abs(cents), abs(cents)), abs=0.5)
    assert voicing(target, other) == 0.0


def test_pitch_is_compared_where_both_have_one_and_the_rest_is_told_as_voicing(target: Sound) -> None:
    half = target.audio.copy()
    half[:, RATE:] = 0.0
    assert f0(target, heard(half)) == pytest.approx(0.0, abs=1e-3)
    assert voicing(target, heard(half)) == pytest.approx(0.5, abs=0.02)
    late = target.audio.copy()
    late[:, : RATE + RATE // 10] = 0.0
    assert f0(heard(half), heard(late)) == WORST_F0
    assert voicing(heard(half), heard(late)) > 0.9


def test_sounds_without_a_pitch_agree_and_beside_one_that_has_a_pitch_they_are_the_worst(
    target: Sound, silence: Sound
) -> None:
    noise = heard(np.random.default_rng(0).normal(size=(1, 2 * RATE)).repeat(2, axis=0) * 0.1)
    assert (f0(noise, silence), voicing(noise, silence)) == (0.0, 0.0)
    assert (f0(target, noise), f0(noise, target)) == (WORST_F0, WORST_F0)
    assert voicing(target, noise) > 0.98


def test_spectral_convergence_and_log_spectral_distance_of_a_gain(target: Sound) -> None:
    noise = np.random.default_rng(0).standard_normal((1, RATE)).astype(np.float32) * np.float32(0.1)
    a, b = heard(noise), heard(noise * np.float32(2.0))
    assert sc(a, b) == pytest.approx(1.0, abs=1e-4)
    assert lsd(a, b) == pytest.approx(20.0 * np.log10(2.0), abs=1e-3)
    assert (sc(b, a), lsd(b, a)) == pytest.approx((0.5, lsd(a, b)), abs=1e-4)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_loudness_is_that_of_the_standard(rate: int) -> None:
    from loudness import integrated_loudness

    time = np.arange(5 * rate) / rate
    for hertz, told in ((997.0, -3.01), (60.0, None), (8000.0, None)):
        wave = np.sin(2 * np.pi * hertz * time).astype(np.float32)
        level = sound_of(wave[None], rate).level
        assert level == pytest.approx(integrated_loudness(wave[:, None], rate), abs=0.1)
        assert told is None or level == pytest.approx(told, abs=0.02)


def test_envelopes_are_compared_in_shape(target: Sound) -> None:
    swelling = tone(220.0, 0.5, 0.0) * (TIME / TIME[-1]).astype(np.float32)
    assert rms(target, heard(tone(500.0))) == pytest.approx(1.0, abs=2e-3)
    assert rms(target, heard(swelling)) < 0.5


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_equal_envelopes_are_equal_wherever_they_lie_in_memory(kind):
    """Sums are rounded in another order there."""
    random_ = np.random.default_rng(3)
    for length in range(20, 120):
        values = random_.uniform(size=length).astype(kind)
        for place in range(8):
            moved = np.zeros(length + 8, kind)[place : place + length]
            moved[:] = values
            assert rms(SimpleNamespace(envelope=values), SimpleNamespace(envelope=moved)) == 1.0


def test_warping_forgives_a_shift_and_no_other_difference() -> None:
    bump = np.exp(-np.square(np.arange(100.0) - 30) / 20)[:, None].astype(np.float32)
    shifted = np.roll(bump, 40, axis=0)
    assert warped_distance(bump, shifted) < 0.05 * np.abs(bump - shifted).mean()
    assert warped_distance(bump, bump + 1) > 0.2


@settings(max_examples=20)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 99))
def test_warping_finds_the_cheapest_path(rows: int, columns: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(rows, 3)).astype(np.float32), random.normal(size=(columns, 3)).astype(np.float32)
    cost = np.abs(a[:, None].astype(np.float64) - b[None]).mean(axis=2)
    best = np.full((rows + 1, columns + 1), np.inf)
    best[1, 1] = cost[0, 0]
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            if (i, j) != (1, 1):
                step = cost[i - 1, j - 1]
                best[i, j] = step + min(best[i - 1, j], best[i, j - 1], best[i - 1, j - 1] + step)
    assert warped_distance(a, b) == pytest.approx(best[rows, columns] / (rows + columns), rel=1e-9)


@settings(max_examples=15)
@given(st.integers(1, 3000), st.integers(1, 3), st.sampled_from([8000, 22050, 192000]), st.integers(0, 9))
def test_every_metric_is_finite_for_sounds_of_any_length(frames: int, channels: int, rate: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = (sound_of(random.normal(size=(channels, frames)) * 10.0 ** random.integers(-9, 3), rate) for _ in range(2))
    assert np.isfinite(list(metrics_of(a, b).values())).all()


def test_what_is_no_sound_or_another_form_is_refused(target: Sound) -> None:
    for wrong in (np.zeros(10), np.zeros((2, 0)), np.full((1, 4), np.nan)):
        with pytest.raises(ConfigError, match=r"a sound is an array|NaN or infinite"):
            heard(wrong)
    with pytest.raises(ConfigError, match="cannot be compared"):
        metrics_of(target, heard(tone(220.0)[:1]))


@pytest.mark.long
def test_published_metrics_agree_with_librosa_and_dtw_python_where_they_are_installed(target: Sound) -> None:
    librosa, dtw = pytest.importorskip("librosa"), pytest.importorskip("dtw")

    def cepstra(sound: Sound) -> NDArray[np.float32]:
        found = librosa.feature.mfcc(y=sound.audio, sr=RATE, n_mfcc=20, n_fft=2205, hop_length=441, n_mels=128)
        return found.reshape(-1, found.shape[-1]).T

    def levels(sound: Sound) -> list[NDArray[np.float32]]:
        forms = ((441, 220, 32), (1102, 441, 64), (4410, 2205, 128))
        spectra = [
            librosa.feature.melspectrogram(y=sound.audio, sr=RATE, n_fft=window, hop_length=hop, n_mels=bands)
            for window, hop, bands in forms
        ]
        return [librosa.power_to_db(spectrum, ref=np.max) for spectrum in spectra]

    other = heard(tone(1760.0, 0.3, 3.0))
    scales = zip(levels(target), levels(other), strict=True)
    assert mss(target, other) == pytest.approx(np.mean([np.abs(a - b).mean() for a, b in scales]), rel=1e-4)
    aligned = dtw.dtw(
        cepstra(target), cepstra(other), dist_method=lambda a, b: np.abs(a - b).mean(), distance_only=True
    )
    assert metrics_of(target, other)["wmfcc"] == pytest.approx(aligned.normalizedDistance, rel=1e-4)


def test_each_metric_is_documented_where_users_look() -> None:
    from support.documents import code_of

    code = code_of("docs/training.md")
    assert [m.name for m in METRICS if m.name not in code] == []
    assert {mss_level.__name__, loudness.__name__} <= {m.name for m in METRICS}
