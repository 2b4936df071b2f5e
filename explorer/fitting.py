"""A model is fitted: the sounds are read twice, and little is kept of them at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError
from tonesmith.explorer import principal, sliders
from tonesmith.explorer.atlas import Atlas, Errors, Sound, Trajectory, encoded, spectra
from tonesmith.explorer.exemplars import MOST, Exemplars, typical
from tonesmith.explorer.frames import BINS, count_of, levels_of
from tonesmith.explorer.heard import heard_of
from tonesmith.explorer.measured import EXCERPTS, Excerpt, errors_of, excerpt_of
from tonesmith.explorer.principal import Components, Sums
from tonesmith.explorer.sounds import LONGEST, Recorded, found_sounds, read_sound
from tonesmith.terminal.progress import Progress

FOLDS = 5
_HELD = 20_000_000
"""Samples that are kept between the two readings, where all sounds together have no more."""
_TOGETHER = 1024


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

    def read(self) -> Iterator[Recorded]:
        """Yield the sounds that can be used, none twice. What is wrong with the others is told the first time."""
        if self._held and not self._first:
            yield from self._held
            return
        kept, seen = [], set()
        for path in self._paths:
            sound = self._usable(path)
            if sound is None or sound.digest in seen:
                continue
            seen.add(sound.digest)
            kept.append(path)
            self._hold(sound)
            yield sound
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
    progress = progress or Progress()
    corpus = Corpus(found_sounds(places), told)
    progress.begin(2 * len(corpus))
    folds, counts = _summed(corpus, progress, alone=False)
    if not counts:
        raise ConfigError("no sound can be used: a model needs at least one file that is not silent.")
    if len(counts) == 1:
        told("there is one sound: parts of it are held out to measure the model, which says little of other sounds.")
        folds, counts = _summed(corpus, Progress(), alone=True)
    components = principal.components_of(_total(folds))
    size, error, others = _chosen(folds, components)
    components = components.first(size)
    gathered = _gathered(corpus, components, counts, progress)
    return _fitted(gathered, components, [other.first(size) for other in others], error)


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


def _summed(corpus: Corpus, progress: Progress, *, alone: bool) -> tuple[list[Sums], list[int]]:
    """Return the sums of the heard frames of each group of sounds, and how many frames each sound has.

    Args:
        corpus: of the sounds.
        progress: counts them.
        alone: whether there is one sound, of which stretches are the groups.
    """
    folds = [_Summing() for _ in range(FOLDS)]
    counts: list[int] = []
    for place, sound in enumerate(corpus.read()):
        counts.append(count_of(len(sound.mid)))
        for part, levels in enumerate(_stretches(sound) if alone else _heard(sound)):
            folds[(part if alone else place) % FOLDS].add(levels)
        progress.advance(1)
    sums = [fold.done() for fold in folds]
    return [each for each in sums if each.count], counts


def _heard(sound: Recorded) -> Iterator[NDArray[np.float32]]:
    """Yield the levels of the frames that are heard of a sound, in parts."""
    for mid, _ in spectra(sound):
        magnitude = np.abs(mid)
        yield levels_of(magnitude[heard_of(magnitude)])


def _stretches(sound: Recorded) -> list[NDArray[np.float32]]:
    return np.array_split(np.concatenate(list(_heard(sound))), 2 * FOLDS)


def _total(folds: Sequence[Sums]) -> Sums:
    total = folds[0]
    for fold in folds[1:]:
        total += fold
    return total


def _chosen(folds: Sequence[Sums], whole: Components) -> tuple[int, float, list[Components]]:
    """Return how many components are worth it, their held-out error in dB, and the components without each group."""
    total = _total(folds)
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


def _gathered(corpus: Corpus, components: Components, counts: Sequence[int], progress: Progress) -> _Gathered:
    """Return the trajectories of the sounds, and what sliders and errors are found from."""
    found, total = _Gathered(), sum(counts)
    measured = set(np.linspace(0, len(counts) - 1, min(EXCERPTS, len(counts))).round().astype(int).tolist())
    for place, sound in enumerate(corpus.read()):
        trajectory = encoded(sound, components)
        latent = trajectory.latent.astype(np.float32)
        keep = len(latent) if total <= MOST else max(MOST * len(latent) // total, 1)
        levels, heard = _levels(sound)
        _gather_bases(found, levels[heard], place, len(counts))
        kept = typical(latent, keep)
        residual = (levels[kept] - components.decode(latent[kept])).astype(np.float16)
        found.exemplars.append(Exemplars(latent[kept], residual))
        found.heard.append(latent[heard])
        found.trajectories.append(trajectory)
        channels = 1 if sound.side is None else 2
        found.sounds.append(Sound(sound.name, sound.digest, round(sound.seconds, 3), len(latent), channels))
        if place in measured:
            found.excerpts.append(excerpt_of(sound.mid, int(trajectory.onsets[0]), place))
        progress.advance(1)
    return found


def _levels(sound: Recorded) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the levels of all frames of a sound, and which of them are heard."""
    magnitudes = [np.abs(mid) for mid, _ in spectra(sound)]
    heard = np.concatenate([heard_of(magnitude) for magnitude in magnitudes])
    return np.concatenate([levels_of(magnitude) for magnitude in magnitudes]), heard


def _gather_bases(found: _Gathered, heard: NDArray[np.float32], place: int, sounds: int) -> None:
    """Add the frames of a sound that are moved to find the sliders: as many of each sound, at even distances."""
    share = max(-(-sliders.DRAWS // sounds), 1)
    if place % max(sounds // sliders.DRAWS, 1):
        return
    chosen = np.unique(np.linspace(0, len(heard) - 1, min(share, len(heard))).round().astype(np.int64))
    found.bases.append(heard[chosen])
    fold = np.arange(len(chosen)) * FOLDS // len(chosen) if sounds == 1 else np.full(len(chosen), place % FOLDS)
    found.base_folds.append(fold)


def _fitted(found: _Gathered, components: Components, others: Sequence[Components], error: float) -> Atlas:
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
        (*named, *sliders.discovered(parts, components, draws, latent)),
        confidences,
        Errors(0.0, 0.0, 0.0, 0.0),
    )
    return replace(atlas, errors=errors_of(atlas, found.excerpts, others, error))
