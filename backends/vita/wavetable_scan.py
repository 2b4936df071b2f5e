"""From preset files to a catalog of the wavetables in them."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tonesmith.backends.vita import VitaBackend
from tonesmith.backends.vita.preset import CHOOSERS, preset_json
from tonesmith.backends.vita.wavetable_index import Source, plain
from tonesmith.backends.vita.wavetable_picture import FORM, NOTE, SAMPLE_RATE, drawn
from tonesmith.backends.vita.wavetables import Catalog, Wavetable
from tonesmith.engine.client import Engine
from tonesmith.engine.description import Description
from tonesmith.engine.isolation import isolation_of
from tonesmith.errors import EngineError
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.presets.collections import manifest_for
from tonesmith.presets.files import preset_files
from tonesmith.presets.ingest import MAX_PRESET_BYTES, Found, Refused, ingest
from tonesmith.space.patch import Patch, sha256_hex

TABLE_SUFFIX = ".vitaltable"
_AT_ONCE = 128
"""Files that are read before what was found is stored: what is held of them is about 0.5 MB each."""
_TABLE = "table"
_VITA = PluginRef(VitaBackend.name)

Progress = Callable[[str, int, int], object]
"""Told what is being done, "reading" or "drawing", how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan did.

    Attributes:
        catalog: as it is now.
        files: that were looked at.
        read: files that Vital could read, those in banks too, copies left out.
        copies: files with the content of another.
        refused: files that are no presets, and why.
        added: wavetables that the catalog did not have.
        pictures: that were drawn.
        undrawn: wavetables that Vital could not play, and so have no picture.
    """

    catalog: Catalog
    files: int
    read: int
    copies: int
    refused: tuple[Refused, ...]
    added: int
    pictures: int
    undrawn: int


def scan(
    paths: Sequence[str | os.PathLike[str]],
    out: Path,
    *,
    workers: int = 1,
    pictures: bool = True,
    progress: Progress | None = None,
) -> Scan:
    """Return what was found in preset files, which the catalog at ``out`` then holds.

    Args:
        paths: presets, ``.vitaltable`` files, folders with them below, and globs.
        out: folder of the catalog; one that is there is added to.
        workers: engines that read and draw at the same time.
        pictures: whether wavetables that have no picture get one.
        progress: told after each file and picture.

    Raises :class:`ConfigError` for a path without presets, and for a folder that is no catalog or cannot be written.
    """
    tell = progress or (lambda *_: None)
    files = preset_files(paths, (*VitaBackend.preset_suffixes, TABLE_SUFFIX))
    catalog = before = Catalog.begin(out)
    reader = _Reader(_described(), workers)
    read, refused, copies = set[str](), list[Refused](), 0
    for start in range(0, len(files), _AT_ONCE):
        part = files[start : start + _AT_ONCE]
        finds, bad, equal = reader.read(part, partial(_tell_of_part, tell, start, len(files)))
        refused += bad
        copies += equal + len(read & finds.keys())
        read |= finds.keys()
        catalog = catalog.with_found(
            {sha: find.source for sha, find in finds.items()},
            {sha: content for find in finds.values() for sha, content in find.contents.items()},
        )
    drawn, undrawn = _draw(catalog, reader.described, workers, tell) if pictures else (0, 0)
    return Scan(
        catalog=catalog,
        files=len(files),
        read=len(read),
        copies=copies,
        refused=tuple(sorted(refused, key=lambda item: item.path)),
        added=len(catalog.entries.keys() - before.entries.keys()),
        pictures=drawn,
        undrawn=undrawn,
    )


def _tell_of_part(tell: Progress, start: int, total: int, done: int) -> None:
    tell("reading", start + done, total)


@dataclass(frozen=True, slots=True)
class _Find:
    """What was found in a file: which, and SHA-256 -> content of its wavetables."""

    source: Source
    contents: Mapping[str, bytes]


class _Reader:
    """Reads files through Vital, each in a process where a hostile one costs nothing but itself."""

    def __init__(self, described: Description, workers: int) -> None:
        self.described = described
        self._workers = workers
        self._init = {slot: described.space.assets[slot] for slot in CHOOSERS.values()}

    def read(
        self, files: Sequence[Path], progress: Callable[[int], object]
    ) -> tuple[dict[str, _Find], list[Refused], int]:
        """Return the SHA-256 of each file that Vital could read with what was in it, the refused, and the copies."""
        done = 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            progress(done)

        with tempfile.TemporaryDirectory(prefix="tonesmith-") as folder:
            wrapped, refused = self._wrapped([f for f in files if f.suffix.lower() == TABLE_SUFFIX], Path(folder))
            count(len(refused))
            presets = [f for f in files if f.suffix.lower() != TABLE_SUFFIX]
            found, bad = ingest(
                [*presets, *wrapped],
                VitaBackend,
                _VITA.options,
                sample_rate=SAMPLE_RATE,
                workers=self._workers,
                progress=count,
            )
        refused += [replace(item, path=wrapped[item.path].path if item.path in wrapped else item.path) for item in bad]
        finds = {}
        for item in found:
            table = wrapped.get(item.path)
            finds[table.sha256 if table else item.preset.patch.preset] = self._find(item, table)
        return finds, refused, sum(len(item.copies) for item in found) + len(found) - len(finds)

    def _find(self, found: Found, table: _TableFile | None) -> _Find:
        preset = found.preset
        held = {slot: sha for slot, sha in preset.patch.assets.items() if sha != self._init.get(slot, sha)}
        source = Source(
            kind="table" if table else "preset",
            name=plain(table.path.stem if table else preset.name),
            author=plain(table.author if table else preset.author),
            licence=plain(table.licence if table else preset.licence),
            wavetables=held,  # type: ignore[arg-type]  # its keys are the slots that the field names
        )
        return _Find(source, {sha: preset.assets[sha] for sha in held.values()})

    def _wrapped(self, files: Iterable[Path], folder: Path) -> tuple[dict[Path, _TableFile], list[Refused]]:
        """Return init presets in which the wavetables of files are those of oscillator 1, and the files refused."""
        wrapped: dict[Path, _TableFile] = {}
        refused = []
        space = self.described.space
        patch = Patch({p.name: p.default for p in space.parameters}, assets={**space.assets, "wavetable_1": _TABLE})
        for path in files:
            try:
                file, table = _opened(path)
            except EngineError as error:
                refused.append(Refused(path, str(error)))
                continue
            place = folder / f"{len(wrapped)}.vital"
            place.write_text(preset_json(patch, {**self.described.assets, _TABLE: table}, ""), encoding="utf-8")
            wrapped[place] = file
        return wrapped, refused


@dataclass(frozen=True, slots=True)
class _TableFile:
    """A file that holds one wavetable; author and licence are those of its collection, or ""."""

    path: Path
    sha256: str
    author: str
    licence: str


def _opened(path: Path) -> tuple[_TableFile, bytes]:
    """Return a ``.vitaltable`` file and the JSON in it, named after the file if it has no name.

    Raises :class:`EngineError` if it holds no wavetable.
    """
    try:
        size = path.stat().st_size
        if size > MAX_PRESET_BYTES:
            told = f"{size >> 20} MB; files of more than {MAX_PRESET_BYTES >> 20} MB are not opened"
            raise EngineError(told)
        said = path.read_bytes()
        table = json.loads(said)
        if not isinstance(table, dict) or not isinstance(table.get("groups"), list):
            raise EngineError("not a Vital wavetable: it has no groups")
        named = json.dumps({**table, "name": plain(table.get("name")) or plain(path.stem)}).encode()
    except OSError as error:
        raise EngineError(f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise EngineError(f"not a Vital wavetable ({type(error).__name__}: {plain(str(error))})") from None
    collection = manifest_for(path)
    credit = (collection.author, collection.licence) if collection else ("", "")
    return _TableFile(path, sha256_hex(said), *credit), named


def _described() -> Description:
    """Return what Vital says of itself: its parameters and what its init preset holds."""
    asked = Audio(SAMPLE_RATE, 0, 0)
    with Engine(_VITA, asked, 1, isolation_of(VitaBackend), _no_asset) as engine:
        return engine.describe(NOTE.hold, NOTE.tail)


def _draw(catalog: Catalog, described: Description, workers: int, progress: Progress) -> tuple[int, int]:
    """Draw the wavetables that have no picture yet, and return how many were drawn, and how many cannot be played."""
    todo = [table for table in catalog.wavetables if not catalog.preview(table.sha256).is_file()]
    done = 0
    stopped = threading.Event()

    def asset(name: str) -> bytes:
        return described.assets[name] if name in described.assets else catalog.content(name)

    def draw(share: Sequence[Wavetable]) -> int:
        nonlocal done
        pictures = 0
        with Engine(_VITA, FORM, 1, isolation_of(VitaBackend), asset) as engine:
            for table in share:
                if stopped.is_set():
                    break
                with suppress(EngineError):
                    catalog.add_preview(table.sha256, drawn(engine, described.space, table.sha256, table.keyframes > 1))
                    pictures += 1
                with told:
                    done += 1
                    progress("drawing", done, len(todo))
        return pictures

    told = threading.Lock()
    engines = max(1, min(workers, len(todo)))
    with ThreadPoolExecutor(engines) as pool:
        try:
            pictures = sum(pool.map(draw, [todo[i::engines] for i in range(engines)]))
        finally:
            stopped.set()
    return pictures, len(todo) - pictures


def _no_asset(name: str) -> bytes:
    raise EngineError(f"the asset {name} is not known before presets are read")
