"""What is said of a model beside its numbers, as it is stored and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tonesmith.errors import ConfigError, DatasetError, SpaceError
from tonesmith.explorer.atlas import Atlas, Errors, MadeBy, Sound, Trial
from tonesmith.explorer.frames import HOP, RATE, SIZE
from tonesmith.explorer.sliders import Slider
from tonesmith.space.parameter import Curve, Parameter

FORMAT, VERSION = "tonesmith-explorer", 3
"""Version 1 is that of an atlas for which no other model was tried, 2 has no parameters: older programs read them."""
_MOST_FRAMES = 10**8

Text = Annotated[str, Field(min_length=1, max_length=255)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _MadeBy(_Strict):
    model: Text
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    seed: Annotated[int, Field(ge=0)]
    sliders: dict[str, Number]


class _Sound(_Strict):
    name: Text
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    seconds: Annotated[float, Field(gt=0.0, le=1e6)]
    frames: Annotated[int, Field(ge=1, le=_MOST_FRAMES)]
    channels: Annotated[int, Field(ge=1, le=2)]
    weight: Annotated[float, Field(gt=0.0, le=1e9, allow_inf_nan=False)] = 1.0
    made_by: _MadeBy | None = None

    def sound(self) -> Sound:
        made_by = None if self.made_by is None else MadeBy(**self.made_by.model_dump())
        return Sound(**{**self.model_dump(), "made_by": made_by})


class _Slider(_Strict):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
    kind: Literal["named", "discovered", "parameter"]
    confidence: Number
    low: Number
    high: Number
    effect: Number
    unit: Annotated[str, Field(max_length=30)]
    hint: Annotated[str, Field(max_length=30)]


class _Parameter(_Strict):
    name: Annotated[str, Field(min_length=1, max_length=1000)]
    low: Number
    high: Number
    unit: Annotated[str, Field(max_length=1000)]
    curve: Curve
    scale: Number
    offset: Number


class _Errors(_Strict):
    ceiling: Number
    own: Number
    held_out: Number
    held_out_levels: Number


class _Trial(_Strict):
    model: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
    kept: bool
    sounds: Annotated[int, Field(ge=1)]
    frames: Annotated[int, Field(ge=0)]
    atlas_levels: Number
    model_levels: Number
    ceiling: Number
    atlas_sound: Number
    model_sound: Number
    report: dict[Text, Number | int | Annotated[str, Field(max_length=255)]] = Field(max_length=64)


class _Stored(_Strict):
    format: Literal["tonesmith-explorer"]
    format_version: int
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
    versions: dict[str, str]
    weights: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    sample_rate: Literal[48_000]
    window: Literal[2048]
    hop: Literal[256]
    components: Annotated[int, Field(ge=1, le=1025)]
    exemplars: Annotated[int, Field(ge=1)]
    sounds: Annotated[list[_Sound], Field(min_length=1, max_length=100_000)]
    sliders: Annotated[list[_Slider], Field(max_length=1000)]
    confidences: dict[str, Number]
    errors: _Errors
    options: dict[str, Any] | None = None
    trial: _Trial | None = None
    parameters: Annotated[list[_Parameter], Field(max_length=100_000)] = []


@dataclass(frozen=True, slots=True)
class Description:
    """What is said of a model.

    Attributes:
        weights: SHA-256 of them.
        versions: of the programs that made it, by name.
        components: of its frames.
        exemplars: frames that it keeps.
        sounds: that it was fitted on.
        sliders: what each is, without its direction.
        confidences: of features, also of those that are no slider.
        errors: measured when it was fitted.
        kind: "atlas", or the name of the plugin that encodes and decodes.
        options: of that plugin; none for an atlas.
        trial: how another model was judged, or None.
        parameters: of the synths that made its sounds.
    """

    weights: str
    versions: Mapping[str, str]
    components: int
    exemplars: int
    sounds: tuple[Sound, ...]
    sliders: tuple[Mapping[str, Any], ...]
    confidences: Mapping[str, float]
    errors: Errors
    kind: str = "atlas"
    options: Mapping[str, Any] | None = None
    trial: Trial | None = None
    parameters: tuple[Parameter, ...] = ()

    @property
    def channels(self) -> int:
        """How many channels it makes."""
        return max(sound.channels for sound in self.sounds)

    def sliders_of(self, directions: NDArray[np.float32]) -> tuple[Slider, ...]:
        """Return the sliders, with their directions (sliders, k)."""
        return tuple(
            Slider(direction=direction, **values) for direction, values in zip(directions, self.sliders, strict=True)
        )


def described(atlas: Atlas, digest: str) -> dict[str, Any]:
    """Return what is said of a model, as JSON has it.

    Args:
        atlas: the model.
        digest: SHA-256 of its weights.
    """
    names = [field.name for field in fields(Slider) if field.name != "direction"]
    parameters = () if atlas.labels is None else atlas.labels.parameters
    about = {
        "format": FORMAT,
        "format_version": VERSION if parameters else 1 if atlas.trial is None else 2,
        "kind": atlas.kind,
        "versions": {name: metadata.version(name) for name in ("tonesmith", "numpy", "scipy", "safetensors")},
        "weights": digest,
        "sample_rate": RATE,
        "window": SIZE,
        "hop": HOP,
        "components": atlas.size,
        "exemplars": len(atlas.exemplars.latent),
        "sounds": [asdict(sound) for sound in atlas.sounds],
        "sliders": [{name: getattr(slider, name) for name in names} for slider in atlas.sliders],
        "confidences": dict(atlas.confidences),
        "errors": asdict(atlas.errors),
    }
    if atlas.coded is not None:
        about["options"] = atlas.coded.model.options.model_dump(mode="json")
    if parameters:
        about["parameters"] = [{name: getattr(one, name) for name in _Parameter.model_fields} for one in parameters]
    return about if atlas.trial is None else {**about, "trial": asdict(atlas.trial)}


def description_from(value: Mapping[str, Any], path: Path) -> Description:
    """Return what a document says of a model.

    Args:
        value: of the document.
        path: of the model, for the message.

    Raises :class:`ConfigError` for a model of a newer tonesmith, and :class:`DatasetError` for no model.
    """
    version = value.get("format_version")
    if value.get("format") == FORMAT and isinstance(version, int) and version > VERSION:
        told = f"{path} was made by a newer tonesmith (format {version}; this one reads {VERSION})."
        raise ConfigError(f"{told} Update: pip install -U tonesmith")
    try:
        stored = _Stored.model_validate(value)
        parameters = tuple(_parameter(one) for one in stored.parameters)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise DatasetError(f"{path} is damaged: its {place!r} cannot be read. Fit the model again.") from None
    except SpaceError as error:
        raise DatasetError(f"{path} is damaged: {error}. Fit the model again.") from None
    return Description(
        stored.weights,
        stored.versions,
        stored.components,
        stored.exemplars,
        tuple(sound.sound() for sound in stored.sounds),
        tuple(slider.model_dump() for slider in stored.sliders),
        stored.confidences,
        Errors(**stored.errors.model_dump()),
        stored.kind,
        stored.options,
        None if stored.trial is None else Trial(**stored.trial.model_dump()),
        parameters,
    )


def _parameter(stored: _Parameter) -> Parameter:
    return Parameter(kind="continuous", default=stored.low, **stored.model_dump())
