"""What is to be made: choices are checked against a model, and become a recipe with all that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.errors import ConfigError, unknown_name
from tonesmith.explorer.atlas import NEAREST, Atlas, Trajectory
from tonesmith.explorer.documents import as_text
from tonesmith.explorer.export.formats import bits_of, check_size
from tonesmith.explorer.frames import RATE
from tonesmith.explorer.given import GIVEN, SPACE, TIME, check_given, check_place
from tonesmith.explorer.making import channels_of
from tonesmith.explorer.moves import Amount, checked
from tonesmith.explorer.recipe import HeadRef, ModelRef, Place, Recipe, Source, Time, check_set, recipe_of
from tonesmith.explorer.sounds import Recorded, digest_of, read_sound
from tonesmith.terminal.text import one_line

if TYPE_CHECKING:
    from tonesmith.explorer.binaural.head import Head

Given = float | tuple[float, float] | str
"""What a slider is set to: a value, two to move between, or both as a text such as "-90..90"."""


@dataclass(frozen=True, eq=False, slots=True)
class Model:
    """A model that was fitted or opened.

    Attributes:
        atlas: its numbers.
        name: of its folder.
        sha256: of its weights.
        path: of its folder; None for one that is nowhere.
    """

    atlas: Atlas
    name: str
    sha256: str
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What one chooses for a sound, as :func:`tonesmith.explorer.make` describes it."""

    sources: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    sliders: Mapping[str, Given] = field(default_factory=dict)
    seconds: float = 10.0
    density: Given | None = None
    seed: int = 0
    channels: str | None = None
    hrtf: str | None = None
    rate: int = RATE
    bits: int | None = None
    exemplars: int = NEAREST
    griffin_lim: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Planned:
    """A recipe, the trajectories of its sources, and the head that hears it."""

    recipe: Recipe
    sources: tuple[Trajectory, ...]
    head: Head | None


def planned(model: Model, choices: Choices, path: Path) -> Planned:
    """Return what is to be made of choices. Raises :class:`ConfigError` for one that is not allowed.

    Args:
        model: that makes it.
        choices: of the sound.
        path: of the file, for its format and title.
    """
    set_ones = {name: checked(value, f"--set {name}") for name, value in choices.sliders.items()}
    if choices.density is not None:
        set_ones["density"] = checked(choices.density, "--density")
    _check_sliders(model, set_ones)
    found = [_source(model, source) for source in choices.sources]
    recipe = recipe_of(
        model=ModelRef(name=as_text(model.name), sha256=model.sha256),
        title=as_text(path.stem),
        seconds=float(choices.seconds),
        seed=choices.seed,
        sources=_weighted([source for source, _ in found], choices.weights),
        exemplars=choices.exemplars,
        griffin_lim=choices.griffin_lim,
        channels=choices.channels,
        rate=choices.rate,
        bits=bits_of(path, choices.rate, choices.bits),
        **_shares(set_ones),
    )
    kind = channels_of(model.atlas, recipe)
    check_place({name: amount for name, amount in set_ones.items() if name in SPACE}, kind)
    check_set(recipe)
    check_size(path, recipe.seconds, recipe.rate, 1 if kind == "mono" else 2, recipe.bits)
    head, recipe = _headed(recipe, choices.hrtf, kind)
    return Planned(recipe, tuple(trajectory for _, trajectory in found), head)


def _shares(values: Mapping[str, Amount]) -> dict[str, Any]:
    """Return the sliders as the fields of a recipe have them. Raises :class:`ConfigError` for one out of its range."""
    check_given({name: amount for name, amount in values.items() if name in GIVEN})
    rest = {name: amount for name, amount in values.items() if name not in GIVEN and name != "density"}
    time: dict[str, Any] = {name: amount for name, amount in values.items() if name in TIME}
    place = {name: amount for name, amount in values.items() if name in SPACE}
    return {"sliders": rest, "density": values.get("density"), "time": Time(**time), "place": Place(**place)}


def _headed(recipe: Recipe, hrtf: str | None, kind: str) -> tuple[Head | None, Recipe]:
    """Return the head of a SOFA file, and the recipe that names it."""
    if hrtf is None:
        return None, recipe
    if kind != "binaural":
        raise ConfigError("--hrtf: only a binaural sound has a head. Choose --channels binaural.")
    from tonesmith.explorer.binaural.sofa import read_head

    head, path = read_head(Path(hrtf)), Path(hrtf)
    return head, recipe.model_copy(update={"head": HeadRef(name=as_text(path.name), sha256=digest_of(path))})


def _check_sliders(model: Model, sliders: Mapping[str, Amount]) -> None:
    known = [*(slider.name for slider in model.atlas.sliders), *GIVEN, "density"]
    for name in sliders:
        if name not in known:
            hidden = model.atlas.confidences.get(name)
            why = f" Its confidence is {hidden:.2f}, and sliders have 0.50." if hidden is not None else ""
            raise ConfigError(f"--set: {unknown_name('slider', name, known)}{why}")


def _weighted(sources: Sequence[Source], weights: Sequence[float]) -> tuple[Source, ...]:
    if weights and len(weights) != len(sources):
        raise ConfigError(f"--blend: expected {len(sources)} numbers, one for each --from, not {len(weights)}.")
    both = zip(sources, weights or [1.0] * len(sources), strict=True)
    return tuple(source.model_copy(update={"weight": _positive(weight)}) for source, weight in both)


def _positive(weight: float) -> float:
    if not 0.0 < weight <= 1e6:
        raise ConfigError("--blend: expected numbers above 0.")
    return float(weight)


def _source(model: Model, given: str) -> tuple[Source, Trajectory]:
    """Return a sound of the model by its name, or that of an audio file."""
    sounds, wanted = model.atlas.sounds, as_text(given)
    named = [place for place, sound in enumerate(sounds) if wanted in {sound.name, Path(sound.name).stem}]
    if len(named) > 1:
        raise ConfigError(f"--from: {len(named)} sounds of {model.name} are called {given!r}. Give its path.")
    if named:
        sound = sounds[named[0]]
        return Source(name=sound.name, sha256=sound.sha256), model.atlas.trajectories[named[0]]
    if not Path(given).exists():
        names = [sound.name for sound in sounds]
        raise ConfigError(
            f"--from: there is no file {one_line(given)}. Of the model, {unknown_name('sound', given, names, 6)}"
        )
    recorded = read_sound(Path(given))
    return Source(name=recorded.name, sha256=recorded.digest), _followed(model, recorded)


def _followed(model: Model, recorded: Recorded) -> Trajectory:
    """Return the trajectory of a file: that of the model, if it is one of its sounds."""
    for sound, trajectory in zip(model.atlas.sounds, model.atlas.trajectories, strict=True):
        if sound.sha256 == recorded.digest:
            return trajectory
    return model.atlas.encode(recorded)
