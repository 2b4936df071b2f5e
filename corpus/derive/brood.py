"""The children of one score or recording: drawn, made and set aside, in whichever process it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from tonesmith.corpus.derive.chain import Chain, Varied
from tonesmith.corpus.derive.music import bytes_of, read_music
from tonesmith.corpus.derive.recipe import Recipe, child_name
from tonesmith.corpus.derive.shelf import Made, set_aside
from tonesmith.corpus.media import Content, Kind, content_of_made
from tonesmith.errors import TonesmithError

if TYPE_CHECKING:
    from tonesmith.corpus.truth.items import Item, Medium

_ATTEMPTS: Final = 32
"""Draws of one child before there is taken to be no other."""


@dataclass(frozen=True, slots=True)
class Job:
    """Which children of a medium are to be made. It is plain JSON.

    Attributes:
        item: name of the parent.
        kind: of the medium.
        path: of its file, below the corpus.
        content: digest of what it holds.
        seconds: that it lasts.
        numbers: of the children, rising.
        seen: texts of the steps of those that are there: no other child is to have them.
    """

    item: str
    kind: Kind
    path: str
    content: str
    seconds: float
    numbers: Sequence[int]
    seen: Sequence[str]

    @classmethod
    def of(cls, item: Item, medium: Medium, numbers: Sequence[int], seen: Sequence[str]) -> Self:
        """Return the job of an item."""
        return cls(item.id, medium.kind, medium.path, medium.content, medium.seconds, numbers, seen)


@dataclass(frozen=True, slots=True)
class Child:
    """A child that is not in the corpus.

    Attributes:
        name: that its item will have.
        recipe: that makes it.
        made: its file; None in a dry run.
    """

    name: str
    recipe: Recipe
    made: Made | None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        told = {"name": self.name, "number": self.recipe.number, "steps": self.recipe.parameters["steps"]}
        if self.made is None:
            return told
        file = {"aside": str(self.made.aside), "sha256": self.made.sha256, "nbytes": self.made.nbytes}
        return {**told, "file": file, "content": asdict(self.made.content)}


@dataclass
class Brood:
    """What became of a job.

    Attributes:
        children: that were made.
        repeated: that would have been drawn like another one.
        left_out: name of an augmenter -> why it did not suit.
        refused: why nothing, or no more, could be made; "" if all was.
    """

    children: list[Child] = field(default_factory=list)
    repeated: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    refused: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        told = {"repeated": self.repeated, "left_out": self.left_out, "refused": self.refused}
        return {**told, "children": [child.to_json() for child in self.children]}

    @classmethod
    def from_json(cls, told: Mapping[str, Any], chain: Chain) -> Brood:
        """Return what :meth:`to_json` told of a job that was done with a chain."""
        children = [_child_of(one, chain) for one in told["children"]]
        return cls(children, told["repeated"], told["left_out"], told["refused"])


def _child_of(told: Mapping[str, Any], chain: Chain) -> Child:
    name, recipe = told["name"], _recipe(chain, told["steps"], told["number"])
    if "file" not in told:
        return Child(name, recipe, None)
    content = Content(**{**told["content"], "remarks": tuple(told["content"]["remarks"])})
    file = told["file"]
    return Child(name, recipe, Made(Path(file["aside"]), name, content, file["sha256"], file["nbytes"], recipe))


def _recipe(chain: Chain, steps: Sequence[Any], number: int) -> Recipe:
    told = {"steps": steps, "kind": chain.kind, "chain": chain.told, "seed": chain.seed}
    return Recipe("augment", {**told, "libraries": chain.libraries}, number)


class Breeding:
    """Makes the children that jobs ask for.

    Args:
        folder: of the corpus.
        chains: score and audio -> the augmenters.
        dry_run: whether to draw only.
    """

    def __init__(self, folder: Path, chains: Mapping[Kind, Chain], *, dry_run: bool) -> None:
        self._folder, self._chains, self._dry_run = folder, chains, dry_run

    def brood(self, job: Job) -> Brood:
        """Return what becomes of a job. What goes wrong is in it."""
        brood, seen = Brood(), set(job.seen)
        if not job.numbers:
            return brood
        try:
            music = read_music(self._folder / job.path, job.kind, job.seconds)
            for place, number in enumerate(job.numbers):
                varied = self._varied(brood, job, music, number, seen)
                if varied is None:
                    break
                if varied.text in seen:
                    brood.repeated = len(job.numbers) - place
                    break
                seen.add(varied.text)
                brood.children.append(self._child(job, varied, number))
        except (TonesmithError, OSError) as error:
            brood.refused = str(error)
        except Exception as error:  # noqa: BLE001 - whatever an augmenter does, the others go on
            brood.refused = f"{type(error).__name__}: {error}"
        return brood

    def _varied(self, brood: Brood, job: Job, music: Any, number: int, seen: Set[str]) -> Varied | None:
        """Return a child, if possible one that is like no other; None if no augmenter suits."""
        for attempt in range(_ATTEMPTS):
            varied = self._chains[job.kind].vary(music, job.content, number, attempt)
            brood.left_out |= varied.left_out
            if not varied.steps:
                return None
            if varied.text not in seen:
                break
        return varied

    def _child(self, job: Job, varied: Varied, number: int) -> Child:
        recipe = _recipe(self._chains[job.kind], varied.told, number)
        name = child_name(job.item, recipe.digest(job.content))
        if self._dry_run:
            return Child(name, recipe, None)
        data = bytes_of(varied.music)
        content = content_of_made(varied.music, data) if job.kind == "score" else None
        return Child(name, recipe, set_aside(self._folder, recipe, name, job.kind, data, content))
