"""The two preset files of VST plugins: ``.vstpreset`` of VST 3, and ``.fxp`` of VST 2.

Every size in them is a stranger's word and is checked before it is used.
"""

from __future__ import annotations

import struct
from pathlib import Path

from tonesmith.document import read_plain
from tonesmith.errors import EngineError

MAX_BYTES = 64 << 20
_HEAD = struct.Struct("<4si32sq")
_ENTRY = struct.Struct("<4sqq")
_MAX_CHUNKS = 128
_FXP_HEAD = 60
"""Bytes before the chunk of a ``.fxp``: magic, sizes, ids, a name of 28 bytes, the size of the chunk."""


def read_bounded(path: Path) -> bytes:
    """Return the content of a preset file. Raises :class:`EngineError` if it is larger than any preset."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise EngineError(f"{size >> 20} MB; presets of more than {MAX_BYTES >> 20} MB are not opened")
        return read_plain(path)
    except OSError as error:
        raise EngineError(f"{path.name} cannot be read: {error.strerror}") from None


def class_id(content: bytes) -> str:
    """Return the id of the plugin that a ``.vstpreset`` is for: 32 hexadecimal digits."""
    return _header(content)[0]


def states(content: bytes) -> tuple[bytes, bytes]:
    """Return the states of the component and of the controller in a ``.vstpreset``; the second may be empty."""
    _, at = _header(content)
    if content[at : at + 4] != b"List" or len(content) < at + 8:
        raise EngineError("not a .vstpreset file: it has no list of chunks")
    (count,) = struct.unpack_from("<i", content, at + 4)
    if not 0 < count <= _MAX_CHUNKS or len(content) < at + 8 + count * _ENTRY.size:
        raise EngineError(f"not a .vstpreset file: its list of {count} chunks is damaged")
    chunks: dict[bytes, bytes] = {}
    for number in range(count):
        name, start, size = _ENTRY.unpack_from(content, at + 8 + number * _ENTRY.size)
        if start < 0 or size < 0 or start + size > len(content):
            raise EngineError(f"a damaged .vstpreset file: the chunk {name!r} lies outside it")
        chunks.setdefault(name, content[start : start + size])
    if b"Comp" not in chunks:
        raise EngineError("a .vstpreset file without the state of a component")
    return chunks[b"Comp"], chunks.get(b"Cont", b"")


def vstpreset(plugin: str, component: bytes, controller: bytes = b"") -> bytes:
    """Return a ``.vstpreset`` file with those states, and nothing else.

    Args:
        plugin: class id, 32 hexadecimal digits.
        component: state of the component.
        controller: state of the controller.
    """
    end = _HEAD.size + len(component)
    entries = _ENTRY.pack(b"Comp", _HEAD.size, len(component)) + _ENTRY.pack(b"Cont", end, len(controller))
    head = _HEAD.pack(b"VST3", 1, plugin.encode("ascii"), end + len(controller))
    return head + component + controller + b"List" + struct.pack("<i", 2) + entries


def fxp_chunk(content: bytes, wanted: str) -> bytes:
    """Return the chunk of a ``.fxp`` file. Raises :class:`EngineError` unless it is of the plugin ``wanted``.

    Args:
        content: of the file.
        wanted: the four letters by which VST 2 names the plugin, such as "cjs3".
    """
    if len(content) < _FXP_HEAD or content[:4] != b"CcnK" or content[8:12] not in {b"FPCh", b"FxCk"}:
        raise EngineError("not a .fxp file: its header is wrong")
    plugin = content[16:20].decode("latin-1")
    if plugin != wanted:
        raise EngineError(f"a preset of another synth, {plugin!r}, not {wanted!r}")
    if content[8:12] != b"FPCh":
        raise EngineError("a .fxp file of plain parameters, without the state of the plugin")
    (size,) = struct.unpack_from(">i", content, _FXP_HEAD - 4)
    if not 0 < size <= len(content) - _FXP_HEAD:
        raise EngineError(f"a truncated .fxp file: {len(content) - _FXP_HEAD} of {size} bytes are there")
    return content[_FXP_HEAD : _FXP_HEAD + size]


def _header(content: bytes) -> tuple[str, int]:
    if len(content) < _HEAD.size or content[:4] != b"VST3":
        raise EngineError("not a .vstpreset file: its header is wrong")
    _, _, plugin, at = _HEAD.unpack_from(content)
    if not _HEAD.size <= at <= len(content):
        raise EngineError("a truncated .vstpreset file: its list of chunks is missing")
    return plugin.decode("latin-1"), at
