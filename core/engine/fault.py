"""What a plugin raised, told from one process to another: the text, its place in the plugin's code, the traceback."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from tonesmith.engine.refusal import refusal
from tonesmith.errors import TRACEBACK, ConfigError, EngineError, ResourceError, TonesmithError

_TEXT = 2000
_TRACE = 12000
"""Characters kept of a text, and of the end of a traceback."""


HINT = f"Set {TRACEBACK}=1 to see where it comes from."


class RemoteError(Exception):
    """An error of another process: the cause of the one that is raised here. Its text is the traceback."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What was raised in another process.

    Attributes:
        text: what is wrong; for what a plugin did not raise on purpose, with the file and line.
        trace: the traceback.
        unforeseen: whether it is no error that plugins raise on purpose.
        wrong_input: whether the options name something that cannot be used.
        refused: whether the machine ran out of something.
    """

    text: str
    trace: str = ""
    unforeseen: bool = False
    wrong_input: bool = False
    refused: bool = False

    @classmethod
    def of(cls, error: BaseException, module: str) -> Fault:
        """Return the fault for an error.

        Args:
            error: that was raised.
            module: of the plugin: the innermost of its lines is named.
        """
        if isinstance(error, FaultError):
            return error.fault
        unforeseen = not isinstance(error, TonesmithError)
        what = refusal(error)
        text = str(error)
        if unforeseen:
            told = f"{type(error).__name__}: {error}".removesuffix(": ")
            text = " ".join(part for part in (f"{what}:" if what else "", told, _place(error, module)) if part)
        return cls(
            text[:_TEXT],
            "".join(traceback.format_exception(error))[-_TRACE:].rstrip(),
            unforeseen,
            isinstance(error, ConfigError),
            bool(what) or isinstance(error, ResourceError),
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fault:
        """Return the fault that :meth:`to_json` wrote."""
        return cls(**data)

    def error(self, name: str) -> TonesmithError:
        """Return the error to raise in this process, whose cause is the one in the other.

        Args:
            name: of the backend.
        """
        kind = ResourceError if self.refused else ConfigError if self.wrong_input else EngineError
        hint = f"\n{HINT}" if self.unforeseen and not self.refused and os.environ.get(TRACEBACK) != "1" else ""
        return caused(kind(f"{name}: {self.text}{hint}"), self.trace)


class FaultError(EngineError):
    """What was raised in a forked copy of an engine, with its place and traceback."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text)
        self.fault = fault


def caused(error: TonesmithError, trace: str) -> TonesmithError:
    """Return an error with the traceback of another process, if there is one, as its cause."""
    if trace:
        error.__cause__ = RemoteError(trace)
    return error


def _place(error: BaseException, module: str) -> str:
    """Return file, line and function of the innermost frame of a plugin, in brackets; else of the innermost of all."""
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return ""
    home = _home(module)
    own = [found for found in frames if _is_in(str(found[0].f_globals.get("__name__", "")), home)]
    frame, line = (own or frames)[-1]
    return f"({_file(frame)}:{line} in {frame.f_code.co_name})"


def _home(module: str) -> str:
    """Return the package that is a plugin's own: the first part of its name, or the third of a built-in one's."""
    return ".".join(module.split(".")[: 3 if module.startswith("tonesmith.") else 1])


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _file(frame: FrameType) -> str:
    """Return a file as its module's package has it: ``tonesmith_pluck.py``, ``pluck/strings.py``."""
    path = Path(frame.f_code.co_filename)
    depth = str(frame.f_globals.get("__name__", "")).count(".") + 1 + (path.name == "__init__.py")
    return "/".join(path.parts[-depth:])
