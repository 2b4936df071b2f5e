"""Files of DX7 voices as they are on the net, made from bytes: what is played is read, and what was odd is said."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support import ROOT

from tonesmith import EngineError, Note, Patch

if TYPE_CHECKING:
    from tonesmith_dx7.voice import Voice

dexed = pytest.importorskip("dexed", reason="the example needs dexed-py: pip install dexed-py")

BANK, ONE = bytes.fromhex("F0 43 00 09 20 00"), bytes.fromhex("F0 43 00 00 01 1B")
TX802 = bytes.fromhex("F0 43 00 7E 01 0A") + b"LM  8952PM" + bytes(20) + b"\x11\xf7"
IDENTITY = bytes.fromhex("F0 7E 7F 06 01 F7")
FUNCTION = bytes.fromhex("F0 43 10 08 40 01 F7")


@pytest.fixture(autouse=True, scope="module")
def _source() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "examples" / "tonesmith-dx7" / "src"))
        yield


def packed(name: str, **at: int) -> bytes:
    """Return a sine of 128 bytes, with some bytes changed: ``b14=127``."""
    operator = bytes([99, 80, 70, 60, 99, 95, 90, 0, 39, 0, 0, 0, 56, 8, 0, 2, 0])
    carrier = operator[:14] + bytes([99]) + operator[15:]
    rest = bytes([99] * 4 + [50] * 4 + [4, 8, 35, 0, 0, 0, 49, 24])
    voice = bytearray(operator * 5 + carrier + rest + name.encode("latin-1").ljust(10))
    for key, value in at.items():
        voice[int(key[1:])] = value
    return bytes(voice)


def single(name: str, **at: int) -> bytes:
    """Return a sine of 155 bytes, with some bytes changed."""
    voice = bytearray(dexed.Patch.from_packed(packed(name)).to_sysex()[:155])
    for key, value in at.items():
        voice[int(key[1:])] = value
    return bytes(voice)


def message(data: bytes, head: bytes = BANK) -> bytes:
    return head + data + bytes([-sum(data) & 127, 0xF7])


VOICES = [packed(f"TONE {number:02}", b14=number) for number in range(32)]
DATA = b"".join(VOICES)
WHOLE = message(DATA)
NAMES = [f"TONE {number:02}" for number in range(32)]


def read(content: bytes) -> list[Voice]:
    from tonesmith_dx7.bank import read_voices

    return read_voices(content)


def with_voice(number: int, voice: bytes) -> bytes:
    return message(b"".join([*VOICES[:number], voice, *VOICES[number + 1 :]]))


@pytest.mark.parametrize(
    ("content", "names", "remark"),
    [
        (WHOLE, NAMES, ""),
        (WHOLE[:2] + b"\x0f" + WHOLE[3:], NAMES, ""),
        (WHOLE + message(DATA[128:] + packed("MORE")), [*NAMES, *NAMES[1:], "MORE"], ""),
        (DATA, NAMES, "1 run of voices has no header, at byte 0"),
        (bytes(6) + DATA + bytes(2), NAMES, "1 run of voices has no header, at byte 6"),
        (WHOLE[1:], NAMES, "1 run of voices has no header, at byte 5"),
        (WHOLE[:1] + b"\x41" + WHOLE[2:], NAMES, "1 run of voices has no header, at byte 6"),
        (DATA * 3, NAMES * 3, "1 run of voices has no header, at byte 0"),
        (DATA + bytes(128), NAMES, "128 bytes outside of messages were skipped, the first at byte 4096"),
        (DATA[:3000], NAMES[:23], "56 bytes outside of messages were skipped, the first at byte 2944"),
        (DATA[:2048] + b"\xf0" + DATA[2049:], NAMES, "1 run of voices has no header, at byte 0"),
        (DATA[:3000] + TX802 * 5, NAMES[:23], "5 messages without DX7 voices were skipped, the first at byte 3000"),
        (VOICES[7], ["TONE 07"], "1 run of voices has no header, at byte 0"),
        (TX802 + WHOLE, NAMES, "1 message without DX7 voices was skipped, at byte 0"),
        (IDENTITY + TX802 + WHOLE + FUNCTION, NAMES, "3 messages without DX7 voices were skipped, the first at byte 0"),
        (TX802[:-1] + WHOLE, NAMES, "1 message without DX7 voices was skipped, at byte 0"),
        (WHOLE[:-2] + bytes([WHOLE[-2] ^ 1, 0xF7]), NAMES, "1 checksum is wrong, at byte 0"),
        (WHOLE[:4] + b"\x10\x00" + WHOLE[6:], NAMES, "1 header gives a wrong byte count, at byte 0"),
        (WHOLE + bytes(8), NAMES, "8 bytes outside of messages were skipped, the first at byte 4104"),
        (WHOLE + b"\xf7", NAMES, "1 byte outside of messages was skipped, at byte 4104"),
        (WHOLE[:-1], NAMES, "1 message has no end (F7), at byte 0"),
        (WHOLE[:-2], NAMES, "1 message has no end (F7), at byte 0"),
        (WHOLE[:-1] + WHOLE, NAMES * 2, "1 message has no end (F7), at byte 0"),
        (WHOLE[:3000], NAMES[:23], "1 message is cut short, of which the whole voices are read, at byte 0"),
        (
            WHOLE[:3000] + WHOLE,
            [*NAMES[:23], *NAMES],
            "1 message is cut short, of which the whole voices are read, at byte 0",
        ),
        (
            WHOLE[:3000] + b"\xf7" + WHOLE,
            [*NAMES[:23], *NAMES],
            "1 message is cut short, of which the whole voices are read, at byte 0",
        ),
        (
            WHOLE[:900] + message(single("ONE"), ONE) * 30,
            [*NAMES[:6], *["ONE"] * 30],
            "of which the whole voices are read, at byte 0",
        ),
        (message(single("ONE"), ONE), ["ONE"], ""),
        (single("ONE"), ["ONE"], "1 run of voices has no header, at byte 0"),
        (single("ONE") + b"\x3f", ["ONE"], "1 byte outside of messages was skipped, at byte 155"),
        (message(single("ONE"), ONE[:4] + b"\x01\x20"), ["ONE"], "1 header gives a wrong byte count, at byte 0"),
    ],
)
def test_the_voices_of_a_file_are_read_whatever_lies_around_them(content, names, remark):
    first, *others = read(content)

    assert [voice.name for voice in (first, *others)] == names
    assert any(told.endswith(remark) for told in first.remarks) if remark else first.remarks == ()
    assert sum(bool(voice.remarks) for voice in others) <= 1  # one has a byte of F0


@pytest.mark.parametrize(
    ("byte", "value", "name", "raw", "remark"),
    [
        (14, 127, "op6_level", 99, "op6_level 127 is played as 99"),
        (0, 100, "op6_eg_rate_1", 99, "op6_eg_rate_1 100 is played as 99"),
        (12, 0x7F, "op6_detune", 7, "op6_detune 8 is played as 7"),
        (116, 0b0001110, "lfo_wave", 5, "lfo_wave 7 is played as 5"),
        (117, 60, "transpose", 24, "transpose 36 is played as 24"),
        (102, 127, "pitch_eg_rate_1", 49, "pitch_eg_rate_1 127 is played as 49"),
        (110, 4 | 96, "algorithm", 5, "bits that hold nothing are set, and are ignored"),
        (111, 8 | 16, "feedback", 0, "bits that hold nothing are set, and are ignored"),
        (11, 0x70, "op6_left_curve", 0, "bits that hold nothing are set, and are ignored"),
        (120, ord("N") | 128, "feedback", 0, "bits that hold nothing are set, and are ignored"),
    ],
)
def test_one_odd_byte_is_played_as_dexed_plays_it_and_costs_no_other_voice(byte, value, name, raw, remark):
    found = read(with_voice(4, packed("TONE 04", **{f"b{byte}": value})))

    assert [voice.name for voice in found] == NAMES
    assert found[4].values[name] == raw
    assert {number: voice.remarks for number, voice in enumerate(found) if voice.remarks} == {4: (remark,)}


def test_what_a_single_voice_has_beyond_its_range_is_said_too():
    (voice,) = read(message(single("ONE", b16=120, b11=6, b134=33, b144=127, b20=15), ONE))

    assert (voice.values["op6_level"], voice.values["op6_left_curve"], voice.values["algorithm"]) == (99, 2, 2)
    told = "op6_left_curve 6 is played as 2, op6_level 120 is played as 99, op6_detune 8 is played as 7"
    assert voice.remarks == (f"{told}, and 2 more values differ",)


def test_a_corrected_voice_is_the_same_preset_as_the_voice_that_it_is_played_as():
    odd, plain = read(message(packed("A", b14=127) + packed("A", b14=99)))

    assert (odd.sha256, odd.values) == (plain.sha256, plain.values)


def test_a_byte_of_eight_bits_in_a_whole_message_does_not_end_it():
    content = bytearray(WHOLE)
    content[6 + 128 * 3 + 20] = 0xF7
    found = read(bytes(content))

    assert [voice.name for voice in found] == NAMES
    assert found[0].remarks == ("1 checksum is wrong, at byte 0",)
    assert found[3].remarks == ("op5_eg_rate_4 247 is played as 99",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"no preset", "9 bytes outside of messages were skipped"),
        (bytes(4096), "4096 bytes outside of messages were skipped"),
        (VOICES[0] + bytes(31 * 128), "4096 bytes outside of messages were skipped"),
        (b" " * 4096, "4096 bytes outside of messages were skipped"),
        (b"THE QUICK BROWN FOX 0123456789 \n" * 128, "4096 bytes outside of messages were skipped"),
        ((ROOT / "LICENSE").read_bytes(), "outside of messages were skipped"),
        (bytes(range(256)) * 20, "outside of messages were skipped"),
        (random.Random(3).randbytes(4096), "outside of messages"),
        (bytes(random.Random(4).choices(range(128), k=4096)), "4096 bytes outside of messages were skipped"),
        (bytes.fromhex("F0 43 00 04 20 00") + bytes(4096) + b"\x00\xf7", "1 message without DX7 voices was skipped"),
        (TX802 + IDENTITY, "2 messages without DX7 voices were skipped"),
        (WHOLE[:100], "1 message is cut short"),
        (message(single("ONE"), ONE)[:150], "1 message is cut short"),
        (bytes((1 << 22) + 1), "at most 4194304"),
    ],
)
def test_what_is_no_dx7_data_is_refused_with_what_was_found(content, said):
    with pytest.raises(EngineError) as refused:
        read(content)

    assert said in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "content",
    [
        b"\xf0",
        b"\xf0\x43",
        BANK,
        BANK + b"\xf7",
        b"\xf7",
        bytes(127) + b"\xf0",
        b"\xff",
        b"\xf0\xf7" + b" " * 290,
        b"\xf7 \xf0\0",
        DATA[:128],
    ],
)
def test_a_file_of_one_thing_repeated_is_read_in_time_that_grows_with_its_size(content):
    def seconds(size: int) -> float:
        repeated = (content * size)[:size]
        start = time.process_time()
        with contextlib.suppress(EngineError):
            read(repeated)
        return time.process_time() - start

    seconds(1 << 12)
    assert seconds(1 << 17) < 12 * seconds(1 << 14) + 0.5


def harmed(base: bytes, chance: random.Random) -> bytes:
    """Return a file with one to four faults: bytes changed, cut out, put in, doubled, or the file cut."""
    content = bytearray(base)
    for _ in range(chance.randint(1, 4)):
        at, size = chance.randrange(len(content) + 1), chance.choice([1, 2, 7, 128, 500])
        kind = chance.randrange(6)
        if kind == 0:
            content[at : at + 1] = bytes([chance.choice([0, 127, 128, 0xF0, 0xF7, 0xFE, chance.randrange(256)])])
        elif kind == 1:
            del content[at : at + size]
        elif kind == 2:
            content[at:at] = chance.choice([bytes(size), chance.randbytes(size), TX802, BANK, b"\xf7"])
        elif kind == 3:
            content[at:at] = content[at : at + size]
        elif kind == 4:
            del content[at:]
        else:
            content[: len(BANK)] = chance.randbytes(len(BANK))
    return bytes(content)


@pytest.mark.long
def test_hundreds_of_damaged_files_give_voices_in_range_or_one_sentence():
    from tonesmith_dx7.voice import PARAMETERS

    chance, read_whole = random.Random(9), 0
    bases = [WHOLE, DATA, TX802 + WHOLE + IDENTITY, WHOLE + message(single("ONE"), ONE), single("ONE")]
    for number in range(400):
        content = harmed(bases[number % len(bases)], chance)
        voices = []
        with contextlib.suppress(EngineError):
            voices = read(content)
            assert voices
        read_whole += len(voices)
        assert len(voices) <= len(content) // 128
        for voice in voices:
            assert all(p.low <= voice.values[p.name] <= p.high for p in PARAMETERS)
    assert read_whole > 4000  # of some 8,800 that the files held


@pytest.fixture(scope="module")
def render(_source: None) -> Callable[[Any], Any]:
    """Return what renders a voice as the backend does, from a label that has been stored."""
    from tonesmith_dx7 import DX7, DX7Options

    backend = DX7(DX7Options(gain=0.0), 8000)
    space = backend.space()

    def rendered(voice: Voice) -> Any:
        for parameter in space.parameters:
            parameter.check(voice.values[parameter.name])
        backend.prepare(space.decode(space.encode(Patch(voice.values))))
        return backend.render(Note(60, 100, 0.05, 0.05))[0]

    return rendered


@pytest.fixture(scope="module")
def plain() -> Any:
    return dexed.DexedSynth(8000)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(min_size=128, max_size=128), st.binary(min_size=155, max_size=155)))
@example(data=b"\x7f" * 128)
@example(data=b"\xff" * 155)
@example(data=bytes(128))
def test_any_bytes_are_labelled_as_dexed_plays_them(data, render, plain):
    from tonesmith_dx7.voice import _unused, _written, data_of, voice_of

    voice = voice_of(data)
    patch = dexed.Patch.from_packed(data) if len(data) == 128 else dexed.Patch.from_sysex(data)
    plain.load_patch(patch)

    np.testing.assert_array_equal(render(voice), plain.render(60, 100, 0.05, 0.1))
    clean = voice_of(data_of(voice.values, voice.name))
    packed_again = dexed.Patch.from_sysex(data_of(voice.values)).to_packed()
    assert (bytes(_written(packed_again)), _unused(packed_again)) == (data_of(voice.values)[:145], 0)
    assert (clean.values, clean.remarks) == (voice.values, ())
    assert bool(voice.remarks) == (data not in (patch.to_packed(), patch.to_sysex()[:155]))
