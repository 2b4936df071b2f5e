"""What every dataset in a folder shares when it is read: markers, the ledger, assets, its size."""

from __future__ import annotations

import contextlib
import errno
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tonesmith.buckets.address import BucketPath
from tonesmith.buckets.reading import forget
from tonesmith.errors import BlockDamagedError, DatasetError, unreadable
from tonesmith.host.roles import Storage
from tonesmith.plan.rejection import Rejection
from tonesmith.sinks.base import records
from tonesmith.sinks.base.listing import total_size
from tonesmith.sinks.base.records import SIDE

_ANEW = "Delete it, and re-run the command that made the dataset."


class FolderStorage(Storage):
    """Reads what lies beside the columns; a subclass reads those."""

    column_files: ClassVar[bool] = False
    """Whether each column of a block has a file of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last_seen: dict[int, records.Marker] = {}
        self._distrusted: dict[int, str] = {}

    def blocks(self) -> Mapping[int, tuple[bytes, ...]]:
        """Return block index -> digests of its rows; a marker is read when its block is asked for."""
        return records.Digests(self._path)

    def committed(self) -> Mapping[int, int]:
        """Return block index -> number of its rows, from a listing alone."""
        self._last_seen = records.committed(self._path)
        return {block: marker.rows for block, marker in self._last_seen.items()}

    def plan_of(self, block: int) -> str:
        """Return the fingerprint of the plan that a block was made by, as its marker tells."""
        for again in (False, True):
            marker = self._last_seen.get(block)
            if marker is not None:
                with contextlib.suppress(FileNotFoundError):  # it was replaced since the listing
                    return str(marker.read()["plan"])
            if not again:
                self.committed()
        return ""

    def rejections(self) -> Iterable[Rejection]:
        """Return the reject ledger, by patch and attempt."""
        return records.rejections(self._path)

    def asset(self, name: str) -> bytes:
        """Return the content with that SHA-256, checked against it."""
        return records.read_asset(self._path, name)

    def assets(self) -> Sequence[str]:
        """Return the SHA-256 of every asset that is stored."""
        return records.asset_names(self._path)

    def nbytes(self) -> int:
        """Return the bytes of all files of the dataset."""
        return total_size(self._path)

    def check(self) -> Iterable[str]:
        """Yield what is wrong with markers and with the ledger."""
        for name in records.cut_short(self._path):
            yield f"{SIDE}/blocks/{name} is cut short, so its block counts as missing. {_ANEW}"
        try:
            records.faults(self._path)
        except DatasetError as error:
            yield str(error)

    def _root(self, block: int) -> Path:
        """Return the path below which the files of a block are read.

        In a bucket, it stands for the block as its marker tells of it: what was read so is kept on this machine, until
        the marker is another. Raises :class:`FileNotFoundError` there if the block has no marker.
        """
        if not isinstance(self._path, BucketPath):
            return self._path
        marker = self._last_seen.get(block) or last_marker(self._path, block)
        if marker is None:
            raise FileNotFoundError(errno.ENOENT, "it is not stored yet", str(self._path))
        self._last_seen[block] = marker
        return self._path.stamped(f"{marker.path} {self._distrusted.get(block, '')}")

    def _distrust(self, block: int, *files: str) -> bool:
        """Return whether a block that seems damaged is worth another look: in a bucket, once.

        The copies that this machine has of its files are let go then, and its marker is looked for anew.

        Args:
            block: that seems damaged.
            files: of it, as paths in the dataset.
        """
        if not isinstance(self._path, BucketPath) or block in self._distrusted:
            return False
        with contextlib.suppress(FileNotFoundError):
            for file in files:
                forget(self._root(block) / file)
        self._last_seen.pop(block, None)
        self._distrusted[block] = secrets.token_hex(8)
        return True

    def _unreadable(self, column: str, block: int, error: Exception) -> DatasetError:
        """Return the error that tells why a column of a block cannot be read, and what to do."""
        marker = last_marker(self._path, block)
        if marker is None:
            return DatasetError(f"{self._path}: block {block} is not stored yet")
        if isinstance(error, PermissionError):
            return unreadable(error.filename or f"{self._path}: block {block}", error)
        if isinstance(error, FileNotFoundError):
            what = f"its {column} file is missing" if self.column_files else "its file is missing"
        else:
            what = f"{column}: {error}"
        again = "and re-run the command that made the dataset, to make the block again."
        told = f"{self._path}: block {block} is damaged ({what}). Delete {marker.file} {again}"
        folder = marker.file.parent
        cure = f"Delete the block's marker, the file in {folder} whose name begins with its number, {again}"
        return BlockDamagedError(told, block, what, cure)


def last_marker(path: Path, block: int) -> records.Marker | None:
    """Return the marker that counts for a block. Only the names of the others are looked at."""
    return max(records.markers(path, block), key=lambda marker: marker.rows, default=None)
