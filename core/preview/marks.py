"""What a person said of rows: ratings and marks, in a small file beside the dataset that never touches a row."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.beside import beside, write_beside
from tonesmith.document import parsed_object, read_plain
from tonesmith.errors import DatasetError, TonesmithError, unreadable
from tonesmith.preview.lists.field import Values

FORMAT = 1
"""Version of the stored form. A reader refuses another one."""
RATINGS = range(1, 6)


@dataclass(frozen=True, slots=True)
class Mark:
    """What was said of a row.

    Attributes:
        rating: 1 to 5, or 0 for none.
        marked: whether it is to be exported.
    """

    rating: int = 0
    marked: bool = False


def marks_path(path: Path) -> Path:
    """Return the file that has the marks of the dataset at a path."""
    return beside(path, ".marks.json")


class Marks:
    """The ratings and marks of a dataset's rows, by the number that a row has in the plan.

    Args:
        path: of the file, which need not be there; None to keep nothing.
        fingerprint: of the plan. It stays the same when the dataset is extended, and so do the numbers of rows.

    Raises :class:`DatasetError` if the file cannot be read, is damaged, or belongs to another dataset.
    """

    def __init__(self, path: Path | None, fingerprint: str) -> None:
        self.path = path
        self._fingerprint = fingerprint
        self._lock = threading.Lock()
        self._of = _read(path, fingerprint) if path is not None else {}

    def __getitem__(self, row: int) -> Mark:
        return self._of.get(row, Mark())

    @property
    def rows(self) -> list[int]:
        """The rows that are marked, ascending."""
        return sorted(row for row, mark in self._of.items() if mark.marked)

    def rate(self, row: int, rating: int) -> None:
        """Rate a row from 1 to 5, or take its rating away with 0. Raises :class:`DatasetError` if it is not kept."""
        self._set(row, replace(self[row], rating=rating))

    def toggle(self, row: int) -> None:
        """Mark a row, or take its mark away. Raises :class:`DatasetError` if it is not kept."""
        self._set(row, replace(self[row], marked=not self[row].marked))

    def ratings(self, rows: NDArray[np.int64]) -> Values:
        """Return float32 (rows,), NaN for none."""
        return np.array([self[row].rating or np.nan for row in rows.tolist()], np.float32)

    def marked(self, rows: NDArray[np.int64]) -> Values:
        """Return int32 (rows,): 1 for marked, 0 for not."""
        return np.array([self[row].marked for row in rows.tolist()], np.int32)

    def _set(self, row: int, mark: Mark) -> None:
        with self._lock:
            of = {**self._of, row: mark}
            self._of = {row: mark for row, mark in sorted(of.items()) if mark != Mark()}
            if self.path is not None:
                _write(self.path, self._fingerprint, self._of)


def _write(path: Path, fingerprint: str, marks: Mapping[int, Mark]) -> None:
    rows = [{"row": row, "rating": mark.rating, "marked": mark.marked} for row, mark in marks.items()]
    content = json.dumps({"format": FORMAT, "fingerprint": fingerprint, "rows": rows}, indent=1).encode() + b"\n"
    write_beside(path, content)


def _read(path: Path, fingerprint: str) -> dict[int, Mark]:
    try:
        content = read_plain(path)
    except FileNotFoundError:
        return {}
    except TonesmithError:
        raise
    except OSError as error:
        raise unreadable(path, error) from error
    data = parsed_object(content, str(path))
    if data.get("format") != FORMAT:
        raise _wrong(path, f"it has format {data.get('format')!r:.40}, and this version of tonesmith reads {FORMAT}")
    if data.get("fingerprint") != fingerprint:
        raise _wrong(path, "it belongs to another dataset")
    rows = data.get("rows")
    if not isinstance(rows, list) or not all(map(_is_entry, rows)):
        raise _wrong(path, "it is damaged")
    return {entry["row"]: Mark(entry["rating"], entry["marked"]) for entry in rows}


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, Mapping)
        and set(entry) == {"row", "rating", "marked"}
        and all(type(entry[name]) is int for name in ("row", "rating"))
        and type(entry["marked"]) is bool
        and 0 <= entry["row"] < 2**63
        and entry["rating"] in {0, *RATINGS}
    )


def _wrong(path: Path, what: str) -> DatasetError:
    return DatasetError(f"{path} cannot be used: {what}. Move it away, or delete it.")
