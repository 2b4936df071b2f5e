"""The labels of a child: what stays, what follows, and what is only inherited of its parent's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from tonesmith.corpus.truth.items import annotate
from tonesmith.corpus.truth.profile import Profile
from tonesmith.errors import ConfigError
from tonesmith.host.roles import Annotation, Augmenter
from tonesmith.host.roles.annotation import Said

KEPT, FOLLOWED, INHERITED = "kept", "followed", "inherited"
_ENDS: Final = tuple(f" ({state})" for state in (KEPT, FOLLOWED, INHERITED))
_OWN: Final = frozenset({"is_verified"})
"""Labels of an item alone: whoever checked the parent has not heard the child."""


class Step(NamedTuple):
    """One augmenter of a chain, and what was drawn for it."""

    augmenter: Augmenter[Any]
    parameters: Any


class _Label(NamedTuple):
    value: Said
    certainty: float
    state: str


def labels_of_child(said: Iterable[Annotation], steps: Sequence[Step], profile: Profile) -> list[Annotation]:
    """Return what sources of the parent say of a child.

    The source of each tells what became of it: ``folders (kept)`` where the change does not touch it, ``(followed)``
    where it changed exactly with the music, and ``(inherited)`` where it may have changed: its confidence is then less.
    What the profile does not allow any more is left out.
    """
    sources: dict[str, list[Annotation]] = {}
    for one in said:
        if one.name not in _OWN:
            sources.setdefault(one.source, []).append(one)
    found: dict[tuple[str, str], Annotation] = {}
    for source in sorted(sources, key=lambda name: (not name.endswith(_ENDS), name)):
        for child in _of_source(sources[source], steps, profile):
            found[child.name, child.source] = child
    return list(found.values())


def _of_source(said: Sequence[Annotation], steps: Sequence[Step], profile: Profile) -> Iterator[Annotation]:
    labels = {one.name: _Label(one.value, 1.0, _state_of(one.source)) for one in said}
    for step in steps:
        told = step.augmenter.relabel({name: label.value for name, label in labels.items()}, step.parameters)
        for name, change in told.items():
            if change.value is None:
                labels.pop(name, None)
            elif name in labels:
                labels[name] = _changed(labels[name], change.value, change.certainty)
    for one in said:
        label = labels.get(one.name)
        value = _allowed(profile, one.name, label.value) if label else None
        if label and value is not None:
            source = f"{_base(one.source)} ({label.state})"
            sure = round(one.confidence * label.certainty, 4)
            yield Annotation(one.name, value, sure, source, one.version, one.authority, one.by, one.at)


def _changed(label: _Label, value: Said, certainty: float) -> _Label:
    state = INHERITED if certainty < 1.0 or label.state == INHERITED else FOLLOWED
    return _Label(value, label.certainty * certainty, state)


def _state_of(source: str) -> str:
    return INHERITED if source.endswith(f" ({INHERITED})") else FOLLOWED if source.endswith(f" ({FOLLOWED})") else KEPT


def _base(source: str) -> str:
    return next((source.removesuffix(end) for end in _ENDS if source.endswith(end)), source)


def _allowed(profile: Profile, name: str, value: Said) -> Said | None:
    try:
        return profile.label(name).accepted(name, value)
    except ConfigError:
        return None


def inherit(connection: sqlite3.Connection, child: str, told: Sequence[Annotation]) -> int:
    """Store what the parent's sources say of a child, in the place of what they said before; return what is new."""
    return annotate(connection, child, told, lambda _, source: source.endswith(_ENDS))
