"""Storage as tar archives, one per block, which the webdataset library can stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from tonesmith.buckets.address import place_of
from tonesmith.errors import DatasetError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import FileSet, Options
from tonesmith.sinks.base.block_layout import Layout
from tonesmith.sinks.base.blocks import Part
from tonesmith.sinks.base.files import Aside
from tonesmith.sinks.base.listing import listed
from tonesmith.sinks.rows.hugging_face import audio_feature, config, features
from tonesmith.sinks.rows.sink import LabelSink

if TYPE_CHECKING:
    from tonesmith.plan.plan import Plan
    from tonesmith.sinks.base.block_storage import PartReader

_LINES = """\
import io, json, pathlib, {library}, webdataset
files = pathlib.Path({data!r}).absolute().glob({archives!r})
row = next(iter(webdataset.WebDataset(sorted(map(str, files)), shardshuffle=False)))
label = json.loads(row["json"])
audio = {audio}  # (frames, channels)
"""
_AUDIO = {
    "flac": ("soundfile", 'soundfile.read(io.BytesIO(row["flac"]), always_2d=True)[0] * label["scale"]'),
    "npy": ("numpy", 'numpy.load(io.BytesIO(row["npy"])).T'),
}
_ARRAY = {"sequence": {"sequence": "float32"}}
"""The type of audio as NumPy arrays."""


class WebDatasetOptions(Options):
    """Options of :class:`WebDatasetSink`."""

    audio: Literal["flac", "npy"] = Field(
        "flac",
        description="Format of the audio. flac: 24 bits with a scale per row, so that nothing clips; off by at most "
        "6e-8 of "
        "the scale. npy: NumPy arrays of float32, exact.",
    )


class WebDatasetSink(LabelSink[WebDatasetOptions]):
    """Two members a row: ``000000007.flac`` or ``.npy``, and ``000000007.json``.

    ::

        [sink]
        name = "webdataset"
        audio = "flac"
    """

    name = "webdataset"
    summary = "tar archives of FLAC or NumPy and JSON, which the webdataset library streams"
    needs_audio = True
    Options = WebDatasetOptions
    suffix = ".tar"
    extra = "webdataset"
    lossless = "npy"

    def write_part(self, files: Aside, layout: Layout, part: Part) -> Sequence[int]:
        """Write the archive of a part, and return a checksum of audio and label for each row."""
        from tonesmith.sinks.rows.labels import label_bytes
        from tonesmith.sinks.rows.reader import row_sum
        from tonesmith.sinks.webdataset.tar import tar_pieces

        members, sums = [], []
        for row, (audio, label) in zip(part.rows, self.encoded(layout, part), strict=True):
            content = label_bytes(label)
            members += [(f"{row:09d}.{self.form}", audio), (f"{row:09d}.json", content)]
            sums.append(row_sum(audio, content))
        files.write(part.file, tar_pieces(members))
        return sums

    @classmethod
    def read_part(cls, file: Path, layout: Layout, sums: Sequence[int]) -> PartReader:
        """Return the rows of an archive, opened."""
        from tonesmith.sinks.webdataset.reader import TarReader

        return TarReader(file, layout, sums)

    @classmethod
    def loading(cls, path: str) -> str:
        """Return a few lines that read a row with the webdataset library."""
        try:
            form = cls.form_at(place_of(path))
        except DatasetError:
            form = "flac"
        library, audio = _AUDIO[form]
        return _LINES.format(data=f"{path}/data", archives=_archives(place_of(path)), library=library, audio=audio)

    @classmethod
    def front_matter(cls, path: Path, splits: Sequence[str]) -> Mapping[str, Any]:
        """Return which archives are which split, and what is in a row."""
        from tonesmith.sinks.rows.labels import label_columns

        layout = cls.required_layout(path)
        label = label_columns(layout.columns, split=bool(splits))
        audio = audio_feature(layout.sample_rate) if cls.form_at(path) == "flac" else _ARRAY
        row = [
            {"name": cls.form_at(path), **audio},
            {"name": "json", "struct": features(label)},
            *({"name": name, "dtype": "string"} for name in ("__key__", "__url__")),
        ]
        files = {split: f"data/{split}-*.tar" for split in splits} or {"train": "data/*.tar"}
        return {**config(files), "dataset_info": {"config_name": "default", "features": row}}

    @classmethod
    def file_sets(cls, plan: Plan, splits: Sequence[str]) -> Sequence[FileSet]:
        """Return the archives."""
        doc = "The rows of a block: an audio file and a JSON label each."
        return (FileSet("archives", "data/*.tar", "application/x-tar", doc),)


def _archives(path: Path) -> str:
    """Return a glob for the archives of a dataset; of one that is split, for those of one split."""
    names = [name for name in listed(path / "data") if name.endswith(".tar")]
    splits = sorted({name.rpartition("-")[0] for name in names} - {""})
    wanted = next((split for split in ("train", *splits) if split in splits), "")
    return f"{wanted}-*.tar" if wanted else "*.tar"


@hookimpl
def tonesmith_sinks() -> list[type[WebDatasetSink]]:
    """Return the sink of this module."""
    return [WebDatasetSink]
