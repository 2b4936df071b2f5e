"""Comparisons for assertions about sound and files."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray


def same_bytes(first: bytes | NDArray[Any], again: bytes | NDArray[Any]) -> bool:
    """Return whether two contents are equal byte by byte, so that 0.0 is not -0.0 and NaN is NaN.

    For ``assert same_bytes(a, b)``. Of a failing ``assert a == b`` pytest prints the difference line by line where the
    variable CI is set, and for the bytes of one second of sound that takes an hour.
    """
    return _bytes(first) == _bytes(again)


def _bytes(content: bytes | NDArray[Any]) -> bytes:
    return content if isinstance(content, bytes) else content.tobytes()
