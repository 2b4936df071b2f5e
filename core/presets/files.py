"""Which preset files paths name."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tonesmith.errors import ConfigError


def preset_files(paths: Sequence[str | os.PathLike[str]], suffixes: Sequence[str]) -> list[Path]:
    """Return the preset files that paths name: files, folders with all below them, and globs (``**`` too).

    Args:
        paths: to look at, in this order; files of a folder come in the order of their names.
        suffixes: of preset files, in lower case. A file that is named in full may have any.

    Raises :class:`ConfigError` for a path that names no preset.
    """
    files: dict[Path, None] = {}
    for path in map(Path, paths):
        found = list(_files_at(path, tuple(suffixes)))
        if not found:
            kinds = " or ".join(suffixes)
            raise ConfigError(f"presets: {path} {_nothing(path)}. Give a {kinds} file, a folder or a glob.")
        files |= dict.fromkeys(found)
    return list(files)


def _files_at(path: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    if path.is_dir():
        for folder, inner, names in os.walk(path):
            inner[:] = sorted(name for name in inner if name != "__MACOSX")
            yield from (Path(folder) / name for name in sorted(names) if _is_preset(name, suffixes))
    elif path.is_file():
        yield path
    elif glob.has_magic(str(path)):
        for match in sorted(glob.glob(str(path), recursive=True)):  # noqa: PTH207 - Path.glob takes no absolute pattern
            if Path(match).is_file() and _is_preset(Path(match).name, suffixes):
                yield Path(match)


def _is_preset(name: str, suffixes: tuple[str, ...]) -> bool:
    """Return whether a file is a preset by its name: what macOS leaves beside files on other disks is none."""
    return name.lower().endswith(suffixes) and not name.startswith("._")


def _nothing(path: Path) -> str:
    if path.is_dir():
        return "is a folder without presets"
    return "matches no preset" if glob.has_magic(str(path)) else "does not exist"
