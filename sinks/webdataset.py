"""Storage as tar archives, one a block, that the webdataset library streams as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from tonesmith.errors import DatasetError
from tonesmith.hookspecs import hookimpl
from tonesmith.roles import FileSet, Options
from tonesmith.sinks._blocks import Layout, Part
from tonesmith.sinks._files import Aside
from tonesmith.sinks._label_sink import LabelSink, data_files

if TYPE_CHECKING:
    from tonesmith.plan import Plan
    from tonesmith.sinks._block_storage import PartReader

_LINES = """\
import io, json, numpy, soundfile, webdataset
row = next(iter(webdataset.WebDataset({tars}, shardshuffle=False)))
label = json.loads(row["json"])
audio = {audio}  # (frames, channels)
"""
_AUDIO = {
    "flac": 'soundfile.read(io.BytesIO(row["flac"]), always_2d=True)[0] * label["scale"]',
    "npy": 'numpy.load(io.BytesIO(row["npy"])).T',
}


class WebDatasetOptions(Options):
    """Options of :class:`WebDatasetSink`."""

    audio: Literal["flac", "npy"] = Field(
        "flac",
        description="24-bit FLAC with a scale for each row, so that nothing clips (flac: off by at most 6e-8 of the "
        "scale); or NumPy arrays of float32, as it is (npy)",
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
    Options = WebDatasetOptions
    suffix = ".tar"
    extra = "webdataset"
    lossless = "npy"

    def write_part(self, files: Aside, layout: Layout, part: Part) -> Sequence[int]:
        """Write the archive of a part, and return a checksum of audio and label for each row."""
        from tonesmith.sinks._label_reader import row_sum
        from tonesmith.sinks._labels import label_bytes
        from tonesmith.sinks._tar import tar_pieces

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
        from tonesmith.sinks._tar_reader import TarReader

        return TarReader(file, layout, sums)

    @classmethod
    def loading(cls, path: str) -> str:
        """Return a few lines that read a row with the webdataset library."""
        try:
            form = cls.form_at(Path(path))
        except DatasetError:
            form = "flac"
        return _LINES.format(tars=repr(_tars(path)), audio=_AUDIO[form])

    @classmethod
    def front_matter(cls, splits: Sequence[str]) -> Mapping[str, Any]:
        """Return which archives are which split."""
        return data_files({split: f"data/{split}-*.tar" for split in splits} or {"train": "data/*.tar"})

    @classmethod
    def file_sets(cls, plan: Plan) -> Sequence[FileSet]:
        """Return the archives."""
        doc = "The rows of a block: an audio file and a JSON label each."
        return (FileSet("archives", "data/*.tar", "application/x-tar", doc),)


def _tars(path: str) -> str | list[str]:
    """Return what webdataset is to be given: one pattern for all archives, or their list where they leave gaps."""
    found = sorted(Path(path, "data").glob("*.tar"))
    names = [file.name for file in found]
    if not names or names == [WebDatasetSink.file_of(i, "").removeprefix("data/") for i in range(len(names))]:
        return f"{path}/data/{{000000..{max(len(names) - 1, 0):06d}}}.tar"
    splits = sorted({name.rpartition("-")[0] for name in names} - {""})
    wanted = next((split for split in ("train", *splits) if split in splits), "")
    return [str(file) for file in found if file.name.rpartition("-")[0] == wanted]


@hookimpl
def tonesmith_sinks() -> list[type[WebDatasetSink]]:
    """Return the sink of this module."""
    return [WebDatasetSink]
