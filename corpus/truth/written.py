"""What other programs read of a corpus: JSON and lists, written from the truth, each whole or not at all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tonesmith.corpus.truth.files import write_whole
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
SPLITS: Final = ("train", "val", "test")


def write_all(folder: Path, connection: sqlite3.Connection, settings: Settings, profile: Profile) -> None:
    """Write ``manifest.json``, ``config.json``, ``splits/*.txt`` and ``annotations/*.json``."""
    samples: list[dict[str, Any]] = []
    said: dict[str, dict[str, Any]] = {}
    members: dict[str, list[str]] = {name: [] for name in SPLITS}
    for item in items(connection):
        samples.append(sample_of(item))
        if item.split:
            members.setdefault(item.split, []).append(item.id)
        for name, told in _said(item):
            said.setdefault(name, {})[item.id] = told
    head = {"name": settings.name, "licence": settings.licence, "profile": settings.profile}
    write_whole(folder / MANIFEST, _json({**head, "samples": samples}))
    write_whole(folder / "config.json", _json(_config(settings, profile, samples, members)))
    _write_splits(folder / "splits", members)
    _write_annotations(folder / "annotations", said)


def sample_of(item: Item) -> dict[str, Any]:
    """Return an item as a manifest has it."""
    values = dict.fromkeys(FIELDS) | {name: _plain(value) for name, value in item.values.items()}
    return {
        "sample_id": item.id,
        "file_path": item.path,
        "files": {medium.kind: medium.path for medium in item.media},
        "parent": item.parent or None,
        "split": item.split or None,
        "annotations": values,
    }


def _said(item: Item) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each name that something is said of, with what is believed and what every source says."""
    names = dict.fromkeys(annotation.name for annotation in item.annotations)
    for name in names:
        sources = [
            {
                "value": _plain(a.value),
                "source": a.source,
                "version": a.version,
                "confidence": a.confidence,
                "authority": a.authority,
                "by": a.by,
                "at": a.at,
            }
            for a in item.annotations
            if a.name == name
        ]
        yield name, {"value": _plain(item.values.get(name)), "sources": sources}


def _config(settings: Settings, profile: Profile, samples: list[Any], members: Mapping[str, list[str]]) -> Any:
    return {
        "name": settings.name,
        "licence": settings.licence,
        "profile": {"name": settings.profile, **profile.model_dump(mode="json", exclude_defaults=True)},
        "items": len(samples),
        "splits": {name: len(ids) for name, ids in members.items()},
    }


def _write_splits(folder: Path, members: Mapping[str, list[str]]) -> None:
    for name, ids in members.items():
        write_whole(folder / f"{name}.txt", "".join(f"{item}\n" for item in ids).encode())


def _write_annotations(folder: Path, said: Mapping[str, Mapping[str, Any]]) -> None:
    for name, told in said.items():
        write_whole(folder / f"{name}.json", _json(told))
    for path in folder.glob("*.json"):
        if path.stem not in said:
            path.unlink()


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _json(data: Any) -> bytes:
    return json.dumps(data, indent=1, ensure_ascii=False).encode() + b"\n"
