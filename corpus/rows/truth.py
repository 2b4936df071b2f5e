"""What a corpus says of its items, read at one moment, for rows that are made of them later."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tonesmith.corpus.truth import database
from tonesmith.corpus.truth.items import read_value
from tonesmith.corpus.truth.profile import Profile
from tonesmith.corpus.truth.settings import read_profile, read_settings
from tonesmith.host.roles.annotation import Said

ORIGINAL: Final = "original"
"""The origin of an item that nothing derived."""


@dataclass(frozen=True, slots=True)
class File:
    """A recording or a score of an item.

    Attributes:
        path: below the corpus.
        sha256: of its bytes.
        content: digest of what is heard: of a score, that of the score.
        nbytes: of the file.
        seconds: that it lasts.
        sample_rate, channels, frames: of a recording.
        notes: of a score.
    """

    path: str
    sha256: str
    content: str
    nbytes: int
    seconds: float
    sample_rate: int = 0
    channels: int = 0
    frames: int = 0
    notes: int = 0


@dataclass(frozen=True, slots=True)
class KnownItem:
    """An item, as it was when it was read.

    Attributes:
        name: of it.
        audio, score: its files.
        values: label -> what is believed.
        parent, operation: that it was derived from, and by; "" for an original.
        split: that it is in; "" for none.
    """

    name: str
    audio: File | None
    score: File | None
    values: Mapping[str, Said]
    parent: str
    operation: str
    split: str

    @property
    def seconds(self) -> float:
        """That it lasts: the longer of its recording and its score."""
        return max(file.seconds for file in (self.audio, self.score) if file is not None)

    def to_json(self) -> list[Any]:
        """Return what decides the rows of it."""
        files = [[file.sha256, file.frames] if file else None for file in (self.audio, self.score)]
        return [self.name, *files, dict(sorted(self.values.items())), self.parent, self.operation, self.split]


@dataclass(frozen=True)
class Known:
    """A corpus, as it was when it was read.

    Attributes:
        folder: of it.
        name, licence: as its settings say.
        profile_name: of the label schema.
        profile: the label schema.
        items: in the order of their names.
        shares: split -> its share, of a corpus that is divided.
        said_by: label -> source -> the items of which it is believed.
    """

    folder: Path
    name: str
    licence: str
    profile_name: str
    profile: Profile
    items: tuple[KnownItem, ...]
    shares: Mapping[str, float]
    said_by: Mapping[str, Mapping[str, int]]

    @property
    def truth(self) -> str:
        """SHA-256 of what decides the rows."""
        digest = hashlib.sha256()
        labels = {name: label.model_dump(mode="json") for name, label in self.profile.every().items()}
        for told in ([self.name, self.licence, labels, dict(self.shares)], *(item.to_json() for item in self.items)):
            digest.update(json.dumps(told, sort_keys=True).encode() + b"\n")
        return digest.hexdigest()


def known_of(folder: Path) -> Known:
    """Return what a corpus says at this moment. Raises what :func:`tonesmith.corpus.truth.database.opened` raises."""
    with closing(database.opened(folder)) as connection, database.told(folder):
        connection.execute("BEGIN")  # all tables as they are at one moment
        items = tuple(_items(connection))
        shares, said = _shares(connection, items), _said_by(connection)
    settings, profile = read_settings(folder), read_profile(folder)
    return Known(folder, settings.name, settings.licence, settings.profile, profile, items, shares, said)


def _items(connection: sqlite3.Connection) -> Iterator[KnownItem]:
    ask = connection.execute
    files: dict[str, dict[str, File]] = {}
    for item, kind, *told, facts in ask("SELECT item, kind, path, sha256, content, nbytes, seconds, facts FROM media"):
        files.setdefault(item, {})[kind] = _file(told, json.loads(facts))
    values: dict[str, dict[str, Said]] = {}
    for item, name, value in ask("SELECT item, name, value FROM annotations WHERE believed = 1"):
        values.setdefault(item, {})[name] = read_value(value)
    parents = dict(ask("SELECT item, parent FROM parents"))
    operations = dict(ask("SELECT item, operation FROM recipes"))
    splits = dict(ask("SELECT item, split FROM splits"))
    for name in sorted(files):
        media = files[name]
        yield KnownItem(
            name,
            media.get("audio"),
            media.get("score"),
            values.get(name, {}),
            parents.get(name, ""),
            operations.get(name, ""),
            splits.get(name, ""),
        )


def _file(row: Sequence[Any], facts: Mapping[str, Any]) -> File:
    path, sha256, content, nbytes, seconds = row
    rate, channels, frames, notes = (int(facts.get(name, 0)) for name in ("sample_rate", "channels", "frames", "notes"))
    return File(path, sha256, content, nbytes, seconds, rate, channels, frames, notes)


def _said_by(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Return label -> source -> the items of which it is believed."""
    said: dict[str, dict[str, int]] = {}
    believed = "SELECT name, source, count(*) FROM annotations WHERE believed = 1 GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2"
    for name, source, count in connection.execute(believed):
        said.setdefault(name, {})[source] = count
    return said


def _shares(connection: sqlite3.Connection, items: tuple[KnownItem, ...]) -> dict[str, float]:
    """Return split -> the share that was asked for, or that it has."""
    inside = sorted({item.split for item in items if item.split})
    row = connection.execute("SELECT value FROM settings WHERE name = 'split'").fetchone()
    asked = json.loads(row[0])["shares"] if row else {}
    if not inside or set(inside) <= set(asked):
        return dict(asked) if inside else {}
    counts = {name: sum(item.split == name for item in items) for name in inside}
    return {name: count / sum(counts.values()) for name, count in counts.items()}
