"""Files in or beside a dataset that are not its rows, such as its card: whoever made it may have put others there."""

from __future__ import annotations

from pathlib import Path

from tonesmith.errors import DatasetError


def refuse_link(path: Path) -> None:
    """Raise :class:`DatasetError` if a file or folder that is to be written is a link: it may lead to other files."""
    if path.is_symlink():
        raise DatasetError(
            f"{path} is a link, and nothing is written through it: it may lead to anybody's files. Remove it."
        )
