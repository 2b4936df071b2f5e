"""Storage as Parquet files, which Hugging Face's ``datasets``, pandas and DuckDB can open."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from tonesmith.errors import check_libraries
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import FileSet, Footprint, Options
from tonesmith.sinks.base.blocks import BlockSink
from tonesmith.sinks.base.shares import FLAC
from tonesmith.sinks.rows.hugging_face import config

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.plan import Plan
    from tonesmith.plan.schema import Column
    from tonesmith.sinks.base.block_layout import Layout
    from tonesmith.sinks.base.block_storage import PartReader
    from tonesmith.sinks.base.blocks import Part
    from tonesmith.sinks.base.files import Aside


class ParquetOptions(Options):
    """Options of :class:`ParquetSink`."""

    audio: Literal["flac", "wav"] = Field(
        "flac",
        description="Format of the audio: 24-bit FLAC (off by at most 6e-8 of the row's scale, a third of the size) or "
        "32-bit float WAV (exact).",
    )
    row_group: int = Field(16, ge=1, le=1024, description="Rows per row group, which other readers decode at once.")


class ParquetSink(BlockSink[ParquetOptions]):
    """One Parquet file a block: the sound of a row as a file in a column, labels in the others.

    ::

        [sink]
        name = "parquet"
        audio = "flac"
        row_group = 16
    """

    name = "parquet"
    summary = "Parquet files in Hugging Face's layout; open in datasets, pandas and DuckDB"
    needs_audio = True
    Options = ParquetOptions
    suffix = ".parquet"
    divides = True

    @classmethod
    def check_library(cls) -> None:
        """Raise :class:`ConfigError` if pyarrow or soundfile is missing."""
        check_libraries("the sink 'parquet'", ("pyarrow", "soundfile"), "parquet")

    def check_audio(self, layout: Layout) -> None:
        """Raise :class:`ConfigError` if FLAC is to hold the audio, and cannot."""
        if self.lossy:
            from tonesmith.sinks.rows.audio import check_flac_holds

            check_flac_holds(layout, "wav")

    def write_part(self, files: Aside, layout: Layout, part: Part) -> Sequence[int]:
        """Write a part aside; return where the audio of each row lies, and checksums."""
        from tonesmith.sinks.parquet.file import write_file

        return write_file(files.path(part.file), layout, part)

    @classmethod
    def read_part(cls, file: Path, layout: Layout, sums: Sequence[int]) -> PartReader:
        """Return the rows of a file, opened."""
        from tonesmith.sinks.parquet.file import ParquetReader

        return ParquetReader(file, layout, sums)

    def footprint(self, columns: int) -> Footprint:
        """Return about what a dataset takes: a file and a marker a block."""
        return Footprint(FLAC if self.lossy else 1.0)

    @property
    def lossy(self) -> bool:
        """Whether audio comes back other than it was."""
        return self.options.audio == "flac"

    def stored(self, audio: NDArray[Any]) -> NDArray[Any]:
        """Return float32 audio as it will be read back, in the same shape."""
        from tonesmith.sinks.rows.audio import stored_audio

        return stored_audio(audio, self.options.audio)

    @classmethod
    def loading(cls, path: str) -> str:
        """Return lines that read a row with ``datasets``, which takes a folder for a pattern; soundfile decodes."""
        return (
            "import io, soundfile\n"
            "from datasets import Audio, load_dataset\n\n"
            f'rows = load_dataset("parquet", data_dir={glob.escape(f"{path}/data")!r}, split="train")\n'
            'row = rows.cast_column("audio", Audio(decode=False))[0]\n'
            'sound, rate = soundfile.read(io.BytesIO(row["audio"]["bytes"]))  # times row["scale"]\n'
        )

    @classmethod
    def columns(cls, plan: Plan, splits: Sequence[str]) -> Sequence[Column]:
        """Return the columns of a file, with one line for those of the parameters."""
        from tonesmith.sinks.parquet.columns import told_columns

        return told_columns(plan.schema)

    @classmethod
    def front_matter(cls, path: Path, splits: Sequence[str]) -> Mapping[str, Any]:
        """Return which files are which split; without splits, all are "train"."""
        return config({name: f"data/{name}-*.parquet" for name in splits} or {"train": "data/*.parquet"})

    @classmethod
    def file_sets(cls, plan: Plan, splits: Sequence[str]) -> Sequence[FileSet]:
        """Return the Parquet files, with those columns that are one value a row."""
        from tonesmith.sinks.parquet.columns import croissant_types

        doc = "one file a block: a sound file a row, and its labels"
        fields = croissant_types(plan)
        return (FileSet("parquet-files", "data/*.parquet", "application/vnd.apache.parquet", doc, fields),)


@hookimpl
def tonesmith_sinks() -> list[type[ParquetSink]]:
    """Return the sink of this module."""
    return [ParquetSink]
