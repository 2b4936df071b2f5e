"""What makes a sound again: everything that decides it, as it lies in the tag of a file."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tonesmith.errors import ConfigError
from tonesmith.explorer.atlas import NEAREST
from tonesmith.explorer.exemplars import MOST_NEAREST
from tonesmith.explorer.given import check_given, check_place
from tonesmith.explorer.moves import Amount

VERSION = 2
LONGEST = 24 * 3600.0
"""Seconds of a sound."""
FARTHEST = 10.0
"""Steps of a slider either way."""
DENSEST = 200.0

Name = Annotated[str, Field(min_length=1, max_length=255)]
_Steps = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST)]
_Density = Annotated[float, Field(ge=0.05, le=DENSEST)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Source(_Strict):
    """A sound whose trajectory is followed.

    Attributes:
        name: of its file.
        sha256: of its file.
        weight: in a blend.
    """

    name: Name
    sha256: Digest
    weight: float = Field(default=1.0, gt=0.0, le=1e6)


class ModelRef(_Strict):
    """A model: the name of its folder, and the SHA-256 of its weights."""

    name: Name
    sha256: Digest


class HeadRef(_Strict):
    """A SOFA file of a head: its name, and its SHA-256."""

    name: Name
    sha256: Digest


class Time(_Strict):
    """Sliders of time, as :mod:`tonesmith.explorer.given` has their units and ranges."""

    attack: float = 1.0
    stretch: float = 1.0
    loop: float | None = None
    drift: Amount = 0.0


class Place(_Strict):
    """Sliders of space, likewise."""

    width: Amount = 1.0
    distance: Amount = 1.0
    azimuth: Amount = 0.0
    elevation: Amount = 0.0


class Recipe(_Strict):
    """What makes a sound.

    Attributes:
        model: that makes it.
        title: of the file.
        seconds: that it lasts.
        seed: of all that is drawn.
        sliders: steps by name; two for a move from one to the other over the sound.
        sources: sounds whose trajectories are followed, blended if there are several; none for a walk.
        density: events per second, or two for a move; None for trajectories as they are.
        exemplars: nearest frames whose residuals are added, 0 to 8.
        griffin_lim: rounds that refine the phase.
        version: of this form. The fields that follow came with version 2.
        time: sliders of time.
        place: sliders of space.
        channels: that the sound has; None for those of the model.
        head: SOFA file of a binaural sound; None for KEMAR.
        rate: samples per second.
        bits: of a sample; 32 are floating point. None where a format has none.
    """

    model: ModelRef
    title: Name = "sound"
    seconds: float = Field(default=10.0, ge=0.1, le=LONGEST)
    seed: int = Field(default=0, ge=0, lt=2**63)
    sliders: dict[Name, _Steps | tuple[_Steps, _Steps]] = Field(default_factory=dict, max_length=64)
    sources: tuple[Source, ...] = Field(default=(), max_length=16)
    density: _Density | tuple[_Density, _Density] | None = None
    exemplars: int = Field(default=NEAREST, ge=0, le=MOST_NEAREST)
    griffin_lim: int = Field(default=0, ge=0, le=64)
    version: int = Field(default=VERSION, ge=1, le=VERSION)
    time: Time = Time()
    place: Place = Place()
    channels: Literal["mono", "stereo", "binaural"] | None = None
    head: HeadRef | None = None
    rate: int = Field(default=48_000, ge=8_000, le=192_000)
    bits: Literal[16, 24, 32] | None = 24

    def text(self) -> str:
        """Return the recipe as it lies in a tag: JSON in ASCII, which every tag can hold."""
        if self.version == 1:
            return self.model_dump_json(exclude=_SINCE_2)
        return json.dumps(self.model_dump(mode="json"), separators=(",", ":"))


_SINCE_2 = {"time", "place", "channels", "head", "rate", "bits"}
_LONGEST_TEXT = 8_000
_SAID = {
    "seconds": f"--seconds: expected 0.1 to {LONGEST:,.0f}.",
    "seed": "--seed: expected a whole number from 0 on.",
    "sliders": f"--set: expected -{FARTHEST:g} to {FARTHEST:g} steps.",
    "sources": "--from: expected at most 16 sounds.",
    "density": f"--density: expected 0.05 to {DENSEST:g} events per second.",
    "exemplars": f"--exemplars: expected 0 to {MOST_NEAREST}.",
    "griffin_lim": "--griffin-lim: expected 0 to 64.",
    "weight": "--blend: expected numbers above 0.",
    "channels": "--channels: expected mono, stereo or binaural.",
    "rate": "--rate: expected 8,000 to 192,000.",
    "bits": "--bits: expected 16, 24 or 32.",
    "title": "--out: the name of the file is too long.",
}


def recipe_of(**values: Any) -> Recipe:
    """Return a recipe. Raises :class:`ConfigError` that names the option whose value is not allowed."""
    try:
        made = Recipe(**values)
    except ValidationError as error:
        places = [str(part) for part in error.errors()[0]["loc"]]
        told = next((_SAID[place] for place in reversed(places) if place in _SAID), "the recipe is not valid.")
        raise ConfigError(told) from None
    if len(made.text()) > _LONGEST_TEXT:
        raise ConfigError("the recipe is too long for a tag. Name fewer sounds with --from, or shorter ones.")
    return made


def recipe_from(text: str, what: str) -> Recipe:
    """Return the recipe in a tag. Raises :class:`ConfigError` if it is none.

    Args:
        text: of the tag.
        what: it is the tag of, for the message.
    """
    try:
        made = Recipe.model_validate_json(text[: 2 * _LONGEST_TEXT])
        check_set(made)
    except ConfigError:
        raise ConfigError(f"{what} has a recipe whose sliders are out of their ranges.") from None
    except ValidationError as error:
        if any(problem["loc"] == ("version",) for problem in error.errors()):
            told = f"{what} was made by a newer tonesmith. Update: pip install -U tonesmith"
            raise ConfigError(told) from None
        raise ConfigError(f"{what} has no recipe of tonesmith explore in its tags.") from None
    return made


def check_set(recipe: Recipe) -> None:
    """Raise :class:`ConfigError` for a slider of time or space that is out of range, or not for such a sound."""
    set_ones = {name: amount for part in (recipe.time, recipe.place) for name, amount in part if amount is not None}
    check_given(set_ones)
    moved = {name: amount for name, amount in recipe.place if amount != Place.model_fields[name].default}
    if recipe.channels is not None:
        check_place(moved, recipe.channels)
    if recipe.time.loop is not None and (recipe.density is not None or not recipe.sources):
        raise ConfigError("--set loop: it repeats a part of a sound. Name one with --from, and no --density.")
