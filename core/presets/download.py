"""Collections of presets brought into the cache, whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tonesmith.errors import ConfigError
from tonesmith.host.cache import cache_folder
from tonesmith.presets.collections import Collection, checked_name, read_manifest, without_secret, write_manifest
from tonesmith.presets.git import DownloadError, check_out

_TIMEOUT = 1800.0
_STALE = 24 * 3600.0
"""Seconds after which what is still aside was left by a download that was killed."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A collection in the cache.

    Attributes:
        collection: with the commit that it was taken at, and no password in its URL.
        root: the folder of the checkout, with its licence texts and its manifest.
        fresh: whether it was downloaded now.
        before: the commit that it had before, or "".
        shallow: whether it was fetched without its history; True where it was there already.
    """

    collection: Collection
    root: Path
    fresh: bool
    before: str = ""
    shallow: bool = True

    @property
    def folder(self) -> Path:
        """The folder that holds the presets."""
        return self.root / self.collection.subfolder


def download(
    collection: Collection,
    cache: Path | None = None,
    *,
    update: bool = False,
    timeout: float = _TIMEOUT,
    progress: Callable[[str], object] = str,
) -> Downloaded:
    """Bring a collection into the cache, by git, with one commit and the folder that is asked for.

    It is made aside and renamed when it is whole. One that is there already is left alone.

    Args:
        collection: to download.
        cache: the folder for collections; None for :func:`cache_folder`.
        update: download it again even if it is there.
        timeout: seconds that it may take.
        progress: told what is being done, in a few words.

    Raises :class:`ConfigError` if something else lies under its name, and :class:`DownloadError` with what git said.
    """
    cache = (cache or cache_folder("presets")).absolute()
    target = cache / checked_name(collection.name)
    present = _present(target)
    if present and not update:
        return _kept(collection, present, target)
    again = present is not None and _source(present) == _source(collection)
    asked = _credited(collection, present) if present and again else collection
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _aside(cache, collection.name) as folder:
            made = check_out(asked, folder, timeout, progress)
            taken = replace(asked, commit=made.commit, url=without_secret(asked.url))
            write_manifest(folder, taken)
            _put(folder, target)
    except OSError as error:
        raise DownloadError(f"{collection.name}: {error.filename or target}: {error.strerror or error}.") from None
    return Downloaded(
        taken, target, fresh=True, before=present.commit if present and again else "", shallow=made.shallow
    )


def downloaded(cache: Path | None = None) -> list[Downloaded]:
    """Return the collections in the cache, by name. One whose manifest is damaged is left out."""
    cache = (cache or cache_folder("presets")).absolute()
    try:
        roots = sorted(entry for entry in cache.iterdir() if not entry.name.startswith("."))
    except OSError:
        return []
    found: list[Downloaded] = []
    for root in roots:
        try:
            collection = read_manifest(root)
        except ConfigError:
            continue
        if collection:
            found.append(Downloaded(collection, root, fresh=False))
    return found


def _present(target: Path) -> Collection | None:
    """Return what is under a name in the cache, or None if nothing is."""
    if not os.path.lexists(target):
        return None
    present = read_manifest(target)
    if present is None:
        raise ConfigError(f"{target} was not made by a download and is in the way. Move it.")
    return present


def _source(collection: Collection) -> tuple[str, str]:
    return without_secret(collection.url), collection.subfolder


def _credited(collection: Collection, present: Collection) -> Collection:
    """Return a collection with what is known of it already and not said again: its author and licence above all."""
    words = ("licence", "licence_file", "author", "homepage")
    return replace(collection, **{word: getattr(collection, word) or getattr(present, word) for word in words})


def _kept(collection: Collection, present: Collection, root: Path) -> Downloaded:
    """Return what is there, with the words that are now given for it, if it is what is asked for."""
    url, commit = without_secret(collection.url), collection.commit or present.commit
    asked = replace(_credited(collection, present), url=url, commit=commit)
    for key in ("url", "subfolder", "commit"):
        there, wanted = getattr(present, key), getattr(asked, key)
        if there != wanted:
            raise ConfigError(
                f"{asked.name} is in the cache with {key} {there!r}, not {wanted!r}. "
                "Replace it with --update, or keep both under another name."
            )
    if asked != present:
        write_manifest(root, asked)
    return Downloaded(asked, root, fresh=False)


@contextmanager
def _aside(cache: Path, name: str) -> Iterator[Path]:
    """Give a new folder in the cache, gone at the end if it is still there, and drop those of killed downloads."""
    for left in cache.glob(".*.part"):
        if time.time() - left.lstat().st_mtime > _STALE:
            _remove(left)
    folder = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".part", dir=cache))
    try:
        yield folder
    finally:
        _remove(folder)


def _put(folder: Path, target: Path) -> None:
    """Rename a whole checkout to its place; what was there goes only once the new one is in it."""
    folder.chmod(0o755)  # mkdtemp lets nobody else in
    if not target.exists():
        folder.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    target.rename(old / target.name)
    try:
        folder.rename(target)
    except BaseException:
        (old / target.name).rename(target)
        raise
    finally:
        _remove(old)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # what cannot go now is dropped by a later download
