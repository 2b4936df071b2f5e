"""What annotators say of the items of a corpus, each item once for each definition."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from tonesmith.corpus.media import read_recording, read_score
from tonesmith.corpus.truth.batches import Batches
from tonesmith.corpus.truth.database import unwritten
from tonesmith.corpus.truth.items import annotate, utc_now
from tonesmith.corpus.truth.profile import Profile
from tonesmith.corpus.truth.settings import PROFILE
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.host.roles import Annotation, Annotator, Recorded, Subject
from tonesmith.terminal.progress import Progress

if TYPE_CHECKING:
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.score.score import Score

_HEARD: Final = 600.0
"""Seconds of a recording that annotators hear."""


@dataclass
class Told:
    """What one annotator said.

    Attributes:
        items: that it was asked of now.
        done: items of which it had been asked before.
        said: label -> items of which it says something, now.
        unknown: label that the profile does not have -> items of which it says something, which is not stored.
        silent: items of which nothing is stored.
        refused: item -> what it said that the profile does not allow, or why it failed.
    """

    items: int = 0
    done: int = 0
    said: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    silent: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def annotators_of(names: Sequence[str], options: Mapping[str, Mapping[str, Any]]) -> list[Annotator[Any]]:
    """Return annotators by their names. Raises :class:`PluginError` or :class:`ConfigError` for what cannot be used."""
    host = Host.load()
    return [host.find("annotator", n)(host.options_of("annotator", n, options.get(n, {}))) for n in names]


class Annotating:
    """Asks annotators of the items of a corpus that is locked. A score or a recording is read once for all of them."""

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

    def ask(self, annotators: Sequence[Annotator[Any]]) -> dict[str, Told]:
        """Ask annotators of every item that they were not asked of, and return name -> what each said."""
        told = {annotator.name: Told() for annotator in annotators}
        definitions = {one.name: f"{one.definition()} {self._schema}" for one in annotators}
        items = [row[0] for row in self._connection.execute("SELECT id FROM items ORDER BY id")]
        asked = {one.name: self._asked(one.name, definitions[one.name]) for one in annotators}
        for name, done in asked.items():
            told[name].done = len(done)
        self._counter.begin(len(items))
        with Batches(self._connection, dry_run=self._dry_run) as batches:
            for item in items:
                if todo := [one for one in annotators if item not in asked[one.name]]:
                    self._item(item, todo, definitions, told)
                self._counter.advance(1)
                batches.now_and_then()
        return told

    def _asked(self, source: str, definition: str) -> set[str]:
        """Return the items that an annotator was asked of."""
        sql = "SELECT item FROM annotated WHERE source = ? AND version = ?"
        return {row[0] for row in self._connection.execute(sql, (source, definition))}

    def _item(
        self,
        item: str,
        annotators: Sequence[Annotator[Any]],
        definitions: Mapping[str, str],
        told: Mapping[str, Told],
    ) -> None:
        """Ask annotators of an item, and store what they say in the place of what they said before."""
        subject, said, answered = self._subject(item), [], set()
        for annotator in annotators:
            answer = self._answer(annotator, subject, told[annotator.name])
            if answer is not None:
                said += answer
                answered.add(annotator.name)
        if annotate(self._connection, item, said, lambda _, source: source in answered):
            unwritten(self._connection)
        rows = [(item, name, definitions[name]) for name in answered if item not in told[name].refused]
        self._connection.executemany("INSERT OR REPLACE INTO annotated VALUES (?, ?, ?)", rows)

    def _answer(self, annotator: Annotator[Any], subject: Subject, told: Told) -> list[Annotation] | None:
        """Return what an annotator says of an item, as far as the profile allows it; None if it fails."""
        told.items += 1
        try:
            given = list(annotator.annotate(subject))
        except Exception as error:  # noqa: BLE001 - whatever an annotator does, the others go on
            told.refused[subject.item] = f"{type(error).__name__}: {error}"
            return None
        said = [kept for kept in (self._allowed(annotator, one, subject.item, told) for one in given) if kept]
        told.silent += not said
        for one in said:
            told.said[one.name] = told.said.get(one.name, 0) + 1
        return said

    def _allowed(self, annotator: Annotator[Any], one: Annotation, item: str, told: Told) -> Annotation | None:
        """Return what was said with who says it; None of what the profile does not allow."""
        if one.name not in self._profile.every():
            told.unknown[one.name] = told.unknown.get(one.name, 0) + 1
            return None
        try:
            value = self._profile.label(one.name).accepted(one.name, one.value)
        except ConfigError as error:
            told.refused[item] = str(error)
            return None
        program = Host.load().third_party("annotator", annotator.name) or "tonesmith"
        who = (annotator.name, str(annotator.version), annotator.authority, program, utc_now())
        return Annotation(one.name, value, one.confidence, *who)

    def _subject(self, item: str) -> Subject:
        paths = {
            kind: self._corpus.path / path
            for kind, path in self._connection.execute("SELECT kind, path FROM media WHERE item = ?", (item,))
        }
        names = self._names.get(item, [])

        def score() -> Score | None:
            return read_score(paths["score"]) if "score" in paths else None

        def recording() -> Recorded | None:
            return _unchanging(read_recording(paths["audio"], _HEARD)) if "audio" in paths else None

        own = [key for key in _short(names) if self._counts[key] == 1]
        return Subject(item, names, score, recording, self._choices, own)


def _unchanging(recorded: Recorded) -> Recorded:
    """Return a recording that no annotator can change for the next."""
    recorded.audio.flags.writeable = False
    return recorded


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
