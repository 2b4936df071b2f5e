"""``tonesmith render``: hear any label on the synth of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonesmith.cli.options import Json, Trust
from tonesmith.cli.written import File, check_files, file_lines, files_json, json_bytes, write_files
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo, warn
from tonesmith.terminal.text import json_text

if TYPE_CHECKING:
    from tonesmith.dataset.label_file import Labelled
    from tonesmith.dataset.reader import Dataset
    from tonesmith.score.phrase import Phrase
    from tonesmith.space.patch import Note


def render(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    label: Annotated[
        str,
        typer.Argument(
            metavar="LABEL", help="Label to render: a .json file of tonesmith export, a .npz of a model, or a row."
        ),
    ],
    like: Annotated[Path, typer.Option("--like", metavar="DATASET", help="Dataset whose synth and space are used.")],
    audio: Annotated[
        Path | None, typer.Option("--audio", metavar="FILE", help="Write the sound as a 32-bit float WAV file.")
    ] = None,
    preset: Annotated[
        Path | None, typer.Option("--preset", metavar="FILE", help="Write the patch as a preset of its synth.")
    ] = None,
    label_out: Annotated[
        Path | None, typer.Option("--label", metavar="FILE", help="Write what was played as a readable label.")
    ] = None,
    index: Annotated[
        int | None, typer.Option("--index", metavar="I", help="Label of a .npz file with several, 0 first.")
    ] = None,
    pitch: Annotated[int | None, typer.Option("--pitch", metavar="INT", help="MIDI pitch.")] = None,
    velocity: Annotated[int | None, typer.Option("--velocity", metavar="INT", help="MIDI velocity.")] = None,
    hold: Annotated[
        float | None, typer.Option("--hold", metavar="SECONDS", help="Seconds from note on to note off.")
    ] = None,
    midi: Annotated[
        Path | None, typer.Option("--midi", metavar="FILE", help="Play this MIDI file instead of a note.")
    ] = None,
    clip: Annotated[
        bool, typer.Option("--clip", help="Take the nearest end for a value of a .npz file outside [0, 1].")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Render a label on the synth of a dataset, and write the sound, the preset or the label.

    The note or score is that of the label, else the first note of the dataset.
    The sound is as long as the rows of the dataset.
    """
    from tonesmith.dataset.export import check_writes_presets, label_of_patch, preset_of_patch
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.dataset.player import Player
    from tonesmith.dataset.wav import wav_of
    from tonesmith.errors import EngineError

    if audio is None and preset is None and label_out is None:
        raise ConfigError("nothing to write: give --audio FILE, --preset FILE or --label FILE")
    opened, host = open_dataset(like), Host.load()
    suffix = check_writes_presets(opened, host) if preset is not None else ""
    rate, name = opened.plan.audio.sample_rate, Path(label).stem
    files = [
        File("--preset", preset, suffix, lambda: preset_of_patch(opened, played.patch, name, host, trust=trust)),
        File("--audio", audio, ".wav", lambda: wav_of(played.audio, rate)),
        File("--label", label_out, ".json", lambda: json_bytes(label_of_patch(opened.space, played.patch, note))),
    ]
    check_files(files, force=force)
    given = _given(label, opened, index, clip=clip)
    note = _played(opened, given.note, midi, (pitch, velocity, hold), host)
    with Player(opened, trust=trust, host=host) as player:
        played = player.play_one(given.label, note, given.patch_id)
    if played.failure:
        raise EngineError(f"{label} cannot be rendered: {played.failure}")
    for held, value in sorted(played.held.items()):
        warn(f"the synth holds {held} = {value:g}, which is not what the label says. The sound has that.")
    written = write_files(files, force=force)
    if as_json:
        echo(json_text({"path": str(like), "files": files_json(written), "held": dict(played.held)}))
    else:
        echo("\n".join(file_lines(written)))


def _played(
    dataset: Dataset,
    note: Note | Phrase,
    midi: Path | None,
    changes: tuple[int | None, int | None, float | None],
    host: Host,
) -> Note | Phrase:
    """Return what plays the label: the score of a MIDI file, or the label's own note with other values."""
    from tonesmith.dataset.notes import changed_note, phrase_of
    from tonesmith.host.playing import check_plays
    from tonesmith.score.reader import read_midi

    if midi is None:
        return changed_note(dataset.plan, note, *changes)
    if any(value is not None for value in changes):
        raise ConfigError("--midi FILE plays a score: leave out --pitch, --velocity and --hold.")
    reading = read_midi(midi)
    for told in reading.mended:
        warn(f"{midi}: {told}")
    phrase = phrase_of(dataset.plan, reading.score)
    check_plays(host.find("backend", dataset.plan.backend.name), phrase, str(midi))
    return phrase


def _given(label: str, dataset: Dataset, index: int | None, *, clip: bool) -> Labelled:
    """Return the label in a file, or of a row, and its note."""
    from tonesmith.dataset.label_file import Labelled, read_label

    if Path(label).suffix.lower() in {".json", ".npz"}:
        return read_label(Path(label), dataset, index, "clip" if clip else "refuse")
    try:
        row = dataset[int(label)]
    except ValueError:
        raise ConfigError(f"LABEL: {label} is neither a .json or .npz file nor the number of a row.") from None
    except IndexError as error:
        raise ConfigError(f"LABEL: {error}") from None
    return Labelled(row.label, row.plays, row.patch_id)
