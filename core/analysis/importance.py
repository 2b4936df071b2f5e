"""Measuring importance: the bases in parallel, each written when it is finished, and the time it will take."""

from __future__ import annotations

import contextlib
import importlib.metadata
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonesmith.analysis.sensitivity import Base, Listener, Study, UnheardError, record_of
from tonesmith.dataset.beside import ASIDE, refuse_link
from tonesmith.dataset.importance import FORMAT, BaseRecord, Importance, Stored, read_stored, write_stored
from tonesmith.engine.machine import cores
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Plan
from tonesmith.run.produce import Workbench

_TRIALS, _TRIAL_SECONDS = 6, 4.0
"""Renders that are timed before the work, and the seconds after which no further one is."""
_PATIENCE = 5.0
"""Seconds that an interrupted measurement waits for the renders in flight."""


class _Settled(Stored):
    """What is written first into the folder of finished bases."""

    format: int = FORMAT
    settings: Mapping[str, Any]


class Parts:
    """The bases that are finished, one file each, in a folder beside the result until that is written."""

    def __init__(self, study: Study, path: Path) -> None:
        self.path = path
        self.folder = path.with_name(f"{path.name.removesuffix('.json')}.parts")
        self._study = study

    def result(self) -> Importance | None:
        """Return the result if it is there. Raises :class:`ConfigError` if it has other settings."""
        if not self.path.exists():
            return None
        found = Importance.load(self.path)
        self._check(found.settings, self.path)
        return found

    def records(self) -> dict[int, BaseRecord]:
        """Return the finished bases by number. Raises :class:`ConfigError` if they have other settings."""
        settled = self.folder / "settings.json"
        if not settled.exists():
            return {}
        self._check(read_stored(_Settled, settled).settings, self.folder)
        found = {}
        for file in sorted(self.folder.glob("base-*.json")):
            with contextlib.suppress(DatasetError):  # a damaged one is measured again
                record = read_stored(BaseRecord, file)
                found[record.number] = record
        return {base.number: found[base.number] for base in self._study.bases if base.number in found}

    def left(self) -> list[Base]:
        """Return the bases that are still to be measured."""
        if self.result():
            return []
        done = self.records()
        return [base for base in self._study.bases if base.number not in done]

    def begin(self) -> None:
        """Make the folder, and write down the settings."""
        refuse_link(self.folder)
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise DatasetError(f"cannot create {self.folder}: {error.strerror}.") from None
        if not (self.folder / "settings.json").exists():  # nobody knows what bases that lie there are of
            for stray in self.folder.glob("base-*"):
                stray.unlink()
        write_stored(self.folder / "settings.json", _Settled(settings=self._study.described()))

    def keep(self, record: BaseRecord) -> None:
        """Write down a finished base."""
        write_stored(self.folder / f"base-{record.number:06}.json", record)

    def remove(self) -> None:
        """Remove what was written; the settings last, so that what is left is never taken for another's."""
        for file in (file for kind in ("base-*", f"{ASIDE}*", "settings.json") for file in self.folder.glob(kind)):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # someone put something else into it
            self.folder.rmdir()

    def _check(self, there: Mapping[str, Any], where: Path) -> None:
        asked = self._study.described()
        keys = [key for key in asked if there.get(key) != asked[key]]
        if keys:
            listed = "\n".join(f"  {key}: {there.get(key, 'absent')} -> {asked[key]}" for key in keys)
            raise ConfigError(
                f"{where} holds a measurement with different settings (there -> asked for):\n{listed}\n"
                "Choose another path, use the settings that are there, or delete it."
            )


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is ahead: renders, workers, and seconds as a trial makes them out; None if nothing is to be rendered."""

    renders: int
    workers: int
    seconds: float | None


def estimate(study: Study, parts: Parts, workers: int, host: Host) -> Estimate:
    """Return how long a measurement will take, from a few renders that are made and timed for it.

    The trial runs on as many engines at once as the measurement will, so that it feels what they cost each other.
    """
    left = parts.left()
    size = min(workers or cores(), len(left))
    if not left:
        return Estimate(0, size, None)
    renders = study.renders(left)
    abreast = min(size, cores())
    with ThreadPoolExecutor(abreast) as threads:
        timed = list(threads.map(lambda i: _trial(study, left[i:] + left[:i], host), range(abreast)))
    one = sum(timing.render for timing in timed) / abreast
    in_turn = renders / len(left) * math.ceil(len(left) / size)  # the last bases may leave workers idle
    return Estimate(renders, size, max(timing.loading for timing in timed) + one * in_turn * size / abreast)


@dataclass(frozen=True, slots=True)
class _Timing:
    """Seconds that an engine takes to load, and those that a render and its distances take."""

    loading: float
    render: float


def _trial(study: Study, bases: Sequence[Base], host: Host) -> _Timing:
    every = max(len(bases) // _TRIALS, 1)
    taken: list[float] = []
    with Workbench(study.plan, host, study.asset) as bench:
        loading = _seconds_to_hear(bench, study, bases[0])
        for base in bases[::every][:_TRIALS]:
            taken.append(_seconds_to_hear(bench, study, base))
            if sum(taken) > _TRIAL_SECONDS:
                break
    one = sum(taken) / len(taken)
    return _Timing(max(loading - one, 0.0), one)


def _seconds_to_hear(bench: Workbench, study: Study, base: Base) -> float:
    started = time.monotonic()
    with contextlib.suppress(UnheardError):
        Listener(bench, study, base)
    return time.monotonic() - started


def measure_importance(
    study: Study,
    path: Path,
    *,
    workers: int = 0,
    host: Host | None = None,
    heard: Callable[[int], object] = int,
) -> Importance:
    """Measure what is left of a study, and return the result, which is written to ``path``.

    Each finished base is written at once. After an interruption the same call goes on; after the end, it
    returns what is there. The result does not depend on the number of workers, nor on interruptions.

    Args:
        study: what to measure.
        path: of the result; unfinished, its bases lie beside it in a folder with the suffix ``.parts``.
        workers: engines, each in a process of its own; 0 for one a core.
        host: finds the plugins.
        heard: told how many more of ``study.renders`` are done, in the calling thread.

    Raises:
        ConfigError: the path holds a measurement of other settings, or no base could be used.
        DatasetError: the path cannot be written.
        EngineError: the synth could not be loaded.
    """
    parts, host = Parts(study, path), host or Host.load()
    known = parts.result()
    if known is not None:
        return known
    left = parts.left()
    parts.begin()
    _Crew(study, parts, host).measure(left, workers or cores(), heard)
    records = parts.records()
    found = Importance.of(
        [parameter.name for parameter in study.plan.space.continuous],
        records.values(),
        study.described(),
        _made_with(study.plan),
    )
    if not found.bases:
        reasons = ", ".join(f"{reason} {count}" for reason, count in found.skipped.items())
        parts.remove()
        raise ConfigError(f"none of the {len(records)} bases could be used ({reasons}).")
    found.save(path)
    parts.remove()
    return found


def _made_with(plan: Plan) -> dict[str, str]:
    packages = ("tonesmith", "numpy", "scipy")
    return {**{name: importlib.metadata.version(name) for name in packages}, **plan.versions}


class _StopError(Exception):
    """The measurement was told to stop."""


class _Crew:
    """Threads that take base after base, each with an engine in a process of its own."""

    def __init__(self, study: Study, parts: Parts, host: Host) -> None:
        self._study = study
        self._parts = parts
        self._host = host
        self._stop = threading.Event()
        self._events: queue.Queue[int | BaseException | None] = queue.Queue()

    def measure(self, bases: Sequence[Base], workers: int, heard: Callable[[int], object]) -> None:
        """Measure the bases, and return when all are written. Raises what a thread could not go on for."""
        todo: queue.SimpleQueue[Base] = queue.SimpleQueue()
        for base in bases:
            todo.put(base)
        threads = [
            threading.Thread(target=self._work, args=(todo,), daemon=True) for _ in range(min(workers, len(bases)))
        ]
        for thread in threads:
            thread.start()
        try:
            working = len(threads)
            while working:
                event = self._events.get()
                if isinstance(event, BaseException):
                    raise event
                if event is None:
                    working -= 1
                else:
                    heard(event)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(_PATIENCE)

    def _work(self, todo: queue.SimpleQueue[Base]) -> None:
        try:
            with Workbench(self._study.plan, self._host, self._study.asset) as bench:
                while True:
                    self._parts.keep(self._record(bench, todo.get_nowait()))
        except (queue.Empty, _StopError):
            self._events.put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the calling thread
            self._events.put(error)

    def _record(self, bench: Workbench, base: Base) -> BaseRecord:
        expected, played = self._study.renders([base]), 0

        def one() -> None:
            nonlocal played
            if self._stop.is_set():
                raise _StopError
            played += 1
            if played <= expected:  # a base that is drawn again may take more
                self._events.put(1)

        record = record_of(bench, self._study, base, one)
        self._events.put(max(expected - played, 0))
        return record
