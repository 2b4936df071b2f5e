"""A model is fitted: the sounds are read twice, and little is kept of them at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError
from tonesmith.explorer import principal, sliders
from tonesmith.explorer.aligned import rotated
from tonesmith.explorer.atlas import Atlas, Errors, Sound, Trajectory
from tonesmith.explorer.exemplars import MOST, Exemplars
from tonesmith.explorer.frames import BINS
from tonesmith.explorer.material import Material, Read
from tonesmith.explorer.measured import EXCERPTS, Excerpt, errors_of
from tonesmith.explorer.principal import Components, Sums
from tonesmith.explorer.sounds import LONGEST, Recorded, found_sounds, read_sound
from tonesmith.terminal.progress import Progress

FOLDS = 5
_MADE = -1
"""Group of the sounds that a model made, which is never held out."""
_HELD = 20_000_000
"""Samples that are kept between the two readings, where all sounds together have no more."""
_TOGETHER = 1024


class Sounds(Protocol):
    """What a model is fitted on."""

    def __len__(self) -> int:
        """How many sounds there are at most."""

    def read(self) -> Iterator[Material]:
        """Yield the sounds, the same each time."""


class Corpus:
    """Sounds that are read as often as they are needed, and once if they are few.

    Args:
        paths: of the files.
        told: is called with a sentence about each file that is left out or cut.
    """

    def __init__(self, paths: Sequence[Path], told: Callable[[str], None]) -> None:
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
        kept, seen = [], set()
        for path in self._paths:
            sound = self._usable(path)
            if sound is None or sound.digest in seen:
                continue
            seen.add(sound.digest)
            kept.append(path)
            self._hold(sound)
            yield Read(sound)
        self._paths, self._first = kept, False

    def _usable(self, path: Path) -> Recorded | None:
        try:
            sound = read_sound(path)
        except ConfigError as error:
            if not self._first:
                raise
            self._told(f"left out: {error}")
            return None
        if sound.cut and self._first:
            self._told(f"{path}: the first {LONGEST:g} s are used. Cut the file to use the rest.")
        return sound

    def _hold(self, sound: Recorded) -> None:
        if self._held is not None:
            self._held.append(sound)
            if sum(len(held.mid) for held in self._held) > _HELD:
                self._held = None


def fit(
    places: Iterable[Path], *, told: Callable[[str], None] = lambda _: None, progress: Progress | None = None
) -> Atlas:
    """Return a model of the sounds in files and folders. The same sounds give the same model.

    Args:
        places: audio files, and folders with audio files in them or below.
        told: is called with a sentence about each file that is left out, and each doubt.
        progress: counts the sounds, each of which is read twice.

    Raises :class:`ConfigError` if a place is not there, or no sound can be used.
    """
    return fit_sounds(Corpus(found_sounds(places), told), told=told, progress=progress)


def fit_sounds(
    corpus: Sounds,
    *,
    told: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
    like: Components | None = None,
) -> Atlas:
    """Return a model of sounds. Those that a model made count by their weight, and are never held out.

    Args:
        corpus: the sounds.
        told: is called with a sentence about each doubt.
        progress: counts the sounds, each of which is read twice.
        like: the components of an earlier model, along whose axes those of this one are laid; None for its own.

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
    total = _total([*folds, *made])
    components = principal.components_of(total)
    size, error, others = _chosen(folds, total, components)
    components = components.first(size) if like is None else rotated(components, size, like)
    gathered = _gathered(corpus, components, counts, progress)
    return _fitted(gathered, components, [other.first(size) for other in others], error, carried=like is not None)


class _Summing:
    """Adds up frames, many at once: a product of few is as large as one of many."""

    def __init__(self) -> None:
        self._sums, self._waiting = principal.nothing(BINS), [np.zeros((0, BINS), np.float32)]

    def add(self, levels: NDArray[np.float32]) -> None:
        self._waiting.append(levels)
        if sum(map(len, self._waiting)) >= _TOGETHER:
            self.done()

    def done(self) -> Sums:
        levels = np.concatenate(self._waiting)
        if len(levels):
            self._sums += principal.sums_of(levels)
        self._waiting = [np.zeros((0, BINS), np.float32)]
        return self._sums


def _summed(corpus: Sounds, progress: Progress, *, alone: bool) -> tuple[list[Sums], list[Sums], list[Sound]]:
    """Return the sums of the heard frames of each group of sounds, of those that models made, and what the sounds are.

    Args:
        corpus: of the sounds.
        progress: counts them.
        alone: whether there is one sound of one's own, of which stretches are the groups.
    """
    groups: dict[tuple[int, float], _Summing] = {}
    sounds: list[Sound] = []
    own = 0
    for material in corpus.read():
        sound = material.sound
        stretched = alone and sound.made_by is None
        for part, levels in enumerate(_stretches(material) if stretched else _heard(material)):
            fold = _MADE if sound.made_by else (part if stretched else own) % FOLDS
            groups.setdefault((fold, sound.weight), _Summing()).add(levels)
        own += sound.made_by is None
        sounds.append(sound)
        progress.advance(1)
    sums = {key: group.done() for key, group in sorted(groups.items())}
    weighted = [(fold, each.times(weight)) for (fold, weight), each in sums.items() if each.count]
    own_folds = [_total([each for at, each in weighted if at == fold]) for fold in sorted({at for at, _ in weighted})]
    made = [each for fold, each in weighted if fold == _MADE]
    return own_folds[bool(made) :], made, sounds


def _heard(material: Material) -> Iterator[NDArray[np.float32]]:
    """Yield the levels of the frames that are heard of a sound, in parts."""
    for levels, heard in material.levels():
        yield levels[heard]


def _stretches(material: Material) -> list[NDArray[np.float32]]:
    return np.array_split(np.concatenate(list(_heard(material))), 2 * FOLDS)


def _total(folds: Sequence[Sums]) -> Sums:
    total = folds[0]
    for fold in folds[1:]:
        total += fold
    return total


def _chosen(folds: Sequence[Sums], total: Sums, whole: Components) -> tuple[int, float, list[Components]]:
    """Return how many components are worth it, their held-out error in dB, and the components without each group."""
    others = [principal.components_of(total - fold if len(folds) > 1 else fold, whole) for fold in folds]
    errors = [principal.held_out_error(other, fold) for other, fold in zip(others, folds, strict=True)]
    size = principal.chosen_size(errors)
    return size, float(np.mean([error[size - 1] for error in errors])), others


@dataclass(eq=False)
class _Gathered:
    """What the second reading of the sounds gives."""

    sounds: list[Sound] = field(default_factory=list)
    trajectories: list[Trajectory] = field(default_factory=list)
    heard: list[NDArray[np.float32]] = field(default_factory=list)
    exemplars: list[Exemplars] = field(default_factory=list)
    bases: list[NDArray[np.float32]] = field(default_factory=list)
    base_folds: list[NDArray[np.int64]] = field(default_factory=list)
    excerpts: list[Excerpt] = field(default_factory=list)


def _gathered(corpus: Sounds, components: Components, sounds: Sequence[Sound], progress: Progress) -> _Gathered:
    """Return the trajectories of the sounds, and what sliders and errors are found from."""
    found = _Gathered()
    frames, weighted = sum(each.frames for each in sounds), sum(each.frames * each.weight for each in sounds)
    own = sum(each.made_by is None for each in sounds)
    measured = set(np.linspace(0, own - 1, min(EXCERPTS, own)).round().astype(int).tolist())
    place = 0
    for material in corpus.read():
        sound = material.sound
        keep = sound.frames if frames <= MOST else max(int(MOST * sound.frames * sound.weight / weighted), 1)
        levels, heard = _remember(found, material, components, keep)
        if sound.made_by is None:
            _gather_bases(found, levels[heard], place, own)
            found.heard.append(found.trajectories[-1].latent.astype(np.float32)[heard])
            if place in measured:
                found.excerpts.append(material.excerpt(int(found.trajectories[-1].onsets[0]), place))
            place += 1
        progress.advance(1)
    return found


def _remember(
    found: _Gathered, material: Material, components: Components, keep: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Add the trajectory and exemplars of a sound; return the levels of its frames, and which are heard."""
    trajectory = material.encoded(components)
    latent = trajectory.latent.astype(np.float32)
    parts = list(material.levels())
    levels = np.concatenate([level for level, _ in parts])
    kept = material.typical(latent, keep)
    residual = (levels[kept] - components.decode(latent[kept])).astype(np.float16)
    found.exemplars.append(Exemplars(latent[kept], residual))
    found.trajectories.append(trajectory)
    found.sounds.append(material.sound)
    return levels, np.concatenate([heard for _, heard in parts])


def _gather_bases(found: _Gathered, heard: NDArray[np.float32], place: int, sounds: int) -> None:
    """Add the frames of a sound that are moved to find the sliders: as many of each sound, at even distances."""
    share = max(-(-sliders.DRAWS // sounds), 1)
    if place % max(sounds // sliders.DRAWS, 1):
        return
    chosen = np.unique(np.linspace(0, len(heard) - 1, min(share, len(heard))).round().astype(np.int64))
    found.bases.append(heard[chosen])
    fold = np.arange(len(chosen)) * FOLDS // len(chosen) if sounds == 1 else np.full(len(chosen), place % FOLDS)
    found.base_folds.append(fold)


def _fitted(
    found: _Gathered, components: Components, others: Sequence[Components], error: float, *, carried: bool
) -> Atlas:
    """Return the model, with its sliders and what it was measured to do."""
    latent = np.concatenate(found.heard)
    draws = sliders.moved(np.concatenate(found.bases), np.concatenate(found.base_folds), components)
    named, confidences = sliders.named(draws, components, latent)
    parts = found.heard if len(found.heard) > 1 else np.array_split(found.heard[0], 2 * FOLDS)
    exemplars = Exemplars(
        np.concatenate([each.latent for each in found.exemplars]),
        np.concatenate([each.residual for each in found.exemplars]),
    )
    atlas = Atlas(
        components,
        exemplars,
        tuple(found.trajectories),
        tuple(found.sounds),
        (*named, *sliders.discovered(parts, components, draws, latent, carried=carried)),
        confidences,
        Errors(0.0, 0.0, 0.0, 0.0),
    )
    return replace(atlas, errors=errors_of(atlas, found.excerpts, others, error))
