"""``tonesmith generate``: make a dataset, or continue one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.options import Blocks, Json, Quiet, ShareOf, listed
from tonesmith.errors import ConfigError, DatasetError, SpaceError, TonesmithError
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo, say
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.cli.flags import Flag
    from tonesmith.host.config import Config
    from tonesmith.plan.share import Share
    from tonesmith.run.resolve import Resolved

_SEVERAL = {"--validator": "validators", "--feature": "features"}
_ROLES = {"--backend": "backend", "--sampler": "sampler", "--sink": "sink", "--executor": "executor"}
_NAMED = {"--config": "config", **_ROLES}
_SPELLED = {role: flag for flag, role in (_ROLES | _SEVERAL).items()}


def generate_command(arguments: Sequence[str] | None, host: Host, *, lenient: bool = False) -> Callable[..., None]:
    """Return the command, with the flags of the plugins that the arguments choose.

    Args:
        arguments: those after ``generate``; None if another command runs and no flags are needed.
        host: where plugins are looked up.
        lenient: whether to take the defaults where the configuration is wrong, for help and completion.

    Raises :class:`ConfigError` if the configuration is wrong, or a flag belongs to no chosen plugin.
    """
    if arguments is None:
        return listed(_generate.__doc__)
    from tonesmith.cli.flags import flagged

    return flagged(_generate, arguments, lambda words, mild: _flags(words, host, lenient=mild), lenient=lenient)


def _flags(arguments: Sequence[str], host: Host, *, lenient: bool) -> tuple[Flag, ...]:
    from tonesmith.cli.flags import flags_of
    from tonesmith.host.composition import compose, load_config
    from tonesmith.host.toml import TomlSource

    named = named_plugins(arguments)
    path = named.pop("config", None)
    try:
        if path and not path.endswith(".toml"):  # a dataset, whose reader costs what help should not
            from tonesmith.card.composition import load_composition

            config = load_composition(Path(path), named, host=host, spelled=_SPELLED)
        else:
            config = load_config(Path(path) if path else None, named, host=host, spelled=_SPELLED)
    except TonesmithError:
        if not lenient:
            _check_installed(arguments, host)
            raise
        config = compose(TomlSource("", {}), {}, host=host)
    return flags_of(config, host)


def _check_installed(arguments: Sequence[str], host: Host) -> None:
    """Raise :class:`PluginError` if an argument is a dataset whose plugins are not here: that is why one is unknown."""
    from tonesmith.dataset.installed import installed
    from tonesmith.dataset.opening import open_dataset

    for word in arguments:
        if not word.startswith("-") and Path(word).exists():
            with suppress(DatasetError):
                installed(open_dataset(word), Path(word), host)


def named_plugins(arguments: Sequence[str]) -> dict[str, Any]:
    """Return what the arguments give as ``config``, and as the plugins of each role."""
    named: dict[str, Any] = {}
    words = iter(arguments)
    for word in words:
        if word == "--":
            break
        flag, equals, value = word.partition("=")
        if flag in _NAMED:
            named[_NAMED[flag]] = value if equals else next(words, "")
        elif flag in _SEVERAL:
            named.setdefault(_SEVERAL[flag], []).append(value if equals else next(words, ""))
    return named


def _names_of(role: str) -> Callable[[], list[str]]:
    """Return what completes the name of a plugin."""
    return lambda: [record.name for record in Host.load().plugins() if record.role == role]


_PLUGINS = "Plugins"
_REFUSED_SHOWN = 10


def _generate(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    out: Annotated[Path | None, typer.Argument(metavar="OUT", help="Path of the dataset.")] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Composition to use, or a dataset to take it from.",
            show_default="./plugins.toml if it exists",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, its size and time, then stop.")] = False,
    save_config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the resolved composition to FILE. Without OUT, do only that."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Log the run in FILE: events, rejections, and what engines print."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Start a run of any size without asking.")] = False,
    blocks: Blocks = None,
    share: ShareOf = None,
    as_json: Json = False,
    quiet: Quiet = False,
    backend: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Synth to render with.", autocompletion=_names_of("backend"), rich_help_panel=_PLUGINS
        ),
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Sampler that draws the patches.",
            autocompletion=_names_of("sampler"),
            rich_help_panel=_PLUGINS,
        ),
    ] = None,
    validator: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Validator that checks each render. Repeat it for several.",
            autocompletion=_names_of("validator"),
            rich_help_panel=_PLUGINS,
        ),
    ] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Feature to compute of each row and store with it. Repeat it for several.",
            autocompletion=_names_of("feature"),
            rich_help_panel=_PLUGINS,
        ),
    ] = None,
    sink: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Sink that stores the dataset.",
            autocompletion=_names_of("sink"),
            rich_help_panel=_PLUGINS,
        ),
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Executor that starts the workers.",
            autocompletion=_names_of("executor"),
            rich_help_panel=_PLUGINS,
        ),
    ] = None,
    *,
    overrides: Mapping[str, Any],
    spelled: Mapping[str, str],
) -> None:
    """Make a dataset, or continue the one at OUT.

    Run the same command again to resume, or with a larger -n to extend.
    Flags override the file, and the file overrides the defaults shown here.
    """
    from tonesmith.card.composition import load_composition
    from tonesmith.plan.share import share_of

    chosen: dict[str, Any] = {"backend": backend, "sampler": sampler, "sink": sink, "executor": executor}
    chosen |= {"validators": validator or None, "features": feature or None}
    host = Host.load()
    composition = load_composition(config, {**chosen, **overrides}, host=host, spelled={**_SPELLED, **spelled})
    part = share_of(composition.plan.blocks, blocks, share, ("--blocks", "--share"))
    if save_config is not None:
        _save(composition, save_config, host)
    manner = _Manner(yes, as_json, quiet)
    if dry_run:
        _plan_only(composition, config, out, host, part, manner)
    elif out is not None:
        _make(composition, config, out, host, log, part, manner)
    elif save_config is None:
        raise ConfigError("OUT, the path of the dataset, is missing: tonesmith generate [flags] OUT")


def _save(config: Config, path: Path, host: Host) -> None:
    from tonesmith.cli.schema_file import save_composition

    try:
        save_composition(config, path, host)
    except OSError as error:
        raise ConfigError(f"--save-config: cannot write {path}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a person is spoken to: without a question, in JSON, without progress."""

    yes: bool
    as_json: bool
    quiet: bool


def _make(
    config: Config,
    file: Path | None,
    out: Path,
    host: Host,
    log: Path | None,
    share: Share | None,
    manner: _Manner,
) -> None:
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


def _plan_only(
    config: Config,
    file: Path | None,
    out: Path | None,
    host: Host,
    share: Share | None,
    manner: _Manner,
) -> None:
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
