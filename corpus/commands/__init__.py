"""``tonesmith corpus``: what a person types."""

from __future__ import annotations

from collections.abc import Callable

import typer

from tonesmith.corpus.commands.browsing import browse
from tonesmith.corpus.commands.cleaning import sanitise
from tonesmith.corpus.commands.deriving import augment, compose, remake, render
from tonesmith.corpus.commands.features import features
from tonesmith.corpus.commands.fetching import download, sources
from tonesmith.corpus.commands.gathering import add, annotate, label, new
from tonesmith.corpus.commands.judging import check, split, stats
from tonesmith.corpus.commands.keeping import repair, write
from tonesmith.corpus.commands.running import run

_COMMANDS: tuple[tuple[str, str, Callable[..., None]], ...] = (
    ("new", "tonesmith corpus new emotion_v1 --profile emotion", new),
    ("sources", "tonesmith corpus sources", sources),
    ("download", "tonesmith corpus download https://example.org/songs.zip --to downloads", download),
    ("add", "tonesmith corpus add emotion_v1 ~/Music/midi songs.zip", add),
    ("annotate", "tonesmith corpus annotate emotion_v1 --with folders,key", annotate),
    ("features", "tonesmith corpus features emotion_v1 --add notes,harmony,groove", features),
    ("browse", "tonesmith corpus browse emotion_v1 --label valence", browse),
    ("augment", "tonesmith corpus augment emotion_v1 -n 10 --with transpose,tempo", augment),
    ("compose", "tonesmith corpus compose emotion_v1 --with emotion -n 500 --mood sad", compose),
    ("render", "tonesmith corpus render emotion_v1 --backend vita --presets ~/Music/Vital", render),
    ("remake", "tonesmith corpus remake emotion_v1", remake),
    ("stats", "tonesmith corpus stats emotion_v1", stats),
    ("check", "tonesmith corpus check emotion_v1 --deep", check),
    ("sanitise", "tonesmith corpus sanitise emotion_v1 --rate 44100,48000", sanitise),
    ("split", "tonesmith corpus split emotion_v1 --train 0.8 --val 0.1 --test 0.1", split),
    ("run", "tonesmith corpus run emotion.toml", run),
    ("label", "tonesmith corpus label emotion_v1 song-1a2b3c4d emotion=sad valence=-0.4", label),
    ("write", "tonesmith corpus write emotion_v1", write),
    ("repair", "tonesmith corpus repair emotion_v1", repair),
)
"""Name, example and function, in the order of the help."""
_EXTRA = {"allow_extra_args": True, "ignore_unknown_options": True}
_CONTEXTS = {"compose": _EXTRA, "render": _EXTRA}
"""Commands whose flags are not all known before they run."""


def corpus_app() -> typer.Typer:
    """Return the sub-app."""
    app = typer.Typer(
        help="Curate recordings and scores: add, annotate, check, split.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    for name, example, function in _COMMANDS:
        app.command(name, epilog=example, context_settings=_CONTEXTS.get(name))(function)
    return app
