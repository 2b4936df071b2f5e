"""``tonesmith convert``: store a dataset with another sink."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.options import Json, Processes, Quiet, listed
from tonesmith.cli.transfer import carried_out, chosen_sink, sink_flags, sink_names
from tonesmith.host.registry import Host

if TYPE_CHECKING:
    from tonesmith.transfer.destination import Transferred


def convert_command(arguments: Sequence[str] | None, host: Host, *, lenient: bool = False) -> Callable[..., None]:
    """Return the command, with the flags of the sink that the arguments choose.

    Args:
        arguments: those after ``convert``; None if another command runs and no flags are needed.
        host: where plugins are looked up.
        lenient: whether to take the defaults where the arguments are wrong, for help and completion.

    Raises :class:`ConfigError` if the sink is unknown, or a flag is not its own.
    """
    if arguments is None:
        return listed(_convert.__doc__)
    from tonesmith.cli.flags import flagged

    return flagged(_convert, arguments, lambda words, mild: sink_flags(words, host, lenient=mild), lenient=lenient)


def _convert(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="Path of the dataset.")],
    path: Annotated[Path, typer.Argument(metavar="DST", help="Path of the new dataset.")],
    sink: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Sink that stores the new dataset.",
            show_default="that of SRC",
            autocompletion=sink_names,
        ),
    ] = None,
    workers: Processes = 0,
    as_json: Json = False,
    quiet: Quiet = False,
    *,
    overrides: Mapping[str, Any],
    spelled: Mapping[str, str],
) -> None:
    """Store the rows of a dataset with another sink, and compare each block with its digest.

    Run the same command again to resume, or to add the rows that SRC has gained.
    If a block of SRC is damaged, the others are converted and the exit code is 1.
    """
    from tonesmith.transfer.convert import convert

    host = Host.load()
    chosen = chosen_sink(sink, source, overrides, spelled, host)

    def digest(done: Transferred) -> str:
        if done.same:
            return f"the same as that of {source}"
        if done.damaged:
            return f"differs from {source}: its damaged blocks are left out"
        if done.lossy:
            return f"differs from {source}: the sink {chosen.name!r} stores its audio with loss"
        return f"differs from {source}, which has other rows"

    carried_out(
        lambda listener: convert(source, path, chosen, workers=workers, host=host, listener=listener),
        f"converting {source.name}",
        digest,
        as_json=as_json,
        quiet=quiet,
    )
