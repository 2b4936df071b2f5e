"""Whether an error is the machine's: processes, memory, descriptors or shared memory have run out."""

from __future__ import annotations

import errno
from collections.abc import Mapping

_CURES: Mapping[int, str] = {
    errno.EAGAIN: "no further process may be started (ulimit -u, or the limit of a container)",
    errno.ENOMEM: "memory has run out",
    errno.EMFILE: "this process has too many files open (ulimit -n)",
    errno.ENFILE: "the system has too many files open",
    errno.ENOSPC: "no space is left for shared memory or temporary files",
}
_NO_THREAD = "can't start new thread"  # CPython's words, of a RuntimeError


def refusal(error: BaseException) -> str:
    """Return what the machine ran out of, in a phrase; "" if an error is not of that kind."""
    if isinstance(error, MemoryError):
        return _CURES[errno.ENOMEM]
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return "no further thread may be started (ulimit -u, or the limit of a container)"
    if isinstance(error, OSError) and error.errno is not None:
        return _CURES.get(error.errno, "")
    return ""


def is_memory(told: str) -> bool:
    """Return whether what :func:`refusal` told begins a text, and is that memory has run out."""
    return told.startswith(_CURES[errno.ENOMEM])


def advice(what: str) -> str:
    """Return the sentence that ends a run for which something ran out."""
    return f"{what}. No candidate is blamed for it. Make room, or use fewer workers, and run the same command again."
