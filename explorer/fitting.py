"""A model is fitted: the sounds are read twice, and little is kept of them at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError
from tonesmith.explorer import principal, sliders
from tonesmith.explorer.aligned import rotated
from tonesmith.explorer.atlas import Atlas, Errors, Sound, Trajectory
from tonesmith.explorer.code import Code, Coded
from tonesmith.explorer.controls import Labels
from tonesmith.explorer.exemplars import MOST, Exemplars
from tonesmith.explorer.frames import BINS
from tonesmith.explorer.material import Material, Read
from tonesmith.explorer.measured import EXCERPTS, Excerpt, errors_of
from tonesmith.explorer.models.atlas import Summing, chosen, total_of
from tonesmith.explorer.parameters import parameter_sliders
from tonesmith.explorer.principal import Components, Sums
from tonesmith.explorer.reading import FOLDS, Sounds
from tonesmith.explorer.rows import Chosen, Source, read_source, sources_of
from tonesmith.explorer.sounds import LONGEST, Recorded
from tonesmith.explorer.trial import Asked, tried
from tonesmith.terminal.progress import Progress

_MADE = -1
"""Group of the sounds that a model made, which is never held out."""
_HELD = 20_000_000
"""Samples that are kept between the two readings, where all sounds together have no more."""


class Corpus:
    """Sounds that are read as often as they are needed, and once if they are few.

    Args:
        paths: of the files, and rows of datasets.
        told: is called with a sentence about each that is left out or cut.
    """

    def __init__(self, paths: Sequence[Source], told: Callable[[str], None]) -> None:
        self._paths, self._told = list(paths), told
        self._held: list[Recorded] | None = []
        self._first = True

    def __len__(self) -> int:
        return len(self._paths)

    def read(self) -> Iterator[Material]:
        """Yield the sounds that can be used, none twice. What is wrong with the others is told the first time."""
        if self._held and not self._first:
            yield from map(Read, self._held)
            return
        kept: list[Source] = []
        seen = set()
        for path in self._paths:
            sound = self._usable(path)
            if sound is None or sound.digest in seen:
                continue
            seen.add(sound.digest)
            kept.append(path)
            self._hold(sound)
            yield Read(sound)
        self._paths, self._first = kept, False

    def _usable(self, path: Source) -> Recorded | None:
        try:
            sound = read_source(path)
        except ConfigError as error:
            if not self._first:
                raise
            self._told(f"left out: {error}")
            return None
        if sound.cut and self._first:
            self._told(f"{path}: the first {LONGEST:g} s are used, and the rest is not.")
        return sound

    def _hold(self, sound: Recorded) -> None:
        if self._held is not None:
            self._held.append(sound)
            if sum(len(held.mid) for held in self._held) > _HELD:
                self._held = None


def fit(
    places: Iterable[Path],
    *,
    told: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
    asked: Asked | None = None,
    rows: Chosen | None = None,
) -> Atlas:
    """Return a model of the sounds in files, folders and datasets. The same sounds give the same model.

    Args:
        places: audio files, folders with audio files in them or below, and datasets.
        told: is called with a sentence about each file that is left out, and each doubt.
        progress: counts the sounds, each of which is read twice.
        asked: for a model other than the atlas, which is kept if it describes held-out sounds better.
        rows: which of datasets; None for all.

    Raises :class:`ConfigError` if a place is not there, or no sound can be used.
    """
    sources, labels = sources_of(places, rows, told)
    return fit_sounds(Corpus(sources, told), told=told, progress=progress, asked=asked, labels=labels)


def fit_sounds(
    corpus: Sounds,
    *,
    told: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
    earlier: Atlas | None = None,
    asked: Asked | None = None,
    labels: Labels | None = None,
) -> Atlas:
    """Return a model of sounds. Those that a model made count by their weight, and are never held out.

    Args:
        corpus: the sounds.
        told: is called with a sentence about each doubt.
        progress: counts the sounds, each of which is read twice.
        earlier: the model that grows, along whose axes those of this one are laid; None for a new one. What a plugin
            learned for it stays as it is if none is asked for.
        asked: for a model other than the atlas, as :func:`fit` takes it.
        labels: of those sounds that a synth made, for sliders that are named by its parameters.

    Raises :class:`ConfigError` if no sound can be used.
    """
    progress = progress or Progress()
    progress.begin(2 * len(corpus))
    folds, made, counts = _summed(corpus, progress, alone=False)
    if not folds:
        raise ConfigError("no sound can be used: a model needs at least one file that is not silent.")
    if sum(not sound.made_by for sound in counts) == 1:
        told("there is one sound: parts of it are held out to measure the model, which says little of other sounds.")
        folds, made, counts = _summed(corpus, Progress(), alone=True)
    total = total_of([*folds, *made])
    components = principal.components_of(total)
    size, error, others = chosen(folds, total, components)
    components = components.first(size) if earlier is None else rotated(components, size, earlier.components)
    trial, coded = (None, None) if earlier is None else (earlier.trial, earlier.coded)
    if asked is not None:
        trial, coded = tried(asked, corpus, told, lambda words: _tell(progress, words))
    gathered = _gathered(corpus, components if coded is None else coded, counts, progress)
    atlas = _fitted(gathered, components, coded, carried=earlier is not None)
    errors = errors_of(atlas, gathered.excerpts, [other.first(size) for other in others], error)
    if coded is not None and trial is not None:
        errors = replace(errors, held_out=trial.model_sound, held_out_levels=trial.model_levels)
    atlas = replace(atlas, errors=errors, trial=trial)
    return atlas if not labels or not labels.of else _with_parameters(atlas, gathered, labels, told)


def _with_parameters(atlas: Atlas, found: _Gathered, labels: Labels, told: Callable[[str], None]) -> Atlas:
    """Return a model with the labels of its sounds, and sliders named by their parameters."""
    own = [sound.sha256 for sound in found.sounds if sound.made_by is None]
    rows = [place for place, name in enumerate(own) if name in labels.of]
    if not rows or not labels.parameters:
        return atlas
    kept = labels.among(own)
    means = np.stack([found.heard[place].mean(axis=0) for place in rows])
    named = parameter_sliders(means, kept, np.concatenate(found.heard), told)
    return replace(atlas, labels=kept, sliders=(*atlas.sliders, *named))


def _tell(progress: Progress, words: str) -> None:
    progress.tell(words)
    progress.advance(0)


def _summed(corpus: Sounds, progress: Progress, *, alone: bool) -> tuple[list[Sums], list[Sums], list[Sound]]:
    """Return the sums of the heard frames of each group of sounds, of those that models made, and what the sounds are.

    Args:
        corpus: of the sounds.
        progress: counts them.
        alone: whether there is one sound of one's own, of which stretches are the groups.
    """
    groups: dict[tuple[int, float], Summing] = {}
    sounds: list[Sound] = []
    own = 0
    for material in corpus.read():
        sound = material.sound
        stretched = alone and sound.made_by is None
        for part, levels in enumerate(_stretches(material) if stretched else _heard(material)):
            fold = _MADE if sound.made_by else (part if stretched else own) % FOLDS
            groups.setdefault((fold, sound.weight), Summing(BINS)).add(levels)
        own += sound.made_by is None
        sounds.append(sound)
        progress.advance(1)
    sums = {key: group.done() for key, group in sorted(groups.items())}
    weighted = [(fold, each.times(weight)) for (fold, weight), each in sums.items() if each.count]
    own_folds = [total_of([each for at, each in weighted if at == fold]) for fold in sorted({at for at, _ in weighted})]
    made = [each for fold, each in weighted if fold == _MADE]
    return own_folds[bool(made) :], made, sounds


def _heard(material: Material) -> Iterator[NDArray[np.float32]]:
    """Yield the levels of the frames that are heard of a sound, in parts."""
    for levels, heard in material.levels():
        yield levels[heard]


def _stretches(material: Material) -> list[NDArray[np.float32]]:
    return np.array_split(np.concatenate(list(_heard(material))), 2 * FOLDS)


@dataclass(eq=False)
class _Gathered:
    """What the second reading of the sounds gives."""

    sounds: list[Sound] = field(default_factory=list)
    trajectories: list[Trajectory] = field(default_factory=list)
    heard: list[NDArray[np.float32]] = field(default_factory=list)
    exemplars: list[Exemplars] = field(default_factory=list)
    bases: list[NDArray[np.float32]] = field(default_factory=list)
    origins: list[NDArray[np.float32]] = field(default_factory=list)
    base_folds: list[NDArray[np.int64]] = field(default_factory=list)
    excerpts: list[Excerpt] = field(default_factory=list)


def _gathered(corpus: Sounds, code: Code, sounds: Sequence[Sound], progress: Progress) -> _Gathered:
    """Return the trajectories of the sounds, and what sliders and errors are found from."""
    found = _Gathered()
    frames, weighted = sum(each.frames for each in sounds), sum(each.frames * each.weight for each in sounds)
    own = sum(each.made_by is None for each in sounds)
    measured = set(np.linspace(0, own - 1, min(EXCERPTS, own)).round().astype(int).tolist())
    place = 0
    for material in corpus.read():
        sound = material.sound
        keep = sound.frames if frames <= MOST else max(int(MOST * sound.frames * sound.weight / weighted), 1)
        levels, heard = _remember(found, material, code, keep)
        if sound.made_by is None:
            found.heard.append(found.trajectories[-1].latent.astype(np.float32)[heard])
            _gather_bases(found, levels[heard], place, own)
            if place in measured:
                found.excerpts.append(material.excerpt(int(found.trajectories[-1].onsets[0]), place))
            place += 1
        progress.advance(1)
    return found


def _remember(
    found: _Gathered, material: Material, code: Code, keep: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Add the trajectory and exemplars of a sound; return the levels of its frames, and which are heard."""
    trajectory = material.encoded(code)
    latent = trajectory.latent.astype(np.float32)
    parts = list(material.levels())
    levels = np.concatenate([level for level, _ in parts])
    kept = material.typical(latent, keep)
    residual = (levels[kept] - code.decode(latent[kept])).astype(np.float16)
    found.exemplars.append(Exemplars(latent[kept], residual))
    found.trajectories.append(trajectory)
    found.sounds.append(material.sound)
    return levels, np.concatenate([heard for _, heard in parts])


def _gather_bases(found: _Gathered, heard: NDArray[np.float32], place: int, sounds: int) -> None:
    """Add the frames of a sound that are moved to find the sliders: as many of each sound, at even distances."""
    share = max(-(-sliders.DRAWS // sounds), 1)
    if place % max(sounds // sliders.DRAWS, 1):
        return
    some = np.unique(np.linspace(0, len(heard) - 1, min(share, len(heard))).round().astype(np.int64))
    found.bases.append(heard[some])
    found.origins.append(found.heard[-1][some])
    fold = np.arange(len(some)) * FOLDS // len(some) if sounds == 1 else np.full(len(some), place % FOLDS)
    found.base_folds.append(fold)


def _fitted(found: _Gathered, components: Components, coded: Coded | None, *, carried: bool) -> Atlas:
    """Return the model with its sliders, not yet measured."""
    latent, code = np.concatenate(found.heard), components if coded is None else coded
    origin = np.concatenate(found.origins) if code.reach else None
    draws = sliders.moved(np.concatenate(found.bases), np.concatenate(found.base_folds), code, origin=origin)
    named, confidences = sliders.named(draws, code, latent)
    parts = found.heard if len(found.heard) > 1 else np.array_split(found.heard[0], 2 * FOLDS)
    exemplars = Exemplars(
        np.concatenate([each.latent for each in found.exemplars]),
        np.concatenate([each.residual for each in found.exemplars]),
    )
    return Atlas(
        components,
        exemplars,
        tuple(found.trajectories),
        tuple(found.sounds),
        (*named, *sliders.discovered(parts, code, draws, latent, carried=carried)),
        confidences,
        Errors(0.0, 0.0, 0.0, 0.0),
        coded,
    )
