"""The master file: the whole dataset as one, its audio virtual.

While blocks are missing all of it is virtual: rows that are not there read as NaN, -1, 0, false or "". Once all are
there, everything but audio is copied into it, as it is packed. For HDF5 keeps each file open that it has read through
a virtual array, and shows rows of a file that it cannot open as missing: with the usual limit of 1024 open files,
reading all labels of 1,500 blocks would give wrong ones without a word.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tonesmith.dataset.importance import importance_of
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.sinks.base import records
from tonesmith.sinks.base.block_layout import Layout
from tonesmith.sinks.base.files import Aside
from tonesmith.sinks.hdf5.blocks import MASTER
from tonesmith.sinks.hdf5.file import (
    Disk,
    Held,
    copy_chunks,
    make_bytes,
    make_dataset,
    make_group,
    make_virtual,
    new_file,
    open_file,
    set_attributes,
)
from tonesmith.sinks.hdf5.profile import Form

RECORD = "record/dataset"
"""Where a file keeps the layout, with the attributes of the dataset."""

WEIGHTS = "importance_weights/weights"

_AUDIO = "audio/waveforms"
_SHOWS = "shows"
"""The attribute that tells of what a master was made."""


def write_master(files: Aside, layout: Layout, file_of: Callable[[int, str], str], target: Path) -> None:
    """Write the master of a dataset aside, unless there is one that shows the same.

    Args:
        files: gives the place to write to.
        layout: of the dataset.
        file_of: block and split -> the block's file, relative to the dataset.
        target: the dataset's own path, beside which its importance is kept.
    """
    form, there = Form(layout), _whole(files.root, layout)
    weights = weights_of(form, target)
    shows = _digest(layout, there, weights)
    if _shown(files.root / MASTER) == shows:
        return
    sources = {block: files.root / file_of(block, "") for block in there}
    with open(files.path(files.root / MASTER), "xb+", buffering=0) as raw:  # noqa: PTH123 - as Aside names files
        try:
            _fill(raw, form, file_of, sources, weights, shows)
        except (OSError, RuntimeError, LookupError, ValueError):
            if not sources:
                raise
            raw.truncate(0)  # a block is damaged: whoever reads it will be told, and the others are shown
            _fill(raw, form, file_of, {}, weights, "")


def check_master(path: Path, layout: Layout) -> Iterator[str]:
    """Yield what is wrong with the master of a dataset: all but audio is read, which stands in the blocks' files."""
    cure = f"Delete {MASTER}, if it is there, and re-run the command that made the dataset. This makes the file again."
    form, file = Form(layout), path / MASTER
    try:
        with open_file(file) as master:
            shown = str(master.attrs.get(_SHOWS, ""))
            arrays = [master[held.path] for held in form.held if held.stored]
            copied = [array for array in arrays if not array.is_virtual]
            for array in copied:
                for first in range(0, len(array), layout.block_rows):
                    array[first : first + layout.block_rows]
    except FileNotFoundError:
        yield f"{MASTER} is missing. {cure}"
    except Exception as error:  # noqa: BLE001 - the file is anybody's
        yield f"{MASTER} is damaged ({str(error).partition(',')[0]}). {cure}"
    else:
        there = _whole(path, layout)
        with contextlib.suppress(DatasetError):  # of importance, which its own reader tells
            if there and copied and shown != _digest(layout, there, weights_of(form, path)):
                yield f"{MASTER} does not match the blocks. {cure}"


def _whole(folder: Path, layout: Layout) -> dict[int, tuple[bytes, ...]]:
    """Return block index -> digests of its rows, if every row of the dataset is there; else nothing."""
    there = records.committed(folder)
    if not is_whole(layout, {block: marker.rows for block, marker in there.items()}):
        return {}
    try:
        return {block: marker.read()["digests"] for block, marker in there.items()}
    except DatasetError:  # of a marker; whoever reads the block will be told
        return {}


def _fill(
    raw: BinaryIO,
    form: Form,
    file_of: Callable[[int, str], str],
    sources: Mapping[int, Path],
    weights: Any,
    shows: str,
) -> None:
    """Write a master whose small arrays are copied from the blocks' files, or are virtual if none is given."""
    disk, layout = Disk(raw), form.layout
    with new_file(disk) as file:
        copied = []
        for held in form.held:
            if held.stored and (held.also == _AUDIO or not sources):
                make_virtual(file, held, layout.rows, layout.block_rows, lambda block: file_of(block, ""))
            else:
                make_whole(file, form, held)
                copied += [held] if held.stored else []
        for block, path in sources.items():
            _copy(file, form, copied, block, path)
            disk.check()
        describe(file, form, weights)
        set_attributes(file, {_SHOWS: shows})
    disk.check()


def make_whole(file: Any, form: Form, held: Held) -> Any:
    """Make an array for every row of the dataset, in a file that holds its chunks itself."""
    layout = form.layout
    most = -(-layout.rows // layout.block_rows) * layout.block_rows
    return make_dataset(file, held, layout.rows, most, layout.block_rows, form.packing)


def describe(file: Any, form: Form, weights: Any) -> None:
    """Write what a file tells of the dataset: attributes, schema, record, importance."""
    set_attributes(file, form.attributes())
    for held in form.held:
        set_attributes(file[held.path], {"doc": held.doc})
    make_group(file, "schema")
    set_attributes(file["schema"], form.schema())
    write_record(file, form)
    write_weights(file, weights)


def write_record(file: Any, form: Form) -> None:
    """Write the layout, with the attributes of the dataset, in place of the one that is there."""
    if RECORD in file:
        del file[RECORD]
    content = json.dumps(form.layout.to_json(), allow_nan=False, ensure_ascii=False).encode()
    make_bytes(file, RECORD, content, form.packing)


def write_weights(file: Any, weights: Any) -> None:
    """Write the importance weights, if there are any, in place of those that are there."""
    if WEIGHTS in file:
        del file[WEIGHTS]
    if weights is not None:
        make_group(file, WEIGHTS.rpartition("/")[0])
        array = file.create_dataset(WEIGHTS, data=weights.astype("<f4"), track_times=False)
        set_attributes(array, {"doc": "loss weights of the continuous parameters, of mean 1"})


def weights_of(form: Form, target: Path) -> Any:
    """Return the loss weights of the continuous parameters, float32, as measured for a dataset; None if they are not.

    Raises :class:`DatasetError` if the file that tells them is damaged.
    """
    found = importance_of(target)
    if found is None:
        return None
    try:
        return found.weights([p.name for p in form.space.continuous])
    except ConfigError:  # it is of other parameters, or none of them changed the sound
        return None


def is_whole(layout: Layout, there: Mapping[int, int]) -> bool:
    """Return whether every row is there, of a dataset with so many in each block."""
    return sum(there.values()) == layout.rows


def _copy(file: Any, form: Form, copied: Iterable[Held], block: int, path: Path) -> None:
    layout = form.layout
    first = block * layout.block_rows
    rows = min(layout.block_rows, layout.rows - first)
    with open_file(path) as source:
        for held in copied:
            copy_chunks(source[held.path], file[held.path], first, held.chunk(layout.block_rows), rows)


def _digest(layout: Layout, there: Mapping[int, Sequence[bytes]], weights: Any) -> str:
    """Return the SHA-256 of all that a master is made of."""
    digest = hashlib.sha256(json.dumps(layout.to_json(), sort_keys=True).encode())
    digest.update(b"" if weights is None else np.asarray(weights, "<f4").tobytes())
    for block, digests in there.items():
        digest.update(b"\n%d " % block + b"".join(digests))
    return digest.hexdigest()


def _shown(path: Path) -> str:
    """Return of what a master was made, or "" if there is none that can be read."""
    try:
        with open_file(path) as file:
            return str(file.attrs.get(_SHOWS, ""))
    except (OSError, RuntimeError, ValueError):
        return ""
