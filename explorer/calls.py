"""What a program calls: fit a model, open it, make a sound with it, and make the sound of a file again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from tonesmith.errors import ConfigError, unknown_name
from tonesmith.explorer import stored
from tonesmith.explorer.atlas import NEAREST, Atlas, Trajectory
from tonesmith.explorer.fitting import fit as fitted
from tonesmith.explorer.frames import RATE
from tonesmith.explorer.history import record
from tonesmith.explorer.making import made, offset_of
from tonesmith.explorer.output import Written, check_output, recipe_text, write_sound
from tonesmith.explorer.recipe import ModelRef, Recipe, Source, recipe_from, recipe_of
from tonesmith.explorer.sounds import Recorded, read_sound
from tonesmith.terminal.progress import Progress

Place = str | PathLike[str]


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
class Made:
    """A sound that was made.

    Attributes:
        written: the file.
        recipe: what makes it again.
        beyond: sliders that end outside the 5th to 95th percentile of the sounds, with where they end, in steps.
    """

    written: Written
    recipe: Recipe
    beyond: Mapping[str, float]


def fit(
    path: Place,
    sounds: Iterable[Place],
    *,
    force: bool = False,
    told: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Model:
    """Fit a model to sounds, and store it.

    Args:
        path: folder to write.
        sounds: audio files, and folders with audio files in them or below.
        force: whether a model that is there is replaced.
        told: is called with a sentence about each file that is left out, and each doubt.
        progress: counts the sounds, each of which is read twice.

    Raises :class:`tonesmith.ConfigError` if no sound can be used, a library is missing, or a model is there.
    """
    place = Path(path)
    stored.check_place(place, force=force)
    atlas = fitted(map(Path, sounds), told=told, progress=progress)
    return Model(atlas, place.absolute().name, stored.save(atlas, place, force=force), place)


def open_model(path: Place, version: int | None = None) -> Model:
    """Return the model in a folder.

    Args:
        path: of the folder.
        version: of the model; None for the one that is used.

    Raises :class:`tonesmith.ConfigError` if there is none, and :class:`tonesmith.DatasetError` if it is damaged.
    """
    place = Path(path)
    atlas, digest = stored.load(place, version)
    return Model(atlas, place.absolute().name, digest, place)


def make(  # noqa: PLR0913 - each is a choice of one's own
    model: Model,
    path: Place,
    *,
    sources: Sequence[Place] = (),
    weights: Sequence[float] = (),
    sliders: Mapping[str, float] | None = None,
    seconds: float = 10.0,
    density: float | None = None,
    seed: int = 0,
    exemplars: int = NEAREST,
    griffin_lim: int = 0,
    force: bool = False,
    progress: Progress | None = None,
) -> Made:
    """Make a sound with a model, and write it as 48 kHz and 24 bit, with the recipe in its tags.

    Args:
        model: as :func:`open_model` returns it.
        path: of the file, which ends in .wav or .flac.
        sources: names of sounds of the model, or audio files, whose trajectories are followed; a blend of several.
            Without any, the sound wanders through all sounds of the model.
        weights: of the sources in the blend; equal without.
        sliders: steps by name.
        seconds: of the sound.
        density: events per second, which are drawn from those of the sources, or of all sounds of the model.
        seed: of all that is drawn.
        exemplars: nearest frames of the sounds whose details are added, 0 to 8.
        griffin_lim: rounds that refine the phase.
        force: whether a file that is there is overwritten.
        progress: counts seconds of the sound.

    Raises :class:`tonesmith.ConfigError` if a value is not allowed, or a file cannot be read or written.
    """
    place = Path(path)
    check_output(place, force=force)
    _check_sliders(model, sliders or {})
    found = [_source(model, str(source)) for source in sources]
    recipe = recipe_of(
        model=ModelRef(name=model.name, sha256=model.sha256),
        title=place.stem,
        seconds=float(seconds),
        seed=seed,
        sliders={name: float(steps) for name, steps in (sliders or {}).items()},
        sources=_weighted([source for source, _ in found], weights),
        density=density,
        exemplars=exemplars,
        griffin_lim=griffin_lim,
    )
    done = _written(model, recipe, [trajectory for _, trajectory in found], place, progress)
    record(model.path, done.written, done.recipe)
    return done


def again(
    file: Place,
    path: Place,
    *,
    model: Place | None = None,
    sources: Sequence[Place] = (),
    force: bool = False,
    progress: Progress | None = None,
) -> Made:
    """Make the sound of a file again from the recipe in its tags: the same bytes, on the same machine.

    Args:
        file: that :func:`make` wrote.
        path: of the file to write.
        model: folder of the model; without, one of its name is looked for beside the file, and in the current folder.
        sources: audio files that the recipe follows and that are not among the model's sounds.
        force: whether a file that is there is overwritten.
        progress: counts seconds of the sound.

    Raises :class:`tonesmith.ConfigError` if the file has no recipe, or what it needs is not there.
    """
    place, origin = Path(path), Path(file)
    check_output(place, force=force)
    if place.exists() and place.samefile(origin):
        raise ConfigError(f"--out: {place} is the file itself. Name another.")
    recipe = recipe_from(recipe_text(origin), str(origin))
    if place.suffix.lower() != origin.suffix.lower():
        raise ConfigError(f"--out: {place} must end in {origin.suffix}, as {origin.name} does.")
    found = _model_of(recipe, origin, model)
    given = [read_sound(Path(source)) for source in sources]
    trajectories = [_trajectory(found, source, given, origin) for source in recipe.sources]
    return _written(found, recipe, trajectories, place, progress)


def _written(
    model: Model, recipe: Recipe, sources: Sequence[Trajectory], path: Path, progress: Progress | None
) -> Made:
    shown = progress or Progress()
    shown.begin(round(recipe.seconds))
    done = 0

    def advance(samples: int) -> None:
        nonlocal done
        done += samples
        shown.reach(done // RATE, round(recipe.seconds))

    blocks = made(model.atlas, recipe, sources)
    written = write_sound(blocks, model.atlas.channels, path, recipe, advance)
    return Made(written, recipe, _beyond(model.atlas, recipe, sources))


def _check_sliders(model: Model, sliders: Mapping[str, float]) -> None:
    known = [slider.name for slider in model.atlas.sliders]
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
    sounds = model.atlas.sounds
    named = [place for place, sound in enumerate(sounds) if given in {sound.name, Path(sound.name).stem}]
    if len(named) > 1:
        raise ConfigError(f"--from: {len(named)} sounds of {model.name} are called {given!r}. Give its path.")
    if named:
        sound = sounds[named[0]]
        return Source(name=sound.name, sha256=sound.sha256), model.atlas.trajectories[named[0]]
    if not Path(given).exists():
        names = [sound.name for sound in sounds]
        raise ConfigError(f"--from: there is no file {given}. Of the model, {unknown_name('sound', given, names, 6)}")
    recorded = read_sound(Path(given))
    return Source(name=recorded.name, sha256=recorded.digest), _followed(model, recorded)


def _followed(model: Model, recorded: Recorded) -> Trajectory:
    """Return the trajectory of a file: that of the model, if it is one of its sounds."""
    for sound, trajectory in zip(model.atlas.sounds, model.atlas.trajectories, strict=True):
        if sound.sha256 == recorded.digest:
            return trajectory
    return model.atlas.encode(recorded)


def _trajectory(model: Model, source: Source, given: Sequence[Recorded], origin: Path) -> Trajectory:
    """Return the trajectory of a source of a recipe, found by the digest of its file."""
    for sound, trajectory in zip(model.atlas.sounds, model.atlas.trajectories, strict=True):
        if sound.sha256 == source.sha256:
            return trajectory
    for recorded in given:
        if recorded.digest == source.sha256:
            return model.atlas.encode(recorded)
    told = f"{origin} follows {source.name} (SHA-256 {source.sha256[:12]}…), which is not a sound of {model.name}."
    raise ConfigError(f"{told} Name the file: --from {source.name}")


def _model_of(recipe: Recipe, origin: Path, given: Place | None) -> Model:
    wanted = recipe.model
    if given is not None:
        found = open_model(given, stored.version_with(Path(given), wanted.sha256))
        if found.sha256 != wanted.sha256:
            raise ConfigError(f"--model: {given} is not the model that made {origin}, or was fitted again since.")
        return found
    if Path(wanted.name).name != wanted.name or wanted.name in {"", ".", ".."}:
        raise ConfigError(f"{origin} names no model. Name it: --model MODEL")
    for folder in (origin.absolute().parent, Path.cwd()):
        if (folder / wanted.name / stored.ABOUT).is_file():
            version = stored.version_with(folder / wanted.name, wanted.sha256)
            found = open_model(folder / wanted.name, version)
            if found.sha256 == wanted.sha256:
                return found
    told = f"the model {wanted.name} (SHA-256 {wanted.sha256[:12]}…) is neither beside {origin} nor in this folder."
    raise ConfigError(f"{told} Name it: --model MODEL")


def _beyond(atlas: Atlas, recipe: Recipe, sources: Sequence[Trajectory]) -> dict[str, float]:
    """Return the moved sliders that end outside the known range, on average over what is followed."""
    followed = sources or atlas.trajectories
    mean = np.mean([track.latent.astype(np.float32).mean(axis=0) for track in followed], axis=0)
    at = mean + offset_of(atlas, recipe)
    ends = {slider.name: (float(at @ slider.direction), slider) for slider in atlas.sliders}
    return {
        name: ends[name][0] for name in recipe.sliders if not ends[name][1].low <= ends[name][0] <= ends[name][1].high
    }
