"""Many sounds from one TOML file: all are checked before the first is made, and those that are there are left."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tonesmith.document import read_plain
from tonesmith.errors import ConfigError, unreadable
from tonesmith.explorer.calls import Made, carried_out, open_model
from tonesmith.explorer.export.tags import recipe_text
from tonesmith.explorer.output import check_output
from tonesmith.explorer.planned import Choices, Model, Planned, planned
from tonesmith.explorer.recipe import recipe_from

MOST_BYTES, MOST_SOUNDS = 2**22, 10_000
_Value = float | str | list[float]


class _Common(BaseModel):
    """What stands above the sounds, for all of them, or in one, for it alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    model: str | None = None
    sources: list[str] = Field(default_factory=list, alias="from", max_length=16)
    blend: list[float] = Field(default_factory=list, max_length=16)
    sliders: dict[str, _Value] = Field(default_factory=dict, alias="set", max_length=64)
    seconds: float = 10.0
    density: _Value | None = None
    seed: int = 0
    channels: str | None = None
    hrtf: str | None = None
    rate: int = 48_000
    bits: int | None = None
    exemplars: int = 4
    griffin_lim: int = Field(default=0, alias="griffin-lim")


class _Sound(_Common):
    out: str = Field(min_length=1)


Kind = TypeVar("Kind", bound=_Common)


@dataclass(frozen=True, eq=False, slots=True)
class Task:
    """A sound of a batch.

    Attributes:
        path: of its file.
        model: that makes it.
        plan: what to make.
        there: whether the file is there already, made by the same recipe.
    """

    path: Path
    model: Model
    plan: Planned
    there: bool


def tasks_of(file: Path, *, model: Path | None = None, folder: Path | None = None, force: bool = False) -> list[Task]:
    """Return the sounds of a batch in their order, all checked.

    Args:
        file: TOML: a table ``[[sound]]`` for each, and what all share above them.
        model: folder of the model, where neither the file nor the sound names one.
        folder: that the files go to; that of the file without. Names in the file are relative to its own folder.
        force: whether a file that is there, and another, is overwritten.

    Raises :class:`ConfigError` that names the sound with the first thing that is not allowed.
    """
    rows = _rows(file)
    models: dict[Path, Model] = {}
    seen: set[Path] = set()
    tasks: list[Task] = []
    for number, row in enumerate(rows, 1):
        try:
            path = _path(row, folder or file.parent, seen)
            tasks.append(_task(row, path, file.parent, _model(row, file.parent, model, models), force=force))
        except ConfigError as error:
            raise ConfigError(f"{file}, sound {number}: {error}") from None
        seen.add(path)
    return tasks


def _rows(file: Path) -> list[_Sound]:
    try:
        content = read_plain(file)
        if len(content) > MOST_BYTES:
            raise ConfigError(f"{file} has more than {MOST_BYTES // 2**20} MiB.")
        document = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise unreadable(file, error) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{file} is no TOML: {str(error)[:200]}.") from None
    sounds = document.pop("sound", None)
    if not isinstance(sounds, list) or not sounds or not all(isinstance(sound, dict) for sound in sounds):
        raise ConfigError(f'{file} has no sounds. Write a table [[sound]] with out = "NAME.flac" for each.')
    if len(sounds) > MOST_SOUNDS:
        raise ConfigError(f"{file} has {len(sounds):,} sounds; expected at most {MOST_SOUNDS:,}.")
    _valid(_Common, document, str(file))
    return [_valid(_Sound, document | sound, f"{file}, sound {number}") for number, sound in enumerate(sounds, 1)]


def _valid(kind: type[Kind], values: dict[str, Any], what: str) -> Kind:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = str(first["loc"][0])
        wrong = {"extra_forbidden": "there is no such key", "missing": "it is missing"}
        told = wrong.get(first["type"], "its value has not the right type")
        raise ConfigError(f"{what}: {place}: {told}.") from None


def _path(row: _Sound, folder: Path, seen: set[Path]) -> Path:
    path = folder / row.out
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ConfigError(f"{row.out} leaves the folder {folder}.")
    if path in seen:
        raise ConfigError(f"another sound has the same file {row.out}.")
    return path


def _model(row: _Sound, home: Path, given: Path | None, models: dict[Path, Model]) -> Model:
    place = given if row.model is None else home / row.model
    if place is None:
        raise ConfigError('it names no model. Write model = "MODEL", or name one before --batch.')
    if place not in models:
        models[place] = open_model(place)
    return models[place]


def _task(row: _Sound, path: Path, home: Path, model: Model, *, force: bool) -> Task:
    plan = planned(model, _choices(row, home), path)
    there = path.is_file() and not force and _same(path, plan)
    if not there:
        check_output(path, force=force)
    return Task(path, model, plan, there)


def _choices(row: _Sound, home: Path) -> Choices:
    def beside(name: str) -> str:
        return str(home / name) if (home / name).is_file() else name

    values = row.model_dump(exclude={"model", "out", "blend"})
    return Choices(
        **values
        | {
            "sources": tuple(map(beside, row.sources)),
            "weights": tuple(row.blend),
            "hrtf": None if row.hrtf is None else beside(row.hrtf),
        }
    )


def _same(path: Path, plan: Planned) -> bool:
    """Tell whether a file has the recipe of a plan."""
    try:
        return recipe_from(recipe_text(path), str(path)) == plan.recipe
    except ConfigError:
        return False


def made_of(tasks: list[Task]) -> Iterator[Made | None]:
    """Make each sound of a batch, and yield what was made; None for one that is there."""
    for task in tasks:
        yield None if task.there else carried_out(task.model, task.plan, task.path)
