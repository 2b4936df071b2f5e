"""Labels in tables: CSV, JSON, JAMS, and label files of Audacity."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import Field

from tonesmith.annotators._jams import is_jams, jams_labels
from tonesmith.document import parsed, read_plain
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Annotation, Annotator, Options, Subject
from tonesmith.host.textfile import decoded

_KEYS = ("sample_id", "item", "id", "file_path", "file", "filename", "path", "name", "track")
"""Columns that may say which item a row is of, from the first that is looked for."""
Rows = dict[str, dict[str, tuple[Any, float]]]
"""Which item -> label -> value and confidence."""


class TableOptions(Options):
    """Options of :class:`Table`."""

    path: str = Field(
        default="", description="CSV, JSON or JAMS file, or a folder of JAMS (.jams) or Audacity label files (.txt)."
    )
    column: str = Field(default="", description="Column that says which item a row is of; by default it is found.")


class Table(Annotator[TableOptions]):
    """Reads labels from a table whose columns are labels. A row is of the item with its name, its path or its stem.

    ::

        [annotators.table]
        path = "labels.csv"

    A path or a stem that two items have is of neither. Columns that are no labels of the profile are left out. Of the
    label files of Audacity, ``song.txt`` is of the item ``song``; a label is ``emotion=sad``, or a choice of the
    profile, and the one that holds longest counts, as surely as its share of the time. Likewise ``song.jams``, of which
    key, tempo, beats, chords, mood and tags are read.
    """

    name = "table"
    summary = "labels from a CSV, JSON or JAMS file, or label files of Audacity"
    Options = TableOptions
    version = 1
    authority = "table"

    def set_up(self) -> None:
        """Read the table. Raises :class:`ConfigError` for one that cannot be read, or has no column for the item."""
        self._rows: Rows = {}
        self._spans: dict[str, list[tuple[float, str]]] = {}
        digest = hashlib.sha256()
        if self.options.path:
            path = Path(self.options.path).expanduser()
            for file in _files(path):
                content = _content(file)
                digest.update(content)
                self._read(file, content)
        self._digest = digest.hexdigest()[:16]

    def definition(self) -> str:
        """Return version, options and the digest of the table."""
        return f"{super().definition()} {self._digest}"

    def annotate(self, subject: Subject) -> Iterator[Annotation]:
        """Return what the table says of an item."""
        key = next((key for key in _keys(subject) if key in self._rows or key in self._spans), "")
        for label, (value, sure) in self._rows.get(key, {}).items():
            yield Annotation(label, value, sure)
        yield from _spanned(self._spans.get(key, []), subject.choices)

    def _read(self, file: Path, content: bytes) -> None:
        kind = file.suffix.lower()
        data = _document(content, file) if kind in {".json", ".jams"} else None
        if kind == ".jams" or is_jams(data):
            self._read_jams(file, data)
            return
        if kind == ".json":
            rows = _json(data, file)
        elif kind == ".txt":
            self._spans[file.stem] = list(_labels(content, file))
            return
        else:
            rows = _csv(content, file)
        for number, row in enumerate(rows):
            column = self._column(row, file)
            key = str(row.pop(column) or "").strip().replace("\\", "/").removeprefix("./")
            if not key:
                raise ConfigError(f"{file}: row {number + 1} does not say which item it is of: {column} is empty.")
            told = {_name(name): (value, 1.0) for name, value in row.items() if value not in (None, "") and name}
            self._rows.setdefault(key, {}).update({name: value for name, value in told.items() if _is_value(value[0])})

    def _read_jams(self, file: Path, data: Any) -> None:
        if not is_jams(data):
            raise ConfigError(f"{file} is not JAMS: it has no file_metadata and no list of annotations.")
        labels, self._spans[file.stem] = jams_labels(data)
        told = {name: (value, sure) for name, value, sure in labels if _is_value(value)}
        self._rows.setdefault(file.stem, {}).update(told)

    def _column(self, row: Mapping[str, Any], file: Path) -> str:
        wanted = [self.options.column] if self.options.column else list(_KEYS)
        names = {_name(name): name for name in row if name}
        found = next((names[_name(name)] for name in wanted if _name(name) in names), None)
        if found is None:
            what = f"no column {self.options.column!r}" if self.options.column else f"none of {', '.join(_KEYS)}"
            raise ConfigError(f"{file}: {what} says which item a row is of. Name the column: --set table.column=NAME")
        return found


def _content(file: Path) -> bytes:
    try:
        return read_plain(file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from None


def _csv(content: bytes, file: Path) -> list[dict[str, Any]]:
    text = decoded(content)
    head = text.partition("\n")[0]
    delimiter = max("\t;,", key=head.count)
    try:
        return [dict(row) for row in csv.DictReader(io.StringIO(text), delimiter=delimiter, restkey="")]
    except csv.Error as error:
        raise ConfigError(f"{file} is no table: {error}.") from None


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in {".txt", ".jams"})
    if not files:
        raise ConfigError(f"{path} has no label files of Audacity (.txt) and no JAMS files (.jams).")
    return files


def _document(content: bytes, file: Path) -> Any:
    try:
        return parsed(content, str(file))
    except DatasetError as error:
        raise ConfigError(f"{error}.") from None


def _json(data: Any, file: Path) -> list[dict[str, Any]]:
    if isinstance(data, dict) and data and all(isinstance(value, dict) for value in data.values()):
        return [{"sample_id": key, **value} for key, value in data.items()]
    if not (isinstance(data, list) and all(isinstance(row, dict) for row in data)):
        raise ConfigError(f'{file} has no list of rows, such as [{{"file": "one.mid", "emotion": "sad"}}].')
    return [{**row, **row.pop("annotations")} if isinstance(row.get("annotations"), dict) else row for row in data]


def _labels(content: bytes, file: Path) -> Iterator[tuple[float, str]]:
    """Yield seconds and text of each label of Audacity: start, end and text between tabs."""
    for number, line in enumerate(decoded(content).splitlines()):
        parts = line.split("\t")
        if not line.strip() or line.startswith("\\"):  # the second line of a label with frequencies
            continue
        try:
            start, end = float(parts[0].replace(",", ".")), float(parts[1].replace(",", "."))
            yield max(end - start, 0.0), parts[2].strip()
        except (ValueError, IndexError):
            raise ConfigError(
                f"{file}:{number + 1}: not a label of Audacity: start, end and text between tabs."
            ) from None


def _spanned(spans: Iterable[tuple[float, str]], choices: Mapping[str, Mapping[str, str]]) -> Iterator[Annotation]:
    """Yield of each label the value that holds longest."""
    held: dict[str, dict[str, float]] = {}
    for seconds, text in spans:
        name, equals, value = text.partition("=")
        stated = {_name(name): value.strip()} if equals else {}
        if not equals:
            stated = {label: words[text.lower()] for label, words in choices.items() if text.lower() in words}
        for label, value in stated.items():
            held.setdefault(label, {}).setdefault(value, 0.0)
            held[label][value] += seconds
    for label, values in held.items():
        value = max(values, key=lambda key: values[key])
        whole = sum(values.values())
        yield Annotation(label, value, round(values[value] / whole, 3) if whole else 1.0 / len(values))


def _keys(subject: Subject) -> Iterator[str]:
    """Yield what a row may call an item, from the surest: its name, its paths, and a name or stem that is only its."""
    yield subject.item
    for name in subject.names:
        path = PurePosixPath(name)
        places = [place for place in (path, PurePosixPath(*path.parts[1:])) if place.name]
        yield from (str(place) for whole in places for place in (whole, whole.with_suffix("")))
    for name in subject.names:
        yield from (key for key in (PurePosixPath(name).name, PurePosixPath(name).stem) if key in subject.own)


def _name(column: str) -> str:
    return column.strip().lower().replace(" ", "_").lstrip("\ufeff")


def _is_value(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str)) or (isinstance(value, list) and all(map(_is_value, value)))


@hookimpl
def tonesmith_annotators() -> Iterable[type[Annotator[Any]]]:
    """Return the annotator of this module."""
    return [Table]
