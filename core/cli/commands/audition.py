"""``tonesmith audition``: hear a plan before its long run."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonesmith.cli.options import Json, Quiet, Trust
from tonesmith.cli.written import File, check_files, file_lines, files_json, write_files
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo, say
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.analysis.audition.hearing import Auditioned
    from tonesmith.analysis.audition.listening import Entry
    from tonesmith.host.config import Config
    from tonesmith.run.audition import Tried
    from tonesmith.run.resolve import Resolved

_INSTEAD = "Write a page instead, -o audition.html, or files, --audio FOLDER."
_MOST = 1000


def audition(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    configs: Annotated[
        list[Path],
        typer.Argument(
            metavar="CONFIG", help="Composition to try, or a dataset whose plan is tried. Two are set side by side."
        ),
    ],
    candidates: Annotated[
        int,
        typer.Option(
            "--candidates", "-n", min=1, max=_MOST, metavar="INT", help="Patches to try, evenly over the plan."
        ),
    ] = 12,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write a page to FILE, which ends in .html.")
    ] = None,
    audio: Annotated[
        Path | None,
        typer.Option("--audio", metavar="FOLDER", help="Write each sound to FOLDER as a 32-bit float WAV file."),
    ] = None,
    play: Annotated[bool, typer.Option("--play", help="Play each sound when it is made.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
    trust: Trust = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hear a few patches of a plan before a long run, and see what the run will take.

    They are rows that the run will make. Nothing is stored: no dataset is made or changed.
    Exits with 1 if a run would stop at one of them, since all its candidates are rejected.
    """
    from tonesmith.analysis.audition.page import page_of

    if len(configs) > 2:
        raise ConfigError(f"CONFIG: expected one or two, not {len(configs)}.")
    found: list[Auditioned] = []
    page = File("--out", out, ".html", lambda: page_of(found).encode())
    check_files([page], force=force)
    _check_folder(audio, force=force)
    if play:
        from tonesmith.media.speaker import check_speaker

        check_speaker(f"--play: {_INSTEAD}")
    try:
        host = Host.load()
        plans = [_resolved(path, host, trust=trust, quiet=quiet) for path in configs]
        count = min(candidates, *(one.resolved.plan.patches for one in plans)) if len(plans) > 1 else candidates
        for number, plan in enumerate(plans):
            heard = _Heard(audio, f"{number + 1}-" if len(plans) > 1 else "", play)
            found.append(_auditioned(plan, host, count, heard, kept=out is not None, quiet=quiet))
    except KeyboardInterrupt:
        say("stopped; no page was written.")
        raise typer.Exit(130) from None
    written = write_files([page], force=force)
    _tell(found, written, audio, as_json=as_json)
    if any(one.stops for one in found):
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Named:
    """A plan, the composition that it is of, and what the user called it."""

    name: str
    config: Config
    resolved: Resolved


def _resolved(path: Path, host: Host, *, trust: bool, quiet: bool) -> _Named:
    from tonesmith.card.composition import load_composition
    from tonesmith.cli.generating import located, reading
    from tonesmith.run.resolve import resolve_plan

    if any(sink.recognises(path) for sink in host.sinks().values()):
        _check_dataset(path, host, trust=trust)
    config = load_composition(path, {}, host=host)
    with located(path), reading(quiet=quiet) as read:
        return _Named(str(path), config, resolve_plan(config, host, read))


def _check_dataset(path: Path, host: Host, *, trust: bool) -> None:
    """Raise :class:`TrustError` or :class:`PluginError` where the plan of a dataset is not for this user to start."""
    from tonesmith.dataset.installed import installed
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.host.trust import check_trusted

    opened = installed(open_dataset(path), path, host, ("backend",))
    check_trusted(opened.plan, host, trust=trust)
    installed(opened, path, host)


def _auditioned(plan: _Named, host: Host, count: int, heard: _Heard, *, kept: bool, quiet: bool) -> Auditioned:
    from tonesmith.analysis.audition.hearing import auditioned
    from tonesmith.cli.ahead import is_here
    from tonesmith.terminal.progress import progress

    resolved = plan.resolved
    with progress(f"auditioning {plan.name}", "patches", hidden=quiet) as shown:
        shown.begin(min(count, resolved.plan.patches))
        patches: set[int] = set()

        def one(tried: Tried, entry: Entry) -> None:
            patches.add(tried.candidate.patch)
            shown.advance(len(patches) - shown.meter.done)
            heard.one(tried, entry, resolved.plan.audio.sample_rate)

        how = partial(auditioned, workers=plan.config.run.workers, here=is_here(plan.config))
        return how(plan.name, resolved, host, count, kept=kept, heard=one)


@dataclass(frozen=True, slots=True)
class _Heard:
    """Writes and plays candidates as they are heard, if that is wanted."""

    folder: Path | None
    prefix: str
    play: bool

    def one(self, tried: Tried, entry: Entry, sample_rate: int) -> None:
        """Write and play the sounds of a candidate."""
        from tonesmith.media.speaker import play
        from tonesmith.space.pitches import pitch_name

        for sound in (one for one in entry.sounds if one.heard):
            place = tried.notes.index(sound.note)
            note = f"{pitch_name(sound.note.pitch)}-{sound.note.velocity}"
            name = f"patch-{tried.candidate.patch}-try-{tried.candidate.attempt}-{note}"
            if self.folder is not None:
                _write(self.folder, f"{self.prefix}{name}.wav", tried, place, sample_rate)
            if self.play:
                echo(f"{name}: {entry.verdict}", err=True)
                play(tried.audio[place], sample_rate, _INSTEAD)


def _check_folder(folder: Path | None, *, force: bool) -> None:
    if folder is None:
        return
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--audio: {folder} is a file. Name a folder.")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise ConfigError(f"--audio: {folder} is not empty. Name another folder, or write into it with --force.")


def _write(folder: Path, name: str, tried: Tried, place: int, sample_rate: int) -> None:
    from tonesmith.dataset.wav import wav_of

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(wav_of(tried.audio[place], sample_rate))
    except OSError as error:
        raise ConfigError(f"--audio: cannot write {folder / name}: {error.strerror}") from None


def _tell(found: Sequence[Auditioned], written: Mapping[Path, int], audio: Path | None, *, as_json: bool) -> None:
    from tonesmith.analysis.audition.words import compared, lines_of

    if as_json:
        echo(json_text({"plans": [one.to_json() for one in found], "files": files_json(written)}))
        return
    parts = ["\n".join(lines_of(one)) for one in found]
    if len(found) > 1:
        parts += [textwrap.fill(line, 80, break_on_hyphens=False) for line in compared(*found)]
    parts += file_lines(written)
    if audio is not None and audio.is_dir():
        parts.append(f"{audio}  {len(list(audio.glob('*.wav')))} WAV files")
    echo("\n\n".join(parts))
