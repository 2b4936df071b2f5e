"""Versions of a model: the first in its folder, those that it grew into below, and a file that says which is used."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tonesmith.document import parsed_object, read_plain
from tonesmith.errors import ConfigError, DatasetError, unreadable
from tonesmith.explorer.documents import write_document

FOLDER, CHOSEN, STORY = "versions", "chosen.json", "growth.json"
MOST = 10_000
_ABOUT = "model.json"


def numbers_of(path: Path) -> list[int]:
    """Return the versions that a model has, ascending; 1 is always there."""
    below = path / FOLDER
    names = [each.name for each in below.iterdir() if (each / _ABOUT).is_file()] if below.is_dir() else []
    found = {int(name) for name in names if name.isascii() and name.isdecimal() and name == str(int(name))}
    return [1, *sorted(number for number in found if 1 < number <= MOST)]


def chosen_of(path: Path) -> int:
    """Return which version is used. Raises :class:`DatasetError` if what says so is damaged."""
    file = path / CHOSEN
    if not file.exists():
        return 1
    try:
        number = parsed_object(read_plain(file), str(file)).get("version")
    except OSError as error:
        raise unreadable(file, error) from None
    except DatasetError:
        number = None
    if not isinstance(number, int) or number not in numbers_of(path):
        cure = f"Choose one: tonesmith explore versions {path} --use 1"
        raise DatasetError(f"{file} is damaged: it names no version. {cure}")
    return number


def folder_of(path: Path, version: int | None = None) -> Path:
    """Return the folder with the files of a version; None for the one that is used.

    Raises :class:`ConfigError` for a version that is not there.
    """
    number = chosen_of(path) if version is None else version
    if number not in numbers_of(path):
        told = ", ".join(map(str, numbers_of(path)))
        raise ConfigError(f"{path} has no version {number}. It has: {told}.")
    return path if number == 1 else path / FOLDER / str(number)


def choose(path: Path, number: int) -> None:
    """Use a version from now on. Raises :class:`ConfigError` if it is not there, or the choice cannot be written."""
    folder_of(path, number)
    write_document(path / CHOSEN, {"version": number}, backup=False)


def story_of(path: Path, version: int) -> dict[str, Any]:
    """Return how a version came about: "by", "parent", "sounds" and what moved; empty for the first, or if unknown."""
    file = folder_of(path, version) / STORY
    try:
        return parsed_object(read_plain(file), str(file)) if file.exists() else {}
    except (OSError, DatasetError):
        return {}


@contextmanager
def making(path: Path) -> Iterator[Path]:
    """Hand out an empty folder for the files of a new version, which :func:`keep` moves to its place.

    What is left in it, if one is stopped or killed before, is no version, and is removed by the next one.
    """
    below = path / FOLDER
    try:
        below.mkdir(exist_ok=True)
        for left in below.glob(".made-*"):
            if not _is_used(left):
                shutil.rmtree(left, ignore_errors=True)
        aside = Path(tempfile.mkdtemp(dir=below, prefix=f".made-{os.getpid()}-"))
        aside.chmod(0o755)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}.") from None
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _is_used(left: Path) -> bool:
    process = left.name.split("-")[1]
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True


def keep(aside: Path, path: Path, story: dict[str, Any]) -> int:
    """Make a folder the newest version of a model, use it, and return its number.

    Raises :class:`ConfigError` if it cannot be written.
    """
    try:
        (aside / STORY).write_text(json.dumps(story, indent=2) + "\n", encoding="utf-8")
        number = numbers_of(path)[-1] + 1
        while (path / FOLDER / str(number)).exists():
            number += 1
        aside.rename(path / FOLDER / str(number))
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}.") from None
    choose(path, number)
    return number


def delete(path: Path, number: int) -> None:
    """Delete a version. Raises :class:`ConfigError` for the first, the one that is used, and one that is not there."""
    folder = folder_of(path, number)
    if number == 1:
        raise ConfigError(f"version 1 of {path} cannot be deleted: the others lie in its folder.")
    if number == chosen_of(path):
        raise ConfigError(f"version {number} of {path} is used. Choose another first: --use 1")
    gone = folder.with_name(f".made-gone-{number}")
    try:
        folder.rename(gone)
    except OSError as error:
        raise ConfigError(f"cannot delete version {number} of {path}: {error.strerror}.") from None
    shutil.rmtree(gone, ignore_errors=True)
