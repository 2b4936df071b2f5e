"""Small JSON documents of a model or a library: written whole or not at all, with a copy as a backup."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tonesmith.document import parsed_object, read_plain
from tonesmith.errors import ConfigError, DatasetError, unreadable

_WAIT = 10.0
_PAUSE = 0.05


def write_document(path: Path, value: Mapping[str, Any], *, backup: bool = True) -> None:
    """Write a document to a file beside its place, and move it there.

    Args:
        path: of it.
        value: that it has.
        backup: whether a copy is kept beside it, with the suffix ``.bak``.

    Raises :class:`ConfigError` if it cannot be written; then the one before is there.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    try:
        write_whole(path, text.encode())
        if backup:
            write_whole(backup_of(path), text.encode())
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}.") from None


def as_text(name: str) -> str:
    """Return the name of a file as text that a model and a tag can hold: bytes that are no text become U+FFFD."""
    return os.fsencode(name).decode(errors="replace")


def hidden_prefix(path: Path) -> str:
    """Return how the name begins of what is written beside a place, and moved there: names have 255 bytes at most."""
    return f".{as_text(path.name)[:32]}."


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises :class:`OSError`."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=hidden_prefix(path), suffix=".part")
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        mask = os.umask(0)
        os.umask(mask)
        aside.chmod(0o666 & ~mask)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def backup_of(path: Path) -> Path:
    """Return the place of a backup."""
    return path.with_name(f"{path.name}.bak")


def read_document(path: Path) -> dict[str, Any]:
    """Return a document; an empty one if there is none.

    Raises :class:`DatasetError` that says what to do if it is damaged.
    """
    if not path.exists():
        return {}
    try:
        return parsed_object(read_plain(path), str(path))
    except OSError as error:
        raise unreadable(path, error) from None
    except DatasetError as error:
        raise damaged(path, str(error)) from None


def damaged(path: Path, what: str) -> DatasetError:
    """Return the error of a damaged document, with its cure."""
    backup = backup_of(path)
    if _is_whole(backup):
        return DatasetError(f"{what.removesuffix('.')}. Take its backup: mv {backup} {path}")
    return DatasetError(f"{what.removesuffix('.')}, and it has no backup that can be read. Move it away to begin anew.")


def _is_whole(path: Path) -> bool:
    with contextlib.suppress(OSError, DatasetError):
        return bool(parsed_object(read_plain(path), str(path)))
    return False


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, so that no other command changes its documents meanwhile.

    Raises :class:`ConfigError` if another has it for 10 s, or the folder cannot be written.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    try:
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise ConfigError(f"cannot write {folder}: {error.strerror}.") from None
    try:
        end = time.monotonic() + _WAIT
        while not _locked(fcntl, descriptor):
            if time.monotonic() > end:
                raise ConfigError(f"another command is changing {folder}. Wait for it, and try again.")
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def _locked(fcntl: Any, descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def copied(names: tuple[str, ...], source: Path, target: Path) -> None:
    """Copy those files of a folder that are there into another. Raises :class:`OSError`."""
    for name in names:
        if (source / name).is_file():
            shutil.copy2(source / name, target / name)
