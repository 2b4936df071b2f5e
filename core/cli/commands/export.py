"""``tonesmith export``: one row as a preset and a sound file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tonesmith.errors import ConfigError, unknown_name
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo


def export(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    row: Annotated[int, typer.Option("--row", metavar="I", help="Which row; negative ones count from the end.")],
    preset: Annotated[
        Path | None, typer.Option("--preset", metavar="FILE", help="Write the patch as a preset of its synth.")
    ] = None,
    audio: Annotated[
        Path | None, typer.Option("--audio", metavar="FILE", help="Write the sound as WAV, 32-bit float.")
    ] = None,
    split: Annotated[
        str, typer.Option("--split", metavar="NAME", help="Count the rows of this split alone, such as test.")
    ] = "",
    label: Annotated[
        Path | None, typer.Option("--label", metavar="FILE", help="Write note and parameters as JSON.")
    ] = None,
) -> None:
    """Write one row as a preset that its synth opens, a sound file, or a readable label."""
    from tonesmith.dataset.export import label_of, preset_of
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.dataset.wav import wav_of

    if preset is None and audio is None and label is None:
        raise ConfigError("nothing to export: name --preset FILE, --audio FILE or --label FILE")
    opened = open_dataset(dataset)
    if split:
        if opened.splits and split not in opened.splits:
            raise ConfigError(f"--split: {unknown_name('split', split, opened.splits)}")
        opened = opened.split(split)
    try:
        chosen = opened[row]
    except IndexError as error:
        raise ConfigError(f"--row {row}: {error}") from None
    name = f"{dataset.stem} row {chosen.row}"
    if preset is not None:
        _write(preset, "--preset", preset_of(opened, row, name, Host.load()))
    if audio is not None:
        _write(audio, "--audio", wav_of(chosen.audio, opened.plan.audio.sample_rate))
    if label is not None:
        _write(label, "--label", json.dumps(label_of(chosen, opened.split_of(row)), indent=2).encode() + b"\n")


def _write(path: Path, flag: str, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{flag}: {path} cannot be written: {error.strerror}") from None
    echo(f"{path}  {len(content)} bytes")
