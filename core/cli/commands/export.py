"""``tonesmith export``: write one row as a preset, a sound file, a label or a MIDI file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tonesmith.cli.completion import split_names
from tonesmith.cli.options import Json, Trust
from tonesmith.cli.written import File, file_lines, files_json, json_bytes, write_files
from tonesmith.errors import ConfigError, unknown_name
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text


def export(  # noqa: PLR0913, PLR0917 - Typer makes a flag of each
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    row: Annotated[int, typer.Option("--row", metavar="I", help="Row to export. Negative numbers count from the end.")],
    preset: Annotated[
        Path | None, typer.Option("--preset", metavar="FILE", help="Write the patch as a preset of its synth.")
    ] = None,
    audio: Annotated[
        Path | None, typer.Option("--audio", metavar="FILE", help="Write the sound as a 32-bit float WAV file.")
    ] = None,
    label: Annotated[
        Path | None, typer.Option("--label", metavar="FILE", help="Write the note and the parameters as JSON.")
    ] = None,
    midi: Annotated[
        Path | None,
        typer.Option("--midi", metavar="FILE", help="Write the score, or the note, as a MIDI file."),
    ] = None,
    split: Annotated[
        str,
        typer.Option(
            "--split",
            metavar="NAME",
            help="Count only the rows of this split, such as test.",
            autocompletion=split_names,
        ),
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Write one row as a preset that its synth opens, a sound file, a readable label, or a MIDI file."""
    from tonesmith.dataset.export import label_of, midi_of_row, preset_of
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.dataset.wav import wav_of

    if preset is audio is label is midi is None:
        raise ConfigError("nothing to export: give --preset FILE, --audio FILE, --label FILE or --midi FILE")
    opened = open_dataset(dataset)
    if split:
        if opened.splits and split not in opened.splits:
            raise ConfigError(f"--split: {unknown_name('split', split, opened.splits)}")
        opened = opened.split(split)
    try:
        chosen = opened[row]
    except IndexError as error:
        raise ConfigError(f"--row {row}: {error}") from None
    host, name = Host.load(), f"{dataset.stem} row {chosen.row}"
    suffix = host.find("backend", opened.plan.backend.name).preset_suffix if preset is not None else ""
    files = [
        File("--preset", preset, suffix, lambda: preset_of(opened, row, name, host, trust=trust)),
        File("--audio", audio, ".wav", lambda: wav_of(chosen.audio, opened.plan.audio.sample_rate)),
        File("--label", label, ".json", lambda: json_bytes(label_of(chosen, opened.split_of(row)))),
        File("--midi", midi, ".mid", lambda: midi_of_row(chosen)),
    ]
    written = write_files(files, force=force)
    if as_json:
        echo(json_text({"path": str(dataset), "row": chosen.row, "files": files_json(written)}))
    else:
        echo("\n".join(file_lines(written)))
