"""Which files are one item: a score and a recording of one name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from tonesmith.corpus.media import Kind, kind_of
from tonesmith.host.roles import Found

_SIDES: Final = frozenset(
    {"midi", "mid", "midis", "scores", "score", "audio", "wav", "wavs", "flac", "mp3", "ogg", "aiff", "recordings"}
)
"""Names of folders that say only what kind of files is in them: midi/one.mid and audio/one.wav are a pair."""


@dataclass(frozen=True, slots=True)
class Group:
    """Files that are one item: at most one of each kind."""

    files: tuple[tuple[Kind, Found], ...]


def grouped(found: Iterable[Found]) -> Iterator[Group]:
    """Yield files as items, in the order of the first file of each.

    Files of one name for their item are one. Others are a pair if they have one stem in one folder, or in folders whose
    names differ only in words such as "midi" and "audio". Where that is not clear, because two files of a kind have the
    same, each is alone.
    """
    sets: dict[tuple[str, ...], list[tuple[Kind, Found]]] = {}
    for file in found:
        kind = kind_of(file.name)
        if kind is not None:
            sets.setdefault(_key(file), []).append((kind, file))
    for files in sets.values():
        kinds = [kind for kind, _ in files]
        if len(set(kinds)) == len(kinds):
            yield Group(tuple(sorted(files, key=lambda pair: pair[0] != "score")))
        else:
            yield from _in_one_folder(files)


def _in_one_folder(files: list[tuple[Kind, Found]]) -> Iterator[Group]:
    """Yield the pairs that lie in one folder, and every other file alone."""
    folders: dict[str, list[tuple[Kind, Found]]] = {}
    for kind, file in files:
        folders.setdefault(str(PurePosixPath(file.name).parent), []).append((kind, file))
    for members in folders.values():
        if sorted(kind for kind, _ in members) == ["audio", "score"]:
            yield Group(tuple(sorted(members, key=lambda pair: pair[0] != "score")))
        else:
            yield from (Group((member,)) for member in members)


def _key(file: Found) -> tuple[str, ...]:
    if file.item:
        return ("", file.item)
    path = PurePosixPath(file.name)
    return (*(part for part in path.parent.parts if part.lower() not in _SIDES), path.stem)
