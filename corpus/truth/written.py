"""What other programs read of a corpus: JSON and lists, written from the truth, each whole or not at all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from tonesmith.corpus.truth.files import WholeFile, full_disk_told, write_whole
from tonesmith.corpus.truth.inside import is_name
from tonesmith.corpus.truth.items import Item, items
from tonesmith.corpus.truth.profile import Profile
from tonesmith.corpus.truth.settings import Settings

MANIFEST: Final = "manifest.json"
FIELDS: Final = (
    "emotion",
    "valence",
    "arousal",
    "key",
    "mode",
    "tempo_bpm",
    "groove_type",
    "swing_ratio",
    "articulation",
    "chord_progression",
    "quality_score",
    "is_verified",
    "notes",
)
"""Annotations that every sample of a manifest has, null where nothing is known."""
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)
SPLITS: Final = ("train", "val", "test")


def write_all(folder: Path, connection: sqlite3.Connection, settings: Settings, profile: Profile) -> None:
    """Write ``manifest.json``, ``config.json``, ``splits/*.txt`` and ``annotations/*.json``, an item at a time."""
    members: dict[str, list[str]] = {name: [] for name in SPLITS}
    head = {"name": settings.name, "licence": settings.licence, "profile": settings.profile}
    count = 0
    with full_disk_told(folder), ExitStack() as stack:
        manifest = stack.enter_context(WholeFile(folder / MANIFEST, f'{json.dumps(head)[:-1]}, "samples": [', "]}"))
        said: dict[str, WholeFile] = {}
        for item in items(connection):
            count += 1
            manifest.add(_line(sample_of(item)))
            if item.split:
                members.setdefault(item.split, []).append(item.id)
            for name, told in _said(item):
                if not is_name(name):
                    continue
                if name not in said:
                    said[name] = stack.enter_context(WholeFile(folder / "annotations" / f"{name}.json", "{", "}"))
                said[name].add(f"{_line(item.id)}: {_line(told)}")
    write_whole(folder / "config.json", _json(_config(settings, profile, count, members)))
    _write_splits(folder / "splits", members)
    for path in (folder / "annotations").glob("*.json"):
        if path.stem not in said:
            path.unlink()


def sample_of(item: Item) -> dict[str, Any]:
    """Return an item as a manifest has it."""
    values = dict.fromkeys(FIELDS) | {name: _plain(value) for name, value in item.values.items()}
    origin = {"provenance": dict(item.provenance)} if item.provenance else {}
    return {
        "sample_id": item.id,
        "file_path": item.path,
        "files": {medium.kind: medium.path for medium in item.media},
        "parent": item.parent or None,
        "split": item.split or None,
        **origin,
        "recipe": item.recipe or None,
        "annotations": values,
    }


def _said(item: Item) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each name that something is said of, with what is believed and what every source says."""
    sources: dict[str, list[dict[str, Any]]] = {}
    for a in item.annotations:
        told = {"value": _plain(a.value), "source": a.source, "version": a.version, "confidence": a.confidence}
        sources.setdefault(a.name, []).append({**told, "authority": a.authority, "by": a.by, "at": a.at})
    for name, said in sources.items():
        yield name, {"value": _plain(item.values.get(name)), "sources": said}


def _config(settings: Settings, profile: Profile, count: int, members: Mapping[str, list[str]]) -> Any:
    return {
        "name": settings.name,
        "licence": settings.licence,
        "profile": {"name": settings.profile, **profile.model_dump(mode="json", exclude_defaults=True)},
        "items": count,
        "splits": {name: len(ids) for name, ids in members.items()},
    }


def _write_splits(folder: Path, members: Mapping[str, list[str]]) -> None:
    for name, ids in members.items():
        write_whole(folder / f"{name}.txt", "".join(f"{item}\n" for item in ids).encode())


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _line(data: Any) -> str:
    return _ENCODER.encode(data)


def _json(data: Any) -> bytes:
    return json.dumps(data, indent=1, ensure_ascii=False).encode() + b"\n"
