"""The composition of a run: ``plugins.toml``, with the flags over it and the defaults under it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tonesmith.buckets.address import is_remote, place_of
from tonesmith.errors import ConfigError, PluginError, nearest, unknown_name
from tonesmith.host.config import (
    DEFAULT_FILE,
    DEFAULT_NAMES,
    OPTIONAL,
    SECTIONS,
    SEVERAL,
    SINGLE,
    Chosen,
    Config,
    PlanSettings,
)
from tonesmith.host.limits import home_of, unfolded
from tonesmith.host.registry import Host
from tonesmith.host.settings import InvalidSettings, Problem, dotted, validate
from tonesmith.host.toml import KeyPath, TomlSource, read_toml
from tonesmith.space.shape import SpaceShape

_MERGED = {("space", "fix"), ("space", "ranges"), ("space", "weights")}
"""Tables by parameter name: an override adds to those of the file."""


def load_config(
    path: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    host: Host | None = None,
    spelled: Mapping[str, str] | None = None,
) -> Config:
    """Return the composition in a file, with overrides over it and the defaults under it.

    Args:
        path: of the file; None for ``plugins.toml`` here if there is one, else the defaults alone.
        overrides: dotted key -> value, such as ``{"plan.patches": 100, "backend.name": "vita"}``. Naming
            another backend, sampler, sink or executor than the file drops the file's options for it.
        host: where plugins are looked up.
        spelled: what messages call an override: dotted key -> flag.

    Raises :class:`ConfigError` with a line for every key that is wrong. No engine is loaded.
    """
    if path is None and DEFAULT_FILE.is_file():
        path = DEFAULT_FILE
    source = read_toml(path) if path is not None else TomlSource("", {})
    return compose(source, overrides or {}, host=host, spelled=spelled)


def compose(
    source: TomlSource,
    overrides: Mapping[str, Any],
    *,
    host: Host | None = None,
    spelled: Mapping[str, str] | None = None,
) -> Config:
    """Return the composition of a document and overrides. Arguments and errors as in :func:`load_config`."""
    composition = _Composition(source, host or Host.load(), spelled or {})
    composition.override(overrides)
    return composition.resolved()


class _Composition:
    """The tables of a document while overrides are laid over them, and the problems found on the way."""

    def __init__(self, source: TomlSource, host: Host, spelled: Mapping[str, str]) -> None:
        self.source, self.problems = unfolded(source)
        self.host = host
        self.spelled = spelled
        self.overridden: dict[KeyPath, str] = {}
        self.tables: dict[str, dict[str, Any]] = {}
        for name, value in self.source.data.items():
            self.tables[name] = self._table(name, value)

    def _table(self, name: str, value: Any) -> dict[str, Any]:
        """Return the table that a key holds, or that its short form stands for."""
        if isinstance(value, Mapping):
            return dict(value)
        if name in SINGLE and isinstance(value, str):
            return {"name": value}
        if name in SEVERAL and isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
            if len(set(value)) != len(value):
                self.problems.append(Problem((name,), f"lists a {SEVERAL[name][0]} twice."))
            return {plugin: {} for plugin in value}
        if name in {*SECTIONS, *SINGLE, *SEVERAL}:
            short = " or a list of names" if name in SEVERAL else " or a name" if name in SINGLE else ""
            self.problems.append(Problem((name,), f"must be a table{short}."))
        return {}

    def override(self, overrides: Mapping[str, Any]) -> None:
        """Lay overrides over the tables: names first, for they decide which options of the file stay."""
        given = [(key, home_of(path), value) for key, whole in overrides.items() for path, value in _leaves(key, whole)]
        for key, path, value in sorted(given, key=lambda item: not _chooses(item[1])):
            if value is None:
                continue
            self.overridden[path] = self.spelled.get(key, dotted(path))
            if len(path) == 1 and path[0] in SEVERAL:
                self._choose_several(str(path[0]), value)
            elif _chooses(path):
                self._choose(str(path[0]), value)
            elif len(path) == 1:
                self.tables[str(path[0])] = self._table(str(path[0]), value)
            else:
                self._set(path, value)

    def _choose(self, role: str, name: Any) -> None:
        if self.tables.get(role, {}).get("name", DEFAULT_NAMES.get(role)) != name:
            self.tables[role] = {"name": name}

    def _choose_several(self, table: str, value: Any) -> None:
        before = self.tables.get(table, {})
        self.tables[table] = {
            name: {**_mapping(before.get(name)), **_mapping(options)}
            for name, options in self._table(table, value).items()
        }

    def _set(self, path: KeyPath, value: Any) -> None:
        if path[0] in SEVERAL:
            role, default = SEVERAL[str(path[0])]
            there = self.tables.setdefault(str(path[0]), {name: {} for name in default})
            if path[1] not in there:
                chosen = ", ".join(there) or "none"
                self.problems.append(Problem(path, f"the {role} {path[1]!r} is not in use here. In use: {chosen}."))
                return
        table: dict[str, Any] = self.tables.setdefault(str(path[0]), {})
        for part in path[1:-1]:
            table[str(part)] = dict(_mapping(table.get(str(part))))
            table = table[str(part)]
        table[str(path[-1])] = value

    def resolved(self) -> Config:
        """Return the composition, every key validated, or raise all that is wrong with it."""
        known = {*SECTIONS, *SINGLE, *SEVERAL}
        for name in self.tables.keys() - known:
            self.problems.append(Problem((name,), _unknown_table(name, known)))
        parts: dict[str, Any] = {}
        for name, model in SECTIONS.items():
            parts[name] = self._validated(model, name)
        for role, default in DEFAULT_NAMES.items():
            options = {"name": default, **self.tables.get(role, {})}
            parts[role] = self._chosen(role, options.pop("name"), options, (role,))
        for role in OPTIONAL:
            parts[role] = self._optional(role)
        for table, (role, names) in SEVERAL.items():
            used = self.tables.get(table, {name: {} for name in names})
            parts[table] = tuple(self._chosen(role, name, options, (table, name)) for name, options in used.items())
        self._check_played(parts["composer"])
        self._shape(parts)
        parts["presets"] = self._placed(parts["presets"])
        if self.problems:
            ordered = sorted(self.problems, key=lambda problem: self.source.line(problem.path))
            raise ConfigError("\n".join(dict.fromkeys(map(self._told, ordered))))
        return Config(**parts)

    def _check_played(self, composer: Chosen | None) -> None:
        """Object to an override of what is not used: notes beside a composer, phrases without one."""
        table, why = (
            ("notes", "the composer plays its scores instead") if composer else ("phrases", "there is no [composer]")
        )
        unused = [path for path in self.overridden if path[0] == table]
        self.problems += [Problem(path, f"is not used, since {why}.") for path in unused]

    def _optional(self, role: str) -> Chosen | None:
        """Return the plugin that a table chooses, if there is one; its name is not to be left out."""
        options = dict(self.tables.get(role, {}))
        if not options:
            return None
        if "name" not in options:
            self.problems.append(Problem((role,), f'names no {role}: add name = "..." to it.'))
            return None
        return self._chosen(role, options.pop("name"), options, (role,))

    def _shape(self, parts: dict[str, Any]) -> None:
        """Put the file that ``[space] shape`` names into the shape, and check the name of any other."""
        try:
            if parts["space"] is not None:
                parts["space"] = self._without_files(parts["space"])
            if parts["space"] is not None and parts["backend"] is not None:
                self._check_shape(parts["space"].shape, parts["backend"])
        except ConfigError as error:
            self.problems.append(Problem(("space", "shape"), str(error)))

    def _without_files(self, space: SpaceShape) -> SpaceShape:
        """Return a shape laid over those of the files that it starts from."""
        folder = self._folder(("space", "shape"))
        seen: list[Path] = []
        while space.shape.endswith(".toml"):
            path = (folder / Path(space.shape).expanduser()).absolute()
            if path in seen:
                raise ConfigError(f"{path} starts from itself")
            seen.append(path)
            folder = path.parent
            space = space.over(_shape_file(path))
        return space

    def _check_shape(self, name: str, backend: Chosen) -> None:
        found = self.host.find("backend", backend.name)
        shapes = found.shapes(found.Options.model_validate(backend.options))
        if name and name not in shapes:
            raise ConfigError(f"{unknown_name('shape', name, shapes)} The name of your own file must end in .toml.")

    def _placed(self, presets: Any) -> Any:
        """Return the presets with absolute paths, so that they are the same from anywhere."""
        if presets is None:
            return None
        folder = self._folder(("presets", "paths"))
        paths = tuple(str(_absolute(folder, path)) for path in presets.paths)
        return presets.model_copy(update={"paths": paths})

    def _folder(self, path: KeyPath) -> Path:
        """Return the folder that relative paths of a key start from: the file's, or where a flag is typed."""
        return Path(self.source.label).parent if self.source.label and path not in self.overridden else Path()

    def _validated(self, model: type[BaseModel], name: str) -> BaseModel | None:
        try:
            return validate(model, self.tables.get(name, {}), (name,))
        except InvalidSettings as error:
            self.problems += error.problems
            return None

    def _chosen(self, role: str, name: Any, options: Any, path: KeyPath) -> Chosen | None:
        at = path if path[0] in SEVERAL else (*path, "name")
        if not isinstance(options, Mapping):
            self.problems.append(Problem(path, "must be a table of options."))
            return None
        try:
            plugin = self.host.find(role, str(name))
            validated = validate(plugin.Options, options, path)
        except PluginError as error:
            self.problems.append(Problem(at, str(error)))
            return None
        except InvalidSettings as error:
            self.problems += error.problems
            return None
        rooted = self._rooted(validated, path) if role in OPTIONAL else validated
        return Chosen(name=str(name), options=rooted.model_dump(mode="json"))

    def _rooted(self, options: BaseModel, path: KeyPath) -> BaseModel:
        """Return options whose paths are absolute, so that they are the same from anywhere."""
        placed: dict[str, Any] = {}
        for key, value in options:
            folder = self._folder((*path, key))
            if isinstance(value, Path):
                placed[key] = _absolute(folder, str(value))
            elif isinstance(value, tuple) and value and all(isinstance(one, Path) for one in value):
                placed[key] = tuple(_absolute(folder, str(one)) for one in value)
        return options.model_copy(update=placed)

    def _told(self, problem: Problem) -> str:
        for length in range(len(problem.path), 0, -1):
            if problem.path[:length] in self.overridden:
                return f"{self.overridden[problem.path[:length]]}: {problem.text}"
        return f"{self.source.where(problem.path)}{dotted(problem.path)}: {problem.text}"


def _unknown_table(name: str, known: Iterable[str]) -> str:
    """Return what to say of a table that there is not, which may be a key of ``[plan]`` that stands alone."""
    keys = PlanSettings.model_fields
    if name in keys:
        return f"unknown table {name!r}. It is a key of [plan]: put it there."
    if (near := nearest(name, {*known, *keys})) in keys:
        return f"unknown table {name!r}. Did you mean {near!r}, a key of [plan]?"
    return unknown_name("table", name, known)


def _shape_file(path: Path) -> SpaceShape:
    """Return the shape in a TOML file, whose keys stand alone or under ``[space]``."""
    source = read_toml(path)
    table = source.data.get("space", source.data) if set(source.data) <= {"space"} else source.data
    try:
        return validate(SpaceShape, _mapping(table))
    except InvalidSettings as error:
        said = [f"{source.where(p.path)}{dotted(p.path)}: {p.text}" for p in error.problems]
        raise ConfigError("; ".join(said)) from None


def _leaves(key: str, value: Any) -> list[tuple[KeyPath, Any]]:
    """Return the leaves that an override sets: a mapping sets each of its keys."""
    section = key.split(".", 1)[0]
    deep = section in SEVERAL or any(key.startswith(f"{s}.{k}") for s, k in _MERGED)
    path = tuple(key.split(".", 2 if deep else 1))
    if len(path) == 1 and section in SINGLE and not isinstance(value, Mapping):
        return [((section, "name"), value)]
    if isinstance(value, Mapping) and (path in _MERGED or (len(path) == 1 and section not in SEVERAL)):
        return [leaf for inner, v in value.items() for leaf in _leaves(f"{key}.{inner}", v)]
    return [(path, value)]


def _chooses(path: KeyPath) -> bool:
    return (len(path) == 1 and path[0] in SEVERAL) or (len(path) == 2 and path[1] == "name" and path[0] in SINGLE)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _absolute(folder: Path, path: str) -> Path:
    place = place_of(path)
    return place if is_remote(place) else (folder / place.expanduser()).absolute()
