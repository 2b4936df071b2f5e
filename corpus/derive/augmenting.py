"""Items augmented: so many children of each, every one with its recipe, and no two the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tonesmith.corpus.derive.brood import Brood, Child, Job
from tonesmith.corpus.derive.broods import broods, processes
from tonesmith.corpus.derive.chain import Chain, steps_of
from tonesmith.corpus.derive.inheriting import Step, inherit, labels_of_child
from tonesmith.corpus.derive.recipe import Recipe, canonical, recipes
from tonesmith.corpus.derive.shelf import Shelf
from tonesmith.corpus.media import Kind
from tonesmith.corpus.truth.items import Item, items
from tonesmith.errors import TonesmithError
from tonesmith.terminal.progress import Progress

if TYPE_CHECKING:
    from tonesmith.corpus.store import Store


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
        stale: why labels cannot follow those of the parent any more -> children that keep theirs.
        refused: item -> why nothing could be made of it.
    """

    items: list[str] = field(default_factory=list)
    parents: int = 0
    known: int = 0
    relabelled: int = 0
    duplicates: dict[str, str] = field(default_factory=dict)
    repeated: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    stale: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        told = asdict(self)
        return {"added": told.pop("items"), **told}


class Augmenting:
    """Augments items of a corpus that is locked.

    Args:
        corpus: whose items.
        counter: is told how many files are done.
        chains: score and audio -> the augmenters.
        count: children of each score, and of each recording.
        workers: processes; 0 for one a core, or none for a few children.
        dry_run: whether to say only what would be done.
    """

    def __init__(
        self,
        corpus: Store,
        counter: Progress,
        chains: Mapping[Kind, Chain],
        count: int,
        *,
        workers: int = 0,
        dry_run: bool,
    ) -> None:
        self._corpus, self._counter, self._chains = corpus, counter, chains
        self._count, self._workers, self._dry_run = count, workers, dry_run
        self._profile = corpus.profile
        self._shelf = Shelf(corpus, dry_run=dry_run)
        self._texts: dict[str, str] = {}
        self._stored: dict[tuple[str, str], dict[int, str]] = {}
        self._children: dict[str, list[tuple[str, Recipe]]] = {}
        self._begun: dict[tuple[str, Kind], Item] = {}
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
            self._texts[child] = canonical(recipe.parameters.get("steps"))

    def augment(self, ids: Sequence[str]) -> None:
        """Make the children of items that are not there yet."""
        chosen = set(ids)
        rows = self._corpus.connection.execute("SELECT item, kind FROM media")
        media = [(item, kind) for item, kind in rows if item in chosen and kind in self._chains]
        self._counter.begin(len(media))
        missing = [(kind, len(numbers)) for item, kind in media if (numbers := self._numbers(item, kind))]
        children = Counter[Kind]()
        for kind, number in missing:
            children[kind] += number
        count = processes(children, len(missing), self._chains.values(), self._workers)
        made = broods(self._corpus.path, self._chains, self._jobs(ids), count, dry_run=self._dry_run)
        with self._shelf.storing(), closing(made):
            for job, brood in made:
                self._keep(job, brood)
                self._counter.advance(1)
                self._shelf.now_and_then()
        self.done.left_out = dict(sorted(self.done.left_out.items()))

    def _known(self, item: str, kind: Kind) -> Mapping[int, str]:
        """Return number -> child of those that were made before with this chain."""
        chain = self._chains[kind]
        return self._stored.get((item, f"[{chain.text},{chain.seed}]"), {})

    def _numbers(self, item: str, kind: Kind) -> list[int]:
        """Return the numbers of the children that are not there yet."""
        known = self._known(item, kind)
        return [number for number in range(self._count) if number not in known]

    def _jobs(self, ids: Sequence[str]) -> Iterator[Job]:
        for item in items(self._corpus.connection, ids):
            for medium in item.media:
                if medium.kind in self._chains:
                    self._begun[item.id, medium.kind] = item
                    seen = [self._texts[child] for child in self._known(item.id, medium.kind).values()]
                    yield Job.of(item, medium, self._numbers(item.id, medium.kind), seen)

    def _keep(self, job: Job, brood: Brood) -> None:
        """Put what was made into the corpus, and tell the rest."""
        item, done = self._begun.pop((job.item, job.kind)), self.done
        known = self._count - len(job.numbers)
        done.parents += 1
        done.known += known
        done.repeated += brood.repeated
        for name, reason in brood.left_out.items():
            told = f"{name}: {reason}"
            done.left_out[told] = done.left_out.get(told, 0) + 1
        if brood.refused:
            done.refused[item.id] = brood.refused
        for child in brood.children:
            self._put(item, self._chains[job.kind].steps(child.recipe.parameters["steps"]), child)
        if known:
            self._relabel(item)

    def _put(self, item: Item, steps: Sequence[Step], child: Child) -> None:
        made = child.made
        if made is None:
            self.done.items.append(child.name)
            return
        same = child.name if self._shelf.has(child.name) else self._shelf.same_as(made.content)
        if same:
            made.aside.unlink(missing_ok=True)
            self.done.duplicates[child.name] = same
            return
        self._shelf.put(made, item.id, labels_of_child(item.annotations, steps, self._profile))
        self.done.items.append(child.name)

    def _relabel(self, item: Item) -> None:
        """Say of the children that are there what is said of their parent now."""
        for child, recipe in self._children.pop(item.id, []):
            try:
                told = labels_of_child(item.annotations, steps_of(recipe.parameters), self._profile)
            except Exception as error:  # noqa: BLE001 - another version of an augmenter, or a stranger, wrote the recipe
                why = str(error).rstrip(".") if isinstance(error, TonesmithError) else type(error).__name__
                self.done.stale[why] = self.done.stale.get(why, 0) + 1
                continue
            self.done.relabelled += inherit(self._corpus.connection, child, told)
