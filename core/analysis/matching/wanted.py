"""What is looked for, and how: a file, a row of a dataset, or an array."""

from __future__ import annotations

import math
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from tonesmith.analysis.matching.distance import LEVEL
from tonesmith.analysis.matching.recording import Recording, read_recording, recording_of
from tonesmith.buckets.address import place_of
from tonesmith.dataset.notes import changed_note, first_note
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.row import Row
from tonesmith.errors import ConfigError
from tonesmith.space.patch import Note


@dataclass(frozen=True, slots=True)
class Settings:
    """How to match.

    Attributes:
        renders: made at most.
        seconds: after which none is begun; None for no limit. With a limit, the result depends on the machine.
        pool: rows that are listened to for the nearest ones, one of each patch, chosen at random.
        seed: of all choices.
        level: of each LU of difference in loudness, the dB of distance that it counts; 0 for a match of any level.
        pitch, velocity: MIDI; None for the pitch that is heard, and the velocity of the dataset's first note.
        hold: seconds from note on to note off; None for that of the dataset's first note.
    """

    renders: int = 500
    seconds: float | None = None
    pool: int = 1000
    seed: int = 0
    level: float = LEVEL
    pitch: int | None = None
    velocity: int | None = None
    hold: float | None = None

    def __post_init__(self) -> None:
        for name in ("renders", "pool"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected 1 or more.")
        if self.seconds is not None and not (math.isfinite(self.seconds) and self.seconds > 0.0):
            raise ConfigError(f"seconds is {self.seconds}; expected a number above 0.")
        if not (math.isfinite(self.level) and self.level >= 0.0):
            raise ConfigError(f"level is {self.level}; expected 0 or more.")


@dataclass(frozen=True, eq=False)
class Wanted:
    """The sound that is looked for.

    Attributes:
        name: of it, for people.
        sound: as a row would hold it.
        note: that plays it, if that is known.
        left_out: patches of the dataset that do not count, because they made it.
    """

    name: str
    sound: Recording
    note: Note | None = None
    left_out: frozenset[int] = frozenset()


def wanted_of(sound: Any, dataset: Dataset, *, row: int | None = None, sample_rate: int | None = None) -> Wanted:
    """Return what is looked for.

    Args:
        sound: path of an audio file, or of a dataset if ``row`` is given; a :class:`tonesmith.Row`; or an array
            (channels, frames).
        dataset: whose synth is to play it.
        row: index of a row.
        sample_rate: Hz, of an array.

    Raises :class:`ConfigError` if the sound cannot be read, is silent or too short, or there is no such row.
    """
    if isinstance(sound, Row):
        return wanted_row(sound, f"row {sound.row}", dataset)
    if not isinstance(sound, str | PathLike):
        if sample_rate is None:
            raise ConfigError("sample_rate is missing: an array does not tell it.")
        return Wanted("the sound", recording_of(sound, sample_rate, dataset.plan))
    path = place_of(sound)
    if row is not None:
        return _of_dataset(path, row, dataset)
    if path.is_dir():
        raise ConfigError(f"{path} is a folder. If it is a dataset, choose one of its rows with --row N.")
    return Wanted(str(path), read_recording(path, dataset.plan))


def wanted_row(row: Row, name: str, dataset: Dataset) -> Wanted:
    """Return the sound of a row, with its note. If it is one of the dataset itself, its patch is left out.

    Args:
        row: of any dataset.
        name: of it, for people.
        dataset: whose synth is to play it.
    """
    plan, note = dataset.plan, row.note
    note = changed_note(plan, first_note(plan), note.pitch, note.velocity, min(note.hold, plan.notes.duration))
    left_out = frozenset({row.patch_id}) if row.plan.fingerprint == plan.fingerprint else frozenset()
    recorded = recording_of(row.audio, row.plan.audio.sample_rate, plan, name, trim=False)
    return Wanted(name, recorded, note, left_out)


def _of_dataset(path: Path, index: int, dataset: Dataset) -> Wanted:
    try:
        row = open_dataset(path)[index]
    except IndexError as error:
        raise ConfigError(f"--row: {error}") from None
    return wanted_row(row, f"row {row.row} of {path}", dataset)
