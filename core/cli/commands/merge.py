"""``tonesmith merge``: make one dataset from several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from tonesmith.cli.options import Json, Processes, Quiet, listed
from tonesmith.cli.transfer import carried_out, chosen_sink, sink_flags, sink_names
from tonesmith.host.registry import Host


def merge_command(arguments: Sequence[str] | None, host: Host, *, lenient: bool = False) -> Callable[..., None]:
    """Return the command, with the flags of the sink that the arguments choose. As ``convert_command``."""
    if arguments is None:
        return listed(_merge.__doc__)
    from tonesmith.cli.flags import flagged

    return flagged(_merge, arguments, lambda words, mild: sink_flags(words, host, lenient=mild), lenient=lenient)


def _merge(
    sources: Annotated[list[Path], typer.Argument(metavar="SRC", help="Paths of two or more datasets, in order.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Path of the new dataset.")],
    sink: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Sink that stores the new dataset.",
            show_default="that of the first",
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
    """Store the rows of several datasets as one, keeping their origins and presets.

    The datasets must be complete, and their labels must mean the same. Run the same command again to resume.
    """
    from tonesmith.transfer.merge import merge

    host = Host.load()
    chosen = chosen_sink(sink, sources[0], overrides, spelled, host)
    carried_out(
        lambda listener: merge(sources, out, chosen, workers=workers, host=host, listener=listener),
        f"merging {out.name}",
        as_json=as_json,
        quiet=quiet,
    )
