"""Joining the parts of a finished dataset into a single HDF5 file."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tonesmith.errors import DatasetError
from tonesmith.host.roles import Storage
from tonesmith.plan.block import row_digests
from tonesmith.plan.rejection import Rejection
from tonesmith.sinks.base import records
from tonesmith.sinks.base.block_layout import Layout
from tonesmith.sinks.base.block_storage import BlockStorage
from tonesmith.sinks.base.files import Aside, folder_aside, sweep, telling
from tonesmith.sinks.hdf5.blocks import Hdf5Blocks
from tonesmith.sinks.hdf5.file import Disk, copy_chunks, make_bytes, new_file, open_file
from tonesmith.sinks.hdf5.master import (
    describe,
    is_whole,
    make_whole,
    weights_of,
)
from tonesmith.sinks.hdf5.profile import Form
from tonesmith.sinks.hdf5.single import ASSETS, DIGESTS, FAULTS, LEDGER, SingleStorage, is_single


def join(parts: Path, path: Path) -> bool:
    """Make the single file of its parts; return whether it is there: not while a block is missing.

    Chunks are copied as they are packed, once the rows of their block have proved to be what was written.

    Raises :class:`DatasetError` if a block is damaged, or the disk is full.
    """
    try:
        _join(parts, path)
    except DatasetError:
        if path.is_file() and is_single(path):  # another process was faster, and has removed the parts
            return True
        raise
    return path.is_file()


def _join(parts: Path, path: Path) -> None:
    storage = BlockStorage(parts, Hdf5Blocks)
    form = Form(Hdf5Blocks.required_layout(parts))
    if not is_whole(form.layout, storage.committed()):
        return
    final = path.absolute()
    with telling(str(path), path), Aside(final.parent, None) as files:
        sweep(final.parent)
        with open(files.path(final), "xb+", buffering=0) as raw:  # noqa: PTH123 - as Aside names files
            disk = Disk(raw)
            with new_file(disk) as file:
                copied = [held for held in form.held if make_whole(file, form, held) and held.stored]
                digests = make_whole(file, form, DIGESTS)
                for block, stored in storage.blocks().items():
                    first = block * form.layout.block_rows
                    _check_plan(storage, block)
                    _check(storage, form.layout, block, range(first, first + len(stored)), stored)
                    with open_file(parts / Hdf5Blocks.file_of(block, "")) as source:
                        for held in copied:
                            chunk = held.chunk(form.layout.block_rows)
                            copy_chunks(source[held.path], file[held.path], first, chunk, len(stored))
                    digests[first : first + len(stored)] = np.frombuffer(b"".join(stored), np.uint8).reshape(-1, 32)
                    disk.check()
                describe(file, form, weights_of(form, path))
                _write_record(file, form, parts, storage)
            disk.check()
        files.commit()


def _check(storage: Storage, layout: Layout, block: int, rows: range, stored: Sequence[bytes]) -> None:
    columns = {column.name: storage.read(column.name, rows) for column in layout.columns}
    if row_digests(layout.columns, columns) != tuple(stored):
        raise DatasetError(f"block {block} has changed since it was written. `tonesmith verify` says what to do.")


def _check_plan(storage: Storage, block: int) -> None:
    made_by = storage.plan_of(block)
    if made_by and made_by != storage.attributes.get("fingerprint", made_by):
        raise DatasetError(f"block {block} was made by another plan. `tonesmith verify` tells what to do.")


def _write_record(file: Any, form: Form, parts: Path, storage: Storage) -> None:
    make_bytes(file, LEDGER, _told(records.rejections(parts)), form.packing)
    make_bytes(file, FAULTS, _told(records.faults(parts)), form.packing)
    for name in storage.assets():
        make_bytes(file, f"{ASSETS}/{name}", storage.asset(name), form.packing)


def _told(rejections: Iterable[Rejection]) -> bytes:
    """Return rejections as strict JSON, which has no NaN: measured numbers are told in words."""
    told = [{**r.to_json(), "measured": {k: repr(float(v)) for k, v in r.measured.items()}} for r in rejections]
    return json.dumps(told, allow_nan=False).encode()


def holds(single: SingleStorage, parts: Path) -> bool:
    """Return whether a file has every row that a folder of parts has, of the same plan."""
    try:
        there = BlockStorage(parts, Hdf5Blocks)
        own, theirs = single.blocks(), there.blocks()
        same = single.attributes.get("fingerprint") == there.attributes.get("fingerprint")
        return same and all(own.get(block) == digests for block, digests in theirs.items())
    except DatasetError:  # whatever it is, it is not known to be in the file
        return False


def discard(parts: Path) -> None:
    """Remove the parts of a file that is finished: at once out of sight, then from the disk."""
    with contextlib.suppress(FileNotFoundError), folder_aside(parts.absolute().parent) as grave:
        os.rename(parts, grave / "parts")  # noqa: PTH104
