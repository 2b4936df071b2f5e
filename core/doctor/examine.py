"""What a backend promises, measured on this machine."""

from __future__ import annotations

import platform
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tonesmith.doctor.checkup import Checkup, Finding, State
from tonesmith.doctor.findings import UNREPEATED, file_finding, pinned_finding, shortened
from tonesmith.doctor.read_back import read_back
from tonesmith.doctor.repeatability import (
    WATCHED,
    Interleaved,
    Play,
    Subject,
    default_patch,
    growth,
    played,
    random_patches,
    session,
)
from tonesmith.engine.client import LOAD_SECONDS, Engine
from tonesmith.engine.description import Description
from tonesmith.engine.determinism import decibels, determinism_of, is_floor, is_kept, shown, shown_leak, weakest
from tonesmith.engine.isolation import is_pinned, isolation_of, promise_of
from tonesmith.engine.machine import can_fork
from tonesmith.engine.overheard import overhearing
from tonesmith.errors import ConfigError, TonesmithError
from tonesmith.host.binary import cure_of
from tonesmith.host.roles import Backend, Options
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.plan.promises import Determinism, Isolation
from tonesmith.space.patch import Note, Patch
from tonesmith.space.shape import SpaceShape, shaped
from tonesmith.space.space import ParameterSpace

NOTE = Note(60, 100, 1.0, 1.0)
"""What is played: two seconds."""
_STRICTNESS: tuple[Isolation, ...] = ("reuse", "fresh", "snapshot")
_SILENT_DB = -80.0
_LEAK_MB = 20.0
_SAID = 12
"""Lines of what engines wrote that are kept."""
_READ = 4
"""Random patches whose values are read back."""


def examine(  # noqa: PLR0913 - what is tried, and how long
    backend: type[Backend[Any]],
    options: Options,
    sample_rate: int,
    *,
    thorough: bool = True,
    isolation: Isolation | None = None,
    compare: bool = True,
    load_seconds: float = LOAD_SECONDS,
    render_seconds: float = 60.0,
    progress: Callable[[str], object] = str,
) -> Checkup:
    """Return what a backend does on this machine, beside what it promises. Nothing that it does is raised.

    Args:
        backend: to examine. Each engine runs in a process of its own.
        options: of the backend.
        sample_rate: Hz.
        thorough: whether to watch memory too, and to try more patches.
        isolation: to measure in; None for the one that plans use here.
        compare: whether to try the other isolations too, and so find the weakest that will do.
        load_seconds: how long an engine may take to load.
        render_seconds: how long a patch may take.
        progress: told what is done next.
    """
    said: deque[str] = deque(maxlen=_SAID)
    with overhearing(said.append):
        checkup = _examined(
            backend,
            options,
            sample_rate,
            thorough=thorough,
            isolation=isolation,
            compare=compare,
            load_seconds=load_seconds,
            render_seconds=render_seconds,
            progress=progress,
        )
    return replace(checkup, said=tuple(said)) if checkup.faults else checkup


def _examined(  # noqa: PLR0913 - as examine
    backend: type[Backend[Any]],
    options: Options,
    sample_rate: int,
    *,
    thorough: bool,
    isolation: Isolation | None,
    compare: bool,
    load_seconds: float,
    render_seconds: float,
    progress: Callable[[str], object],
) -> Checkup:
    used = isolation or isolation_of(backend, options)
    promised = promise_of(backend, used, options)
    machine = f"{platform.system()} {platform.machine()}"
    start = Checkup(backend.name, used, promised, (), note_seconds=NOTE.duration, platform=machine)
    reference = PluginRef(backend.name, options.model_dump(mode="json"))
    progress("loading")
    broken = file_finding(backend, options)
    try:
        with Engine(reference, Audio(sample_rate, 0, 0), 1, used, _no_asset, load_seconds) as engine:
            description = engine.describe(NOTE.hold, NOTE.tail)
            held = engine.held if is_pinned(reference) else None
        space = shaped(description.space, backend.shape(options), SpaceShape())
        contents = {**description.assets, **backend.stock(options)}
    except TonesmithError as error:
        text = str(error).removeprefix(f"{backend.name}: ")
        if isinstance(error, ConfigError):  # which says itself what to do
            return replace(start, findings=(Finding("load", "fail", text),), wrong_input=True)
        return replace(start, findings=(*broken, Finding("load", "fail", text, "" if broken else cure_of(text))))
    subject = Subject(reference, description.audio, NOTE, contents, load_seconds, render_seconds)
    patches = random_patches(space, 8 if thorough else 4)
    examination = _Examination(subject, space, replace(start, held=held), patches, progress)
    remarks = [Finding("remark", "warn", remark) for remark in description.remarks]
    examination.findings += (*broken, *remarks, *([] if held is None else [pinned_finding(held)]))
    return examination.result(description, thorough=thorough, compare=compare)


class _Examination:
    """An examination while it goes: what was found so far."""

    def __init__(
        self,
        subject: Subject,
        space: ParameterSpace,
        start: Checkup,
        patches: Sequence[Patch],
        progress: Callable[[str], object],
    ) -> None:
        self.subject = subject
        self.space = space
        self.checkup = start
        self.patches = patches
        self.progress = progress
        self.findings: list[Finding] = []

    def result(self, description: Description, *, thorough: bool, compare: bool) -> Checkup:
        """Make every check, and return what was found."""
        self._set(versions=description.versions)
        if self._first_engine():
            straight = self._renders()
            if straight is not None:
                self._compare(straight)
                if compare:
                    self._isolations(straight, thorough=thorough)
                if thorough:
                    self._memory()
        return replace(self.checkup, findings=tuple(self.findings))

    def _set(self, **fields: Any) -> None:
        self.checkup = replace(self.checkup, **fields)

    def _find(self, check: str, state: State, measured: str, cure: str = "") -> None:
        self.findings.append(Finding(check, state, measured, cure))

    def _first_engine(self) -> bool:
        """Load an engine, play the default patch in it, and read values back; return whether it plays."""
        with self.subject.engine(self.checkup.used) as engine:
            started = time.perf_counter()
            try:
                engine.start()
            except TonesmithError as error:
                self._find("load", "fail", str(error), cure_of(str(error)))
                return False
            seconds = time.perf_counter() - started
            self._set(load_seconds=seconds)
            versions = (self.checkup.versions or {}).items()
            told = ", ".join(f"{name} {shortened(version)}" for name, version in versions)
            self._find("load", "ok", f"{seconds:.2f} s, process and engine ({told})")
            self.progress("playing the default patch")
            default = played(engine, self.subject, default_patch(self.space))
            self._default(default)
            if default.audio is not None:
                self.progress("reading parameters back")
                self._read_back(engine)
        return default.audio is not None

    def _default(self, play: Play) -> None:
        if play.audio is None:
            self._find("default", "fail", f"the default patch does not play: {play.failure}", cure_of(play.failure))
            return
        if not np.all(np.isfinite(play.audio)):
            self._find("default", "warn", "the default patch gives samples that are not numbers")
            return
        peak = decibels(float(np.max(np.abs(play.audio), initial=0.0)))
        rms = decibels(float(np.sqrt(np.mean(np.square(play.audio, dtype=np.float64)))))
        self._set(default_db=peak)
        if peak is None or rms is None or peak < _SILENT_DB:
            cure = "Set ranges under [space] that make it sound, and keep the validator level."
            self._find("default", "warn", f"the default patch is silent (peak {shown(peak)})", cure)
        else:
            self._find("default", "ok", f"the default patch sounds: peak {peak:.1f} dBFS, RMS {rms:.1f} dBFS")

    def _read_back(self, engine: Engine) -> None:
        self.findings.append(read_back(engine, self.subject, self.space, self.patches[:_READ]))

    def _renders(self) -> Interleaved | None:
        """Play random patches, and return their renders if any of them can be compared."""
        self.progress(f"playing A, B, A with isolation {self.checkup.used}")
        straight = Interleaved.of(self.subject, self.checkup.used, self.patches)
        sounding = [play.audio for play in straight.firsts if play.audio is not None]
        failures = Counter(play.failure for play in straight.firsts if play.failure)
        count = len(self.patches)
        if failures:
            text, number = failures.most_common(1)[0]
            told = f"{number} of {count} random patches: {text}"
            self._find("patches", "warn" if sounding else "fail", told, cure_of(text))
        elif not any(np.any(audio) for audio in sounding):
            cure = "Set ranges under [space] that make it sound, and keep the validator level."
            self._find("patches", "warn", f"{count} of {count} random patches are silent", cure)
        elif len({audio.tobytes() for audio in sounding}) == 1 and len(self.space.names) > 1:
            cure = "Check that the parameters reach the synth."
            self._find("patches", "fail", f"{count} random patches sound the same, bit for bit", cure)
        elif not all(np.all(np.isfinite(audio)) for audio in sounding):
            self._find("patches", "warn", "random patches give samples that are not numbers")
        else:
            self._find("patches", "ok", f"{count} of {count} random patches play")
        self._speed(straight)
        return straight if sounding else None

    def _speed(self, straight: Interleaved) -> None:
        times = [play.seconds for play in straight.plays if play.audio is not None]
        if times:
            seconds = float(np.median(times))
            self._set(render_seconds=seconds)
            told = f"{1000 * seconds:.0f} ms for {self.subject.note.duration:g} s of sound"
            slow = seconds > self.subject.note.duration
            self._find("speed", "warn" if slow else "ok", told + (": slower than real time" if slow else ""))

    def _compare(self, straight: Interleaved) -> None:
        """Compare renders within a process and between processes, and what follows with what is promised."""
        used = self.checkup.used
        self.progress("playing in another process, in another order")
        backwards = session(self.subject, used, self.patches[::-1])
        other = straight.from_backwards(backwards)
        lost = sum(a.failure != b.failure for a, b in zip(straight.firsts, reversed(backwards), strict=True))
        if lost:
            self._find("other process", "warn", f"{lost} of {len(self.patches)} patches fail differently there")
        self.progress("playing in another process, in the same order")
        same = straight.from_same(Interleaved.of(self.subject, used, self.patches))
        within = [straight.leak, straight.unsteadiness]
        found = determinism_of(within, same, other)
        apart = max((x for x in (*within, same, other) if x is not None), default=0.0)
        self._set(determinism=found, floor_db=decibels(apart))
        self._tell("A-B-A", straight.leak, f"A after B with isolation {used}", self._leaks(straight.leak))
        self._tell("repeat", straight.unsteadiness, "A after A", self.checkup.promised == "exact")
        if same is not None:
            self._tell("fresh process", same, "another process, same order", self.checkup.promised == "exact")
        if other is not None:
            self._tell("other process", other, "another process, other order", self.checkup.promised == "exact")
        self._promise(found)

    def _leaks(self, leak: float | None) -> bool:
        """Return whether a difference of A-B-A would break the promise."""
        promised = self.checkup.promised
        return promised == "exact" or (promised != "none" and self.checkup.used == "reuse")

    def _tell(self, check: str, difference: float | None, what: str, promised: bool) -> None:
        if difference is None:
            self._find(check, "warn", f"{what}: nothing to compare, because no patch played twice")
        elif difference == 0.0:
            self._find(check, "ok", f"{what}: equal, bit for bit")
        else:
            floor = self.checkup.promised == "floor" and is_floor(difference)
            state: State = "fail" if promised and not floor else "warn"
            self._find(check, state, f"{what}: differs by up to {shown(decibels(difference))}")

    def _promise(self, found: Determinism) -> None:
        promised, floor = self.checkup.promised, self.checkup.floor_db
        told = f"{found} found, {promised} promised"
        if is_kept(promised, found, floor):
            repeats = found in {"exact", "floor"}
            self._find("promise", "ok" if repeats else "warn", told, "" if repeats else UNREPEATED)
        else:
            cure = "Rows will not render again as promised. Use a stricter plan.isolation, or tell the plugin's author."
            self._find("promise", "fail", told, cure)

    def _isolations(self, straight: Interleaved, *, thorough: bool) -> None:
        """Find the weakest isolation in which no patch hears another; if thorough, try those above it too."""
        leaks: dict[Isolation, float | None] = {}
        for isolation in _STRICTNESS:
            if isolation == self.checkup.used:
                leaks[isolation] = straight.leak
            elif not thorough and 0.0 in leaks.values():
                continue
            elif isolation != "snapshot" or can_fork():
                self.progress(f"playing A, B, A with isolation {isolation}")
                leaks[isolation] = Interleaved.of(self.subject, isolation, self.patches[:4]).leak
        needed = weakest(leaks)
        self._set(isolation=needed)
        told = "; ".join(f"{isolation} {shown_leak(leak)}" for isolation, leak in leaks.items())
        if needed is None:
            self._find("isolation", "warn", f"none is enough: {told}")
        elif _STRICTNESS.index(needed) > _STRICTNESS.index(self.checkup.used):
            cure = f'Set plan.isolation = "{needed}".'
            self._find("isolation", "fail", f"{needed} is needed, but {self.checkup.used} is used: {told}", cure)
        else:
            self._find("isolation", "ok", f"{needed} is enough: {told}")
        if "snapshot" in leaks:
            plays = leaks["snapshot"] is not None
            cure = "" if plays else 'Set plan.isolation = "fresh".'
            lost: State = "fail" if self.checkup.used == "snapshot" else "warn"
            told = "plays in forked copies" if plays else "does not play in forked copies"
            self._find("fork", "ok" if plays else lost, told, cure)

    def _memory(self) -> None:
        """Watch how the process of one engine grows."""
        self.progress(f"measuring memory over {WATCHED} renders")
        leak = growth(replace(self.subject, note=Note(60, 100, 0.1, 0.1)), self.patches)
        if leak is None:
            self._find("memory", "ok", "not measured: there is no /proc here, or the engine stopped")
            return
        self._set(leak_mb=leak)
        told = f"{leak:+.1f} MB over {WATCHED} renders in one engine"
        if leak < _LEAK_MB:
            self._find("memory", "ok", told)
        elif self.checkup.used == "snapshot":
            self._find("memory", "ok", f"{told}; with snapshots it is freed with each copy")
        else:
            cure = "With isolation snapshot it is freed with each copy. Otherwise, split a long run."
            self._find("memory", "warn", told, cure)


def _no_asset(name: str) -> bytes:
    raise ConfigError(f"the asset {name} is not known before the plan is made")
