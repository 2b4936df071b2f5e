"""Models are blended: the frames that they remember are laid into one common frame, and a model is fitted on all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tonesmith.errors import ConfigError
from tonesmith.explorer import stored
from tonesmith.explorer.calls import Model, Place, open_model
from tonesmith.explorer.controls import merged, other_ranges
from tonesmith.explorer.fitting import fit_sounds
from tonesmith.explorer.material import Material, Remembered, remembered, weighted
from tonesmith.explorer.weights import weight_of_made
from tonesmith.terminal.progress import Progress
from tonesmith.terminal.text import counted

MOST = 16
"""Models that are blended at once."""


def blend(
    models: Sequence[Place],
    path: Place,
    *,
    weights: Sequence[float] = (),
    force: bool = False,
    told: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Model:
    """Fit a model on what several models remember of their sounds, and store it. The same models give the same one.

    Args:
        models: 2 to 16 of their folders.
        path: of the folder to write.
        weights: what each counts as a whole, however many sounds it has; equal without.
        force: whether a model that is there is replaced.
        told: is called with a sentence about each doubt.
        progress: counts the sounds.

    Raises :class:`ConfigError` if the models or weights cannot be blended, and what :func:`open_model` raises.
    """
    place = Path(path)
    stored.check_place(place, force=force)
    shares = _checked(models, weights)
    if any(place.exists() and place.samefile(model) for model in map(Path, models) if model.exists()):
        raise ConfigError(f"--out: {place} is one of the models that are blended. Name another folder.")
    opened = [open_model(model) for model in models]
    labels, other = merged([one.atlas.labels for one in opened if one.atlas.labels is not None])
    if other:
        told(other_ranges(other))
    atlas = fit_sounds(Blended(opened, shares, told), told=told, progress=progress, labels=labels)
    return Model(atlas, place.absolute().name, stored.save(atlas, place, force=force), place)


def _checked(models: Sequence[Place], weights: Sequence[float]) -> list[float]:
    """Return the share of each model: together 1."""
    if not 2 <= len(models) <= MOST:
        raise ConfigError(f"expected 2 to {MOST} models, not {len(models)}.")
    if len({Path(model).resolve() for model in models}) < len(models):
        raise ConfigError("a model is named twice. Name each once, and say with --weights what it counts.")
    if weights and len(weights) != len(models):
        raise ConfigError(f"--weights: expected {len(models)} numbers, one for each model, not {len(weights)}.")
    if not all(0.001 <= weight <= 1000.0 for weight in weights):
        raise ConfigError("--weights: expected numbers from 0.001 to 1,000.")
    whole = sum(weights) if weights else float(len(models))
    return [weight / whole for weight in weights or [1.0] * len(models)]


class Blended:
    """Sounds of several models, each model with its share of the weight.

    Args:
        models: they are.
        shares: of each, together 1.
        told: is called with a sentence about sounds that several of them have.
    """

    def __init__(self, models: Sequence[Model], shares: Sequence[float], told: Callable[[str], None]) -> None:
        groups = _distinct(models, told)
        frames = sum(one.sound.frames for group in groups for one in group)
        self._sounds: list[Material] = []
        for group, share in zip(groups, shares, strict=True):
            weight = sum(one.sound.frames * one.sound.weight for one in group)
            factor = share * frames / max(weight, 1e-12)
            self._sounds += [weighted(one, one.sound.weight * factor) for one in group]
        least = weight_of_made([one.sound for one in self._sounds])
        self._sounds = [
            weighted(one, min(one.sound.weight, least)) if one.sound.made_by else one for one in self._sounds
        ]

    def __len__(self) -> int:
        return len(self._sounds)

    def read(self) -> Iterator[Material]:
        """Yield the sounds of the first model, then those of the next."""
        yield from self._sounds


def _distinct(models: Sequence[Model], told: Callable[[str], None]) -> list[list[Remembered]]:
    """Return the sounds of each model that none before it has."""
    seen: set[str] = set()
    groups = []
    for model in models:
        own = [one for one in remembered(model.atlas) if one.sound.sha256 not in seen]
        twice = len(model.atlas.sounds) - len(own)
        if twice:
            told(f"{counted(twice, 'sound')} of {model.name} are in a model before it, and count once.")
        if not own:
            raise ConfigError(f"{model.name} has no sound that the models before it lack. Leave it out.")
        seen.update(one.sound.sha256 for one in own)
        groups.append(own)
    return groups
