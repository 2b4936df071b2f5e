"""``tonesmith plot``: pictures of datasets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.completion import parameter_names
from tonesmith.cli.options import Json, Quiet, addressed
from tonesmith.errors import ConfigError
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.analysis.pca import Components, Sounds

_OUT_HELP = "Picture to write: .png, .svg or .pdf."


HELP = "Draw the sounds of a dataset, one row of it, or how it covers its space."


def plot_app() -> typer.Typer:
    """Return the commands that draw."""
    app = typer.Typer(help=HELP, no_args_is_help=True)
    app.command("pca")(addressed(pca))
    app.command("coverage")(addressed(coverage))
    app.command("row")(addressed(row))
    return app


def pca(
    datasets: Annotated[list[Path], typer.Argument(metavar="DATASET", help="Paths of one or more datasets.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help=_OUT_HELP)],
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="GROUP",
            show_default="dataset if there are several, else origin",
            help="What a colour stands for: dataset, origin or pitch.",
        ),
    ] = "",
    rows: Annotated[
        int, typer.Option("--rows", min=1, metavar="N", help="Most sounds to draw from each dataset.")
    ] = 500,
    pitch: Annotated[
        int | None,
        typer.Option(
            "--pitch",
            min=0,
            max=127,
            show_default="the most frequent one in all",
            help="MIDI pitch.",
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw sounds as points. Sounds with similar spectra are near each other.

    The axes are the first two principal components of the mean and deviation of 128 log-mel bands.
    """
    from tonesmith.analysis.pca import components_of, sounds_of
    from tonesmith.analysis.plots import sounds_figure
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.media.figure import check_picture, write_picture
    from tonesmith.terminal.progress import progress

    opened = {name: open_dataset(path) for name, path in _named(datasets).items()}
    check_picture(out, datasets)
    with progress(f"reading {', '.join(opened)}", "sounds", hidden=quiet) as read:
        sounds = sounds_of(opened, by or ("dataset" if len(opened) > 1 else "origin"), rows, pitch, read.reach)
    components = components_of(sounds)
    written = write_picture(sounds_figure(sounds, components), out)
    told = _sounds_json(sounds, components)
    paths = [str(path) for path in datasets]
    echo(json_text({"paths": paths, "out": str(out), **told}) if as_json else "\n".join(_lines(out, written, told)))


def _named(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the datasets by name, or by path where two have one name.

    Raises :class:`ConfigError` if one is given twice.
    """
    whole = [path.resolve() for path in paths]
    for place, path in enumerate(whole):
        if path in whole[:place]:
            raise ConfigError(f"{paths[place]} is given twice")
    names = [path.name for path in whole]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    return dict(zip(names, paths, strict=True))


def _sounds_json(sounds: Sounds, components: Components) -> dict[str, Any]:
    counts = [int((sounds.groups == group).sum()) for group in range(len(sounds.names))]
    each = zip(sounds.names, counts, components.spreads, strict=True)
    return {
        "by": sounds.by,
        "pitch": sounds.pitch,
        "sounds": len(sounds.groups),
        "explained": components.explained[:2].tolist(),
        "groups": [{"name": name, "sounds": count, "spread": spread} for name, count, spread in each],
    }


def _lines(out: Path, written: int, told: dict[str, Any]) -> Iterator[str]:
    from tonesmith.terminal.table import table
    from tonesmith.terminal.text import size

    first, second = told["explained"]
    played = "any pitch" if told["pitch"] is None else f"pitch {told['pitch']}"
    yield f"{out}: {told['sounds']} sounds, {played}, {size(written)}"
    yield f"  the plane explains {first + second:.1%} of the variance: {first:.1%} and {second:.1%}"
    yield "  spread is how far a group's sounds lie from their centre; all together have 1"
    rows = [(group["name"], str(group["sounds"]), f"{group['spread']:.3f}") for group in told["groups"]]
    yield from table((told["by"], "sounds", "spread"), rows)


def coverage(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", show_default="DATASET.coverage.png", help=_OUT_HELP),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="GLOB",
            help="Draw only these parameters or groups. Repeat it for several.",
            autocompletion=parameter_names,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw how the patches cover each parameter, as small histograms coloured by origin."""
    from tonesmith.analysis.coverage import cover_of
    from tonesmith.analysis.plots import cover_figure
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.media.figure import check_picture, write_picture

    opened = open_dataset(dataset)
    path = out or _beside(dataset)
    check_picture(path, [dataset])
    cover = cover_of(opened, only or ())
    patches = sum(cover.origins.values())
    written = write_picture(cover_figure(cover, dataset.resolve().name), path)
    if as_json:
        parameters = [panel.parameter.name for panel in cover.panels]
        told = {"path": str(dataset), "out": str(path), "patches": patches, "origins": dict(cover.origins)}
        echo(json_text({**told, "parameters": parameters, "left_out": list(cover.left_out)}))
    else:
        echo("\n".join(_cover_lines(path, written, patches, len(cover.panels), len(cover.left_out))))


def row(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help=_OUT_HELP)],
    number: Annotated[
        int, typer.Option("--row", metavar="I", help="Row to draw. Negative numbers count from the end.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Draw the notes of a row as a piano roll, above its spectrogram."""
    from tonesmith.analysis.roll import row_figure
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.media.figure import check_picture, write_picture
    from tonesmith.terminal.text import size

    opened = open_dataset(dataset)
    check_picture(out, [dataset])
    try:
        chosen = opened[number]
    except IndexError as error:
        raise ConfigError(f"--row {number}: {error}") from None
    written = write_picture(row_figure(chosen), out)
    if as_json:
        notes = 1 if chosen.score is None else len(chosen.score)
        echo(json_text({"path": str(dataset), "out": str(out), "row": chosen.row, "notes": notes}))
    else:
        echo(f"{out}: row {chosen.row}, {size(written)}")


def _beside(dataset: Path) -> Path:
    from tonesmith.dataset.beside import beside, refuse_link

    picture = beside(dataset, ".coverage.png")
    refuse_link(picture)
    return picture


def _cover_lines(path: Path, written: int, patches: int, panels: int, left_out: int) -> Iterator[str]:
    from tonesmith.terminal.text import counted, size

    yield f"{path}: {counted(panels, 'parameter')} of {counted(patches, 'patch', 'patches')}, {size(written)}"
    if left_out:
        yield f"  {left_out} more do not fit; choose with --only NAME, GROUP or GLOB"
