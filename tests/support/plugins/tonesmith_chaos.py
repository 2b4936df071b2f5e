"""A synth that misbehaves when its label says so, and what else a run must survive. It is a third party."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import Field

from tonesmith import (
    Backend,
    Measure,
    Options,
    Parameter,
    ParameterSpace,
    Sampler,
    SpaceShape,
    Validator,
    Verdict,
    hookimpl,
)
from tonesmith.errors import ConfigError, EngineError
from tonesmith.space.patch import Modulation, Patch
from tonesmith.space.sampling import patch_at, uniform
from tonesmith.testing.chaos import grow, overflow_stack

FAULTS = ("none", "crash", "hang", "nan", "silent", "error", "exit", "shape", "kill", "flaky", "raise")
FAULTS += ("abort", "exit0", "loop", "overflow", "memory", "huge")


class ChaosOptions(Options):
    faults: tuple[str, ...] = Field(("none",), description="what may happen")
    slow: float = Field(0.0, ge=0.0, description="seconds that a note takes")
    load: str = Field("", description="crash, bus, display, error, wrong, hang or memory while the engine loads")
    noise: str = Field("", description="what draws new noise: each engine, or each note")
    level: float = Field(0.1, description="of that noise")
    leak: float = Field(0.0, description="MB that a note leaves behind")
    deaf: bool = Field(False, description="whether the frequency is not taken over")
    mute: bool = Field(False, description="whether it is silent whatever it is told")
    stuck: bool = Field(False, description="whether it plays the same whatever it is told")
    tail: float = Field(0.01, description="what a note adds to those after it")
    binary: str = Field("", description="file that the engine is said to be loaded from")
    marker: str = Field("", description="file whose presence makes a flaky note hang")
    trouble: str = Field("", description="what is wrong with the synth itself, whatever it is told")


class Chaos(Backend[ChaosOptions]):
    """A sine with a level. A note leaves a tail in the object, so that only isolation gives equal rows."""

    name = "chaos"
    summary = "a sine that misbehaves on request"
    Options = ChaosOptions

    def __init__(self, options, sample_rate):
        super().__init__(options, sample_rate)
        self._tail = 0.0
        self._left = []
        self._noise = os.urandom(4)
        if options.trouble == "print":
            ctypes.CDLL(None).puts(b"a library that prints")
            print("half a line", end="")
        match options.load:
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "bus":
                os.kill(os.getpid(), signal.SIGBUS)
            case "display":
                print("qt.qpa.xcb: could not connect to display", file=sys.stderr, flush=True)
                os.abort()
            case "error":
                raise EngineError("the chaos engine was told not to load")
            case "wrong":
                raise ConfigError("it needs a path: set backend.path")
            case "hang":
                time.sleep(3600)
            case "memory":
                grow()

    @classmethod
    def binary(cls, options):
        return Path(options.binary) if options.binary else None

    @classmethod
    def shape(cls, options):
        return SpaceShape(weights={"fault": dict.fromkeys(options.faults, 1.0)})

    def space(self):
        return ParameterSpace(
            (
                Parameter("freq", "continuous", 20.0, 2000.0, 440.0, unit="Hz"),
                Parameter("level", "continuous", 0.05, 1.0, 0.5),
                Parameter("fault", "categorical", 0, len(FAULTS) - 1, 0, choices=FAULTS),
            )
        )

    def versions(self):
        return {"chaos": "1.0"}

    def template_key(self, patch):
        if self.options.trouble == "no fork":
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
            if os.getuid() == 0:
                os.setuid(65534)  # root may start as many processes as it likes
        return ""

    def prepare(self, patch):
        self._told = patch.values
        self._patch = replace(patch, values=dict.fromkeys(patch.values, 0.5)) if self.options.stuck else patch

    def read(self):
        return {**self._told, **({"freq": 440.0} if self.options.deaf else {})}

    def _trouble(self, frames):
        match self.options.trouble:
            case "bug":
                return {}["tlt"]
            case "spin":
                while True:
                    pass
            case "memory":
                raise MemoryError
            case "files":
                raise OSError(errno.EMFILE, "Too many open files")
            case "flat":
                return np.zeros(frames, np.float32)
            case "double":
                return np.zeros((2, frames))
            case "list":
                return [[0.0] * frames] * 2
            case "long":
                return np.zeros((2, frames + 2), np.float32)
        return None

    def render(self, note):
        frames = int(note.duration * self.sample_rate)
        values = self._patch.values
        fault = FAULTS[round(values["fault"])]
        print("an engine that prints to standard output")
        time.sleep(self.options.slow)
        if (wrong := self._trouble(frames)) is not None:
            return wrong
        _end_or_stay(fault)
        match fault:
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                time.sleep(3600)
            case "flaky" if Path(self.options.marker).exists():
                time.sleep(3600)
            case "exit":
                os._exit(3)
            case "error":
                raise EngineError("told to fail")
            case "raise":
                raise ZeroDivisionError("told to raise")
            case "shape":
                frames += 7
        time_axis = np.arange(frames) / self.sample_rate
        wave = values["level"] * np.sin(2 * np.pi * values["freq"] * 2 ** ((note.pitch - 69) / 12) * time_axis)
        audio = np.stack([wave, wave + self._tail]).astype(np.float32)
        self._tail += self.options.tail
        if self.options.noise:
            seed = self._noise if self.options.noise == "engine" else os.urandom(4)
            audio += np.random.default_rng(list(seed)).uniform(-1, 1, audio.shape) * np.float32(self.options.level)
        self._left.append(b"x" * int(1e6 * self.options.leak))
        if fault == "nan":
            audio[0, 5] = np.nan
        if fault == "silent" or self.options.mute:
            audio[:] = 0.0
        return audio


def _end_or_stay(fault):
    match fault:
        case "exit0":
            os._exit(0)
        case "abort":
            os.abort()
        case "loop":
            while True:
                pass
        case "overflow":
            overflow_stack()
        case "memory":
            grow()
        case "huge":
            np.zeros(1 << 50, np.uint8)


class LiteralSampler(Sampler[Options]):
    """Draws uniformly, but the first attempt at every third patch is out to make trouble."""

    name = "troublesome"
    summary = "every third patch misbehaves at its first attempt"
    Options = Options

    def draw(self, candidate):
        unit = uniform(self.seed, self.name, candidate.patch, candidate.attempt, len(self.space.names))
        patch = patch_at(self.space, unit, self.name)
        if candidate.patch % 3 or candidate.attempt:
            return Patch({**patch.values, "fault": 0.0}, origin=self.name)
        return patch


class MisplacedOptions(Options):
    fault: str = Field("none", description="what the first attempt at one patch does")
    at: int = Field(0, description="which patch")


class Misplaced(Sampler[MisplacedOptions]):
    """Draws uniformly, but the first attempt at one patch makes trouble of one kind."""

    name = "misplaced"
    summary = "one patch misbehaves at its first attempt"
    Options = MisplacedOptions

    def draw(self, candidate):
        unit = uniform(self.seed, self.name, candidate.patch, candidate.attempt, len(self.space.names))
        patch = patch_at(self.space, unit, self.name)
        struck = (candidate.patch, candidate.attempt) == (self.options.at, 0)
        fault = float(FAULTS.index(self.options.fault)) if struck else 0.0
        return Patch({**patch.values, "fault": fault}, origin=self.name)


class Routed(Sampler[Options]):
    """Uniform patches with up to a dozen random modulations each: what a space with modulations can hold."""

    name = "routed"
    summary = "uniform patches with random modulations"
    Options = Options

    def draw(self, candidate):
        space, address = self.space, (candidate.patch, candidate.attempt)
        patch = patch_at(space, uniform(self.seed, self.name, *address, len(space.names)), self.name)
        draws = uniform(self.seed, "routing", *address, 12 * 6).reshape(12, 6)
        found = {}
        for source, destination, amount, power, bipolar, stereo in draws[: 1 + candidate.patch % 12].tolist():
            pair = (space.sources[int(source * len(space.sources))], space.destinations[int(destination * 428)])
            found[pair] = Modulation(*pair, 2 * amount - 1, 10 * power - 5, bipolar > 0.5, stereo > 0.5)
        return Patch(patch.values, tuple(found.values()), origin=self.name)


class TouchyOptions(Options):
    crash_above: float = Field(10.0, description="level at which the worker dies")
    measure: str = Field("touch", description="name of what it measures")


class Touchy(Validator[TouchyOptions]):
    """A validator that takes its worker down."""

    name = "touchy"
    summary = "crashes its worker above a level"
    Options = TouchyOptions
    measures = (Measure("touch", "full scale", "largest sample of the first channel"),)

    def check(self, render):
        top = float(render.audio[0].max())
        if top > self.options.crash_above:
            os.kill(os.getpid(), signal.SIGSEGV)
        return Verdict({self.options.measure: top})


@hookimpl
def tonesmith_backends():
    return [Chaos]


@hookimpl
def tonesmith_samplers():
    return [LiteralSampler, Misplaced, Routed]


@hookimpl
def tonesmith_validators():
    return [Touchy]


def _log(event: str, **what: object) -> None:
    if "CHAOS_LOG" in os.environ:
        with Path(os.environ["CHAOS_LOG"]).open("a") as file:
            file.write(f"{event} {what}\n")


@hookimpl
def tonesmith_run_started(plan, path, blocks):
    _log("started", rows=plan.rows, path=path.name, blocks=blocks)


@hookimpl
def tonesmith_block_committed(block, rows):
    _log("committed", block=block, rows=rows)


@hookimpl
def tonesmith_candidate_rejected(rejection):
    _log("rejected", patch=rejection.patch, reason=rejection.reason)


@hookimpl
def tonesmith_run_finished(summary):
    _log("finished", rows=summary.rows, complete=summary.complete)
