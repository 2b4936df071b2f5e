"""Items augmented: so many children of each, every one with its recipe, and no two the same."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tonesmith.corpus.derive.chain import Chain, Varied, steps_of, told_steps
from tonesmith.corpus.derive.inheriting import Step, inherit, labels_of_child
from tonesmith.corpus.derive.recipe import Recipe, canonical, recipes
from tonesmith.corpus.derive.shelf import Made, Shelf
from tonesmith.corpus.media import Kind, Unfit, read_recording, read_score
from tonesmith.corpus.truth.items import Item, Medium, items
from tonesmith.errors import TonesmithError
from tonesmith.terminal.progress import Progress

if TYPE_CHECKING:
    from tonesmith.corpus.store import Store

LONGEST: Final = 1800.0
"""The most seconds of a recording that is augmented: it is held in memory several times."""
_ATTEMPTS: Final = 32
"""Draws of one child before there is taken to be no other."""
_HASHED: Final = re.compile(r"-[0-9a-f]{8,64}\Z")


@dataclass
class Augmented:
    """What became of the items.

    Attributes:
        items: names of the children that are new.
        parents: items that were augmented.
        known: children that had been made before.
        relabelled: labels of these that changed with those of their parents.
        duplicates: child -> the item that holds the same already: it is not kept twice.
        repeated: children that would have been drawn like another one, and so were not made.
        left_out: augmenter and reason -> parents that it did not suit.
        refused: item -> why nothing could be made of it.
    """

    items: list[str] = field(default_factory=list)
    parents: int = 0
    known: int = 0
    relabelled: int = 0
    duplicates: dict[str, str] = field(default_factory=dict)
    repeated: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        told = asdict(self)
        return {"added": told.pop("items"), **told}


@dataclass
class _Brood:
    """The children of one medium of an item."""

    item: Item
    made: list[tuple[Made | Recipe, Varied]] = field(default_factory=list)
    known: int = 0
    repeated: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    refused: str = ""


class Augmenting:
    """Augments items of a corpus that is locked."""

    def __init__(
        self, corpus: Store, counter: Progress, chains: Mapping[Kind, Chain], count: int, *, dry_run: bool
    ) -> None:
        self._corpus, self._counter, self._chains = corpus, counter, chains
        self._count, self._dry_run = count, dry_run
        self._profile = corpus.profile
        self._shelf = Shelf(corpus, dry_run=dry_run)
        self._stop = threading.Event()
        self._names: dict[str, str] = {}
        self._stored: dict[tuple[str, str], dict[int, str]] = {}
        self._children: dict[str, list[tuple[str, Recipe]]] = {}
        self.done = Augmented()
        self._recall()

    def _recall(self) -> None:
        """Read which children there are, by their parents, chains and numbers."""
        parents = dict(self._corpus.connection.execute("SELECT item, parent FROM parents"))
        for child, recipe in recipes(self._corpus.connection, "augment"):
            parent = parents.get(child, "")
            address = (parent, canonical([recipe.parameters.get("chain"), recipe.parameters.get("seed")]))
            self._stored.setdefault(address, {})[recipe.number] = child
            self._children.setdefault(parent, []).append((child, recipe))
            self._names[child] = canonical(recipe.parameters.get("steps"))

    def augment(self, ids: Sequence[str]) -> None:
        """Make the children of items that are not there yet."""
        self._counter.begin(self._number(ids))
        jobs = ((item, m, chain) for item in items(self._corpus.connection, ids) for m, chain in self._media(item))
        with self._shelf.storing():
            for brood in self._broods(jobs):
                self._keep(brood)
                self._counter.advance(1)
                self._shelf.now_and_then()
        self.done.left_out = dict(sorted(self.done.left_out.items()))

    def _number(self, ids: Sequence[str]) -> int:
        """Return how many scores and recordings of items there are to be augmented."""
        chosen = set(ids)
        rows = self._corpus.connection.execute("SELECT item, kind FROM media")
        return sum(item in chosen and kind in self._chains for item, kind in rows)

    def _media(self, item: Item) -> Iterator[tuple[Medium, Chain]]:
        for medium in item.media:
            if chain := self._chains.get(medium.kind):
                yield medium, chain

    def _broods(self, jobs: Iterator[tuple[Item, Medium, Chain]]) -> Iterator[_Brood]:
        """Yield what is made of each, in order. Recordings are made in threads, which Rubber Band leaves free."""
        from tonesmith.engine.machine import cores

        ahead: deque[Future[_Brood]] = deque()
        with ThreadPoolExecutor(cores()) as pool:
            try:
                for item, medium, chain in jobs:
                    if medium.kind == "score":
                        yield self._brood(item, medium, chain)
                        continue
                    ahead.append(pool.submit(self._brood, item, medium, chain))
                    while len(ahead) > cores():
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _brood(self, item: Item, medium: Medium, chain: Chain) -> _Brood:
        brood = _Brood(item)
        stored = self._stored.get((item.id, canonical([chain.told, chain.seed])), {})
        todo = [number for number in range(self._count) if number not in stored]
        brood.known = self._count - len(todo)
        if not todo:
            return brood
        seen = {self._names[child] for child in stored.values()}
        try:
            music = read_music(self._corpus, medium)
            for number in todo:
                if self._stop.is_set() or not self._child(brood, music, medium, chain, number, seen):
                    break
        except (TonesmithError, OSError) as error:
            brood.refused = str(error)
        except Exception as error:  # noqa: BLE001 - whatever an augmenter does, the others go on
            brood.refused = f"{type(error).__name__}: {error}"
        return brood

    def _child(self, brood: _Brood, music: Any, medium: Medium, chain: Chain, number: int, seen: set[str]) -> bool:
        """Make a child, and return whether there may be others."""
        for attempt in range(_ATTEMPTS):
            varied = chain.vary(music, medium.content, number, attempt)
            brood.left_out |= varied.left_out
            if not varied.steps:
                return False
            steps = told_steps(varied.steps)
            if canonical(steps) not in seen:
                break
        else:
            brood.repeated += self._count - number
            return False
        seen.add(canonical(steps))
        parameters = {"steps": steps, "kind": medium.kind, "chain": chain.told, "seed": chain.seed}
        recipe = Recipe("augment", {**parameters, "libraries": chain.libraries}, number)
        if self._dry_run:
            brood.made.append((recipe, varied))
            return True
        name = child_name(brood.item.id, recipe.digest(medium.content))
        brood.made.append((self._shelf.made(recipe, name, medium.kind, bytes_of(varied.music)), varied))
        return True

    def _keep(self, brood: _Brood) -> None:
        """Put what was made into the corpus, and tell the rest."""
        item, done = brood.item, self.done
        done.parents += 1
        done.known += brood.known
        done.repeated += brood.repeated
        for name, reason in brood.left_out.items():
            told = f"{name}: {reason}"
            done.left_out[told] = done.left_out.get(told, 0) + 1
        if brood.refused:
            done.refused[item.id] = brood.refused
        for made, varied in brood.made:
            if isinstance(made, Recipe):
                done.items.append(child_name(item.id, made.digest(item.id)))
            else:
                self._put(item, made, varied.steps)
        if brood.known:
            self._relabel(item)

    def _put(self, item: Item, made: Made, steps: Sequence[Step]) -> None:
        same = made.name if self._shelf.has(made.name) else self._shelf.same_as(made.content)
        if same:
            made.aside.unlink(missing_ok=True)
            self.done.duplicates[made.name] = same
            return
        self._shelf.put(made, item.id, labels_of_child(item.annotations, steps, self._profile))
        self.done.items.append(made.name)

    def _relabel(self, item: Item) -> None:
        """Say of the children that are there what is said of their parent now."""
        for child, recipe in self._children.pop(item.id, []):
            told = labels_of_child(item.annotations, steps_of(recipe.parameters), self._profile)
            self.done.relabelled += inherit(self._corpus.connection, child, told)


def child_name(parent: str, digest: str) -> str:
    """Return what a child is called: by its first ancestor's name, and 12 digits of what makes it."""
    return f"{_HASHED.sub('', parent)}-{digest[:12]}"


def bytes_of(music: Any) -> bytes:
    """Return a score as MIDI, or a recording as 32-bit float WAV."""
    from tonesmith.dataset.wav import wav_of
    from tonesmith.score.score import Score
    from tonesmith.score.writer import midi_of

    return midi_of(music) if isinstance(music, Score) else wav_of(music.audio, music.sample_rate)


def read_music(corpus: Store, medium: Medium) -> Any:
    """Return the score or recording of an item. Raises :class:`Unfit`, :class:`ScoreError` or :class:`OSError`."""
    path = corpus.path / medium.path
    if medium.kind == "score":
        return read_score(path)
    if medium.seconds > LONGEST:
        raise Unfit(f"lasts {medium.seconds / 60:,.0f} minutes; at most {LONGEST / 60:.0f} are augmented")
    return read_recording(path, LONGEST)
