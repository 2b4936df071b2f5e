"""What every dataset in a folder shares when it is read: markers, the ledger, assets, its size."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tonesmith.errors import BlockDamagedError, DatasetError, unreadable
from tonesmith.host.roles import Storage
from tonesmith.plan.rejection import Rejection
from tonesmith.sinks.base import records
from tonesmith.sinks.base.records import SIDE

_ANEW = "Delete it, and re-run the command that made the dataset."


class FolderStorage(Storage):
    """Reads what lies beside the columns; a subclass reads those."""

    column_files: ClassVar[bool] = False
    """Whether each column of a block has a file of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last_seen: dict[int, records.Marker] = {}

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
        total = 0
        for folder, _, names in os.walk(self._path):
            for name in names:
                try:
                    total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - there may be a million
                except FileNotFoundError:  # renamed by a writer meanwhile
                    continue
        return total

    def check(self) -> Iterable[str]:
        """Yield what is wrong with markers and with the ledger."""
        for name in records.cut_short(self._path):
            yield f"{SIDE}/blocks/{name} is cut short, so its block counts as missing. {_ANEW}"
        try:
            records.faults(self._path)
        except DatasetError as error:
            yield str(error)

    def _unreadable(self, column: str, block: int, error: Exception) -> DatasetError:
        """Return the error that tells why a column of a block cannot be read, and what to do."""
        marker = records.committed(self._path).get(block)
        if marker is None:
            return DatasetError(f"{self._path}: block {block} is not stored yet")
        if isinstance(error, PermissionError):
            return unreadable(error.filename or f"{self._path}: block {block}", error)
        if isinstance(error, FileNotFoundError):
            what = f"its {column} file is missing" if self.column_files else "its file is missing"
        else:
            what = f"{column}: {error}"
        again = "and re-run the command that made the dataset, to make the block again."
        told = f"{self._path}: block {block} is damaged ({what}). Delete {marker.path} {again}"
        folder = Path(marker.path).parent
        cure = f"Delete the block's marker, the file in {folder} whose name begins with its number, {again}"
        return BlockDamagedError(told, block, what, cure)
