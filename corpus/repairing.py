"""A damaged corpus repaired: from its backup, or from what was written of it and its files."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from tonesmith.corpus.adding import Adding
from tonesmith.corpus.cleaning.removal import find_moved
from tonesmith.corpus.corpus import Corpus
from tonesmith.corpus.errors import CorpusError, CorpusNotFoundError
from tonesmith.corpus.making import FOLDERS
from tonesmith.corpus.truth import database
from tonesmith.corpus.truth.files import write_whole
from tonesmith.corpus.truth.lock import WAIT, changing
from tonesmith.corpus.truth.settings import NAME, PROFILE, settings_text
from tonesmith.corpus.truth.written import MANIFEST
from tonesmith.document import parsed_object, read_plain
from tonesmith.errors import DatasetError
from tonesmith.host.registry import Host
from tonesmith.terminal.progress import progress as counting

_SIDES: Final = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done.

    Attributes:
        source: "whole" if nothing was damaged, "backup", or "files" where there was no whole backup either.
        items: that the corpus has now.
        adopted: items that were made of files in ``raw/`` that no item had.
        aside: where the damaged file is now; "" if nothing was damaged.
        refused: name of a file -> why no item could be made of it.
    """

    source: Literal["whole", "backup", "files"]
    items: int
    adopted: int
    aside: str
    refused: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return asdict(self)


def repair(folder: Path, *, wait: float = WAIT, dry_run: bool = False, progress: bool = False) -> Repaired:
    """Repair a corpus, and take files in ``raw/`` that no item has.

    Args:
        folder: of it. The damaged file is kept beside the new one.
        wait: seconds to wait for another command.
        dry_run: whether to say only what it would be repaired from.
        progress: whether to show it on the error stream.

    Raises :class:`CorpusNotFoundError` for a folder that is no corpus, and :class:`CorpusError` if it has no profile.
    """
    _check(folder)
    with changing(folder, wait), database.told(folder):
        source = _source(folder)
        aside = "" if dry_run or source == "whole" else _replaced(folder, source)
        if not dry_run:
            _complete(folder)
    if dry_run:
        return Repaired(source, 0, 0, aside, {})
    with _Unfinished(folder, wait=wait) as corpus, counting("reading files", "files", hidden=not progress) as counter:
        before = len(corpus)
        if source == "backup":
            with corpus.change() as connection:
                find_moved(folder, connection)
        with corpus.locked():
            adding = Adding(corpus, counter, link=False, dry_run=False, restoring=True)
            if source == "files" and (folder / MANIFEST).is_file():
                adding.source(folder, _importer("manifest", {"links": True}))
                _read_splits(corpus)
            restored = len(corpus)
            for inner in ("raw/midi", "raw/audio", "raw/synthetic"):
                adding.source(folder / inner, _importer("folder", {}), synthetic=inner == "raw/synthetic")
        corpus.write()
        (folder / database.REPAIRING).unlink(missing_ok=True)
        adopted = len(corpus) - (restored if source == "files" else before)
        return Repaired(source, len(corpus), adopted, aside, adding.added.refused)


class _Unfinished(Corpus):
    """A corpus that is being repaired: every other command refuses it."""

    _repairing = True


def _importer(name: str, options: Mapping[str, Any]) -> Any:
    host = Host.load()
    return host.find("importer", name)(host.options_of("importer", name, options))


def _check(folder: Path) -> None:
    ours = (NAME, PROFILE, database.NAME, database.BACKUP)
    if not any((folder / name).exists() for name in ours):
        raise CorpusNotFoundError(f"{folder} is not a corpus: it has none of {', '.join(ours)}.")
    if not (folder / PROFILE).is_file():
        raise CorpusError(f"{folder / PROFILE} is missing. Copy the profile of the corpus there, and run this again.")


def _source(folder: Path) -> Literal["whole", "backup", "files"]:
    """Return what a corpus is to be repaired from: what a repair that was interrupted began with."""
    begun = folder / database.REPAIRING
    if begun.is_file():
        return "files" if begun.read_bytes() == b"files" else "backup"
    if database.is_whole(folder / database.NAME):
        return "whole"
    return "backup" if database.is_whole(folder / database.BACKUP) else "files"


def _replaced(folder: Path, source: str) -> str:
    """Put the damaged file aside and another in its place, and return where it is now.

    What an interrupted repair put there is no damaged file, and goes.
    """
    path, begun = folder / database.NAME, (folder / database.REPAIRING).is_file()
    write_whole(folder / database.REPAIRING, source.encode())
    if begun and database.is_whole(path):
        for end in ("", *_SIDES):
            path.with_name(path.name + end).unlink(missing_ok=True)
    numbers = (number for number in range(1, 10_000) if not (folder / f"corpus.damaged-{number}.sqlite").exists())
    aside = folder / f"corpus.damaged-{next(numbers)}.sqlite"
    moved = path.exists()
    if moved:
        path.replace(aside)
    for end in _SIDES:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + end).replace(aside.with_name(aside.name + end))
    if source == "backup":
        new = folder / f".{database.NAME}.new"
        shutil.copyfile(folder / database.BACKUP, new)
        new.replace(path)
        database.sync_folder(folder)
    else:
        database.create(folder)
    if moved:
        return str(aside)
    before = sorted(folder.glob("corpus.damaged-*.sqlite"), key=lambda found: found.stat().st_mtime)
    return str(before[-1]) if begun and before else ""


def _complete(folder: Path) -> None:
    """Make the folders and the settings that a corpus has."""
    for inner in (*FOLDERS, "annotations", "splits"):
        (folder / inner).mkdir(parents=True, exist_ok=True)
    if not (folder / NAME).exists():
        said: dict[str, Any] = {}
        with contextlib.suppress(OSError, DatasetError):
            said = parsed_object(read_plain(folder / "config.json"), "config.json")
        profile = said.get("profile")
        named = str(profile.get("name", "")) if isinstance(profile, dict) else ""
        text = settings_text(str(said.get("name") or folder.absolute().name), named, str(said.get("licence") or ""))
        write_whole(folder / NAME, text.encode())


def _read_splits(corpus: Corpus) -> None:
    """Put items into the splits that were written of them."""
    known = {row[0] for row in corpus.connection.execute("SELECT id FROM items")}
    with database.transaction(corpus.connection):
        for path in sorted((corpus.path / "splits").glob("*.txt")):
            for item in path.read_text(encoding="utf-8", errors="replace").split("\n"):
                if item in known:
                    corpus.connection.execute("INSERT OR IGNORE INTO splits VALUES (?, ?)", (item, path.stem))
