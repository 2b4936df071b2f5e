"""From the source of a Faust program to what an engine loads, by a compiler in a process of its own.

Faust compiles in the process that asks and cannot be stopped there. A program of a few lines may keep it busy for
minutes or take all memory, and a stranger's may try to reach for files. So it runs in a child: with a time limit, in an
empty folder, without a network where the system allows that. The engine then loads the bitcode, which is quicker.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tonesmith.backends.dawdreamer.source import checked, mentions
from tonesmith.errors import ConfigError

_STANDARD = 'import("stdfaust.lib"); '
_CHILD = Path(__file__).with_name("compile_child.py")
_ENTRY = "tonesmith_process"
EFFECT = "tonesmith_effect"
"""The group that is made around the controls of ``effect``."""
_JOINED = f"""
tonesmith_adapt(1, 1) = _;
tonesmith_adapt(1, 2) = _ <: _, _;
tonesmith_adapt(2, 1) = _, _ :> _;
tonesmith_adapt(n, m) = par(i, n, _);
{_ENTRY} = process : tonesmith_adapt(outputs(process), inputs(effect)) : vgroup("{EFFECT}", effect);
"""
"""As ``getEffectCode`` of Faust's architecture/faust/dsp/poly-dsp.h joins the sum of the voices to ``effect``."""
_NO_EFFECT = "undefined symbol : effect"


@dataclass(frozen=True)
class Program:
    """A compiled program.

    Attributes:
        bitcode: of LLVM, as DawDreamer loads it.
        description: Faust's own, of its channels and controls, in JSON.
        remembers: whether something of a render is left in the next one.
    """

    bitcode: str
    description: Mapping[str, Any]
    remembers: bool

    @property
    def inputs(self) -> int:
        """Audio inputs."""
        return int(self.description["inputs"])

    @cached_property
    def tree(self) -> Mapping[str, Any]:
        """The group around all controls."""
        root: Mapping[str, Any] = self.description["ui"][0]
        return root


def compile_program(source: str, seconds: float) -> Program:
    """Return a program, its ``process`` followed by its ``effect`` if it has one.

    Args:
        source: of the program, of whatever origin.
        seconds: that Faust may take.

    Raises :class:`ConfigError` with Faust's own words if it does not compile, or not in time; if it needs more than
    Faust's libraries; and if it has audio inputs.
    """
    text = checked(source)
    told: dict[str, Any] = {"failed": _NO_EFFECT}
    if mentions(text, "effect"):
        told = _told(text + _JOINED, ["-pn", _ENTRY], seconds)
    if _NO_EFFECT in told.get("failed", ""):
        told = _told(text, [], seconds)
    if "failed" in told:
        raise ConfigError(f"Faust cannot compile the instrument: {_said(told['failed'])}")
    if told["draws"]:
        raise ConfigError(
            f"the instrument draws random numbers of the machine ({told['draws']}), so that no row would sound again "
            "as it did. Faust's no.noise repeats itself."
        )
    program = Program(told["bitcode"], _described(told["description"]), told["remembers"])
    if inputs := program.inputs:
        plural = "s" if inputs > 1 else ""
        raise ConfigError(
            f"the instrument is an effect: it has {inputs} audio input{plural} and nothing to play. Name a program "
            "without audio inputs."
        )
    return program


def _told(text: str, flags: list[str], seconds: float) -> dict[str, Any]:
    """Return what the child says of a program."""
    request = json.dumps({"source": _STANDARD + text, "flags": flags}).encode()
    with tempfile.TemporaryDirectory(prefix="tonesmith-faust-", ignore_cleanup_errors=True) as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-P", str(_CHILD)],
                input=request, capture_output=True, cwd=folder, timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ConfigError(
                f"Faust did not end compiling the instrument in {seconds:g} s. Simplify it, or allow more: "
                "--backend.compile_timeout."
            ) from None
    if done.returncode == 0:
        told: dict[str, Any] = json.loads(done.stdout)
        return told
    ended = _signal(-done.returncode) if done.returncode < 0 else f"status {done.returncode}"
    words = (done.stderr.decode(errors="replace").strip().splitlines() or [""])[-1]
    raise ConfigError(f"Faust's compiler ended with {ended} on the instrument. {words[:200]}".rstrip())


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _described(text: str) -> Mapping[str, Any]:
    """Return Faust's description. It writes labels as they are: a backslash in one is no escape."""
    try:
        described: Mapping[str, Any] = json.loads(text.replace("\\", "\\\\"), strict=False)
    except ValueError as error:
        raise ConfigError(f"Faust's description of the instrument cannot be read: {error}.") from None
    return described


def _said(text: str) -> str:
    """Return Faust's message as one line, with the lines counted as in the source."""
    text = text.removeprefix("FaustProcessor::compile(): ").partition(". Check the faustlibraries path")[0]
    text = re.sub(r"\b(?:dawdreamer|\?+):(-?\d+) : ", lambda m: _line(int(m[1])), text)
    return " ".join(text.replace("ERROR : ", "").split())[:400].rstrip(".") + "."


def _line(number: int) -> str:
    return f"line {number - 1}: " if number > 1 else ""
