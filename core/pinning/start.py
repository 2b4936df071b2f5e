"""How a pinned process is started: its personality, its variables, and the library that is loaded before all others."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tonesmith.pinning.shared_object import library

Held = Literal["clocks", "random devices", "addresses"]
"""What can be held still."""
HOLDABLE: tuple[Held, ...] = get_args(Held)
MARK = "TONESMITH_PINNED"
"""The variable that tells a process that it is pinned. It is so long that all variables have a fixed size together."""
PRELOAD = "LD_PRELOAD"
_FIXED = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"}
_LOCALE = re.compile("LANG|LANGUAGE|LC_.*")
_SIZE = 32 << 10
"""Bytes that variables and arguments take on the stack, or a multiple if they are more."""
_WORD = 8
_DESCRIPTOR = 100
"""From here on a number is free, and has as many digits as any other."""
_ADDR_NO_RANDOMIZE, _AS_IT_IS = 0x0040000, 0xFFFFFFFF  # linux/personality.h
_MFD_EXEC = 0x10  # linux/memfd.h: older kernels refuse it, and need no permission


@dataclass(frozen=True, slots=True)
class Start:
    """What a process is to be started with: its variables, and descriptors that it must inherit."""

    environment: Mapping[str, str]
    descriptors: tuple[int, ...] = ()


def holdable() -> tuple[Held, ...]:
    """Return what this system lets a pinned process hold still."""
    if sys.platform != "linux":
        return ()
    with _unrandomised() as allowed:
        addresses: tuple[Held, ...] = ("addresses",) if allowed else ()
    return ("clocks", "random devices", *addresses) if _preloads() else addresses


@contextlib.contextmanager
def starting(environment: Mapping[str, str], command: Sequence[str]) -> Iterator[Start]:
    """Have what this thread starts meanwhile be pinned, as far as the system lets it.

    Args:
        environment: the variables that it would have.
        command: its program, by full path, and arguments.
    """
    kept = {name: value for name, value in environment.items() if not _LOCALE.fullmatch(name)} | _FIXED
    with _unrandomised(), _preloaded(kept) as descriptors:
        yield Start(_filled(kept, command), descriptors)


def _filled(environment: Mapping[str, str], command: Sequence[str]) -> dict[str, str]:
    """Return variables with a mark that gives them and the arguments a fixed size: they lie above the stack.

    Linux puts their texts there, and below them a word for each (binfmt_elf.c).
    """
    texts = [*command, *(f"{name}={value}" for name, value in environment.items()), f"{MARK}="]
    size = sum(len(os.fsencode(text)) + 1 for text in [command[0], *texts]) + _WORD * len(texts)
    return {**environment, MARK: "x" * (-size % _SIZE)}


@contextlib.contextmanager
def _unrandomised() -> Iterator[bool]:
    """Have processes that this thread starts get the same addresses each time. Yield whether the system allows it."""
    if sys.platform != "linux":
        yield False
        return
    libc: Any = ctypes.CDLL(None)
    libc.personality.argtypes = [ctypes.c_ulong]
    before = libc.personality(_AS_IT_IS)
    allowed = before >= 0 and libc.personality(before | _ADDR_NO_RANDOMIZE) >= 0
    try:
        yield allowed
    finally:
        if allowed:
            libc.personality(before)


@contextlib.contextmanager
def _preloaded(environment: dict[str, str]) -> Iterator[tuple[int, ...]]:
    """Have a process load the library first. Yield the descriptor of its file, which lies in memory alone."""
    try:
        number = _library_file() if _preloads() else None
    except OSError:  # a system without such files: the process tells that its clocks are not held
        number = None
    if number is None:
        yield ()
        return
    environment[PRELOAD] = " ".join(filter(None, [f"/proc/self/fd/{number}", environment.get(PRELOAD, "")]))
    try:
        yield (number,)
    finally:
        os.close(number)


def _library_file() -> int:
    import fcntl  # which Windows does not have

    file = _memory_file()
    try:
        os.write(file, library())
        return fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _DESCRIPTOR)
    finally:
        os.close(file)


def _memory_file() -> int:
    try:
        return os.memfd_create("tonesmith-pinning", os.MFD_CLOEXEC | _MFD_EXEC)
    except OSError:
        return os.memfd_create("tonesmith-pinning", os.MFD_CLOEXEC)


def _preloads() -> bool:
    """Return whether there is a library for this machine, whose C library is the one that it is written for."""
    if sys.platform != "linux" or platform.machine() != "x86_64" or sys.maxsize < 2**32:
        return False
    return hasattr(ctypes.CDLL(None), "gnu_get_libc_version")
