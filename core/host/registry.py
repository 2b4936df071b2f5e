"""The host: finds plugins, checks them, and calls their hooks.

The built-in plugins come through the same door as those of third parties, which are found by their
entry points in the group ``tonesmith``. What is wrong with a third party is a warning that names its
distribution and version, and an error only once it is asked for.

Environment:
    TONESMITH_PLUGINS: the distributions whose plugins load, separated by commas; empty for none.
    TONESMITH_TRACE: 1 to print each hook call, and all that engines and workers print.
"""

from __future__ import annotations

import functools
import importlib
import os
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import pluggy

from tonesmith.buckets.address import is_remote
from tonesmith.errors import ConfigError, PluginError, unknown_name
from tonesmith.host import hookspecs
from tonesmith.host.builtin import BUILTINS
from tonesmith.host.conformance import ROLES, fault_of
from tonesmith.host.records import Origin, PluginRecord
from tonesmith.host.roles import (
    Annotator,
    Augmenter,
    Backend,
    Composer,
    Executor,
    Feature,
    Importer,
    Model,
    Options,
    Plugin,
    Sampler,
    Sink,
    Validator,
)
from tonesmith.host.saying import normalised, told_of
from tonesmith.host.settings import InvalidSettings, dotted, validate
from tonesmith.terminal.messages import say, warn
from tonesmith.terminal.text import joined

if TYPE_CHECKING:
    from pathlib import Path

    import typer


PROJECT = "tonesmith"
"""Name of the distribution, of the entry-point group and of the pluggy project."""


class _Manager(pluggy.PluginManager):
    """Looks for hooks among the functions of a module alone: classes and constants are most of it, and cost as much."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        if isinstance(plugin, ModuleType) and not isinstance(vars(plugin).get(name), FunctionType):
            return None
        return super().parse_hookimpl_opts(plugin, name)


class Host:
    """The plugins of this process, by role and name.

    Args:
        builtins: dotted paths of the built-in plugin modules.
        allowed: distributions whose entry points load; None for all.
        trace: whether to print each hook call.

    Raises :class:`PluginError` if two plugins of a role bear one name.
    """

    def __init__(self, builtins: Iterable[str] = BUILTINS, allowed: str | None = None, *, trace: bool = False) -> None:
        self._trace = trace
        self._warned: set[str] = set()
        self._origins: dict[str, Origin] = {}
        self._broken: dict[tuple[str, str], str] = {}
        self._unloaded: list[str] = []
        self._manager = _Manager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        own = Origin(PROJECT, _version())
        for path in builtins:
            self._register(importlib.import_module(path), path, own)
        for entry_point, origin in self._entry_points(allowed):
            self._register_entry_point(entry_point, origin)
        self._records = self._collect()

    @classmethod
    @functools.cache
    def load(cls) -> Host:
        """Return the host of this process, as the environment limits and traces it."""
        return cls(allowed=os.environ.get("TONESMITH_PLUGINS"), trace=os.environ.get("TONESMITH_TRACE") == "1")

    def backends(self) -> dict[str, type[Backend[Any]]]:
        """Return the synth backends by name."""
        return cast("dict[str, type[Backend[Any]]]", self._of("backend"))

    def samplers(self) -> dict[str, type[Sampler[Any]]]:
        """Return the samplers by name."""
        return cast("dict[str, type[Sampler[Any]]]", self._of("sampler"))

    def validators(self) -> dict[str, type[Validator[Any]]]:
        """Return the validators by name."""
        return cast("dict[str, type[Validator[Any]]]", self._of("validator"))

    def features(self) -> dict[str, type[Feature[Any]]]:
        """Return the features by name."""
        return cast("dict[str, type[Feature[Any]]]", self._of("feature"))

    def composers(self) -> dict[str, type[Composer[Any]]]:
        """Return the composers by name."""
        return cast("dict[str, type[Composer[Any]]]", self._of("composer"))

    def models(self) -> dict[str, type[Model[Any]]]:
        """Return the models of the explorer by name."""
        return cast("dict[str, type[Model[Any]]]", self._of("model"))

    def sinks(self) -> dict[str, type[Sink[Any]]]:
        """Return the storage sinks by name."""
        return cast("dict[str, type[Sink[Any]]]", self._of("sink"))

    def executors(self) -> dict[str, type[Executor[Any]]]:
        """Return the executors by name."""
        return cast("dict[str, type[Executor[Any]]]", self._of("executor"))

    def importers(self) -> dict[str, type[Importer[Any]]]:
        """Return the importers of corpora by name."""
        return cast("dict[str, type[Importer[Any]]]", self._of("importer"))

    def annotators(self) -> dict[str, type[Annotator[Any]]]:
        """Return the annotators of corpora by name."""
        return cast("dict[str, type[Annotator[Any]]]", self._of("annotator"))

    def augmenters(self) -> dict[str, type[Augmenter[Any]]]:
        """Return the augmenters of corpora by name."""
        return cast("dict[str, type[Augmenter[Any]]]", self._of("augmenter"))

    def given(self, hook: str) -> list[Any]:
        """Return all that the implementations of a hook hand over."""
        return [one for _, found in self._results(hook, {}) for one in found]

    def plugins(self) -> tuple[PluginRecord, ...]:
        """Return every plugin, by role and name."""
        return tuple(self._records.values())

    def broken(self) -> tuple[tuple[str, str], ...]:
        """Return (role, name) of each plugin that was left out. :meth:`find` raises with the reason."""
        return tuple(self._broken)

    @overload
    def find(self, role: Literal["backend"], name: str) -> type[Backend[Any]]: ...
    @overload
    def find(self, role: Literal["sampler"], name: str) -> type[Sampler[Any]]: ...
    @overload
    def find(self, role: Literal["validator"], name: str) -> type[Validator[Any]]: ...
    @overload
    def find(self, role: Literal["feature"], name: str) -> type[Feature[Any]]: ...
    @overload
    def find(self, role: Literal["composer"], name: str) -> type[Composer[Any]]: ...
    @overload
    def find(self, role: Literal["model"], name: str) -> type[Model[Any]]: ...
    @overload
    def find(self, role: Literal["sink"], name: str) -> type[Sink[Any]]: ...
    @overload
    def find(self, role: Literal["executor"], name: str) -> type[Executor[Any]]: ...
    @overload
    def find(self, role: Literal["importer"], name: str) -> type[Importer[Any]]: ...
    @overload
    def find(self, role: Literal["annotator"], name: str) -> type[Annotator[Any]]: ...
    @overload
    def find(self, role: Literal["augmenter"], name: str) -> type[Augmenter[Any]]: ...
    @overload
    def find(self, role: str, name: str) -> type[Plugin[Any]]: ...

    def find(self, role: str, name: str) -> type[Plugin[Any]]:
        """Return the plugin of a role and name.

        Raises :class:`PluginError` for an unknown one, with the nearest name, and for a broken one.
        """
        if (role, name) in self._records:
            return self._records[role, name].plugin
        if (role, name) in self._broken:
            raise PluginError(f"{role} {name!r} cannot be used: {self._broken[role, name]}")
        raise PluginError(" ".join([unknown_name(role, name, self._of(role)), *self._unloaded]))

    def has(self, role: str, name: str) -> bool:
        """Return whether a plugin is there, and is not broken."""
        return (role, name) in self._records

    def is_builtin(self, role: str, name: str) -> bool:
        """Return whether a plugin comes with tonesmith."""
        return self.has(role, name) and self._records[role, name].distribution == PROJECT

    def third_party(self, role: str, name: str) -> str:
        """Return distribution and version of a plugin, such as "tonesmith-pluck 1.0"; "" for a built-in one."""
        record = self._records.get((role, name))
        return "" if record is None or self.is_builtin(role, name) else f"{record.distribution} {record.version}"

    def options_of(self, role: str, name: str, options: Mapping[str, Any]) -> Options:
        """Return a plugin's options, validated. Raises :class:`PluginError` or :class:`ConfigError`."""
        try:
            return validate(self.find(role, name).Options, options, (role,))
        except InvalidSettings as error:
            raise ConfigError("\n".join(f"{dotted(p.path)}: {p.text}" for p in error.problems)) from None

    def sink_at(self, name: str, options: Mapping[str, Any], path: Path) -> Sink[Any]:
        """Return the sink of that name and those options, as a plan records them, at a path."""
        cls = self.find("sink", name)
        self.check_reach(name, path)
        return cls(cls.Options.model_validate(options), path)

    def check_reach(self, name: str, path: Path) -> None:
        """Raise :class:`ConfigError` if a path is in a bucket, and the sink of that name cannot store there."""
        if is_remote(path) and not self.find("sink", name).buckets:
            able = joined([other for other, cls in self.sinks().items() if cls.buckets])
            raise ConfigError(f"{path}: the sink {name!r} cannot store in a bucket. The sinks {able} can.")

    def call(self, hook: str, **arguments: Any) -> None:
        """Call a life-cycle hook. An implementation that raises is warned of once, and stops nothing."""
        for _ in self._results(hook, arguments):
            pass

    def commands(self, app: typer.Typer) -> None:
        """Let plugins add their subcommands to an app."""
        self.call("tonesmith_commands", app=app)

    def _of(self, role: str) -> dict[str, type[Plugin[Any]]]:
        return {name: record.plugin for (of, name), record in self._records.items() if of == role}

    def _entry_points(self, allowed: str | None) -> Iterator[tuple[metadata.EntryPoint, Origin]]:
        """Yield the entry points of the distributions that may load."""
        found = [(e, Origin(e.dist.name, e.dist.version)) for e in metadata.entry_points(group=PROJECT) if e.dist]
        if allowed is None:
            yield from found
            return
        present = {normalised(origin.distribution): origin.distribution for _, origin in found}
        wanted = [name.strip() for name in allowed.split(",") if name.strip()]
        for name in wanted:
            if normalised(name) not in {*present, PROJECT}:
                self._warn(f"TONESMITH_PLUGINS: {unknown_name('distribution', name, present.values())}")
        keep = {normalised(name) for name in wanted}
        yield from ((e, origin) for e, origin in found if normalised(origin.distribution) in keep)

    def _register_entry_point(self, entry_point: metadata.EntryPoint, origin: Origin) -> None:
        try:
            self._register(entry_point.load(), f"{origin.distribution}:{entry_point.name}", origin)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a third party does, the rest goes on
            told = f"{origin}: {entry_point.value} could not be loaded: {told_of(error)}"
            self._unloaded.append(f"({told})")
            self._warn(f"plugin {told}")

    def _register(self, plugin: object, name: str, origin: Origin) -> None:
        self._origins[name] = origin
        try:
            self._manager.register(plugin, name)
        except pluggy.PluginValidationError as error:
            self._manager.unregister(name=name)  # older pluggy keeps the hooks that it came to before the bad one
            raise PluginError(str(error).replace("\n", " ")) from error
        for attribute in dir(plugin):
            self._check_hook(plugin, attribute, origin)

    def _check_hook(self, plugin: object, attribute: str, origin: Origin) -> None:
        """Warn of a hook that would never be called. pluggy's ``check_pending`` tells only the first."""
        marks = self._manager.parse_hookimpl_opts(plugin, attribute)
        if marks is None:
            return
        hook = marks.get("specname") or attribute
        if not getattr(self._manager.hook, hook).has_spec():
            known = [name for name in vars(hookspecs) if name.startswith(f"{PROJECT}_")]
            self._warn(f"plugin {origin}: {unknown_name('hook', hook, known)}")
        if marks.get("wrapper") or marks.get("hookwrapper"):
            self._warn(f"plugin {origin}: {hook} is a hook wrapper. Wrappers are not called.")

    def _results(self, hook: str, arguments: Mapping[str, Any]) -> Iterator[tuple[Origin, Any]]:
        """Yield what each implementation of a hook returns, one by one: one that raises stops no other."""
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            origin = self._origins[implementation.plugin_name]
            if implementation.wrapper or implementation.hookwrapper:
                continue
            if self._trace:
                shown = ", ".join(f"{name}={reprlib.repr(value)}" for name, value in arguments.items())
                say(f"trace: {implementation.plugin_name}: {hook}({shown})")
            try:
                result = implementation.function(*(arguments[name] for name in implementation.argnames))
                yield origin, tuple(result) if hook.endswith("s") and isinstance(result, Iterable) else result
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises, the run goes on
                self._warn(f"plugin {origin}: {hook} failed: {told_of(error)}")

    def _collect(self) -> dict[tuple[str, str], PluginRecord]:
        """Return the plugins that the hooks hand over, checked, by role and name."""
        records: dict[tuple[str, str], PluginRecord] = {}
        for role in ROLES:
            found = [
                r
                for origin, given in self._results(f"{PROJECT}_{role}s", {})
                for r in self._checked(role, given, origin)
            ]
            for record in sorted(found, key=lambda r: (r.name, r.distribution)):
                key = (role, record.name)
                if key in records:
                    raise PluginError(_doubled(records[key], record))
                records[key] = record
        return records

    def _checked(self, role: str, given: Any, origin: Origin) -> Iterator[PluginRecord]:
        if not isinstance(given, tuple):
            self._warn(
                f"plugin {origin}: {PROJECT}_{role}s returned {reprlib.repr(given)}, which is not a list of classes."
            )
            return
        for plugin in given:
            fault = fault_of(role, plugin)
            if not fault:
                yield PluginRecord(role, plugin.name, plugin.summary, origin.distribution, origin.version, plugin)
            else:
                named = getattr(plugin, "__qualname__", reprlib.repr(plugin))
                told = f"{named} of {origin} {fault}".rstrip("?") + ("?" if fault.endswith("?") else ".")
                self._broken[role, str(getattr(plugin, "name", named))] = told
                self._warn(f"{role} {told} It is left out.")

    def _warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            warn(text)


def _doubled(first: PluginRecord, second: PluginRecord) -> str:
    owners = [f"{r.plugin.__module__}.{r.plugin.__qualname__} of {r.distribution} {r.version}" for r in (first, second)]
    return (
        f"two plugins are called {first.role} {first.name!r}: {owners[0]} and {owners[1]}. Uninstall one, "
        "or list the distributions to load in TONESMITH_PLUGINS."
    )


def _version() -> str:
    try:
        return metadata.version(PROJECT)
    except metadata.PackageNotFoundError:  # a source tree that is on the path but not installed
        return "unknown"
