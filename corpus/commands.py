"""``tonesmith corpus``: what a person types."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tonesmith.errors import ConfigError
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import counted, json_text

PathArgument = Annotated[Path, typer.Argument(metavar="PATH", help="Folder of the corpus.")]
Json = Annotated[bool, typer.Option("--json", help="Print only JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Hide progress.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]
Wait = Annotated[
    float, typer.Option("--wait", min=0, metavar="SECONDS", help="Time to wait for another command on the corpus.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME.OPTION=VALUE", help="Option of an importer or annotator. Repeat it for several."
    ),
]
_WAIT = 60.0


def corpus_app() -> typer.Typer:
    """Return the sub-app."""
    app = typer.Typer(
        help="Curate recordings and scores: add, annotate, check, split.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.command("new", epilog="tonesmith corpus new emotion_v1 --profile emotion")(_new)
    app.command("add", epilog="tonesmith corpus add emotion_v1 ~/Music/midi songs.zip")(_add)
    app.command("annotate", epilog="tonesmith corpus annotate emotion_v1 --with folders,key")(_annotate)
    app.command("stats", epilog="tonesmith corpus stats emotion_v1")(_stats)
    app.command("check", epilog="tonesmith corpus check emotion_v1 --deep")(_check)
    app.command("split", epilog="tonesmith corpus split emotion_v1 --train 0.8 --val 0.1 --test 0.1")(_split)
    app.command("label", epilog="tonesmith corpus label emotion_v1 song-1a2b3c4d emotion=sad valence=-0.4")(_label)
    app.command("write", epilog="tonesmith corpus write emotion_v1")(_write)
    app.command("repair", epilog="tonesmith corpus repair emotion_v1")(_repair)
    return app


def _new(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Folder to make.")],
    profile: Annotated[
        str,
        typer.Option(
            "--profile", metavar="NAME", help="Profile: emotion, melody, harmony, dynamics, groove, or a .toml file."
        ),
    ] = "emotion",
    licence: Annotated[str, typer.Option("--licence", metavar="TEXT", help="Licence of the items.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Make an empty corpus. The profile says what may be said of its items, and how many are wanted of each class."""
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.making import check_new

    name, _ = check_new(path, profile, licence)
    count = 0
    if not dry_run:
        with Corpus.new(path, profile, licence=licence) as made:
            count = len(made)
    if as_json:
        echo(json_text({"path": str(path), "profile": name, "licence": licence, "items": count, "dry_run": dry_run}))
    elif dry_run:
        echo(f"{path}: would be a corpus with the profile {name}")
    else:
        echo(f"{path}: a corpus with {counted(count, 'item')}, profile {name}")
        echo(f"Add music to it: tonesmith corpus add {path} FOLDER")


def _add(  # noqa: PLR0913, PLR0917 - a parameter for each flag
    path: PathArgument,
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE", help="Folders, files, archives (zip, tar) or corpora.")
    ],
    importer: Annotated[
        str,
        typer.Option("--importer", metavar="NAME", help="Importer to read them with.", show_default="as each needs"),
    ] = "",
    options: SetOption = None,
    link: Annotated[bool, typer.Option("--link", help="Link originals instead of copying them.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    wait: Wait = _WAIT,
) -> None:
    """Add scores and recordings to a corpus. A score and a recording of one name are one item.

    Files are copied as they are. What is there already is left alone, so that the command can be repeated.
    The exit code is 1 if a file was refused.
    """
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.printed import added_lines, set_options

    with Corpus(path, wait=wait) as corpus:
        done = corpus.add(
            *sources, importer=importer, options=set_options(options), link=link, dry_run=dry_run, progress=not quiet
        )
        count = len(corpus)
    if as_json:
        echo(json_text({"path": str(path), "items": count, "dry_run": dry_run, **done.to_json()}))
    else:
        echo("\n".join(added_lines(path, done, count, dry_run=dry_run)))
    if done.refused:
        raise typer.Exit(1)


def _annotate(
    path: PathArgument,
    names: Annotated[
        str,
        typer.Option("--with", metavar="NAMES", help="Annotators, with commas.", show_default="all but table"),
    ] = "",
    options: SetOption = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    wait: Wait = _WAIT,
) -> None:
    """Ask annotators what they know of the items. An item that was asked of is not asked of again.

    An annotator says nothing rather than guess. The exit code is 1 if one failed at an item.
    """
    from dataclasses import asdict

    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.printed import annotated_lines, set_options

    chosen = [name.strip() for name in names.split(",") if name.strip()]
    given = set_options(options)
    with Corpus(path, wait=wait) as corpus:
        told = corpus.annotate(*chosen, options=given, dry_run=dry_run, progress=not quiet)
        count = len(corpus)
    if as_json:
        annotators = {name: asdict(one) for name, one in told.items()}
        echo(json_text({"path": str(path), "items": count, "dry_run": dry_run, "annotators": annotators}))
    else:
        echo("\n".join(annotated_lines(path, told, count)))
    if any(one.refused for one in told.values()):
        raise typer.Exit(1)


def _label(
    path: PathArgument,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Name of the item.")],
    said: Annotated[
        list[str],
        typer.Argument(metavar="NAME=VALUE", help="What is to be said of it. NAME= takes back what a person said."),
    ],
    by: Annotated[
        str, typer.Option("--by", metavar="PERSON", help="Who says it.", show_default="the user of this machine")
    ] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
    wait: Wait = _WAIT,
) -> None:
    """Say something of an item yourself. Your word is believed, whatever other sources say."""
    from tonesmith.corpus.corpus import Corpus

    given = dict(map(_pair, said))
    with Corpus(path, wait=wait) as corpus:
        changed = corpus.label(item, by, dry_run=dry_run, **given)
    if as_json:
        echo(json_text({"path": str(path), "item": item, "changed": changed, "dry_run": dry_run}))
    else:
        echo(f"{item}: {counted(changed, 'annotation')} {'would change' if dry_run else 'changed'}")


def _pair(word: str) -> tuple[str, str | None]:
    name, equals, value = word.partition("=")
    if not equals or not name.strip():
        raise ConfigError(f"{word!r} is not NAME=VALUE, such as emotion=sad.")
    return name.strip(), value if value.strip() else None


def _write(path: PathArgument, as_json: Json = False, wait: Wait = _WAIT) -> None:
    """Write manifest.json, config.json, splits/*.txt and annotations/*.json anew, after labels of your own."""
    from tonesmith.corpus.corpus import Corpus

    with Corpus(path, wait=wait) as corpus:
        corpus.write()
        count = len(corpus)
    echo(json_text({"path": str(path), "items": count}) if as_json else f"{path}: {counted(count, 'item')} written")


def _repair(
    path: PathArgument, dry_run: DryRun = False, as_json: Json = False, quiet: Quiet = False, wait: Wait = _WAIT
) -> None:
    """Repair a damaged corpus from its backup, or else from its files. The damaged file is kept.

    Files in raw/ that no item has become items again.
    """
    from tonesmith.corpus.printed import repaired_lines
    from tonesmith.corpus.repairing import repair

    done = repair(path, wait=wait, dry_run=dry_run, progress=not quiet)
    told = {"path": str(path), "dry_run": dry_run, **done.to_json()}
    echo(json_text(told) if as_json else "\n".join(repaired_lines(path, done, dry_run=dry_run)))


def _stats(path: PathArgument, as_json: Json = False) -> None:
    """Show what is in a corpus: media, labels with their sources, splits."""
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.printed import stats_lines

    with Corpus(path) as corpus:
        found = corpus.stats()
    echo(json_text({"path": str(path), **found.to_json()}) if as_json else "\n".join(stats_lines(path, found)))


def _check(
    path: PathArgument,
    deep: Annotated[bool, typer.Option("--deep", help="Read every file, and compare it with its SHA-256.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check balance, diversity, quality, structure and leaks between splits. Say what to do next.

    The exit code is 1 if files are missing or changed, annotations are not allowed, or a family is in two splits.
    """
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.printed import checked_lines

    with Corpus(path) as corpus:
        found = corpus.check(deep=deep, progress=not quiet)
    echo(json_text({"path": str(path), **found.to_json()}) if as_json else "\n".join(checked_lines(path, found)))
    if found.faults:
        raise typer.Exit(1)


Share = Annotated[float | None, typer.Option(min=0, max=1, metavar="SHARE", help="Share of this split.")]


def _split(  # noqa: PLR0913, PLR0917 - a parameter for each flag
    path: PathArgument,
    train: Share = None,
    val: Share = None,
    test: Share = None,
    stratify: Annotated[
        str | None,
        typer.Option("--stratify", metavar="LABEL", help="Label whose shares splits keep.", show_default="the classes"),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="INT", help="Seed of the order.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Divide everything anew.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    wait: Wait = _WAIT,
) -> None:
    """Divide a corpus into train, val and test: 0.7, 0.15 and 0.15.

    Items of one ancestor, and near-duplicates, stay together; classes keep their shares. What is divided stays where it
    is when the corpus grows.
    """
    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.printed import division_lines

    given = {"train": train, "val": val, "test": test}
    shares = {name: share or 0.0 for name, share in given.items()}
    asked = shares if any(share is not None for share in given.values()) else None
    with Corpus(path, wait=wait) as corpus:
        done = corpus.split(asked, stratify=stratify, seed=seed, again=again, dry_run=dry_run)
    told = {"path": str(path), "dry_run": dry_run, **done.to_json()}
    echo(json_text(told) if as_json else "\n".join(division_lines(path, done, dry_run=dry_run)))
