"""``tonesmith export``: write one row as a preset, a sound file or a label."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tonesmith.cli.completion import split_names
from tonesmith.cli.options import Json, Trust
from tonesmith.errors import ConfigError, EngineError, unknown_name
from tonesmith.host.registry import Host


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
    """Write one row as a preset that its synth opens, a sound file, or a readable label."""
    from tonesmith.dataset.export import label_of, preset_of
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.dataset.wav import wav_of

    if preset is None and audio is None and label is None:
        raise ConfigError("nothing to export: give --preset FILE, --audio FILE or --label FILE")
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
        _File("--preset", preset, suffix, lambda: preset_of(opened, row, name, host, trust=trust)),
        _File("--audio", audio, ".wav", lambda: wav_of(chosen.audio, opened.plan.audio.sample_rate)),
        _File("--label", label, ".json", lambda: _as_json(label_of(chosen, opened.split_of(row)))),
    ]
    written = _write([file for file in files if file.path is not None], force=force)
    if as_json:
        listed = [{"path": str(path), "nbytes": nbytes} for path, nbytes in written.items()]
        typer.echo(json.dumps({"path": str(dataset), "row": chosen.row, "files": listed}))
    else:
        typer.echo("\n".join(f"{path}  {nbytes} bytes" for path, nbytes in written.items()))


@dataclass(frozen=True, slots=True)
class _File:
    """A file to write: the flag that names it, the suffix of its format ("" for any), and what makes its content."""

    flag: str
    path: Path | None
    suffix: str
    content: Callable[[], bytes]


def _write(files: list[_File], *, force: bool) -> Mapping[Path, int]:
    """Write the files and return their sizes. Nothing is written if any is refused: its format, or what is there."""
    paths = [file.path for file in files if file.path is not None]
    for file, path in zip(files, paths, strict=True):
        if file.suffix and path.suffix.lower() != file.suffix:
            raise ConfigError(f"{file.flag}: {path} must end in {file.suffix}, the format that is written.")
        if path.exists() and not force:
            raise ConfigError(f"{file.flag}: {path} exists. Name another file, or overwrite it with --force.")
    if len(set(paths)) < len(paths):
        raise ConfigError("two of the files to write have one name")
    contents = [_made(file) for file in files]
    for file, path, content in zip(files, paths, contents, strict=True):
        try:
            path.write_bytes(content)
        except OSError as error:
            raise ConfigError(f"{file.flag}: cannot write {path}: {error.strerror}") from None
    return {path: len(content) for path, content in zip(paths, contents, strict=True)}


def _made(file: _File) -> bytes:
    try:
        return file.content()
    except EngineError as error:
        raise EngineError(f"{file.flag}: {file.path} cannot be made: {error}") from error


def _as_json(label: Mapping[str, object]) -> bytes:
    return json.dumps(label, indent=2).encode() + b"\n"
