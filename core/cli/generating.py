"""What ``tonesmith generate`` does once it knows what to make: save, show or make it, and say so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tonesmith.errors import ConfigError, SpaceError
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo, say
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.host.config import Config
    from tonesmith.plan.share import Share
    from tonesmith.run.resolve import Resolved

_REFUSED_SHOWN = 10


def save(config: Config, path: Path, host: Host) -> None:
    """Write a composition to a file. Raises :class:`ConfigError` if that cannot be done."""
    from tonesmith.cli.schema_file import save_composition

    try:
        save_composition(config, path, host)
    except OSError as error:
        raise ConfigError(f"--save-config: cannot write {path}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Manner:
    """How a person is spoken to: without a question, in JSON, without progress."""

    yes: bool
    as_json: bool
    quiet: bool


def make(
    config: Config,
    file: Path | None,
    out: Path,
    host: Host,
    log: Path | None,
    share: Share | None,
    manner: Manner,
) -> None:
    """Make a dataset, or what is left of it, and tell what was made.

    Args:
        config: the composition.
        file: that it was read from, if any.
        out: path of the dataset.
        host: finds the plugins.
        log: file that hears of the run.
        share: the blocks to make; None for all.
        manner: how to tell it.
    """
    from tonesmith.cli.ahead import check_size, is_here
    from tonesmith.cli.summary import next_lines, summary_lines
    from tonesmith.run.log import logging_to
    from tonesmith.run.pipeline import check_place, run
    from tonesmith.run.progress import progress
    from tonesmith.run.resolve import resolve_plan
    from tonesmith.run.staff import executor_of

    executor = executor_of(config.executor, host)
    check_place(out, host, config.sink.name)
    with logging_to(log) if log is not None else nullcontext() as kept:
        with _unrendered(), located(file), reading(quiet=manner.quiet) as read:
            resolved = resolve_plan(config, host, read)
            check_size(resolved, out, host, config.run.workers, share, here=is_here(config), yes=manner.yes)
        if not manner.quiet:
            _tell_presets(resolved)
        with progress(quiet=manner.quiet, determinism=resolved.determinism) as shown:
            watcher = kept.watching(shown) if kept is not None else shown
            made = partial(run, workers=config.run.workers, host=host, executor=executor, share=share)
            summary = made(resolved, out, watcher=watcher)
    if manner.as_json:
        echo(json_text({**summary.to_json(), **_presets_json(resolved)}))
    else:
        offered = sys.stdout.isatty() and not manner.quiet
        echo("\n".join([*summary_lines(summary), *(next_lines(summary) if offered else ())]))
    if summary.interrupted and not summary.done:
        raise typer.Exit(130)


def plan_only(
    config: Config,
    file: Path | None,
    out: Path | None,
    host: Host,
    share: Share | None,
    manner: Manner,
) -> None:
    """Show a plan, its size and time. Arguments as for :func:`make`; ``out`` may be None."""
    from tonesmith.cli.ahead import ahead_lines, is_here, plan_lines
    from tonesmith.run.ahead import look_ahead
    from tonesmith.run.pipeline import Work, survey
    from tonesmith.run.resolve import resolve_plan

    with located(file), reading(quiet=manner.quiet) as read:
        resolved = resolve_plan(config, host, read)
    plan = resolved.plan
    if not manner.as_json:
        _tell_presets(resolved)
    todo = tuple(share or range(plan.blocks))
    work = survey(plan, out, host, share) if out is not None else Work(plan, {}, todo, exists=False)
    expected = look_ahead(resolved, work, out, host, config.run.workers, here=is_here(config))
    if manner.as_json:
        done = sum(work.done.values())
        ahead = {"rows": work.rows_todo, "rows_done": done, "blocks": len(work.todo), "exists": work.exists}
        told = {
            "path": str(out) if out else None,
            "plan": work.plan.to_json(),
            "work": ahead,
            "estimate": expected.to_json(),
        }
        echo(json_text({**told, **_presets_json(resolved)}))
    else:
        workers = expected.workers or f"as {config.executor.name} has places"
        echo("\n".join([*plan_lines(work, out, workers, resolved.determinism), *ahead_lines(expected)]))


@contextmanager
def _unrendered() -> Iterator[None]:
    """Say of a Ctrl-C that it came before the first render."""
    try:
        yield
    except KeyboardInterrupt:
        say("stopped; nothing was rendered.")
        raise typer.Exit(130) from None


@contextmanager
def reading(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows how many preset files have been read."""
    from tonesmith.terminal.progress import spinner

    with spinner("reading presets", hidden=quiet) as told:
        yield lambda done, files: told(f"{done} of {files}")


def _tell_presets(resolved: Resolved) -> None:
    """Report how many presets were read, how many are duplicates, and which were refused and why."""
    from tonesmith.terminal.text import counted

    plan = resolved.plan
    if not plan.presets:
        return
    copies = f", {counted(len(resolved.copies), 'duplicate file')} left out" if resolved.copies else ""
    refused = f", {len(resolved.refused)} refused" if resolved.refused else ""
    echo(f"presets: {len(plan.presets)} read{copies}{refused}", err=True)
    if resolved.remarked:
        told = f"{counted(resolved.remarked, 'preset')} came with remarks, which `tonesmith presets list` shows"
        echo(f"  {told}", err=True)
    for item in resolved.refused[:_REFUSED_SHOWN]:
        echo(f"  {item.place}: {item.reason}", err=True)
    if len(resolved.refused) > _REFUSED_SHOWN:
        more = len(resolved.refused) - _REFUSED_SHOWN
        echo(f"  and {more} more; tonesmith presets check lists all", err=True)


def _presets_json(resolved: Resolved) -> dict[str, Any]:
    if not resolved.plan.presets:
        return {}
    refused = [{"path": str(r.path), "member": r.member, "reason": r.reason} for r in resolved.refused]
    return {
        "presets": {
            "read": len(resolved.plan.presets),
            "copies": [str(path) for path in resolved.copies],
            "refused": refused,
            "remarked": resolved.remarked,
        }
    }


@contextmanager
def located(file: Path | None) -> Iterator[None]:
    """Add the line of the composition to an error about a key that the live engine does not allow."""
    from tonesmith.host.config import DEFAULT_FILE
    from tonesmith.host.toml import read_toml

    try:
        yield
    except SpaceError as error:
        path = file or DEFAULT_FILE
        source = read_toml(path) if path.suffix == ".toml" and path.is_file() else None
        where = source.where(error.path) if source and error.path in source.lines else ""
        raise SpaceError(f"{where}{error}", error.path) from None
