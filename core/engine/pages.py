"""Copying the memory that renders write in large pages, instead of one small page after the other.

A forked process shares its parent's memory until it writes. Then the kernel stops it at each 4 KB page and copies
that: about 2 µs each, and a render of Vital writes 6,000. Since Linux 6.1 a process can ask for a
private copy of 2 MB at once (``MADV_COLLAPSE``, see madvise(2)), for the price of some 200 small ones. Nothing
but the time differs: no byte changes, and where the kernel declines, pages are copied one by one as ever.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_LARGE = 2 << 20
_PAGES = _LARGE // mmap.PAGESIZE
_WORTH = _PAGES // 2
"""Written pages of a stretch from which on copying it whole is cheaper: it costs as much as about 200."""
_LESSONS = 2
"""Renders to learn from: those of one template are alike, and a preset may have but a few variations."""
_MADV_COLLAPSE = 25
_PR_SET_THP_DISABLE = 41
_OWN = np.uint64(1 << 63 | 1 << 56)  # present, and mapped by this process alone: Linux's admin-guide/mm/pagemap.rst

if sys.platform == "linux":
    _LIBC = ctypes.CDLL(None)


def small_pages(wanted: bool) -> None:
    """Have this process and its forks use small pages, or no longer.

    The kernel breaks a large page that processes share into small ones before it copies any of it, so a
    process that is to be forked is better off with small ones.
    """
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_THP_DISABLE, int(wanted), 0, 0, 0)


class LargeCopies:
    """Knows which stretches of 2 MB renders write for the greater part: the first few renders tell.

    Made in the process that is forked for each render. What a fork learns is in memory that all share.
    """

    def __init__(self) -> None:
        self._starts = np.array(_stretches(), np.uint64)
        size = 8 * (1 + len(self._starts))
        state = np.frombuffer(mmap.mmap(-1, size), np.int64)
        self._lessons, self._written = state[:1], state[1:]
        self._settled = sys.platform != "linux"

    def take(self) -> None:
        """Copy what a render is going to write. Called in the fork, before the render."""
        if sys.platform != "linux" or self._lessons[0] < _LESSONS:
            return
        small_pages(False)
        _collapse(self._starts[self._written >= _WORTH])

    def settle(self) -> None:
        """Hold in large pages what renders hardly write, once that is known. Called in the process that is forked.

        Such a page is one entry to copy and to give back for a fork, instead of 512. What is written of it the fork
        copies in small ones.
        """
        if self._settled or self._lessons[0] < _LESSONS:
            return
        self._settled = True
        with contextlib.suppress(OSError, ValueError):  # a kernel that does not tell
            filled = _own_pages(self._starts) >= _WORTH
            small_pages(False)
            _collapse(self._starts[filled & (self._written < _WORTH)])
            small_pages(True)

    def learn(self) -> None:
        """Note what the render wrote. Called in the fork, after the render."""
        if self._lessons[0] >= _LESSONS or not len(self._starts):
            return
        with contextlib.suppress(OSError, ValueError):  # a kernel that does not tell is asked again, and copies singly
            np.maximum(self._written, _own_pages(self._starts), out=self._written)
            self._lessons += 1


def _collapse(starts: NDArray[np.uint64]) -> None:
    for start, length in _joined(starts.tolist()):
        _LIBC.madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), _MADV_COLLAPSE)


def _stretches() -> list[int]:
    """Return the address of each aligned 2 MB that lies in private memory which is no file's."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/maps").read_text().splitlines():
            span, access, _, _, inode, *name = line.split()
            if access == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
                low, high = (int(end, 16) for end in span.split("-"))
                found += range(-(-low // _LARGE) * _LARGE, high - _LARGE + 1, _LARGE)
    return found


def _own_pages(starts: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return how many pages of each stretch this process shares with no other."""
    counts = []
    with open("/proc/self/pagemap", "rb", buffering=0) as file:  # noqa: PTH123 - Path.open names no buffering as well
        for start in starts.tolist():
            file.seek(8 * (start // mmap.PAGESIZE))
            entries = np.frombuffer(file.read(8 * _PAGES), np.uint64)
            counts.append(np.count_nonzero((entries & _OWN) == _OWN))
    return np.array(counts, np.int64)


def _joined(starts: list[int]) -> list[tuple[int, int]]:
    """Return (start, length) of each run of stretches that follow each other."""
    runs: list[tuple[int, int]] = []
    for start in starts:
        if runs and sum(runs[-1]) == start:
            runs[-1] = runs[-1][0], runs[-1][1] + _LARGE
        else:
            runs.append((start, _LARGE))
    return runs
