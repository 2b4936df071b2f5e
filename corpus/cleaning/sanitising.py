"""A corpus sanitised: every file measured once, faults found, items moved out with their reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tonesmith.corpus.cleaning.alike import alike, ancestors, kept_or_heard, roots, sound_of
from tonesmith.corpus.cleaning.faults import Fault, faults, too_long
from tonesmith.corpus.cleaning.likeness import Sound
from tonesmith.corpus.cleaning.limits import Limits
from tonesmith.corpus.cleaning.removal import finish_moves, take_out
from tonesmith.corpus.media import Unfit
from tonesmith.corpus.truth import database
from tonesmith.corpus.truth.batches import Batches
from tonesmith.corpus.truth.files import sha256_of
from tonesmith.corpus.truth.items import Item, Medium, items

if TYPE_CHECKING:
    from tonesmith.corpus.store import Store
    from tonesmith.terminal.progress import Progress


@dataclass(frozen=True, slots=True)
class Sanitised:
    """What was found.

    Attributes:
        items: that the corpus has now.
        measured: files that were measured now; the others had been before.
        removed: item -> why it is taken out.
        missing: path of a file that is not there -> why; its item is left alone.
        kept: items with a fault that a person has restored.
    """

    items: int
    measured: int
    removed: Mapping[str, Fault]
    missing: Mapping[str, str]
    kept: int

    @property
    def reasons(self) -> dict[str, int]:
        """Return reason -> items."""
        return dict(sorted(Counter(fault.reason for fault in self.removed.values()).items()))

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return {**asdict(self), "reasons": self.reasons}


class Sanitising:
    """Finds and takes out what is faulty in a corpus that is locked.

    Args:
        corpus: to sanitise.
        limits: from where on something is a fault.
        checks: that are made.
        deep: whether every file is read and measured again.
    """

    def __init__(self, corpus: Store, limits: Limits, checks: Collection[str], *, deep: bool) -> None:
        self._folder, self._connection = corpus.path, corpus.connection
        self._limits, self._checks, self._deep = limits, checks, deep
        self._found: dict[str, Fault] = {}
        self._missing: dict[str, str] = {}
        self._measured = self._spared = 0
        self._sounds: list[tuple[Sound, Item]] = []
        self._roots: dict[str, str] = {}

    def run(self, hearing: Progress, comparing: Progress, *, dry_run: bool) -> Sanitised:
        """Find what is faulty, take it out unless it is a dry run, and return what was found."""
        with Batches(self._connection, dry_run=dry_run) as batches:
            self._roots = roots(self._connection)
            kept = {row[0] for row in self._connection.execute("SELECT item FROM kept")}
            self._hear(kept, hearing, batches)
            if "duplicates" in self._checks:
                self._compare(kept, comparing, batches)
            removed = self._with_children()
        count = int(self._connection.execute("SELECT count(*) FROM items").fetchone()[0])
        if not dry_run:
            self._take_out(removed)
            count -= len(removed)
        return Sanitised(count, self._measured, removed, self._missing, self._spared)

    def _hear(self, kept: Collection[str], counter: Progress, batches: Batches) -> None:
        """Find the faults that an item has by itself."""
        counter.begin(self._connection.execute("SELECT count(*) FROM media").fetchone()[0])
        for item in items(self._connection):
            found = next((fault for medium in item.media for fault in self._faults(item, medium)), None)
            counter.advance(len(item.media))
            batches.now_and_then()
            if found and item.id in kept:
                self._spared += 1
            elif found:
                self._found[item.id] = Fault(found.reason, found.told, item.id)

    def _faults(self, item: Item, medium: Medium) -> Iterator[Fault]:
        path = self._folder / medium.path
        try:
            if path.stat().st_size != medium.nbytes or (self._deep and sha256_of(path)[0] != medium.sha256):
                if "corrupt" in self._checks:
                    yield Fault("corrupt", f"{medium.path} is not as it was added", "")
                return
            heard, now = kept_or_heard(self._connection, self._folder, medium, deep=self._deep)
            self._measured += now
        except Unfit as error:
            if "corrupt" in self._checks:
                yield Fault("corrupt", f"{medium.path} {error}", "")
            return
        except OSError as error:
            self._missing[medium.path] = error.strerror or str(error)
            return
        for fault in faults(medium.kind, heard.numbers, self._limits, self._checks):
            yield Fault(fault.reason, f"{medium.path} {fault.told}", "")
        if "length" in self._checks:
            yield from too_long(medium.seconds, self._limits)
        if heard.picture:
            self._sounds.append((sound_of(item.id, self._folder, medium, heard, self._roots), item))

    def _compare(self, kept: Collection[str], counter: Progress, batches: Batches) -> None:
        """Find recordings that sound like another, of which the better one stays."""
        whole = {sound.item: item for sound, item in self._sounds}
        sounds = [sound for sound, _ in self._sounds if sound.item not in self._found]
        every = [
            (found, one.item, two.item)
            for found, one, two in alike(self._connection, sounds, self._limits.likeness, counter, batches)
            if _may_be_one(whole[one.item], whole[two.item])
        ]
        for found, first, second in sorted(every, key=lambda pair: (-pair[0], pair[1:])):
            if not {first, second} & self._found.keys():
                self._choose(found, whole[first], whole[second], kept)

    def _choose(self, found: float, first: Item, second: Item, kept: Collection[str]) -> None:
        """Find the one of two that sound alike that goes."""
        swap = _rank(second, second.id in kept) < _rank(first, first.id in kept)
        best, other = (second, first) if swap else (first, second)
        if other.id in kept:
            self._spared += 1
        else:
            self._found[other.id] = Fault("duplicates", f"sounds like {best.id} (likeness {found:.2f})", other.id)

    def _with_children(self) -> dict[str, Fault]:
        """Return what is to be taken out: the faulty, and all that was made from them."""
        parents = dict(self._connection.execute("SELECT item, parent FROM parents"))
        removed = dict(self._found)
        for (item,) in self._connection.execute("SELECT id FROM items").fetchall():
            line = list(ancestors(item, parents))
            head = next((ancestor for ancestor in reversed(line) if ancestor in self._found), "")
            if head and head != item:
                removed[item] = Fault("parent", f"was made from {head}", head)
        return dict(sorted(removed.items()))

    def _take_out(self, removed: Mapping[str, Fault]) -> None:
        if removed:
            with database.transaction(self._connection):
                database.unwritten(self._connection)
                for item, fault in removed.items():
                    take_out(self._connection, item, fault)
        finish_moves(self._folder, self._connection)


def _may_be_one(first: Item, second: Item) -> bool:
    """Return whether two items can be one: recordings of different scores are not."""
    scores = [{medium.content for medium in item.media if medium.kind == "score"} for item in (first, second)]
    return not (scores[0] and scores[1] and scores[0] != scores[1])


def _rank(item: Item, kept: bool) -> tuple[Any, ...]:
    """Return what sorts first the one that stays: a person spoke of it, an original, both media, finer."""
    audio = next(medium for medium in item.media if medium.kind == "audio")
    person = any(said.authority == "person" for said in item.annotations)
    fine = (-int(audio.facts.get("sample_rate", 0)), -int(audio.facts.get("channels", 0)), -audio.nbytes)
    return (not kept, not person, bool(item.parent), -len(item.media), *fine, item.id)
