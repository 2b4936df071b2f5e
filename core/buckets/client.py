"""The client of object stores, obstore: opened when a process first needs it, and never across a fork.

It tries a request that fails again by itself. What reaches us all the same, such as a listing or an object that was
cut short, we try again: each of the operations may be done twice.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from tonesmith.buckets.address import BucketPath
from tonesmith.buckets.store import Entry, Store
from tonesmith.buckets.told import is_denied, is_missing_bucket, is_unanswered, scrubbed, told
from tonesmith.errors import BucketError, ConfigError, PathTakenError, check_libraries

T = TypeVar("T")

_PAUSES = (0.2, 1.0, 4.0)
"""Seconds before each further try of our own: obstore does not repeat a listing whose answer is cut short."""

_PARTS = 64 * 2**20
"""Bytes from which a file is sent in parts, so that a cut costs one of them."""

_PATIENT = {"connect_timeout": "5s", "read_timeout": "60s", "timeout": "1h"}
_HASTY = {"connect_timeout": "3s", "read_timeout": "4s", "timeout": "10s"}
"""How long a request may take, and how long the first of a process: an address that answers nothing is told soon."""

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
"""Variables that obstore finds credentials by; else there may be a profile, else the role of the machine."""

_lock = threading.Lock()
_stores: dict[tuple[str, str], Store] = {}
_process = 0
"""The process that has used a client: one that is forked from it inherits this, and threads that are not there."""


def store_of(scheme: str, bucket: str, key: str) -> Store:
    """Return the store of a bucket, for this process.

    Args:
        scheme: of its address.
        bucket: name of it.
        key: of what is about to be used, which a user may be allowed to list who may not list the bucket.

    Raises :class:`ConfigError` if a library or a setting is missing, :class:`BucketError` if the bucket is not there or
    cannot be reached, and in a process that was forked from one which had used a bucket: its client would hang.
    """
    global _process  # noqa: PLW0603 - it is of the process, as the threads of the client are
    if _process not in {0, os.getpid()}:
        raise BucketError(
            f"this process was forked from one that had read {scheme}://{bucket}, and cannot read it: the client of "
            "object stores does not work after a fork. Start processes otherwise; a DataLoader of torch by "
            'multiprocessing_context="forkserver".'
        )
    with _lock:
        if (scheme, bucket) not in _stores:
            check_libraries(f"{scheme}://{bucket}", ("obstore",), "bucket")
            _process = os.getpid()
            _contact(scheme, bucket, key)
            _stores[scheme, bucket] = ObjectStore(scheme, bucket, _opened(scheme, bucket, _PATIENT, 3))
        return _stores[scheme, bucket]


def check_bucket(path: Path) -> None:
    """Raise :class:`PathTakenError` if a dataset cannot be made at a path, for its bucket is not there, or denied.

    Raises :class:`BucketError` if it cannot be reached.
    """
    assert isinstance(path, BucketPath)
    try:
        path.store.names(path.key)
    except BucketError as error:
        if error.denied:
            raise PathTakenError(f"no dataset can be made at {path}: {error}") from None
        raise


def _contact(scheme: str, bucket: str, key: str) -> None:
    """Raise :class:`BucketError`, within seconds, if a bucket cannot be reached."""
    ObjectStore(scheme, bucket, _opened(scheme, bucket, _HASTY, 1)).is_empty(key)


def _opened(scheme: str, bucket: str, limits: Mapping[str, str], tries: int) -> Any:
    """Return obstore's own store of a bucket. Credentials are not passed on: it finds them itself."""
    from obstore import store as stores

    retry: Any = {
        "max_retries": tries,
        "retry_timeout": timedelta(minutes=2),
        "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
    }
    client: Any = dict(limits)
    try:
        if scheme == "gs":
            return stores.GCSStore(bucket, client_options=client, retry_config=retry)
        if scheme == "az":
            return stores.AzureStore(bucket, client_options=client, retry_config=retry)
        endpoint = _endpoint()
        client["allow_http"] = endpoint.startswith("http://")
        config: Any = {"endpoint": endpoint} if endpoint else {}
        return stores.S3Store(
            bucket, config=config, client_options=client, retry_config=retry, credential_provider=_profile()
        )
    except (ConfigError, BucketError):
        raise
    except Exception as error:  # noqa: BLE001 - obstore has a class for each of its settings, and some of Python's
        raise ConfigError(f"{scheme}://{bucket} cannot be opened: {scrubbed(error)}. See docs/buckets.md.") from None


def _endpoint() -> str:
    """Return where S3 is, "" for Amazon's own. Raises :class:`ConfigError` for one that cannot be meant."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    if not endpoint:
        return ""
    try:
        parts = urlsplit(endpoint)
        fit = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        fit = False
    if not fit:
        raise ConfigError("AWS_ENDPOINT_URL must be http://HOST or https://HOST, without credentials in it.")
    return endpoint


def _profile() -> Any:
    """Return what gives the credentials of the user's profile; None if they are found otherwise, or not needed."""
    environ = os.environ
    if any(environ.get(name) for name in _KEYS) or environ.get("AWS_SKIP_SIGNATURE", "").lower() in {"1", "true"}:
        return None
    named = environ.get("AWS_PROFILE", "")
    file = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or Path.home() / ".aws" / "credentials")
    if not named and not file.is_file():
        return None
    check_libraries(f"the profile {named or 'default'!r} of AWS", ("boto3",), "bucket")
    import boto3
    from obstore.auth.boto3 import Boto3CredentialProvider

    try:
        return Boto3CredentialProvider(boto3.session.Session())
    except Exception as error:  # noqa: BLE001 - botocore has a class for each thing that a profile can lack
        raise ConfigError(f"the profile {named or 'default'!r} of AWS has no credentials: {scrubbed(error)}") from None


class ObjectStore(Store):
    """A bucket by obstore.

    Args:
        scheme: of its address.
        bucket: name of it.
        client: obstore's store of it.
    """

    def __init__(self, scheme: str, bucket: str, client: Any) -> None:
        self._place = f"{scheme}://{bucket}"
        self._client = client

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("the client of a bucket is of one process; send the path of the dataset")

    def put(self, key: str, content: bytes | Path) -> None:
        """Store an object, given as its bytes or as a local file."""
        import obstore

        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        parts: Any = {"use_multipart": size > _PARTS, "chunk_size": _PARTS // 4, "max_concurrency": 4}
        self._tried(key, lambda: obstore.put(self._client, key, content, **parts))

    def get(self, key: str, to: Path) -> None:
        """Write an object to a new local file. Raises :class:`FileNotFoundError` if there is no such object."""
        self._tried(key, lambda: self._get(key, to))

    def _get(self, key: str, to: Path) -> None:
        import obstore

        found = obstore.get(self._client, key)
        size, written = found.meta["size"], 0
        with to.open("wb") as file:
            for piece in found.stream(min_chunk_size=2**20):
                written += file.write(piece)
        if written != size:
            raise EOFError(f"it was cut short: {written} of {size} bytes came")

    def list(self, folder: str, after: str = "") -> Iterator[Entry]:
        """Yield the objects below a folder, however deep, in the order of their keys."""
        import obstore

        last = f"{folder}/{after}" if after else None
        for pause in (*_PAUSES, None):
            try:
                for chunk in obstore.list(self._client, folder or None, offset=last):
                    for found in chunk:
                        last = found["path"]
                        yield _entry(found)
            except Exception as error:  # noqa: BLE001 - whatever obstore raises, it is told in our words
                self._tell(folder, error, pause)
            else:
                return

    def names(self, folder: str) -> Sequence[str]:
        """Return the names right below a folder, sorted: of objects and of folders."""
        import obstore

        found = self._tried(folder, lambda: obstore.list_with_delimiter(self._client, folder or None))
        keys = [*found["common_prefixes"], *(entry["path"] for entry in found["objects"])]
        return tuple(sorted({key.rpartition("/")[2] for key in keys}))

    def delete(self, key: str) -> None:
        """Delete an object, if it is there."""
        import obstore

        try:
            self._tried(key, lambda: obstore.delete(self._client, key))
        except FileNotFoundError:
            return

    def size(self, key: str) -> int | None:
        """Return the bytes of an object; None if there is none."""
        import obstore

        try:
            return int(self._tried(key, lambda: obstore.head(self._client, key))["size"])
        except FileNotFoundError:
            return None

    def _tried(self, key: str, operation: Callable[[], T]) -> T:
        """Return what an operation returns, at a further try if the first fails."""
        for pause in _PAUSES:
            try:
                return operation()
            except Exception as error:  # noqa: BLE001 - whatever obstore raises, it is told in our words
                self._tell(key, error, pause)
        try:
            return operation()
        except Exception as error:
            self._tell(key, error, None)
            raise

    def _tell(self, key: str, error: Exception, pause: float | None) -> None:
        """Raise what tells of an error; return, after a pause, if the operation is worth another try."""
        if isinstance(error, OSError) and error.filename:  # of a local file
            raise error
        if is_missing_bucket(error) and (not isinstance(error, FileNotFoundError) or not key):
            raise BucketError(
                f"{self._place}: there is no such bucket. Make it, or correct the name.", denied=True
            ) from None
        if isinstance(error, FileNotFoundError):
            raise FileNotFoundError(errno.ENOENT, "there is no such object", f"{self._place}/{key}") from None
        if is_denied(error):
            where = f"{self._place}/{key}".rstrip("/")
            raise BucketError(
                f"{where}: access is denied. Check the credentials and what they allow.", denied=True
            ) from None
        if pause is None or is_unanswered(error):
            raise BucketError(told(self._place, error)) from None
        time.sleep(pause)


def _entry(found: Any) -> Entry:
    return Entry(found["path"], found["size"], f"{found['e_tag']} {found['last_modified']} {found['size']}")
