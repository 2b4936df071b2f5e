"""``tonesmith presets``: what is in preset files, and whether they can be used."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.options import Engines, Json, Quiet
from tonesmith.cli.preset_sources import download, find
from tonesmith.errors import ConfigError
from tonesmith.host import Host

if TYPE_CHECKING:
    from tonesmith.audition import Examination, Examined, Heard
    from tonesmith.ingest import Refused
    from tonesmith.parameter import Parameter
    from tonesmith.roles import Backend
    from tonesmith.space import ParameterSpace

_SHOWN = 20
_WIDTH = 80

_Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[PATH]...", help="Files, folders and globs; default those of ./plugins.toml."),
]
_Backend = Annotated[str | None, typer.Option("--backend", metavar="NAME", help="Synth; default vita.")]
_Silent = Annotated[bool, typer.Option("--no-audition", help="Do not play them: whether one is silent stays open.")]


def presets_app() -> typer.Typer:
    """Return the sub-app."""
    app = typer.Typer(
        help="List, check, find and download presets.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    for name, command in (("list", _list), ("show", _show), ("check", _check), ("find", find), ("download", download)):
        app.command(name)(command)
    return app


def _list(
    paths: _Paths = None,
    backend: _Backend = None,
    no_audition: _Silent = False,
    workers: Engines = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List presets: who made them, and what is in them. Each plays one note, to tell whether it is silent.

    Exits with 1 if none can be read.
    """
    files = _files(paths or [], backend)
    found = _examined(files, 0 if no_audition else 1, workers, hidden=quiet or as_json)
    if as_json:
        typer.echo(json.dumps(_told(found)))
    else:
        typer.echo("\n".join([*_table(found.presets), *_summary(found, len(files.paths))]))
    if not found.presets:
        raise typer.Exit(1)


def _show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Of the preset.")],
    backend: _Backend = None,
    number: Annotated[
        int, typer.Option("--number", min=1, metavar="N", help="Which preset of a file that holds several.")
    ] = 1,
    no_audition: _Silent = False,
    as_json: Json = False,
) -> None:
    """Show all of one preset: maker, modulations, assets, level, and each parameter that is not at its default.

    Exits with 1 if it cannot be read.
    """
    from tonesmith.errors import EngineError

    if not file.is_file():
        raise ConfigError(f"{file} is no file. `tonesmith presets list` takes folders and globs.")
    found = _examined(_files([file], backend), 0 if no_audition else 1, 1, hidden=True)
    if found.refused:
        raise EngineError(f"{plain(str(file))}: {_reason(found.refused[0])}")
    shown = _numbered(found.presets, number, file)
    if as_json:
        typer.echo(json.dumps({**_told_of(shown), **_details(shown, found.space)}))
    else:
        typer.echo("\n".join(_shown(shown, found.space)))


def _numbered(presets: Sequence[Examined], number: int, file: Path) -> Examined:
    """Return a preset of a file by its number. One that is there twice is found at its first place."""
    for examined in presets:
        if max(examined.number, 1) == number:
            return examined
    known = ", ".join(str(max(examined.number, 1)) for examined in presets)
    raise ConfigError(
        f"{plain(str(file))} has no preset {number} of its own; one that is there twice counts once. It has: {known}."
    )


def _check(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, folders and globs.")],
    backend: _Backend = None,
    workers: Engines = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check that presets can be read, and that each renders again from its label, bit for bit.

    Each plays one note in two engine processes. Exits with 1 if a file is refused, fails, or sounds otherwise.
    """
    files = _files(paths, backend)
    found = _examined(files, 2, workers, hidden=quiet or as_json)
    if as_json:
        typer.echo(json.dumps(_told(found)))
    else:
        typer.echo("\n".join([*map(_checked, found.presets), *_summary(found, len(files.paths))]))
    if found.refused or not all(map(_is_sound, found.presets)):
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Files:
    """Preset files, the synth that reads them, and the licence of those whose collection states none."""

    paths: Sequence[Path]
    backend: type[Backend[Any]]
    licence: str = ""


def _files(paths: Sequence[Path], name: str | None) -> _Files:
    """Return the files that paths name, or those of ``plugins.toml`` here."""
    from tonesmith.config import DEFAULT_FILE, DEFAULT_NAMES, load_config
    from tonesmith.ingest import preset_files

    host, licence = Host.load(), ""
    if not paths and DEFAULT_FILE.is_file():
        config = load_config(host=host)
        name, licence = name or config.backend.name, config.presets.licence
        paths = [Path(path) for path in config.presets.paths]
    if not paths:
        raise ConfigError(
            "no presets are named. Give files, folders or globs, or name them under [presets] paths in plugins.toml; "
            "`tonesmith presets find` looks for some."
        )
    backend = host.find("backend", name or DEFAULT_NAMES["backend"])
    if not backend.preset_suffixes:
        raise ConfigError(f"the backend {backend.name!r} reads no presets")
    return _Files(preset_files([path.expanduser() for path in paths], backend.preset_suffixes), backend, licence)


def _examined(files: _Files, plays: int, workers: int, *, hidden: bool) -> Examination:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from tonesmith.audition import examine
    from tonesmith.isolation import cores

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=hidden or not console.is_terminal, transient=True) as progress:
        task = progress.add_task("presets", total=len(files.paths) * (2 if plays else 1))
        return examine(
            files.paths,
            files.backend,
            Host.load(),
            plays=plays,
            workers=workers or cores(),
            licence=files.licence,
            progress=lambda steps: progress.advance(task, steps),
        )


def plain(text: str, width: int = 1000) -> str:
    """Return a text of unknown origin as one line that a terminal only prints, cut to a width."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= width else f"{flat[: width - 1]}…"


def _table(presets: Iterable[Examined]) -> list[str]:
    from tonesmith.cli.plugins import table

    rows = [
        (
            plain(e.preset.name, 20) or plain(e.path.stem, 20),
            plain(e.preset.author, 12),
            plain(e.preset.style, 9),
            plain(e.preset.version, 7),
            f"{e.size / 1024:4.0f}",
            f"{len(e.preset.patch.modulations):4}",
            f"{e.own}/{e.used}",
            " ".join(_flags(e)),
        )
        for e in presets
    ]
    heads = ("name", "author", "style", "version", " KiB", "mods", "wt", "flags")
    return [*table(heads, rows), ""] if rows else []


def _flags(examined: Examined) -> Iterator[str]:
    if examined.preset.random:
        yield "random"
    if examined.heard is not None:
        if examined.heard.failure:
            yield "fails"
        if examined.heard.reason:
            yield examined.heard.reason


def _summary(found: Examination, files: int) -> Iterator[str]:
    from tonesmith.markdown import counted

    yield f"{counted(len(found.presets), 'preset')} in {counted(files, 'file')}"
    copies = [(copy, e.path) for e in found.presets for copy in e.copies]
    yield from _some("copy", [f"{plain(str(copy))} of {plain(str(path))}" for copy, path in copies])
    yield from _some("refused", [f"{plain(str(item.path))}: {_reason(item)}" for item in found.refused])
    failed = [e for e in found.presets if e.heard is not None and e.heard.failure]
    yield from _some("fails", [f"{plain(str(e.path))}: {plain(e.heard.failure, 300)}" for e in failed if e.heard])
    for credit in _credits(found.presets)[:_SHOWN]:
        author, licence = plain(credit["author"]), plain(credit["licence"])
        yield f"  by        {credit['presets']:>4} {author or 'an unnamed author'}, {licence or 'no licence stated'}"


def _some(label: str, texts: Sequence[str]) -> Iterator[str]:
    for text in texts[:_SHOWN]:
        yield f"  {label:<9} {text}"
    if len(texts) > _SHOWN:
        yield f"  {label:<9} and {len(texts) - _SHOWN} more; --json lists all"


def _reason(refused: Refused) -> str:
    return plain(refused.reason, 300)


def _credits(presets: Iterable[Examined]) -> list[dict[str, Any]]:
    from tonesmith.preset import PresetRef, credits_of

    return credits_of(
        [PresetRef(e.preset.patch.preset, "", author=e.preset.author, licence=e.preset.licence) for e in presets]
    )


def _is_sound(examined: Examined) -> bool:
    heard = examined.heard
    return heard is not None and not heard.failure and heard.again is not False


def _checked(examined: Examined) -> str:
    path, heard = _place(examined), examined.heard
    assert heard is not None
    if heard.failure:
        return f"fails    {path}: {plain(heard.failure, 300)}"
    if heard.again is False:
        return f"differs  {path}: two engines gave different samples"
    return f"ok       {path}" + (f" ({heard.reason})" if heard.reason else "")


def _place(examined: Examined) -> str:
    """Return where a preset is: its file, and its number and name in one that holds several."""
    path, name = plain(str(examined.path)), plain(examined.preset.name, 20)
    return f"{path}: {examined.number} {name}".rstrip() if examined.number else path


def _told(found: Examination) -> dict[str, Any]:
    return {
        "presets": [_told_of(e) for e in found.presets],
        "refused": [{"path": str(item.path), "reason": _reason(item)} for item in found.refused],
        "credits": _credits(found.presets),
    }


def _told_of(examined: Examined) -> dict[str, Any]:
    preset = examined.preset
    texts = ("name", "author", "style", "comments", "version", "licence")
    return {
        "path": str(examined.path),
        "number": examined.number,
        "copies": [str(path) for path in examined.copies],
        "sha256": preset.patch.preset,
        "bytes": examined.size,
        **{key: getattr(preset, key) for key in texts},
        "modulations": len(preset.patch.modulations),
        "wavetables": {"own": examined.own, "used": examined.used},
        "random": list(preset.random),
        "heard": _told_heard(examined.heard),
    }


def _told_heard(heard: Heard | None) -> dict[str, Any] | None:
    if heard is None:
        return None
    measured = {name: value for name, value in heard.measured.items() if math.isfinite(value)}
    return {"failure": heard.failure, "reason": heard.reason, "measured": measured, "again": heard.again}


def _details(examined: Examined, space: ParameterSpace) -> dict[str, Any]:
    patch = examined.preset.patch
    audible = dict(zip(space.names, space.audible(patch).tolist(), strict=True))
    return {
        "routing": [
            {"source": m.source, "destination": m.destination, "amount": m.amount, "power": m.power}
            | {"bipolar": m.bipolar, "stereo": m.stereo, "bypass": m.bypass}
            for m in patch.modulations
        ],
        "assets": [_asset(examined, slot, sha, space) for slot, sha in patch.assets.items()],
        "parameters": {
            p.name: {"raw": raw, "text": p.text(raw), "audible": audible[p.name], "default": _is_default(p, raw)}
            for p in space.parameters
            for raw in (patch.values[p.name],)
        },
    }


def _asset(examined: Examined, slot: str, sha256: str, space: ParameterSpace) -> dict[str, Any]:
    from tonesmith.audition import asset_name

    content = examined.preset.assets[sha256]
    told = {"slot": slot, "sha256": sha256, "bytes": len(content), "name": plain(asset_name(content), 60)}
    return {**told, "default": space.assets.get(slot) == sha256}


def _is_default(parameter: Parameter, raw: float) -> bool:
    return math.isclose(raw, parameter.default, rel_tol=1e-6, abs_tol=1e-9)  # as near as float32 comes


def _shown(examined: Examined, space: ParameterSpace) -> Iterator[str]:
    from tonesmith.cli.progress import size

    preset, details = examined.preset, _details(examined, space)
    yield plain(str(examined.path))
    if examined.number:
        yield from _wrapped("number", str(examined.number))
    for label, text in (("name", preset.name), ("author", preset.author), ("style", preset.style)):
        yield from _wrapped(label, plain(text))
    yield from _wrapped("licence", plain(preset.licence) or "not stated")
    yield from _wrapped("comments", plain(preset.comments))
    yield from _wrapped("version", plain(preset.version))
    yield from _wrapped("file", size(examined.size))
    yield from _wrapped("sha256", preset.patch.preset)
    yield from _wrapped("sound", _sound(examined.heard))
    yield from _wrapped("random", ", ".join(preset.random) or "draws no random numbers")
    yield ""
    yield f"modulations: {len(details['routing'])}"
    for m in details["routing"]:
        switches = [name for name in ("bipolar", "stereo", "bypass") if m[name]]
        kind = f" ({', '.join(switches)})" if switches else ""
        yield f"  {m['source']} -> {m['destination']}  {m['amount']:.4g}{kind}"
    own = [asset for asset in details["assets"] if not asset["default"]]
    yield ""
    yield f"assets of its own: {len(own)}"
    for asset in own:
        yield f"  {asset['slot']:<17} {size(asset['bytes']):>10}  {asset['name']}".rstrip()
    yield ""
    yield from _changed(space, details["parameters"])


def _sound(heard: Heard | None) -> str:
    from tonesmith.audition import NOTE

    if heard is None:
        return "not played"
    if heard.failure:
        return f"fails: {plain(heard.failure, 300)}"
    note = f"pitch {NOTE.pitch}, velocity {NOTE.velocity}, held {NOTE.hold:g} s, {NOTE.tail:g} s after"
    levels = f"peak {heard.measured['peak']:.1f} dBFS, rms {heard.measured['rms']:.1f} dBFS"
    return f"{levels}{f' ({heard.reason})' if heard.reason else ''}; {note}"


def _changed(space: ParameterSpace, parameters: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    changed: dict[str, list[str]] = {}
    for parameter in space.parameters:
        told = parameters[parameter.name]
        if not told["default"]:
            name = parameter.name.removeprefix(f"{parameter.group}_")
            changed.setdefault(parameter.group, []).append(f"{name} = {told['text']}")
    yield f"parameters that are not at their default: {sum(map(len, changed.values()))} of {len(parameters)}"
    for group, texts in changed.items():
        yield from _wrapped(group, ", ".join(texts))


def _wrapped(label: str, text: str) -> list[str]:
    """Return lines of 80 columns in which a name and its value stay together; none for no text."""
    kept = text.replace(" = ", "\0=\0")
    lines = textwrap.wrap(kept, _WIDTH, initial_indent=f"  {label:<11} ", subsequent_indent=" " * 14)
    return [line.replace("\0", " ") for line in lines] if text else []
