"""``tonesmith doctor``: measure what a backend promises, on this machine."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.options import Json, Quiet, listed
from tonesmith.errors import ConfigError, TonesmithError
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.cli.flags import Flag
    from tonesmith.doctor.checkup import Checkup, Finding
    from tonesmith.host.config import Config

_TAKES_VALUE = ("--config", "--timeout", "--sample-rate", "--backend.")
_MARKS = {"ok": "ok", "warn": "!!", "fail": "XX"}


def doctor_command(arguments: Sequence[str] | None, host: Host, *, lenient: bool = False) -> Callable[..., None]:
    """Return the command, with the flags of the backend that the arguments choose.

    Args:
        arguments: those after ``doctor``; None if another command runs and no flags are needed.
        host: where plugins are looked up.
        lenient: whether to take the defaults where the configuration is wrong, for help and completion.

    Raises :class:`ConfigError` if the configuration is wrong, or a flag is not the backend's.
    """
    if arguments is None:
        return listed(_doctor.__doc__)
    from tonesmith.cli.flags import flagged

    return flagged(_doctor, arguments, lambda words, mild: _flags(words, host, lenient=mild), lenient=lenient)


def _flags(arguments: Sequence[str], host: Host, *, lenient: bool) -> tuple[Flag, ...]:
    from tonesmith.cli.flags import flags_of

    backend, file = _chosen(arguments)
    if not (backend or file):
        odd = next((word for word in arguments if word.startswith(("--backend.", "--sample-rate"))), "")
        if odd and not lenient:
            raise ConfigError(f"{odd} needs a backend: tonesmith doctor BACKEND {odd} ...")
        return ()
    try:
        config = _config(backend, Path(file) if file else None, {}, host)
    except TonesmithError:
        if not lenient:
            raise
        return ()
    return tuple(
        flag for flag in flags_of(config, host) if flag.key == "plan.sample_rate" or flag.key.startswith("backend.")
    )


def _chosen(arguments: Sequence[str]) -> tuple[str, str]:
    """Return the backend and the file that arguments name, or "" for what they do not."""
    backend = file = ""
    words = iter(arguments)
    for word in words:
        flag, equals, value = word.partition("=")
        if flag == "--config":
            file = value if equals else next(words, "")
        elif flag.startswith(_TAKES_VALUE) and not equals:
            next(words, "")
        elif not word.startswith("-") and not backend:
            backend = word
    return backend, file


def _config(
    backend: str, file: Path | None, overrides: Mapping[str, Any], host: Host, spelled: Mapping[str, str] | None = None
) -> Config:
    from tonesmith.host.composition import load_config

    named = {"backend": "BACKEND", **(spelled or {})}
    return load_config(file, {"backend": backend or None, **overrides}, host=host, spelled=named)


def _backends() -> list[str]:
    return sorted(Host.load().backends())


def _doctor(
    backend: Annotated[
        str | None,
        typer.Argument(
            metavar="BACKEND", help="Synth to measure. Without it, all are measured.", autocompletion=_backends
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Composition to take the backend, its options and the sample rate from."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Try fewer patches and do not measure memory.")] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, metavar="SECONDS", help="Time limit for loading and for each render.")
    ] = 60.0,
    as_json: Json = False,
    quiet: Quiet = False,
    *,
    overrides: Mapping[str, Any],
    spelled: Mapping[str, str],
) -> None:
    """Measure what a backend promises: isolation, determinism, parameters, memory and speed.

    Exits with 1 if the backend breaks a promise, does not load or does not play.
    """
    from tonesmith.terminal.progress import spinner

    host = Host.load()
    checkups = []
    for name, options, sample_rate in _subjects(backend, config, overrides, spelled, host):
        with spinner(name, hidden=quiet) as progress:
            checkup = _examined(host, name, options, sample_rate, progress, quick=quick, timeout=timeout)
        checkups.append(checkup)
        if not as_json:
            echo("\n".join(_lines(checkup, asked=bool(backend or config))))
    if as_json:
        echo(json_text([{**checkup.to_json(), "sound": not checkup.faults} for checkup in checkups]))
    needs_options = not (backend or config)
    if any(checkup.faults and not (needs_options and checkup.wrong_input) for checkup in checkups):
        raise typer.Exit(1)


def _subjects(
    backend: str | None, file: Path | None, overrides: Mapping[str, Any], spelled: Mapping[str, str], host: Host
) -> Iterator[tuple[str, Mapping[str, Any], int]]:
    """Yield name, options and sample rate of each backend to examine."""
    if backend or file:
        config = _config(backend or "", file, overrides, host, spelled)
        yield config.backend.name, config.backend.options, config.plan.sample_rate
        return
    for name in sorted(host.backends()):
        yield name, {}, 44100


def _examined(
    host: Host,
    name: str,
    options: Mapping[str, Any],
    sample_rate: int,
    progress: Callable[[str], object],
    *,
    quick: bool,
    timeout: float,
) -> Checkup:
    from tonesmith.doctor.examine import examine

    return examine(
        host.find("backend", name),
        host.options_of("backend", name, options),
        sample_rate,
        thorough=not quick,
        load_seconds=timeout,
        render_seconds=timeout,
        progress=progress,
    )


def _lines(checkup: Checkup, *, asked: bool) -> Iterator[str]:
    if checkup.wrong_input and not asked:
        text = checkup.faults[0].measured
        yield from _wrapped(f"{checkup.backend}: not examined, because it needs options: {text}", "  ")
        return
    yield from _wrapped(f"{checkup.backend}: {_verdict(checkup)}", "  ")
    for finding in checkup.findings:
        yield from _finding_lines(finding)
    if checkup.said:
        yield "  What engines wrote last:"
        yield from (f"    {line}" for line in checkup.said)


def _verdict(checkup: Checkup) -> str:
    if checkup.determinism is None:
        return "does not load" if checkup.load_seconds is None else "does not play"
    floor = f" of {checkup.floor_db:.0f} dB" if checkup.determinism == "floor" and checkup.floor_db is not None else ""
    words = [f"{checkup.determinism}{floor}", f"isolation {checkup.isolation or 'unknown'}"]
    if checkup.load_seconds is not None:
        words.append(f"load {checkup.load_seconds:.1f} s")
    if checkup.render_seconds is not None:
        words.append(f"render {1000 * checkup.render_seconds:.0f} ms for {checkup.note_seconds:g} s")
    broken = len(checkup.faults)
    return ", ".join(words) + (f"; {broken} {'check fails' if broken == 1 else 'checks fail'}" if broken else "")


def _finding_lines(finding: Finding) -> Iterator[str]:
    head = f"  {_MARKS[finding.state]}  {finding.check:<14} "
    indent = " " * len(head)
    text = " ".join(finding.measured.split())
    yield from _wrapped(head + text, indent)
    if finding.cure:
        yield from _wrapped(indent + finding.cure, indent)


def _wrapped(text: str, indent: str) -> list[str]:
    width = min(shutil.get_terminal_size((80, 24)).columns, 100)
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)
