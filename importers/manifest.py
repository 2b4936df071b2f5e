"""``manifest.json``: the samples of a corpus with what is said of them, as tonesmith and others write it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, get_args

from pydantic import Field

from tonesmith.document import parsed, parsed_object, read_plain
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Annotation, Found, Importer, Options, Refused
from tonesmith.host.roles.annotation import Authority

_NAME = "manifest.json"
_SYNTHETIC = ("raw", "synthetic")


class ManifestOptions(Options):
    """Options of :class:`Manifest`."""

    links: bool = Field(
        default=False, description="Follow links to files, as a corpus of your own has that was made with --link."
    )


class Manifest(Importer[ManifestOptions]):
    """Reads a ``manifest.json``, or the folder of a corpus that has one.

    Each sample has ``sample_id``, ``file_path`` or ``files``, and ``annotations``. What sources say in detail is read
    from ``annotations/*.json`` beside it; of others, the manifest is the source.
    """

    name = "manifest"
    summary = "samples of a manifest.json with their annotations"
    Options = ManifestOptions

    @classmethod
    def takes(cls, path: Path) -> bool:
        """Return whether it is a manifest, or a folder with one."""
        return (path.name == _NAME and path.is_file()) or (path / _NAME).is_file()

    def find(self, path: Path, scratch: Path) -> Iterator[Found | Refused]:
        """Yield the files of every sample. Raises :class:`ConfigError` for a manifest that is none."""
        file = path / _NAME if path.is_dir() else path
        said = _said(file.parent)
        for place, sample in enumerate(_samples(file)):
            named = isinstance(sample, dict) and isinstance(sample.get("sample_id"), str) and sample["sample_id"]
            if not named:
                yield Refused(f"{file.name}[{place}]", "has no sample_id")
                continue
            yield from _files(file.parent, sample, said, links=self.options.links)


def _samples(file: Path) -> list[Any]:
    try:
        data = parsed(read_plain(file), str(file))
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from None
    except DatasetError as error:
        raise ConfigError(f"{error}.") from None
    samples = data.get("samples") if isinstance(data, dict) else data
    if not isinstance(samples, list):
        raise ConfigError(f"{file} has no list of samples.")
    return samples


def _files(
    folder: Path, sample: Mapping[str, Any], said: Mapping[str, Any], *, links: bool
) -> Iterator[Found | Refused]:
    item = str(sample["sample_id"])
    files = sample.get("files")
    names = list(files.values()) if isinstance(files, dict) and files else [sample.get("file_path")]
    annotations = tuple(_annotations(item, sample, said))
    parent = sample.get("parent") if isinstance(sample.get("parent"), str) else ""
    told = sample.get("provenance")
    origin = told if isinstance(told, dict) else {}
    recipe = sample.get("recipe") if isinstance(sample.get("recipe"), dict) else None
    for name in names:
        if not isinstance(name, str) or not name:
            yield Refused(item, "has no file_path")
        elif not _is_inside(folder, name):
            yield Refused(name, "lies outside the folder of the manifest")
        elif (folder / name).is_symlink() and not links:
            yield Refused(name, "is a link")
        elif not (folder / name).is_file():
            yield Refused(name, "is missing")
        else:
            made = PurePosixPath(name).parts[:2] == _SYNTHETIC
            yield Found(folder / name, str(PurePosixPath(name)), item, annotations, parent or "", origin, made, recipe)


def _is_inside(folder: Path, name: str) -> bool:
    """Return whether a name is of a file in a folder, or of a link in it."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts and "\0" not in name and _fits(folder, name)


def _fits(folder: Path, name: str) -> bool:
    parent = os.path.realpath((folder / name).parent)
    return os.path.commonpath([parent, os.path.realpath(folder)]) == os.path.realpath(folder)


def _annotations(item: str, sample: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[Annotation]:
    given = sample.get("annotations")
    for name, value in given.items() if isinstance(given, dict) else ():
        sources = said.get(name, {}).get(item) if isinstance(said.get(name), dict) else None
        detailed = list(_detailed(name, sources))
        if detailed:
            yield from detailed
        elif value is not None and (told := _value(value)) is not None:
            yield Annotation(name, told, source="manifest", authority="table")


def _detailed(name: str, told: Any) -> Iterator[Annotation]:
    sources = told.get("sources") if isinstance(told, dict) else None
    for source in sources if isinstance(sources, list) else ():
        value = _value(source.get("value")) if isinstance(source, dict) else None
        if value is None or source.get("authority") not in get_args(Authority):
            continue
        confidence = source.get("confidence")
        sure = float(confidence) if isinstance(confidence, (int, float)) and 0 <= confidence <= 1 else 1.0
        words = {key: str(source.get(key) or "") for key in ("source", "version", "by", "at")}
        yield Annotation(name, value, sure, authority=source["authority"], **words)


def _value(value: Any) -> Any:
    """Return a value that an annotation may have, or None."""
    if isinstance(value, list):
        return tuple(map(str, value))
    return value if isinstance(value, (bool, int, float, str)) else None


def _said(folder: Path) -> dict[str, Any]:
    """Return label -> item -> what is said of it, of the files that can be read."""
    said: dict[str, Any] = {}
    for path in sorted((folder / "annotations").glob("*.json")):
        try:
            said[path.stem] = parsed_object(read_plain(path), str(path))
        except (OSError, DatasetError):
            continue  # the manifest says what is believed
    return said


@hookimpl
def tonesmith_importers() -> Iterable[type[Importer[Any]]]:
    """Return the importer of this module."""
    return [Manifest]
