"""The shared library that a pinned process is started with: the code of :mod:`tonesmith.pinning.code` in an ELF file.

It is preloaded, so every library of the process finds its clocks and random devices there, those that are loaded later
and their initialisers included. It is made here, byte by byte, so that nobody needs a compiler, and no binary file is
shipped. The numbers are those of elf(5).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import cache

from tonesmith.pinning.code import STRIDE, code, exported

_PAGE = 0x1000
_CODE, _DATA = _PAGE, 2 * _PAGE
_DYNAMIC = _DATA + 0x200
"""In the data, behind what the code keeps there."""
_IMPORTED = ("dlsym", "dlvsym")
"""At the start of the data, 8 bytes for each."""
_READ, _WRITE, _EXECUTE = 4, 2, 1
_LOAD, _DYNAMIC_SEGMENT, _STACK = 1, 2, 0x6474E551
_GLOBAL_FUNCTION = 0x12
_GLOB_DAT = 6
_HEADER, _SEGMENT, _SYMBOL = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ"), struct.Struct("<IBBHQQ")
_SEGMENTS = 5


@cache
def library() -> bytes:
    """Return the library."""
    names = (*_IMPORTED, *(name for name, _ in exported()))
    text = b"\0" + b"".join(name.encode() + b"\0" for name in names)
    tables = {
        "hash": _hash_table(1 + len(names)),
        "symbols": _symbols({name: text.index(b"\0" + name.encode() + b"\0") + 1 for name in names}),
        "text": text,
        "relocations": b"".join(
            struct.pack("<QQq", _DATA + 8 * place, 1 + place << 32 | _GLOB_DAT, 0) for place in range(len(_IMPORTED))
        ),
    }
    at, placed = _HEADER.size + _SEGMENTS * _SEGMENT.size, b""
    places = {}
    for name, table in tables.items():
        places[name] = at + len(placed)
        placed += table + bytes(-len(table) % 8)
    dynamic = _dynamic(tables, places)
    head = _header() + _segments(at + len(placed), len(dynamic)) + placed
    data = bytes(_DYNAMIC - _DATA) + dynamic
    return b"".join(part.ljust(_PAGE, b"\0") for part in (head, code(), data))


def _header() -> bytes:
    identity = b"\x7fELF\2\1\1"  # 64 bits, little-endian, version 1
    shared, x86_64 = 3, 62
    sizes = (_HEADER.size, _SEGMENT.size, _SEGMENTS, 0, 0, 0)
    return _HEADER.pack(identity, shared, x86_64, 1, 0, _HEADER.size, 0, 0, *sizes)


def _segments(head: int, dynamic: int) -> bytes:
    parts = (
        (_LOAD, _READ, 0, head, _PAGE),
        (_LOAD, _READ | _EXECUTE, _CODE, _PAGE, _PAGE),
        (_LOAD, _READ | _WRITE, _DATA, _PAGE, _PAGE),
        (_DYNAMIC_SEGMENT, _READ | _WRITE, _DYNAMIC, dynamic, 8),
        (_STACK, _READ | _WRITE, 0, 0, 16),
    )
    return b"".join(_SEGMENT.pack(kind, flags, at, at, at, size, size, align) for kind, flags, at, size, align in parts)


def _symbols(names: Mapping[str, int]) -> bytes:
    """Return the table of symbols: none, then the imported ones, then ours."""
    imported = [_SYMBOL.pack(names[name], _GLOBAL_FUNCTION, 0, 0, 0, 0) for name in _IMPORTED]
    ours = [_SYMBOL.pack(names[name], _GLOBAL_FUNCTION, 0, 1, _CODE + offset, STRIDE) for name, offset in exported()]
    return bytes(_SYMBOL.size) + b"".join([*imported, *ours])


def _hash_table(count: int) -> bytes:
    """Return a table of one bucket, whose chain goes from the last symbol to the first."""
    return struct.pack(f"<{3 + count}I", 1, count, count - 1, *(max(0, place - 1) for place in range(count)))


def _dynamic(tables: Mapping[str, bytes], places: Mapping[str, int]) -> bytes:
    entries = {
        4: places["hash"],
        5: places["text"],
        6: places["symbols"],
        10: len(tables["text"]),
        11: _SYMBOL.size,
        7: places["relocations"],
        8: len(tables["relocations"]),
        9: 24,
        0: 0,
    }
    return b"".join(struct.pack("<QQ", tag, value) for tag, value in entries.items())
