"""Locks on single bytes of a file: the system takes them back when their process ends, however it ends.

On Linux they belong to the opened file (``F_OFD_SETLK``), so that two runs in one process keep apart too. Elsewhere
they are those of POSIX, which belong to the process. Neither is bound to what is in the file, nor to its size.
"""

from __future__ import annotations

import errno
import os
import struct
import sys

_TAKEN = frozenset({errno.EAGAIN, errno.EACCES})
_FLOCK = "hhqqi"
"""``struct flock`` of Linux: kind, whence, start, length, process."""


class ByteLocks:
    """Locks on the bytes of an open file.

    Args:
        descriptor: of the file, open for reading and writing.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def take(self, place: int, *, shared: bool = False) -> bool:
        """Lock a byte, and return whether that was possible: another process may have it.

        Args:
            place: of the byte.
            shared: whether others may have it too, as long as they share it as well.

        Raises :class:`OSError` where the file system has no locks.
        """
        import fcntl

        return self._changed(place, fcntl.F_RDLCK if shared else fcntl.F_WRLCK)

    def free(self, place: int) -> None:
        """Give a byte back."""
        import fcntl

        self._changed(place, fcntl.F_UNLCK)

    def is_held(self, place: int) -> bool:
        """Return whether somebody else has a byte, shared or not. Raise :class:`OSError` as :meth:`take` does."""
        import fcntl

        if not _has_own():
            if not self.take(place):
                return True
            self.free(place)
            return False
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)
        told = fcntl.fcntl(self._descriptor, fcntl.F_OFD_GETLK, asked)
        return bool(struct.unpack(_FLOCK, told)[0] != fcntl.F_UNLCK)

    def _changed(self, place: int, kind: int) -> bool:
        import fcntl

        try:
            if _has_own():
                asked = struct.pack(_FLOCK, kind, os.SEEK_SET, place, 1, 0)
                fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLK, asked)
            else:
                names = {fcntl.F_RDLCK: fcntl.LOCK_SH, fcntl.F_WRLCK: fcntl.LOCK_EX}
                how = names[kind] | fcntl.LOCK_NB if kind in names else fcntl.LOCK_UN
                fcntl.lockf(self._descriptor, how, 1, place)
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            raise
        return True


def _has_own() -> bool:
    return sys.platform == "linux"
