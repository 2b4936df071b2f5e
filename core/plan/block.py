"""Blocks of rows, which workers make and sinks store, and the digests of rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.plan.rejection import Rejection
from tonesmith.plan.schema import Column


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of a fixed run of patches: the unit of work, of commit and of resume.

    Attributes:
        index: of the block in its plan.
        first_row: index of its first row in the dataset.
        columns: one array per :class:`Column`, each (rows, *shape).
        digests: the SHA-256 of each row.
        rejections: candidates that were drawn before the accepted ones.
        assets: contents that rows name and that are not kept yet, by SHA-256. They are stored before the block.
        plan: fingerprint of the plan that it was made by, which the sink stores with it; "" if that is not known.
    """

    index: int
    first_row: int
    columns: Mapping[str, NDArray[Any]]
    digests: tuple[bytes, ...]
    rejections: tuple[Rejection, ...] = ()
    plan: str = ""
    assets: Mapping[str, bytes] = field(default_factory=dict)

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
