"""One row of a dataset, and several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.row_item import RowItem, item_from
from tonesmith.errors import DatasetError, ScoreError, unknown_name
from tonesmith.plan.annotated import Value
from tonesmith.plan.feature import features_among
from tonesmith.plan.notes import note_from
from tonesmith.plan.phrases import SCORE
from tonesmith.plan.plan import Plan
from tonesmith.plan.rows import digest_hex, label_from
from tonesmith.score.phrase import Phrase
from tonesmith.score.score import Score
from tonesmith.score.stored import score_from
from tonesmith.space.label import Label
from tonesmith.space.patch import Note, Patch
from tonesmith.space.space import ParameterSpace
from tonesmith.terminal.text import counted

Choice = slice | Sequence[int] | Sequence[bool] | NDArray[Any]
"""Selects several rows: a slice, indices, or a boolean mask as long as the dataset."""


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """One parameter of a row: ``raw`` in the engine's units, ``value`` in ``unit`` and ``text`` as the synth shows it.

    The value of a categorical parameter is an integer, and its text is the choice.
    """

    raw: float
    value: float
    unit: str
    text: str


class Parameters(dict[str, ParameterValue]):
    """Name -> value of parameters. An unknown name is a KeyError that suggests the nearest."""

    def __missing__(self, name: str) -> ParameterValue:
        raise KeyError(unknown_name("parameter", name, self))


@dataclass(frozen=True, eq=False)
class Row:
    """An accepted render with its label and metadata.

    Attributes:
        plan: of the dataset.
        row: absolute number of the row in the plan.
        columns: column name -> this row's array, of the column's shape.
        asset: returns the content of an asset of the dataset by its SHA-256.
    """

    plan: Plan
    row: int
    columns: Mapping[str, NDArray[Any]]
    asset: Callable[[str], bytes] | None = field(default=None, repr=False)

    @property
    def audio(self) -> NDArray[np.float32]:
        """Float32 (channels, frames), full scale 1.0."""
        if "audio" not in self.columns:
            raise DatasetError(
                f"row {self.row} has no audio: its corpus has no recordings. It has a score: ds[i].score"
            )
        return self.columns["audio"]

    @cached_property
    def item(self) -> RowItem | None:
        """The item of a corpus that the row is, or None if it was rendered."""
        return item_from(self.columns, self.plan.audio.sample_rate) if self.plan.items else None

    @property
    def midi(self) -> bytes | None:
        """The MIDI file of the row's item, byte for byte; None where there is none.

        Raises :class:`DatasetError` if it is missing or damaged.
        """
        return self._asset(self.item.midi_sha256) if self.item and self.item.midi_sha256 else None

    @cached_property
    def label(self) -> Label:
        """The stored form of the patch."""
        self._check_rendered("label")
        return label_from(self.plan.space, {name: array[None] for name, array in self.columns.items()}, 0)

    @cached_property
    def patch(self) -> Patch:
        """The patch that the label stands for, with a raw value for every parameter of the synth."""
        self._check_rendered("patch")
        return self.plan.space.decode(self.label, self.origin, self.preset, self.mate)

    @cached_property
    def parameters(self) -> Parameters:
        """Name -> value of each parameter that varies, continuous ones first."""
        return parameters_of(self.plan.space, self.patch)

    @property
    def note(self) -> Note:
        """The note that was played, with seconds of hold and tail. Of a phrase, its first, held to its end.

        ``plays`` has what was played.
        """
        if self.plan.items and self.score is None:
            raise DatasetError(f"row {self.row} has no score: it is a recording, and nobody played a note for it.")
        return note_from(self.columns)

    @cached_property
    def score(self) -> Score | None:
        """The score that was played, or None if it was a note, or a recording.

        Raises :class:`DatasetError` if it is missing or damaged.
        """
        name = digest_hex(self.columns[SCORE]) if self.plan.phrases else ""
        if self.plan.phrases is None or (self.plan.items and not name):
            return None
        try:
            return score_from(self._asset(name))
        except ScoreError as error:
            raise DatasetError(f"row {self.row}: {error}") from None

    def _asset(self, name: str) -> bytes:
        if self.asset is None:
            raise DatasetError(f"row {self.row} was taken out of its dataset, which has its score: ds[i].score")
        return self.asset(name)

    def _check_rendered(self, what: str) -> None:
        if self.plan.items:
            raise DatasetError(f"row {self.row} has no {what}: it is an item of a corpus, and no synth made it.")

    @property
    def plays(self) -> Note | Phrase:
        """What was played: the note, or the phrase of the score."""
        return self.note if self.score is None else Phrase(self.score, self.note.hold, self.note.tail)

    @property
    def as_score(self) -> Score:
        """What was played as a score: a note is one of its own, at 120 beats per minute."""
        if self.score is not None:
            return self.score
        return Score.of([(0, 2 * self.note.hold, self.note.pitch, self.note.velocity)])

    @property
    def joined(self) -> str:
        """Who joined the notes of the score: the "engine", or the host as a "sum" of single notes; "" for a note."""
        return self.plan.phrases.joined if self.plan.phrases and not self.plan.items else ""

    @property
    def annotations(self) -> dict[str, Value]:
        """What the composer said of the score, or the corpus of the item, by name. What nobody said is left out."""
        fields = {one.name: one for part in (self.plan.phrases, self.plan.items) if part for one in part.fields}
        stored = {name: self.columns[one.column.name] for name, one in fields.items()}
        return {name: one.read(stored[name]) for name, one in fields.items() if one.said(stored[name])}

    @property
    def patch_id(self) -> int:
        """Index of the patch in the plan."""
        return int(self.columns["patch"])

    @property
    def attempt(self) -> int:
        """Which draw of the patch was accepted, 0 first."""
        return int(self.columns["attempt"])

    @property
    def origin(self) -> str:
        """The sampler that made the patch."""
        index = int(self.columns["origin"])
        if not 0 <= index < len(self.plan.origins):
            raise DatasetError(f"row {self.row} has origin {index}; the plan has {len(self.plan.origins)}")
        return self.plan.origins[index]

    @property
    def preset(self) -> str:
        """SHA-256 of the preset that the patch came from, in hexadecimal, or ""; ``ds.presets`` has its details."""
        return digest_hex(self.columns["preset"])

    @property
    def mate(self) -> str:
        """SHA-256 of the second preset that the patch was bred from, in hexadecimal, or ""."""
        return digest_hex(self.columns["mate"]) if "mate" in self.columns else ""

    @property
    def audible(self) -> NDArray[np.bool_]:
        """Bool (varied parameters,): which of ``plan.space.names`` the gates leave audible."""
        return self.columns.get("audible", np.zeros(0, np.bool_))

    @property
    def measured(self) -> dict[str, float]:
        """The measures of the validators, by name; NaN if there was nothing to measure."""
        return {measure.name: float(self.columns[measure.name]) for measure in self.plan.measures}

    @property
    def features(self) -> dict[str, NDArray[Any]]:
        """The arrays of the features, such as ``features["mel"]``; ``ds.features`` has their definitions."""
        return features_among(self.columns)

    def __repr__(self) -> str:
        if self.item is not None:
            return f"<Row {self.row}: {self.item.told}>"
        note, (channels, frames) = self.note, self.audio.shape
        return (
            f"<Row {self.row}: patch {self.patch_id} from {self.origin}, pitch {note.pitch}, "
            f"velocity {note.velocity}, {channels} x {frames} frames>"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the row in a line, a player, a spectrogram, and the label by groups."""
        from tonesmith.dataset.row_html import row_html

        return row_html(self)

    def play(self) -> Any:
        """Play the sound: in a notebook by the player that is returned, elsewhere on the audio output.

        Raises :class:`ConfigError` where there is none.
        """
        from tonesmith.dataset.playing import play_row

        return play_row(self)


@dataclass(frozen=True, eq=False)
class Rows:
    """Several rows, stacked.

    Attributes:
        plan: of the dataset.
        rows: int64 (n,), absolute numbers of the rows in the plan.
        columns: column name -> (n, *shape of the column).
        asset: returns the content of an asset of the dataset by its SHA-256.
    """

    plan: Plan
    rows: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]
    asset: Callable[[str], bytes] | None = field(default=None, repr=False)

    @property
    def audio(self) -> NDArray[np.float32]:
        """Float32 (n, channels, frames), full scale 1.0."""
        return self.columns["audio"]

    @property
    def features(self) -> dict[str, NDArray[Any]]:
        """The arrays of the features, each (n, *shape)."""
        return features_among(self.columns)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return (self._row(i) for i in range(len(self)))

    @overload
    def __getitem__(self, key: int | np.integer[Any]) -> Row: ...
    @overload
    def __getitem__(self, key: Choice) -> Rows: ...
    def __getitem__(self, key: int | np.integer[Any] | Choice) -> Row | Rows:
        """Return one row, or those that a slice, indices or a mask choose."""
        chosen = chosen_rows(key, len(self))
        if isinstance(chosen, int):
            return self._row(chosen)
        columns = {name: array[chosen] for name, array in self.columns.items()}
        return Rows(self.plan, self.rows[chosen], columns, self.asset)

    def _row(self, i: int) -> Row:
        columns = {name: np.asarray(array[i]) for name, array in self.columns.items()}
        return Row(self.plan, int(self.rows[i]), columns, self.asset)

    def __repr__(self) -> str:
        return f"<Rows: {len(self)} of {self.plan.rows}>"


def parameters_of(space: ParameterSpace, patch: Patch) -> Parameters:
    """Return name -> value of each parameter that varies, of a patch with a value for each; continuous ones first."""
    values = patch.values
    return Parameters(
        (p.name, ParameterValue(values[p.name], p.shown(values[p.name]), p.unit, p.text(values[p.name])))
        for p in (*space.continuous, *space.categorical)
    )


def chosen_rows(key: Any, length: int) -> int | NDArray[np.int64]:
    """Return the index, or the indices int64 (n,), that a key chooses out of ``length`` rows."""
    if isinstance(key, slice):
        return np.arange(length)[key]
    if np.ndim(key) == 0:
        return chosen_one(key, length)
    keys = np.asarray(key)
    if keys.ndim == 1 and keys.dtype == np.bool_:
        if len(keys) != length:
            raise IndexError(f"the mask has {len(keys)} entries for {length} rows")
        return np.flatnonzero(keys)
    if keys.ndim != 1 or (len(keys) and keys.dtype.kind not in "iu"):
        raise TypeError(f"rows are selected by an index, a slice, indices or a mask, not {type(key).__name__}")
    return np.array([chosen_one(k, length) for k in keys.tolist()], np.int64)


def chosen_one(key: Any, length: int) -> int:
    """Return the index that a key chooses out of ``length`` rows, counted from the start."""
    if isinstance(key, str):
        raise TypeError(f"rows are selected by an index, a slice, indices or a mask. A column is ds.column({key!r})")
    if isinstance(key, (bool, np.bool_)) or not hasattr(key, "__index__"):
        raise TypeError(f"rows are selected by an index, a slice, indices or a mask, not {type(key).__name__}")
    index: int = key.__index__()
    if not -length <= index < length:
        raise IndexError(f"row {index} is out of range for {counted(length, 'row')}")
    return index % length
