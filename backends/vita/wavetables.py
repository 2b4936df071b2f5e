"""A catalog of wavetables: a folder of contents named by their SHA-256, and an index of what they are.

::

    catalog/
      index.json              what each wavetable is, and which files it was found in
      wavetables/<sha256>.json   the wavetable itself, as a patch's asset holds it
      previews/<sha256>.svg   what it looks like

Names come from files that anyone may have made: they are text to show, and never part of a path.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tonesmith.backends.vita.preset import CHOOSERS
from tonesmith.backends.vita.wavetable_index import FORMAT, Entry, Source, entry_of, parsed
from tonesmith.document import read_plain
from tonesmith.errors import ConfigError
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import sha256_hex

INDEX = "index.json"
_TABLES, _PREVIEWS = "wavetables", "previews"
INIT = "Init"
"""The first choice: the wavetable that Vital's init preset has."""
_UNNAMED = "untitled"
_MAX_INDEX_BYTES = 256 << 20
_MAX_TABLE_BYTES = 64 << 20
_USERS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Wavetable:
    """A wavetable of a catalog.

    Attributes:
        sha256: of its content.
        choice: its name among the choices, which no other has.
        name, author: as its maker wrote them; "untitled" for no name.
        bytes: of its content.
        keyframes: of the component that has most of them; with one, every frame is the same.
        made_of: kinds of its components, such as "Wave Source".
        presets: how many use it.
        oscillators: of these presets that have it.
        used_by: names of up to three of them.
        credits: (author, licence) of the files it was found in.
    """

    sha256: str
    choice: str
    name: str
    author: str
    bytes: int
    keyframes: int
    made_of: tuple[str, ...]
    presets: int
    oscillators: int
    used_by: tuple[str, ...]
    credits: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Catalog:
    """A catalog as it was when it was opened.

    Attributes:
        path: of its folder.
        entries: SHA-256 -> what the index holds of each wavetable.
        sources: SHA-256 of a file -> what was found in it.
    """

    path: Path
    entries: Mapping[str, Entry]
    sources: Mapping[str, Source]

    @classmethod
    def open(cls, path: Path) -> Catalog:
        """Return the catalog in a folder. Raises :class:`ConfigError` if there is none, or its index is damaged."""
        place = path / INDEX
        if not place.is_file():
            missing = f"is not a wavetable catalog: there is no file {place}"
            state = missing if path.exists() else "does not exist"
            raise ConfigError(f"{path} {state}. Make one: tonesmith vita wavetables scan FOLDERS -o {path}")
        try:
            if place.stat().st_size > _MAX_INDEX_BYTES:
                raise ConfigError(f"{place} is too large to be an index")
            text = read_plain(place)
        except OSError as error:
            raise ConfigError(f"cannot read {place}: {error.strerror}") from None
        index = parsed(text, place)
        return cls(path, dict(sorted(index.wavetables.items())), dict(sorted(index.sources.items())))

    @classmethod
    def begin(cls, path: Path) -> Catalog:
        """Return the catalog in a folder, made empty where there is nothing yet.

        Raises :class:`ConfigError` for a folder that holds something else, or cannot be written.
        """
        if (path / INDEX).is_file():
            for folder in (path / _TABLES, path / _PREVIEWS):
                if folder.is_symlink():
                    raise ConfigError(f"{folder} is a link, and links are not followed. Choose another folder.")
            return cls.open(path)
        try:
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise ConfigError(f"{path} holds something other than a wavetable catalog. Choose another folder.")
            empty = cls(path, {}, {})
            path.mkdir(parents=True, exist_ok=True)
            empty._write_index()
        except OSError as error:
            raise ConfigError(f"cannot write {path}: {error.strerror}") from None
        return empty

    def with_found(self, sources: Mapping[str, Source], contents: Mapping[str, bytes]) -> Catalog:
        """Return the catalog with what was found, which is stored: contents first, then the index.

        A file that was found before counts once, as it is now.

        Args:
            sources: SHA-256 of a file -> what was found in it.
            contents: SHA-256 -> wavetable.

        Raises :class:`ConfigError` if the folder cannot be written.
        """
        merged = Catalog(
            self.path,
            dict(sorted({**{sha: entry_of(content) for sha, content in contents.items()}, **self.entries}.items())),
            dict(sorted({**self.sources, **sources}.items())),
        )
        try:
            for sha, content in contents.items():
                if sha not in self.entries or not self._table(sha).is_file():
                    _write(self._table(sha), content)
            merged._write_index()
        except OSError as error:
            raise ConfigError(f"cannot write {self.path}: {error.strerror}") from None
        return merged

    @cached_property
    def wavetables(self) -> tuple[Wavetable, ...]:
        """The wavetables by name, those of one name by SHA-256. Their places follow from their contents alone."""
        choices = _choices({sha: entry.name or _UNNAMED for sha, entry in self.entries.items()})
        users: dict[str, list[tuple[Source, int]]] = {sha: [] for sha in self.entries}
        for source in self.sources.values():
            for sha, oscillators in Counter(source.wavetables.values()).items():
                if sha in users:
                    users[sha].append((source, oscillators))
        tables = (_wavetable(sha, choices[sha], entry, users[sha]) for sha, entry in self.entries.items())
        return tuple(sorted(tables, key=lambda table: (table.name, table.sha256)))

    def content(self, sha256: str) -> bytes:
        """Return a wavetable, checked against its SHA-256. Raises :class:`ConfigError` if it is damaged."""
        place = self._table(sha256)
        try:
            if place.is_file() and place.stat().st_size <= _MAX_TABLE_BYTES:
                content = place.read_bytes()
                if sha256_hex(content) == sha256:
                    return content
        except OSError:
            pass
        raise ConfigError(f"{place} is missing or damaged. Remove {self.path} and scan the presets again.")

    def contents(self) -> dict[str, bytes]:
        """Return SHA-256 -> content of every wavetable, each checked against it."""
        return {sha: self.content(sha) for sha in self.entries}

    def check_usable(self) -> None:
        """Raise :class:`ConfigError` if there is nothing to choose."""
        if not self.entries:
            raise ConfigError(f"{self.path} is a wavetable catalog without wavetables. Scan more presets into it")

    def preview(self, sha256: str) -> Path:
        """Return the path of a wavetable's picture, which may not be there."""
        return self.path / _PREVIEWS / f"{sha256}.svg"

    def add_preview(self, sha256: str, picture: str) -> None:
        """Store the picture of a wavetable. Raises :class:`ConfigError` if the folder cannot be written."""
        try:
            _write(self.preview(sha256), picture.encode())
        except OSError as error:
            raise ConfigError(f"cannot write {self.path}: {error.strerror}") from None

    def _table(self, sha256: str) -> Path:
        return self.path / _TABLES / f"{sha256}.json"

    def _write_index(self) -> None:
        """Write the index. What follows from the sources stands in it too, for those who read it as it is."""
        derived = {
            table.sha256: {
                "presets": table.presets,
                "oscillators": table.oscillators,
                "used_by": table.used_by,
                "credits": [{"author": author, "licence": licence} for author, licence in table.credits],
            }
            for table in self.wavetables
        }
        index = {
            "format": FORMAT,
            "wavetables": {sha: {**entry.model_dump(), **derived[sha]} for sha, entry in self.entries.items()},
            "sources": {sha: source.model_dump() for sha, source in self.sources.items()},
        }
        _write(self.path / INDEX, json.dumps(index, indent=1).encode())


def choosers(catalog: Catalog, init: Mapping[str, str]) -> tuple[Parameter, ...]:
    """Return ``osc_N_wavetable`` for each oscillator: Init, then the wavetables of a catalog.

    Args:
        catalog: to choose from.
        init: asset slot -> SHA-256 of what the init preset has there.
    """
    catalog.check_usable()
    return tuple(_chooser(name, slot, init[slot], catalog.wavetables) for name, slot in CHOOSERS.items())


def _chooser(name: str, slot: str, init: str, tables: Iterable[Wavetable]) -> Parameter:
    others = [table for table in tables if table.sha256 != init]
    oscillator = name.removesuffix("_wavetable")
    return Parameter(
        name,
        "categorical",
        low=0,
        high=len(others),
        default=0,
        choices=(INIT, *(table.choice for table in others)),
        group=oscillator,
        switch=f"{oscillator}_on",
        slot=slot,
        contents=(init, *(table.sha256 for table in others)),
    )


def _choices(names: Mapping[str, str]) -> dict[str, str]:
    """Return SHA-256 -> a text that no other wavetable has: the name, and where it is not enough part of the hash.

    Choices are looked up without regard to case, and the first of them is Init.
    """
    texts = dict(names)
    for digits in (8, 64):
        shared = Counter([INIT.lower(), *(text.lower() for text in texts.values())])
        texts = {
            sha: text if shared[text.lower()] == 1 else f"{names[sha]} ({sha[:digits]})" for sha, text in texts.items()
        }
    return texts


def _wavetable(sha: str, choice: str, entry: Entry, users: Iterable[tuple[Source, int]]) -> Wavetable:
    presets = [(source, oscillators) for source, oscillators in users if source.kind == "preset"]
    names = sorted({source.name for source, _ in presets if source.name})
    return Wavetable(
        sha256=sha,
        choice=choice,
        name=entry.name or _UNNAMED,
        author=entry.author,
        bytes=entry.bytes,
        keyframes=entry.keyframes,
        made_of=entry.made_of,
        presets=len(presets),
        oscillators=sum(oscillators for _, oscillators in presets),
        used_by=tuple(names[:_USERS_NAMED]),
        credits=tuple(sorted({(s.author, s.licence) for s, _ in users if s.author or s.licence})),
    )


def _write(path: Path, content: bytes) -> None:
    """Write a file aside, flush it, and put it in its place."""
    path.parent.mkdir(exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
