"""The groups and arrays of a dataset: zarr-python makes and changes them in memory, for a folder aside."""

from __future__ import annotations

import contextlib
import math
import shutil
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tonesmith.buckets.address import BucketPath
from tonesmith.buckets.sending import contents
from tonesmith.document import parsed_object
from tonesmith.sinks.base.links import check_links
from tonesmith.sinks.base.listing import listed
from tonesmith.sinks.base.records import SIDE, SIDES
from tonesmith.sinks.zarr.layout import INT24_NAN, INT24_UNIT, SEPARATOR, Layout, json_of

if TYPE_CHECKING:
    import zarr
    from zarr.storage import MemoryStore

    from tonesmith.plan.schema import Column

_KEYS: dict[str, Any] = {"name": "default", "separator": SEPARATOR}


def bring_up(folder: Path, layout: Layout, attributes: Mapping[str, Any]) -> None:
    """Make the groups and arrays in a folder, or bring those that are there up to this layout and these attributes."""
    with _in_memory(folder) as store:
        _bring_up(store, layout, attributes)
        _consolidate(store)


def _bring_up(store: MemoryStore, layout: Layout, attributes: Mapping[str, Any]) -> None:
    import zarr

    root = zarr.open_group(store, mode="a", zarr_format=3, use_consolidated=False)
    for column in layout.columns:
        array, shape = root.get(column.name), (layout.rows, *column.shape)
        if not isinstance(array, zarr.Array):
            _make_array(root, layout, column)
        elif array.shape != shape:
            array.resize(shape)
    side = root.require_group(SIDE)
    for name, doc in SIDES.items():
        if name not in side:  # an array of no rows, for zarr looks into a group and warns of files
            side.create_array(
                name,
                shape=(0,),
                chunks=(1,),
                dtype="uint8",
                compressors=None,
                chunk_key_encoding=_KEYS,
                dimension_names=("entry",),
                attributes={"doc": doc},
            )
    side.attrs.put(layout.to_json())
    root.attrs.put(dict(attributes))


def consolidate(folder: Path) -> None:
    """Gather the metadata of every group and array in the root's document."""
    with _in_memory(folder) as store:
        _consolidate(store)


def _consolidate(store: MemoryStore) -> None:
    import zarr

    with warnings.catch_warnings():  # that other libraries may not know it: they need not
        warnings.simplefilter("ignore", UserWarning)
        zarr.consolidate_metadata(store)


@contextlib.contextmanager
def _in_memory(folder: Path) -> Iterator[MemoryStore]:
    """Give the Zarr documents below a folder as a store, and write back those that changed.

    For each of its many steps on a folder, zarr-python wakes two threads: together they take twice as long.
    """
    from zarr.core.buffer import Buffer, cpu
    from zarr.storage import MemoryStore

    before = {file.relative_to(folder).as_posix(): file.read_bytes() for file in documents(folder)}
    held: dict[str, Buffer] = {key: cpu.Buffer.from_bytes(content) for key, content in before.items()}
    yield MemoryStore(held)
    for key, document in held.items():
        if (content := document.to_bytes()) != before.get(key):
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(content)


def documents(folder: Path) -> list[Path]:
    """Return the Zarr documents below a folder: that of this sink's record first, that of the root last."""
    return sorted(folder.rglob("zarr.json"), key=lambda file: (file.parent == folder, file.parent != folder / SIDE))


def copy_documents(source: Path, target: Path) -> None:
    """Copy the Zarr documents of a group, if there is one, and of all below it: whoever made them, and no chunk.

    Raises :class:`DatasetError` for a link: it may lead out of the dataset, or around in it for ever.
    """
    document = source / "zarr.json"
    check_links(source, document)
    if isinstance(source, BucketPath):
        _fetch_documents(source, target)
        return
    if not document.is_file():
        return
    target.mkdir(exist_ok=True)
    shutil.copyfile(document, target / "zarr.json")
    if json_of(document).get("node_type") == "group":
        for child in filter(Path.is_dir, source.iterdir()):
            check_links(source, child)
            copy_documents(child, target / child.name)


def _fetch_documents(source: BucketPath, target: Path) -> None:
    """Copy the Zarr documents of a group in a bucket, and of all below it, all of a level at once."""
    level = [(source, target)]
    while level:
        groups = []
        for (place, folder), content in zip(level, contents([place / "zarr.json" for place, _ in level]), strict=True):
            if content is not None:
                folder.mkdir(exist_ok=True)
                (folder / "zarr.json").write_bytes(content)
                if parsed_object(content, f"{place}/zarr.json").get("node_type") == "group":
                    groups.append((place, folder))
        inner = [(place, folder, name) for place, folder in groups for name in listed(place) if name != "zarr.json"]
        level = [(place / name, folder / name) for place, folder, name in inner]


def _make_array(root: zarr.Group, layout: Layout, column: Column) -> None:
    from zarr.codecs import BloscCodec, Crc32cCodec

    dtype, chunk = np.dtype(layout.stored_dtype(column)), layout.chunk(column)
    # One Blosc block a chunk packs best, and starts none of Blosc's threads.
    whole = math.prod(chunk) * dtype.itemsize
    level = layout.level_of(column)
    blosc = BloscCodec(cname="zstd", clevel=level, shuffle="shuffle", typesize=dtype.itemsize, blocksize=whole)
    audio = column.name == "audio"
    attributes: dict[str, Any] = {"doc": column.doc}
    if audio and layout.encoding == "int24":
        attributes |= {"scale_factor": INT24_UNIT, "_FillValue": INT24_NAN}  # as CF names them, for xarray
    root.create_array(
        column.name,
        shape=(layout.rows, *column.shape),
        dtype=dtype,
        chunks=chunk,
        shards=(layout.block_rows, *column.shape) if audio else None,
        compressors=[blosc, Crc32cCodec()],
        fill_value=layout.fill(column),
        dimension_names=("row", *column.dims),
        chunk_key_encoding=_KEYS,
        attributes=attributes,
    )
