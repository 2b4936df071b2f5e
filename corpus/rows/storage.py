"""A corpus as a storage: what :class:`tonesmith.Dataset` reads, and ``tonesmith convert`` packs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tonesmith.corpus.rows.form import Form, FormOptions, form_of, starts_of
from tonesmith.corpus.rows.labels import label_columns, text_columns
from tonesmith.corpus.rows.music import scores_of
from tonesmith.corpus.rows.plan import origins_of, plan_of
from tonesmith.corpus.rows.sound import frames_of, sound_of
from tonesmith.corpus.rows.truth import ORIGINAL, File, Known, KnownItem
from tonesmith.corpus.truth.files import sha256_of
from tonesmith.dataset.splits import Splits
from tonesmith.errors import DatasetError
from tonesmith.host.roles import Storage
from tonesmith.plan.block import row_digests
from tonesmith.plan.items import FRAMES, MIDI, PREFIX, SAID_BY, SECONDS, SPLIT
from tonesmith.plan.phrases import INDEX, RowPhrase
from tonesmith.plan.phrases import PREFIX as SCORES
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection
from tonesmith.score.score import Score


class CorpusStorage(Storage):
    """The rows of a corpus, as it was when it was opened.

    Args:
        known: the corpus.
        options: how its rows are made.

    Raises :class:`ConfigError` for options that do not fit it, :class:`DatasetError` for one without items.
    """

    live: ClassVar[bool] = True

    def __init__(self, known: Known, options: FormOptions) -> None:
        if not known.items:
            raise DatasetError(f"{known.folder} has no items. Add music: tonesmith corpus add {known.folder} FOLDER")
        self._known = known
        self._form = form_of(known, options)
        lengths, self._items = text_columns(known)
        starts = [starts_of(item.seconds, self._form) for item in known.items]
        self._item = np.repeat(np.arange(len(starts)), [len(inside) for inside in starts])
        self._start = np.array([start for inside in starts for start in inside], np.float64)
        self.plan: Plan = plan_of(known, self._form, len(self._item), lengths)
        self._items |= label_columns(self.plan.items.fields if self.plan.items else (), known)
        self._items |= _of_items(known)
        self._rows = _of_rows(known, self._form, self._item, self._start)
        self._forget()
        self.attributes = {"plan": self.plan.to_json(), "fingerprint": self.plan.fingerprint}
        self.attributes |= {SAID_BY: {name: dict(sources) for name, sources in known.said_by.items()}}
        if known.shares:
            self.attributes["splits"] = Splits(known.shares, by="item").to_json()

    def _forget(self) -> None:
        self._whole: set[str] = set()
        self._scores: tuple[tuple[int, ...], dict[str, NDArray[Any]]] | None = None
        self._placed: dict[str, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in {"_whole", "_scores", "_placed"}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    @property
    def form(self) -> Form:
        """How the rows are made."""
        return self._form

    def committed(self) -> Mapping[int, int]:
        """Return block -> its rows: all of them."""
        return {block: self.plan.rows_of(block) for block in range(self.plan.blocks)}

    def blocks(self) -> Mapping[int, tuple[bytes, ...]]:
        """Return block -> digests of its rows, which are made when they are asked for."""
        return _Digests(self)

    def read(self, column: str, rows: Sequence[int]) -> NDArray[Any]:
        """Return (len(rows), *shape) of a column.

        Raises :class:`DatasetError`, naming the file, for one that is not as it was added.
        """
        places = np.asarray(rows, np.int64)
        if column == "audio":
            return self._audio(places.tolist())
        if column in self._rows:
            return self._rows[column][places]
        if column in self._items:
            return self._items[column][self._item[places]]
        spec = next(one for one in self.plan.schema if one.name == column)
        if column.startswith(SCORES) or column in {"pitch", "velocity"}:
            return self._music(tuple(places.tolist()))[column].astype(spec.dtype)
        return np.zeros((len(places), *spec.shape), spec.dtype)

    def rejections(self) -> Iterable[Rejection]:
        """Return nothing: no candidate was drawn."""
        return ()

    def asset(self, name: str) -> bytes:
        """Return a MIDI file of the corpus, or a score of a row, by its SHA-256."""
        files = {item.score.sha256: item.score for item in self._known.items if item.score is not None}
        if name in files:
            return self._path_bytes(files[name])
        if name in self._placed or name in self._contents:
            row = self._placed.get(name, self._contents.get(name, 0))
            score = next(self._row_scores([row]))[1]
            if score is not None and score.digest == name:
                return score.content
        raise DatasetError(f"{self._known.folder} has no score with the SHA-256 {name:.64}")

    @cached_property
    def _contents(self) -> dict[str, int]:
        """Digest of a score -> the row that is all of it; nothing of windows, whose scores are known once read."""
        if self._form.window:
            return {}
        return {item.score.content: place for place, item in enumerate(self._known.items) if item.score is not None}

    def assets(self) -> Sequence[str]:
        """Return the SHA-256 of every MIDI file, and of every score of a whole item."""
        return sorted({*(item.score.sha256 for item in self._known.items if item.score), *self._contents})

    def nbytes(self) -> int:
        """Return the bytes of the files."""
        return sum(file.nbytes for item in self._known.items for file in (item.audio, item.score) if file)

    def check(self) -> Iterable[str]:
        """Return nothing: ``tonesmith corpus check`` tells of a corpus."""
        return ()

    def _audio(self, rows: Sequence[int]) -> NDArray[np.float32]:
        form = self._form.audio
        made = np.zeros((len(rows), form.channels, form.frames), np.float32)
        for place, row in enumerate(rows):
            file = self._of(row).audio
            if file is not None and (frames := int(self._rows[FRAMES][row])):
                self._check(file)
                path = self._known.folder / file.path
                made[place] = sound_of(path, file, form, float(self._start[row]), frames)
        return made

    def _music(self, rows: tuple[int, ...]) -> dict[str, NDArray[Any]]:
        """Return the columns of the scores of rows. They are kept until others are asked for."""
        phrases = self.plan.phrases
        if phrases is None:
            return {name: np.zeros(len(rows)) for name in ("pitch", "velocity")}
        if self._scores is None or self._scores[0] != rows:
            specs = [one for one in self.plan.schema if one.name.startswith(SCORES)]
            columns = {one.name: np.zeros((len(rows), *one.shape), one.dtype) for one in specs}
            columns |= {name: np.zeros(len(rows)) for name in ("pitch", "velocity")}
            columns[INDEX][:] = self._item[list(rows)]
            for place, (row, score) in enumerate(self._row_scores(rows)):
                if score is not None:
                    self._placed[score.digest] = row
                    phrase = phrases.phrase(score)
                    packed = phrases.packed([RowPhrase(phrase, int(self._item[row]))])
                    packed |= {"pitch": [phrase.pitch], "velocity": [phrase.velocity]}
                    for name in columns:
                        columns[name][place] = packed[name][0]
            self._scores = (rows, columns)
        return self._scores[1]

    def _row_scores(self, rows: Sequence[int]) -> Iterator[tuple[int, Score | None]]:
        """Yield each row with its score. A file is read once for rows of one item that follow each other."""
        place = 0
        while place < len(rows):
            stop = place + 1
            while stop < len(rows) and self._follows(rows[stop - 1], rows[stop]):
                stop += 1
            inside = rows[place:stop]
            file = self._of(inside[0]).score
            if file is None:
                yield from ((row, None) for row in inside)
            else:
                self._check(file)
                starts = [float(self._start[row]) for row in inside]
                scores = scores_of(self._known.folder / file.path, starts, self._form.window)
                yield from zip(inside, scores, strict=True)
            place = stop

    def _follows(self, one: int, other: int) -> bool:
        return bool(self._item[one] == self._item[other] and self._start[one] <= self._start[other])

    def _of(self, row: int) -> KnownItem:
        return self._known.items[int(self._item[row])]

    def _path_bytes(self, file: File) -> bytes:
        self._check(file)
        return (self._known.folder / file.path).read_bytes()

    def _check(self, file: File) -> None:
        """Raise :class:`DatasetError` unless a file is as it was added; each is read for that once."""
        if file.sha256 in self._whole:
            return
        path = self._known.folder / file.path
        try:
            found, _ = sha256_of(path)
        except OSError as error:
            raise DatasetError(f"{path} cannot be read ({error.strerror}): copy the original there") from None
        if found != file.sha256:
            raise DatasetError(f"{path} is not as it was added: copy the original there")
        self._whole.add(file.sha256)


class _Digests(Mapping[int, tuple[bytes, ...]]):
    """The digests of the rows of a corpus: to ask for a block's is to read it."""

    def __init__(self, storage: CorpusStorage) -> None:
        self._storage = storage

    def __getitem__(self, block: int) -> tuple[bytes, ...]:
        plan = self._storage.plan
        if not 0 <= block < plan.blocks:
            raise KeyError(block)
        first = block * plan.block_rows
        rows = range(first, first + plan.rows_of(block))
        columns = {column.name: self._storage.read(column.name, rows) for column in plan.schema if column.content}
        return row_digests(plan.schema, columns)

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._storage.plan.blocks))

    def __len__(self) -> int:
        return self._storage.plan.blocks


def _of_items(known: Known) -> dict[str, NDArray[Any]]:
    """Return column -> (items, ...) of what is one number or digest of each item."""
    origins, splits = origins_of(known), list(known.shares)
    return {
        "patch": np.arange(len(known.items), dtype=np.int64),
        "origin": np.array([origins.index(item.operation or ORIGINAL) for item in known.items], np.int16),
        SPLIT: np.array([splits.index(i.split) if i.split in splits else -1 for i in known.items], np.int16),
        f"{PREFIX}audio_sha256": np.array([_bytes(item.audio) for item in known.items], np.uint8),
        MIDI: np.array([_bytes(item.score) for item in known.items], np.uint8),
    }


def _bytes(file: File | None) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(file.sha256) if file else bytes(32), np.uint8)


def _of_rows(
    known: Known, form: Form, items: NDArray[np.int64], starts: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    """Return column -> (rows,) of where the rows lie in their items."""
    lengths = np.array([item.seconds for item in known.items])[items]
    seconds = np.minimum(lengths - starts, form.window) if form.window else lengths
    whole = form.audio.frames / form.audio.sample_rate
    files = [known.items[item].audio for item in items.tolist()]
    frames = [
        frames_of(file, form.audio, start, whole=not form.window) if file else 0
        for file, start in zip(files, starts.tolist(), strict=True)
    ]
    return {
        f"{PREFIX}start_s": starts,
        SECONDS: seconds,
        FRAMES: np.array(frames, np.int64),
        "hold": seconds,
        "tail": np.maximum(whole - seconds, 0.0),
    }
