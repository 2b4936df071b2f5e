"""Presets of a model: what makes a sound, without the file, in terms that hold for every version of the model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tonesmith.errors import ConfigError, unknown_name
from tonesmith.explorer.calls import Model
from tonesmith.explorer.documents import alone, damaged, read_document, write_document
from tonesmith.explorer.recipe import FARTHEST, ModelRef, Recipe
from tonesmith.explorer.stored import PRESETS

FORMAT, VERSION = "tonesmith-explorer-presets", 1
MOST = 1_000
"""Presets of a model."""
_NAME = re.compile(r"\w[\w .+()-]{0,63}")
OF_FILE = ("model", "title", "version", "rate", "bits", "head")
"""Of a recipe, what is of a file and not of a preset."""

Steps = float | tuple[float, ...]
"""Of a slider: a number, or those that it moves between."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Preset(_Strict):
    """What makes a sound with any version of a model.

    Attributes:
        weights: SHA-256 of the version that it was saved with.
        settings: of the recipe, without model, title and version.
        ranges: 5th and 95th percentile of the sounds along each slider that it moves, in steps.
    """

    weights: str = Field(pattern=r"^[0-9a-f]{64}$")
    settings: dict[str, Any]
    ranges: dict[str, tuple[float, float]]


class _Stored(_Strict):
    format: str = Field(pattern=f"^{FORMAT}$")
    format_version: int
    presets: dict[str, Preset] = Field(max_length=MOST)


@dataclass(frozen=True, slots=True)
class Recalled:
    """A preset as a version of a model has it.

    Attributes:
        recipe: what it makes.
        gone: sliders that it moves and that the version does not have. They are left as they are.
        changed: sliders whose steps are others than those that were saved, since their range is another.
    """

    recipe: Recipe
    gone: tuple[str, ...]
    changed: Mapping[str, tuple[Steps, Steps]]


def presets_of(model: Model) -> dict[str, Preset]:
    """Return the presets of a model by name. Raises :class:`tonesmith.DatasetError` if they are damaged."""
    file = _folder(model) / PRESETS
    value = read_document(file)
    if not value:
        return {}
    if isinstance(version := value.get("format_version"), int) and version > VERSION:
        raise ConfigError(f"{file} was written by a newer tonesmith. Update: pip install -U tonesmith")
    try:
        return dict(_Stored.model_validate(value).presets)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise damaged(file, f"{file} is damaged: its {place!r} cannot be read") from None


def save_preset(model: Model, name: str, recipe: Recipe, *, force: bool = False) -> Preset:
    """Keep what a recipe says under a name.

    Args:
        model: that the recipe is for: its sliders have to be those of the model.
        name: 1 to 64 letters, digits, spaces and ``.+-_()``.
        recipe: whose settings are kept, without its model and title.
        force: whether a preset of that name is replaced.

    Raises :class:`ConfigError` for a name that is not allowed or taken, or a slider that the model does not have.
    """
    if not _NAME.fullmatch(name) or name != name.strip():
        raise ConfigError(f"NAME: expected 1 to 64 letters, digits, spaces and .+-_(), not {name[:80]!r}.")
    ranges = {slider.name: (slider.low, slider.high) for slider in model.atlas.sliders}
    for slider in recipe.sliders:
        if slider not in ranges:
            raise ConfigError(f"--set: {unknown_name('slider', slider, ranges)}")
    settings = recipe.model_dump(mode="json", exclude=set(OF_FILE))
    own = {slider: ranges[slider] for slider in recipe.sliders}
    preset = Preset(weights=model.sha256, settings=settings, ranges=own)
    with alone(_folder(model)):
        known = presets_of(model)
        if name in known and not force:
            raise ConfigError(f"there is a preset {name!r} already. Choose another name, or replace it with --force.")
        if len(known) >= MOST and name not in known:
            raise ConfigError(f"a model has at most {MOST:,} presets. Delete one first.")
        _write(model, {**known, name: preset})
    return preset


def delete_preset(model: Model, name: str) -> None:
    """Delete a preset. Raises :class:`ConfigError` if there is none of that name."""
    with alone(_folder(model)):
        known = presets_of(model)
        _find(known, name)
        _write(model, {other: preset for other, preset in known.items() if other != name})


def recalled(model: Model, name: str, told: Callable[[str], None] = lambda _: None) -> Recalled:
    """Return a preset as a version of a model has it.

    With the version that it was saved with, it is what was saved. With another, each slider keeps its place between the
    5th and the 95th percentile of the sounds: its steps grow as much as that range did. A slider that the version does
    not have is left out, which is told.

    Args:
        model: the version.
        name: of the preset.
        told: is called with a sentence about what is left out.

    Raises :class:`ConfigError` if there is none of that name.
    """
    preset = _find(presets_of(model), name)
    ranges = {slider.name: (slider.low, slider.high) for slider in model.atlas.sliders}
    settings = dict(preset.settings)
    moved = {str(slider): _steps(value) for slider, value in dict(settings.get("sliders", {})).items()}
    gone = tuple(slider for slider in moved if slider not in ranges)
    same = preset.weights == model.sha256
    steps = {
        slider: value if same else _scaled(value, preset.ranges.get(slider), ranges[slider])
        for slider, value in moved.items()
        if slider not in gone
    }
    for slider in gone:
        told(f"preset {name!r} moves {slider}, which this version does not have: it is left out.")
    recipe = _recipe(model, name, {**settings, "sliders": steps})
    changed = {slider: (moved[slider], value) for slider, value in steps.items() if value != moved[slider]}
    return Recalled(recipe, gone, changed)


def _steps(value: Any) -> Steps:
    return tuple(map(float, value)) if isinstance(value, list | tuple) else float(value)


def _scaled(steps: Steps, before: tuple[float, float] | None, after: tuple[float, float]) -> Steps:
    """Return steps of a slider whose range was another, by as much as the range is another, 10 at most."""
    if before is None or before[1] <= before[0] or after[1] <= after[0]:
        return steps
    if isinstance(steps, tuple):
        return tuple(_grown(one, before, after) for one in steps)
    return _grown(steps, before, after)


def _grown(steps: float, before: tuple[float, float], after: tuple[float, float]) -> float:
    made = steps * ((after[1] - after[0]) / (before[1] - before[0]))
    return round(min(max(made, -FARTHEST), FARTHEST), 4)


def _recipe(model: Model, name: str, settings: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a preset. Raises :class:`tonesmith.DatasetError` if its settings cannot be read."""
    file = _folder(model) / PRESETS
    reference = ModelRef(name=model.name, sha256=model.sha256)
    try:
        whole = Recipe(model=reference, title=name).model_dump(mode="json")
        return Recipe.model_validate_json(json.dumps({**whole, **settings}))
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise damaged(file, f"{file} is damaged: in the preset {name!r}, {place!r} cannot be read") from None


def _find(known: Mapping[str, Preset], name: str) -> Preset:
    if name not in known:
        raise ConfigError(unknown_name("preset", name, known))
    return known[name]


def _write(model: Model, presets: Mapping[str, Preset]) -> None:
    stored = {name: presets[name].model_dump(mode="json") for name in sorted(presets)}
    write_document(_folder(model) / PRESETS, {"format": FORMAT, "format_version": VERSION, "presets": stored})


def _folder(model: Model) -> Any:
    if model.path is None:
        raise ConfigError(f"the model {model.name} lies in no folder. Open it: open_model(PATH)")
    return model.path
