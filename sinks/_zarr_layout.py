"""How a dataset lies in a folder: the documents of Zarr v3 that describe it, as plain JSON.

::

    zarr.json                       attributes of the dataset, and consolidated metadata
    audio/c.<block>.0.0             one shard a block, one chunk a row
    <column>/c.<block>[.0...]       one chunk a block
    tonesmith/zarr.json             the record: what this sink needs to know
    tonesmith/blocks/<block>-<rows>-<bytes>.json    marker: the block is committed
    tonesmith/ledger/<patch>-<attempt>.json         a candidate that crashed or timed out
    tonesmith/assets/<sha256>
    tonesmith/aside/                files being written

The documents are written here, not by zarr-python: so a worker starts none of zarr's threads, which
would make its forks unsafe, and each document appears whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.errors import DatasetError, DatasetNotFoundError

if TYPE_CHECKING:
    from tonesmith.block import Column

LAYOUT = 1
"""Version of what this module describes."""

SIDE = "tonesmith"
"""The group beside the columns."""

SIDES = {
    "blocks": "one file for each committed block: its rows' digests and what was rejected on the way",
    "ledger": "one file for each candidate that crashed or timed out",
    "assets": "the content of assets, by SHA-256",
    "aside": "files being written",
}

_ITEMSIZE = {
    "bool": 1,
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "uint16": 2,
    "int32": 4,
    "uint32": 4,
    "int64": 8,
    "uint64": 8,
    "float16": 2,
    "float32": 4,
    "float64": 8,
}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")

INT24_UNIT = 2.0**-22
INT24_NAN = -(2**31)
_STORED = {"float32": "float32", "int24": "int32", "float16": "float16"}


@dataclass(frozen=True)
class Layout:
    """What the bytes of a dataset mean.

    Attributes:
        encoding: of the audio: "float32", "int24" or "float16".
        level: of zstd, for audio.
        block_rows: rows of a full block.
        rows: of the whole plan.
        columns: the schema.
    """

    encoding: str
    level: int
    block_rows: int
    rows: int
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        for column in self.columns:
            top = column.name.split("/", maxsplit=1)[0]
            if not _NAME.fullmatch(column.name) or top == SIDE:
                raise DatasetError(f"a column cannot be named {column.name!r}: use letters, digits, _, - and .")
            if column.dtype not in _ITEMSIZE:
                raise DatasetError(f"column {column.name}: dtype {column.dtype} cannot be stored")
        if self.encoding not in _STORED or self.block_rows < 1 or self.rows < 0:
            raise DatasetError(f"no such layout: {self.encoding} audio, {self.rows} rows, {self.block_rows} a block")

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise DatasetError(f"there is no column {name!r}. Columns: {', '.join(c.name for c in self.columns)}.")

    def chunk_file(self, column: Column, block: int) -> str:
        """Return the path, inside the dataset, of a block's part of a column."""
        return f"{column.name}/c.{block}" + ".0" * len(column.shape)

    def stored_dtype(self, column: Column) -> str:
        """Return the dtype that a column has in the file."""
        return _STORED[self.encoding] if column.name == "audio" else column.dtype

    def fill(self, column: Column) -> float | int | bool:
        """Return what a row that is not there yet reads as in plain zarr; it is never silence."""
        dtype = self.stored_dtype(column)
        if dtype.startswith("float"):
            return float("nan")
        if column.name == "audio":
            return INT24_NAN
        return False if dtype == "bool" else 0 if dtype.startswith("u") else -1

    def chunk_bytes(self, column: Column) -> int:
        """Return the bytes of an uncompressed chunk: a row of audio, or a block of another column."""
        size = _ITEMSIZE[self.stored_dtype(column)] * (1 if column.name == "audio" else self.block_rows)
        for length in column.shape:
            size *= length
        return size

    def to_json(self) -> dict[str, Any]:
        """Return the record."""
        columns = [[c.name, list(c.shape), c.dtype, list(c.dims), c.doc, c.content] for c in self.columns]
        return {
            "sink": "zarr",
            "layout": LAYOUT,
            "encoding": self.encoding,
            "level": self.level,
            "block_rows": self.block_rows,
            "rows": self.rows,
            "columns": columns,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Layout:
        """Return the layout of a record; raise :class:`DatasetError` if it is of a newer version."""
        from tonesmith.block import Column

        if data["layout"] != LAYOUT:
            raise DatasetError(f"it has Zarr layout {data['layout']!r}; this tonesmith reads {LAYOUT}. Upgrade it.")
        columns = tuple(
            Column(str(name), tuple(map(int, shape)), str(dtype), tuple(map(str, dims)), str(doc), bool(content))
            for name, shape, dtype, dims, doc, content in data["columns"]
        )
        return cls(str(data["encoding"]), int(data["level"]), int(data["block_rows"]), int(data["rows"]), columns)


def read_layout(path: Path) -> Layout | None:
    """Return the layout that the record in a folder tells, or None if there is no record of this sink."""
    try:
        record = json.loads((path / SIDE / "zarr.json").read_bytes())["attributes"]
        if record["sink"] != "zarr":
            return None
        return Layout.from_json(record)
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def required_layout(path: Path) -> Layout:
    """Return the layout of the dataset at a path.

    Raises :class:`DatasetNotFoundError` if nothing is there, :class:`DatasetError` if it is something else.
    """
    layout = read_layout(path)
    if layout is None:
        if not path.exists():
            raise DatasetNotFoundError(f"there is no dataset at {path}")
        raise DatasetError(f"{path} is not a Zarr dataset of tonesmith")
    return layout


def documents(layout: Layout, attributes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return node path -> Zarr document, for each node of the dataset; the root is last."""
    nodes: dict[str, dict[str, Any]] = {SIDE: _group(layout.to_json())}
    for name, doc in SIDES.items():
        nodes[f"{SIDE}/{name}"] = _side(doc)
    for column in layout.columns:
        parts = column.name.split("/")
        for depth in range(1, len(parts)):
            nodes.setdefault("/".join(parts[:depth]), _group({}))
        nodes[column.name] = array_document(layout, column)
    return {**nodes, "": root_document(attributes, nodes)}


def root_document(attributes: Mapping[str, Any], nodes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of the root group, with the metadata of every other node."""
    metadata = {path: _bare(nodes[path]) for path in sorted(nodes)}
    consolidated = {"kind": "inline", "must_understand": False, "metadata": metadata}
    return {**_group(attributes), "consolidated_metadata": consolidated}


def array_document(layout: Layout, column: Column) -> dict[str, Any]:
    """Return the document of a column's array."""
    dtype, fill = layout.stored_dtype(column), layout.fill(column)
    audio = column.name == "audio"
    codecs = _codecs(_ITEMSIZE[dtype], layout.level if audio else 1, layout.chunk_bytes(column))
    if audio:
        codecs = [_sharding([1, *column.shape], codecs)]
    attributes: dict[str, Any] = {"doc": column.doc}
    if audio and layout.encoding == "int24":
        attributes |= {"scale_factor": INT24_UNIT, "_FillValue": INT24_NAN}  # as CF names them, for xarray
    return {
        "shape": [layout.rows, *column.shape],
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [layout.block_rows, *column.shape]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
        "fill_value": "NaN" if fill != fill else fill,  # noqa: PLR0124 - this is how NaN is told
        "codecs": codecs,
        "attributes": attributes,
        "dimension_names": ["row", *column.dims],
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }


def _codecs(itemsize: int, level: int, nbytes: int) -> list[dict[str, Any]]:
    """Return bytes, Blosc, checksum. One Blosc block a chunk packs best, and starts none of Blosc's threads."""
    order = {"configuration": {"endian": "little"}} if itemsize > 1 else {}
    blosc = {"typesize": itemsize, "cname": "zstd", "clevel": level, "shuffle": "shuffle", "blocksize": nbytes}
    return [{"name": "bytes", **order}, {"name": "blosc", "configuration": blosc}, {"name": "crc32c"}]


def _sharding(chunk: list[int], codecs: list[dict[str, Any]]) -> dict[str, Any]:
    index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
    configuration = {"chunk_shape": chunk, "codecs": codecs, "index_codecs": index, "index_location": "end"}
    return {"name": "sharding_indexed", "configuration": configuration}


def _side(doc: str) -> dict[str, Any]:
    """Return the document of a side folder: an array of no rows, for zarr looks into a group and warns of files."""
    return {
        "shape": [0],
        "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
        "fill_value": 0,
        "codecs": [{"name": "bytes"}],
        "attributes": {"doc": doc},
        "dimension_names": ["entry"],
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }


def _group(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"attributes": dict(attributes), "zarr_format": 3, "node_type": "group"}


def _bare(node: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key != "consolidated_metadata"}
