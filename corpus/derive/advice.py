"""What makes the items of a class that are missing: a command that composes them, or where else they may come from."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tonesmith.corpus.derive.composing import (
    accepted,
    address_of,
    composer_of,
    numbers_by_address,
    pairs_of,
    parameters_of,
)

if TYPE_CHECKING:
    from tonesmith.corpus.store import Store
    from tonesmith.corpus.truth.profile import Profile
    from tonesmith.host.roles import Composer


class _Way(NamedTuple):
    """An option of a composer that decides one of its fields.

    Attributes:
        composer: its name.
        option: that decides it.
        field: whose choices are the words of the option.
        of: another field, whose choices that end with one of these are the words; "" for none.
    """

    composer: str
    option: str
    field: str
    of: str = ""


_WAYS: Final = (
    _Way("emotion", "mood", "mood"),
    _Way("groove", "feel", "groove_type"),
    _Way("melody", "scale", "scale"),
    _Way("melody", "tonic", "tonic"),
    _Way("melody", "contour", "contour"),
    _Way("melody", "meter", "meter"),
    _Way("harmony", "key", "mode", of="key"),
    _Way("dynamics", "curve", "curve"),
    _Way("dynamics", "articulation", "articulation"),
)
_LEVEL: Final = "dynamic_level"
_LEVELS: Final = {"pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112}
"""Marking -> the velocity in its middle, for the annotator of dynamics."""
_HALF: Final = 8
"""Velocities from the middle of a composed line to its softest and to its loudest note."""


def composing(corpus: Store, profile: Profile, missing: Mapping[str, int]) -> Iterator[str]:
    """Yield a sentence for each class of which items are missing: how many, and what to do about it.

    Composers make scores: a profile that needs recordings has to be given some.
    """
    made = _composed(profile) if profile.needs in {"score", "either"} else {}
    before = numbers_by_address(corpus) if made else {}
    for name, number in missing.items():
        if name in made:
            yield f"{number:,} more {name}: {_command(corpus, before, *made[name], number)}"
        else:
            yield f"{number:,} more {name}: {_elsewhere(corpus, profile, name)}"


def _composed(profile: Profile) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return class -> a composer that makes it, and its options: the one that says most of what the profile asks."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    ways = [(way, composer_of(way.composer, {}, 0, None)) for way in _WAYS]
    own = profile.labels.keys()
    told = {composer.name: len(own & set(pairs_of(composer, profile).values())) for _, composer in ways}
    for way, composer in sorted(ways, key=lambda each: told[each[0].composer]):
        if pairs_of(composer, profile).get(way.field) == profile.classes:
            found |= {name: (way.composer, {way.option: words}) for name, words in _words(way, composer, profile)}
    if profile.classes == _LEVEL:
        found |= {name: ("dynamics", options) for name, options in _levels(profile)}
    return found


def _words(way: _Way, composer: Composer[Any], profile: Profile) -> Iterator[tuple[str, list[str]]]:
    """Yield class and the words of the option that make it."""
    fields = {field.name: field.choices for field in composer.fields()}
    for word in fields[way.field]:
        name = accepted(profile, profile.classes, word)
        if isinstance(name, str):
            yield name, [choice for choice in fields[way.of] if choice.endswith(f" {word}")] if way.of else [word]


def _levels(profile: Profile) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield level and the options that make a line about it. What it is, the annotator of dynamics hears."""
    for name, middle in _LEVELS.items():
        if name in profile.wanted():
            yield name, {"curve": ["crescendo", "diminuendo"], "soft": middle - _HALF, "loud": middle + _HALF}


def _command(
    corpus: Store, before: Mapping[str, set[int]], composer: str, options: Mapping[str, Any], number: int
) -> str:
    path = shlex.quote(str(corpus.path))
    have = len(before.get(address_of(parameters_of(composer_of(composer, options, 0, None))), ()))
    words = (f"--{name} {_text(value)}" for name, value in options.items())
    command = f"tonesmith corpus compose {path} --with {composer} -n {have + number} {' '.join(words)}"
    heard = "" if "soft" not in options else f" && tonesmith corpus annotate {path} --with dynamics"
    return command + heard


def _text(value: Any) -> str:
    return shlex.quote(",".join(value)) if isinstance(value, list) else str(value)


def _elsewhere(corpus: Store, profile: Profile, name: str) -> str:
    """Return where items come from that no composer makes. A folder of one letter says nothing."""
    path = shlex.quote(str(corpus.path))
    what = {"score": "scores", "audio": "recordings", "both": "scores with recordings"}.get(profile.needs, "music")
    if len(name) > 1:
        return (
            f"put {what} of it into a folder {name} in FOLDER, and run tonesmith corpus add {path} FOLDER && "
            f"tonesmith corpus annotate {path} --with folders"
        )
    return (
        f"add {what} of it with tonesmith corpus add {path} FOLDER, and say so of each with "
        f"tonesmith corpus label {path} ITEM {profile.classes}={name}"
    )
