"""What annotators say of the items of a corpus, each item once for each definition."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from tonesmith.corpus.media import read_recording, read_score
from tonesmith.corpus.truth.items import Item, annotate, items, names_said, silence, utc_now
from tonesmith.corpus.truth.profile import Profile
from tonesmith.corpus.truth.settings import PROFILE
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.host.roles import Annotation, Annotator, Recorded, Subject
from tonesmith.terminal.progress import Progress

if TYPE_CHECKING:
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.score.score import Score

_OFTEN: Final = 0.5
"""Seconds after which what was said is stored for good."""
_HEARD: Final = 600.0
"""Seconds of a recording that annotators hear."""


@dataclass
class Told:
    """What one annotator said.

    Attributes:
        items: that it was asked of now.
        done: items of which it had been asked before.
        said: label -> items of which it says something, now.
        silent: items of which it says nothing.
        refused: item -> what it said that the profile does not allow, or why it failed.
    """

    items: int = 0
    done: int = 0
    said: dict[str, int] = field(default_factory=dict)
    silent: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def annotators_of(names: Sequence[str], options: Mapping[str, Mapping[str, Any]]) -> list[Annotator[Any]]:
    """Return annotators by their names. Raises :class:`PluginError` or :class:`ConfigError` for what cannot be used."""
    host = Host.load()
    return [host.find("annotator", n)(host.options_of("annotator", n, options.get(n, {}))) for n in names]


class Annotating:
    """Asks annotators of the items of a corpus that is locked."""

    def __init__(self, corpus: Corpus, counter: Progress, *, dry_run: bool) -> None:
        self._corpus, self._connection = corpus, corpus.connection
        self._counter, self._dry_run = counter, dry_run
        self._profile = corpus.profile
        self._choices = _choices(self._profile)
        self._schema = hashlib.sha256((corpus.path / PROFILE).read_bytes()).hexdigest()[:8]
        self._names: dict[str, list[str]] = {}
        for item, name in self._connection.execute("SELECT item, name FROM origins ORDER BY item, name"):
            self._names.setdefault(item, []).append(name)
        self._counts = Counter(key for names in self._names.values() for key in _short(names))

    def ask(self, annotator: Annotator[Any]) -> Told:
        """Ask one annotator of every item that it was not asked of."""
        told = Told()
        definition = f"{annotator.definition()} {self._schema}"
        asked = dict(
            self._connection.execute("SELECT item, version FROM annotated WHERE source = ?", (annotator.name,))
        )
        every = [row[0] for row in self._connection.execute("SELECT id FROM items ORDER BY id")]
        todo = [item for item in every if asked.get(item) != definition]
        told.done = len(every) - len(todo)
        self._counter.begin(len(todo))
        for item in self._stored(todo):
            self._one(annotator, definition, item, told)
            self._counter.advance(1)
        return told

    def _stored(self, todo: Sequence[str]) -> Iterator[Item]:
        """Yield items, and store what was said of those before now and then, and at the end, however that comes."""
        last = time.monotonic()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for item in items(self._connection, todo):
                yield item
                if not self._dry_run and time.monotonic() - last > _OFTEN:
                    self._connection.execute("COMMIT")
                    self._connection.execute("BEGIN IMMEDIATE")
                    last = time.monotonic()
        finally:
            if self._connection.in_transaction:  # a full disk ends it
                self._connection.execute("ROLLBACK" if self._dry_run else "COMMIT")

    def _one(self, annotator: Annotator[Any], definition: str, item: Item, told: Told) -> None:
        told.items += 1
        try:
            given = list(annotator.annotate(self._subject(item)))
        except Exception as error:  # noqa: BLE001 - whatever an annotator does, the others go on
            told.refused[item.id] = f"{type(error).__name__}: {error}"
            return
        said = [kept for kept in (self._allowed(annotator, one, item, told) for one in given) if kept]
        gone = names_said(self._connection, item.id, annotator.name) - {one.name for one in said}
        changed = annotate(self._connection, item.id, said) + silence(self._connection, item.id, annotator.name, gone)
        if item.id not in told.refused:
            row = (item.id, annotator.name, definition)
            self._connection.execute("INSERT OR REPLACE INTO annotated VALUES (?, ?, ?)", row)
        if changed:
            self._connection.execute("INSERT OR REPLACE INTO settings VALUES ('written', 'no')")
        told.silent += not said
        for one in said:
            told.said[one.name] = told.said.get(one.name, 0) + 1

    def _allowed(self, annotator: Annotator[Any], one: Annotation, item: Item, told: Told) -> Annotation | None:
        """Return what was said with who says it; None of what the profile does not allow."""
        if one.name not in self._profile.every():
            return None
        try:
            value = self._profile.label(one.name).accepted(one.name, one.value)
        except ConfigError as error:
            told.refused[item.id] = str(error)
            return None
        program = Host.load().third_party("annotator", annotator.name) or "tonesmith"
        who = (annotator.name, str(annotator.version), annotator.authority, program, utc_now())
        return Annotation(one.name, value, one.confidence, *who)

    def _subject(self, item: Item) -> Subject:
        folder, paths = self._corpus.path, {medium.kind: medium.path for medium in item.media}
        names = self._names.get(item.id, [])

        def score() -> Score | None:
            return read_score(folder / paths["score"]) if "score" in paths else None

        def recording() -> Recorded | None:
            return read_recording(folder / paths["audio"], _HEARD) if "audio" in paths else None

        own = [key for key in _short(names) if self._counts[key] == 1]
        return Subject(item.id, names, score, recording, self._choices, own)


def _short(names: Sequence[str]) -> set[str]:
    """Return the names and stems of files, without their folders."""
    paths = [PurePosixPath(name) for name in names]
    return {path.name for path in paths} | {path.stem for path in paths}


def _choices(profile: Profile) -> dict[str, dict[str, str]]:
    """Return the words for the choices of the profile's own labels."""
    return {
        name: {
            word.lower(): choice
            for word, choice in [*zip(label.choices, label.choices, strict=True), *label.aliases.items()]
        }
        for name, label in profile.labels.items()
        if label.kind == "choice"
    }
