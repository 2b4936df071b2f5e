"""The command that takes out what is faulty: ``sanitise``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tonesmith.corpus.commands.options import WAIT, DryRun, Json, PathArgument, Quiet, Wait, names_of
from tonesmith.errors import ConfigError
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text


def sanitise(  # noqa: PLR0913, PLR0917 - a parameter for each flag
    path: PathArgument,
    checks: Annotated[
        str,
        typer.Option(
            "--with",
            metavar="NAMES",
            help="What to look for, with commas: corrupt, silence, clipping, dc, rate, channels, length, notes, "
            "duplicates.",
            show_default="all",
        ),
    ] = "",
    silence: Annotated[
        float, typer.Option("--silence", metavar="DBFS", help="A recording is silent whose loudest 50 ms are below.")
    ] = -60.0,
    clipping: Annotated[
        float, typer.Option("--clipping", metavar="SHARE", help="Samples that may be in flat tops at full scale.")
    ] = 0.001,
    dc: Annotated[float, typer.Option("--dc", metavar="LEVEL", help="Mean that a channel may have, of full scale.")] = (
        0.02
    ),
    rates: Annotated[
        str, typer.Option("--rate", metavar="HZ", help="Sample rates wanted, with commas.", show_default="any")
    ] = "",
    channels: Annotated[
        str, typer.Option("--channels", metavar="N", help="Numbers of channels wanted.", show_default="any")
    ] = "",
    shortest: Annotated[
        float, typer.Option("--shortest", metavar="SECONDS", help="Time that a recording must last.")
    ] = 0.05,
    longest: Annotated[
        float, typer.Option("--longest", metavar="SECONDS", help="Time that an item may last.", show_default="any")
    ] = 0.0,
    stuck: Annotated[float, typer.Option("--stuck", metavar="SECONDS", help="Time that a note may last.")] = 60.0,
    likeness: Annotated[
        float, typer.Option("--likeness", metavar="0.5..1", help="Likeness from which two recordings are one.")
    ] = 0.9,
    deep: Annotated[bool, typer.Option("--deep", help="Read and measure every file again.")] = False,
    restore: Annotated[
        list[str] | None,
        typer.Option("--restore", metavar="ITEM", help="Bring an item back, and keep it. Repeat it for several."),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List what was removed, and change nothing.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    wait: Wait = WAIT,
) -> None:
    """Move faulty items out of a corpus, each with its reason, into removed/. Nothing is deleted.

    What was made from an item goes with it. A file is measured once; an item that you restore is kept.
    """
    from tonesmith.corpus.cleaning.limits import Limits
    from tonesmith.corpus.cleaning.printed import removed_lines, restored_lines, sanitised_lines
    from tonesmith.corpus.corpus import Corpus

    limits = Limits(
        silence,
        clipping,
        dc,
        _numbers("rate", rates),
        _numbers("channels", channels),
        shortest,
        longest,
        stuck,
        likeness,
    )
    told: dict[str, Any] = {"path": str(path), "dry_run": dry_run}
    with Corpus(path, wait=wait) as corpus:
        if listed:
            every = corpus.removed()
            told, lines = {**told, "removed": every}, removed_lines(path, every)
        elif restore:
            back = corpus.restore(*restore, dry_run=dry_run)
            told, lines = {**told, "restored": back, "items": len(corpus)}, restored_lines(path, back, dry_run=dry_run)
        else:
            done = corpus.sanitise(*names_of(checks), limits=limits, deep=deep, dry_run=dry_run, progress=not quiet)
            told, lines = {**told, **done.to_json()}, sanitised_lines(path, done, dry_run=dry_run)
    echo(json_text(told) if as_json else "\n".join(lines))


def _numbers(option: str, text: str) -> tuple[int, ...]:
    try:
        return tuple(map(int, names_of(text)))
    except ValueError:
        raise ConfigError(f"--{option}: {text!r} is not a list of numbers, such as 44100,48000.") from None
