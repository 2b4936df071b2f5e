"""The features that items have: what the truth says of them, and their files."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tonesmith.corpus.errors import CorpusError
from tonesmith.corpus.featuring.computed import place
from tonesmith.corpus.truth.files import write_whole
from tonesmith.document import open_plain

if TYPE_CHECKING:
    from tonesmith.corpus.store import Store

FOLDER: Final = "processed/features"
DEFINITIONS: Final = "definitions"
_SUFFIXES: Final = (".npz", ".json")


def features_of(corpus: Store, item: str) -> Mapping[str, Any]:
    """Return the features of an item: key -> number, NaN where there is none, or array.

    A key is the name of the feature where an array bears it, such as ``mel``, else ``notes.pitch_range``.

    Raises :class:`CorpusError` for files that are missing or damaged, with the command that makes them again.
    """
    rows = corpus.connection.execute("SELECT name, sha256 FROM features WHERE item = ? ORDER BY name", (item,))
    found: dict[str, Any] = {}
    for name, sha256 in rows.fetchall():
        found |= {_key(name, array): value for array, value in _read(corpus, item, name, sha256).items()}
    return found


def _key(name: str, array: str) -> str:
    return name if name == array else f"{name}.{array}"


def _read(corpus: Store, item: str, name: str, sha256: str) -> dict[str, Any]:
    import io

    import numpy as np

    contents = {suffix: content for suffix in _SUFFIXES if (content := _content(corpus.path, name, item, suffix))}
    if hashlib.sha256(b"".join(contents.values())).hexdigest() != sha256:
        raise CorpusError(
            f"{corpus.path}: the feature {name} of {item} is missing or damaged. Make it again: "
            f"tonesmith corpus features {corpus.path} --again"
        )
    told = json.loads(contents[".json"])["values"]
    found = {key: float("nan") if value is None else value for key, value in told.items()}
    if ".npz" in contents:
        with np.load(io.BytesIO(contents[".npz"]), allow_pickle=False) as arrays:
            found |= {key: arrays[key] for key in arrays.files}
    return found


def _content(folder: Path, name: str, item: str, suffix: str) -> bytes:
    import os

    try:
        with os.fdopen(open_plain(folder / place(name, item, suffix)), "rb") as file:
            return file.read()
    except OSError:
        return b""


def size_of(folder: Path, name: str, item: str) -> int:
    """Return the bytes of the files of a feature of an item; 0 if there is none."""
    size = 0
    for suffix in _SUFFIXES:
        with suppress(OSError):
            size += (folder / place(name, item, suffix)).stat().st_size
    return size


def note(connection: sqlite3.Connection, item: str, name: str, key: str, of: str, made: Mapping[str, Any]) -> None:
    """Store in the truth that a feature of an item is made."""
    row = (item, name, key, of, made["definition"], made["nbytes"], made["sha256"])
    connection.execute("INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    connection.execute("INSERT OR IGNORE INTO definitions VALUES (?, ?)", (made["definition"], made["told"]))


def write_definitions(corpus: Store) -> None:
    """Write the whole definition of each feature beside its files, and remove those that no item has."""
    connection, folder = corpus.connection, corpus.path / FOLDER / DEFINITIONS
    connection.execute("DELETE FROM definitions WHERE hash NOT IN (SELECT definition FROM features)")
    told = dict(connection.execute("SELECT hash, told FROM definitions"))
    for named, text in told.items():
        write_whole(folder / f"{named}.json", f"{text}\n".encode())
    for path in folder.glob("*.json"):
        if path.stem not in told:
            path.unlink()


def sweep(corpus: Store) -> None:
    """Remove the files of features that no item has: of items that are gone, and of a command that was killed."""
    there = {(name, item) for item, name in corpus.connection.execute("SELECT item, name FROM features")}
    for folder in sorted((corpus.path / FOLDER).glob("*/")):
        if folder.name == DEFINITIONS or folder.is_symlink():
            continue
        for path in _files(folder):
            if (folder.name, path.stem) not in there or path.name.startswith("."):
                path.unlink()
        with suppress(OSError):
            folder.rmdir()


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.suffix in {*_SUFFIXES, ".new"} and not path.is_dir():
            yield path
