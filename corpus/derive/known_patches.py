"""The patches that a synth and its presets gave before: known again without starting an engine."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tonesmith.corpus.derive.recipe import canonical, versions_of
from tonesmith.corpus.derive.synth import Patches, Synth, patches_of
from tonesmith.corpus.truth.files import sha256_of
from tonesmith.errors import TonesmithError

_SETTING: Final = "patches"
_MOST: Final = 20
"""Synths with presets that are remembered, the latest ones."""


def known_patches(connection: sqlite3.Connection, synth: Synth, presets: Sequence[str], *, dry_run: bool) -> Patches:
    """Return the patches of a synth. The engine is started only where they are not known, or are to be played.

    Args:
        connection: to the truth of a corpus that is locked.
        synth: that plays.
        presets: paths of its presets; none for its default patch.
        dry_run: whether they are not to be remembered.

    Raises :class:`ConfigError` as :func:`patches_of`.
    """
    key = _key(synth, presets)
    before = _remembered(connection)
    names = before.get(key, {}).get("names")
    if names and _is_current(before[key]["libraries"]):
        return Patches(tuple(names), _Late(synth, presets, tuple(names)))
    found = patches_of(synth, presets)
    if not dry_run:
        told = {**before, key: {"names": list(found.names), "libraries": dict(synth.versions)}}
        kept = dict(list(told.items())[-_MOST:])
        connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (_SETTING, json.dumps(kept)))
    return found


def _remembered(connection: sqlite3.Connection) -> dict[str, Any]:
    row = connection.execute("SELECT value FROM settings WHERE name = ?", (_SETTING,)).fetchone()
    told: dict[str, Any] = json.loads(row[0]) if row else {}
    return told


def _is_current(libraries: Mapping[str, str]) -> bool:
    """Return whether the libraries of an engine have the versions that they had, as far as they are distributions."""
    return all(libraries[name] == version for name, version in versions_of(libraries).items())


def _key(synth: Synth, presets: Sequence[str]) -> str:
    """Return a digest of what decides the patches: the backend, its options, its files, and those of the presets."""
    from tonesmith.host.registry import Host

    record = next(r for r in Host.load().plugins() if r.plugin is synth.backend)
    told = [record.distribution, record.version, synth.reference.name, dict(synth.reference.options)]
    options = synth.backend.Options.model_validate(synth.reference.options)
    named = [*synth.backend.loads(options), *(str(value) for value in synth.reference.options.values() if value)]
    stamps = [stamp for name in dict.fromkeys(named) for stamp in _stamps(Path(name))]
    contents = [[path.name, _digest(path)] for path in synth.preset_files(presets)]
    return hashlib.sha256(canonical([told, stamps, synth.sample_rate, contents]).encode()).hexdigest()


def _digest(path: Path) -> str:
    """Return the SHA-256 of a preset file; "" of one that cannot be read, which is no preset then."""
    try:
        return sha256_of(path)[0]
    except OSError:
        return ""


def _stamps(path: Path) -> Iterator[list[Any]]:
    """Yield name, size and time of change of a file, or of the files of a folder; nothing of what is neither."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        with suppress(OSError, ValueError):
            if not file.is_file():
                continue
            told = file.stat()
            yield [str(file), told.st_size, told.st_mtime_ns]


class _Late:
    """Asks the synth for its patches once one of them is to be played."""

    def __init__(self, synth: Synth, presets: Sequence[str], names: tuple[str, ...]) -> None:
        self._synth, self._presets, self._names = synth, presets, names
        self._found: Patches | None = None

    def __call__(self, name: str) -> bytes:
        if self._found is None:
            self._found = patches_of(self._synth, self._presets)
        if self._found.names != self._names:
            raise TonesmithError(f"{self._synth.reference.name} has other patches than before, with the same options.")
        return self._found.asset(name)
