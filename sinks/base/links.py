"""No link in a dataset is followed by what writes to it: whoever made the dataset may have aimed it at other files.

A link to a dataset, at the dataset's own path, is its user's choice. A hard link cannot be told from the file that it
is. What changes names while a block is written, such as another process of the same user, is not guarded against.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tonesmith.buckets.address import is_remote
from tonesmith.errors import DatasetError


class Inside:
    """Finds links among the folders and files below the path of a dataset. Each folder is looked at once.

    Args:
        root: of the dataset.
    """

    def __init__(self, root: Path) -> None:
        text = str(root)
        self._below = "" if text == os.curdir else os.path.join(text, "")  # noqa: PTH118 - 20 times a block
        self._plain: set[str] = set()

    def check(self, *places: str | Path) -> None:
        """Raise :class:`DatasetError` if one of these places in the dataset, or a folder above it, is a link."""
        for place in places:
            self._check(os.fspath(place))

    def _check(self, place: str) -> None:
        if place in self._plain or not (place.startswith(self._below) and len(place) > len(self._below)):
            return
        self._check(os.path.dirname(place))  # noqa: PTH120
        try:
            mode = os.lstat(place).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return
        if stat.S_ISLNK(mode):
            raise DatasetError(
                f"{place} is a link, and nothing is written through a link in a dataset: it may lead to anybody's "
                "files. Put what it leads to in its place."
            )
        if stat.S_ISDIR(mode):
            self._plain.add(place)


def check_links(root: Path, *places: str | Path) -> None:
    """Raise :class:`DatasetError` if one of some places in a dataset, or a folder of it above them, is a link.

    A bucket has no links.
    """
    if not is_remote(root):
        Inside(root).check(*places)
