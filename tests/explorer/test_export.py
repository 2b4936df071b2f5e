"""Files of every format: their quality, peak and tags, other rates and depths, and the same file again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from support.sounds import true_peak

from tonesmith.errors import ConfigError
from tonesmith.explorer.export.formats import FORMATS, bits_of, check_size
from tonesmith.explorer.export.rates import at_rate
from tonesmith.explorer.export.tags import recipe_text
from tonesmith.explorer.output import write_sound
from tonesmith.explorer.recipe import ModelRef, Recipe, Source, Time, recipe_from, recipe_of

RATE = 48_000
MODEL = ModelRef(name="régen.model", sha256="0" * 64)


def loud(seconds: float = 1.0) -> NDArray[np.float32]:
    """Return noise that is far louder than a file can hold: float32 (2, samples)."""
    sound = np.random.default_rng(0).standard_normal((2, round(seconds * RATE)))
    return np.asarray(3.0 * sound, np.float32)


def written(path: Path, sound: NDArray[np.float32], **values: Any) -> Recipe:
    base = {
        "model": MODEL,
        "title": "Régen ∞",
        "seconds": sound.shape[1] / RATE,
        "seed": 5,
        "sliders": {"level": (-1.0, 2.0)},
    }
    rate, bits = values.pop("rate", RATE), values.pop("bits", None)
    recipe = recipe_of(**(base | values), rate=rate, bits=bits_of(path, rate, bits))
    blocks = (sound[:, at : at + 7_000] for at in range(0, sound.shape[1], 7_000))
    write_sound(blocks, 2, path, recipe, lambda _: None)
    return recipe


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_has_tags_the_recipe_and_no_peak_above_minus_1_dbtp_and_is_the_same_again(tmp_path, suffix):
    import mutagen

    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    sources = tuple(Source(name=f"{number}" * 200, sha256="0" * 64) for number in range(9))
    recipe = written(one, loud(), sources=sources, time=Time(stretch=2.0))
    assert len(recipe.text()) > 3_000
    assert recipe_from(recipe_text(one), "x") == recipe
    written(other, loud(), sources=sources, time=Time(stretch=2.0))
    assert one.read_bytes() == other.read_bytes()
    made, rate = soundfile.read(one)
    assert (made.shape, rate) == ((48_000, 2), 48_000)
    assert (-4.0 if FORMATS[suffix].lossy else -1.1) < true_peak(made) <= -1.0
    shown = str(dict(mutagen.File(one).tags))
    for part in ("Régen ∞", "régen.model", "'5'", "level=-1..+2 stretch=+2"):
        assert part in shown


@pytest.mark.long
@pytest.mark.parametrize(("suffix", "least"), [(".mp3", 310_000), (".ogg", 350_000), (".opus", 400_000)])
def test_lossy_formats_are_as_good_as_they_can_be(tmp_path, suffix, least):
    path = tmp_path / f"x{suffix}"
    written(path, loud(2.0))
    assert path.stat().st_size * 8 / 2.0 > least
    plain = tmp_path / f"plain{suffix}"
    format_ = FORMATS[suffix]
    soundfile.write(plain, 0.1 * loud(2.0).T, RATE, subtype=format_.subtypes[None], format=format_.kind)
    assert path.stat().st_size > 1.8 * plain.stat().st_size


@pytest.mark.long
@pytest.mark.parametrize(("rate", "bits", "subtype"), [(44_100, 16, "PCM_16"), (96_000, 32, "FLOAT")])
def test_a_file_has_the_rate_and_the_bits_that_were_asked_for(tmp_path, rate, bits, subtype):
    sine = 0.3 * np.sin(2 * np.pi * 1_000.0 * np.arange(RATE) / RATE)
    written(tmp_path / "x.wav", np.stack([sine, sine]).astype(np.float32), rate=rate, bits=bits)
    info = soundfile.info(tmp_path / "x.wav")
    assert (info.samplerate, info.subtype, info.frames) == (rate, subtype, rate)
    made, _ = soundfile.read(tmp_path / "x.wav")
    wanted = 0.3 * np.sin(2 * np.pi * 1_000.0 * np.arange(rate) / rate)
    assert np.abs(made[2_000:-2_000, 0] - wanted[2_000:-2_000]).max() < 2e-4


def test_what_a_lower_rate_cannot_hold_does_not_fold_back():
    sine = np.sin(2 * np.pi * 23_000.0 * np.arange(RATE) / RATE).astype(np.float32)[None]
    blocks = (sine[:, at : at + 5_000] for at in range(0, RATE, 5_000))
    made = np.concatenate(list(at_rate(blocks, 1, 44_100, 44_100)), axis=1)[0]
    assert len(made) == 44_100
    assert 20 * np.log10(np.abs(made[1_000:-1_000]).max()) < -90


@pytest.mark.parametrize(
    ("name", "rate", "bits", "said"),
    [
        ("x.opus", 44_100, None, "--rate: .opus has 8000, 12000, 16000, 24000 or 48000, not 44100."),
        ("x.mp3", 96_000, None, "--rate: .mp3 has 8000,"),
        ("x.mp3", 48_000, 16, "--bits: .mp3 has no number of bits. Choose .wav or .flac."),
        ("x.flac", 48_000, 32, "--bits: .flac has 16 or 24, not 32."),
        ("x.aac", 48_000, None, "--out: x.aac must end in .wav, .flac, .mp3, .ogg or .opus."),
    ],
)
def test_what_a_format_cannot_hold_is_told(name, rate, bits, said):
    with pytest.raises(ConfigError, match=said):
        bits_of(Path(name), rate, bits)


def test_a_wav_file_of_more_than_4_gib_is_refused():
    check_size(Path("x.wav"), 3_600.0, 96_000, 2, 24)
    check_size(Path("x.flac"), 86_400.0, 48_000, 2, 24)
    with pytest.raises(ConfigError, match="at most 4 GiB"):
        check_size(Path("x.wav"), 86_400.0, 48_000, 2, 24)


OLD = {
    "model": {"name": "m", "sha256": "0" * 64},
    "title": "x",
    "seconds": 0.5,
    "seed": 3,
    "sliders": {"level": 1.0},
    "sources": [],
    "density": 4.0,
    "exemplars": 4,
    "griffin_lim": 0,
    "version": 1,
}


def test_a_recipe_of_the_first_version_is_read_and_written_as_it_was(tmp_path):
    text = json.dumps(OLD, separators=(",", ":"))
    recipe = recipe_from(text, "x")
    assert recipe.text() == text
    assert (recipe.rate, recipe.bits, recipe.channels, recipe.time) == (48_000, 24, None, Time())
    write_sound(iter([loud(0.5)]), 2, tmp_path / "x.wav", recipe, lambda _: None)
    assert recipe_text(tmp_path / "x.wav") == text
    assert soundfile.SoundFile(tmp_path / "x.wav").comment == text


@pytest.mark.parametrize(
    "changed",
    [
        {"time": {"stretch": 1e9}},
        {"place": {"distance": 0.0}},
        {"channels": "mono", "place": {"azimuth": 9.0}},
        {"sliders": {"level": [1.0, 2.0, 3.0]}},
        {"rate": 10**9},
        {"head": {"name": "x", "sha256": "no"}},
    ],
)
def test_a_recipe_of_a_stranger_is_refused_if_it_is_out_of_range(changed):
    with pytest.raises(ConfigError, match=r"x has (no recipe|a recipe whose sliders are out)"):
        recipe_from(json.dumps(OLD | {"version": 2} | changed), "x")


@pytest.mark.parametrize("harm", ["long", "many", "torn"])
def test_hostile_tags_of_a_wav_file_are_bounded(tmp_path, harm):
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros(100), RATE)
    body = {
        "long": b"id3 " + (2**31).to_bytes(4, "little"),
        "many": b"junk\0\0\0\0" * 5_000,
        "torn": b"id3 \x20\0\0\0ID3\x04",
    }
    path.write_bytes(path.read_bytes() + body[harm])
    assert recipe_text(path) == ""
