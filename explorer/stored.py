"""A model as a folder: numbers in ``model.safetensors``, and what they are in ``model.json``."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.document import open_plain, parsed_object
from tonesmith.errors import ConfigError, DatasetError, PathTakenError, TonesmithError, check_libraries, unreadable
from tonesmith.explorer import controls, versions
from tonesmith.explorer.atlas import SPACE, Atlas, Trajectory
from tonesmith.explorer.code import Coded, coded_from, tensors_of
from tonesmith.explorer.description import Description, described, description_from
from tonesmith.explorer.documents import copied, hidden_prefix
from tonesmith.explorer.exemplars import Exemplars
from tonesmith.explorer.frames import BINS
from tonesmith.explorer.principal import Components
from tonesmith.host.registry import Host

WEIGHTS, ABOUT = "model.safetensors", "model.json"
PRESETS, HISTORY, TAGS = "presets.json", "history.jsonl", "tags.json"
KEPT = (PRESETS, f"{PRESETS}.bak", HISTORY, TAGS, f"{TAGS}.bak")
"""What a person keeps beside a model, whichever version is used."""
_MOST_BYTES = 2**31


def save(atlas: Atlas, path: Path, *, force: bool = False) -> str:
    """Write a model, whole or not at all, and return the SHA-256 of its weights.

    A model that is replaced loses its versions; its presets, tags and history stay.

    Raises :class:`ConfigError` as :func:`check_place` does.
    """
    check_place(path, force=force)
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=hidden_prefix(path)))
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}.") from None
    try:
        aside.chmod(0o755)
        digest = _write(atlas, aside)
        copied(KEPT, path, aside)
        _put(aside, path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}.") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return digest


def save_version(atlas: Atlas, path: Path, story: dict[str, Any]) -> tuple[str, int]:
    """Write a model as the newest version of another, whole or not at all, and use it from now on.

    Args:
        atlas: to write.
        path: of the model that it grew from.
        story: how it came about.

    Returns:
        The SHA-256 of its weights, and its number.

    Raises :class:`ConfigError` if it cannot be written.
    """
    with versions.making(path) as aside:
        try:
            digest = _write(atlas, aside)
        except OSError as error:
            raise ConfigError(f"cannot write {path}: {error.strerror}.") from None
        return digest, versions.keep(aside, path, story)


def _write(atlas: Atlas, folder: Path) -> str:
    from safetensors.numpy import save as packed

    content = packed({name: np.ascontiguousarray(values) for name, values in _tensors(atlas).items()})
    digest = hashlib.sha256(content).hexdigest()
    (folder / WEIGHTS).write_bytes(content)
    (folder / ABOUT).write_text(json.dumps(described(atlas, digest), indent=2) + "\n", encoding="utf-8")
    return digest


def check_place(path: Path, *, force: bool) -> None:
    """Raise an error if a model cannot be written there: something else is, or a library is missing.

    Raises :class:`PathTakenError` for what is no model, and :class:`ConfigError` for a model without ``force``.
    """
    check_libraries("tonesmith explore", ["safetensors", "soundfile"], "explore")
    check_writable(path)
    if not path.exists():
        return
    if not (path / ABOUT).is_file():
        raise PathTakenError(f"{path} exists and is not a model.")
    if not force:
        raise ConfigError(f"{path} exists. Name another folder, or overwrite the model with --force.")


def check_writable(path: Path) -> None:
    """Raise :class:`ConfigError` if nothing can be written at a place, before a model is fitted that would be lost."""
    folder = next(place for place in (path.absolute(), *path.absolute().parents) if place.is_dir())
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"cannot write {path}: {folder} is read-only.")


def _put(aside: Path, path: Path) -> None:
    """Move a folder to its place, where an old model may be."""
    if not path.exists():
        aside.rename(path)
        return
    old = aside.with_name(f"{aside.name}.old")
    path.rename(old)
    try:
        aside.rename(path)
    except OSError:
        old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def load(path: Path, version: int | None = None) -> tuple[Atlas, str]:
    """Return the model in a folder, and the SHA-256 of its weights.

    Args:
        path: of the model.
        version: of it; None for the one that is used.

    Raises :class:`ConfigError` if there is none, it needs a newer tonesmith or a library, and :class:`DatasetError`
    if it is damaged.
    """
    check_libraries("tonesmith explore", ["safetensors"], "explore")
    about = read_description(path, version)
    folder = versions.folder_of(path, version)
    content = _content(folder / WEIGHTS)
    if hashlib.sha256(content).hexdigest() != about.weights:
        raise _damaged(folder, "its weights are not what was written")
    try:
        return _atlas(_unpacked(content), about), about.weights
    except (KeyError, ValueError, TypeError) as error:
        raise _damaged(folder, f"its weights do not fit its description ({error!s:.80})") from None


def read_description(path: Path, version: int | None = None) -> Description:
    """Return what is said of a model, without its weights. Raises as :func:`load` does."""
    check_model(path)
    folder = versions.folder_of(path, version)
    return description_from(parsed_object(_content(folder / ABOUT), str(folder / ABOUT)), folder)


def version_with(path: Path, weights: str) -> int | None:
    """Return the version of a model with some weights, by their SHA-256; None if there is none."""
    for number in versions.numbers_of(path):
        try:
            if read_description(path, number).weights == weights:
                return number
        except TonesmithError:
            continue
    return None


def check_model(path: Path) -> None:
    """Raise :class:`ConfigError` if there is no model in a folder."""
    if not (path / ABOUT).is_file():
        told = "is not a model" if path.exists() else "does not exist"
        raise ConfigError(f"{path} {told}. Make one: tonesmith explore fit {path} FOLDER")


def _content(path: Path) -> bytes:
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            if os.fstat(file.fileno()).st_size > _MOST_BYTES:
                raise DatasetError(f"{path} is damaged: it has more bytes than any model.")
            return file.read()
    except OSError as error:
        raise unreadable(path, error) from None


def _damaged(path: Path, what: str) -> DatasetError:
    return DatasetError(f"{path} is damaged: {what}. Fit the model again.")


def _unpacked(content: bytes) -> Mapping[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load as unpacked

    try:
        found: dict[str, NDArray[Any]] = unpacked(content)
    except SafetensorError as error:
        raise ValueError(str(error)) from None
    return found


def _tensors(atlas: Atlas) -> dict[str, NDArray[Any]]:
    components, exemplars = atlas.components, atlas.exemplars
    tracks = atlas.trajectories
    none = np.zeros((0, atlas.size), np.float32)
    labelled = {} if atlas.labels is None else controls.tensors_of(atlas.labels, [one.sha256 for one in atlas.sounds])
    return {
        **labelled,
        **({} if atlas.coded is None else tensors_of(atlas.coded)),
        "mean": components.mean,
        "axes": components.axes,
        "deviation": components.deviation,
        "share": components.share,
        "exemplars": exemplars.latent,
        "residuals": exemplars.residual,
        "latents": np.concatenate([track.latent for track in tracks]),
        "space": np.concatenate([track.space for track in tracks if atlas.channels == 2] or [tracks[0].space[:0]]),
        "onsets": np.concatenate([track.onsets for track in tracks]),
        "onset_counts": np.array([len(track.onsets) for track in tracks], np.int32),
        "directions": np.stack([slider.direction for slider in atlas.sliders]) if atlas.sliders else none,
    }


_LARGEST = {np.float16: 65_504.0, np.float32: 1e5, np.float64: 1e5, np.int32: 2**31 - 1}
"""Of each type, what nothing in a model is above: products of two stay far from infinity."""
_FORMS = {
    "mean": (np.float32, 1),
    "axes": (np.float32, 2),
    "deviation": (np.float32, 1),
    "share": (np.float64, 1),
    "exemplars": (np.float32, 2),
    "residuals": (np.float16, 2),
    "latents": (np.float16, 2),
    "space": (np.float16, 2),
    "onsets": (np.int32, 1),
    "onset_counts": (np.int32, 1),
    "directions": (np.float32, 2),
}


def _atlas(tensors: Mapping[str, NDArray[Any]], about: Description) -> Atlas:
    """Return the model of tensors. Raises :class:`ValueError` if their shapes, types or values do not fit."""
    for name, (kind, dimensions) in _FORMS.items():
        if tensors[name].dtype != kind or tensors[name].ndim != dimensions:
            raise ValueError(f"{name} has another form")
        if not np.isfinite(tensors[name]).all():
            raise ValueError(f"{name} has values that are not finite")
        if np.abs(tensors[name]).max(initial=0.0) > _LARGEST[kind]:
            raise ValueError(f"{name} has values that none can have")
    coded = _coded(tensors, about)
    own, frames = len(tensors["axes"]), sum(sound.frames for sound in about.sounds)
    size = own if coded is None else len(coded.deviation)
    exemplars = len(tensors["exemplars"])
    shapes = {
        "mean": (BINS,),
        "axes": (own, BINS),
        "deviation": (own,),
        "share": (own,),
        "exemplars": (exemplars, size),
        "residuals": (exemplars, BINS),
        "latents": (frames, size),
        "space": (frames if about.channels == 2 else 0, SPACE),
        "onset_counts": (len(about.sounds),),
        "onsets": (int(tensors["onset_counts"].sum()),),
        "directions": (len(about.sliders), size),
    }
    wrong = [name for name, shape in shapes.items() if tensors[name].shape != shape]
    if wrong or not own or not exemplars:
        raise ValueError(f"{' and '.join(wrong) or 'a part'} has another size")
    if tensors["onset_counts"].min() < 1 or tensors["deviation"].min() <= 0:
        raise ValueError("a part has values that none can have")
    return Atlas(
        Components(tensors["mean"], tensors["axes"], tensors["deviation"], tensors["share"]),
        Exemplars(tensors["exemplars"], tensors["residuals"]),
        _trajectories(tensors, about),
        about.sounds,
        about.sliders_of(tensors["directions"]),
        dict(about.confidences),
        about.errors,
        coded,
        about.trial,
        controls.labels_from(tensors, about.parameters, [sound.sha256 for sound in about.sounds]),
    )


def _coded(tensors: Mapping[str, NDArray[Any]], about: Description) -> Coded | None:
    """Return the fitted model of a plugin; None for an atlas. Raises :class:`PluginError` if it is not installed."""
    if about.kind == "atlas":
        return None
    options = Host.load().options_of("model", about.kind, about.options or {})
    return coded_from(Host.load().find("model", about.kind)(options), tensors)


def _trajectories(tensors: Mapping[str, NDArray[Any]], about: Description) -> tuple[Trajectory, ...]:
    ends = np.cumsum([sound.frames for sound in about.sounds])
    latents = np.split(tensors["latents"], ends[:-1])
    space = tensors["space"] if about.channels == 2 else np.zeros((len(tensors["latents"]), SPACE), np.float16)
    spaces = np.split(space, ends[:-1])
    onsets = np.split(tensors["onsets"], np.cumsum(tensors["onset_counts"])[:-1])
    for sound, own in zip(about.sounds, onsets, strict=True):
        if own.min() < 0 or own.max() >= sound.frames or (np.diff(own) <= 0).any():
            raise ValueError("onsets are not in their sounds")
    return tuple(Trajectory(*parts) for parts in zip(latents, spaces, onsets, strict=True))
