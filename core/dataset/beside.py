"""Files in or beside a dataset that are not its rows, such as its card: whoever made it may have put others there."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from tonesmith.errors import DatasetError


def refuse_link(path: Path) -> None:
    """Raise :class:`DatasetError` if a file or folder that is to be written is a link: it may lead to other files."""
    if path.is_symlink():
        raise DatasetError(
            f"{path} is a link, and nothing is written through it: it may lead to anybody's files. Remove it."
        )


def write_beside(path: Path, content: bytes) -> None:
    """Write a file aside, flush it to the disk and rename it, so that it is there whole or not at all.

    Raises :class:`DatasetError` if that fails, or a link is there.
    """
    refuse_link(path)
    aside = path.with_name(f".tonesmith-{secrets.token_hex(8)}")
    try:
        with aside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise DatasetError(f"cannot write {path}: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()
