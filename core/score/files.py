"""Which MIDI files paths name."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tonesmith.errors import ConfigError

SUFFIXES: Final = (".mid", ".midi", ".smf", ".kar", ".rmi")


class MidiFile(NamedTuple):
    """A file, and what to call it: its place in the folder that was named, or its name."""

    path: Path
    label: str


def midi_files(paths: Sequence[str | os.PathLike[str]]) -> list[MidiFile]:
    """Return the MIDI files that paths name: files, folders with all below them, and globs (``**`` too).

    Args:
        paths: to look at, in this order; files of a folder come in the order of their names. A file that is named in
            full may have any suffix. Each file is found once, whatever links lead to it.

    Raises :class:`ConfigError` for a path that names no MIDI file.
    """
    files: dict[Path, MidiFile] = {}
    for path in (Path(path).expanduser() for path in paths):
        found = list(_files_at(path))
        if not found:
            raise ConfigError(f"{path} {_nothing(path)}. Give a MIDI file, a folder or a glob.")
        for file in found:
            files.setdefault(file.path.resolve(), file)
    return list(files.values())


def _files_at(path: Path) -> Iterator[MidiFile]:
    if path.is_dir():
        for folder, inner, names in os.walk(path):
            inner[:] = sorted(name for name in inner if name != "__MACOSX")
            files = (Path(folder, name) for name in sorted(names) if _is_midi(name))
            yield from (MidiFile(file, file.relative_to(path).as_posix()) for file in files)
    elif path.exists():
        yield MidiFile(path, path.name)
    elif glob.has_magic(str(path)):
        for match in sorted(glob.glob(str(path), recursive=True)):  # noqa: PTH207 - Path.glob takes no absolute pattern
            if Path(match).is_file() and _is_midi(Path(match).name):
                yield MidiFile(Path(match), Path(match).name)


def _is_midi(name: str) -> bool:
    """Return whether a file is MIDI by its name: what macOS leaves beside files on other disks is none."""
    return name.lower().endswith(SUFFIXES) and not name.startswith("._")


def _nothing(path: Path) -> str:
    if path.is_dir():
        return "is a folder without MIDI files"
    return "matches no MIDI file" if glob.has_magic(str(path)) else "does not exist"
