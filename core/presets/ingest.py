"""Preset files, from the paths that a person names to what a plan keeps of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tonesmith.engine.client import LOAD_SECONDS, Engine
from tonesmith.engine.isolation import isolation_of
from tonesmith.errors import ConfigError, EngineError
from tonesmith.host.roles import Backend
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.presets.asset_store import AssetStore
from tonesmith.presets.collections import manifest_for
from tonesmith.space.preset import Preset

MAX_PRESET_BYTES = 64 << 20
"""Of a preset file: a larger one is refused before anything reads it."""
MAX_BANK_BYTES = 512 << 20
"""The same of a file that holds preset files."""


@dataclass(frozen=True, slots=True)
class Found:
    """A preset that a synth could read.

    Attributes:
        path: of the first file with this content.
        preset: what is in it, with the licence of its collection.
        copies: other files with the same content. Of a file of several presets, its first one names them.
        number: of the preset in a file that holds several, from 1; 0 in a file of its own.
        member: name of its file in a bank of files, or "".
    """

    path: Path
    preset: Preset
    copies: tuple[Path, ...] = ()
    number: int = 0
    member: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is no preset of the synth, and why.

    Attributes:
        path: of the file.
        reason: a sentence without its end.
        member: name of the file in a bank of files that is refused, or "" for all that is at the path.
        number: of that file in the bank, from 1, or 0.
    """

    path: Path
    reason: str
    member: str = ""
    number: int = 0

    @property
    def place(self) -> str:
        """The file, and in a bank the file in it."""
        return f"{self.path}: {self.member}" if self.member else str(self.path)


@dataclass(frozen=True, slots=True)
class _Job:
    """What is read at once: equal files, or one file in equal banks, of which the last job of a bank has ``files``."""

    paths: Sequence[Path]
    files: int
    member: str = ""
    number: int = 0


def ingest(  # noqa: PLR0913 - where from, by what, and how
    files: Sequence[Path],
    backend: type[Backend[Any]],
    options: Mapping[str, Any],
    *,
    sample_rate: int,
    workers: int = 1,
    licence: str = "",
    store: AssetStore | None = None,
    progress: Callable[[int], object] = int,
    load_seconds: float = LOAD_SECONDS,
) -> tuple[list[Found], list[Refused]]:
    """Return what a synth reads in preset files, and which it refuses. Each content is read once.

    A preset that is in several files, or several times in one, is found once: where it comes first.

    Args:
        files: to read, each in a process where a hostile one costs nothing but itself.
        backend: the synth.
        options: of the backend, as JSON.
        sample_rate: Hz.
        workers: engines that read at the same time.
        licence: of a preset whose collection states none.
        store: takes the contents of all assets, and stands for the ``assets`` of each preset.
        progress: told the number of files after each.
        load_seconds: how long an engine may take to load.

    The presets come in the order of their SHA-256, so that neither names nor places decide anything.
    """
    by_content, refused = _by_content(files, backend.preset_banks)
    progress(len(refused))
    stopped = threading.Event()

    def engine() -> Engine:
        audio = Audio(sample_rate, 0, 0)
        return Engine(PluginRef(backend.name, options), audio, 1, isolation_of(backend), _no_asset, load_seconds)

    def read(reader: Engine, share: Sequence[_Job]) -> list[Found | Refused]:
        with reader:
            told: list[Found | Refused] = []
            for job in share:
                if stopped.is_set():
                    break
                told += (_kept(item, store) for item in _read(reader, job, licence))
                progress(job.files)
            return told

    with engine() as first:
        jobs, closed = _jobs(first, by_content, backend.preset_banks)
        refused += closed
        progress(len(closed))
        readers = [first, *(engine() for _ in range(min(workers, len(jobs)) - 1))]
        with ThreadPoolExecutor(len(readers)) as pool:
            try:
                shares = [jobs[i :: len(readers)] for i in range(len(readers))]
                told = [item for part in pool.map(read, readers, shares) for item in part]
            finally:
                stopped.set()
    refused += [item for item in told if isinstance(item, Refused)]
    place = {path: number for number, path in enumerate(files)}
    found = [item for item in told if isinstance(item, Found)]
    found.sort(key=lambda item: (place[item.path], item.number))
    return _distinct(_with_copies_once(found)), sorted(refused, key=lambda item: (item.path, item.number))


def _with_copies_once(found: Iterable[Found]) -> Iterator[Found]:
    """Yield what was found, where only the first of a file names its copies."""
    last = None
    for item in found:
        yield replace(item, copies=()) if item.path == last else item
        last = item.path


def _distinct(found: Iterable[Found]) -> list[Found]:
    """Return the first of those with one SHA-256, with the copies and remarks of all, in the order of the SHA-256."""
    groups: dict[str, list[Found]] = {}
    for item in found:
        groups.setdefault(item.preset.patch.preset, []).append(item)
    return [_joined(groups[sha256]) for sha256 in sorted(groups)]


def _joined(items: Sequence[Found]) -> Found:
    """Return the first of equal presets, with the copies of all, and what was remarked on the others."""
    first, *others = items
    copies = tuple(path for item in items for path in item.copies)
    remarks = (f"{_place(item)}: {remark}" for item in others for remark in item.preset.remarks)
    return replace(first, copies=copies, preset=replace(first.preset, remarks=(*first.preset.remarks, *remarks)))


def _place(item: Found) -> str:
    return f"the same in {item.path.name}" + (f", number {item.number}" if item.number else "")


def _is_bank(path: Path, banks: tuple[str, ...]) -> bool:
    return path.name.lower().endswith(banks)


def _by_content(files: Sequence[Path], banks: tuple[str, ...]) -> tuple[list[list[Path]], list[Refused]]:
    """Return the files of each content, and the files that are not opened at all."""
    by_content: dict[tuple[bytes, bool], list[Path]] = {}
    refused = []
    for path in files:
        bank = _is_bank(path, banks)
        most = MAX_BANK_BYTES if bank else MAX_PRESET_BYTES
        try:
            size = path.stat().st_size
            if size > most:
                told = f"{size >> 20} MB; {'banks' if bank else 'presets'} of more than {most >> 20} MB are not opened"
                refused.append(Refused(path, told))
                continue
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").digest()
            by_content.setdefault((sha256, bank), []).append(path)
        except OSError as error:
            refused.append(Refused(path, f"cannot be read: {error.strerror}"))
    return list(by_content.values()), refused


def _jobs(
    engine: Engine, by_content: Iterable[Sequence[Path]], banks: tuple[str, ...]
) -> tuple[list[_Job], list[Refused]]:
    """Return what is read at once of the files of each content, and the banks of which nothing can be read."""
    jobs, refused = [], []
    for paths in by_content:
        if not _is_bank(paths[0], banks):
            jobs.append(_Job(paths, len(paths)))
            continue
        try:
            names = engine.members(paths[0])
        except EngineError as error:
            refused += [Refused(path, str(error)) for path in paths]
            continue
        jobs += [_Job(paths, 0, name, number) for number, name in enumerate(names, 1)]
        jobs[-1] = replace(jobs[-1], files=len(paths))
    return jobs, refused


def _read(engine: Engine, job: _Job, licence: str) -> list[Found | Refused]:
    path, *copies = job.paths
    try:
        presets = engine.load_presets(path, member=job.member)
    except EngineError as error:
        return [Refused(path, str(error), job.member, job.number) for path in job.paths]
    collection, author = manifest_for(path), ""
    if collection is not None:
        licence, author = collection.licence or licence, collection.author
    credited = [
        replace(preset, author=preset.author or author, licence=preset.licence or licence) for preset in presets
    ]
    first = job.number or (len(credited) > 1)
    return [
        Found(path, preset, tuple(copies), number if first else 0, job.member)
        for number, preset in enumerate(credited, first)
    ]


def _kept(item: Found | Refused, store: AssetStore | None) -> Found | Refused:
    """Return what was read, with its assets in the store if there is one."""
    if store is None or isinstance(item, Refused):
        return item
    for content in item.preset.assets.values():
        store.add(content)
    return replace(item, preset=replace(item.preset, assets=store))


def _no_asset(name: str) -> bytes:
    raise ConfigError(f"the asset {name} is not known while presets are read")
