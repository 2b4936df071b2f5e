"""``tonesmith match``: the preset that makes a sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonesmith.cli.options import Engines, Json, Quiet, Trust
from tonesmith.cli.written import File, check_files, file_lines, files_json, json_bytes, write_files
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo, say
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.analysis.matching.results import Match
    from tonesmith.dataset.reader import Dataset


def match(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    sound: Annotated[
        Path, typer.Argument(metavar="SOUND", help="Audio file to match, or a dataset of which --row names a row.")
    ],
    like: Annotated[
        Path, typer.Option("--like", metavar="DATASET", help="Dataset whose synth plays, and whose rows are the start.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Preset to write, or a label as .json; the sounds go beside it."
        ),
    ],
    row: Annotated[int | None, typer.Option("--row", metavar="N", help="Row of SOUND to match.")] = None,
    renders: Annotated[int, typer.Option("--renders", min=1, metavar="N", help="Most renders to make.")] = 500,
    seconds: Annotated[
        float | None, typer.Option("--seconds", metavar="SECONDS", help="Begin no render after this time.")
    ] = None,
    pitch: Annotated[
        int | None, typer.Option("--pitch", metavar="INT", show_default="what is heard", help="MIDI pitch to play.")
    ] = None,
    velocity: Annotated[int | None, typer.Option("--velocity", metavar="INT", help="MIDI velocity to play.")] = None,
    hold: Annotated[
        float | None, typer.Option("--hold", metavar="SECONDS", help="Seconds from note on to note off.")
    ] = None,
    level: Annotated[
        float, typer.Option("--level", metavar="DB", help="Distance that 1 LU of loudness counts. 0 ignores level.")
    ] = 0.05,
    pool: Annotated[
        int, typer.Option("--pool", min=1, metavar="N", help="Rows to listen to, one of each patch, at random.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", metavar="INT", help="Random seed of the search.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
    workers: Engines = 0,
    trust: Trust = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find the patch that makes a sound, from the nearest rows of a dataset on, by rendering on its synth.

    Writes the preset, its sound (.wav), what it was compared with (.target.wav) and a comparison (.match.json).
    Ctrl-C ends the search and keeps the best so far.
    """
    from tonesmith.analysis.matching.match import match as matched
    from tonesmith.analysis.matching.wanted import Settings, wanted_of
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.terminal.progress import progress

    opened, host = open_dataset(like), Host.load()
    files = _files(out, opened, host, lambda: found, trust=trust)
    check_files(files, force=force)
    settings = Settings(renders, seconds, pool, seed, level, pitch, velocity, hold)
    wanted = wanted_of(sound, opened, row=row)
    with _ending() as stopped, progress(f"matching {sound.name}", "renders", hidden=quiet) as shown:
        found = matched(
            wanted,
            opened,
            settings,
            workers=workers,
            trust=trust,
            progress=shown,
            told=str if quiet else say,
            stopped=stopped,
        )
    written = write_files(files, force=force)
    if as_json:
        echo(json_text({**found.to_json(), "files": files_json(written)}))
    else:
        echo("\n".join([*found.lines(), "", *file_lines(written)]))
    if found.interrupted:
        say("stopped. The best so far is written.")
        raise typer.Exit(130)


def _files(out: Path, dataset: Dataset, host: Host, found: Callable[[], Match], *, trust: bool) -> list[File]:
    """Return what is written: the preset or the label, the two sounds, and the comparison."""
    from tonesmith.dataset.wav import wav_of

    rate, suffix = dataset.plan.audio.sample_rate, out.suffix.lower()
    if suffix == ".json":
        first = File("--out", out, ".json", lambda: json_bytes(found().readable_label()))
    else:
        first = File("--out", out, _suffix(dataset, host), lambda: found().preset(out.stem, trust=trust))
    return [
        first,
        File("--out", out.with_suffix(".wav"), ".wav", lambda: wav_of(found().audio, rate)),
        File("--out", out.with_suffix(".target.wav"), ".wav", lambda: wav_of(found().target, rate)),
        File("--out", out.with_suffix(".match.json"), ".json", lambda: json_bytes(found().to_json())),
    ]


def _suffix(dataset: Dataset, host: Host) -> str:
    """Return the suffix of presets of the dataset's synth."""
    from tonesmith.dataset.export import check_writes_presets

    try:
        return check_writes_presets(dataset, host)
    except ConfigError as error:
        raise ConfigError(f"--out: {error}. End FILE in .json for a label, which tonesmith render plays.") from None


@contextmanager
def _ending() -> Iterator[Callable[[], bool]]:
    """Give what tells whether somebody asked for an end. Who asks twice does not wait for the render in flight."""
    from tonesmith.run.signals import heard_signals

    asked = 0

    def interrupt(_: bool) -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise KeyboardInterrupt

    with heard_signals(interrupt):
        yield lambda: asked > 0
