"""Steps done one after the other, and gone on with where they stopped."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import typer

from tonesmith.corpus.errors import CorpusNotFoundError
from tonesmith.corpus.running.reading import Step, Steps
from tonesmith.corpus.store import Store
from tonesmith.errors import ConfigError, unknown_name
from tonesmith.terminal.messages import echo

_SETTING: Final = "run"
_GATE: Final = "check"
"""The step that lets nothing faulty pass: what follows it is not done if it finds faults."""


@dataclass
class Done:
    """What became of the steps.

    Attributes:
        steps: each with ``step``, ``command``, ``exit_code`` (None if it was not done now), and ``result``, what the
            command prints as JSON.
        complete: whether the last was done.
    """

    steps: list[dict[str, Any]] = field(default_factory=list)
    complete: bool = False

    @property
    def exit_code(self) -> int:
        """Return 1 if any step said that something is wrong."""
        return int(not self.complete or any(one["exit_code"] for one in self.steps))


def first_step(steps: Steps, named: str) -> int:
    """Return the number of the step to begin with: one that is named, or where the same steps stopped the last time.

    Raises :class:`ConfigError` for a name that is not among them.
    """
    names = [step.name for step in steps.every]
    if named:
        if named not in names:
            raise ConfigError(f"--from: {unknown_name('step', named, names)}")
        return names.index(named)
    with contextlib.suppress(CorpusNotFoundError), Store(steps.corpus) as corpus:
        row = corpus.connection.execute("SELECT value FROM settings WHERE name = ?", (_SETTING,)).fetchone()
        said = json.loads(row[0]) if row else {}
        if said.get("digest") == steps.digest:
            return int(said["next"])
    return 0


def do(steps: Steps, first: int, context: typer.Context, *, as_json: bool, quiet: bool) -> Done:
    """Do the steps from the first on.

    A step whose command says that something is wrong, with the exit code 1, does not stop the others, unless it is
    ``check``. One that fails stops them, and the next run begins with it.
    """
    done, count, shut = Done(), len(steps.every), False
    for number, step in enumerate(steps.every):
        told: dict[str, Any] = {"step": step.name, "command": str(step), "exit_code": None, "result": None}
        done.steps.append(told)
        if number < first or shut:
            continue
        _remember(steps, number)
        if not as_json:
            echo(f"step {number + 1} of {count}: {step}")
        told["exit_code"], told["result"] = _called(step, context, as_json=as_json, quiet=quiet)
        shut = bool(told["exit_code"]) and step.name == _GATE and number + 1 < count
    if not shut:
        _remember(steps, None)
        done.complete = True
    return done


def _remember(steps: Steps, number: int | None) -> None:
    """Note with which step the next run begins; with None, that it begins anew."""
    with contextlib.suppress(CorpusNotFoundError), Store(steps.corpus) as corpus, corpus.locked():
        said = json.dumps({"digest": steps.digest, "next": number or 0})
        corpus.connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (_SETTING, said))


def _called(step: Step, context: typer.Context, *, as_json: bool, quiet: bool) -> tuple[int, Any]:
    """Return the exit code of a step's command, and what it printed if that is JSON."""
    more = [*(["--json"] if as_json else []), *(["--quiet"] if quiet else [])]
    if step.command is None:
        return _own_process(step, step.arguments(*more), as_json=as_json)
    with _printed(hidden=as_json) as printed:
        try:
            with step.command.make_context(step.name, step.arguments(*more), parent=context) as own:
                step.command.invoke(own)
            code = 0
        except typer.Exit as stop:
            code = stop.exit_code
    return code, _parsed(printed.getvalue())


def _own_process(step: Step, arguments: list[str], *, as_json: bool) -> tuple[int, Any]:
    words = [sys.executable, "-m", "tonesmith", step.name, *arguments]
    done = subprocess.run(words, stdout=subprocess.PIPE if as_json else None, text=True, check=False)
    if done.returncode > 1:
        raise typer.Exit(done.returncode)
    return done.returncode, _parsed(done.stdout or "")


@contextmanager
def _printed(*, hidden: bool) -> Iterator[io.StringIO]:
    """Keep what is printed, and from the terminal, if it is to be hidden."""
    kept = io.StringIO()
    with contextlib.redirect_stdout(kept) if hidden else contextlib.nullcontext():
        yield kept


def _parsed(text: str) -> Any:
    with contextlib.suppress(json.JSONDecodeError):
        return json.loads(text)
    return None
