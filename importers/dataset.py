"""Datasets of tonesmith, of any sink: each row is a recording with its label, and the score that was played."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from tonesmith.errors import ConfigError, TonesmithError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Annotation, Found, Importer, Options, Refused
from tonesmith.importers._composed import labels_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.dataset.reader import Dataset
    from tonesmith.dataset.row import Row

_CHUNK: Final = 64
_FULL: Final = 32768.0
_SPAN: Final = re.compile(r"(\d+)(?:-(\d+))?")


class DatasetOptions(Options):
    """Options of :class:`OwnDataset`."""

    rows: str | int = Field(default="", description="Rows of the plan to take, such as 0-99,200. By default all.")
    split: str = Field(default="", description="Split to take, such as train. By default all rows.")
    label: bool = Field(default=True, description="Keep the value of every parameter that varies with its item.")


class OwnDataset(Importer[DatasetOptions]):
    """Reads a dataset that tonesmith made, whichever sink wrote it, row by row.

    A row becomes a WAV file that keeps every sample: 16-bit where that is exact, else 32-bit floats. A score that was
    played lies beside it as MIDI. What the composer said of it are annotations of the composer, surely. Rows of one
    patch, or of one score, are a family, which no split parts.
    """

    name = "dataset"
    summary = "rows of a dataset that tonesmith made, with their labels and scores"
    Options = DatasetOptions

    @classmethod
    def takes(cls, path: Path) -> bool:
        """Return whether a sink recognises it as its own."""
        from tonesmith.host.registry import Host

        return any(sink.recognises(path) for sink in Host.load().sinks().values())

    def count(self, path: Path) -> int:
        """Return the files of the rows that are asked for."""
        dataset, chosen = self._chosen(path)
        return len(chosen) * (2 if dataset.plan.phrases else 1)

    def find(self, path: Path, scratch: Path) -> Iterator[Found | Refused]:
        """Yield the files of every row that is asked for, those of a row together.

        Raises :class:`ConfigError` for a dataset that cannot be read, and for rows or a split that it does not have.
        """
        dataset, chosen = self._chosen(path)
        made = _Rows(dataset, _slug(path), scratch, label=self.options.label)
        for start in range(0, len(chosen), _CHUNK):
            for place in chosen[start : start + _CHUNK]:
                yield from made.files(place)

    def _chosen(self, path: Path) -> tuple[Dataset, Sequence[int]]:
        """Return the dataset, or the split of it, and the places of the rows that are asked for."""
        from tonesmith.dataset.opening import open_dataset

        try:
            dataset = open_dataset(path)
            if self.options.split:
                dataset = dataset.split(self.options.split)
            rows = dataset.rows
        except TonesmithError as error:
            raise ConfigError(f"{path} cannot be added: {error}") from None
        asked = str(self.options.rows)
        if not asked:
            return dataset, range(len(rows))
        wanted = _spans(asked)
        places = [place for place, row in enumerate(rows.tolist()) if any(a <= row <= b for a, b in wanted)]
        if not places:
            raise ConfigError(
                f"{path} has none of the rows {self.options.rows}: it has {len(rows):,} rows to choose of."
            )
        return dataset, places


class _Rows:
    """Makes files of the rows of a dataset."""

    def __init__(self, dataset: Dataset, name: str, scratch: Path, *, label: bool) -> None:
        self._dataset, self._name, self._scratch, self._label = dataset, name, scratch, label
        self._fingerprint = dataset.plan.fingerprint
        self._short = self._fingerprint[:8]

    def files(self, place: int) -> Iterator[Found | Refused]:
        """Yield the recording of a row, and the score if one was played."""
        from tonesmith.dataset.wav import wav_of
        from tonesmith.score.writer import midi_of

        number = int(self._dataset.rows[place])
        stem = f"{self._name}/{self._name}-row{number:06d}"
        try:
            row = self._dataset[place]
            score = row.score
            contents = {".mid": midi_of(score)} if score is not None else {}
            exact = _pcm_of(row.audio, row.plan.audio.sample_rate)
            contents[".wav"] = exact or wav_of(row.audio, row.plan.audio.sample_rate)
            told = (tuple(self._said(row)), self._parent(row), self._provenance(row))
        except TonesmithError as error:
            yield Refused(f"{stem}.wav", f"cannot be read: {error}".removesuffix("."))
            return
        said, parent, provenance = told
        for suffix, content in contents.items():
            file = self._scratch / f"{number}{suffix}"
            file.write_bytes(content)
            item = f"{self._name}-{self._short}-row{number:06d}"
            yield Found(file, f"{stem}{suffix}", item, said, parent, provenance, synthetic=True)

    def _said(self, row: Row) -> Iterator[Annotation]:
        if row.plan.phrases:
            source = f"composer-{row.plan.phrases.composer}"
            for name, value in labels_of(row.annotations):
                yield Annotation(name, value, 1.0, source, "1", "composer", "tonesmith")

    def _parent(self, row: Row) -> str:
        """Return what the row shares with its kin: the score that it plays, or else its patch."""
        kin = f"patch-{row.patch_id}" if row.score is None else f"score-{row.score.digest[:16]}"
        return f"{self._name}-{self._short}-{kin}"

    def _provenance(self, row: Row) -> Mapping[str, Any]:
        plan = row.plan
        used = [self._dataset.presets[sha] for sha in (row.preset, row.mate) if sha in self._dataset.presets]
        note = row.note
        played = {"pitch": note.pitch, "velocity": note.velocity} if row.score is None else {"score": row.score.digest}
        label = {"parameters": {name: v.value for name, v in row.parameters.items()}} if self._label else {}
        return {
            "source": self._name,
            "licence": ", ".join(dict.fromkeys(preset.licence for preset in used if preset.licence)),
            "fingerprint": self._fingerprint,
            "row": row.row,
            "patch": row.patch_id,
            "origin": row.origin,
            "backend": plan.backend.name,
            **({"presets": [preset.sha256 for preset in used]} if used else {}),
            "hold_s": note.hold,
            "tail_s": note.tail,
            **played,
            **label,
        }


def _pcm_of(audio: NDArray[np.float32], sample_rate: int) -> bytes:
    """Return a 16-bit WAV file of a sound that it can hold exactly; b"" of any other."""
    import io
    import wave

    import numpy as np

    scaled = audio * np.float32(_FULL)
    if not (np.isfinite(scaled).all() and (np.abs(scaled) < _FULL).all() and (scaled == np.rint(scaled)).all()):
        return b""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((len(audio), 2, sample_rate, audio.shape[1], "NONE", ""))
        file.writeframes(np.ascontiguousarray(scaled.T, "<i2").tobytes())
    return target.getvalue()


def _spans(text: str) -> list[tuple[int, int]]:
    """Return first and last of each span of rows. Raises :class:`ConfigError` for a text that is none."""
    found = []
    for word in text.split(","):
        match = _SPAN.fullmatch(word.strip())
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise ConfigError(f"dataset.rows: {word.strip()!r} is no row and no span of rows, such as 0-99,200.")
        found.append((int(match[1]), int(match[2] or match[1])))
    return found


def _slug(path: Path) -> str:
    name = path.absolute().name.removesuffix(path.suffix)
    return re.sub(r"[^\w+-]+", "_", name).strip("_-")[:60] or "dataset"


@hookimpl
def tonesmith_importers() -> Iterable[type[Importer[Any]]]:
    """Return the importer of this module."""
    return [OwnDataset]
