"""What makes a sound again: everything that decides it, as it lies in the tag of a file."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tonesmith.errors import ConfigError
from tonesmith.explorer.atlas import NEAREST
from tonesmith.explorer.exemplars import MOST_NEAREST

VERSION = 1
LONGEST = 24 * 3600.0
"""Seconds of a sound."""
FARTHEST = 10.0
"""Steps of a slider either way."""
DENSEST = 200.0

Name = Annotated[str, Field(min_length=1, max_length=255)]
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


class Recipe(_Strict):
    """What makes a sound.

    Attributes:
        model: that makes it.
        title: of the file.
        seconds: that it lasts.
        seed: of all that is drawn.
        sliders: steps by name.
        sources: sounds whose trajectories are followed, blended if there are several; none for a walk.
        density: events per second; None for trajectories as they are.
        exemplars: nearest frames whose residuals are added, 0 to 8.
        griffin_lim: rounds that refine the phase.
        version: of this form.
    """

    model: ModelRef
    title: Name = "sound"
    seconds: float = Field(default=10.0, ge=0.1, le=LONGEST)
    seed: int = Field(default=0, ge=0, lt=2**63)
    sliders: dict[Name, Annotated[float, Field(ge=-FARTHEST, le=FARTHEST)]] = Field(default_factory=dict, max_length=64)
    sources: tuple[Source, ...] = Field(default=(), max_length=16)
    density: float | None = Field(default=None, ge=0.05, le=DENSEST)
    exemplars: int = Field(default=NEAREST, ge=0, le=MOST_NEAREST)
    griffin_lim: int = Field(default=0, ge=0, le=64)
    version: int = Field(default=VERSION, ge=1, le=VERSION)


_SAID = {
    "seconds": f"--seconds: expected 0.1 to {LONGEST:,.0f}.",
    "seed": "--seed: expected a whole number from 0 on.",
    "sliders": f"--set: expected -{FARTHEST:g} to {FARTHEST:g} steps.",
    "sources": "--from: expected at most 16 sounds.",
    "density": f"--density: expected 0.05 to {DENSEST:g} events per second.",
    "exemplars": f"--exemplars: expected 0 to {MOST_NEAREST}.",
    "griffin_lim": "--griffin-lim: expected 0 to 64.",
    "weight": "--blend: expected numbers above 0.",
    "title": "--out: the name of the file is too long.",
}


def recipe_of(**values: Any) -> Recipe:
    """Return a recipe. Raises :class:`ConfigError` that names the option whose value is not allowed."""
    try:
        return Recipe(**values)
    except ValidationError as error:
        places = [str(part) for part in error.errors()[0]["loc"]]
        told = next((_SAID[place] for place in reversed(places) if place in _SAID), "the recipe is not valid.")
        raise ConfigError(told) from None


def recipe_from(text: str, what: str) -> Recipe:
    """Return the recipe in a tag. Raises :class:`ConfigError` if it is none.

    Args:
        text: of the tag.
        what: it is the tag of, for the message.
    """
    try:
        return Recipe.model_validate_json(text)
    except ValidationError as error:
        if any(problem["loc"] == ("version",) for problem in error.errors()):
            told = f"{what} was made by a newer tonesmith. Update: pip install -U tonesmith"
            raise ConfigError(told) from None
        raise ConfigError(f"{what} has no recipe of tonesmith explore in its tags.") from None
