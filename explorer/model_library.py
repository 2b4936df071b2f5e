"""A library: a folder of models, with tags, a search, and a bin for those that were deleted."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tonesmith.errors import ConfigError, TonesmithError, unknown_name
from tonesmith.explorer.documents import alone, read_document, write_document
from tonesmith.explorer.stored import ABOUT, TAGS, read_description

BIN = ".bin"
MOST_TAGS = 32
_NAME = re.compile(r"[\w][\w .+-]{0,79}")
_TAG = re.compile(r"[\w][\w .+-]{0,39}")


@dataclass(frozen=True, slots=True)
class Kept:
    """A model of a library.

    Attributes:
        name: of its folder.
        tags: that a person gave it, in their order.
        sounds: names of the sounds it was fitted on; none of a damaged one.
        seconds: that they last.
        sliders: names of its sliders.
        damage: why it cannot be read; "" if it can.
    """

    name: str
    tags: tuple[str, ...]
    sounds: tuple[str, ...]
    seconds: float
    sliders: tuple[str, ...]
    damage: str

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return {each: getattr(self, each) for each in self.__slots__}


@dataclass(frozen=True, slots=True)
class Binned:
    """A model in the bin.

    Attributes:
        id: that it is restored by.
        name: that it had.
        at: when it was deleted, in UTC.
    """

    id: str
    name: str
    at: str

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return {"id": self.id, "name": self.name, "deleted": self.at}


def default_library() -> Path:
    """Return the folder of models in the user's data, below ``$XDG_DATA_HOME`` or ``~/.local/share``."""
    data = os.environ.get("XDG_DATA_HOME", "").strip()
    return (Path(data) if data else Path.home() / ".local" / "share") / "tonesmith" / "explorer"


def checked_name(name: str) -> str:
    """Return the name of a model. Raises :class:`ConfigError` for one that is none."""
    if not _NAME.fullmatch(name) or name.endswith((" ", ".")):
        told = "letters, digits, spaces, dots, +, - and _, at most 80 of them"
        raise ConfigError(f"{name!r} is no name of a model. It may have {told}, and begins with a letter or digit.")
    return name


class Library:
    """The models of a folder.

    Args:
        root: the folder. It may be missing, and is then empty.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """Return the names of the models, in their order."""
        found = self.root.glob(f"*/{ABOUT}") if self.root.is_dir() else ()
        return sorted(path.parent.name for path in found if path.is_file() and not path.parent.name.startswith("."))

    def place(self, name: str) -> Path:
        """Return the folder of a model. Raises :class:`ConfigError` if there is none."""
        if name not in (names := self.names()):
            raise ConfigError(f"{unknown_name('model', name, names, 6)} The library is {self.root}.")
        return self.root / name

    def models(self, words: Iterable[str] = ()) -> list[Kept]:
        """Return the models that have every word in their name, a tag or the name of a sound, whatever its case."""
        wanted = [word.casefold() for word in words]
        return [kept for kept in map(self._kept, self.names()) if all(_has(kept, word) for word in wanted)]

    def tag(self, name: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> tuple[str, ...]:
        """Give tags to a model and take others from it, and return what it has then.

        Raises :class:`ConfigError` for a tag that is none or that it does not have, and for too many.
        """
        place, more, fewer = self.place(name), [each.strip() for each in add], [each.strip() for each in remove]
        for tag in more:
            if not _TAG.fullmatch(tag):
                raise ConfigError(
                    f"{tag!r} is no tag. It may have letters, digits, spaces, dots, +, - and _, at most 40."
                )
        with alone(place):
            tags = _tags(place)
            for tag in fewer:
                if tag not in tags:
                    raise ConfigError(unknown_name("tag", tag, tags, 6))
            now = tuple(sorted({*tags, *more} - set(fewer)))
            if len(now) > MOST_TAGS:
                raise ConfigError(f"{name} would have {len(now)} tags, and may have {MOST_TAGS}.")
            if now != tags:
                write_document(place / TAGS, {"tags": list(now)})
        return now

    def rename(self, name: str, new: str) -> Path:
        """Give a model another name, and return its folder. Raises :class:`ConfigError` if that is taken."""
        place, target = self.place(name), self.root / checked_name(new)
        self._move(place, target)
        return target

    def delete(self, name: str) -> Binned:
        """Move a model to the bin."""
        place, at = self.place(name), datetime.now(UTC)
        stamp, number = f"{at:%Y%m%dT%H%M%S}", 1
        while (folder := self.root / BIN / f"{stamp}-{number}").exists():
            number += 1
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise ConfigError(f"cannot write {self.root / BIN}: {error.strerror}.") from None
        self._move(place, folder / name)
        return _binned(folder / name)

    def binned(self) -> list[Binned]:
        """Return what is in the bin, the latest first."""
        return [_binned(path) for path in sorted(self._in_bin(), key=lambda path: path.parent.name, reverse=True)]

    def restore(self, wanted: str, name: str = "") -> Path:
        """Bring a model back from the bin, and return its folder.

        Args:
            wanted: its id, or its name: of several of one name the one that was deleted last.
            name: that it gets; by default the one it had.

        Raises :class:`ConfigError` if there is none, or the name is taken.
        """
        known = self.binned()
        found = next((each for each in known if wanted in {each.id, each.name}), None)
        if found is None:
            raise ConfigError(f"in the bin: {unknown_name('model', wanted, sorted({each.name for each in known}), 6)}")
        target = self.root / checked_name(name or found.name)
        self._move(self.root / BIN / found.id / found.name, target)
        with contextlib.suppress(OSError):
            (self.root / BIN / found.id).rmdir()
        return target

    def empty(self) -> list[Binned]:
        """Remove what is in the bin for good, and return what that was."""
        gone = self.binned()
        for each in gone:
            shutil.rmtree(self.root / BIN / each.id, ignore_errors=True)
        return gone

    def _in_bin(self) -> Iterator[Path]:
        return (path.parent for path in (self.root / BIN).glob(f"*/*/{ABOUT}") if path.is_file())

    def _kept(self, name: str) -> Kept:
        place = self.root / name
        try:
            tags, about = _tags(place), read_description(place)
        except TonesmithError as error:
            return Kept(name, (), (), 0.0, (), str(error))
        sounds = tuple(sound.name for sound in about.sounds)
        sliders = tuple(str(slider["name"]) for slider in about.sliders)
        return Kept(name, tags, sounds, sum(sound.seconds for sound in about.sounds), sliders, "")

    def _move(self, place: Path, target: Path) -> None:
        if target.exists():
            raise ConfigError(f"{target} exists. Choose another name.")
        try:
            place.rename(target)
        except OSError as error:
            raise ConfigError(f"cannot move {place} to {target}: {error.strerror}.") from None


def _tags(place: Path) -> tuple[str, ...]:
    found = read_document(place / TAGS).get("tags", [])
    told = [tag for tag in found if isinstance(tag, str) and _TAG.fullmatch(tag)] if isinstance(found, list) else []
    return tuple(sorted(set(told)))


def _has(kept: Kept, word: str) -> bool:
    return any(word in text.casefold() for text in (kept.name, *kept.tags, *kept.sounds))


def _binned(path: Path) -> Binned:
    stamp = path.parent.name.split("-")[0]
    at = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]} {stamp[9:11]}:{stamp[11:13]}:{stamp[13:15]}"
    return Binned(path.parent.name, path.name, at)
