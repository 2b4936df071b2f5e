"""``tonesmith vst3``: drafts of spec files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.backends.vst3.scan import Progress, Scan


def vst3_app() -> typer.Typer:
    """Return the sub-app."""
    app = typer.Typer(
        help="VST3: draft the spec file of a plugin.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.command("scan", epilog='tonesmith vst3 scan "Surge XT.vst3" -o surge.toml')(_scan)

    @app.callback()
    def vst3() -> None:
        """Keep ``scan`` a subcommand although it is the only one."""

    return app


def _scan(
    plugin: Annotated[str, typer.Argument(metavar="PLUGIN", help="Path of the .vst3 bundle.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="SPEC", help="Spec file to write (.toml).")],
    renders: Annotated[
        bool,
        typer.Option(
            "--renders/--no-renders", help="Move each parameter and render, to mark those that change nothing."
        ),
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Hide progress.")] = False,
) -> None:
    """Draft the spec file of a plugin, for you to edit.

    Lists the parameters by group, and marks those that change no render and those that may silence one.
    Then: tonesmith generate --backend vst3 --backend.plugin PLUGIN --backend.spec SPEC OUT.
    """
    from tonesmith.backends.vst3.scan import scan, write_draft

    with _progress(hidden=quiet) as progress:
        done = scan(plugin, out, listen=renders, force=force, progress=progress)
    write_draft(done, out)
    echo(json_text({"out": str(out), **done.to_json()}) if as_json else "\n".join(_lines(done, out)))


def _lines(done: Scan, out: Path) -> Iterator[str]:
    from tonesmith.terminal.table import table

    count = len(done.space.parameters)
    rows = [(group or "-", str(len(names)), ", ".join(names)) for group, names in done.groups().items()]
    yield from table(("group", "count", "parameters"), rows)
    yield ""
    yield f"{out}: {done.plugin}, {count} parameters, determinism {done.determinism or 'not measured'}"
    yield from (f"  {remark}" for remark in done.remarks)
    yield f"  constant   {_named(done.constant)}"
    yield f"  dangerous  {_named(done.dangerous)}"
    if done.failed:
        yield f"  failed     {_named(done.failed)}"


def _named(names: tuple[str, ...]) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f"{len(names)}: {', '.join(names[:6])}{more}"


@contextmanager
def _progress(*, hidden: bool) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=hidden or not console.is_terminal, transient=True) as bars:
        task = bars.add_task("moving parameters", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
