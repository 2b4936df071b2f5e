"""Files downloaded over http and https: resumed where they broke off, checked, and named only when they are whole."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from tonesmith.corpus.errors import CorpusError
from tonesmith.corpus.origin import read_note, write_note
from tonesmith.corpus.truth.files import full_disk_told, sha256_of, write_whole
from tonesmith.document import parsed_object, read_plain
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.terminal.progress import Progress

_CHUNK: Final = 1 << 18
_TIMEOUT: Final = 30.0
"""Seconds without a byte after which a server is given up."""
_TRIES: Final = 5
"""Times that a transfer which broke off, but had brought something, is taken up again."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_BROKEN: Final = (http.client.HTTPException, OSError)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was downloaded.

    Attributes:
        path: of it.
        url: that it is from.
        nbytes: of it.
        sha256: of it.
        resumed: bytes that were there from before.
        fresh: whether anything was transferred now.
    """

    path: Path
    url: str
    nbytes: int
    sha256: str
    resumed: int
    fresh: bool

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return {**asdict(self), "path": str(self.path)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to download.

    Attributes:
        url: of it; http or https.
        folder: to put it in.
        sha256: that it must have; "" for any.
        most: bytes that it may have.
        name: of its source, for the items that come from it; its URL by default.
        licence: as the source states it.
    """

    url: str
    folder: Path
    sha256: str = ""
    most: int = 64 * 10**9
    name: str = ""
    licence: str = ""

    def checked(self) -> Path:
        """Return the path that the file will have. Raises :class:`ConfigError` for what cannot be downloaded."""
        _check_url(self.url)
        if self.sha256 and not _SHA256.fullmatch(self.sha256):
            raise ConfigError(f"{self.sha256!r} is not a SHA-256: expected 64 digits of 0-9 and a-f.")
        if self.folder.exists() and not self.folder.is_dir():
            raise ConfigError(f"{self.folder} exists and is not a folder. Name another one.")
        name = PurePosixPath(unquote(urlsplit(self.url).path)).name
        if not name or name.startswith(".") or "\0" in name or "\\" in name or len(os.fsencode(name)) > 200:
            raise ConfigError(f"{self.url} does not end with the name of a file.")
        return self.folder / name


def fetch(wanted: Wanted, counter: Progress) -> Fetched:
    """Download a file, or go on with what a former try left.

    What comes lies in ``NAME.part`` until all of it is there and its SHA-256 is as expected. Beside the file, a note
    says where it is from.

    Args:
        wanted: the file.
        counter: is told how many bytes are there.

    Raises :class:`ConfigError` for what cannot be downloaded, and :class:`CorpusError` for a download that failed. What
    has come stays, and the same call goes on with it.
    """
    target = wanted.checked()
    if os.path.lexists(target):
        return _present(wanted, target)
    with full_disk_told(wanted.folder):
        wanted.folder.mkdir(parents=True, exist_ok=True)
        with _alone(target) as part:
            transfer = _Transfer(wanted, part, counter)
            resumed = transfer.run()
            sha256, nbytes = sha256_of(part)
            if wanted.sha256 and sha256 != wanted.sha256:
                transfer.forget()
                raise CorpusError(
                    f"{wanted.url} has the SHA-256 {sha256}, and {wanted.sha256} was expected. What came was removed."
                )
            told = {"source": wanted.name or wanted.url, "licence": wanted.licence, "url": wanted.url, "sha256": sha256}
            write_note(target, told, nbytes)
            part.replace(target)
            transfer.forget()
    return Fetched(target, wanted.url, nbytes, sha256, resumed, fresh=True)


def _present(wanted: Wanted, target: Path) -> Fetched:
    """Return the file that is there already, if it is the one."""
    if not target.is_file() or target.is_symlink():
        raise ConfigError(f"{target} exists and is not a file of a download. Move it.")
    sha256, nbytes = sha256_of(target)
    noted = read_note(target)
    if (wanted.sha256 or noted.get("sha256")) != sha256 or noted.get("url", wanted.url) != wanted.url:
        raise ConfigError(f"{target} exists and is another file than {wanted.url}. Move it, or name another folder.")
    return Fetched(target, wanted.url, nbytes, sha256, nbytes, fresh=False)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    if not known or not url.isprintable() or " " in url:
        raise ConfigError(f"{url!r} is not a URL that begins with http:// or https://.")
    if parts.username is not None:
        raise ConfigError("The URL has a user or a password in it, which would be noted with the file. Leave it out.")


@contextmanager
def _alone(target: Path) -> Iterator[Path]:
    """Give the path of the part of a file, while no other download has it."""
    import fcntl

    part = target.with_name(f"{target.name}.part")
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CorpusError(f"{target} is being downloaded by another command. Wait until it has ended.") from None
        yield part
    finally:
        if os.fstat(descriptor).st_size == 0:
            part.unlink(missing_ok=True)
            part.with_name(f"{part.name}.json").unlink(missing_ok=True)
        os.close(descriptor)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https, and from https to nothing less."""

    max_redirections = 5

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        before, after = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if after not in {"http", "https"} or (before == "https" and after != "https"):
            raise CorpusError(f"{req.full_url} leads to {newurl!s:.200}, which is not followed.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Transfer:
    """Brings a file into its part, from where that ends."""

    def __init__(self, wanted: Wanted, part: Path, counter: Progress) -> None:
        self._wanted, self._part, self._counter = wanted, part, counter
        self._state = part.with_name(f"{part.name}.json")
        # Of all handlers only these: no ftp, no file, no data
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _Redirects(),
        ):
            self._opener.add_handler(handler)

    def run(self) -> int:
        """Bring all of it, and return how many bytes were there from before."""
        held = self._held()
        for _ in range(_TRIES):
            before = self._part.stat().st_size
            try:
                self._once()
            except _BROKEN as error:
                if isinstance(error, OSError) and error.errno in {28, 122}:
                    raise
                there = self._part.stat().st_size
                if there <= before:
                    raise self._failed(error, there) from None
            else:
                return held
        raise self._failed(None, self._part.stat().st_size)

    def forget(self) -> None:
        """Remove the part and what is noted of it."""
        self._part.unlink(missing_ok=True)
        self._state.unlink(missing_ok=True)

    def _held(self) -> int:
        """Return how many bytes there are that the server can be asked to go on from; without, begin anew."""
        size = self._part.stat().st_size
        if size and self._noted().get("validator"):
            return size
        os.truncate(self._part, 0)
        return 0

    def _noted(self) -> Mapping[str, Any]:
        try:
            told = parsed_object(read_plain(self._state), self._state.name)
        except (OSError, DatasetError):
            return {}
        return told if told.get("url") == self._wanted.url else {}

    def _once(self) -> None:
        """Ask for what is missing, and take what comes. Raises what breaks it off."""
        start = self._held()
        headers = {"User-Agent": "tonesmith", "Accept-Encoding": "identity"}
        if start:
            headers |= {"Range": f"bytes={start}-", "If-Range": str(self._noted()["validator"])}
        try:
            request = urllib.request.Request(self._wanted.url, headers=headers)  # noqa: S310 - checked: http or https
            answer = self._opener.open(request, timeout=_TIMEOUT)
        except urllib.error.HTTPError as error:
            error.close()
            if start and error.code == 416:  # there is no such part: what is here is of another file, or all of it
                os.truncate(self._part, 0)
                raise http.client.HTTPException("the part did not fit") from None
            raise self._answered(error) from None
        with answer:
            start, whole = self._agreed(answer, start)
            self._take(answer, start, whole)

    def _answered(self, error: urllib.error.HTTPError) -> CorpusError:
        if error.code in {301, 302, 303, 307, 308}:
            target = error.headers.get("Location", "")[:200]
            return CorpusError(f"{self._wanted.url} leads to {target!r}, which is not followed.")
        return CorpusError(f"{self._wanted.url} cannot be downloaded: the server answers {error.code}.")

    def _agreed(self, answer: Any, start: int) -> tuple[int, int | None]:
        """Return from which byte the answer is, and how many the file has; None where the server does not say."""
        url = self._wanted.url
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise CorpusError(f"{url} comes compressed, though it was asked for as it is.")
        length = answer.headers.get("Content-Length", "")
        size = int(length) if length.isdigit() else None
        if answer.status == 206:
            match = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if not match or int(match[1]) != start:
                raise CorpusError(f"{url}: the server sends another part than it was asked for. Try again later.")
            whole = int(match[3]) if match[3].isdigit() else None
        elif answer.status == 200:
            start, whole = 0, size
        else:
            raise CorpusError(f"{url} cannot be downloaded: the server answers {answer.status}.")
        self._check_room(start, whole)
        self._note(answer)
        return start, whole

    def _note(self, answer: Any) -> None:
        """Write down by what the server knows this version of the file. A weak tag does not tell its bytes apart."""
        tag = answer.headers.get("ETag", "")
        validator = tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")
        write_whole(self._state, json.dumps({"url": self._wanted.url, "validator": validator}).encode())

    def _check_room(self, start: int, whole: int | None) -> None:
        if whole is None:
            return
        if whole > self._wanted.most:
            raise CorpusError(
                f"{self._wanted.url} has {whole:,} bytes, and at most {self._wanted.most:,} are taken. "
                "If you trust it, raise --most-gigabytes."
            )
        free = shutil.disk_usage(self._part.parent).free
        if whole - start > free:
            raise CorpusError(
                f"{self._part.parent} has room for {free:,} bytes, and {whole - start:,} more are needed."
            )

    def _take(self, answer: Any, start: int, whole: int | None) -> None:
        self._counter.begin(whole or 0, start)
        there = start
        with self._part.open("r+b") as file:
            file.truncate(start)
            file.seek(start)
            while chunk := answer.read1(_CHUNK):
                there += len(chunk)
                if there > self._wanted.most or (whole is not None and there > whole):
                    raise CorpusError(
                        f"{self._wanted.url} sends more than {min(self._wanted.most, whole or there):,} bytes."
                    )
                file.write(chunk)
                self._counter.advance(len(chunk))
            file.flush()
            os.fsync(file.fileno())
        if whole is not None and there < whole:
            raise http.client.IncompleteRead(b"", whole - there)

    def _failed(self, error: BaseException | None, there: int) -> CorpusError:
        reason = getattr(error, "reason", None) or error
        told = str(reason).strip() if isinstance(reason, OSError) else ""
        why = f": {told[:200]}" if told and not isinstance(error, http.client.IncompleteRead) else ""
        kept = "" if not there else f" {there:,} bytes are here."
        with contextlib.suppress(OSError):
            if not there:
                self.forget()
        return CorpusError(f"{self._wanted.url} broke off{why}.{kept} Run the same command to resume.")
