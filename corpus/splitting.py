"""A corpus divided into train, val and test: families stay together, classes keep their shares, and it may grow."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from tonesmith.corpus.families import families
from tonesmith.errors import ConfigError

if TYPE_CHECKING:
    from tonesmith.corpus.corpus import Corpus

SHARES: Final = {"train": 0.7, "val": 0.15, "test": 0.15}
_SETTING: Final = "split"


@dataclass(frozen=True, slots=True)
class Division:
    """How a corpus is divided.

    Attributes:
        shares: split -> the share that was asked for.
        stratify: label whose shares each split keeps; "" for none.
        seed: of the order in which families are divided.
        splits: split -> its items, families, and how many items it has of each class.
        added: items that were divided now.
        moved: items that were in another split before: their family was parted, because items that joined it are near
            duplicates of both.
    """

    shares: Mapping[str, float]
    stratify: str
    seed: int
    splits: Mapping[str, Mapping[str, Any]]
    added: int
    moved: int

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return asdict(self)


def settings_of(
    corpus: Corpus, shares: Mapping[str, float] | None, stratify: str | None, seed: int | None, *, again: bool
) -> tuple[dict[str, float], str, int]:
    """Return shares, label and seed: those given, else those of the last time, else the usual ones.

    Raises :class:`ConfigError` for others than those of the last time, unless everything is divided again.
    """
    profile = corpus.profile
    row = corpus.connection.execute("SELECT value FROM settings WHERE name = ?", (_SETTING,)).fetchone()
    before = json.loads(row[0]) if row else {}
    usual = {"shares": SHARES, "stratify": profile.classes, "seed": 0, **before}
    given = {"shares": shares, "stratify": stratify, "seed": seed}
    chosen: dict[str, Any] = {name: usual[name] if value is None else value for name, value in given.items()}
    if before and not again and chosen != before:
        raise ConfigError(
            f"{corpus.path} was divided with other settings: {_told(before)}. Leave them out to divide what is new, or "
            "divide everything again with --again."
        )
    _check(chosen["shares"])
    if chosen["stratify"]:
        profile.label(chosen["stratify"])
    return dict(chosen["shares"]), str(chosen["stratify"]), int(chosen["seed"])


def _told(settings: Mapping[str, Any]) -> str:
    shares = ", ".join(f"{name} {share:g}" for name, share in settings["shares"].items())
    return f"{shares}, by {settings['stratify'] or 'no label'}, seed {settings['seed']}"


def _check(shares: Mapping[str, float]) -> None:
    wrong = [name for name, share in shares.items() if not (math.isfinite(share) and 0 <= share <= 1)]
    if wrong or abs(sum(shares.values()) - 1.0) > 1e-6:
        told = ", ".join(f"{name} {share:g}" for name, share in shares.items())
        raise ConfigError(f"shares {told}: each must be 0 to 1, and their sum 1.")


def divide(
    corpus: Corpus,
    settings: tuple[dict[str, float], str, int],
    alike: Iterable[tuple[str, str]],
    *,
    again: bool,
    dry_run: bool,
) -> Division:
    """Divide what is not divided yet, or everything again. The corpus is locked by this.

    Args:
        corpus: to divide.
        settings: shares, label and seed: see :func:`settings_of`.
        alike: pairs of items that sound alike, which stay together, as do those that are known to.
        again: whether to divide everything anew.
        dry_run: whether to store nothing.
    """
    shares, stratify, seed = settings
    with corpus.change(dry_run=dry_run) as connection:
        before = {} if again else dict(connection.execute("SELECT item, split FROM splits"))
        labels = dict(
            connection.execute("SELECT item, value FROM annotations WHERE name = ? AND believed = 1", (stratify,))
        )
        kin = families(connection, alike)
        after = _assigned(kin, labels, before, shares, seed)
        changed = [(split, item) for item, split in after.items() if before.get(item) != split]
        if again:
            connection.execute("DELETE FROM splits")
        connection.executemany("INSERT OR REPLACE INTO splits(split, item) VALUES (?, ?)", changed)
        told = json.dumps({"shares": shares, "stratify": stratify, "seed": seed})
        connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (_SETTING, told))
    moved = sum(item in before for _, item in changed)
    counts = {name: _count(name, after, kin, labels) for name in shares}
    return Division(shares, stratify, seed, counts, len(changed) - moved, moved)


def _count(name: str, after: Mapping[str, str], kin: Mapping[str, str], labels: Mapping[str, Any]) -> dict[str, Any]:
    inside = [item for item, split in after.items() if split == name]
    classes = Counter(str(labels.get(item, "")) for item in inside)
    return {
        "items": len(inside),
        "families": len({kin[item] for item in inside}),
        "classes": dict(sorted(classes.items())),
    }


def _assigned(
    kin: Mapping[str, str],
    labels: Mapping[str, Any],
    before: Mapping[str, str],
    shares: Mapping[str, float],
    seed: int,
) -> dict[str, str]:
    """Return item -> split. A family that has a split keeps it; others go where most is missing, in a drawn order."""
    members: dict[str, list[str]] = {}
    for item, family in kin.items():
        members.setdefault(family, []).append(item)
    filling = _Filling(shares)
    after: dict[str, str] = {}
    fresh: list[str] = []
    for family, inside in members.items():
        held = Counter(before[item] for item in inside if before.get(item) in shares)
        if held:
            split = max(held, key=lambda name: (held[name], name == "train"))
            filling.add(split, _class_of(inside, labels), len(inside))
            after.update(dict.fromkeys(inside, split))
        else:
            fresh.append(family)
    for family in sorted(fresh, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest()):
        inside = members[family]
        kind = _class_of(inside, labels)
        split = filling.emptiest(kind, len(inside))
        filling.add(split, kind, len(inside))
        after.update(dict.fromkeys(inside, split))
    return after


def _class_of(inside: list[str], labels: Mapping[str, Any]) -> str:
    """Return the class that most of a family have; "" for none."""
    return Counter(str(labels.get(item, "")) for item in sorted(inside)).most_common(1)[0][0]


class _Filling:
    """Counts what is in each split, of each class and in all."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._shares = {name: share for name, share in shares.items() if share > 0}
        self._inside: Counter[tuple[str, str]] = Counter()
        self._all: Counter[str] = Counter()

    def add(self, split: str, kind: str, count: int) -> None:
        self._inside[split, kind] += count
        self._all[split] += count

    def emptiest(self, kind: str, count: int) -> str:
        """Return the split that lacks most of a class and in all, if so many items are to be added."""
        of_kind = count + sum(self._inside[name, kind] for name in self._shares)
        in_all = count + sum(self._all.values())

        def lacking(name: str) -> float:
            share = self._shares[name]
            return share * of_kind - self._inside[name, kind] + share * in_all - self._all[name]

        return max(self._shares, key=lacking)
