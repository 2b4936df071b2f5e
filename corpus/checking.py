"""What a corpus is checked for, in one place: balance, diversity, quality, structure and leaks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tonesmith.corpus.derive.advice import composing
from tonesmith.corpus.families import leaks
from tonesmith.corpus.media import kind_of
from tonesmith.corpus.truth.files import leftovers, sha256_of
from tonesmith.corpus.truth.items import read_value
from tonesmith.corpus.truth.profile import Profile
from tonesmith.errors import ConfigError
from tonesmith.terminal.text import counted, one_line

if TYPE_CHECKING:
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.terminal.progress import Progress

TEMPI: Final = (60, 80, 100, 120, 140, 160)
"""Beats per minute between the bins of tempo: below 60, 60 to 80, ..., from 160 on."""
METERS: Final = ("4/4", "3/4", "2/4", "6/8")
"""Meters that are counted one by one; all others are one more."""
_NAMED: Final = 20
_STRAYS: Final = {
    "raw": "Take it: tonesmith corpus repair",
    "processed/augmented": "Delete it, or move it elsewhere and add it: tonesmith corpus add",
}
"""Folder -> what to do about a file in it that no item has."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found.

    Attributes:
        items: in the corpus.
        classes: class of the profile -> its items; an absent one counts 0.
        missing: class -> items that are wanted yet.
        balance: the smallest class over the largest, 0..1; None without classes, or without items in any.
        diversity: key, tempo, mode and meter -> their normalised entropy, 0..1, of those that are known; and their
            mean.
        quality: ``opens``, ``fits`` and ``in_range``: shares of the items whose files are there as they were added,
            that have the media that the profile needs, and whose annotations are allowed by it.
        structure: what is wrong with files, a sentence each.
        leaks: families that are in more than one split.
        faults: everything that makes the corpus unfit, a sentence each. The exit code is 1 if there are any.
        next: what to do about what is missing, a sentence each.
    """

    items: int
    classes: Mapping[str, int]
    missing: Mapping[str, int]
    balance: float | None
    diversity: Mapping[str, float]
    quality: Mapping[str, float]
    structure: Sequence[str]
    leaks: int
    faults: Sequence[str]
    next: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return asdict(self)


def check(corpus: Corpus, counter: Progress, *, deep: bool) -> Checked:
    """Check a corpus.

    Args:
        corpus: to check.
        counter: is told how many files are done.
        deep: whether every file is read and compared with its SHA-256, not only its size.
    """
    connection, profile = corpus.connection, corpus.profile
    count = len(corpus)
    classes = class_counts(corpus, profile)
    wanted = profile.wanted()
    missing = {name: wanted[name] - number for name, number in classes.items() if number < wanted[name]}
    bad, structure = _files(corpus, counter, deep=deep)
    outside = list(_out_of_range(corpus, profile))
    unfit = _unfit(corpus, profile)
    parted = leaks(connection)
    whole = max(count, 1)
    quality = {
        "opens": 1 - len(bad) / whole,
        "fits": 1 - unfit / whole,
        "in_range": 1 - len({item for item, _ in outside}) / whole,
    }
    faults = [*structure, *_shown(f"{item}: {said}" for item, said in outside)]
    faults += _shown(f"{family} and its kin are in {' and '.join(splits)}" for family, splits in parted)
    balance = min(classes.values()) / max(classes.values()) if any(classes.values()) else None
    following = list(_following(corpus, profile, missing, unfit=unfit, parted=bool(parted)))
    diversity = diversity_of(corpus)
    return Checked(count, classes, missing, balance, diversity, quality, structure, len(parted), faults, following)


def class_counts(corpus: Corpus, profile: Profile) -> dict[str, int]:
    """Return class of the profile -> its items; an absent one counts 0."""
    counts = _counts(corpus, profile.classes)
    return {name: counts.get(name, 0) for name in profile.wanted()}


def _counts(corpus: Corpus, name: str) -> Counter[Any]:
    rows = corpus.connection.execute(
        "SELECT value, count(*) FROM annotations WHERE name = ? AND believed = 1 GROUP BY value", (name,)
    )
    return Counter({read_value(value): number for value, number in rows})


def diversity_of(corpus: Corpus) -> dict[str, float]:
    """Return the normalised entropy of key (of 24), tempo (7 bins), mode (2) and meter (5), and their mean."""
    keys = Counter(
        (key, mode)
        for key, mode in corpus.connection.execute(
            "SELECT k.value, m.value FROM annotations k JOIN annotations m ON m.item = k.item "
            "WHERE k.name = 'key' AND k.believed = 1 AND m.name = 'mode' AND m.believed = 1"
        )
    )
    tempi = Counter(sum(tempo >= edge for edge in TEMPI) for tempo in _counts(corpus, "tempo_bpm").elements() if tempo)
    meters = Counter(meter if meter in METERS else "other" for meter in _counts(corpus, "meter").elements())
    kinds = {"key": (keys, 24), "tempo": (tempi, 7), "mode": (_counts(corpus, "mode"), 2), "meter": (meters, 5)}
    found = {name: entropy(counts.values(), size) for name, (counts, size) in kinds.items() if counts}
    return {**found, "mean": sum(found.values()) / len(found)} if found else {}


def entropy(counts: Iterable[int], size: int) -> float:
    """Return the entropy of counts, 0..1, where 1 is that of so many equal ones."""
    numbers = [number for number in counts if number]
    whole = sum(numbers)
    bits = -sum(number / whole * math.log2(number / whole) for number in numbers)
    return min(1.0, max(0.0, bits / math.log2(size)))


def _files(corpus: Corpus, counter: Progress, *, deep: bool) -> tuple[set[str], list[str]]:
    """Return the items whose files are not as they were added, and what is wrong, a sentence each."""
    bad: set[str] = set()
    said: list[str] = []
    rows = corpus.connection.execute("SELECT item, path, sha256, nbytes FROM media ORDER BY path").fetchall()
    counter.begin(len(rows))
    moves = {target: source for source, target in corpus.connection.execute("SELECT source, target FROM moves")}
    for item, path, sha256, nbytes in rows:
        if fault := _file_fault(corpus.path / moves.get(path, path), sha256, nbytes, deep=deep):
            bad.add(item)
            said.append(f"{path} {fault}.")
        counter.advance(1)
    known = {path for _, path, *_ in rows}
    known |= set(moves.values())
    for folder, advice in _STRAYS.items():
        strays = [
            str(path.relative_to(corpus.path))
            for path in sorted((corpus.path / folder).rglob("*"))
            if kind_of(path.name) and str(path.relative_to(corpus.path)) not in known
        ]
        said += [f"{one_line(path, 200)} is no item's. {advice} {corpus.path}" for path in strays]
    if not corpus.is_written:
        said.append(f"manifest.json is older than the corpus. Renew it: tonesmith corpus write {corpus.path}")
    return bad, list(_shown(said))


def _file_fault(path: Path, sha256: str, nbytes: int, *, deep: bool) -> str:
    try:
        if path.stat().st_size != nbytes or (deep and sha256_of(path)[0] != sha256):
            return "is not as it was added: copy the original there"
    except OSError as error:
        return f"cannot be read ({error.strerror}): copy the original there"
    return ""


def _out_of_range(corpus: Corpus, profile: Profile) -> Iterator[tuple[str, str]]:
    """Yield item and what is wrong of each believed annotation that the profile does not allow."""
    rows = corpus.connection.execute("SELECT DISTINCT name, value FROM annotations WHERE believed = 1").fetchall()
    for name, stored in rows:
        try:
            profile.label(name).accepted(name, read_value(stored))
        except ConfigError as error:
            sql = "SELECT item FROM annotations WHERE believed = 1 AND name = ? AND value = ?"
            for (item,) in corpus.connection.execute(sql, (name, stored)):
                yield item, str(error)


def _unfit(corpus: Corpus, profile: Profile) -> int:
    """Return how many items do not have the media that the profile needs."""
    if profile.needs == "either":
        return 0
    needed = ("score", "audio") if profile.needs == "both" else (profile.needs,)
    marks = ",".join("?" * len(needed))
    sql = f"SELECT count(*) FROM (SELECT 1 FROM media WHERE kind IN ({marks}) GROUP BY item HAVING count(*) = ?)"  # noqa: S608
    fit = corpus.connection.execute(sql, (*needed, len(needed))).fetchone()[0]
    return len(corpus) - int(fit)


def _following(
    corpus: Corpus, profile: Profile, missing: Mapping[str, int], *, unfit: int, parted: bool
) -> Iterator[str]:
    if not len(corpus):
        yield f"The corpus is empty. Add music: tonesmith corpus add {corpus.path} FOLDER"
        return
    if missing:
        listed = ", ".join(f"{number:,} more {name}" for name, number in missing.items())
        yield f"Add {listed}, or lower their targets in profile.toml."
        yield from composing(corpus, profile, missing)
    unlabelled = len(corpus) - sum(class_counts(corpus, profile).values()) if profile.classes else 0
    if unlabelled:
        yield f"{counted(unlabelled, 'item')} without {profile.classes}: tonesmith corpus annotate {corpus.path}"
    if unfit:
        yield f"{counted(unfit, 'item')} without the media that the profile needs ({profile.needs}): add them."
    if halves := len(leftovers(corpus.path)):
        yield (
            f"{counted(halves, 'half-made file')} of a command that was killed, or is at work: "
            f"tonesmith corpus repair {corpus.path}"
        )
    divided = corpus.connection.execute("SELECT count(*) FROM splits").fetchone()[0]
    if divided < len(corpus) or parted:
        again = " --again" if parted else ""
        yield f"{counted(len(corpus) - divided, 'item')} in no split: tonesmith corpus split {corpus.path}{again}"


def _shown(sentences: Iterable[str]) -> Iterator[str]:
    """Yield the first sentences, and how many more there are."""
    for number, sentence in enumerate(every := list(sentences)):
        if number == _NAMED:
            yield f"and {len(every) - _NAMED:,} more like these"
            return
        yield sentence
