"""Where memory begins for what a process allocates next: at addresses that do not depend on what it did before.

Without address randomisation a process that does the same gets the same addresses. But two engines hardly do the same
before they load a plugin: variables differ in length, modules were compiled or not, a package was installed. So before
the plugin loads, whatever is free is taken: gaps between mappings, and free blocks of the heap. The next mapping then
lies below a fixed address, and the next block of the heap above another.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

_BELOW_STACK = 64 << 30
"""From the end of the stack to where mappings begin: more than what lies there by then, however large the stack may be.
Nothing is written to it, so it costs an entry in a table."""
_STEP = 64 << 20
"""From the start of the heap to where it goes on, or a multiple: an interpreter with its modules takes a tenth."""
_FROM_HEAP = 64 << 10
"""A block of the heap by any setting: glibc maps those of 128 KiB and more."""
_SINGLE = 1040
"""Up to this size glibc keeps free blocks by their size, and gives none of them for a smaller request."""
_MOST_BLOCKS = 1 << 20
_TRIES = 8
"""Looks for gaps. The interpreter may map memory itself while it looks, which fills one or splits it."""
_M_MMAP_THRESHOLD = -3  # malloc.h
_MAP_NORESERVE, _MAP_FIXED_NOREPLACE = 0x4000, 0x100000  # linux/mman.h
_OBJECT, _OBJECTS, _KEPT = 400, 8000, 80
"""Bytes of an object, of which the interpreter keeps some forty in a pool; how many are made, 3 MB; and one of how many
is kept, so that every other pool is free and few go back to the system."""
_SPARE: list[bytes] = []
_START_OF_HEAP = 44
"""Of what follows the name in /proc/PID/stat: proc(5), start_brk."""


def level() -> bool:
    """Take all that is free, and return whether the next addresses are those of any process that does this."""
    try:
        _spare_pools()
        return _level_mappings() and _level_heap()
    except (OSError, ValueError):  # a /proc that does not tell
        return False


def _spare_pools() -> None:
    """Have the interpreter keep room for objects, lest it map more just before the plugin does, or just not."""
    _SPARE.extend([bytes(_OBJECT) for _ in range(_OBJECTS)][::_KEPT])


def _level_heap() -> bool:
    """Have the heap go on at a fixed address, with no free block below it; return whether that could be done.

    It comes last, for whatever the interpreter does after it takes blocks from there.
    """
    libc: Any = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return False
    libc.malloc.restype = libc.sbrk.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.sbrk.argtypes = [ctypes.c_ssize_t]
    libc.mallopt(_M_MMAP_THRESHOLD, 128 << 10)  # else it grows with the blocks that were freed
    heap, end = _start_of_heap(), libc.sbrk(0)
    place = heap + _STEP * (1 + (end - heap) // _STEP)
    if libc.sbrk(place - end) != end:
        return False
    sizes = [*(_FROM_HEAP >> shift for shift in range(6)), *range(_SINGLE, 0, -16)]
    left = _MOST_BLOCKS
    for size in sizes:
        while (block := libc.malloc(size - 8)) is not None and block < place:
            left -= 1
            if not left:
                return False
    return True


@cache
def _start_of_heap() -> int:
    text = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace")
    return int(text.rpartition(")")[2].split()[_START_OF_HEAP])


def _level_mappings() -> bool:
    """Have the next mapping lie right below a fixed address."""
    libc: Any = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_ssize_t]
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE | _MAP_FIXED_NOREPLACE
    for _ in range(_TRIES):
        gaps = list(_gaps())
        if not gaps:
            return True
        for start, end in gaps:
            libc.mmap(start, end - start, 0, flags, -1, 0)
    return False


def _gaps() -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each stretch that is free, from the fixed address to the last mapping."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    spans = [(*(int(end, 16) for end in line.split(None, 1)[0].split("-")), line.endswith("[stack]")) for line in lines]
    (stack,) = [end for _, end, is_stack in spans if is_stack]
    reached = stack - _BELOW_STACK
    for start, end, is_stack in spans:
        if is_stack:
            return  # which grows down, into what is free below it
        if reached < start and end <= stack:
            yield reached, start
        reached = max(reached, end)
