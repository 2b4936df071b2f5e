"""What ``tonesmith convert`` and ``tonesmith merge`` share: the flags of the sink, the progress, the summary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tonesmith.buckets.address import place_of
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.cli.flags import Flag
    from tonesmith.plan.plan import PluginRef
    from tonesmith.transfer.blocks import Listener
    from tonesmith.transfer.destination import Transferred

_SHOWN = 20


def sink_flags(arguments: Sequence[str], host: Host, *, lenient: bool) -> tuple[Flag, ...]:
    """Return the flags of the sink that the arguments choose: by ``--sink``, else that of the first dataset they name.

    Raises :class:`ConfigError` for an unknown sink.
    """
    from tonesmith.cli.flags import flags_under, values_of

    named = next(iter(values_of("--sink", arguments)), None)
    chosen = {"sink": named or _sink_of(arguments, host)}
    return flags_under("sink.", chosen, {"sink": "--sink"}, host, lenient=lenient)


def _sink_of(arguments: Sequence[str], host: Host) -> str | None:
    values = {place + 1 for place, word in enumerate(arguments) if word in {"-o", "--out"}}
    paths = (place_of(word) for place, word in enumerate(arguments) if place not in values and not word.startswith("-"))
    return next((name for path in paths for name, cls in host.sinks().items() if cls.recognises(path)), None)


def sink_names() -> list[str]:
    """Return what completes the name of a sink."""
    return sorted(Host.load().sinks())


def chosen_sink(
    sink: str | None, source: Path, overrides: Mapping[str, Any], spelled: Mapping[str, str], host: Host
) -> PluginRef:
    """Return the sink that was chosen; without a name, that of a dataset, with its options under those given.

    Raises :class:`ConfigError` for an unknown name or option, :class:`DatasetError` if the dataset is none.
    """
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.host.composition import compose
    from tonesmith.host.readers import reader_at
    from tonesmith.host.toml import TomlSource
    from tonesmith.plan.plan import PluginRef

    base: dict[str, Any] = {}
    if sink is None and reader_at(source, host) is None:
        there = open_dataset(source).plan.sink
        sink, base = there.name, {f"sink.{key}": value for key, value in there.options.items()}
    given = {**({"sink": sink} if sink else {}), **base, **overrides}
    chosen = compose(TomlSource("", {}), given, host=host, spelled={"sink": "--sink", **spelled}).sink
    return PluginRef(chosen.name, chosen.options)


def carried_out(
    work: Callable[[Listener], Transferred],
    what: str,
    digest: Callable[[Transferred], str] | None = None,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Do the work, print its result, and exit with 1 if something was damaged, with 130 after Ctrl-C.

    Args:
        work: the work to do.
        what: the label of its progress, such as "merging m.zarr".
        digest: returns a comment on the digest.
        as_json: whether to print JSON.
        quiet: whether to show no progress.
    """
    from tonesmith.transfer.listening import listening

    try:
        with listening(what, hidden=quiet) as listener:
            done = work(listener)
    except KeyboardInterrupt:
        echo("tonesmith: interrupted. Finished blocks are kept. Run the same command to resume.", err=True)
        raise typer.Exit(130) from None
    echo(json_text(done.to_json()) if as_json else "\n".join(_lines(done, digest(done) if digest else "")))
    if done.damaged:
        raise typer.Exit(1)


def _form(form: Mapping[str, Any]) -> str:
    from tonesmith.terminal.text import counted

    of = "whole items" if "window" not in form else f"windows of {form['window']:g} s, one every {form['hop']:g} s"
    if "sample_rate" not in form:
        return f"{of}, without audio"
    return f"{of}, {form['sample_rate']} Hz, {counted(form['channels'], 'channel')}"


def _lines(done: Transferred, digest: str) -> Iterator[str]:
    from tonesmith.terminal.text import clock, counted, one_line, size

    rows = counted(done.rows, "row")
    if not done.complete:
        rows = f"{done.rows:,} of {counted(done.rows_planned, 'row')}"
    speed = f", {done.rows_added / done.seconds:.1f} rows/s" if done.rows_added and done.seconds else ""
    yield f"{done.path}: {rows} in {counted(done.blocks, 'block')}"
    yield f"  added     {counted(done.rows_added, 'row')} in {clock(done.seconds)}{speed}"
    if done.form is not None:
        yield f"  rows      {_form(done.form)}"
    yield f"  size      {size(done.nbytes)}, from {size(done.nbytes_before)}"
    yield f"  digest    {done.digest}"
    if digest:
        yield f"            {digest}"
    for found in done.damaged[:_SHOWN]:
        yield f"  left out  {f'block {found.block}' if found.block >= 0 else 'an asset'}: {one_line(found.what, 1000)}"
    if len(done.damaged) > _SHOWN:
        yield f"            and {len(done.damaged) - _SHOWN} more; --json lists all"
    if done.damaged:
        yield "Re-run the command that made the source to repair it, then this one."
    elif not done.complete:
        yield "The source is incomplete. Complete it, then run this command again to add the rest."
