"""Which item a person is to hear first: the one of which least is sure."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tonesmith.corpus.truth.items import read_value
from tonesmith.corpus.truth.profile import Profile
from tonesmith.errors import ConfigError
from tonesmith.host.roles.annotation import AUTHORITIES, Said


@dataclass(frozen=True, slots=True)
class Entry:
    """An item in the list.

    Attributes:
        item: its name.
        value: what is believed of it, as text; "" for nothing.
        doubt: 0..1: 0 of a person's word, 1 where nothing is said; else what is missing from the confidence in what is
            believed, times the share of its confidence in that of all sources.
        sources: that say something.
        split: that it is in; "" for none.
    """

    item: str
    value: str
    doubt: float
    sources: int
    split: str


def entries(connection: sqlite3.Connection, label: str, only: str = "") -> list[Entry]:
    """Return items, those with the greatest doubt about a label first, and those of one doubt by their names.

    Args:
        connection: to the truth.
        label: in question.
        only: an item; "" for all.
    """
    said: dict[str, list[tuple[bytes | str | float, float, int, int]]] = {}
    for item, value, confidence, authority, believed in connection.execute(
        "SELECT item, value, confidence, authority, believed FROM annotations WHERE name = ? AND ? IN ('', item)",
        (label, only),
    ):
        said.setdefault(item, []).append((value, confidence, authority, believed))
    splits = dict(connection.execute("SELECT item, split FROM splits"))
    every = [
        _entry(item, said.get(item, []), splits.get(item, ""))
        for (item,) in connection.execute("SELECT id FROM items WHERE ? IN ('', id) ORDER BY id", (only,))
    ]
    return sorted(every, key=lambda entry: (-entry.doubt, entry.item))


def _entry(item: str, said: Sequence[tuple[bytes | str | float, float, int, int]], split: str) -> Entry:
    best = next((one for one in said if one[3]), None)
    if best is None:
        return Entry(item, "", 1.0, len(said), split)
    value, confidence, authority, _ = best
    if AUTHORITIES[authority] == "person":
        return Entry(item, text_of(read_value(value)), 0.0, len(said), split)
    agreed = sum(one[1] for one in said if one[0] == value)
    whole = sum(one[1] for one in said)
    doubt = 1.0 - confidence * (agreed / whole if whole else 0.0)
    return Entry(item, text_of(read_value(value)), doubt, len(said), split)


def text_of(value: Said | None) -> str:
    """Return a value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, tuple) else f"{value:.6g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Filter:
    """What is shown.

    Attributes:
        said: label -> value that is believed; ``split`` for the split.
        words: that the name of an item has, in small letters.
    """

    said: Mapping[str, str]
    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str, profile: Profile) -> Filter:
        """Return the filter that a text states, such as ``split=train emotion=sad song``.

        Raises :class:`ConfigError` for an unknown label, or a value that it cannot have.
        """
        said: dict[str, str] = {}
        words: list[str] = []
        for word in text.split():
            name, equals, value = word.partition("=")
            if not equals:
                words.append(word.lower())
            elif name == "split":
                said[name] = value
            else:
                said[name] = text_of(profile.label(name).accepted(name, value)) if value else ""
        return cls(said, tuple(words))

    def kept(self, every: Sequence[Entry], connection: sqlite3.Connection) -> list[Entry]:
        """Return the entries that it lets through, in their order."""
        believed = {name: _believed(connection, name) for name in self.said if name != "split"}
        return [entry for entry in every if all(self._lets(entry, believed))]

    def _lets(self, entry: Entry, believed: Mapping[str, Mapping[str, str]]) -> Iterator[bool]:
        yield from (word in entry.item.lower() for word in self.words)
        for name, value in self.said.items():
            yield (entry.split if name == "split" else believed[name].get(entry.item, "")) == value


def _believed(connection: sqlite3.Connection, name: str) -> dict[str, str]:
    rows = connection.execute("SELECT item, value FROM annotations WHERE name = ? AND believed = 1", (name,))
    return {item: text_of(read_value(value)) for item, value in rows}


def labels_of(profile: Profile, first: str) -> list[str]:
    """Return the labels that a person may go through: the one to begin with, the classes, the profile's, all others.

    Raises :class:`ConfigError` for an unknown one to begin with.
    """
    if first:
        profile.label(first)
    every = [first, profile.classes, *profile.labels, *profile.every()]
    found = [name for name in dict.fromkeys(every) if name]
    if not found:
        raise ConfigError("the profile has no labels. Add some to profile.toml.")
    return found
