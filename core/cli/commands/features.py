"""``tonesmith features``: which features a dataset has, and adding others to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.options import Json, Processes, Quiet, Trust, listed
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text, one_line

if TYPE_CHECKING:
    from tonesmith.cli.flags import Flag
    from tonesmith.dataset.reader import Dataset
    from tonesmith.plan.feature import StoredFeature
    from tonesmith.transfer.add_features import FeaturesAdded

_SHOWN = 20
_LONGEST = 300
"""Characters of a value of a definition that are shown."""


def features_command(arguments: Sequence[str] | None, host: Host, *, lenient: bool = False) -> Callable[..., None]:
    """Return the command, with the flags of the features that the arguments add.

    Args:
        arguments: those after ``features``; None if another command runs and no flags are needed.
        host: where plugins are looked up.
        lenient: whether to take the defaults where the arguments are wrong, for help and completion.

    Raises :class:`ConfigError` if a feature is unknown, or a flag is not its own.
    """
    if arguments is None:
        return listed(_features.__doc__)
    from tonesmith.cli.flags import flagged

    return flagged(_features, arguments, lambda words, mild: _flags(words, host, lenient=mild), lenient=lenient)


def _flags(arguments: Sequence[str], host: Host, *, lenient: bool) -> tuple[Flag, ...]:
    from tonesmith.cli.flags import flags_under, values_of

    names = [name for name in values_of("--add", arguments) if not lenient or host.has("feature", name)]
    return flags_under("features.", {"features": names}, {"features": "--add"}, host, lenient=lenient)


def _names() -> list[str]:
    return sorted(Host.load().features())


def _features(  # noqa: PLR0913 - Typer makes a flag of each
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            metavar="NAME",
            help="Compute this feature of every row and store it with the dataset. Repeat it for several.",
            autocompletion=_names,
        ),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="NAME", help="Remove a feature that was added. Repeat it for several."),
    ] = None,
    trust: Trust = False,
    workers: Processes = 0,
    as_json: Json = False,
    quiet: Quiet = False,
    *,
    overrides: Mapping[str, Any],
    spelled: Mapping[str, str],
) -> None:
    """List the features of a dataset with their definitions, or add some to it.

    Run the same command again to resume, or to add the features of rows that the dataset has gained.
    No file of its rows is touched.
    """
    if add and remove:
        raise ConfigError("--add and --remove cannot be used together. Remove first, then add.")
    if remove:
        from tonesmith.transfer.add_features import remove_feature

        for name in remove:
            remove_feature(dataset, name)
    if not add:
        _list(dataset, as_json=as_json)
        return
    from tonesmith.host.composition import compose
    from tonesmith.host.toml import TomlSource

    compose(TomlSource("", {}), {"features": add, **overrides}, spelled={"features": "--add", **spelled})
    asked: dict[str, dict[str, Any]] = {name: {} for name in add}
    for key, value in overrides.items():
        _, name, option = key.split(".", 2)
        asked[name][option] = value
    done = _added(dataset, asked, workers=workers, trust=trust, quiet=quiet or as_json)
    echo(json_text(done.to_json()) if as_json else "\n".join(_done_lines(done)))
    if done.damaged:
        raise typer.Exit(1)


def _added(
    dataset: Path, asked: Mapping[str, Mapping[str, Any]], *, workers: int, trust: bool, quiet: bool
) -> FeaturesAdded:
    from tonesmith.transfer.add_features import add_features
    from tonesmith.transfer.listening import listening

    try:
        with listening(f"adding to {dataset.name}", hidden=quiet) as listener:
            return add_features(dataset, asked, workers=workers, trust=trust, listener=listener)
    except KeyboardInterrupt:
        echo("tonesmith: interrupted. Finished blocks are kept. Run the same command to resume.", err=True)
        raise typer.Exit(130) from None


def _done_lines(done: FeaturesAdded) -> Iterator[str]:
    from tonesmith.terminal.text import clock, counted

    yield f"{done.path}: {', '.join(done.features)} of {counted(done.rows, 'row')}"
    yield f"  added     {counted(done.rows_added, 'row')} in {clock(done.seconds)}"
    for found in done.damaged[:_SHOWN]:
        yield f"  left out  block {found.block}: {one_line(found.what, 1000)}"
    if done.damaged:
        yield "Repair the dataset with the command that made it, then run this one again."


def _list(path: Path, *, as_json: bool) -> None:
    from tonesmith.dataset.added import Added
    from tonesmith.dataset.opening import open_dataset

    opened = open_dataset(path)
    own = {feature.name for feature in opened.plan.features}
    committed = opened.storage.committed()
    added = Added(opened.storage.path)
    begun = {name: feature for name, feature in added.features.items() if name not in own}
    there = {
        name: sum(rows for block, rows in committed.items() if feature.files.get(block, (0, ""))[0] >= rows)
        for name, feature in begun.items()
    }
    features = [*opened.plan.features, *(feature.stored for feature in begun.values())]
    if as_json:
        told = [{**f.to_json(), "rows": there.get(f.name, len(opened)), "added": f.name not in own} for f in features]
        echo(json_text({"path": str(path), "features": told, "faults": added.faults}))
        return
    echo("\n".join(_lines(path, opened, features, there)))
    for fault in added.faults:
        echo(f"  {one_line(fault, 1000)}", err=True)


def _lines(path: Path, opened: Dataset, features: Sequence[StoredFeature], there: Mapping[str, int]) -> Iterator[str]:
    if not features:
        yield f"{path} has no features. Add some: tonesmith features {path} --add mel"
        return
    for feature in features:
        rows = there.get(feature.name)
        state = "in its plan" if rows is None else f"added, {rows:,} of {len(opened):,} rows"
        yield f"{feature.name} ({state})"
        for array in feature.arrays:
            shape = " x ".join(f"{n} {one_line(d)}" for n, d in zip(array.shape, array.dims, strict=True)) or "1 number"
            told = f"{one_line(array.doc)}, {one_line(array.unit)}"
            yield f"  feature/{feature.key(array)}: {array.dtype}, {shape}; {told}"
        yield from (f"    {one_line(k)} = {_short(value)}" for k, value in feature.definition.items())


def _short(value: Any) -> str:
    text = one_line(value if isinstance(value, str) else json_text(value), 100_000)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
