"""The draft of a spec file: what a plugin tells of its parameters, and what moving each of them does."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.engine.client import Engine
from tonesmith.engine.description import Description
from tonesmith.engine.isolation import isolation_of
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Note, Patch
from tonesmith.space.sampling import patch_at, uniform
from tonesmith.space.space import ParameterSpace

Progress = Callable[[int, int], object]

_NOTE = Note(60, 100, 0.25, 0.1)
_RATE = 44100
_PATIENCE = 60.0
_MOVES = (0.0, 1.0, 0.45)
_DANGEROUS = re.compile(
    r"bypass|panic|randomi[sz]e|program|preset|mpe|midi|channel|polyphony|poly(_voice)?s?_(limit|max)|max_(poly|voices)"
    r"|voice_(limit|count)|oversampl|quality|tuning|pitch_?bend|bend_range"
    r"|^(master|main|global|output|out)(_.*)?(volume|gain|level|tune|mute)?$|^(volume|gain|level|mute)$"
)


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found.

    Attributes:
        plugin: what it calls itself.
        space: every parameter.
        determinism: as it was measured, or "" where nothing was rendered.
        constant: parameters that changed no render, in the patch as it loads and in a random one.
        dangerous: parameters whose name says that they may silence or break a render, and those that did break one.
        failed: parameters that broke one.
        remarks: what the backend says of the plugin, such as parameters that are left out.
    """

    plugin: str
    space: ParameterSpace
    determinism: str = ""
    constant: tuple[str, ...] = ()
    dangerous: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def groups(self) -> dict[str, list[str]]:
        """Return group -> names, the groups in the order of their first parameter."""
        found: dict[str, list[str]] = {}
        for parameter in self.space.parameters:
            found.setdefault(parameter.group, []).append(parameter.name)
        return found

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        told = {name: list(getattr(self, name)) for name in ("constant", "dangerous", "failed", "remarks")}
        return {"plugin": self.plugin, "determinism": self.determinism, "groups": self.groups(), **told}


def scan(plugin: str, out: Path, *, listen: bool, force: bool, progress: Progress) -> Scan:
    """Return what is found in a plugin, which runs in processes of its own.

    Args:
        plugin: path of the bundle.
        out: where the draft is to go; checked first.
        listen: move each parameter and render, which tells the constant ones and the determinism.
        force: whether ``out`` may be there already.
        progress: told how many of how many parameters were moved.

    Raises :class:`ConfigError` if ``out`` cannot be a new spec file or ``plugin`` is no VST3 instrument, and
    :class:`EngineError` if it crashes as it loads.
    """
    _check_out(out, force=force)
    cls = Host.load().find("backend", "vst3")
    options = cls.Options.model_validate({"plugin": plugin})
    reference = PluginRef(
        "vst3", {**options.model_dump(mode="json"), "pin": False}
    )  # a spec tells of the plugin itself
    isolation = isolation_of(cls)
    with Engine(reference, Audio(_RATE, 0, 0), 1, isolation, asset=_no_asset) as engine:
        description = engine.describe(_NOTE.hold, _NOTE.tail)
    space = description.space
    name = next(iter(description.versions))
    dangerous = tuple(p.name for p in space.parameters if _DANGEROUS.search(p.name))
    if not listen:
        return Scan(name, space, dangerous=dangerous, remarks=description.remarks)
    engines = [Engine(reference, description.audio, 1, isolation, description.assets.__getitem__) for _ in range(2)]
    with engines[0], engines[1]:
        listener = _Listener(engines[0], description)
        determinism = listener.determinism(engines[1])
        listener.move_all(progress)
    failed = tuple(listener.failed)
    both = tuple(p.name for p in space.parameters if p.name in {*dangerous, *failed})
    return Scan(name, space, determinism, tuple(listener.constant), both, failed, description.remarks)


@dataclass
class _Listener:
    """Moves parameters and listens."""

    engine: Engine
    description: Description
    constant: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def space(self) -> ParameterSpace:
        return self.description.space

    def patches(self) -> list[Patch]:
        """Return the patch as it loads, and a random one that leaves what is dangerous alone."""
        size = len(self.space.names)
        drawn = patch_at(self.space, uniform(0, "scan", 0, 0, size), "scan")
        plain = {p.name: p.default for p in self.space.parameters}
        safe = {n: v for n, v in drawn.values.items() if not _DANGEROUS.search(n)}
        return [Patch({**plain, **values}, assets=dict(self.space.assets)) for values in ({}, safe)]

    def determinism(self, other: Engine) -> str:
        """Return what renders keep to: compared with a second one, and with one of another process."""
        a, b = self.patches()
        first = [_heard(self.engine, patch) for patch in (a, b)]
        again = [_heard(self.engine, patch) for patch in (a, b)]
        if not _equal(first, again):
            return "none"
        return "exact" if _equal(first, [_heard(other, patch) for patch in (b, a)][::-1]) else "exact-in-run"

    def move_all(self, progress: Progress) -> None:
        """Move each parameter in each patch, and note which change nothing and which break the render."""
        played = [(patch, _heard(self.engine, patch)) for patch in self.patches()]
        contexts = [(patch, audio, self._noise(patch, audio)) for patch, audio in played if audio is not None]
        for number, parameter in enumerate(self.space.parameters, 1):
            heard = [self._moves(parameter, *context) for context in contexts]
            if any(change is None for change in heard):
                self.failed.append(parameter.name)
            elif not any(heard):
                self.constant.append(parameter.name)
            progress(number, len(self.space.parameters))

    def _noise(self, patch: Patch, first: NDArray[np.float32]) -> float:
        again = _heard(self.engine, patch)
        return float(np.max(np.abs(again - first))) if again is not None else 0.0

    def _moves(self, parameter: Parameter, patch: Patch, still: NDArray[np.float32], noise: float) -> bool | None:
        """Return whether moving a parameter changes the render; None if it breaks it."""
        for value in _elsewhere(parameter, patch.values[parameter.name]):
            moved = _heard(self.engine, Patch({**patch.values, parameter.name: value}, assets=patch.assets))
            if moved is None:
                return None
            if float(np.max(np.abs(moved - still))) > 2 * noise:
                return True
        return False


def _elsewhere(parameter: Parameter, value: float) -> Iterator[float]:
    """Yield values of a parameter that are not the one it has: its ends, and one between."""
    if parameter.kind == "categorical":
        yield from sorted({parameter.low, parameter.high, float(round(parameter.high / 2))} - {value})
    else:
        yield from (move for move in _MOVES if abs(move - value) > 0.01)


def _heard(engine: Engine, patch: Patch) -> NDArray[np.float32] | None:
    outcome = engine.play(patch, [_NOTE], _PATIENCE)[0]
    if outcome.failure or not np.all(np.isfinite(engine.audio[0])):
        return None
    audio: NDArray[np.float32] = engine.audio[0].copy()
    return audio


def _equal(one: list[NDArray[np.float32] | None], two: list[NDArray[np.float32] | None]) -> bool:
    pairs = zip(one, two, strict=True)
    return all(a is not None and b is not None and a.tobytes() == b.tobytes() for a, b in pairs)


def draft(done: Scan) -> str:
    """Return the text of a spec file."""
    lines = [
        f"# What tonesmith vst3 scan found in {_line(done.plugin)}.",
        "# To edit: include, fix, range, weights, choices, group, switch and when of each parameter.",
        "# constant: it was moved, in the patch as it loads and in a random one, and no render changed.",
        "# dangerous: its name says that it may silence or break a render, or it did break one.",
        "# Neither varies until its mark is taken away.",
        *(f"# {_line(remark)}" for remark in done.remarks),
        "",
        "[plugin]",
        f"name = {_text(done.plugin)}",
    ]
    if done.determinism:
        lines.append(f"determinism = {_text(done.determinism)}")
    lines += ["", "[parameters]"]
    for group, names in done.groups().items():
        lines += ["", f"# {group or 'alone'}"]
        for name in names:
            lines += _drafted(done.space[name], name in done.constant, name in done.dangerous)
    return "\n".join(lines) + "\n"


def _drafted(parameter: Parameter, constant: bool, dangerous: bool) -> Iterator[str]:
    if parameter.choices:
        yield f"# {', '.join(map(_line, parameter.choices[:40]))}"
    elif parameter.unit:
        yield f"# {parameter.text(0.0)} to {_line(parameter.text(1.0))}"
    keys = [f"group = {_text(parameter.group)}"] if parameter.group else []
    keys += ["constant = true"] * constant + ["dangerous = true"] * dangerous
    yield f"{parameter.name} = {{ {', '.join([*keys, 'include = true'])} }}"


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_line(escaped)}"'


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def write_draft(done: Scan, out: Path) -> None:
    """Write the draft, whole or not at all."""
    handle, aside = tempfile.mkstemp(dir=out.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(draft(done))
        Path(aside).chmod(0o644)
        Path(aside).replace(out)
    except OSError as error:
        Path(aside).unlink(missing_ok=True)
        raise ConfigError(f"cannot write {out}: {error.strerror}") from None


def _check_out(out: Path, *, force: bool) -> None:
    if out.suffix != ".toml":
        raise ConfigError(f"{out}: the name of a spec file must end in .toml")
    if not out.absolute().parent.is_dir():
        raise ConfigError(f"{out.parent} is not a folder")
    if out.exists() and not force:
        raise ConfigError(f"{out} already exists. Overwrite it with --force")


def _no_asset(name: str) -> bytes:
    raise ConfigError(f"the asset {name} is not known before the plugin is")
