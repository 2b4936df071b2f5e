"""What composes the items of a class that are missing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from tonesmith.corpus.derive.composing import numbers_of

if TYPE_CHECKING:
    from tonesmith.corpus.store import Store


class _Way(NamedTuple):
    composer: str
    option: str
    words: Mapping[str, str]


_MOODS: Final = ("happy", "sad", "angry", "tense", "calm", "tender", "fearful", "excited")
_WAYS: Final[Mapping[str, _Way]] = {
    "emotion": _Way("emotion", "mood", {name: name for name in _MOODS}),
    "groove_type": _Way(
        "groove", "feel", {"straight": "straight", "swing": "swing", "shuffle": "shuffle", "laid_back": "laid-back"}
    ),
}
"""Label -> the composer that can be asked for its classes, the option, and class -> word of the composer."""


def composing(corpus: Store, label: str, missing: Mapping[str, int]) -> Iterator[str]:
    """Yield a sentence for each class that a composer can make: how many more, and the command."""
    way = _WAYS.get(label)
    for name, number in missing.items():
        if way and name in way.words:
            word = way.words[name]
            options = {way.option: [word]}
            have = len(numbers_of(corpus, way.composer, options))
            command = (
                f"tonesmith corpus compose {shlex.quote(str(corpus.path))} --with {way.composer} -n {have + number}"
            )
            yield f"{number:,} more {name}: {command} --{way.option} {word}"
