"""Marked rows as files that other programs open: a sound, a label and a preset of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tonesmith.dataset.beside import refuse_link, write_beside
from tonesmith.dataset.export import check_writes_presets, label_of, preset_of
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.wav import wav_of
from tonesmith.errors import ConfigError, DatasetError, TonesmithError, unreadable
from tonesmith.host.registry import Host
from tonesmith.host.trust import check_trusted
from tonesmith.preview.lists.source import Report, silent
from tonesmith.terminal.text import counted, sentence


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export came to.

    Attributes:
        folder: that has the files.
        rows: how many rows were written.
        files: how many files that makes.
        remarks: what was left out, and why: a sentence each.
    """

    folder: Path
    rows: int
    files: int
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = f"{counted(self.rows, 'row')} written to {self.folder} ({counted(self.files, 'file')})."
        return " ".join([told, *self.remarks])


class Exporter:
    """Writes rows of a dataset into a folder.

    Args:
        dataset: whose rows.
        name: of the dataset, which is in the name of a preset.
        host: finds the backend, which writes the presets.
        trust: whether to load what the plan names though this user has not used it.
    """

    def __init__(self, dataset: Dataset, name: str, host: Host, *, trust: bool = False) -> None:
        self.dataset = dataset
        self._name = name
        self._host = host
        self._trust = trust

    def sound(self, index: int, folder: Path) -> Path:
        """Write the sound of a row as a WAV file, and return where. Raises as :meth:`rows` does."""
        row = self.dataset[index]
        return _write(_made(folder) / f"row-{row.row:06}.wav", wav_of(row.audio, self.dataset.plan.audio.sample_rate))

    def rows(self, numbers: Sequence[int], folder: Path, report: Report = silent) -> Exported:
        """Write a sound, a label and, if the synth has such files, a preset of each row.

        A row that is damaged or not there is left out, and remarked. A file that is there and has the same content
        stays as it is.

        Args:
            numbers: of the rows in the plan.
            folder: that is made if it is not there.
            report: told how many of them are done.

        Raises :class:`DatasetError` if a file cannot be written, or one that is there has another content.
        """
        files, written, remarks = 0, 0, list(self._unwritable())
        presets = not remarks
        for done, number in enumerate(numbers, 1):
            try:
                contents = self._contents(number, presets, remarks)
            except TonesmithError as error:
                remarks.append(f"Row {number} is left out: {error}")
                continue
            place = _made(folder)
            for suffix, content in contents.items():
                _write(place / f"row-{number:06}{suffix}", content)
            files, written = files + len(contents), written + 1
            report(done, len(numbers))
        return Exported(folder, written, files, tuple(remarks))

    def _unwritable(self) -> Iterator[str]:
        """Yield why no presets are written, if so."""
        plan = self.dataset.plan
        try:
            check_writes_presets(self.dataset, self._host)
            if self._host.find("backend", plan.backend.name).preset_needs_engine:
                check_trusted(plan, self._host, trust=self._trust)
        except TonesmithError as error:
            yield f"No presets: {sentence(str(error))}"

    def _contents(self, number: int, presets: bool, remarks: list[str]) -> dict[str, bytes]:
        """Return suffix -> content of the files of a row. A preset that cannot be made is remarked."""
        index = self._index(number)
        row = self.dataset[index]
        label = label_of(row, self.dataset.split_of(index))
        contents = {
            ".wav": wav_of(row.audio, self.dataset.plan.audio.sample_rate),
            ".json": json.dumps(label, indent=2).encode() + b"\n",
        }
        if presets:
            suffix, name = check_writes_presets(self.dataset, self._host), f"{self._name} row {number}"
            try:
                contents[suffix] = preset_of(self.dataset, index, name, self._host, trust=self._trust)
            except TonesmithError as error:
                remarks.append(f"No preset of row {number}: {sentence(str(error))}")
        return contents

    def _index(self, number: int) -> int:
        place = int(np.searchsorted(self.dataset.rows, number))
        if place == len(self.dataset) or self.dataset.rows[place] != number:
            raise DatasetError("the dataset does not have it.")
        return place


def _made(folder: Path) -> Path:
    refuse_link(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise ConfigError(f"{folder} is a file. Name a folder.") from None
    except OSError as error:
        raise DatasetError(f"cannot make the folder {folder}: {error.strerror or error}.") from error
    return folder


def _write(path: Path, content: bytes) -> Path:
    try:
        there = path.read_bytes() if path.is_file() and not path.is_symlink() else None
    except OSError as error:
        raise unreadable(path, error) from error
    if there is not None and there != content:
        raise DatasetError(f"{path} exists and is something else. Name another folder.")
    if there is None:
        write_beside(path, content)
    return path
