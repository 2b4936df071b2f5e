"""Preset files, from the paths that a person names to what a plan keeps of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tonesmith.engine.client import Engine
from tonesmith.engine.isolation import isolation_of
from tonesmith.errors import ConfigError, EngineError
from tonesmith.host.roles import Backend
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.presets.asset_store import AssetStore
from tonesmith.presets.collections import manifest_for
from tonesmith.space.preset import Preset

MAX_PRESET_BYTES = 64 << 20
"""Of a preset file: a larger one is refused before anything reads it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A preset that a synth could read.

    Attributes:
        path: of the first file with this content.
        preset: what is in it, with the licence of its collection.
        copies: other files with the same content. Of a file of several presets, its first one names them.
        number: of the preset in a file that holds several, from 1; 0 in a file of its own.
    """

    path: Path
    preset: Preset
    copies: tuple[Path, ...] = ()
    number: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is no preset of the synth, and why."""

    path: Path
    reason: str


def ingest(
    files: Sequence[Path],
    backend: type[Backend[Any]],
    options: Mapping[str, Any],
    *,
    sample_rate: int,
    workers: int = 1,
    licence: str = "",
    store: AssetStore | None = None,
    progress: Callable[[int], object] = int,
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

    The presets come in the order of their SHA-256, so that neither names nor places decide anything.
    """
    by_content, refused = _by_content(files)
    jobs = list(by_content.values())
    progress(len(refused))
    stopped = threading.Event()

    def read(share: Sequence[Sequence[Path]]) -> list[Found | Refused]:
        audio = Audio(sample_rate, 0, 0)
        reference = PluginRef(backend.name, options)
        with Engine(reference, audio, 1, isolation_of(backend), asset=_no_asset) as engine:
            told: list[Found | Refused] = []
            for paths in share:
                if stopped.is_set():
                    break
                told += (_kept(item, store) for item in _read(engine, paths, licence))
                progress(len(paths))
            return told

    engines = max(1, min(workers, len(jobs)))
    with ThreadPoolExecutor(engines) as pool:
        try:
            told = [item for part in pool.map(read, [jobs[i::engines] for i in range(engines)]) for item in part]
        finally:
            stopped.set()
    refused += [item for item in told if isinstance(item, Refused)]
    place = {path: number for number, path in enumerate(files)}
    found = [item for item in told if isinstance(item, Found)]
    found.sort(key=lambda item: (place[item.path], item.number))
    return _distinct(found), sorted(refused, key=lambda item: item.path)


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


def _by_content(files: Sequence[Path]) -> tuple[dict[str, list[Path]], list[Refused]]:
    """Return SHA-256 -> the files with that content, and the files that are not opened at all."""
    by_content: dict[str, list[Path]] = {}
    refused = []
    for path in files:
        try:
            size = path.stat().st_size
            if size > MAX_PRESET_BYTES:
                told = f"{size >> 20} MB; presets of more than {MAX_PRESET_BYTES >> 20} MB are not opened"
                refused.append(Refused(path, told))
                continue
            by_content.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), []).append(path)
        except OSError as error:
            refused.append(Refused(path, f"cannot be read: {error.strerror}"))
    return by_content, refused


def _read(engine: Engine, paths: Sequence[Path], licence: str) -> list[Found | Refused]:
    try:
        presets = engine.load_presets(paths[0])
    except EngineError as error:
        return [Refused(path, str(error)) for path in paths]
    collection, author = manifest_for(paths[0]), ""
    if collection is not None:
        licence, author = collection.licence or licence, collection.author
    credited = [
        replace(preset, author=preset.author or author, licence=preset.licence or licence) for preset in presets
    ]
    if len(credited) == 1:
        return [Found(paths[0], credited[0], tuple(paths[1:]))]
    copies = (tuple(paths[1:]), *(() for _ in credited[1:]))
    return [Found(paths[0], *each) for each in zip(credited, copies, range(1, len(credited) + 1), strict=True)]


def _kept(item: Found | Refused, store: AssetStore | None) -> Found | Refused:
    """Return what was read, with its assets in the store if there is one."""
    if store is None or isinstance(item, Refused):
        return item
    for content in item.preset.assets.values():
        store.add(content)
    return replace(item, preset=replace(item.preset, assets=store))


def _no_asset(name: str) -> bytes:
    raise ConfigError(f"the asset {name} is not known while presets are read")
