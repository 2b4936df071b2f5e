"""``tonesmith explore``: fit a model, show it, make sounds with it."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.errors import ConfigError
from tonesmith.explorer import fitting_commands, growing_commands, keeping_commands
from tonesmith.explorer.app.command import app as open_app
from tonesmith.explorer.model_library_commands import library_app
from tonesmith.explorer.options import Json, Overwrite, Quiet
from tonesmith.explorer.typed import values_of, weights_of
from tonesmith.terminal.messages import echo, say
from tonesmith.terminal.text import joined, json_text

if TYPE_CHECKING:
    from tonesmith.explorer.calls import Made

Out = Annotated[
    Path, typer.Option("--out", "-o", metavar="FILE", help="File to write: .wav, .flac, .mp3, .ogg or .opus.")
]


_WITH_BATCH = {"batch", "model", "out", "force", "as_json", "quiet"}


class Channels(StrEnum):
    """What a sound has."""

    mono = "mono"
    stereo = "stereo"
    binaural = "binaural"


def explore_app() -> typer.Typer:
    """Return the sub-app."""
    app = typer.Typer(
        help="Fit a model to your own sounds, and make new ones of them.",
        callback=_one_thread,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    fitting_commands.register(app)
    examples = [
        "tonesmith explore make rain.model --set brightness=+1.2 -o out.flac",
        "tonesmith explore make rain.model --set azimuth=-90..90 -o out.mp3",
        "tonesmith explore make --batch recipes.toml",
    ]
    app.command("make", epilog="\n".join(examples))(_make)
    app.command("again", epilog="tonesmith explore again out.flac -o same.flac")(_again)
    growing_commands.register(app)
    app.add_typer(library_app(), name="library")
    keeping_commands.register(app)
    app.command("app", epilog="tonesmith explore app --library models")(open_app)
    return app


def _one_thread() -> None:
    """Let NumPy and SciPy work in one thread: their matrices are small, and several wait more than they work."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _make(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    context: typer.Context,
    model: Annotated[
        Path | None, typer.Argument(metavar="MODEL", help="Folder of the model.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            show_default=False,
            help="File to write: .wav, .flac, .mp3, .ogg or .opus. With --batch, the folder of the files.",
        ),
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option("--batch", metavar="TOML", help="Make all sounds of a file. Those that are there are left."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option("--preset", metavar="NAME", help="Preset of the model. Other options change it."),
    ] = None,
    sliders: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="Set a slider, such as brightness=+1.2 or azimuth=-90..90. Repeatable."
        ),
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="SOUND",
            show_default="wander through all sounds",
            help="Sound of the model, or audio file, to follow. Repeat to blend.",
        ),
    ] = None,
    blend: Annotated[
        str | None,
        typer.Option("--blend", metavar="LIST", show_default="equal", help="Weight of each --from, such as 0.7,0.3."),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", metavar="SECONDS", help="Length of the sound.")] = 10.0,
    density: Annotated[
        str | None,
        typer.Option("--density", metavar="NUMBER", help="Scatter events, so many per second, in place of one flow."),
    ] = None,
    channels: Annotated[
        Channels | None,
        typer.Option("--channels", show_default="as the sounds have", help="Channels to make."),
    ] = None,
    hrtf: Annotated[
        Path | None,
        typer.Option("--hrtf", metavar="FILE", show_default="MIT KEMAR", help="SOFA file of your head, for binaural."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="INT", help="Random seed.")] = 0,
    rate: Annotated[int, typer.Option("--rate", metavar="HZ", help="Samples per second.")] = 48_000,
    bits: Annotated[
        int | None,
        typer.Option(
            "--bits", metavar="INT", show_default="24", help="Bits of a sample in .wav and .flac: 16, 24, 32."
        ),
    ] = None,
    exemplars: Annotated[
        int,
        typer.Option("--exemplars", min=0, max=8, metavar="INT", help="Nearest frames of the sounds that add detail."),
    ] = 4,
    griffin_lim: Annotated[
        int,
        typer.Option("--griffin-lim", min=0, max=64, metavar="INT", help="Rounds of Griffin-Lim to refine the phase."),
    ] = 0,
    force: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a sound of any length with a model.

    Every model has sliders of time (attack, stretch, loop, drift) and space (width, distance, azimuth, elevation).
    The peak is at most -1 dBTP. The file's tags hold the recipe: tonesmith explore again FILE makes it again.
    """
    from tonesmith.explorer.calls import open_model
    from tonesmith.explorer.moves import amount_of
    from tonesmith.explorer.output import check_output
    from tonesmith.explorer.recalling import make_with
    from tonesmith.terminal.progress import progress

    if batch is not None:
        return _make_all(context, batch, model, out)
    if model is None or out is None:
        raise ConfigError("expected MODEL and --out FILE, or --batch TOML.")
    check_output(out, force=force)
    values, weights = values_of(sliders or []), weights_of(blend)
    opened = open_model(model)
    with progress(f"making {out.name}", "seconds", hidden=quiet) as counter:
        done = make_with(
            context,
            preset,
            opened,
            out,
            sources=sources or [],
            weights=weights,
            sliders=values,
            seconds=seconds,
            density=None if density is None else amount_of(density, "--density"),
            channels=None if channels is None else channels.value,
            hrtf=hrtf,
            rate=rate,
            bits=bits,
            seed=seed,
            exemplars=exemplars,
            griffin_lim=griffin_lim,
            force=force,
            progress=counter,
        )
    return _tell(done, as_json=as_json)


def _make_all(context: typer.Context, batch: Path, model: Path | None, folder: Path | None) -> None:
    """Make the sounds of a file, and say what was made and what was there."""
    from tonesmith.explorer.batch import made_of, tasks_of
    from tonesmith.explorer.shown import batch_json, batch_lines
    from tonesmith.terminal.progress import progress

    given = context.params
    for option in context.command.params:
        name = option.name or ""
        if name not in _WITH_BATCH and str(context.get_parameter_source(name)).endswith("COMMANDLINE"):
            raise ConfigError(f"--batch: write {option.opts[0].lstrip('-')} into {batch}, and not beside it.")
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"--out: with --batch it is a folder, and {folder} is none.")
    tasks = tasks_of(batch, model=model, folder=folder, force=given["force"])
    done: list[Made | None] = []
    with progress(f"making {batch.name}", "sounds", hidden=given["quiet"]) as counter:
        counter.begin(len(tasks))
        for made in made_of(tasks):
            done.append(made)
            counter.reach(len(done), len(tasks))
    paths = [task.path for task in tasks]
    echo(json_text(batch_json(batch, paths, done)) if given["as_json"] else "\n".join(batch_lines(batch, paths, done)))


def _again(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File that tonesmith explore made.")],
    out: Out,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            show_default="beside FILE, or here",
            help="Folder of the model that made it.",
        ),
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="FILE", help="Audio file that the sound follows. Repeatable."),
    ] = None,
    hrtf: Annotated[
        Path | None, typer.Option("--hrtf", metavar="FILE", help="SOFA file that the sound was heard by.")
    ] = None,
    force: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make the sound of a file again, from the recipe in its tags, and say whether it is the same."""
    from tonesmith.explorer.calls import again
    from tonesmith.explorer.sounds import digest_of
    from tonesmith.terminal.progress import progress

    with progress(f"making {out.name}", "seconds", hidden=quiet) as counter:
        done = again(file, out, model=model, sources=sources or [], hrtf=hrtf, force=force, progress=counter)
    same = digest_of(file) == digest_of(out)
    _tell(done, as_json=as_json, same=same)
    if not as_json:
        echo(f"It has {'the same bytes as' if same else 'other bytes than'} {file}.")
    if not same:
        say(f"{out} differs from {file}: it was changed, or made by other versions or on another machine.")
        raise typer.Exit(1)


def _tell(done: Made, *, as_json: bool, same: bool | None = None) -> None:
    from tonesmith.explorer.shown import made_json, made_lines

    told: dict[str, Any] = made_json(done)
    if same is not None:
        told["same"] = same
    echo(json_text(told) if as_json else "\n".join(made_lines(done)))
    if done.beyond and not as_json:
        ends = [f"{name} {steps:+.1f}" for name, steps in done.beyond.items()]
        say(f"new territory: {joined(ends)}. None of your sounds is there for long.")
