"""Scores composed into a corpus, with what is true of them as labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tonesmith.corpus.derive.recipe import Recipe, canonical, recipes, versions_of
from tonesmith.corpus.derive.shelf import Shelf
from tonesmith.corpus.truth.items import utc_now
from tonesmith.corpus.truth.profile import Label, Profile
from tonesmith.errors import ConfigError, TonesmithError
from tonesmith.host.registry import Host
from tonesmith.host.roles import Annotation, Composed, Composer
from tonesmith.terminal.progress import Progress

if TYPE_CHECKING:
    from tonesmith.corpus.store import Store

_LABELS: Final[Mapping[str, str]] = {
    "mood": "emotion",
    "tonic": "key",
    "scale": "mode",
    "progression": "chord_progression",
    "curve": "dynamic_shape",
}
"""Fields of composers -> the labels of corpora that say the same."""
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "groove_type": {"laid-back": "laid_back"},
    "contour": {"rise": "rising", "fall": "falling"},
    "dynamic_shape": {"diminuendo": "decrescendo", "terraced": ""},
}
"""Label -> words of composers -> those of the profiles that come with tonesmith; "" for what they do not have."""
_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "number": frozenset({"number"}),
    "whole": frozenset({"number", "whole"}),
    "flag": frozenset({"flag"}),
    "choice": frozenset({"choice", "text", "texts"}),
    "text": frozenset({"choice", "text", "texts"}),
}
"""Kind of a field -> the kinds of labels that can hold it."""
_IN_VAIN: Final = 1000
"""Scores in a row that the corpus has already, after which no more are composed."""


@dataclass
class Composing:
    """What was composed.

    Attributes:
        items: names of those that are new.
        known: items of this composer, these options and this seed that had been made before.
        duplicates: scores that are the same as an item that is there, which are not kept twice.
        labels: label -> new items of which it is said.
        left_out: fields of the composer that the profile has no label for.
    """

    items: list[str] = field(default_factory=list)
    known: int = 0
    duplicates: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        told = asdict(self)
        return {"added": told.pop("items"), **told}


def composer_of(name: str, options: Mapping[str, Any], seed: int, seconds: float | None) -> Composer[Any]:
    """Return a composer. Raises :class:`PluginError` or :class:`ConfigError` for what cannot be used."""
    host = Host.load()
    cls = host.find("composer", name)
    chosen = host.options_of("composer", name, options)
    if cls.recorded(chosen) != chosen.model_dump(mode="json"):
        raise ConfigError(f"the composer {name} plays files of yours. Add them: tonesmith corpus add CORPUS FOLDER")
    return cls(chosen, seed, seconds)


def parameters_of(composer: Composer[Any]) -> dict[str, Any]:
    """Return what a recipe says of a composer: all but the index."""
    options = composer.options.model_dump(mode="json", exclude_defaults=True)
    told = {"composer": composer.name, "options": options, "composer_seed": composer.seed, "seconds": composer.seconds}
    return {**told, "kind": "score", "by": program_of(composer)}


def program_of(composer: Composer[Any]) -> str:
    """Return the distribution that brings a composer, and its version."""
    record = next(r for r in Host.load().plugins() if r.plugin is type(composer))
    return f"{record.distribution} {record.version}"


def compose(corpus: Store, counter: Progress, composer: Composer[Any], n: int, *, dry_run: bool) -> Composing:
    """Compose scores until a corpus, which is locked, has so many of this composer, these options and this seed."""
    done, shelf, profile = Composing(), Shelf(corpus, dry_run=dry_run), corpus.profile
    parameters = parameters_of(composer)
    numbers = numbers_by_address(corpus).get(address_of(parameters), set())
    done.known = min(len(numbers), n)
    index, vain = max(numbers, default=-1) + 1, 0
    pairs = pairs_of(composer, profile)
    done.left_out = tuple(f.name for f in composer.fields() if f.name not in pairs)
    counter.begin(max(0, n - len(numbers)))
    with shelf.storing():
        while len(numbers) + len(done.items) < n and vain < _IN_VAIN:
            try:
                composed = composer.compose(index)
            except IndexError:
                break
            new = _kept(
                shelf, composer, composed, Recipe("compose", _told(parameters), index), profile, done, dry_run=dry_run
            )
            vain = 0 if new else vain + 1
            index += 1
            counter.advance(new)
            shelf.now_and_then()
    return done


def numbers_by_address(corpus: Store) -> dict[str, set[int]]:
    """Return address -> the indices that were composed before."""
    found: dict[str, set[int]] = {}
    for _, recipe in recipes(corpus.connection, "compose"):
        found.setdefault(address_of(recipe.parameters), set()).add(recipe.number)
    return found


def address_of(parameters: Mapping[str, Any]) -> str:
    """Return what tells scores that are counted together: composer, options, seed and length."""
    return canonical([parameters.get(name) for name in ("composer", "options", "composer_seed", "seconds")])


def _told(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {**parameters, "libraries": versions_of(["numpy", parameters["by"].split(" ")[0]])}


def _kept(
    shelf: Shelf,
    composer: Composer[Any],
    composed: Composed,
    recipe: Recipe,
    profile: Profile,
    done: Composing,
    *,
    dry_run: bool,
) -> bool:
    """Put a score into the corpus, and return whether it is new."""
    from tonesmith.score.writer import midi_of

    name = f"{composer.name}-{recipe.number:06d}-{recipe.digest(str(recipe.number))[:8]}"
    if dry_run:
        done.items.append(name)
        return True
    made = shelf.made(recipe, name, "score", midi_of(composed.score))
    if shelf.has(name) or shelf.same_as(made.content):
        made.aside.unlink(missing_ok=True)
        done.duplicates += 1
        return False
    said = list(labels_of(composer, composed, profile))
    shelf.put(made, "", said)
    done.items.append(name)
    for one in said:
        done.labels[one.name] = done.labels.get(one.name, 0) + 1
    return True


def labels_of(composer: Composer[Any], composed: Composed, profile: Profile) -> Iterator[Annotation]:
    """Yield what is true of a score, as far as the profile has a label for it: exactly, as a cause of the notes."""
    by, now = program_of(composer), utc_now()
    version = by.rpartition(" ")[2]
    pairs = pairs_of(composer, profile)
    for name, value in composed.annotations.items():
        if name in pairs and (said := accepted(profile, pairs[name], value)) is not None:
            yield Annotation(pairs[name], said, 1.0, composer.name, version, "composer", by, now)


def pairs_of(composer: Composer[Any], profile: Profile) -> dict[str, str]:
    """Return field of a composer -> label of a profile that says the same, each label once."""
    return dict(_pairs(composer, profile))


def _pairs(composer: Composer[Any], profile: Profile) -> Iterator[tuple[str, str]]:
    labels, taken = profile.every(), set()
    fields = composer.fields()
    own = {f.name for f in fields}
    for f in fields:
        name = f.name if f.name in labels else _LABELS.get(f.name, "")
        fits = name in labels and labels[name].kind in _KINDS[f.kind]
        if fits and name not in taken and (name == f.name or name not in own):
            taken.add(name)
            yield f.name, name


def accepted(profile: Profile, name: str, value: Any) -> Any:
    """Return a value as the label of a profile has it; None of what it does not allow."""
    label: Label = profile.label(name)
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN: there is none
        return None
    if isinstance(value, str):
        value = _WORDS.get(name, {}).get(value, value)
        if label.kind == "texts":
            value = tuple(word for word in value.split() if word != "|")
        elif name == "key":
            value = value.split(" ")[0]
    try:
        return label.accepted(name, value) if value not in ("", ()) else None
    except ConfigError:
        return None


def composed_again(recipe: Recipe) -> bytes:
    """Return the bytes of a composed item, made from its recipe."""
    from tonesmith.score.writer import midi_of

    told = recipe.parameters
    try:
        composer = composer_of(told["composer"], told["options"], int(told["composer_seed"]), told["seconds"])
        return midi_of(composer.compose(recipe.number).score)
    except (KeyError, TypeError, ValueError) as error:
        raise TonesmithError(f"its recipe is damaged: {error}") from None
