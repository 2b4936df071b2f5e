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


_MOST = "that of most recordings"


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


def _convert(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    source: Annotated[Path, typer.Argument(metavar="SRC", help="Path of the dataset, or of a corpus to pack.")],
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
    window: Annotated[
        float | None,
        typer.Option(
            "--window", metavar="SECONDS", help="Of a corpus: length of each row.", show_default="whole items"
        ),
    ] = None,
    hop: Annotated[
        float | None,
        typer.Option(
            "--hop", metavar="SECONDS", help="Of a corpus: from one row to the next.", show_default="the window"
        ),
    ] = None,
    sample_rate: Annotated[
        int | None,
        typer.Option("--sample-rate", metavar="HZ", help="Of a corpus: sample rate of the rows.", show_default=_MOST),
    ] = None,
    channels: Annotated[
        int | None,
        typer.Option("--channels", metavar="INT", help="Of a corpus: channels of the rows.", show_default=_MOST),
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
    A corpus is packed: each item is a row, or each window of one, with its audio, score and labels.
    """
    from tonesmith.transfer.convert import convert

    host = Host.load()
    chosen = chosen_sink(sink, source, overrides, spelled, host)

    asked = {"window": window, "hop": hop, "sample_rate": sample_rate, "channels": channels}
    form = {name: value for name, value in asked.items() if value is not None}

    def digest(done: Transferred) -> str:
        if done.form is not None:
            return ""
        if done.same:
            return f"the same as that of {source}"
        if done.damaged:
            return f"differs from {source}: its damaged blocks are left out"
        if done.lossy:
            return f"differs from {source}: the sink {chosen.name!r} stores its audio with loss"
        return f"differs from {source}, which has other rows"

    carried_out(
        lambda listener: convert(source, path, chosen, form=form, workers=workers, host=host, listener=listener),
        f"converting {source.name}",
        digest,
        as_json=as_json,
        quiet=quiet,
    )
