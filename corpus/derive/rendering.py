"""Scores of a corpus played by a synth: recordings with an exact label, aligned with their scores."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tonesmith.corpus.derive.inheriting import labels_of_child
from tonesmith.corpus.derive.music import bytes_of
from tonesmith.corpus.derive.recipe import Recipe, canonical, child_name, recipes
from tonesmith.corpus.derive.shelf import Shelf
from tonesmith.corpus.derive.synth import Patches, Synth, folder_of, keep
from tonesmith.corpus.media import read_score
from tonesmith.corpus.truth.items import Item, Medium, items
from tonesmith.errors import TonesmithError
from tonesmith.terminal.progress import Progress

if TYPE_CHECKING:
    from tonesmith.corpus.store import Store
    from tonesmith.score.score import Score

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_HOLDS: Final = (2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Seconds that engines render, and what is longer than a score is cut off: one engine plays many scores."""


@dataclass
class RenderedScores:
    """What became of the scores.

    Attributes:
        items: names of the recordings that are new.
        scores: that were to be rendered.
        known: recordings that had been made before.
        duplicates: recording -> the item that sounds the same already.
        remarks: score -> what of it was not played.
        refused: score -> why it could not be rendered.
    """

    items: list[str] = field(default_factory=list)
    scores: int = 0
    known: int = 0
    duplicates: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        told = asdict(self)
        return {"added": told.pop("items"), **told}


class Rendering:
    """Renders scores of a corpus that is locked."""

    def __init__(
        self, corpus: Store, counter: Progress, synth: Synth, patches: Patches, seed: int, *, dry_run: bool
    ) -> None:
        self._corpus, self._counter, self._synth = corpus, counter, synth
        self._patches, self._seed, self._dry_run = patches, seed, dry_run
        self._shelf = Shelf(corpus, dry_run=dry_run)
        self._profile = corpus.profile
        parents = dict(corpus.connection.execute("SELECT item, parent FROM parents"))
        found = recipes(corpus.connection, "render")
        self._stored = {
            (parents.get(item, ""), canonical(recipe.parameters["address"]), recipe.number) for item, recipe in found
        }
        self.done = RenderedScores()

    def render(self, ids: Sequence[str], n: int) -> None:
        """Make so many recordings of each score that is among some items."""
        self._counter.begin(len(ids))
        with self._shelf.storing(), self._synth:
            for item in items(self._corpus.connection, ids):
                self._counter.advance(1)
                for medium in item.media:
                    if medium.kind == "score":
                        self._score(item, medium, n)
                self._shelf.now_and_then()

    def _score(self, item: Item, medium: Medium, n: int) -> None:
        self.done.scores += 1
        address = [self._synth.told, self._patches.digest, self._seed]
        todo = [k for k in range(n) if (item.id, canonical(address), k) not in self._stored]
        self.done.known += n - len(todo)
        try:
            for number in todo:
                patch = self._patches.drawn(self._seed, medium.content, number)
                told = {"kind": "audio", "synth": self._synth.told, "patch": patch, "address": address}
                self._one(item, medium, Recipe("render", told, number))
        except (TonesmithError, OSError) as error:
            self.done.refused[item.id] = str(error).rstrip(".")

    def _one(self, item: Item, medium: Medium, recipe: Recipe) -> None:
        name = child_name(item.id, recipe.digest(medium.content))
        if self._dry_run:
            self.done.items.append(name)
            return
        score, left_out = playable(read_score(self._corpus.path / medium.path), self._synth)
        if left_out:
            self.done.remarks[item.id] = left_out
        data = played(score, self._synth, self._patches.asset, recipe)
        recipe = replace(recipe, parameters={**recipe.parameters, "libraries": self._synth.versions})
        made = self._shelf.made(recipe, name, "audio", data)
        same = name if self._shelf.has(name) else self._shelf.same_as(made.content)
        if same:
            made.aside.unlink(missing_ok=True)
            self.done.duplicates[name] = same
            return
        keep(self._corpus.path, self._patches, recipe.parameters["patch"])
        self._shelf.put(made, item.id, labels_of_child(item.annotations, (), self._profile))
        self.done.items.append(name)


def playable(score: Score, synth: Synth) -> tuple[Score, str]:
    """Return what a synth can play of a score, and what is left out, as a sentence: drums, and controllers.

    Raises :class:`TonesmithError` for a score of which nothing is left.
    """
    import numpy as np

    from tonesmith.host.playing import unplayable_controls
    from tonesmith.score.controllers import controller_names
    from tonesmith.score.phrase import Phrase

    drums = np.array([part.drums for part in score.parts], bool)
    told = ["drums are left out."] if drums[score.notes["part"]].any() else []
    notes, controls = score.notes[~drums[score.notes["part"]]], score.controls[~drums[score.controls["part"]]]
    if not len(notes):
        raise TonesmithError("it has only drums, and one patch plays all notes.")
    score = replace(score, notes=notes, controls=controls)
    lacking = unplayable_controls(synth.backend, Phrase(score, score.duration + 1.0, 0.0))
    if lacking:
        told.append(f"{synth.backend.name} cannot play {controller_names(lacking)}: left out.")
        score = replace(score, controls=controls[~np.isin(controls["kind"], sorted(lacking))])
    return score, " ".join(told)


def played(score: Score, synth: Synth, asset: Any, recipe: Recipe) -> bytes:
    """Return a score played with the patch of a recipe, as WAV: as long as the score and the tail of the synth.

    Raises :class:`TonesmithError` with the reason if it cannot be.
    """
    from tonesmith.host.roles import Recorded
    from tonesmith.space.preset import read_patch

    hold = next((hold for hold in _HOLDS if score.duration <= hold), 0)
    if not hold:
        raise TonesmithError(f"it lasts {score.duration:,.0f} s; at most {_HOLDS[-1]} s are rendered.")
    name = recipe.parameters["patch"]
    audio = synth.play(read_patch(asset(name), name), score, hold, asset)
    frames = round((score.duration + synth.tail) * synth.sample_rate)
    return bytes_of(Recorded(audio[:, :frames], synth.sample_rate))


class RenderedAgain:
    """Renders items again from their recipes, with the engines that it has loaded already."""

    def __init__(self, corpus: Store, stack: ExitStack, *, trust: bool = False) -> None:
        self._corpus, self._stack, self._trust = corpus, stack, trust
        self._synths: dict[str, Synth] = {}

    def bytes_of(self, medium: Medium, recipe: Recipe) -> bytes:
        """Return the bytes of an item. Raises :class:`TonesmithError` if it cannot be rendered.

        Args:
            medium: the score of its parent.
            recipe: of the item.
        """
        told = recipe.parameters["synth"]
        key = canonical(told)
        if key not in self._synths:
            self._synths[key] = self._stack.enter_context(
                Synth.of(told, recipe.parameters["libraries"], trust=self._trust)
            )
        synth = self._synths[key]
        score, _ = playable(read_score(self._corpus.path / medium.path), synth)
        return played(score, synth, self._asset, recipe)

    def _asset(self, name: str) -> bytes:
        if not _DIGEST.fullmatch(name):
            raise TonesmithError(f"its recipe names {name[:80]!r}, which is no SHA-256.")
        try:
            return (folder_of(self._corpus.path) / name).read_bytes()
        except OSError as error:
            raise TonesmithError(
                f"the patch or asset {name[:12]} of its recipe cannot be read: {error.strerror}."
            ) from None
