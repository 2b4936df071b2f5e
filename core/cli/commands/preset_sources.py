"""``tonesmith presets find`` and ``download``: find presets on this machine, and download more."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.options import Json, Quiet
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.presets.collections import Collection
    from tonesmith.presets.download import Downloaded
    from tonesmith.presets.folders import Place, Tally

_UNSTATED = "not stated"

_Suffix = Annotated[str, typer.Option("--suffix", metavar=".EXT", help="Suffix of the preset files.")]
_Cache = Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Folder of downloaded collections.")]


def find(
    suffix: _Suffix = ".vital",
    cache: _Cache = None,
    as_json: Json = False,
) -> None:
    """Find presets in the usual folders of Vital or Surge XT, and in downloaded collections."""
    from tonesmith.presets.folders import places, preset_folders

    looked = places(cache=cache, suffix=suffix)
    found = preset_folders(suffix, cache=cache)
    if as_json:
        echo(json_text({"found": [_told(*each) for each in found], "looked_in": [str(p.path) for p in looked]}))
    elif found:
        echo("\n".join(line for each in found for line in _place_lines(*each)))
    else:
        echo("\n".join(_nowhere(suffix, looked)))


def _told(place: Place, tally: Tally) -> dict[str, Any]:
    of = place.collection
    credit = {"collection": of.name, "author": of.author, "licence": of.licence, "commit": of.commit} if of else {}
    return {"path": str(place.path), "what": place.what, **asdict(tally), **credit}


def _place_lines(place: Place, tally: Tally) -> Iterator[str]:
    from tonesmith.terminal.text import counted, size

    licence = f", {place.collection.licence or 'licence ' + _UNSTATED}" if place.collection else ""
    yield f"{place.what}: {counted(tally.presets, 'preset')}, {size(tally.nbytes)}{licence}"
    yield f"  {place.path}"


def _nowhere(suffix: str, looked: Sequence[Place]) -> Iterator[str]:
    yield f"No {suffix} presets were found. Looked in:"
    yield from (f"  {place.path}  ({place.what})" for place in looked)
    yield "Collections to download: tonesmith presets download --list"


def download(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Names of collections. Without one, all are listed.")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="Any git repository, by URL or path.")] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of that collection.", show_default="the end of its URL")
    ] = None,
    subfolder: Annotated[
        str, typer.Option("--subfolder", metavar="PATH", help="Subfolder of the repository that holds presets.")
    ] = "",
    licence: Annotated[
        str, typer.Option("--licence", metavar="ID", help="Licence of its presets, such as CC-BY-4.0.")
    ] = "",
    author: Annotated[str, typer.Option("--author", help="Author of its presets.")] = "",
    commit: Annotated[
        str, typer.Option("--commit", metavar="HASH", help="Commit to download.", show_default="newest")
    ] = "",
    suffix: _Suffix = ".vital",
    table: Annotated[
        Path | None,
        typer.Option("--table", metavar="FILE", help="TOML table of collections, instead of the built-in one."),
    ] = None,
    cache: _Cache = None,
    listing: Annotated[bool, typer.Option("--list", help="List the collections, then stop.")] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Download collections again that are already there.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Download collections of presets with git: one commit, one folder, and its licence.

    Without a name, lists the known collections.
    """
    from tonesmith.presets.download import download as brought
    from tonesmith.terminal.progress import spinner

    keys = {
        "url": url or "",
        "subfolder": subfolder,
        "licence": licence,
        "author": author,
        "commit": commit,
        "suffix": suffix,
    }
    given = {key: value for key, value in keys.items() if value and (key, value) != ("suffix", ".vital")}
    chosen = _chosen(names or [], given, name, table)
    if listing or not (names or url):
        _list(chosen, as_json=as_json)
        return
    done: list[dict[str, Any]] = []
    for collection in chosen:
        with spinner(collection.name, hidden=quiet) as progress:
            result = brought(collection, cache, update=update, progress=progress)
        done.append(_result(result))
        if not as_json:
            echo("\n".join(_result_lines(result, done[-1])))
    if as_json:
        echo(json_text(done))


def _chosen(names: Sequence[str], given: Mapping[str, str], name: str | None, table: Path | None) -> list[Collection]:
    """Return the collections that the arguments name: of the table, or the one of --url."""
    from tonesmith.errors import ConfigError, unknown_name
    from tonesmith.presets.collections import collection_from, collections

    if "url" in given:
        if names:
            raise ConfigError(f"--url and {names[0]!r} are two collections. Download them one after the other.")
        return [collection_from(name or _last_part(given["url"]), given)]
    alone = [f"--{key}" for key in [*given, *(["name"] if name else [])]]
    if alone:
        raise ConfigError(f"{alone[0]} describes a collection at --url, but --url is missing.")
    known = collections(table)
    for asked in names:
        if asked not in known:
            raise ConfigError(unknown_name("collection", asked, known))
    return [known[asked] for asked in dict.fromkeys(names)] if names else list(known.values())


def _last_part(url: str) -> str:
    return url.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1].removesuffix(".git")


def _list(chosen: Sequence[Collection], *, as_json: bool) -> None:
    from tonesmith.presets.collections import without_secret

    if as_json:
        echo(json_text([{**asdict(c), "url": without_secret(c.url)} for c in chosen]))
        return
    for c in chosen:
        licence, author = c.licence or f"licence {_UNSTATED}", f"by {c.author}" if c.author else f"author {_UNSTATED}"
        echo(f"{c.name}: {c.synth}, {licence}, {author}")
        echo(f"  {without_secret(c.url)}{', ' + c.subfolder if c.subfolder else ''}")


def _result(result: Downloaded) -> dict[str, Any]:
    from tonesmith.presets.folders import tally

    found = tally(result.folder, result.collection.suffix)
    return {
        **asdict(result.collection),
        "path": str(result.folder),
        "fresh": result.fresh,
        "shallow": result.shallow,
        **asdict(found),
        "nbytes_on_disk": tally(result.root, "").nbytes,
    }


def _result_lines(result: Downloaded, told: Mapping[str, Any]) -> Iterator[str]:
    from tonesmith.terminal.text import counted, size

    of = result.collection
    state = "already there" if not result.fresh else "downloaded"
    if result.before:
        state = "unchanged" if result.before == of.commit else f"updated from {result.before[:12]}"
    yield f"{of.name}: {state}, {counted(told['presets'], 'preset')}, {size(told['nbytes_on_disk'])} on disk"
    yield f"  author   {of.author or _UNSTATED}"
    stated = f", stated in {of.licence_file}" if of.licence_file else ""
    yield f"  licence  {of.licence}{stated}" if of.licence else f"  licence  {_UNSTATED}: give it with --licence"
    yield f"  commit   {of.commit}{'' if result.shallow else ' (downloaded with its whole history)'}"
    yield f"  folder   {told['path']}"
    if told["presets"]:
        yield f"next: tonesmith presets list {shlex.quote(told['path'])}"
    else:
        yield f"There is no {of.suffix} file in it."
