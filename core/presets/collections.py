"""Collections of presets: where each lies, who made it, and under which licence it may be used.

A collection is a folder of a git repository. A table in TOML names the known ones; a downloaded one carries a
manifest, so that the licence and the author of a preset are known wherever its file is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated

import tomli_w
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tonesmith.errors import ConfigError
from tonesmith.host.settings import InvalidSettings, Problem, dotted, validate
from tonesmith.host.toml import TomlSource, read_toml

DEFAULT_TABLE = Path(__file__).with_name("collections.toml")
"""The collections that are known without a table of the user's own."""

MANIFEST = ".tonesmith-collection.toml"
"""Name of the file, at the root of a downloaded collection, that says what it is."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SCHEMES = ("https://", "http://", "ssh://", "git://", "file://")
_HELPER = re.compile(r"[A-Za-z0-9_+.-]+::")
_SCP = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]+:[^-].*")


@dataclass(frozen=True, slots=True)
class Collection:
    """A folder of presets in a git repository.

    Attributes:
        name: what it is called, and the name of its folder in the cache.
        url: of the repository: https, http, ssh, git, file, or a local path.
        subfolder: of the repository that holds the presets, with "/" between parts; "" for all of it.
        licence: SPDX identifier or the words of the author, or "" where none is stated.
        author: who made the presets, or "".
        commit: hash of the commit to take; "" for the newest.
        homepage: for people, or "".
        licence_file: path in the repository of the text that states the licence, or "".
        synth: that the presets are for.
        suffix: of a preset's file name.
    """

    name: str
    url: str
    subfolder: str = ""
    licence: str = ""
    author: str = ""
    commit: str = ""
    homepage: str = ""
    licence_file: str = ""
    synth: str = "Vital"
    suffix: str = ".vital"

    def to_toml(self) -> str:
        """Return the text of its manifest."""
        return tomli_w.dumps(asdict(self))


def checked_name(name: str) -> str:
    """Return a name that may be that of a folder. Raises :class:`ValueError` for any other."""
    if len(name) > 64 or not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a valid name for a collection. Use up to 64 letters, digits, '-', '_' and inner '.'"
        )
    return name


def checked_path(path: str) -> str:
    """Return a path inside a repository, or "". Raises :class:`ValueError` for one that could lead out of it."""
    parts = path.split("/")
    bad = not path.isprintable() or "\\" in path or ":" in path or any(p in {"", ".", ".."} for p in parts)
    if path and (bad or any(part.lower() == ".git" for part in parts)):
        raise ValueError(f"{path!r} must be a relative path inside the repository, such as 'Presets/Bass'")
    return str(PurePosixPath(path)) if path else ""


def checked_url(url: str) -> str:
    """Return the URL of a repository, which is a path made absolute where it is one.

    Raises :class:`ValueError` for one that git would take for an option or for a command to run.
    """
    if not url or not url.isprintable() or url.startswith("-") or _HELPER.match(url):
        raise ValueError(f"{url!r} is not the URL of a git repository")
    if url.startswith(_SCHEMES):
        if re.match(r"[a-z]+://(?:[^/]*@)?-", url):  # a host that ssh or git would take for an option
            raise ValueError(f"{url!r} is not the URL of a git repository")
        return url
    if "://" in url:
        raise ValueError(f"{url!r} must begin with one of {', '.join(_SCHEMES)}, or be a path")
    if _SCP.fullmatch(url) and not os.path.lexists(url):
        return url
    return str(Path(os.path.expanduser(url)).absolute())  # noqa: PTH111 - Path.expanduser raises for an unknown user


def without_secret(url: str) -> str:
    """Return a URL without the password or token in it; the user of an ssh URL stays, for it is part of the address."""
    scheme, found, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    credentials, at, host = authority.rpartition("@")
    user = credentials.partition(":")[0] + at if scheme == "ssh" else ""
    return f"{scheme}://{user}{host}{slash}{path}" if found else url


def _checked_commit(commit: str) -> str:
    if commit and not _COMMIT.fullmatch(commit):
        raise ValueError(f"{commit!r} is not a commit. Give all 40 hexadecimal digits, or none for the newest")
    return commit


def _checked_suffix(suffix: str) -> str:
    if not re.fullmatch(r"\.[A-Za-z0-9]{1,16}", suffix):
        raise ValueError(f"{suffix!r} is not a suffix such as '.vital'")
    return suffix


_InRepository = Annotated[str, AfterValidator(checked_path)]


class _Entry(BaseModel):
    """The keys of a collection in a table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(checked_url)]
    subfolder: _InRepository = ""
    licence: str = Field("", max_length=200)
    author: str = Field("", max_length=200)
    commit: Annotated[str, AfterValidator(_checked_commit)] = ""
    homepage: str = Field("", max_length=500)
    licence_file: _InRepository = ""
    synth: str = Field("Vital", max_length=100)
    suffix: Annotated[str, AfterValidator(_checked_suffix)] = ".vital"


class _Manifest(_Entry):
    name: Annotated[str, AfterValidator(checked_name)]


def collection_from(name: str, keys: Mapping[str, str]) -> Collection:
    """Return a collection of its keys, as in a table. Raises :class:`ConfigError` with each that is wrong."""
    found, problems = _read(name, keys, ())
    if found is None:
        raise ConfigError("\n".join(f"{dotted(p.path)}: {p.text}" if p.path else p.text for p in problems))
    return found


def collections(table: Path | None = None) -> dict[str, Collection]:
    """Return the collections of a table by name, in its order; those of :data:`DEFAULT_TABLE` without one.

    Raises :class:`ConfigError` with the line of every key that is wrong.
    """
    source = read_toml(table or DEFAULT_TABLE)
    found: dict[str, Collection] = {}
    problems: list[Problem] = []
    for name, keys in source.data.items():
        if isinstance(keys, Mapping):
            collection, wrong = _read(name, keys, (name,))
            problems += wrong
            if collection:
                found[name] = collection
        else:
            problems.append(Problem((name,), f"must be a table: [{name}] with url, licence, author."))
    if problems:
        raise ConfigError("\n".join(f"{source.where(p.path)}{dotted(p.path)}: {p.text}" for p in problems))
    return found


def _read(name: str, keys: Mapping[str, str], path: tuple[str, ...]) -> tuple[Collection | None, list[Problem]]:
    try:
        checked_name(name)
    except ValueError as error:
        return None, [Problem(path, f"{error}.")]
    try:
        return Collection(name, **validate(_Entry, keys, path).model_dump()), []
    except InvalidSettings as error:
        return None, [_plainer(problem, keys, path) for problem in error.problems]


def _plainer(problem: Problem, keys: Mapping[str, str], path: tuple[str, ...]) -> Problem:
    """Return the problem of a table without URL, which has no key to name, in plain words."""
    return replace(problem, text="needs a url.") if problem.path == path and "url" not in keys else problem


def write_manifest(root: Path, collection: Collection) -> None:
    """Write the manifest of a collection into its folder, whole or not at all. A password in the URL is left out."""
    text = replace(collection, url=without_secret(collection.url)).to_toml()
    aside = root / f"{MANIFEST}.{os.getpid()}"
    aside.write_text(text, encoding="utf-8")
    aside.replace(root / MANIFEST)


def read_manifest(root: Path) -> Collection | None:
    """Return the collection that a folder holds, or None if it has no manifest.

    Raises :class:`ConfigError` if the manifest is damaged.
    """
    path = root / MANIFEST
    try:
        stamp = path.stat()
    except OSError:
        return None
    return _parsed(path, stamp.st_mtime_ns, stamp.st_size)


def manifest_for(path: Path) -> Collection | None:
    """Return the downloaded collection that a file or folder is part of, or None.

    Links are followed first, so that a preset keeps its licence where it is linked to.

    Raises :class:`ConfigError` if the manifest is damaged.
    """
    real = Path(os.path.realpath(path))  # unlike Path.resolve, it does not raise for a loop of links
    return next((found for folder in (real, *real.parents) if (found := read_manifest(folder))), None)


@lru_cache(maxsize=256)
def _parsed(path: Path, changed: int, size: int) -> Collection:  # noqa: ARG001 - they tell one content from another
    source = read_toml(path)
    try:
        return Collection(**validate(_Manifest, source.data).model_dump())
    except InvalidSettings as error:
        raise ConfigError("\n".join(_damage(source, p) for p in error.problems)) from None


def _damage(source: TomlSource, problem: Problem) -> str:
    return f"{source.where(problem.path)}{dotted(problem.path)}: {problem.text} Download the collection again."
