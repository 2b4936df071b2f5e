"""Commands that make items, and make them again: ``augment``, ``compose``, ``render``, ``remake``."""

from __future__ import annotations

from typing import Annotated

import typer

from tonesmith.corpus.commands.options import (
    WAIT,
    DryRun,
    Json,
    PathArgument,
    Quiet,
    SetOption,
    Wait,
    Workers,
    names_of,
)
from tonesmith.errors import ConfigError
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text

Items = Annotated[list[str] | None, typer.Argument(metavar="ITEM", help="Names of items.", show_default="all")]
Seed = Annotated[int, typer.Option("--seed", min=0, metavar="INT", help="Random seed.")]


def augment(  # noqa: PLR0913, PLR0917 - a parameter for each flag
    path: PathArgument,
    items: Items = None,
    number: Annotated[
        int, typer.Option("--number", "-n", min=1, max=100_000, metavar="INT", help="Children of each item.")
    ] = 10,
    names: Annotated[
        str,
        typer.Option("--with", metavar="NAMES", help="Augmenters, with commas, in order.", show_default="all"),
    ] = "",
    split: Annotated[str, typer.Option("--split", metavar="SPLIT", help="Only items of this split.")] = "",
    seed: Seed = 0,
    options: SetOption = None,
    workers: Workers = 0,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    wait: Wait = WAIT,
) -> None:
    """Make children of items: each a variant, with labels that follow it and a recipe to make it again.

    A child is in the split of its parent. What is made already is left alone, so that the command can be repeated, or
    run with a larger -n. The exit code is 1 if nothing could be made of an item.
    """
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.derive.printed import augmented_lines
    from tonesmith.corpus.printed import set_options

    given = set_options(options)
    with Corpus(path, wait=wait) as corpus:
        done = corpus.augment(
            *names_of(names),
            n=number,
            items=items or (),
            split=split,
            seed=seed,
            options=given,
            workers=workers,
            dry_run=dry_run,
            progress=not quiet,
        )
        count = len(corpus)
    told = {"path": str(path), "items": count, "dry_run": dry_run, **done.to_json()}
    echo(json_text(told) if as_json else "\n".join(augmented_lines(path, done, count, dry_run=dry_run)))
    if done.refused:
        raise typer.Exit(1)


def compose(  # noqa: PLR0913, PLR0917 - a parameter for each flag
    context: typer.Context,
    path: PathArgument,
    composer: Annotated[
        str, typer.Option("--with", metavar="COMPOSER", help="Composer, such as emotion.", show_default=False)
    ],
    number: Annotated[
        int, typer.Option("--number", "-n", min=1, max=1_000_000, metavar="INT", help="Scores of it in all.")
    ] = 100,
    seed: Seed = 0,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", metavar="NUM", help="Seconds that a score may last.", show_default="no limit"),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    wait: Wait = WAIT,
) -> None:
    """Compose scores into a corpus, with what is true of them as labels. Options of the composer are flags: --mood sad.

    -n is how many of this composer, these options and this seed there are to be: run the same command again to resume,
    or with a larger -n to go on. The command tonesmith plugins show composer:NAME lists the options.
    """
    from tonesmith.corpus.commands.plugin_flags import plugin_options
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.derive.printed import composed_lines

    options, others = plugin_options("composer", composer, context.args, bare=True)
    if others:
        raise ConfigError(
            f"unexpected argument {others[0]!r}. PATH comes first; options of the composer are --NAME VALUE."
        )
    with Corpus(path, wait=wait) as corpus:
        done = corpus.compose(
            composer, number, options=options, seed=seed, seconds=seconds, dry_run=dry_run, progress=not quiet
        )
        count = len(corpus)
    told = {"path": str(path), "items": count, "dry_run": dry_run, **done.to_json()}
    echo(json_text(told) if as_json else "\n".join(composed_lines(path, done, count, dry_run=dry_run)))


def render(  # noqa: PLR0913, PLR0917 - a parameter for each flag
    path: PathArgument,
    items: Items = None,
    backend: Annotated[str, typer.Option("--backend", metavar="NAME", help="Synth that plays.")] = "vita",
    presets: Annotated[
        list[str] | None,
        typer.Option(
            "--presets", metavar="PATH", help="Presets of it. Repeat it for several.", show_default="its default patch"
        ),
    ] = None,
    number: Annotated[
        int, typer.Option("--number", "-n", min=1, max=10_000, metavar="INT", help="Recordings of each score.")
    ] = 1,
    tail: Annotated[
        float, typer.Option("--tail", min=0, max=60, metavar="SECONDS", help="Time rendered after a score.")
    ] = 2.0,
    rate: Annotated[
        int, typer.Option("--rate", min=8000, max=192_000, metavar="HZ", help="Sample rate of the recordings.")
    ] = 44100,
    seed: Seed = 0,
    options: SetOption = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    wait: Wait = WAIT,
) -> None:
    """Render the scores of a corpus through a synth: recordings with the labels of their scores, aligned with them.

    Options of the synth are flags: --backend.instrument fm. One patch plays all notes but drums. What is made already
    is left alone, so that the command can be repeated, or run with a larger -n. The exit code is 1 if a score could not
    be rendered.
    """
    from tonesmith.corpus.commands.plugin_flags import plugin_options
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.derive.printed import rendered_lines
    from tonesmith.corpus.printed import set_options

    typed, chosen = plugin_options("backend", backend, items or ())
    given = set_options(options)
    if others := sorted(set(given) - {backend}):
        raise ConfigError(f"--set: {others[0]} is not the backend. Expected --set {backend}.OPTION=VALUE.")
    with Corpus(path, wait=wait) as corpus:
        done = corpus.render(
            backend,
            presets=presets or (),
            n=number,
            items=chosen,
            options=given.get(backend, {}) | typed,
            sample_rate=rate,
            tail=tail,
            seed=seed,
            dry_run=dry_run,
            progress=not quiet,
        )
        count = len(corpus)
    told = {"path": str(path), "items": count, "dry_run": dry_run, **done.to_json()}
    echo(json_text(told) if as_json else "\n".join(rendered_lines(path, done, count, dry_run=dry_run)))
    if done.refused:
        raise typer.Exit(1)


def remake(
    path: PathArgument,
    items: Items = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Load plugins that recipes name and that you have not used.")
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    wait: Wait = WAIT,
) -> None:
    """Make every derived file again from its parent and its recipe, and compare it bit for bit.

    Missing and damaged files are restored so. The exit code is 1 if a file comes out otherwise, such as with another
    version of a library, or cannot be made: it is left as it is, and the reason is printed.
    """
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.derive.printed import remade_lines

    with Corpus(path, wait=wait) as corpus:
        done = corpus.remake(*(items or ()), trust=trust, dry_run=dry_run, progress=not quiet)
    told = {"path": str(path), "dry_run": dry_run, **done.to_json()}
    echo(json_text(told) if as_json else "\n".join(remade_lines(path, done)))
    if done.differing or done.refused:
        raise typer.Exit(1)
