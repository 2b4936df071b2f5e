"""A dataset from one sink to another: the same rows, stored otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tonesmith.dataset.importance import importance_of
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import PluginRef
from tonesmith.transfer.blocks import Listener, whole_plan
from tonesmith.transfer.destination import THROUGH, Destination, Transferred, check_plan, encodings, transferred
from tonesmith.transfer.items import form_of


def convert(
    source: Path,
    path: Path,
    sink: PluginRef,
    *,
    form: Mapping[str, Any] | None = None,
    workers: int = 0,
    host: Host | None = None,
    listener: Listener | None = None,
) -> Transferred:
    """Store the rows of a dataset at another path with another sink, or go on with it.

    A block whose source is damaged is left out and told of; once the source is whole again, the same call adds it.

    Args:
        source: path of the dataset.
        path: of the new one. One that is there must be an earlier conversion of the same dataset.
        sink: that stores the new one, with its options.
        form: of a corpus, how its rows are made: what :func:`tonesmith.open_dataset` takes.
        workers: processes; 0 for one a core.
        host: finds the plugins.
        listener: hears how far it is.

    Raises:
        ConfigError: an option or a path is wrong, or a library is missing.
        DatasetError: the source is no dataset, something else is at the path, or a block cannot be written.
        RunError: a block reads back otherwise than it was written.
    """
    host = host or Host.load()
    check_apart(source, path)
    opened, importance = open_dataset(source, **(form or {})), importance_of(source)
    check_plan(source, opened)
    given = host.options_of("sink", sink.name, sink.options).model_dump(mode="json")
    plan = replace(whole_plan(opened), sink=PluginRef(sink.name, given))
    destination = Destination(plan, path, host)
    feed = destination.feed([source])
    attributes = {**opened.attributes, "plan": plan.to_json(), "fingerprint": plan.fingerprint}
    if through := encodings(opened, source, host):
        attributes[THROUGH] = through
    done = transferred(
        destination, feed, attributes, workers, listener or Listener(), compared=True, importance=importance
    )
    live = opened.storage.live
    digest = "" if live else _digest(opened)
    return replace(done, source_digest=digest, nbytes_before=opened.nbytes, form=form_of(plan) if live else None)


def _digest(dataset: Dataset) -> str:
    """Return the digest of a dataset, or "" where what is damaged hides it."""
    try:
        return dataset.digest
    except DatasetError:
        return ""


def check_apart(source: Path, path: Path) -> None:
    """Raise :class:`ConfigError` if a dataset would be written into one that is read, or around it."""
    here, there = source.resolve(), path.resolve()
    if here == there:
        raise ConfigError(f"{path} is {source} itself. Choose another path.")
    if here in there.parents or there in here.parents:
        raise ConfigError(f"{path} and {source} are one inside the other. Choose another path.")
