"""Storage as audio files and metadata.jsonl, the AudioFolder layout of Hugging Face, for file managers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import FileSet, Footprint, Options
from tonesmith.sinks.base.block_layout import Layout
from tonesmith.sinks.base.blocks import SPLIT, Part
from tonesmith.sinks.base.files import Aside
from tonesmith.sinks.base.listing import listed
from tonesmith.sinks.rows.hugging_face import audio_feature, config, features
from tonesmith.sinks.rows.sink import LabelSink

if TYPE_CHECKING:
    from tonesmith.plan.plan import Plan
    from tonesmith.sinks.base.block_storage import PartReader

METADATA = "metadata.jsonl"
"""The name that AudioFolder looks for."""

_AUDIO_FILE = re.compile(r"(\d{9,})\.(wav|flac)")

_CROISSANT = {
    "bool": "sc:Boolean",
    "int": "sc:Integer",
    "uint": "sc:Integer",
    "float": "sc:Float",
    "string": "sc:Text",
}
"""Dtype without its width -> Croissant type."""
_BITS = "0123456789"

_LINES = """\
import json, pathlib, soundfile
metadata = min(pathlib.Path({path!r}, "data").rglob("metadata.jsonl"))
label = json.loads(metadata.read_text().splitlines()[0])
audio, rate = soundfile.read(metadata.parent / label["file_name"], always_2d=True)
audio *= label["scale"]  # (frames, channels)
"""


class FolderOptions(Options):
    """Options of :class:`AudioFolderSink`."""

    audio: Literal["wav", "flac"] = Field(
        "wav",
        description="Format of the audio files. wav: 32-bit floats, exact. flac: 24 bits with a scale per row, so that "
        "nothing clips; off by at most 6e-8 of the scale.",
    )


class AudioFolderSink(LabelSink[FolderOptions]):
    """A folder a block: ``000000007.wav`` or ``.flac`` for each row, and their labels in ``metadata.jsonl``.

    ::

        [sink]
        name = "folder"
        audio = "wav"
    """

    name = "folder"
    summary = "WAV or FLAC files and metadata.jsonl: the AudioFolder of Hugging Face"
    needs_audio = True
    Options = FolderOptions
    suffix = ".jsonl"
    extra = "folder"
    lossless = "wav"

    def footprint(self, columns: int) -> Footprint:
        """Return about what a dataset takes: a file a row; and a folder, the labels and a marker a block."""
        return replace(super().footprint(columns), row_files=1, block_files=3)

    def write_part(self, files: Aside, layout: Layout, part: Part) -> Sequence[int]:
        """Write the files of a part, and return a checksum of audio and label for each row."""
        from tonesmith.sinks.rows.labels import label_bytes
        from tonesmith.sinks.rows.reader import row_sum

        lines, sums = [], []
        for row, (audio, label) in zip(part.rows, self.encoded(layout, part), strict=True):
            name = f"{row:09d}.{self.form}"
            line = label_bytes({"file_name": name, **label})
            files.write(part.file.parent / name, (audio,))
            lines.append(line + b"\n")
            sums.append(row_sum(audio, line))
        files.write(part.file, lines)  # last, so that it names no file that is not there
        return sums

    @classmethod
    def read_part(cls, file: Path, layout: Layout, sums: Sequence[int]) -> PartReader:
        """Return the rows of a folder, whose labels are opened."""
        from tonesmith.sinks.folder.reader import FolderReader

        return FolderReader(file, layout, sums)

    @classmethod
    def file_of(cls, block: int, split: str) -> str:
        """Return the path, inside the dataset, of the labels of a block, or of one split of it."""
        return f"data/{split}/{block:06d}/{METADATA}" if split else f"data/{block:06d}/{METADATA}"

    def settle_part(self, part: Part) -> None:
        """Remove the audio files of rows that the folder had before."""
        _remove_audio(part.file.parent, {f"{row:09d}.{self.form}" for row in part.rows})

    def remove_part(self, file: Path) -> None:
        """Remove the folder of a part, unless there is something in it that is not ours."""
        file.unlink(missing_ok=True)
        _remove_audio(file.parent, set())
        for folder in (file.parent, file.parent.parent):
            try:
                folder.rmdir()
            except OSError:  # not empty, or not there
                return

    @classmethod
    def splits_in(cls, data: Path) -> set[str]:
        """Return the splits that some folder in that of the blocks is of."""
        return {name for name in listed(data) if re.fullmatch(SPLIT, name) and (data / name).is_dir()}

    @classmethod
    def loading(cls, path: str) -> str:
        """Return a few lines that read a row."""
        return _LINES.format(path=path)

    @classmethod
    def front_matter(cls, path: Path, splits: Sequence[str]) -> Mapping[str, Any]:
        """Return which folders are which split, and what is in a row."""
        from tonesmith.sinks.rows.labels import label_columns

        layout = cls.required_layout(path)
        label = features(label_columns(layout.columns, split=bool(splits)))
        row = [{"name": "audio", **audio_feature(layout.sample_rate)}, *label]
        return config({split: f"data/{split}/**" for split in splits} or {"train": "data/**"}, features=row)

    @classmethod
    def file_sets(cls, plan: Plan, splits: Sequence[str]) -> Sequence[FileSet]:
        """Return the tables of labels, with the columns that are one number or text."""
        label = [column for column in cls.columns(plan, splits) if not column.shape]
        fields = {"file_name": "sc:Text", **{column.name: _CROISSANT[column.dtype.strip(_BITS)] for column in label}}
        doc = "The labels of a block's rows, one a line; file_name is an audio file in the same folder."
        return (FileSet("labels", f"data/**/{METADATA}", "application/jsonlines", doc, fields),)


def _remove_audio(folder: Path, kept: set[str]) -> None:
    for name in filter(_AUDIO_FILE.fullmatch, listed(folder) if folder.is_dir() else ()):
        if name not in kept:
            (folder / name).unlink(missing_ok=True)


@hookimpl
def tonesmith_sinks() -> list[type[AudioFolderSink]]:
    """Return the sink of this module."""
    return [AudioFolderSink]
