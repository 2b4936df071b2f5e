"""Files that a command writes because flags name them: all of them or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonesmith.errors import ConfigError, EngineError
from tonesmith.terminal.text import size


@dataclass(frozen=True, slots=True)
class File:
    """A file to write: the flag that names it, the suffix of its format ("" for any), and what makes its content."""

    flag: str
    path: Path | None
    suffix: str
    content: Callable[[], bytes]


def check_files(files: Sequence[File], *, force: bool) -> None:
    """Raise :class:`ConfigError` if a file cannot be written: its format, or what is there.

    Args:
        files: those without a path are left out.
        force: whether a file that exists is overwritten.
    """
    paths = [(file, file.path) for file in files if file.path is not None]
    for file, path in paths:
        if file.suffix and path.suffix.lower() != file.suffix:
            raise ConfigError(f"{file.flag}: {path} must end in {file.suffix}, the format that is written.")
        if path.exists() and not force:
            raise ConfigError(f"{file.flag}: {path} exists. Name another file, or overwrite it with --force.")
    if len({path for _, path in paths}) < len(paths):
        raise ConfigError("two of the files to write have one name")


def write_files(files: Sequence[File], *, force: bool) -> Mapping[Path, int]:
    """Write the files that have a path, and return their sizes. Nothing is written if any is refused or cannot be made.

    Arguments and errors as for :func:`check_files`.
    """
    check_files(files, force=force)
    contents = {file.path: (file, _made(file)) for file in files if file.path is not None}
    for path, (file, content) in contents.items():
        try:
            path.write_bytes(content)
        except OSError as error:
            raise ConfigError(f"{file.flag}: cannot write {path}: {error.strerror}") from None
    return {path: len(content) for path, (_, content) in contents.items()}


def files_json(written: Mapping[Path, int]) -> list[dict[str, Any]]:
    """Return what was written as ``--json`` tells it."""
    return [{"path": str(path), "nbytes": nbytes} for path, nbytes in written.items()]


def file_lines(written: Mapping[Path, int]) -> list[str]:
    """Return what was written as a person reads it, a line each."""
    return [f"{path}  {size(nbytes)}" for path, nbytes in written.items()]


def _made(file: File) -> bytes:
    try:
        return file.content()
    except EngineError as error:
        raise EngineError(f"{file.flag}: {file.path} cannot be made: {error}") from error


def json_bytes(label: Mapping[str, object]) -> bytes:
    """Return a JSON file that people read."""
    return json.dumps(label, indent=2).encode() + b"\n"
