"""Derived items made again, and compared bit for bit with what was stored."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tonesmith.corpus.derive.chain import steps_of
from tonesmith.corpus.derive.composing import composed_again
from tonesmith.corpus.derive.inheriting import inherit, labels_of_child
from tonesmith.corpus.derive.music import bytes_of, read_music
from tonesmith.corpus.derive.recipe import Recipe, canonical, recipes, versions_of
from tonesmith.corpus.derive.rendering import RenderedAgain
from tonesmith.corpus.truth.batches import Batches
from tonesmith.corpus.truth.files import full_disk_told, sha256_of
from tonesmith.corpus.truth.items import Item, Medium, items
from tonesmith.errors import TonesmithError
from tonesmith.terminal.progress import Progress
from tonesmith.terminal.text import one_line

if TYPE_CHECKING:
    from tonesmith.corpus.store import Store


@dataclass
class Remade:
    """What became of the derived items.

    Attributes:
        items: that were made again, bit for bit.
        restored: those of them whose file was missing or damaged before.
        differing: item -> why it is not the same any more. Its file is as it was.
        refused: item -> why it could not be made.
    """

    items: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    differing: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        told = asdict(self)
        return {"remade": told.pop("items"), **told}


class _Refused(Exception):  # noqa: N818 - a reason, not a failure
    """An item cannot be made. The message is a clause that follows its name."""


class Remaking:
    """Makes derived items of a corpus that is locked again, parents before their children."""

    def __init__(self, corpus: Store, counter: Progress, *, dry_run: bool, trust: bool = False) -> None:
        self._corpus, self._counter, self._dry_run, self._trust = corpus, counter, dry_run, trust
        self._connection = corpus.connection
        self._profile = corpus.profile
        self._bad: set[str] = set()
        self.done = Remade()

    def remake(self, chosen: Sequence[str] = ()) -> None:
        """Make items again: those named with the derived ones that they come from, or all."""
        recipe_of = dict(recipes(self._connection))
        order = list(_in_order(self._connection, recipe_of, chosen))
        self._counter.begin(len(order))
        with Batches(self._connection, dry_run=self._dry_run, marks=True) as batches, ExitStack() as stack:
            self._again = RenderedAgain(self._corpus, stack, trust=self._trust)
            for item in items(self._connection, order):
                self._one(item, recipe_of[item.id])
                self._counter.advance(1)
                batches.now_and_then()

    def _one(self, item: Item, recipe: Recipe) -> None:
        medium = next((m for m in item.media if m.kind == recipe.parameters.get("kind")), None)
        if medium is None:
            self._refuse(item, "its recipe is damaged: it does not say what it makes")
            return
        try:
            data = self._bytes(item, recipe)
        except (_Refused, TonesmithError, OSError) as error:
            self._refuse(item, str(error).rstrip("."))
        except Exception as error:  # noqa: BLE001 - a stranger's recipe may hold anything, and the others are made
            self._refuse(item, f"its recipe cannot be followed: {type(error).__name__}: {one_line(error, 200)}")
        else:
            self._compare(item, medium, recipe, data)

    def _refuse(self, item: Item, why: str) -> None:
        self._bad.add(item.id)
        self.done.refused[item.id] = why

    def _bytes(self, item: Item, recipe: Recipe) -> bytes:
        return composed_again(recipe) if recipe.operation == "compose" else self._child(item, recipe)

    def _child(self, item: Item, recipe: Recipe) -> bytes:
        parent = next(items(self._connection, [item.parent]), None)
        if parent is None:
            raise _Refused(f"its parent {item.parent} is not in the corpus: add it again, or take a backup")
        rendered = recipe.operation == "render"
        kind = "score" if rendered else recipe.parameters["kind"]
        source = next((medium for medium in parent.media if medium.kind == kind), None)
        if source is None:
            raise _Refused(f"its parent {item.parent} has no {kind} any more")
        _check_parent(self._corpus, parent, source, bad=parent.id in self._bad)
        steps = [] if rendered else steps_of(recipe.parameters)
        if not self._dry_run:
            inherit(self._connection, item.id, labels_of_child(parent.annotations, steps, self._profile))
        if rendered:
            return self._again.bytes_of(source, recipe)
        music = read_music(self._corpus.path / source.path, source.kind, source.seconds)
        for step in steps:
            music = step.augmenter.apply(music, step.parameters)
        return bytes_of(music)

    def _compare(self, item: Item, medium: Medium, recipe: Recipe, data: bytes) -> None:
        """Put what was made into the place of the file if it has the stored SHA-256, and tell why if it has not."""
        path = self._corpus.path / medium.path
        if hashlib.sha256(data).hexdigest() != medium.sha256:
            self._bad.add(item.id)
            self.done.differing[item.id] = _why(recipe)
            return
        self.done.items.append(item.id)
        if not _is_whole(path, medium.sha256):
            self.done.restored.append(item.id)
        if not self._dry_run:
            aside = path.with_name(f".{path.name}.new")
            with full_disk_told(path.parent):
                aside.write_bytes(data)
                aside.replace(path)


def _check_parent(corpus: Store, parent: Item, medium: Medium, *, bad: bool) -> None:
    path = corpus.path / medium.path
    if not path.is_file():
        raise _Refused(f"the file of its parent {parent.id} is missing: copy {medium.path} there")
    if bad or sha256_of(path)[0] != medium.sha256:
        raise _Refused(f"the file of its parent {parent.id} is not the one that it was made of: {medium.path}")


def _is_whole(path: Any, sha256: str) -> bool:
    with contextlib.suppress(OSError):
        return bool(sha256_of(path)[0] == sha256)
    return False


def _why(recipe: Recipe) -> str:
    """Return why a recipe makes something else now."""
    if recipe.operation == "render":
        synth = recipe.parameters["synth"]
        if synth["determinism"] != "exact":
            return f"{synth['backend']} promises {synth['determinism']}, and not the same bits in every process"
        return f"{synth['backend']} plays it otherwise; it was made with {canonical(recipe.libraries)}"
    now = versions_of(recipe.libraries)
    changed = [
        f"{name} was {before}, and is {now.get(name, 'not installed')}"
        for name, before in recipe.libraries.items()
        if now.get(name) != before
    ]
    if changed:
        return f"{'; '.join(changed)}. Install what it was made with to get the same"
    return "the same libraries make something else, on this machine or with this version of tonesmith"


def _in_order(connection: sqlite3.Connection, recipe_of: Mapping[str, Recipe], chosen: Sequence[str]) -> Iterator[str]:
    """Yield derived items, parents first: those chosen and the derived ones that they come from, or all."""
    parents = dict(connection.execute("SELECT item, parent FROM parents"))
    given: set[str] = set()
    for item in chosen or sorted(recipe_of):
        line: list[str] = []
        while item in recipe_of and item not in given:
            given.add(item)
            line.append(item)
            item = parents.get(item, "")  # noqa: PLW2901 - up the line of its ancestors
        yield from reversed(line)
