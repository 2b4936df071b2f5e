"""Storage as LMDB files of packed records, for quick reads in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from tonesmith.errors import check_libraries
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import FileSet, Footprint, Options
from tonesmith.sinks.base.block_layout import read_layout
from tonesmith.sinks.base.blocks import BlockSink
from tonesmith.sinks.base.shares import FLAC, PACKED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.plan import Plan
    from tonesmith.plan.schema import Column
    from tonesmith.sinks.base.block_layout import Layout
    from tonesmith.sinks.base.block_storage import PartReader
    from tonesmith.sinks.base.blocks import Part
    from tonesmith.sinks.base.files import Aside


_UNPACKING = {
    "blosc": (
        "json, lmdb, numcodecs",
        'np.frombuffer(numcodecs.Blosc().decode(record[label.nbytes :]), "<f4").reshape(form["shape"])',
    ),
    "raw": ("json, lmdb", 'np.frombuffer(record[label.nbytes :], "<f4").reshape(form["shape"])'),
    "flac": (
        "io, json, lmdb, soundfile",
        'soundfile.read(io.BytesIO(record[label.nbytes :]))[0].T * np.frombuffer(record, "<f8", 1, 8)',
    ),
}
"""Form of the audio -> libraries that read a row, and an expression for its audio."""


class LmdbOptions(Options):
    """Options of :class:`LmdbSink`."""

    audio: Literal["blosc", "raw", "flac"] = Field(
        "blosc",
        description="Format of the audio: 32-bit floats packed by Blosc (exact) or unpacked (exact), or 24-bit FLAC "
        "(off "
        "by at most 6e-8 of the row's scale).",
    )
    level: int = Field(1, ge=0, le=9, description="Compression level of Blosc. 0 does not compress, 9 is slow.")


class LmdbSink(BlockSink[LmdbOptions]):
    """One LMDB file a block, one record a row: labels at fixed places, then audio.

    ::

        [sink]
        name = "lmdb"
        audio = "blosc"
        level = 1
    """

    name = "lmdb"
    summary = "LMDB files of packed records, quick to read in any order"
    needs_audio = True
    Options = LmdbOptions
    suffix = ".lmdb"
    buckets = False

    def __init__(self, options: LmdbOptions, path: Path) -> None:
        super().__init__(options, path)
        if options.audio == "flac":
            check_libraries("the sink 'lmdb' with audio = 'flac'", ("soundfile",), "lmdb")

    @classmethod
    def check_library(cls) -> None:
        """Raise :class:`ConfigError` if lmdb is missing."""
        check_libraries("the sink 'lmdb'", ("lmdb",), "lmdb")

    def check_audio(self, layout: Layout) -> None:
        """Raise :class:`ConfigError` if FLAC is to hold the audio, and cannot."""
        if self.lossy:
            from tonesmith.sinks.rows.audio import check_flac_holds

            check_flac_holds(layout, "blosc")

    def write_part(self, files: Aside, layout: Layout, part: Part) -> Sequence[int]:
        """Write a part aside; return the places of its records, and a checksum of the rest."""
        from tonesmith.sinks.lmdb.file import write_file

        return write_file(files.path(part.file), layout, part)

    @classmethod
    def read_part(cls, file: Path, layout: Layout, sums: Sequence[int]) -> PartReader:
        """Return the rows of a file, opened."""
        from tonesmith.sinks.lmdb.file import LmdbReader

        return LmdbReader(file, layout, sums)

    def footprint(self, columns: int) -> Footprint:
        """Return about what a dataset takes: a file and a marker a block."""
        packed = PACKED if self.options.level else 1.0
        return Footprint({"blosc": packed, "raw": 1.0, "flac": FLAC}[self.options.audio])

    @property
    def lossy(self) -> bool:
        """Whether audio comes back other than it was."""
        return self.options.audio == "flac"

    def stored(self, audio: NDArray[Any]) -> NDArray[Any]:
        """Return float32 audio as it will be read back, in the same shape."""
        from tonesmith.sinks.rows.audio import stored_audio

        return stored_audio(audio, "flac") if self.lossy else audio

    @classmethod
    def loading(cls, path: str) -> str:
        """Return lines that read a row with lmdb and NumPy, and what unpacks the audio of the dataset that is there."""
        layout = read_layout(Path(path), cls.name, cls.version)
        libraries, unpacking = _UNPACKING[layout.options["audio"] if layout is not None else "blosc"]
        file = f"""str(min(pathlib.Path({f"{path}/data"!r}).glob("*.lmdb")))"""
        return (
            f"import {libraries}, pathlib, numpy as np\n\n"
            f"rows = lmdb.open({file}, subdir=False, readonly=True, lock=False).begin()\n"
            'form, record = json.loads(rows.get(b"columns")), next(iter(rows.cursor()))[1]\n'
            'label = np.frombuffer(record, np.dtype(form["label"]), 1)[0]  # such as label["pitch"]\n'
            f"audio = {unpacking}\n"
        )

    @classmethod
    def columns(cls, plan: Plan, splits: Sequence[str]) -> Sequence[Column]:
        """Return what is in a record: the scale is no column of the schema."""
        from tonesmith.sinks.rows.labels import SCALE

        return (*plan.schema, replace(SCALE, doc=f"{SCALE.doc}: bytes 8 to 16 of a record"))

    @classmethod
    def file_sets(cls, plan: Plan, splits: Sequence[str]) -> Sequence[FileSet]:
        """Return the LMDB files."""
        doc = "one file a block, a record a row, described under the key columns"
        return (FileSet("lmdb-files", "data/*.lmdb", "application/octet-stream", doc),)


@hookimpl
def tonesmith_sinks() -> list[type[LmdbSink]]:
    """Return the sink of this module."""
    return [LmdbSink]
