"""How a dataset of blocks lies in its folder, and the record that says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.errors import DatasetError
from tonesmith.sinks.base.columns import check_columns, columns_from_json, columns_json, difference
from tonesmith.sinks.base.files import read_plain
from tonesmith.sinks.base.records import SIDE

if TYPE_CHECKING:
    from tonesmith.plan.schema import Column

RECORD = "dataset.json"


@dataclass(frozen=True)
class Layout:
    """What the record of a dataset tells.

    Attributes:
        sink: name of the sink.
        version: of the form of its files.
        options: of the sink.
        block_rows: rows of a full block.
        rows: of the whole plan.
        columns: the schema.
        attributes: the JSON kept with the data.
    """

    sink: str
    version: int
    options: Mapping[str, Any]
    block_rows: int
    rows: int
    columns: tuple[Column, ...]
    attributes: Mapping[str, Any] = field(compare=False)

    def __post_init__(self) -> None:
        check_columns(self.columns)
        if self.block_rows < 1 or self.rows < 0:
            raise DatasetError(f"no such layout: {self.rows} rows, {self.block_rows} per block")

    def to_json(self) -> dict[str, Any]:
        """Return the record."""
        return {
            "sink": self.sink,
            "layout": self.version,
            "options": dict(self.options),
            "block_rows": self.block_rows,
            "rows": self.rows,
            "columns": columns_json(self.columns),
            "attributes": dict(self.attributes),
        }

    @property
    def sample_rate(self) -> int:
        """Hz, as the plan tells it."""
        try:
            return int(self.attributes["plan"]["audio"]["sample_rate"])
        except (LookupError, TypeError, ValueError):
            raise DatasetError("the dataset has no plan in its attributes") from None

    def unlike(self, there: Layout) -> str:
        """Return in what a dataset that is there is of another form, or "" if it may be brought up to this one."""
        for name, value in self.options.items():
            if there.options.get(name) != value:
                return f"its {name} is {there.options.get(name)}, not {value}"
        if there.block_rows != self.block_rows:
            return f"its blocks have {there.block_rows} rows, not {self.block_rows}"
        return difference(there.columns, self.columns) if there.columns != self.columns else ""


def read_layout(path: Path, sink: str, version: int) -> Layout | None:
    """Return what the record in a folder tells, or None if there is no record of that sink.

    Raises :class:`DatasetError` if the record is of another version.
    """
    try:
        record = json.loads(read_plain(path / SIDE / RECORD))
        if record["sink"] != sink:
            return None
        if record["layout"] != version:
            raise DatasetError(
                f"{path}: it has {sink} layout {record['layout']!r}; this version of tonesmith reads {version}. "
                "Upgrade tonesmith."
            )
        return Layout(
            sink,
            version,
            dict(record["options"]),
            int(record["block_rows"]),
            int(record["rows"]),
            columns_from_json(record["columns"]),
            dict(record["attributes"]),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
