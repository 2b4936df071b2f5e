"""Sliders mean what they say: no name by chance, and each moves its feature in sounds that were not trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.sounds import RATE, write

from tonesmith.explorer.atlas import Atlas, Trajectory
from tonesmith.explorer.fitting import fit
from tonesmith.explorer.frames import levels_of, spectrum
from tonesmith.explorer.heard import UNITS, feature_of, heard_of
from tonesmith.explorer.principal import Components, components_of, sums_of
from tonesmith.explorer.sliders import DRAWS, Moved, Slider, moved, named
from tonesmith.explorer.sounds import read_sound

FOLDS = 5
pytestmark = pytest.mark.long


def drawn(number: int) -> NDArray[Any]:
    """Return a sound of a family: partials and noise, whose slope, pitch, level and decay are random."""
    random = np.random.default_rng(number)
    time = np.arange(round(0.4 * RATE)) / RATE
    hertz, slope, decay = 110.0 * 2 ** random.uniform(0, 2), random.uniform(0.5, 2.5), random.uniform(1, 9)
    made = sum(
        np.sin(2 * np.pi * hertz * n * time + random.uniform(0, 6)) * n**-slope
        for n in range(1, int(min(24, 20_000 / hertz)))
    )
    hiss = np.fft.irfft(np.fft.rfft(random.standard_normal(len(time)))[: len(time) // 2 + 1], len(time))
    made = (made + random.uniform(0.01, 1.0) * hiss) * np.exp(-decay * time)
    return random.uniform(0.1, 0.8) * made / np.abs(made).max()


def frames_of(numbers: range) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return frames of sounds in dB, and which sound each is of."""
    found = [np.abs(spectrum(drawn(number))) for number in numbers]
    levels = [levels_of(magnitude[heard_of(magnitude)]) for magnitude in found]
    return np.concatenate(levels), np.repeat(np.array(numbers), [len(level) for level in levels])


@pytest.fixture(scope="module")
def draws() -> tuple[Moved, Components, NDArray[np.float32]]:
    levels, sound = frames_of(range(30))
    components = components_of(sums_of(levels)).first(8)
    chosen = np.linspace(0, len(levels) - 1, DRAWS).astype(int)
    return moved(levels[chosen], sound[chosen] % FOLDS, components), components, components.encode(levels)


def test_features_that_sounds_differ_in_become_sliders_at_right_angles(draws):
    sliders, confidences = named(*draws)
    names = [slider.name for slider in sliders]
    assert {"level", "brightness"} <= set(names)
    assert names == [name for name in UNITS if name in names]
    assert all(confidences[slider.name] == slider.confidence >= 0.5 for slider in sliders)
    directions = np.stack([slider.direction for slider in sliders])
    assert np.abs(directions @ directions.T - np.eye(len(sliders))).max() < 1e-4


def shuffled(given: Moved, random: np.random.Generator) -> Moved:
    order = random.permutation(len(given.fold))
    return replace(given, after={name: value[order] for name, value in given.after.items()})


def test_shuffled_features_name_no_slider(draws):
    given, components, latent = draws
    assert named(shuffled(given, np.random.default_rng(0)), components, latent)[0] == []


def test_shuffled_features_name_no_slider_in_95_of_100_runs(draws):
    given, components, latent = draws
    random = np.random.default_rng(1)
    runs = [named(shuffled(given, random), components, latent, run)[0] for run in range(100)]
    assert sum(not sliders for sliders in runs) >= 95


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> tuple[Atlas, Path]:
    folder = tmp_path_factory.mktemp("family")
    for number in range(50):
        write(folder / f"{number:02}.wav", drawn(number))
    return fit(sorted(folder.glob("*.wav"))[:30]), folder


def test_a_named_slider_moves_its_feature_in_18_of_20_sounds_that_were_not_trained_on_and_others_less(atlas):
    model, folder = atlas
    named_ones = [slider for slider in model.sliders if slider.kind == "named"]
    latent = np.concatenate([track.latent for track in model.trajectories]).astype(np.float32)
    assert {"level", "brightness"} <= {slider.name for slider in named_ones}
    spread = {name: np.nanstd(feature_of(name, model.decode(latent[::20]))) for name in UNITS}
    for slider in named_ones:
        low, high = np.percentile(latent @ slider.direction, [10, 90])
        moves = [
            moved_by(slider, model, model.encode(read_sound(folder / f"{number:02}.wav")), low, high)
            for number in range(30, 50)
        ]
        assert sum((np.diff(values[slider.name]) > 0).all() for values in moves) >= 18, slider.name
        changes = {name: np.mean([abs(v[name][-1] - v[name][0]) for v in moves]) / spread[name] for name in UNITS}
        assert max(changes, key=lambda name: changes[name]) == slider.name, changes


def moved_by(slider: Slider, model: Atlas, track: Trajectory, low: float, high: float) -> dict[str, list[float]]:
    """Return each feature of a sound as a slider moves it from one place of its range to another, in five steps."""
    own = track.latent.astype(np.float32)
    here = float((own @ slider.direction).mean())
    magnitudes = [model.decode(own, (to - here) * slider.direction) for to in np.linspace(low, high, 5)]
    return {name: [mean_feature(name, magnitude) for magnitude in magnitudes] for name in UNITS}


def mean_feature(name: str, magnitude: NDArray[np.float32]) -> float:
    """Return a feature of a sound: the mean over frames, weighted with their power; of the level, that of the power."""
    values, power = feature_of(name, magnitude), np.square(magnitude).sum(axis=1)
    used = np.isfinite(values)
    return (
        float(values[used] @ power[used] / power[used].sum()) if name != "level" else float(10 * np.log10(power.mean()))
    )


def test_the_same_sounds_give_the_same_model(atlas):
    model, folder = atlas
    again = fit(sorted(folder.glob("*.wav"))[:30])
    assert np.array_equal(model.exemplars.residual, again.exemplars.residual)
    assert all(
        np.array_equal(one.latent, other.latent)
        for one, other in zip(model.trajectories, again.trajectories, strict=True)
    )
    assert [slider.confidence for slider in model.sliders] == [slider.confidence for slider in again.sliders]
