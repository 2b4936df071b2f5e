"""``tonesmith presets``: show what is in preset files, and check that they can be used."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.commands.preset_sources import download, find
from tonesmith.cli.commands.preset_tables import (
    check_line,
    details_of,
    found_json,
    plain,
    preset_json,
    preset_table,
    reason_of,
    shown_lines,
    summary_lines,
)
from tonesmith.cli.options import Engines, Json, Quiet
from tonesmith.errors import ConfigError, EngineError, TonesmithError
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.cli.flags import Flag
    from tonesmith.host.config import Config
    from tonesmith.host.roles import Backend, Options
    from tonesmith.presets.audition import Examination, Examined


_Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[PATH]...", help="Files, folders and globs.", show_default="those of ./plugins.toml"),
]
_Backend = Annotated[
    str | None,
    typer.Option(
        "--backend", metavar="NAME", help="Synth that reads them.", show_default="that of ./plugins.toml, else vita"
    ),
]
_Silent = Annotated[bool, typer.Option("--no-audition", help="Skip playback. Silence is then not checked.")]


HELP = "List, check, find and download presets."


def presets_app(arguments: Sequence[str], host: Host, *, lenient: bool = False) -> typer.Typer:
    """Return the sub-app. The commands that start an engine have the flags of the backend that the arguments choose.

    Args:
        arguments: those after ``presets``.
        host: where plugins are looked up.
        lenient: whether to take the defaults where the configuration is wrong, for completion.

    Raises :class:`ConfigError` if the configuration is wrong, or a flag is not the backend's.
    """
    from tonesmith.cli.flags import flagged, with_flags

    app = typer.Typer(
        help=HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    chosen = next((word for word in arguments if not word.startswith("-")), "")
    for name, command in (("list", _list), ("show", _show), ("check", _check)):
        if name == chosen:
            rest = arguments[arguments.index(name) + 1 :]
            app.command(name)(
                flagged(command, rest, lambda words, mild: _flags(words, host, lenient=mild), lenient=lenient)
            )
        else:
            app.command(name)(with_flags(command, ()))
    app.command("find")(find)
    app.command("download")(download)
    return app


def _flags(arguments: Sequence[str], host: Host, *, lenient: bool) -> tuple[Flag, ...]:
    from tonesmith.cli.flags import flags_of

    words = [part for word in arguments for part in (word.split("=", 1) if word.startswith("--backend=") else [word])]
    name = next((value for flag, value in itertools.pairwise(words) if flag == "--backend"), None)
    try:
        config = _config(name, {}, host)
    except TonesmithError:
        if not lenient:
            raise
        return ()
    return tuple(flag for flag in flags_of(config, host) if flag.key.startswith("backend."))


def _config(
    backend: str | None, overrides: Mapping[str, Any], host: Host, spelled: Mapping[str, str] | None = None
) -> Config:
    from tonesmith.host.composition import load_config

    return load_config(None, {"backend": backend, **overrides}, host=host, spelled=spelled)


def _list(
    paths: _Paths = None,
    backend: _Backend = None,
    no_audition: _Silent = False,
    workers: Engines = 0,
    as_json: Json = False,
    quiet: Quiet = False,
    *,
    overrides: Mapping[str, Any],
    spelled: Mapping[str, str],
) -> None:
    """List presets, their authors and their contents. Each plays one note, to find silent ones.

    Exits with 1 if none can be read.
    """
    files = _files(paths or [], backend, overrides, spelled)
    found = _examined(files, 0 if no_audition else 1, workers, hidden=quiet)
    if as_json:
        echo(json_text(found_json(found)))
    else:
        echo("\n".join([*preset_table(found.presets), *summary_lines(found, len(files.paths))]))
    if not found.presets:
        raise typer.Exit(1)


def _show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Preset file.")],
    backend: _Backend = None,
    number: Annotated[
        int, typer.Option("--number", min=1, metavar="N", help="Number of the preset, in a file that holds several.")
    ] = 1,
    no_audition: _Silent = False,
    as_json: Json = False,
    *,
    overrides: Mapping[str, Any],
    spelled: Mapping[str, str],
) -> None:
    """Show one preset: author, modulations, assets, level, and every parameter that is not at its default.

    Exits with 1 if it cannot be read.
    """
    if not file.is_file():
        raise ConfigError(f"{file} is not a file. For folders and globs, use `tonesmith presets list`.")
    found = _examined(_files([file], backend, overrides, spelled), 0 if no_audition else 1, 1, hidden=True)
    shown = _numbered(found, number, file)
    if as_json:
        echo(json_text({**preset_json(shown), **details_of(shown, found.space)}))
    else:
        echo("\n".join(shown_lines(shown, found.space)))


def _numbered(found: Examination, number: int, file: Path) -> Examined:
    """Return a preset of a file by its number. One that is there twice is found at its first place."""
    for examined in found.presets:
        if max(examined.number, 1) == number:
            return examined
    for item in found.refused:
        if item.number in {0, number}:
            raise EngineError(f"{plain(item.place)}: {reason_of(item)}")
    known = ", ".join(str(max(examined.number, 1)) for examined in found.presets)
    raise ConfigError(f"{plain(str(file))} has no preset {number}, or it repeats another. It has: {known}.")


def _check(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, folders and globs.")],
    backend: _Backend = None,
    workers: Engines = 0,
    as_json: Json = False,
    quiet: Quiet = False,
    *,
    overrides: Mapping[str, Any],
    spelled: Mapping[str, str],
) -> None:
    """Check that presets can be read, and that each renders again from its label, bit for bit.

    Each plays one note in two engine processes. Exits with 1 if a file is refused, fails, or sounds different.
    """
    files = _files(paths, backend, overrides, spelled)
    found = _examined(files, 2, workers, hidden=quiet)
    if as_json:
        echo(json_text(found_json(found)))
    else:
        echo("\n".join([*map(check_line, found.presets), *summary_lines(found, len(files.paths))]))
    if found.refused or not all(map(_is_sound, found.presets)):
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Files:
    """Preset files, the synth that reads them, and the licence of those whose collection states none."""

    paths: Sequence[Path]
    backend: type[Backend[Any]]
    options: Options
    licence: str


def _files(paths: Sequence[Path], name: str | None, overrides: Mapping[str, Any], spelled: Mapping[str, str]) -> _Files:
    """Return the files that paths name, or those of ``plugins.toml`` here, whose backend and options count too."""
    from tonesmith.presets.files import preset_files

    host = Host.load()
    config = _config(name, overrides, host, spelled)
    licence = "" if paths else config.presets.licence
    paths = paths or [Path(path) for path in config.presets.paths]
    if not paths:
        raise ConfigError(
            "no presets are named. Give files, folders or globs, or set [presets] paths in plugins.toml. "
            "`tonesmith presets find` looks for some."
        )
    backend = host.find("backend", config.backend.name)
    if not backend.preset_suffixes:
        raise ConfigError(f"the backend {backend.name!r} cannot read presets")
    options = host.options_of("backend", config.backend.name, config.backend.options)
    files = preset_files([path.expanduser() for path in paths], backend.preset_suffixes)
    return _Files(files, backend, options, licence)


def _examined(files: _Files, plays: int, workers: int, *, hidden: bool) -> Examination:
    from tonesmith.engine.machine import cores
    from tonesmith.presets.audition import examine
    from tonesmith.terminal.progress import progress

    with progress("examining presets", "steps", hidden=hidden) as counter:
        counter.begin(len(files.paths) * (2 if plays else 1))
        return examine(
            files.paths,
            files.backend,
            files.options,
            Host.load(),
            plays=plays,
            workers=workers or cores(),
            licence=files.licence,
            progress=counter.advance,
        )


def _is_sound(examined: Examined) -> bool:
    heard = examined.heard
    return heard is not None and not heard.failure and heard.again is not False
