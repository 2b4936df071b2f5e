"""Where the rows lie in a file that a format's own library wrote, so that they are read without it.

Each row lies in one piece. The places are kept with the block, and one checksum of all that lies between them, which
is the format's own: trees, headers, footers. So a row costs one read, a damaged file is known before a library that
trusts it looks at it, and nothing is mapped into memory, where a file that was cut short would end the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import google_crc32c

from tonesmith.errors import DatasetError

ReadAt = Callable[[int, int], bytes]
"""Returns so many bytes, or fewer at the end of a file, from an offset on."""

_SOUGHT = 64
"""Bytes by which a piece is sought: then all of it is compared."""

_PLACE_BYTES = 160
"""Memory of a pair of Python's numbers, and of a checksum beside it."""


@dataclass(frozen=True)
class Pieces:
    """The places of rows in a file.

    Attributes:
        size: of the file in bytes.
        rest: CRC-32C of all that is no row.
        places: offset and length of each row.
    """

    size: int
    rest: int
    places: tuple[tuple[int, int], ...]

    @classmethod
    def found(cls, content: bytes, rows: Sequence[bytes]) -> Pieces:
        """Return the places of rows in a file; raise :class:`DatasetError` if one is not there in one piece."""
        places, after = [], 0
        for row in rows:
            offset = _find(content, row, after)
            places.append((offset, len(row)))
            after = offset + len(row)
        found = cls(len(content), 0, tuple(places))
        return replace(found, rest=found._checksum(lambda length, offset: content[offset : offset + length]))

    @classmethod
    def of(cls, sums: Sequence[int]) -> Pieces:
        """Return what :attr:`sums` told; raise :class:`DatasetError` if it makes no sense."""
        size, rest, *places = sums
        return cls(size, rest, tuple(zip(places[::2], places[1::2], strict=True)))

    @property
    def sums(self) -> list[int]:
        """Numbers to keep with the block."""
        return [self.size, self.rest, *(number for place in self.places for number in place)]

    @property
    def nbytes(self) -> int:
        """Bytes of memory, about."""
        return _PLACE_BYTES * len(self.places)

    def check(self, size: int, read_at: ReadAt) -> None:
        """Raise :class:`DatasetError` unless a file of so many bytes is, rows aside, the one that was written."""
        if size != self.size:
            raise DatasetError(f"it has {size} bytes, not {self.size}")
        if self._checksum(read_at) != self.rest:
            raise DatasetError("the checksum of the bytes between its rows does not match")

    def _checksum(self, read_at: ReadAt) -> int:
        checksum = 0
        for start, end in self._gaps():
            checksum = google_crc32c.extend(checksum, read_at(end - start, start))
        return checksum

    def _gaps(self) -> Iterator[tuple[int, int]]:
        after = 0
        for offset, length in sorted(set(self.places)):
            if not after <= offset <= offset + length <= self.size:
                raise DatasetError("the positions of its rows are invalid")
            yield after, offset
            after = offset + length
        yield after, self.size


def _find(content: bytes, row: bytes, after: int) -> int:
    """Return the offset of a row: the first after the row before, for they are many megabytes, or else any."""
    for start in (after, 0):
        offset = content.find(row[:_SOUGHT], start)
        while offset >= 0:
            if content.startswith(row, offset):
                return offset
            offset = content.find(row[:_SOUGHT], offset + 1)
    raise DatasetError("the library that wrote the file laid out a row in a form that tonesmith does not know")
