"""What a program calls: fit a model, open it, make a sound with it, and make the sound of a file again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tonesmith.errors import ConfigError
from tonesmith.explorer import stored
from tonesmith.explorer.atlas import NEAREST, Atlas, Trajectory
from tonesmith.explorer.export.tags import recipe_text
from tonesmith.explorer.fitting import fit as fitted
from tonesmith.explorer.frames import RATE
from tonesmith.explorer.history import record
from tonesmith.explorer.making import channels_of, made, offset_of
from tonesmith.explorer.output import Written, check_output, write_sound
from tonesmith.explorer.planned import Choices, Given, Model, Planned, planned
from tonesmith.explorer.recipe import Recipe, Source, recipe_from
from tonesmith.explorer.rows import chosen_of
from tonesmith.explorer.sounds import Recorded, digest_of, read_sound
from tonesmith.explorer.trial import asked_of
from tonesmith.terminal.progress import Progress

if TYPE_CHECKING:
    from tonesmith.explorer.binaural.head import Head

__all__ = ["Given", "Made", "Model", "again", "carried_out", "fit", "make", "open_model"]

Place = str | PathLike[str]


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


def fit(  # noqa: PLR0913 - each is a choice of one's own
    path: Place,
    sounds: Iterable[Place],
    *,
    model: str = "atlas",
    options: Mapping[str, object] | None = None,
    rows: int | None = None,
    split: str = "",
    force: bool = False,
    told: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Model:
    """Fit a model to sounds, and store it.

    Args:
        path: folder to write.
        sounds: audio files, folders with audio files in them or below, and datasets, whose rows are sounds.
        model: name of what is fitted. One other than "atlas" is kept if it describes held-out sounds better.
        options: of that model, by name.
        rows: of each dataset at most, drawn at random but the same each time; all without.
        split: of the datasets that is used; all without.
        force: whether a model that is there is replaced.
        told: is called with a sentence about each file that is left out, and each doubt.
        progress: counts the sounds, each of which is read twice.

    Raises :class:`tonesmith.ConfigError` if no sound can be used, a library is missing, or a model is there.
    """
    place = Path(path)
    stored.check_place(place, force=force)
    with asked_of(model, options or {}, place) as asked:
        chosen = chosen_of(rows, split)
        atlas = fitted(map(Path, sounds), told=told, progress=progress, asked=asked, rows=chosen)
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
    sliders: Mapping[str, Given] | None = None,
    seconds: float = 10.0,
    density: Given | None = None,
    seed: int = 0,
    channels: str | None = None,
    hrtf: Place | None = None,
    rate: int = RATE,
    bits: int | None = None,
    exemplars: int = NEAREST,
    griffin_lim: int = 0,
    force: bool = False,
    progress: Progress | None = None,
) -> Made:
    """Make a sound with a model, and write it with the recipe in its tags.

    Args:
        model: as :func:`open_model` returns it.
        path: of the file, which ends in .wav, .flac, .mp3, .ogg or .opus.
        sources: names of sounds of the model, or audio files, whose trajectories are followed; a blend of several.
            Without any, the sound wanders through all sounds of the model.
        weights: of the sources in the blend; equal without.
        sliders: values by name: of the model, in steps, and of time and space, in units of their own. A pair, or a text
            such as "-90..90", moves from one value to the other over the sound.
        seconds: of the sound.
        density: events per second, likewise, which are drawn from those of the sources, or of all sounds of the model.
        seed: of all that is drawn.
        channels: "mono", "stereo" or "binaural"; those of the model without.
        hrtf: SOFA file of the head that hears a binaural sound; KEMAR without.
        rate: samples per second.
        bits: of a sample: 16, 24, or 32 for floating point; 24 without. Lossy formats have none.
        exemplars: nearest frames of the sounds whose details are added, 0 to 8.
        griffin_lim: rounds that refine the phase.
        force: whether a file that is there is overwritten.
        progress: counts seconds of the sound.

    Raises :class:`tonesmith.ConfigError` if a value is not allowed, or a file cannot be read or written.
    """
    place = Path(path)
    check_output(place, force=force)
    choices = Choices(
        sources=tuple(map(str, sources)),
        weights=tuple(weights),
        sliders=dict(sliders or {}),
        seconds=seconds,
        density=density,
        seed=seed,
        channels=channels,
        hrtf=None if hrtf is None else str(hrtf),
        rate=rate,
        bits=bits,
        exemplars=exemplars,
        griffin_lim=griffin_lim,
    )
    return carried_out(model, planned(model, choices, place), place, progress)


def carried_out(model: Model, plan: Planned, path: Path, progress: Progress | None = None) -> Made:
    """Make a sound that was planned, and note it in the history of the model."""
    done = _written(model, plan.recipe, plan.sources, plan.head, path, progress)
    record(model.path, done.written, done.recipe)
    return done


def again(
    file: Place,
    path: Place,
    *,
    model: Place | None = None,
    sources: Sequence[Place] = (),
    hrtf: Place | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Made:
    """Make the sound of a file again from the recipe in its tags: the same bytes, on the same machine.

    Args:
        file: that :func:`make` wrote.
        path: of the file to write.
        model: folder of the model; without, one of its name is looked for beside the file, and in the current folder.
        sources: audio files that the recipe follows and that are not among the model's sounds.
        hrtf: SOFA file that the recipe names.
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
    return _written(found, recipe, trajectories, _head_again(recipe, hrtf, origin), place, progress)


def _head_again(recipe: Recipe, hrtf: Place | None, origin: Path) -> Head | None:
    """Return the head that a recipe names."""
    if recipe.head is None:
        return None
    if hrtf is None or digest_of(Path(hrtf)) != recipe.head.sha256:
        told = f"{origin} was heard by {recipe.head.name} (SHA-256 {recipe.head.sha256[:12]}…)."
        raise ConfigError(f"{told} Name the file: --hrtf {recipe.head.name}")
    from tonesmith.explorer.binaural.sofa import read_head

    return read_head(Path(hrtf))


def _written(
    model: Model,
    recipe: Recipe,
    sources: Sequence[Trajectory],
    head: Head | None,
    path: Path,
    progress: Progress | None,
) -> Made:
    shown = progress or Progress()
    shown.begin(round(recipe.seconds))
    done = 0

    def advance(samples: int) -> None:
        nonlocal done
        done += samples
        shown.reach(done // RATE, round(recipe.seconds))

    blocks = made(model.atlas, recipe, sources, head)
    channels = 1 if channels_of(model.atlas, recipe) == "mono" else 2
    written = write_sound(blocks, channels, path, recipe, advance)
    return Made(written, recipe, _beyond(model.atlas, recipe, sources))


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
    at = mean + offset_of(atlas, recipe, np.array([0.0, 1.0]))
    sliders = {slider.name: slider for slider in atlas.sliders}
    found: dict[str, float] = {}
    for name in recipe.sliders:
        slider = sliders[name]
        far = [float(end) for end in at @ slider.direction if not slider.low <= end <= slider.high]
        if far:
            found[name] = far[-1]
    return found
