"""How a dataset lies in a folder, and the record that tells it.

::

    zarr.json                       attributes of the dataset, and consolidated metadata
    audio/c.<block>.0.0             one shard a block, one chunk a row
    <column>/c.<block>[.0...]       one chunk a block
    tonesmith/zarr.json             the record: what this sink needs to know
    tonesmith/blocks/<block>-<rows>-<bytes>.json    marker: the block is committed
    tonesmith/ledger/<patch>-<attempt>.json         a candidate that crashed or timed out
    tonesmith/assets/<sha256>
    tonesmith/plan/<fingerprint>    empty: whose dataset it is
    tonesmith/aside/                what is being written

zarr-python makes each ``zarr.json``; chunks and shards are written without it, to appear whole and in half the
time. Nothing here imports it, so that neither a worker nor a reader waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.document import parsed_object, read_plain
from tonesmith.errors import DatasetError, DatasetNotFoundError, unreadable
from tonesmith.sinks.base.columns import check_columns, column_of, columns_from_json, columns_json, whole
from tonesmith.sinks.base.records import SIDE

if TYPE_CHECKING:
    from tonesmith.plan.schema import Column

LAYOUT = 1
"""Version of what this module describes."""

SEPARATOR = "."
"""Between the indices in the name of a chunk's file."""

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
        check_columns(self.columns)
        if self.encoding not in _STORED or self.block_rows < 1 or self.rows < 0:
            raise DatasetError(f"no such layout: {self.encoding} audio, {self.rows} rows, {self.block_rows} per block")

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return column_of(self.columns, name)

    def chunk(self, column: Column) -> tuple[int, ...]:
        """Return the shape of a chunk: a row of audio, or a block of another column."""
        return (1 if column.name == "audio" else self.block_rows, *column.shape)

    def chunk_file(self, column: Column, block: int) -> str:
        """Return the path, inside the dataset, of a block's part of a column."""
        return f"{column.name}/{SEPARATOR.join(['c', str(block), *'0' * len(column.shape)])}"

    def level_of(self, column: Column) -> int:
        """Return the level of zstd for a column."""
        return self.level if column.name == "audio" else 1

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

    def describes(self, column: Column, document: Mapping[str, Any]) -> bool:
        """Return whether an array's document tells the form that this sink writes and reads without zarr."""
        whole, codecs = [self.block_rows, *column.shape], document["codecs"]
        if column.name == "audio":
            shard = codecs[0]["configuration"]
            index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
            if shard["chunk_shape"] != list(self.chunk(column)) or shard["index_codecs"] != index:
                return False
            codecs = shard["codecs"] if shard["index_location"] == "end" else []
        return (
            [codec["name"] for codec in codecs] == ["bytes", "blosc", "crc32c"]
            and codecs[0].get("configuration", {}).get("endian", "little") == "little"
            and document["data_type"] == self.stored_dtype(column)
            and document["chunk_grid"] == {"name": "regular", "configuration": {"chunk_shape": whole}}
            and document["chunk_key_encoding"] == {"name": "default", "configuration": {"separator": SEPARATOR}}
        )

    def to_json(self) -> dict[str, Any]:
        """Return the record."""
        return {
            "sink": "zarr",
            "layout": LAYOUT,
            "encoding": self.encoding,
            "level": self.level,
            "block_rows": self.block_rows,
            "rows": self.rows,
            "columns": columns_json(self.columns),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Layout:
        """Return the layout of a record; raise :class:`DatasetError` if it is of a newer version."""
        if data["layout"] != LAYOUT:
            raise DatasetError(
                f"it has Zarr layout {data['layout']!r}; this version of tonesmith reads {LAYOUT}. Upgrade tonesmith."
            )
        columns = columns_from_json(data["columns"])
        return cls(str(data["encoding"]), whole(data["level"]), whole(data["block_rows"]), whole(data["rows"]), columns)


def read_layout(path: Path) -> Layout | None:
    """Return the layout that the record in a folder tells, or None if there is no record of this sink.

    Raises :class:`DatasetError` if it is of a newer version, or may not be read.
    """
    file = path / SIDE / "zarr.json"
    try:
        record = json_of(file)["attributes"]
        if record["sink"] != "zarr":
            return None
    except PermissionError as error:
        raise unreadable(file, error) from None
    except (OSError, DatasetError, LookupError, TypeError):
        return None
    try:
        return Layout.from_json(record)
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from None
    except (ValueError, LookupError, TypeError):
        return None


def json_of(file: Path) -> dict[str, Any]:
    """Return the object in a JSON document. Raises :class:`OSError`, and :class:`DatasetError` if it is damaged."""
    return parsed_object(read_plain(file), str(file))


def attributes_of(path: Path) -> dict[str, Any]:
    """Return the attributes of a dataset. Raises :class:`DatasetError`."""
    file = path / "zarr.json"
    try:
        attributes = json_of(file).get("attributes")
    except FileNotFoundError:
        told = "is missing"
    except PermissionError as error:
        raise unreadable(file, error) from None
    except (OSError, DatasetError) as error:
        told = f"is damaged ({error!s:.200})"
    else:
        if isinstance(attributes, dict):
            return attributes
        told = "is damaged (it has no attributes)"
    raise DatasetError(
        f"{path}: zarr.json {told}. Delete it, if it is there, and re-run the command that made the dataset: the "
        "blocks are untouched."
    )


def required_layout(path: Path) -> Layout:
    """Return the layout of the dataset at a path.

    Raises :class:`DatasetNotFoundError` if nothing is there, :class:`DatasetError` if it is something else.
    """
    layout = read_layout(path)
    if layout is None:
        if not path.exists():
            raise DatasetNotFoundError(f"there is no dataset at {path}")
        raise DatasetError(f"{path} is not a tonesmith Zarr dataset")
    return layout
