"""A dataset opened for reading: rows with their labels, in any order, without a synth."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from os import PathLike
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.added import Added, AddedColumns
from tonesmith.dataset.guarded import GuardedStorage
from tonesmith.dataset.playable import Playable
from tonesmith.dataset.row import Choice, Row, Rows, chosen_one, chosen_rows
from tonesmith.dataset.splits import KEYS, splits_of
from tonesmith.dataset.trainable import Trainable
from tonesmith.errors import ConfigError, DatasetError, unknown_name
from tonesmith.host.roles import Storage
from tonesmith.plan.block import dataset_digest
from tonesmith.plan.feature import PREFIX, StoredFeature
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection
from tonesmith.plan.schema import Column
from tonesmith.space.patch import Patch
from tonesmith.space.preset import PresetRef
from tonesmith.space.space import ParameterSpace

if TYPE_CHECKING:
    import pandas as pd

_CHUNK_BLOCKS, _CHUNK_ROWS = 64, 8192
"""Blocks that are read at once where all are, as long as they have no more rows than that."""


class Dataset(Playable, Trainable):
    """The committed rows of a dataset, as they were when it was opened.

    ``ds[7]`` is a :class:`Row`; ``ds[:32]``, ``ds[[3, 1, 4]]`` and ``ds[mask]`` are :class:`Rows`. Rows that
    are not rendered yet are left out; ``ds.rows`` has the plan's numbers of the others.

    It can be pickled, sent to other processes, and used after a fork.

    Args:
        storage: as a sink opened it; :func:`open_dataset` finds the sink for a path.
        path: of the dataset, for messages.
    """

    def __init__(self, storage: Storage, path: str | PathLike[str] = "") -> None:
        if not isinstance(storage, Storage):
            raise ConfigError(
                f"a Dataset is made of what a sink opened. Open a path so: open_dataset({storage!r:.200})"
            )
        self.storage = storage if isinstance(storage, GuardedStorage) else GuardedStorage(storage, str(path))
        self._committed = dict(sorted(storage.committed().items()))
        self._chosen: NDArray[np.int64] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # The snapshot travels: another process must count the same rows, though more are stored by then.
        state = {"storage": self.storage, "_committed": self._committed, "_chosen": self._chosen}
        return state | {name: self.__dict__[name] for name in ("_added",) if name in self.__dict__}

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The JSON kept with the data."""
        return self.storage.attributes

    @cached_property
    def plan(self) -> Plan:
        """The plan, with every setting that decides the content."""
        return self.storage.plan

    @property
    def space(self) -> ParameterSpace:
        """The parameters, and the codec of their labels."""
        return self.plan.space

    @cached_property
    def presets(self) -> dict[str, PresetRef]:
        """SHA-256 -> name, author, style and licence of each preset that the plan draws from."""
        return {preset.sha256: preset for preset in self.plan.presets}

    @property
    def features(self) -> dict[str, StoredFeature]:
        """Name -> options, arrays and definition of each feature; ``ds[i].features`` has a row's arrays.

        Those of the plan come first, then those that were added later and that every row has.
        """
        added = {name: feature.stored for name, feature in self._added.features.items()}
        return {feature.name: feature for feature in self.plan.features} | added

    @cached_property
    def schema(self) -> tuple[Column, ...]:
        """The columns: those of the plan, then those of added features."""
        return (*self.plan.schema, *self._added.columns)

    @cached_property
    def _added(self) -> AddedColumns:
        own = {feature.name for feature in self.plan.features}
        found = Added(self.storage.path).complete(self._committed)
        kept = {name: feature for name, feature in found.items() if name not in own}
        return AddedColumns(self.storage, self.plan.block_rows, kept)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, which :meth:`column` and :meth:`get_batch` take; :attr:`schema` has their shapes."""
        return tuple(column.name for column in self.schema)

    def modulation_matrix(self, i: int) -> NDArray[np.float32]:
        """Return float32 (4, sources, destinations) of a row: amount, bipolar, power and stereo of each routing.

        Axes are in the order of ``ds.space.sources`` and ``ds.space.destinations``; zeros where nothing is
        connected, or what is connected is bypassed.
        """
        space = self.space
        matrix = np.zeros((4, len(space.sources), len(space.destinations)), np.float32)
        for m in self.patch_of(i).modulations:
            if not m.bypass:
                place = (slice(None), space.sources.index(m.source), space.destinations.index(m.destination))
                matrix[place] = m.amount, m.bipolar, m.power, m.stereo
        return matrix

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """The number that each row has in the plan: int64 (len,), ascending."""
        return self._chosen if self._chosen is not None else self._committed_rows()

    @property
    def committed(self) -> Mapping[int, int]:
        """Block index -> number of its rows, in order, as they were when the dataset was opened."""
        return self._committed

    @property
    def complete(self) -> bool:
        """Whether every row of the plan is there, or was when a split was taken of it."""
        return sum(self._committed.values()) == self.plan.rows

    @cached_property
    def splits(self) -> dict[str, NDArray[np.int64]]:
        """Split -> indices of its rows here, ascending; empty if the dataset is not split. See ``tonesmith split``."""
        splits = splits_of(self.attributes, self.storage.path)
        if splits is None:
            return {}
        found = [splits.of(chunk) for chunk in self.chunks(self._keys())]
        names = np.concatenate(found) if found else np.zeros(0, np.int64)
        return {name: np.flatnonzero(names == place) for place, name in enumerate(splits.names)}

    def split_of(self, i: int) -> str:
        """Return the split of a row, or "" if it is in none."""
        splits = splits_of(self.attributes, self.storage.path)
        if splits is None:
            return ""
        row = self.rows[chosen_one(i, len(self))]
        place = int(splits.of(self.read_rows(self._keys(), [row]))[0])
        return splits.names[place] if place >= 0 else ""

    def split(self, name: str) -> Dataset:
        """Return the rows of one split, such as "train", as a dataset.

        Raises :class:`DatasetError` if the dataset is not split, or has no split of that name.
        """
        if splits_of(self.attributes, self.storage.path) is None:
            raise DatasetError("the dataset is not split. Split it: tonesmith split DATASET")
        if name not in self.splits:
            raise DatasetError(unknown_name("split", name, self.splits))
        part = Dataset.__new__(Dataset)
        part.__dict__.update(self.__getstate__(), _chosen=self.rows[self.splits[name]])
        return part

    def without(self, blocks: Collection[int]) -> Dataset:
        """Return the rows that are in none of these blocks, as a dataset: what can be read where those are damaged."""
        kept = {block: rows for block, rows in self._committed.items() if block not in blocks}
        chosen = self._chosen
        if chosen is not None:
            chosen = chosen[~np.isin(chosen // self.plan.block_rows, list(blocks))]
        part = Dataset.__new__(Dataset)
        part.__dict__.update(self.__getstate__(), _committed=kept, _chosen=chosen)
        return part

    @cached_property
    def rejections(self) -> tuple[Rejection, ...]:
        """The reject ledger, by patch and attempt."""
        return tuple(self.storage.rejections())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content: equal for two datasets with the same rows, however and wherever made."""
        stored = self.storage.blocks()
        digests = [d for block, rows in self._committed.items() for d in stored[block][:rows]]
        if self._chosen is not None:
            digests = [digests[place] for place in np.searchsorted(self._committed_rows(), self._chosen)]
        return dataset_digest(digests)

    @property
    def nbytes(self) -> int:
        """Bytes that the dataset takes in storage."""
        return self.storage.nbytes()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, key: int | np.integer[Any]) -> Row: ...
    @overload
    def __getitem__(self, key: Choice) -> Rows: ...
    def __getitem__(self, key: Any) -> Row | Rows:
        """Return one row, or those that a slice, indices or a mask choose.

        Raises :class:`IndexError` beyond the ends, :class:`DatasetError` if the stored bytes are damaged.
        """
        if isinstance(key, str):
            self.known_columns([key])
        chosen = chosen_rows(key, len(self))
        if not isinstance(chosen, int):
            rows = self.rows[chosen]
            return Rows(self.plan, rows, self.read_rows([c.name for c in self.schema], rows), self.storage.asset)
        row = int(self.rows[chosen])
        columns = self.read_rows([c.name for c in self.schema], [row])
        return Row(self.plan, row, {name: np.asarray(array[0]) for name, array in columns.items()}, self.storage.asset)

    def column(self, name: str) -> NDArray[Any]:
        """Return a whole column, (len, *shape), such as ``ds.column("pitch")``."""
        return self.read_rows(self.known_columns([name]), self.rows)[name]

    def info(self) -> dict[str, Any]:
        """Return what a training script asks first, as JSON: rows, the form of the audio, columns, names, splits.

        ``columns`` has the shape of a row and the dtype of each; ``continuous`` and ``categorical`` the names along
        the axis of the column of that name.
        """
        plan, audio = self.plan, self.plan.audio
        return {
            "rows": len(self),
            "rows_planned": plan.rows,
            "complete": self.complete,
            "sample_rate": audio.sample_rate,
            "channels": audio.channels,
            "frames": audio.frames,
            "columns": {c.name: {"shape": list(c.shape), "dtype": c.dtype, "doc": c.doc} for c in self.schema},
            "continuous": [p.name for p in self.space.continuous],
            "categorical": {p.name: [p.text(p.low + i) for i in range(p.count)] for p in self.space.categorical},
            "origins": list(plan.origins),
            "backend": plan.backend.name,
            "splits": {name: len(rows) for name, rows in self.splits.items()},
            "fingerprint": plan.fingerprint,
        }

    def to_pandas(self) -> pd.DataFrame:
        """Return the labels as a table with a line for each row: see :func:`tonesmith.dataset.frame.frame_of`."""
        from tonesmith.dataset.frame import frame_of

        return frame_of(self)

    def get_sample(self, i: int, columns: Sequence[str] | None = None) -> dict[str, Any]:
        """Return column name -> array of one row, of the column's shape; a number of NumPy's where it has none.

        Args:
            i: index of the row.
            columns: which; None for all. Audio costs most, so leave it out where it is not needed.
        """
        row = self.rows[chosen_one(i, len(self))]
        return {name: array[0] for name, array in self.read_rows(self.known_columns(columns), [row]).items()}

    def get_batch(self, indices: Choice, columns: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
        """Return column name -> array (n, *shape) of several rows, in the order of the indices.

        Args:
            indices: of rows, which may repeat; or a slice or a mask.
            columns: which; None for all.
        """
        chosen = np.atleast_1d(chosen_rows(indices, len(self)))
        return self.read_rows(self.known_columns(columns), self.rows[chosen])

    def chunks(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield column name -> array (n, *shape) of all rows, in order, some whole blocks at a time.

        So each block is opened once for all columns, and a dataset of any size is in memory a part at a time.

        Args:
            columns: which; None for all.
        """
        names, size = self.known_columns(columns), self.plan.block_rows
        most = max(1, min(_CHUNK_BLOCKS, _CHUNK_ROWS // size))
        firsts = np.flatnonzero(np.diff(self.rows // size, prepend=-1))[::most].tolist()
        for first, stop in pairwise([*firsts, len(self)]):
            yield self.read_rows(names, self.rows[first:stop])

    def patch_of(self, i: int) -> Patch:
        """Return the patch of a row, without reading its audio."""
        row = int(self.rows[chosen_one(i, len(self))])
        needed = [c.name for c in self.plan.schema if c.name != "audio" and not c.name.startswith(PREFIX)]
        columns = self.read_rows(needed, [row])
        return Row(self.plan, row, {name: np.asarray(array[0]) for name, array in columns.items()}).patch

    def assets_of(self, i: int) -> dict[str, bytes]:
        """Return SHA-256 -> content of each asset that the patch of a row names, checked against it."""
        return {name: self.storage.asset(name) for name in set(self.patch_of(i).assets.values()) if name}

    def __repr__(self) -> str:
        audio, state = self.plan.audio, "" if self.complete else f" of {self.plan.rows}"
        return (
            f"<Dataset: {len(self)}{state} rows from {self.plan.backend.name}, {audio.channels} x {audio.frames} "
            f"frames at {audio.sample_rate} Hz, {len(self.space.names)} parameters>"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows: a small table."""
        from tonesmith.dataset.row_html import dataset_html

        return dataset_html(self)

    def _committed_rows(self) -> NDArray[np.int64]:
        plan, size = self.plan, self.plan.block_rows
        for block, rows in self._committed.items():
            if not (0 <= block < plan.blocks and 0 < rows <= plan.rows_of(block)):
                where = f"{self.storage.path}: " if self.storage.path else ""
                raise DatasetError(
                    f"{where}block {block} is said to have {rows} rows, for which the plan has no place: what "
                    "says so is damaged, or belongs to another dataset. Restore it from a copy, or remove it."
                )
        parts = [np.arange(block * size, block * size + rows) for block, rows in self._committed.items()]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def _keys(self) -> list[str]:
        """Return the columns that tell a row's split."""
        known = {column.name for column in self.plan.schema}
        return [name for name in KEYS if name in known]

    def known_columns(self, columns: Sequence[str] | None) -> list[str]:
        """Return the names of columns, all if None. Raises :class:`DatasetError` for one that is not there."""
        if isinstance(columns, str):
            raise TypeError(f"columns must be a list of names, such as [{columns!r}]")
        known = [column.name for column in self.schema]
        for name in columns or ():
            if name not in known:
                raise DatasetError(unknown_name("column", name, known, shown=40))
        return known if columns is None else list(columns)

    def read_rows(self, names: Sequence[str], rows: Sequence[int] | NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return column name -> array (n, *shape) of rows by their numbers in the plan."""
        wanted = [int(row) for row in rows]
        own = {column.name for column in self.plan.schema}
        return {name: (self.storage if name in own else self._added).read(name, wanted) for name in names}
