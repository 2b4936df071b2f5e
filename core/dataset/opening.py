"""Opening the dataset at a path, whichever sink made it."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from tonesmith.buckets.address import is_remote, place_of
from tonesmith.dataset.guarded import guarding
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError, DatasetError, DatasetNotFoundError
from tonesmith.host.roles import Reader
from tonesmith.host.settings import InvalidSettings, dotted, validate


def open_dataset(path: str | PathLike[str], **form: Any) -> Dataset:
    """Return the dataset at a path, whichever sink wrote it; or a corpus as one.

    Args:
        path: of it.
        form: of a corpus, how its rows are made: ``window`` and ``hop`` in seconds, ``sample_rate`` in Hz, and
            ``channels``.

    Raises :class:`DatasetNotFoundError` if nothing is at the path, :class:`DatasetError` if what is there is no
    dataset, or one of a newer version, and :class:`ConfigError` for a form that does not fit what is there.
    """
    from tonesmith.host.readers import reader_at
    from tonesmith.host.registry import Host

    place = place_of(path)
    sinks = Host.load().sinks()
    with guarding(str(place), "record"):
        for sink in sinks.values():
            if sink.recognises(place):
                Host.load().check_reach(sink.name, place)
                _check_formless(place, form)
                return Dataset(sink.open(place), place)
        if reader := reader_at(place):
            return Dataset(reader(reading(reader, form)).open(place), place)
        if not place.exists() and not place.is_symlink():
            raise DatasetNotFoundError(f"{place} does not exist.")
        raise DatasetError(
            f"{place} is {_told(place)}, not a tonesmith dataset. Known sinks: {', '.join(sinks)}. If a plugin's sink "
            "made it, install that plugin."
        )


def reading(reader: type[Reader[Any]], form: Mapping[str, Any]) -> Any:
    """Return the options of a reader, validated. Raises :class:`ConfigError`, naming the one that is wrong."""
    try:
        return validate(reader.Options, form)
    except InvalidSettings as error:
        raise ConfigError("\n".join(f"{dotted(p.path)}: {p.text}" for p in error.problems)) from None


def _check_formless(place: Path, form: Mapping[str, Any]) -> None:
    if form:
        raise ConfigError(f"{place} is a dataset, whose rows are as they are stored: leave out {', '.join(form)}.")


def _told(place: Path) -> str:
    if not place.is_dir():
        if not place.exists():
            return "a link to nothing"
        return "an HDF5 file that is damaged, cut short or from another program" if _is_hdf5(place) else "a file"
    names = sorted(entry.name for entry in place.iterdir())
    if not names:
        return "an empty folder"
    if {"zarr.json", ".zgroup", ".zarray"} & set(names):
        return "Zarr data from another program"
    return f"a folder with {', '.join(names[:3])}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _is_hdf5(place: Path) -> bool:
    if is_remote(place) or not place.is_file():  # a pipe would keep us waiting
        return False
    with place.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"
