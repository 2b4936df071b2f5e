"""A preset on the command line: what it says, with what other options say instead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from tonesmith.errors import ConfigError
from tonesmith.explorer.calls import Made, Model, make
from tonesmith.explorer.presets import OF_FILE, recalled
from tonesmith.explorer.recipe import Recipe, Source
from tonesmith.terminal.messages import warn

if TYPE_CHECKING:
    import typer

_OPTIONS = {"weights": "blend"}
"""What a setting is called in the command, where that is another name."""


def make_with(
    context: typer.Context,
    preset: str | None,
    model: Model,
    path: Path,
    /,
    *,
    progress: Any,
    force: bool,
    **chosen: Any,
) -> Made:
    """Make a sound as :func:`tonesmith.explorer.make` does, of a preset if one is named.

    Args:
        context: of the command, which knows the options that were given.
        preset: name of one of the model; None for none.
        model: that makes the sound.
        path: of the file.
        progress: as :func:`tonesmith.explorer.make` takes it.
        force: likewise.
        chosen: likewise, as the options have it, given or not.

    Raises :class:`ConfigError` if there is no such preset, or it follows a file that is no sound of the model.
    """
    if preset is not None:
        given = {key for key in chosen if _is_given(context, _OPTIONS.get(key, key))}
        chosen = _with_preset(model, preset, chosen, given)
    return make(model, path, **chosen, progress=progress, force=force)


def _with_preset(model: Model, preset: str, chosen: Mapping[str, Any], given: set[str]) -> dict[str, Any]:
    recipe = recalled(model, preset, warn).recipe
    said = {key: getattr(recipe, key) for key in set(chosen) & set(Recipe.model_fields) - set(OF_FILE)}
    if "sources" not in given:
        said["sources"] = [_named(model, preset, source) for source in recipe.sources]
        said["weights"] = [source.weight for source in recipe.sources]
    said["sliders"] = {**_moved(recipe), **chosen.get("sliders", {})}
    return {**chosen, **said, **{key: chosen[key] for key in given if key != "sliders"}}


def _moved(recipe: Recipe) -> dict[str, Any]:
    """Return what is set of the sliders of the model, and of those of time and space that are fields of a recipe."""
    groups = [
        value for value in (getattr(recipe, name) for name in Recipe.model_fields) if isinstance(value, BaseModel)
    ]
    of_all = [group.model_dump(exclude_defaults=True) for group in groups if group not in (recipe.model, recipe.head)]
    return {**recipe.sliders, **{name: value for group in of_all for name, value in group.items()}}


def _is_given(context: typer.Context, option: str) -> bool:
    source = context.get_parameter_source(option)
    return source is not None and source.name not in {"DEFAULT", "DEFAULT_MAP"}


def _named(model: Model, preset: str, source: Source) -> str:
    for sound in model.atlas.sounds:
        if sound.sha256 == source.sha256:
            return sound.name
    told = f"the preset {preset!r} follows {source.name}, which is no sound of {model.name}."
    raise ConfigError(f"{told} Name the file: --from {source.name}")
