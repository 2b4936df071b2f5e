"""How a dataset of blocks lies in its folder, and the record that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.document import parsed_object, read_plain
from tonesmith.errors import DatasetError, unreadable
from tonesmith.sinks.base.columns import check_columns, columns_from_json, columns_json, difference, whole
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
    file = path / SIDE / RECORD
    try:
        record = parsed_object(read_plain(file), str(file))
        return layout_of(path, record, version) if record["sink"] == sink else None
    except PermissionError as error:
        raise unreadable(file, error) from None
    except OtherLayoutError:
        raise
    except (OSError, DatasetError, ValueError, LookupError, TypeError):
        return None


class OtherLayoutError(DatasetError):
    """The dataset is of a layout that this version does not read."""


def layout_of(path: Path, record: Mapping[str, Any], version: int) -> Layout:
    """Return what a record tells. Raises :class:`OtherLayoutError`, or any error if it is damaged.

    Args:
        path: of the dataset, for messages.
        record: as :meth:`Layout.to_json` wrote it.
        version: of the layout that is read.
    """
    if record["layout"] != version:
        raise OtherLayoutError(
            f"{path}: it has {record['sink']} layout {record['layout']!r:.40}; this tonesmith reads {version}. "
            "Upgrade tonesmith."
        )
    if not isinstance(record["attributes"], dict) or not isinstance(record["options"], dict):
        raise DatasetError(f"{path}: its record is damaged: options and attributes are to be objects")
    return Layout(
        str(record["sink"]),
        version,
        record["options"],
        whole(record["block_rows"]),
        whole(record["rows"]),
        columns_from_json(record["columns"]),
        record["attributes"],
    )
