"""``tonesmith generate``: make a dataset, or continue one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.options import Blocks, Json, Quiet, ShareOf, listed
from tonesmith.errors import ConfigError, DatasetError, TonesmithError
from tonesmith.host.registry import Host
from tonesmith.terminal.text import joined

if TYPE_CHECKING:
    from tonesmith.cli.flags import Flag

_SEVERAL = {"--validator": "validators", "--feature": "features"}
_ROLES = {
    "--backend": "backend",
    "--sampler": "sampler",
    "--composer": "composer",
    "--sink": "sink",
    "--executor": "executor",
}
_COMPOSERS = {"--midi": ("files", "paths"), "--chords": ("chords", "chords")}
"""Flags that choose a composer, and the option of it that they set."""
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
        elif flag in _COMPOSERS:
            named["composer"] = _COMPOSERS[flag][0]
            if not equals:
                next(words, "")
        elif flag in _SEVERAL:
            named.setdefault(_SEVERAL[flag], []).append(value if equals else next(words, ""))
    return named


def _names_of(role: str) -> Callable[[], list[str]]:
    """Return what completes the name of a plugin."""
    return lambda: [record.name for record in Host.load().plugins() if record.role == role]


_PLUGINS = "Plugins"


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
    composer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Composer whose scores play each patch, instead of notes.",
            autocompletion=_names_of("composer"),
            rich_help_panel=_PLUGINS,
        ),
    ] = None,
    midi: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="MIDI file, folder or glob whose phrases play each patch: the composer files. Repeat it for several.",
            rich_help_panel=_PLUGINS,
        ),
    ] = None,
    chords: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Chords that play each patch, a bar each, such as C,Am7,F,G/B, or a chart with | between its bars: "
            "the composer chords.",
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
    from tonesmith.cli.generating import Manner, make, plan_only, save
    from tonesmith.plan.share import share_of

    chosen: dict[str, Any] = {"backend": backend, "sampler": sampler, "sink": sink, "executor": executor}
    chosen |= {"validators": validator or None, "features": feature or None}
    chosen |= _composer(composer, {"--midi": midi or None, "--chords": chords})
    host = Host.load()
    composition = load_composition(config, {**chosen, **overrides}, host=host, spelled={**_SPELLED, **spelled})
    part = share_of(composition.plan.blocks, blocks, share, ("--blocks", "--share"))
    if save_config is not None:
        save(composition, save_config, host)
    manner = Manner(yes, as_json, quiet)
    if dry_run:
        plan_only(composition, config, out, host, part, manner)
    elif out is not None:
        make(composition, config, out, host, log, part, manner)
    elif save_config is None:
        raise ConfigError("OUT, the path of the dataset, is missing: tonesmith generate [flags] OUT")


def _composer(name: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the override that chooses a composer, with the option of the flag that stands for one.

    Raises :class:`ConfigError` for two composers.
    """
    used = {flag: value for flag, value in given.items() if value is not None}
    if name is not None:
        used = {"--composer": name, **used}
    if len(used) > 1:
        raise ConfigError(f"{joined(list(used))}: each chooses the composer. Give one of them.")
    if name is not None or not used:
        return {"composer": name}
    ((flag, value),) = used.items()
    composer, option = _COMPOSERS[flag]
    listed = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    return {"composer": composer, f"composer.{option}": listed}
