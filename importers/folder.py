"""Folders of files, and single files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Found, Importer, Options, Refused
from tonesmith.importers._walk import walk


class Folder(Importer[Options]):
    """Finds the files in a folder and in all below it. Names begin with that of the folder.

    Hidden files are left out. Links are refused: what they lead to may lie anywhere.
    """

    name = "folder"
    summary = "files of a folder and of all below it, or one file"
    Options = Options

    @classmethod
    def takes(cls, path: Path) -> bool:
        """Return whether it is a folder or a file."""
        return path.is_dir() or path.is_file()

    def find(self, path: Path, scratch: Path) -> Iterator[Found | Refused]:
        """Yield every file, by name."""
        if path.is_dir():
            yield from walk(path, path.absolute().name)
        else:
            yield Found(path, path.name)


@hookimpl
def tonesmith_importers() -> Iterable[type[Importer[Any]]]:
    """Return the importer of this module."""
    return [Folder]
