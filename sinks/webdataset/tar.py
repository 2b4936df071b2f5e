"""Tar archives of plain files, of the USTAR form of POSIX.1-1988: their bytes tell no time and no owner."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tonesmith.errors import DatasetError

_RECORD = 512
_LARGEST = 8**11 - 1
"""Bytes of a file whose size has 11 octal digits."""
_CHECKSUM = slice(148, 156)


class Member(NamedTuple):
    """A file in an archive: its name, and where its content lies."""

    name: str
    start: int
    size: int


def tar_pieces(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield the bytes of an archive of files: name and content of each."""
    for name, content in files:
        yield _header(name, len(content))
        yield content
        yield bytes(-len(content) % _RECORD)
    yield bytes(2 * _RECORD)


def tar_members(descriptor: int, count: int) -> list[Member]:
    """Return the first files of an archive that is open, from its headers alone.

    Raises :class:`DatasetError` if it has fewer than ``count``, or something else than plain files that lie in it.
    """
    end, place, members = os.fstat(descriptor).st_size, 0, []
    for number in range(count):
        header = os.pread(descriptor, _RECORD, place)
        if len(header) < _RECORD or not header.strip(b"\0"):
            raise DatasetError(f"it has {number} files, not {count}")
        member = _member(header, place + _RECORD)
        if member.start + member.size > end:
            raise DatasetError(f"{member.name} is cut short")
        members.append(member)
        place = member.start + member.size + -member.size % _RECORD
    return members


def _header(name: str, size: int) -> bytes:
    place = name.encode()
    if len(place) > 100 or size > _LARGEST:
        raise DatasetError(f"a tar archive cannot hold {name} of {size} bytes")
    owner_and_devices = b"ustar\x0000" + bytes(64) + b"0000000\0" * 2
    head = place.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % size + b"%011o\0" % 0
    record = bytearray((head + b" " * 8 + b"0" + bytes(100) + owner_and_devices).ljust(_RECORD, b"\0"))
    record[_CHECKSUM] = b"%06o\0 " % sum(record)
    return bytes(record)


def _member(header: bytes, start: int) -> Member:
    """Return the file that a header tells of. Raise :class:`DatasetError` if it is no header of a plain file."""
    blank = header[: _CHECKSUM.start] + b" " * 8 + header[_CHECKSUM.stop :]
    try:
        told, size = _octal(header[_CHECKSUM]), _octal(header[124:136])
        name = header[:100].rstrip(b"\0").decode("ascii")
    except ValueError:
        raise DatasetError("it is not a tar archive of tonesmith") from None
    if told != sum(blank) or header[257:263] != b"ustar\0" or header[156:157] != b"0":
        raise DatasetError("it is not a tar archive of tonesmith, or a header is damaged")
    return Member(name, start, size)


def _octal(digits: bytes) -> int:
    text = digits.rstrip(b"\0 ")
    if not text.isdigit():
        raise ValueError(digits)
    return int(text, 8)
