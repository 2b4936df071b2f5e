"""A DX7 voice: its 145 parameters, and the bytes that hold them.

The formats are those of Yamaha's manual: a voice is 155 bytes (145 parameters and a name of ten letters), or
128 once packed into a bank, where small values share a byte.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from tonesmith import Parameter

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

_BYTE = 8
_PACKED_OPERATOR = (
    *((byte, 0, _BYTE) for byte in range(11)),
    *((11, 0, 2), (11, 2, 2), (12, 0, 3), (13, 0, 2), (13, 2, 3), (14, 0, _BYTE)),
    *((15, 0, 1), (15, 1, 5), (16, 0, _BYTE), (12, 3, 4)),
)
_PACKED_VOICE = (
    *((byte, 0, _BYTE) for byte in range(102, 110)),
    *((110, 0, 5), (111, 0, 3), (111, 3, 1)),
    *((byte, 0, _BYTE) for byte in range(112, 116)),
    *((116, 0, 1), (116, 1, 3), (116, 4, 3), (117, 0, _BYTE)),
)
_PACKED = (*((17 * op + byte, *bits) for op in range(6) for byte, *bits in _PACKED_OPERATOR), *_PACKED_VOICE)
"""Of each parameter its byte in a packed voice, the lowest of its bits, and how many they are."""
_USED = [sum((1 << bits) - 1 << low for at, low, bits in _PACKED if at == byte) for byte in range(118)] + [127] * 10
_COUNTS = [p.count for p in PARAMETERS]
_NAME = re.compile(rb"[ -~\xa0-\xfe]{10}")
_ODD_AT_MOST = 8
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of a file.

    Attributes:
        values: raw values by parameter, as Dexed plays them.
        name: as it stands there.
        sha256: of its 128 packed bytes, as Dexed plays them.
        remarks: what Dexed plays differently from what is written, a sentence each.
    """

    values: Mapping[str, float]
    name: str
    sha256: str
    remarks: tuple[str, ...] = ()


def data_of(values: Mapping[str, float], name: str = "") -> bytes:
    """Return the 155 bytes of a voice."""
    letters = "".join(c if " " <= c <= "~" else "?" for c in name)[:10]
    return bytes(round(values[p.name] - p.low) for p in PARAMETERS) + letters.ljust(10).encode("ascii")


def voice_of(data: bytes) -> Voice:
    """Return the voice that Dexed plays, whatever the 128 bytes of a packed voice or the 155 of a single one are."""
    from dexed import Patch

    patch = Patch.from_packed(data) if len(data) == 128 else Patch.from_sysex(data)
    played, packed = patch.to_sysex(), patch.to_packed()
    values = {p.name: float(p.low + byte) for p, byte in zip(PARAMETERS, played, strict=False)}
    remarks = () if data in (packed, played[:155]) else tuple(_corrections(data, played))
    return Voice(values, patch.name.strip(), hashlib.sha256(packed).hexdigest(), remarks)


def looks_like_voice(data: bytes) -> bool:
    """Return whether bytes without a header are a voice: they have a name, and few values that a DX7 does not know."""
    return _NAME.fullmatch(data, len(data) - 10) is not None and _odd(data) <= _ODD_AT_MOST


def _odd(data: bytes) -> int:
    return sum(map(int.__ge__, _written(data), _COUNTS)) + _unused(data)


def _written(data: bytes) -> Iterable[int]:
    """Return the byte of each parameter as it is written, in range or not."""
    if len(data) == 128:
        return [data[byte] >> low & (1 << bits) - 1 for byte, low, bits in _PACKED]
    return data[: len(PARAMETERS)]


def _unused(data: bytes) -> int:
    """Return in how many bytes of a packed voice bits are set that hold nothing."""
    return sum(byte & ~used != 0 for byte, used in zip(data, _USED, strict=True)) if len(data) == 128 else 0


def _corrections(data: bytes, played: bytes) -> Iterator[str]:
    changed = [
        f"{p.name} {p.low + byte:g} is played as {p.low + heard:g}"
        for p, byte, heard in zip(PARAMETERS, _written(data), played, strict=False)
        if byte != heard
    ]
    if changed:
        more = f", and {len(changed) - _TOLD} more values differ" if len(changed) > _TOLD else ""
        yield f"{', '.join(changed[:_TOLD])}{more}"
    if _unused(data):
        yield "bits that hold nothing are set, and are ignored"
