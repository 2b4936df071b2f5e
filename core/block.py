"""Renders, verdicts, and blocks of rows: what workers make and sinks store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.patch import Note, Patch


@dataclass(frozen=True, slots=True)
class Render:
    """The audio of one patch and one note.

    Attributes:
        audio: float32 (channels, frames), full scale 1.0.
        sample_rate: Hz.
        channels, frames: what the plan expects the shape of ``audio`` to be.
    """

    audio: NDArray[np.float32]
    sample_rate: int
    patch: Patch
    note: Note
    channels: int
    frames: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a validator says of a render.

    Attributes:
        measured: a number for each of the validator's measures, by name. NaN where it has none.
        reason: "" if accepted; else a word or two that are the same for all renders rejected for it.
    """

    measured: Mapping[str, float]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """An entry of the reject ledger: which candidate was rejected, by whom, and why.

    Attributes:
        by: the validator's name, or "engine" for a crash, a timeout or an error of the synth.
        reason: as in :class:`Verdict`, or "crash", "timeout", "error".
        detail: what was measured, or the signal or message.
        pitch: of the note that was playing, or -1 before any.
    """

    patch: int
    attempt: int
    by: str
    reason: str
    detail: str = ""
    pitch: int = -1
    measured: Mapping[str, float] = field(default_factory=dict)

    @property
    def cause(self) -> str:
        """By whom and why, such as "level: silent": what rejections are counted by."""
        return f"{self.by}: {self.reason}"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {name: getattr(self, name) for name in self.__slots__} | {"measured": dict(self.measured)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Rejection:
        """Return the rejection that :meth:`to_json` wrote."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Column:
    """One stored array of a dataset.

    Attributes:
        name: such as "audio" or "modulation/source".
        shape: of one row.
        dtype: NumPy's name for it, such as "float32".
        dims: a name for each axis of ``shape``.
        doc: what it holds, with units.
        content: whether it is part of the row's digest. Measurements are not.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    dims: tuple[str, ...]
    doc: str
    content: bool = True


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of a fixed run of patches: the unit of work, of commit and of resume.

    Attributes:
        index: of the block in its plan.
        first_row: index of its first row in the dataset.
        columns: one array per :class:`Column`, each (rows, *shape).
        digests: the SHA-256 of each row.
        rejections: candidates that were drawn before the accepted ones.
    """

    index: int
    first_row: int
    columns: Mapping[str, NDArray[Any]]
    digests: tuple[bytes, ...]
    rejections: tuple[Rejection, ...] = ()

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.digests)


def row_digests(schema: Sequence[Column], columns: Mapping[str, NDArray[Any]]) -> tuple[bytes, ...]:
    """Return the SHA-256 of each row: its content columns' little-endian bytes, in schema order."""
    arrays = [np.ascontiguousarray(columns[c.name], np.dtype(c.dtype).newbyteorder("<")) for c in schema if c.content]
    digests = []
    for row in range(len(arrays[0])):
        digest = hashlib.sha256()
        for array in arrays:
            digest.update(array[row].tobytes() if array[row].nbytes < 4096 else array[row].data)
        digests.append(digest.digest())
    return tuple(digests)


def dataset_digest(digests: Sequence[bytes]) -> str:
    """Return the content digest of a dataset: the SHA-256 of its rows' digests, in row order."""
    return hashlib.sha256(b"".join(digests)).hexdigest()
