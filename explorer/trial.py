"""A model is judged beside an atlas: both are fitted without some sounds, and measured on those."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.atlas import CHUNK, Trial, latents_of
from tonesmith.explorer.checkpoints import Checkpoints
from tonesmith.explorer.code import Code, Coded, measured
from tonesmith.explorer.frames import levels_of, magnitudes_of, spectrum
from tonesmith.explorer.measured import EXCERPTS, sound_error
from tonesmith.explorer.models.atlas import AtlasModel
from tonesmith.explorer.onsets import onsets_of
from tonesmith.explorer.reading import Sounds, framed, own_of
from tonesmith.host.registry import Host
from tonesmith.host.roles import Frames, Grows, Material, Model, Options

JUDGING = 0
"""The group of sounds that judges."""
FEWEST = 3
"""Sounds: one judges, one says when to stop, one is learned from."""
_WORTH = 0.995
"""Share of the error of the atlas that the error of another must be below."""
_SAMPLED = 400
"""Frames that tell how much the dimensions of a model change."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A model that was asked for.

    Attributes:
        model: its plugin.
        options: of the plugin.
        checkpoints: where an interrupted fit is kept; None to keep none.
        earlier: the fitted model that it grows from; None to begin anew.
    """

    model: type[Model[Any]]
    options: Options
    checkpoints: Checkpoints | None = None
    earlier: Model[Any] | None = None

    def made(self) -> Model[Any]:
        """Return the model, not fitted."""
        return self.model(self.options)

    def fingerprint(self, corpus: Sounds) -> str:
        """Return what tells this fit from others: SHA-256 of its model, options, sounds, and what it grows from."""
        sounds = [material.sound.sha256 for _, material in own_of(corpus)]
        about = {"model": self.model.name, "options": self.model.recorded(self.options), "sounds": sounds}
        found = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
        for name, values in sorted(self.earlier.save().items() if self.earlier else ()):
            found.update(name.encode() + np.ascontiguousarray(values).tobytes())
        return found.hexdigest()


@contextmanager
def asked_of(
    model: str, options: Mapping[str, object], place: Path, earlier: Model[Any] | None = None
) -> Iterator[Asked | None]:
    """Yield a model that is asked for, checked; None for an atlas. At the end, nothing is kept of its fit.

    Args:
        model: its name.
        options: of it, by name.
        place: where it is to be stored, beside which an interrupted fit is kept.
        earlier: the fitted model of that name that it grows from; None to begin anew.

    Raises :class:`tonesmith.PluginError` for an unknown one, and :class:`tonesmith.ConfigError` for options that are
    not allowed, a device that is not there, or a library that is missing.
    """
    host = Host.load()
    plugin, checked = host.find("model", model), host.options_of("model", model, options)
    plugin(checked).check()
    if model == "atlas":
        yield None
        return
    checkpoints = Checkpoints.beside(place)
    checkpoints.check()
    yield Asked(plugin, checked, checkpoints, earlier)
    checkpoints.remove()


def tried(
    asked: Asked, corpus: Sounds, told: Callable[[str], None], shown: Callable[[str], None] = lambda _: None
) -> tuple[Trial | None, Coded | None]:
    """Return how a model was judged, and the model fitted on all sounds if it was better than an atlas.

    One that grows is judged without what it learned before: it knows the sounds that judge.

    Args:
        asked: the model.
        corpus: of the sounds, which was read once.
        told: is called with what became of it.
        shown: with how far a fit is.
    """
    if sum(1 for _ in own_of(corpus)) < FEWEST:
        told(f"{asked.model.name}: at least {FEWEST} sounds are needed to judge it. The model is an atlas.")
        return None, None
    kept = None if asked.checkpoints is None else asked.checkpoints.opened(asked.fingerprint(corpus))

    def fitted(material: Material, stage: str, earlier: Model[Any] | None = None) -> Model[Any]:
        if kept is not None:
            keep, last = kept.keeping(stage)
            material = replace(material, keep=keep, kept=last)
        model = asked.made()
        material = replace(material, shown=lambda words: shown(f"{asked.model.name}, {stage}: {words}"))
        if earlier is not None and isinstance(model, Grows):
            model.grow(material, earlier)
        else:
            model.fit(material)
        return model

    material = Material(lambda: framed(corpus), told)
    atlas = AtlasModel(AtlasModel.Options())
    atlas.fit(material.without(JUDGING))
    trial = _judged(fitted(material.without(JUDGING), "trial"), atlas, corpus)
    errors = f"{trial.model_levels:.2f} dB, the atlas {trial.atlas_levels:.2f} dB"
    if not trial.kept:
        told(f"{trial.model}: on held-out sounds it is no better: {errors}. The model stays an atlas.")
        return trial, None
    told(f"{trial.model}: on held-out sounds it is better: {errors}. It is fitted again on all sounds, and kept.")
    return trial, _sampled(fitted(material, "all sounds", asked.earlier), material)


def _judged(model: Model[Any], atlas: AtlasModel, corpus: Sounds) -> Trial:
    """Return how a model and an atlas, fitted without the judging sounds, describe them."""
    one = np.ones(1)
    coded = Coded(model, one.astype(np.float32), one)
    judging = [sound for sound in framed(corpus) if sound.group == JUDGING]
    levels = [_levels_error(code, judging) for code in (atlas.components, coded)]
    sound = np.mean([_sound_errors(mid, (atlas.components, coded)) for mid in _excerpts(corpus)], axis=0)
    return Trial(
        model.name,
        levels[1] < _WORTH * levels[0],
        len(judging),
        int(sum(int(each.heard.sum()) for each in judging)),
        levels[0],
        levels[1],
        float(sound[0]),
        float(sound[1]),
        float(sound[2]),
        dict(model.report()),
    )


def _levels_error(code: Code, sounds: list[Frames]) -> float:
    """Return the root mean square error of the levels of heard frames, in dB."""
    total, count = 0.0, 0
    for sound in sounds:
        latent = latents_of(sound.levels, code)
        for at in range(0, len(latent), CHUNK):
            heard = sound.heard[at : at + CHUNK]
            left = sound.levels[at : at + CHUNK][heard] - code.decode(latent[at : at + CHUNK][heard])
            total += float(np.square(left, dtype=np.float64).sum())
            count += left.size
    return float(np.sqrt(total / max(count, 1)))


def _excerpts(corpus: Sounds) -> Iterator[NDArray[np.float32]]:
    """Yield parts of up to three of the judging sounds."""
    judging = [material for group, material in own_of(corpus) if group == JUDGING]
    for place in sorted(set(np.linspace(0, len(judging) - 1, EXCERPTS).round().astype(int).tolist())):
        onsets = onsets_of(np.concatenate([levels for levels, _ in judging[place].levels()]))
        yield judging[place].excerpt(int(onsets[0]), JUDGING).mid


def _sound_errors(mid: NDArray[np.float32], codes: tuple[Code, Code]) -> list[float]:
    """Return how far an excerpt is from what its true magnitudes give, and from what each code makes of it."""
    true = np.abs(spectrum(mid))
    levels = levels_of(true)
    made = [magnitudes_of(code.decode(latents_of(levels, code))) for code in codes]
    return [sound_error(mid, magnitude) for magnitude in (true, *made)]


def _sampled(model: Model[Any], material: Material) -> Coded:
    """Return a fitted model with how much its dimensions change, over some frames of all sounds."""
    one = np.ones(1)
    bare = Coded(model, one.astype(np.float32), one)
    levels, latents = [], []
    for sound in material.sounds():
        heard = np.flatnonzero(sound.heard)
        chosen = heard[np.unique(np.linspace(0, len(heard) - 1, min(32, len(heard))).astype(int))]
        levels.append(sound.levels[chosen])
        latents.append(latents_of(sound.levels, bare)[chosen])
    every, points = np.concatenate(levels), np.concatenate(latents)
    rows = np.unique(np.linspace(0, len(every) - 1, min(_SAMPLED, len(every))).astype(int))
    return measured(model, every[rows], points[rows])
