"""The address of something in a bucket, such as ``s3://bucket/d.zarr``, as a path.

A dataset's path goes through many hands as a :class:`Path`, which spells such an address ``s3:/bucket/d.zarr``.
:func:`place_of` takes either spelling. What it returns says its address as it was given, and asks the bucket where a
path asks the disk: ``exists``, ``is_file``, ``iterdir``, ``read_bytes``. There are no folders to make and no links.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

from tonesmith.errors import ConfigError

if TYPE_CHECKING:
    from tonesmith.buckets.store import Store

SCHEMES = ("s3", "gs", "az")
"""Amazon S3 and what speaks its protocol, Google Cloud Storage, Azure Blob Storage."""

_REMOTE = re.compile(r"(?P<scheme>s3|gs|az)(?:!(?P<stamp>[0-9a-f]+))?:/+(?P<rest>.*)", re.DOTALL)
_FOREIGN = re.compile(r"(?P<scheme>s3a|s3n|gcs|abfss?|adl|wasbs?|https?|r2|b2|oss|file|memory):/+")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_UNFIT = re.compile(r"[\x00-\x1f\x7f\\{}^%`\[\]\"<>~#|*?]")
"""Characters that stores do not take as they are. A ``?`` begins the signature of a signed URL, too."""

_Base: Any = type(Path())


class BucketPath(_Base):  # type: ignore[misc]  # PosixPath or WindowsPath, known only at run time
    """What is at an address. Its first part is the scheme, with a stamp if it stands for one state of its content.

    What is read through a stamped path is kept in the cache and not asked for again; see :meth:`stamped`.
    """

    __slots__ = ()

    def __str__(self) -> str:
        """Return the address, without the stamp."""
        scheme, *rest = self.parts or ("",)
        known = scheme.rstrip(":").partition("!")[0]
        return f"{known}://{'/'.join(rest)}" if known in SCHEMES and scheme.endswith(":") else str(super().__str__())

    def __fspath__(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"BucketPath({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (BucketPath, tuple(self.parts))

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return str(self.parts[1])

    @property
    def key(self) -> str:
        """What is behind the bucket, "" for all of it."""
        return "/".join(self.parts[2:])

    @property
    def stamp(self) -> str:
        """What tells the state of the content that the path stands for, "" for whatever is there."""
        return str(self.parts[0]).rstrip(":").partition("!")[2]

    def stamped(self, stamp: str) -> Self:
        """Return the path as that of one state of the content. A stamp that it has already is kept with it.

        Args:
            stamp: anything that is another for another content, such as that of the marker of a block.
        """
        import hashlib

        scheme = str(self.parts[0]).rstrip(":").partition("!")[0]
        whole = hashlib.sha256(f"{self.stamp} {stamp}".encode()).hexdigest()[:32]
        return type(self)(f"{scheme}!{whole}:", *self.parts[1:])

    @property
    def spelled(self) -> str:
        """The address with the stamp, of which :func:`place_of` makes this path again."""
        return "/".join(self.parts)

    @property
    def store(self) -> Store:
        """The store of the bucket, whose client is of this process."""
        from tonesmith.buckets.client import store_of

        return store_of(str(self).partition(":")[0], self.bucket, self.key)

    def absolute(self) -> Self:
        """Return the path itself."""
        return self

    def resolve(self, strict: bool = False) -> Self:
        """Return the path itself: a bucket has no links."""
        return self

    def exists(self, **_: Any) -> bool:
        """Return whether an object is there, or any below it."""
        return self.is_file() or self.is_dir()

    def is_file(self, **_: Any) -> bool:
        """Return whether an object is there."""
        return self.store.size(self.key) is not None

    def is_dir(self, **_: Any) -> bool:
        """Return whether there is an object below."""
        return not self.store.is_empty(self.key)

    def is_symlink(self) -> bool:
        """Return False: a bucket has no links."""
        return False

    def iterdir(self) -> Iterator[Self]:
        """Yield the objects right below, and the folders that objects further below spell."""
        return (self / name for name in self.store.names(self.key))

    def read_bytes(self) -> bytes:
        """Return the content of the object. Raises :class:`FileNotFoundError`."""
        from tonesmith.buckets.reading import opened

        with os.fdopen(opened(self), "rb") as file:
            return file.read()

    def write_bytes(self, data: Any) -> int:
        """Store an object, in one step."""
        self.store.put(self.key, bytes(data))
        return len(data)

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete the object. It need not be there."""
        self.store.delete(self.key)

    def mkdir(self, *_: Any, **__: Any) -> None:
        """Do nothing: folders come with their objects."""

    def rmdir(self) -> None:
        """Do nothing: folders go with their objects."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise OSError(errno.ENOTSUP, "this cannot be done in a bucket", str(self))

    glob = rglob = walk = open = rename = replace = touch = symlink_to = hardlink_to = chmod = stat = lstat = _refuse


def place_of(path: str | os.PathLike[str]) -> Path:
    """Return a path; of an address in a bucket, however it is spelled, a :class:`BucketPath`.

    Raises :class:`ConfigError` for an address that names no place in a bucket, or has credentials in it.
    """
    if isinstance(path, BucketPath):
        return path
    text = os.fspath(path)
    match = _REMOTE.fullmatch(text)
    if match is None:
        _check_known(text)
        return Path(path)
    scheme, rest = match["scheme"], match["rest"]
    bucket, _, key = rest.partition("/")
    if "@" in bucket:
        raise ConfigError(
            f"{scheme}://...@{bucket.rpartition('@')[2]}: an address must not have credentials in it. Set them in the "
            "environment or in a profile: see docs/buckets.md."
        )
    if "?" in rest or "#" in rest:
        shown = re.split(r"[?#]", rest, maxsplit=1)[0]
        raise ConfigError(f"{scheme}://{shown}...: an address ends before ? and #. Signed URLs are not read.")
    parts = [part for part in key.split("/") if part]
    if not _BUCKET.fullmatch(bucket) or not parts:
        raise ConfigError(f"{scheme}://{rest} names no place in a bucket. Write {scheme}://BUCKET/NAME.")
    if {".", ".."} & set(parts) or _UNFIT.search(key):
        raise ConfigError(f'{scheme}://{rest}: a name in a bucket has no . or .. and none of \\{{}}^%`[]"<>~|*')
    head = f"{scheme}!{match['stamp']}:" if match["stamp"] else f"{scheme}:"
    return BucketPath(head, bucket, *parts)


def _check_known(text: str) -> None:
    """Raise :class:`ConfigError` for an address of a kind that is not read, rather than make a folder of that name."""
    if match := _FOREIGN.match(text):
        raise ConfigError(f"{match['scheme']}:// addresses cannot be used. Use s3://, gs:// or az://, or a local path.")


def afresh(path: Path) -> Path:
    """Return a path by which what this machine keeps of a bucket is not read; a path on a disk as it is."""
    import secrets

    return path.stamped(secrets.token_hex(16)) if isinstance(path, BucketPath) else path


def is_remote(path: object) -> bool:
    """Return whether a path is that of something in a bucket."""
    return isinstance(path, BucketPath)
