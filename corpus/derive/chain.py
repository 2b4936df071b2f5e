"""A chain of augmenters: what it draws for a child, and the child that this makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

from tonesmith.corpus.derive.inheriting import Step
from tonesmith.corpus.derive.recipe import canonical, versions_of
from tonesmith.corpus.media import Kind
from tonesmith.errors import ConfigError, PluginError, TonesmithError
from tonesmith.host.registry import Host
from tonesmith.host.roles import Augmenter, Unsuited

if TYPE_CHECKING:
    from tonesmith.corpus.chosen import Options

USUAL: Final = ("transpose", "tempo", "velocity", "jitter", "dropout", "pitch", "stretch", "gain", "noise")
"""The augmenters that are used unless others are named, in their order."""
_LIBRARIES: Final[Mapping[str, tuple[str, ...]]] = {"score": ("symusic",), "audio": ("numpy",)}


@dataclass(frozen=True, slots=True)
class Varied:
    """A child that is no file yet.

    Attributes:
        music: its score or recording.
        steps: the augmenters that suited it, with what was drawn.
        told: these as a recipe has them.
        text: of this.
        left_out: name of an augmenter -> why it did not suit.
    """

    music: Any
    steps: tuple[Step, ...]
    told: list[list[Any]]
    text: str
    left_out: Mapping[str, str]


@dataclass(frozen=True)
class Chain:
    """Augmenters of one medium, in their order.

    Attributes:
        kind: score or audio.
        augmenters: at least one.
        seed: of all draws.
    """

    kind: Kind
    augmenters: tuple[Augmenter[Any], ...]
    seed: int

    @cached_property
    def told(self) -> list[list[Any]]:
        """Name, version and options of each, as a recipe has them."""
        return [[a.name, a.version, _chosen(a)] for a in self.augmenters]

    @cached_property
    def text(self) -> str:
        """What tells it from other chains: the JSON of :attr:`told`."""
        return canonical(self.told)

    def steps(self, told: Sequence[Sequence[Any]]) -> list[Step]:
        """Return steps of it, from what a recipe has of them."""
        known = {augmenter.name: augmenter for augmenter in self.augmenters}
        return [Step(known[name], drawn) for name, _, _, drawn in told]

    @cached_property
    def libraries(self) -> dict[str, str]:
        """Distribution -> version of what decides the bytes."""
        return versions_of([*_LIBRARIES[self.kind], *(name for a in self.augmenters for name in a.libraries)])

    def vary(self, music: Any, content: str, number: int, attempt: int) -> Varied:
        """Return a child: a function of the seed, the parent's content, the chain, the number and the attempt.

        Args:
            music: the parent's score or recording.
            content: digest of what is heard of it.
            number: of the child, from 0 on.
            attempt: another gives another child.
        """
        from tonesmith.score.draws import Draws

        steps, left_out = [], {}
        for place, augmenter in enumerate(self.augmenters):
            purpose = f"augment {content} {self.text} {place}"
            drawn = augmenter.draw(music, Draws(self.seed, purpose, number, attempt))
            if isinstance(drawn, Unsuited):
                left_out[augmenter.name] = drawn.reason
                continue
            music = augmenter.apply(music, drawn)
            steps.append(Step(augmenter, drawn))
        told = told_steps(steps)
        return Varied(music, tuple(steps), told, canonical(told), left_out)


def chains_of(names: Sequence[str], options: Options, seed: int) -> dict[Kind, Chain]:
    """Return score and audio -> the chain of the augmenters that take them.

    Raises :class:`PluginError` or :class:`ConfigError` for what cannot be used, and for a name that is given twice.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"--with: {', '.join(twice)} is named twice. Name each augmenter once.")
    made = [augmenter_of(name, options.get(name, {})) for name in names]
    found: dict[Kind, Chain] = {}
    for kind in ("score", "audio"):
        if of_kind := tuple(a for a in made if a.takes == kind):
            found[kind] = Chain(kind, of_kind, seed)
    return found


def augmenter_of(name: str, options: Mapping[str, Any]) -> Augmenter[Any]:
    """Return an augmenter. Raises :class:`PluginError` for an unknown one, :class:`ConfigError` for its options."""
    host = Host.load()
    return host.find("augmenter", name)(host.options_of("augmenter", name, options))


def steps_of(parameters: Mapping[str, Any]) -> list[Step]:
    """Return the steps that a recipe has.

    Raises :class:`PluginError` for one that nobody can do any more, and :class:`TonesmithError` for what is no step.
    """
    steps = []
    told = parameters.get("steps")
    if not (isinstance(told, list) and all(isinstance(step, list) and len(step) == 4 for step in told)):
        raise TonesmithError("its recipe is damaged: it has no steps")
    for name, version, options, drawn in told:
        augmenter = augmenter_of(name, options)
        if augmenter.version != version:
            raise PluginError(f"the augmenter {name} has version {augmenter.version} now, and had {version}")
        steps.append(Step(augmenter, drawn))
    return steps


def told_steps(steps: Sequence[Step]) -> list[list[Any]]:
    """Return steps as a recipe has them: name, version, options and what was drawn."""
    return [[s.augmenter.name, s.augmenter.version, _chosen(s.augmenter), dict(s.parameters)] for s in steps]


def _chosen(augmenter: Augmenter[Any]) -> dict[str, Any]:
    return dict(_dumped(augmenter))


@lru_cache(maxsize=256)
def _dumped(augmenter: Augmenter[Any]) -> Mapping[str, Any]:
    """Return the options of an augmenter that are not the usual ones: they never change."""
    return dict(augmenter.options.model_dump(mode="json", exclude_defaults=True))
