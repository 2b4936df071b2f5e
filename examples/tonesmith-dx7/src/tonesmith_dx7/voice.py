"""A DX7 voice: its 145 parameters, and the system exclusive messages that hold one voice or 32.

The formats are those of Yamaha's manual: a voice is 155 bytes (145 parameters and a name of ten letters), or
128 once packed into a bank. A message has a header, its data, a checksum and an end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from tonesmith import EngineError, Parameter

_CURVES = ("-lin", "-exp", "+exp", "+lin")
_WAVES = ("triangle", "saw down", "saw up", "square", "sine", "sample and hold")


def _whole(name: str, low: int, high: int, default: int, choices: tuple[str, ...] = ()) -> Parameter:
    group = name.partition("_")[0] if name.startswith(("op", "lfo", "pitch")) else "voice"
    return Parameter(name, "categorical", low, high, default, choices=choices, group=group)


def _operator(op: str) -> Iterator[Parameter]:
    yield from (_whole(f"{op}_eg_rate_{i}", 0, 99, 99) for i in (1, 2, 3, 4))
    yield from (_whole(f"{op}_eg_level_{i}", 0, 99, 0 if i == 4 else 99) for i in (1, 2, 3, 4))
    yield _whole(f"{op}_break_point", 0, 99, 39)
    yield _whole(f"{op}_left_depth", 0, 99, 0)
    yield _whole(f"{op}_right_depth", 0, 99, 0)
    yield _whole(f"{op}_left_curve", 0, 3, 0, _CURVES)
    yield _whole(f"{op}_right_curve", 0, 3, 0, _CURVES)
    yield _whole(f"{op}_rate_scaling", 0, 7, 0)
    yield _whole(f"{op}_amp_sensitivity", 0, 3, 0)
    yield _whole(f"{op}_velocity_sensitivity", 0, 7, 0)
    yield _whole(f"{op}_level", 0, 99, 99 if op == "op1" else 0)
    yield _whole(f"{op}_mode", 0, 1, 0, ("ratio", "fixed"))
    yield _whole(f"{op}_coarse", 0, 31, 1)
    yield _whole(f"{op}_fine", 0, 99, 0)
    yield _whole(f"{op}_detune", -7, 7, 0)


def _voice() -> Iterator[Parameter]:
    yield from chain.from_iterable(_operator(f"op{i}") for i in (6, 5, 4, 3, 2, 1))
    yield from (_whole(f"pitch_eg_rate_{i}", 0, 99, 99) for i in (1, 2, 3, 4))
    yield from (_whole(f"pitch_eg_level_{i}", 0, 99, 50) for i in (1, 2, 3, 4))
    yield _whole("algorithm", 1, 32, 1)
    yield _whole("feedback", 0, 7, 0)
    yield _whole("osc_sync", 0, 1, 1, ("off", "on"))
    yield _whole("lfo_speed", 0, 99, 35)
    yield _whole("lfo_delay", 0, 99, 0)
    yield _whole("lfo_pitch_depth", 0, 99, 0)
    yield _whole("lfo_amp_depth", 0, 99, 0)
    yield _whole("lfo_sync", 0, 1, 1, ("off", "on"))
    yield _whole("lfo_wave", 0, 5, 0, _WAVES)
    yield _whole("pitch_sensitivity", 0, 7, 3)
    yield _whole("transpose", -24, 24, 0)


PARAMETERS = tuple(_voice())
"""In the order of their bytes, each of which is the value less the lowest. The defaults are one sine."""

_ONE, _BANK = bytes.fromhex("F0 43 00 00 01 1B"), bytes.fromhex("F0 43 00 09 20 00")
_SIZES = {_ONE: 163, _BANK: 4104}
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of a file: raw values by parameter, its name, and the SHA-256 of its 128 packed bytes."""

    values: Mapping[str, float]
    name: str
    sha256: str


def data_of(values: Mapping[str, float], name: str = "") -> bytes:
    """Return the 155 bytes of a voice."""
    letters = "".join(c if " " <= c <= "~" else "?" for c in name)[:10]
    return bytes(round(values[p.name] - p.low) for p in PARAMETERS) + letters.ljust(10).encode("ascii")


def message_of(data: bytes) -> bytes:
    """Return the message that holds one voice."""
    return _ONE + data + bytes([_checksum(data), 0xF7])


def read_voices(content: bytes) -> list[Voice]:
    """Return the voices of a file. Raises :class:`EngineError` if one of its messages is damaged."""
    if len(content) > _LARGEST:
        raise EngineError(f"{len(content)} bytes; a file of DX7 voices has at most {_LARGEST}")
    return [voice for data in _messages(content) for voice in _voices(data)]


def _messages(content: bytes) -> Iterator[bytes]:
    """Yield the data of each message: 155 bytes of one voice, or 4096 of a bank."""
    start = 0
    while start < len(content):
        head = content[start : start + 2] + b"\0" + content[start + 3 : start + 6]  # whatever the channel
        size = _SIZES.get(head)
        if size is None:
            raise EngineError(f"byte {start} starts no message of DX7 voices (F0 43 0n 09 20 00 or F0 43 0n 00 01 1B)")
        message = content[start : start + size]
        if len(message) < size or message[-1] != 0xF7:
            raise EngineError(f"the message at byte {start} is cut short: it has no end after {size} bytes")
        data = message[6:-2]
        if max(data) > 127 or _checksum(data) != message[-2]:
            raise EngineError(f"the message at byte {start} is damaged: its checksum is not that of its data")
        yield data
        start += size


def _voices(data: bytes) -> Iterator[Voice]:
    from dexed import Patch

    packed = len(data) == 4096
    size = 128 if packed else 155
    for number, start in enumerate(range(0, len(data), size), 1):
        part = data[start : start + size]
        patch = Patch.from_packed(part) if packed else Patch.from_sysex(part)
        voice, name = bytes(patch.to_sysex()[:155]), patch.name.strip()
        if part not in (voice, patch.to_packed()):
            raise EngineError(f"voice {number} ({name}) has values that a DX7 does not know")
        values = {p.name: float(p.low + byte) for p, byte in zip(PARAMETERS, voice, strict=False)}
        yield Voice(values, name, hashlib.sha256(patch.to_packed()).hexdigest())


def _checksum(data: bytes) -> int:
    return -sum(data) & 0x7F
