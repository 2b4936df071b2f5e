"""Adding features to a dataset that is there: block by block, each stored when it is computed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tonesmith.buckets.address import is_remote
from tonesmith.dataset.added import RECORD, AddedFeature, added_at, begin_added, features_folder, tag_of
from tonesmith.dataset.beside import refuse_link
from tonesmith.dataset.items import refuse_live
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.verify import plan_fault
from tonesmith.engine.machine import cores
from tonesmith.errors import ConfigError, DatasetError, OtherPlanError, unknown_name
from tonesmith.host.computing import Computer, feature_of, planned
from tonesmith.host.feature_trust import check_feature_trusted, remember_feature
from tonesmith.host.registry import Host
from tonesmith.plan.feature import StoredFeature
from tonesmith.run.presence import present
from tonesmith.transfer.blocks import Damaged, Listener, by_workers

_NEEDED = ("audio", "patch")
"""Columns that features are computed of, and the one that an error tells."""


@dataclass(frozen=True, slots=True)
class FeaturesAdded:
    """What adding features came to.

    Attributes:
        path: of the dataset.
        features: names of those that were asked for.
        rows: that have them now.
        rows_added: that have one of them by this call.
        seconds: that it took.
        damaged: blocks that could not be read, and so have none.
    """

    path: Path
    features: tuple[str, ...]
    rows: int
    rows_added: int
    seconds: float
    damaged: tuple[Damaged, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {**asdict(self), "path": str(self.path)}


def add_features(
    path: Path,
    asked: Mapping[str, Mapping[str, Any]],
    *,
    workers: int = 0,
    trust: bool = False,
    host: Host | None = None,
    listener: Listener | None = None,
) -> FeaturesAdded:
    """Compute features of every row of a dataset and store them with it, or go on with that.

    No file of the rows is touched. Killed at any moment, the same call goes on; after rows were added, it adds theirs.

    Args:
        path: of the dataset.
        asked: name of each feature -> options. Of one that was begun, what is left out is as it was then.
        workers: processes; 0 for one a core.
        trust: whether to run code that options name which were stored with the dataset.
        host: finds the plugins.
        listener: hears how far it is.

    Raises:
        ConfigError: a feature or an option is wrong, or a library is missing.
        OtherPlanError: the dataset has such a feature of another definition.
        TrustError: what was stored with the dataset names code that this user has not used.
        RunError: a feature fails.
        DatasetError: the path holds no dataset, or cannot be written to.
    """
    host, listener, started = host or Host.load(), listener or Listener(), time.monotonic()
    if is_remote(path):
        raise ConfigError(
            f"{path}: features are added to a dataset on a disk. Convert it to one first, or name the features when it "
            "is made: tonesmith generate --feature NAME."
        )
    dataset = open_dataset(path)
    refuse_live(dataset, path, f"Add features to its items: tonesmith corpus features {path}. Or pack it first")
    if fault := plan_fault(dataset):
        raise DatasetError(f"{path}: its plan is damaged: {fault}. Restore it from a copy.")
    wanted = [_wanted(path, dataset, name, options, host, trust=trust) for name, options in asked.items()]
    features = [begin_added(path, stored) for stored in wanted if stored.name not in _own(dataset)]
    committed = dataset.storage.committed()
    todo = {
        block: rows for block, rows in sorted(committed.items()) if any(not _has(f, block, dataset) for f in features)
    }
    listener.started(sum(committed.values()), sum(committed.values()) - sum(todo.values()))
    with present(path):
        damaged = _computed(path, [feature.stored for feature in features], todo, workers, host, listener)
    without = {found.block for found in damaged}
    return FeaturesAdded(
        path=path,
        features=tuple(stored.name for stored in wanted),
        rows=sum(rows for block, rows in committed.items() if block not in without),
        rows_added=sum(rows for block, rows in todo.items() if block not in without),
        seconds=time.monotonic() - started,
        damaged=tuple(damaged),
    )


def remove_feature(path: Path, name: str) -> None:
    """Remove an added feature from a dataset.

    Raises :class:`ConfigError` for one of its plan, :class:`DatasetError` for one that is not there.
    """
    dataset, folder = open_dataset(path), features_folder(path) / name
    if name in _own(dataset):
        raise ConfigError(f"the feature {name!r} is part of the plan of {path}, and stays with its rows.")
    if not (folder / RECORD).exists():
        known = [place.name for place in features_folder(path).glob("*/") if (place / RECORD).exists()]
        raise DatasetError(unknown_name("added feature", name, known))
    for place in (folder.parent.parent, folder.parent, folder):
        if place != path:
            refuse_link(place)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise DatasetError(f"cannot remove {folder}: {error.strerror}.") from None


def add_block(dataset: Dataset, features: Sequence[AddedFeature], computer: Computer, block: int) -> None:
    """Compute features of a block of a dataset, and store them.

    Raises :class:`DatasetError` if the block cannot be read, or its features not be written.
    """
    digests = dataset.storage.blocks()[block]
    first = block * dataset.plan.block_rows
    rows = range(first, first + len(digests))
    columns = computer.columns(
        {name: dataset.storage.read(name, rows) for name in (*_NEEDED, *dataset.plan.notes.columns)}
    )
    for feature in features:
        feature.write(block, digests, columns)


def added_features(path: Path, stored: Sequence[StoredFeature]) -> list[AddedFeature]:
    """Return features whose folders have been made."""
    return [added_at(features_folder(path) / feature.name) for feature in stored]


def _own(dataset: Dataset) -> dict[str, StoredFeature]:
    return {feature.name: feature for feature in dataset.plan.features}


def _wanted(
    path: Path, dataset: Dataset, name: str, options: Mapping[str, Any], host: Host, *, trust: bool
) -> StoredFeature:
    """Return a feature as it is to be stored: what was asked for, laid over what is there."""
    host.find("feature", name)  # a wrong name is told before anything is read
    there = _own(dataset).get(name) or _there(path, name)
    feature = host.find("feature", name)
    merged = host.options_of("feature", name, {**(there.options if there else {}), **options})
    typed = feature.loads(host.options_of("feature", name, options))
    if not set(feature.loads(merged)) <= set(typed):  # the rest was named by whoever stored it
        check_feature_trusted(name, merged.model_dump(mode="json"), host, trust=trust)
    made = planned(feature_of(host, name, merged.model_dump(mode="json")), dataset.plan.audio)
    if there is not None and there.to_json() != made.to_json():
        changed = [key for key, value in made.options.items() if there.options.get(key) != value]
        what = ", ".join(f"{key}: {there.options.get(key)} -> {made.options[key]}" for key in changed)
        cure = "" if name in _own(dataset) else f" To compute it anew: tonesmith features {path} --remove {name}"
        raise OtherPlanError(
            f"{path} has the feature {name!r} with another definition ({what or 'of another version'}).{cure}"
        )
    remember_feature(feature, merged)
    return made


def _there(path: Path, name: str) -> StoredFeature | None:
    try:
        return added_at(features_folder(path) / name).stored
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DatasetError(f"{features_folder(path) / name} cannot be read: {error.strerror}.") from None
    except DatasetError as error:
        raise DatasetError(
            f"{features_folder(path) / name / RECORD} cannot be read: {error}. Delete the folder."
        ) from None


def _has(feature: AddedFeature, block: int, dataset: Dataset) -> bool:
    """Return whether a block has a feature, of its rows as they are now and undamaged."""
    try:
        digests = dataset.storage.blocks()[block]
        if feature.files.get(block) != (len(digests), tag_of(digests)):
            return False
        feature.block(block, dataset.storage)
    except DatasetError:
        return False
    return True


def _computed(
    path: Path, stored: Sequence[StoredFeature], todo: Mapping[int, int], workers: int, host: Host, listener: Listener
) -> list[Damaged]:
    if not todo:
        return []
    count = min(workers or cores(), len(todo))
    if count > 1:
        setup = {"path": str(path), "features": [feature.to_json() for feature in stored]}
        return by_workers("tonesmith.transfer.feature_worker", setup, todo, count, listener.carried)
    dataset, damaged = open_dataset(path), []
    computer, features = Computer(stored, dataset.plan.audio, host), added_features(path, stored)
    for block, rows in todo.items():
        try:
            add_block(dataset, features, computer, block)
        except DatasetError as error:
            damaged.append(Damaged(block, str(error)))
        listener.carried(rows)
    return damaged
