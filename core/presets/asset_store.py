"""Contents by their SHA-256, kept out of memory while a plan is made of them."""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections.abc import Iterator, Mapping

from tonesmith.space.patch import sha256_hex


class AssetStore(Mapping[str, bytes]):
    """Contents in a temporary file without a name: nobody has to remove it, not even when this process is killed.

    Any thread may add and read.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the store
        self._places: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, self._file.close)

    def add(self, content: bytes) -> str:
        """Keep a content, once, and return its SHA-256."""
        name = sha256_hex(content)
        with self._lock:
            if name not in self._places:
                self._places[name] = (self._file.seek(0, 2), len(content))
                self._file.write(content)
        return name

    def __getitem__(self, name: str) -> bytes:
        """Return the content with that SHA-256; KeyError if there is none."""
        with self._lock:
            start, size = self._places[name]
            self._file.seek(start)
            return self._file.read(size)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._places))

    def __len__(self) -> int:
        return len(self._places)
