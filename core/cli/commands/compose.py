"""``tonesmith compose``: scores of a composer as MIDI files, without any synth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.options import Json, Quiet, listed
from tonesmith.errors import ConfigError, TonesmithError
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo, say
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.cli.flags import Flag
    from tonesmith.host.roles import Composer
    from tonesmith.run.composed import Written

_TAKES_VALUE = ("-n", "--number", "-o", "--out", "--seed", "--seconds", "--composer.")
_USUAL = 10
_MOST = 1_000_000
_SHOWN = 12
"""Notices that are told."""


def compose_command(arguments: Sequence[str] | None, host: Host, *, lenient: bool = False) -> Callable[..., None]:
    """Return the command, with the flags of the composer that the arguments choose.

    Args:
        arguments: those after ``compose``; None if another command runs and no flags are needed.
        host: where plugins are looked up.
        lenient: whether to leave out the flags where the composer is unknown, for help and completion.

    Raises :class:`PluginError` for an unknown composer, and :class:`ConfigError` for a flag that is not its own.
    """
    if arguments is None:
        return listed(_compose.__doc__)
    from tonesmith.cli.flags import flagged

    return flagged(_compose, arguments, lambda words, mild: _flags(words, host, lenient=mild), lenient=lenient)


def _flags(arguments: Sequence[str], host: Host, *, lenient: bool) -> tuple[Flag, ...]:
    from tonesmith.cli.flags import flags_of_plugin

    name = _named(arguments)
    try:
        return flags_of_plugin("composer", name, host) if name else ()
    except TonesmithError:
        if not lenient:
            raise
        return ()


def _named(arguments: Sequence[str]) -> str:
    """Return the composer that arguments name, or ""."""
    words = iter(arguments)
    for word in words:
        if word.startswith(_TAKES_VALUE) and "=" not in word and not (word[:2] in {"-n", "-o"} and len(word) > 2):
            next(words, "")
        elif not word.startswith("-"):
            return word
    return ""


def _composers() -> list[str]:
    return sorted(Host.load().composers())


def _compose(  # noqa: PLR0913 - Typer makes a flag of each
    composer: Annotated[
        str, typer.Argument(metavar="COMPOSER", help="Composer of the scores.", autocompletion=_composers)
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for the files.", show_default=False)],
    number: Annotated[
        int | None,
        typer.Option(
            "--number",
            "-n",
            min=1,
            max=_MOST,
            metavar="INT",
            help="Number of scores.",
            show_default=f"{_USUAL}, or all of a fixed list",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="INT", help="Random seed.")] = 0,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", metavar="NUM", help="Seconds that a score may last.", show_default="no limit"),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that differ, and remove scores of other settings.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    *,
    overrides: Mapping[str, Any],
    spelled: Mapping[str, str],
) -> None:
    """Write scores as MIDI files, with a table of what is true of each, and no sound.

    The same composer, options, seed and index give the same bytes. Run the same command again to resume, or with a
    larger -n to add scores; files that are there already stay as they are.
    """
    from tonesmith.run.composed import number_of

    host = Host.load()
    made = _made(composer, overrides, spelled, seed, seconds, host)
    scores = number_of(made, number, _USUAL)
    done = _written(made, scores, out, host, force=force, hidden=quiet or as_json)
    if not quiet:
        _tell_remarks(made)
    echo(json_text(done.to_json()) if as_json else "\n".join(_lines(done)))


def _tell_remarks(composer: Composer[Any]) -> None:
    """Say what was left out of a fixed list, on the error stream."""
    remarks = composer.remarks()
    for remark in remarks[:_SHOWN]:
        say(remark)
    if len(remarks) > _SHOWN:
        say(f"and {len(remarks) - _SHOWN:,} more.")


def _made(
    name: str,
    overrides: Mapping[str, Any],
    spelled: Mapping[str, str],
    seed: int,
    seconds: float | None,
    host: Host,
) -> Composer[Any]:
    """Return the composer with its options. Raises :class:`ConfigError` for wrong ones, naming the flag."""
    from tonesmith.host.settings import InvalidSettings, dotted, validate

    if seconds is not None and not 0.0 < seconds <= 86400.0:
        raise ConfigError(f"--seconds: {seconds:g} is not allowed. Expected a number above 0 and up to 86,400.")
    if not 0 <= seed < 2**63:
        raise ConfigError(f"--seed: {seed} is not allowed. Expected an integer of at least 0.")
    plugin = host.find("composer", name)
    options = {key.removeprefix("composer."): value for key, value in overrides.items()}
    try:
        checked = validate(plugin.Options, options, ("composer",))
    except InvalidSettings as error:
        told = (f"{spelled.get(dotted(p.path[:2]), dotted(p.path))}: {p.text}" for p in error.problems)
        raise ConfigError("\n".join(told)) from None
    return plugin(checked, seed, seconds)


def _written(composer: Composer[Any], scores: int, out: Path, host: Host, *, force: bool, hidden: bool) -> Written:
    from tonesmith.run.composed import write_scores
    from tonesmith.terminal.progress import progress
    from tonesmith.terminal.text import counted

    by = next(r for r in host.plugins() if r.plugin is type(composer))
    made_by, done = f"{by.distribution} {by.version}", 0
    try:
        with progress(f"composing {composer.name}", "scores", hidden=hidden) as shown:
            shown.begin(scores)

            def count(number: int) -> None:
                nonlocal done
                done += number
                shown.advance(number)

            return write_scores(composer, scores, out, made_by=made_by, force=force, counted=count)
    except KeyboardInterrupt:
        told = f"{done:,} of {counted(scores, 'score')}"
        echo(f"tonesmith: interrupted after {told}. Run the same command to resume.", err=True)
        raise typer.Exit(130) from None


def _lines(done: Written) -> list[str]:
    from tonesmith.terminal.text import counted, size

    left = done.scores - done.written
    there = f", {left:,} were there" if left else ""
    return [
        f"{done.path}: {counted(done.scores, 'score')}, {size(done.nbytes)}",
        f"  written  {done.written:,}{there}",
        f"  table    {done.out}",
    ]
