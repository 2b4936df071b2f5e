"""Spec files: what a person knows of a plugin and its parameters do not tell.

A spec is TOML, shipped (``surge_xt``, ``surge_simple``) or a file of one's own, which may build on another::

    base = "surge_xt"
    include = ["a_osc_1_*"]

    [plugin]
    name = "Surge XT"

    [parameters]
    a_osc_1_pitch = { fix = 0.5 }
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tonesmith.errors import ConfigError, unknown_name
from tonesmith.host.settings import InvalidSettings, dotted, validate
from tonesmith.host.toml import TomlSource, read_toml
from tonesmith.space.shape import SpaceShape, Value

_SHIPPED = Path(__file__).with_name("specs")
_MAX_BYTES = 4 << 20
_MAX_BASES = 8


class PluginFacts(BaseModel):
    """The ``[plugin]`` table: what holds of the whole plugin."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="", description="Name of the plugin. Other plugins are refused.")
    determinism: Literal["exact", "exact-in-run", "none"] | None = Field(
        default=None, description="Determinism of renders while still is held. Unset: exact-in-run."
    )
    state: Literal["", "surge"] = Field(default="", description="Format of its state, if values can be read from it.")
    complete: bool = Field(
        default=False, description="Treat every parameter without raws as continuous, whatever its texts look like."
    )
    margin: float = Field(
        default=0.0, ge=0.0, lt=0.5, description="Raw value of the first of several steps. The last is as far from 1."
    )
    fxp: str = Field(default="", pattern="^(.{4})?$", description="Four letters that identify it in .fxp files.")
    still: dict[str, Value] = Field(default={}, description="Values that keep it from drawing random numbers.")


class ParameterFacts(BaseModel):
    """One of the ``[parameters]``, by name: what a plan does with it, and what the plugin does not tell of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: int | None = Field(
        default=None, ge=0, le=99999, description="Index among all parameters. Unset: found by name."
    )
    group: str = Field(default="", description="Module it belongs to.")
    unit: str = Field(default="", description="Unit of its text.")
    include: bool = Field(default=True, description="Vary it.")
    fix: Value | None = Field(default=None, description="Hold it at a raw value or a choice.")
    range: tuple[float, float] | None = Field(default=None, description="Draw from [low, high], in raw values.")
    choices: tuple[str, ...] = Field(default=(), description="Texts of its choices. Unset: taken from the plugin.")
    raws: tuple[float, ...] = Field(default=(), description="Raw value of each choice. Unset: derived from its texts.")
    steps: int | None = Field(
        default=None, ge=2, le=4096, description="Number of evenly spaced raw values, instead of raws."
    )
    margin: float | None = Field(default=None, ge=0.0, lt=0.5, description="As for the plugin, for this parameter.")
    weights: tuple[float, ...] = Field(default=(), description="How often each choice is drawn.")
    switch: str = Field(default="", description="Parameter that must be on for this one to be heard.")
    when: dict[str, tuple[int, ...]] = Field(default={}, description="Values that others must have for it to be heard.")
    counts: dict[str, tuple[int, ...]] = Field(
        default={},
        max_length=1,
        description="How many values it has for each choice of another parameter: the first choices, or evenly spaced "
        "values. 0 for all.",
    )
    constant: bool = Field(default=False, description="Moving it changed no render, so it is left as it is.")
    dangerous: bool = Field(default=False, description="It may silence or break a render, so it is left as it is.")
    untold: bool = Field(
        default=False,
        description="Nobody can tell what the plugin has of it, so it is left as it is, and not compared.",
    )
    tag: str = Field(default="", description="Its name in the state.")
    natural: tuple[float, float] | None = Field(
        default=None, description="Values in the state at raw 0 and 1, or at the first and last step."
    )

    def raws_of(self, plugin: PluginFacts) -> tuple[float, ...]:
        """Return the raw value of each choice, as far as it is said here."""
        if self.steps is None:
            return self.raws
        margin = self.margin_of(plugin)
        return tuple(margin + (1 - 2 * margin) * i / (self.steps - 1) for i in range(self.steps))

    def margin_of(self, plugin: PluginFacts) -> float:
        """Return the raw value of the first of several steps."""
        return plugin.margin if self.margin is None else self.margin


class SpecFile(BaseModel):
    """A spec file as it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str = Field(default="", description="Spec that this one builds on: a shipped one or a .toml file.")
    include: tuple[str, ...] | None = Field(default=None, description="Globs of the only parameters to vary.")
    plugin: PluginFacts = PluginFacts()
    parameters: dict[str, ParameterFacts] = Field(default={}, description="Facts about parameters, by name.")


@dataclass(frozen=True, slots=True)
class Spec:
    """A spec with all that it builds on.

    Attributes:
        source: what it is called in messages.
        plugin: of the whole plugin.
        parameters: by name, in order.
    """

    source: str
    plugin: PluginFacts
    parameters: Mapping[str, ParameterFacts]

    def shape(self, still: bool) -> SpaceShape:
        """Return what varies, and what is held.

        Args:
            still: hold also what would otherwise be drawn at random in each render, in presets too.
        """
        held = self.plugin.still if still else {}
        fixed = {name: facts.fix for name, facts in self.parameters.items() if facts.fix is not None}
        varied = [
            name
            for name, facts in self.parameters.items()
            if facts.include and not (facts.constant or facts.dangerous or facts.untold) and name not in held
        ]
        return SpaceShape(include=tuple(varied), fix={**fixed, **held}, firm=tuple(held))


def shipped() -> tuple[str, ...]:
    """Return the names of the shipped specs."""
    return tuple(sorted(path.stem for path in _SHIPPED.glob("*.toml")))


def shipped_for(plugin: str) -> tuple[str, ...]:
    """Return the names of the shipped specs for a plugin of that name."""
    return tuple(name for name in shipped() if find_spec(name).plugin.name == plugin)


def find_spec(name: str) -> Spec:
    """Return a shipped spec by name, or the one in a ``.toml`` file.

    Raises :class:`ConfigError` with a line for each key that is wrong, and for an unknown name with the nearest.
    """
    return _read(_path_of(name, Path()).absolute(), ())


def _path_of(name: str, folder: Path) -> Path:
    if name.endswith(".toml"):
        return folder / Path(name).expanduser()
    if name not in shipped():
        raise ConfigError(f"{unknown_name('spec', name, shipped())} The name of your own file must end in .toml.")
    return _SHIPPED / f"{name}.toml"


def _read(path: Path, above: tuple[Path, ...]) -> Spec:
    if path in above or len(above) >= _MAX_BASES:
        raise ConfigError(f"{above[0]} builds on itself")
    if path.parent == _SHIPPED:
        return _read_shipped(path)
    return _read_file(path, above)


@functools.lru_cache(maxsize=8)
def _read_shipped(path: Path) -> Spec:
    return _read_file(path, ())


def _read_file(path: Path, above: tuple[Path, ...]) -> Spec:
    if path.exists() and not (path.is_file() and path.stat().st_size <= _MAX_BYTES):
        raise ConfigError(f"{path} is no spec: that is a file of at most {_MAX_BYTES // 1024} KiB.")
    source = read_toml(path)
    try:
        written = validate(SpecFile, source.data)
    except InvalidSettings as error:
        raise ConfigError(
            "\n".join(f"{source.where(p.path)}{dotted(p.path)}: {p.text}" for p in error.problems)
        ) from None
    base = Spec("", PluginFacts(), {})
    if written.base:
        base = _read(_path_of(written.base, path.parent).absolute(), (*above, path))
    plugin = base.plugin.model_copy(update=_given(written.plugin))
    parameters = dict(base.parameters)
    for name, facts in written.parameters.items():
        parameters[name] = parameters.get(name, ParameterFacts()).model_copy(update=_given(facts))
    if written.include is not None:
        parameters = _included(parameters, written.include, source)
    spec = Spec(source.label, plugin, parameters)
    _check(spec, source)
    return spec


def _given(model: BaseModel) -> dict[str, Any]:
    return {key: getattr(model, key) for key in model.model_fields_set}


def _included(
    parameters: Mapping[str, ParameterFacts], globs: Iterable[str], source: TomlSource
) -> dict[str, ParameterFacts]:
    wanted: set[str] = set()
    for glob in globs:
        matched = {name for name in parameters if fnmatchcase(name, glob)}
        if not matched:
            raise ConfigError(f"{source.where(('include',))}include: {unknown_name('parameter', glob, parameters)}")
        wanted |= matched
    return {name: facts.model_copy(update={"include": name in wanted}) for name, facts in parameters.items()}


def _check(spec: Spec, source: TomlSource) -> None:
    """Check what one key says of another."""
    for name, facts in spec.parameters.items():
        at = source.where(("parameters", name)) + f"parameters.{name}: "
        for other in filter(None, (facts.switch, *facts.when, *facts.counts)):
            if other not in spec.parameters:
                raise ConfigError(at + unknown_name("parameter", other, spec.parameters))
        raws = facts.raws_of(spec.plugin)
        if any(not 0.0 <= raw <= 1.0 for raw in raws) or len(raws) == 1 or len(set(raws)) != len(raws):
            raise ConfigError(f"{at}raws must be two or more different values from 0 to 1, not {list(raws)}")
        for key in ("choices", "weights"):
            given = getattr(facts, key)
            if given and raws and len(given) != len(raws):
                raise ConfigError(f"{at}{len(given)} {key} for {len(raws)} values")
        if facts.tag and (facts.natural is None or facts.natural[0] == facts.natural[1]):
            raise ConfigError(f"{at}a tag needs two different natural values")
    for name in spec.plugin.still:
        if name not in spec.parameters:
            at = source.where(("plugin", "still", name))
            raise ConfigError(f"{at}plugin.still: {unknown_name('parameter', name, spec.parameters)}")
