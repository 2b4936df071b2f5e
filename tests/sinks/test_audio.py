"""The sound of a row as a file: what comes back, and what is refused."""

from __future__ import annotations

import io
import itertools
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from tonesmith.dataset.wav import wav_of
from tonesmith.sinks.rows.audio import FORMS, AudioForm, decode_audio, encode_audio, is_lossy, stored_audio

soundfile = pytest.importorskip("soundfile")

Audio = NDArray[np.float32]

_SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 40))
_ANY = st.floats(width=32)
_FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
_USUAL = st.floats(-4.0, 4.0, width=32)


def audio_of(elements: st.SearchStrategy[float]) -> st.SearchStrategy[Audio]:
    return npst.arrays(np.float32, _SHAPES, elements=elements)


def bits(audio: Audio) -> bytes:
    return audio.tobytes()


@given(audio=audio_of(_ANY), form=st.sampled_from(FORMS))
def test_what_comes_back_is_what_stored_audio_told(audio: Audio, form: AudioForm) -> None:
    content, scale = encode_audio(audio, form, 8000)
    back = decode_audio(content, form, scale, audio.shape)
    assert back.dtype == np.float32
    assert back.flags.writeable
    np.testing.assert_array_equal(back, stored_audio(audio, form), strict=True)
    assert encode_audio(audio, form, 8000) == (content, scale)
    if not is_lossy(form):
        assert bits(back) == bits(audio)


@given(audio=audio_of(_ANY))
def test_flac_again_is_the_same_flac(audio: Audio) -> None:
    once = stored_audio(audio, "flac")
    np.testing.assert_array_equal(stored_audio(once, "flac"), once)
    assert encode_audio(once, "flac", 8000) == encode_audio(audio, "flac", 8000)


@given(audio=audio_of(_FINITE | _USUAL))
def test_flac_errs_by_no_more_than_it_says(audio: Audio) -> None:
    _, scale = encode_audio(audio, "flac", 8000)
    peak = float(np.abs(audio).max())
    assert scale >= 1.0
    assert np.log2(scale) % 1 == 0
    assert scale == 1.0 or peak > 0.49 * scale, "a smaller scale would do"
    error = np.abs(stored_audio(audio, "flac").astype(np.float64) - audio)
    if scale < 2.0**127:  # beyond, it ends at the largest number of that scale
        assert error.max() <= 6e-8 * scale


@pytest.mark.parametrize(
    ("peak", "scale"),
    [(0.0, 1), (1e-30, 1), (0.999, 1), (1 - 2**-23, 1), (1 - 2**-24, 2), (1.0, 2), (1.66, 2), (2.0, 4), (3e38, 2**127)],
)
def test_the_scale_is_the_least_power_of_two_that_lets_the_peak_fit(peak: float, scale: float) -> None:
    for sign in (1, -1):
        audio = np.array([[0.25, sign * peak]], np.float32)
        assert encode_audio(audio, "flac", 8000)[1] == scale


@pytest.mark.parametrize(("loudest", "scale"), [(0.0, 1), (0.5, 1), (1.5, 2), (3e38, 2**127)])
def test_what_is_no_number_becomes_zero_and_infinity_the_largest_of_its_row(loudest: float, scale: float) -> None:
    audio = np.array([[np.nan, np.inf, -np.inf, loudest]], np.float32)
    top = (1 - 2.0**-23) * scale
    stored = np.array([[0, top, -top, min(loudest, top)]], np.float32)
    np.testing.assert_array_equal(stored_audio(audio, "flac"), stored)
    np.testing.assert_array_equal(stored_audio(audio[:, :1], "flac"), [[0.0]])


def test_a_loud_row_does_not_coarsen_the_others_of_its_stack() -> None:
    audio = np.array([[[1e-7, 0.5]], [[1e-7, 90.0]]], np.float32)
    stored = stored_audio(audio, "flac")
    np.testing.assert_array_equal(stored[0], stored_audio(audio[0], "flac"))
    assert stored[0, 0, 0] > 0
    assert stored[1, 0, 0] == 0
    assert stored_audio(audio[:0], "flac").shape == (0, 1, 2)


@pytest.mark.parametrize("form", FORMS)
def test_other_programs_read_the_files(form: AudioForm) -> None:
    audio = np.random.default_rng(1).normal(0, 0.5, (2, 700)).astype(np.float32)
    content, scale = encode_audio(audio, form, 44_100)
    if form == "npy":
        np.testing.assert_array_equal(np.load(io.BytesIO(content)), audio)
        return
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    assert (rate, samples.shape) == (44_100, (700, 2))
    np.testing.assert_array_equal(samples.T * np.float32(scale), stored_audio(audio, form))


def hostile_files() -> dict[str, tuple[AudioForm, bytes]]:
    audio = np.random.default_rng(1).normal(0, 0.1, (2, 300)).astype(np.float32)
    flac, wav, npy = (encode_audio(audio, form, 8000)[0] for form in FORMS)
    many = bytearray(flac)
    many[21:26] = struct.pack(">B", many[21] | 0x0F) + b"\xff" * 4  # 2^36 - 1 frames
    sixteen, objects = io.BytesIO(), io.BytesIO()
    soundfile.write(sixteen, audio.T, 8000, format="FLAC", subtype="PCM_16")
    np.save(objects, np.array([{"a": 1}], object), allow_pickle=True)
    return {
        "FLAC of 2^36 frames": ("flac", bytes(many)),
        "FLAC of 16 bits": ("flac", sixteen.getvalue()),
        "FLAC cut short": ("flac", flac[: len(flac) // 2]),
        "half a FLAC header": ("flac", flac[:20]),
        "WAV for FLAC": ("flac", wav),
        "no FLAC": ("flac", b"{}"),
        "nothing for FLAC": ("flac", b""),
        "WAV of 2^31 bytes": ("wav", wav.replace(b"data" + wav[54:58], b"data\xff\xff\xff\x7f")),
        "WAV cut short": ("wav", wav[:300]),
        "WAV of other frames": ("wav", wav_of(audio[:, :299], 8000)),
        "WAV of no channel": ("wav", wav[:22] + b"\0\0" + wav[24:]),
        "WAV of whole numbers": ("wav", wav[:20] + b"\1" + wav[21:]),
        "no WAV": ("wav", b"RIFF"),
        "objects": ("npy", objects.getvalue()),
        "an array of 2^40": ("npy", npy.replace(b"(2, 300)", b"(2, 1099511627776)"[:8])),
        "float64": ("npy", npy.replace(b"<f4", b"<f8")),
        "by column": ("npy", npy.replace(b"False", b"True ")),
        "array cut short": ("npy", npy[:-1]),
        "other shape": ("npy", npy.replace(b"(2, 300)", b"(300, 2)")),
        "no array": ("npy", b"\x93NUMPY"),
    }


@pytest.mark.parametrize("name", hostile_files())
def test_a_hostile_file_is_an_error_and_takes_no_memory(name: str) -> None:
    form, content = hostile_files()[name]
    with pytest.raises(Exception, match=r".") as caught:
        decode_audio(content, form, 1.0, (2, 300))
    assert isinstance(caught.value, (ValueError, RuntimeError, EOFError, struct.error)), repr(caught.value)


@pytest.mark.parametrize("form", FORMS)
def test_damage_anywhere_is_an_error_or_other_audio_of_that_shape(form: AudioForm) -> None:
    audio = np.random.default_rng(1).normal(0, 0.1, (2, 60)).astype(np.float32)
    content, scale = encode_audio(audio, form, 8000)
    outcomes: set[Any] = set()
    for place, bit in itertools.product(range(0, len(content), 3), (0, 5)):
        harmed = bytearray(content)
        harmed[place] ^= 1 << bit
        try:
            outcomes.add(decode_audio(bytes(harmed), form, scale, (2, 60)).shape)
        except (ValueError, RuntimeError, EOFError, struct.error) as error:
            outcomes.add(type(error).__name__)
    assert (2, 60) in outcomes
    assert len(outcomes) > 1
