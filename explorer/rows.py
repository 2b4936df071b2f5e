"""Rows of a dataset as sounds of a model, read one by one, with the parameters of the synth that made them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tonesmith.buckets.address import place_of
from tonesmith.errors import ConfigError
from tonesmith.explorer.controls import Labelled, Labels, group_of, merged, other_ranges, plain
from tonesmith.explorer.sounds import LONGEST, MOST_FILES, Recorded, digest_of, found_sounds, read_sound, recorded

if TYPE_CHECKING:
    from tonesmith.dataset.reader import Dataset


@dataclass(frozen=True, eq=False, slots=True)
class RowSound:
    """A row of a dataset.

    Attributes:
        dataset: it is of.
        place: of the row in it.
        name: of the dataset, and the number of the row in its plan, such as "d.zarr/12".
        digest: SHA-256 of the row's content.
    """

    dataset: Dataset
    place: int
    name: str
    digest: str

    def __str__(self) -> str:
        folder, _, row = self.name.rpartition("/")
        return f"row {row} of {folder}"

    def read(self) -> Recorded:
        """Return its sound. Raises :class:`ConfigError` as :func:`read_sound` does."""
        audio = np.asarray(self.dataset.get_sample(self.place, ["audio"])["audio"], np.float32)
        rate = self.dataset.plan.audio.sample_rate
        most = round(LONGEST * rate)
        return recorded(audio[:, :most], rate, str(self), self.name, lambda: self.digest, cut=audio.shape[1] > most)


Source = Path | RowSound


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which rows of datasets are used.

    Attributes:
        rows: at most, of each, drawn at random but the same each time; None for all.
        split: of which; "" for all.
    """

    rows: int | None = None
    split: str = ""


def chosen_of(rows: int | None, split: str) -> Chosen | None:
    """Return which rows are used; None if all are. Raises :class:`ConfigError` for fewer than one."""
    if rows is not None and rows < 1:
        raise ConfigError(f"--rows: expected at least 1, not {rows}.")
    return None if rows is None and not split else Chosen(rows, split)


def read_source(source: Source) -> Recorded:
    """Return the sound of a file or a row. Raises :class:`ConfigError` if it cannot be used."""
    return read_sound(source) if isinstance(source, Path) else source.read()


def digest_of_source(source: Source) -> str:
    """Return the SHA-256 of a file, or of the content of a row."""
    return digest_of(source) if isinstance(source, Path) else source.digest


def sources_of(
    places: Iterable[Path], chosen: Chosen | None = None, told: Callable[[str], None] = lambda _: None
) -> tuple[list[Source], Labels]:
    """Return the files and rows at places, and the labels of the rows.

    Args:
        places: audio files, folders with audio files in them or below, and datasets of any sink.
        chosen: which rows of datasets; None for all.
        told: is called with a sentence about parameters that are left out.

    Raises :class:`ConfigError` for a place that is not there or has nothing that can be used, a split that is not
    there, and for ``chosen`` where no place is a dataset.
    """
    files: list[Source] = []
    parts: list[Labels] = []
    for place in map(place_of, places):
        if is_dataset(place):
            rows, labels = _rows(place, chosen or Chosen())
            files += rows
            parts.append(labels)
        else:
            files += found_sounds([place])
    if chosen is not None and not parts:
        raise ConfigError("--rows and --split choose rows of a dataset, and none of the sounds is one.")
    labels, other = merged(parts)
    if other:
        told(other_ranges(other))
    return list(dict.fromkeys(files)), labels


def is_dataset(place: Path) -> bool:
    """Tell whether a sink wrote what is at a place."""
    from tonesmith.host.registry import Host

    return any(sink.recognises(place) for sink in Host.load().sinks().values())


def _rows(place: Path, chosen: Chosen) -> tuple[list[RowSound], Labels]:
    from tonesmith.dataset.opening import open_dataset

    dataset = open_dataset(place)
    if "audio" not in dataset.columns:
        raise ConfigError(f"{place} has scores alone, and no audio. Render it first: tonesmith corpus write --help")
    if chosen.split:
        dataset = dataset.split(chosen.split)
    places = np.arange(len(dataset))
    if chosen.rows is not None and chosen.rows < len(places):
        places = np.sort(np.random.default_rng(0).choice(len(places), chosen.rows, replace=False))
    if not len(places):
        raise ConfigError(f"{place} has no rows{' in that split' if chosen.split else ''}.")
    if len(places) > MOST_FILES:
        raise ConfigError(
            f"{place} has {len(places):,} rows; at most {MOST_FILES:,} can be used. Use fewer of them: --rows 1000"
        )
    sounds = list(_sounds(dataset, place, places.tolist()))
    return sounds, _labels(dataset, sounds)


def _sounds(dataset: Dataset, path: Path, places: list[int]) -> Iterator[RowSound]:
    digests, size = dataset.storage.blocks(), dataset.plan.block_rows
    for place in places:
        row = int(dataset.rows[place])
        name = f"{path.absolute().name[:200]}/{row}"
        yield RowSound(dataset, place, name, digests[row // size][row % size].hex())


def _labels(dataset: Dataset, sounds: list[RowSound]) -> Labels:
    """Return the labels of rows: none for those of a corpus, which no synth made."""
    if dataset.plan.items is not None or not dataset.space.continuous:
        return Labels()
    parameters = tuple(map(plain, dataset.space.continuous))
    columns = dataset.get_batch([sound.place for sound in sounds], ["continuous", "audible", "patch"])
    heard = np.asarray(columns["audible"][:, : len(parameters)], np.bool_)
    values = np.where(heard, columns["continuous"], np.nan).astype(np.float32)
    groups = [group_of(dataset.plan.fingerprint, int(patch)) for patch in columns["patch"]]
    each = zip(sounds, groups, values, strict=True)
    return Labels(parameters, {sound.digest: Labelled(group, row) for sound, group, row in each})
