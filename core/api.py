"""Making, converting, merging and splitting datasets from Python, and adding features to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tonesmith.buckets.address import place_of
from tonesmith.card.composition import load_composition
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.host.composition import compose
from tonesmith.host.config import Config, PlanSettings
from tonesmith.host.registry import Host
from tonesmith.host.toml import TomlSource
from tonesmith.plan.summary import Summary
from tonesmith.run.watch import Watcher

if TYPE_CHECKING:
    from tonesmith.dataset.splits import Splits
    from tonesmith.plan.plan import PluginRef
    from tonesmith.run.finish import Finished
    from tonesmith.run.stream import Stream
    from tonesmith.transfer.add_features import FeaturesAdded
    from tonesmith.transfer.destination import Transferred


def generate(
    path: str | os.PathLike[str],
    *,
    config: Config | str | os.PathLike[str] | None = None,
    workers: int | None = None,
    watcher: Watcher | None = None,
    progress: bool = False,
    blocks: str | Iterable[int] | None = None,
    share: str | Sequence[int] | None = None,
    **settings: Any,
) -> Summary:
    """Make a dataset, or continue the one at ``path``, and return a summary.

    ::

        generate("out.zarr", patches=100, backend={"name": "vita", "tier": 2}, sampler="sobol", notes={"pitches": [60]})

    Args:
        path: the path of the dataset.
        config: a composition, or the path of a TOML file, or of a dataset whose settings are used; None for the
            built-in defaults. A ``plugins.toml``
            in the current directory is not read, so that a program does the same wherever it is started.
        workers: number of processes; 0 means one per available CPU core, or as many as the executor has places.
        watcher: receives the events of the run, or None.
        progress: whether to show how far it is on the error stream, or in the notebook; not with a watcher.
        blocks: of the plan, if only some are to be made: indices, or text such as "0:50,70". Whoever finds the dataset
            whole completes it, and so does :func:`finish`.
        share: the part of the plan's blocks that is to be made, such as "3/20" or (3, 20); parts count from 1.
        settings: changes to the composition. The keys are those of the TOML file; keys of ``[plan]`` can
            be given directly, such as ``patches=100``.

    Raises:
        ConfigError: a setting is wrong, both a watcher and progress are asked for, or there is no such share.
        PluginError: a plugin is unknown or broken.
        DatasetError: the path holds a dataset of a different plan.
        EngineError: the synth could not be loaded.
        RunError: the run could not continue.
    """
    from tonesmith.plan.share import share_of
    from tonesmith.run.pipeline import check_place, run
    from tonesmith.run.resolve import resolve_plan
    from tonesmith.run.staff import executor_of

    host = Host.load()
    resolved = composed(config, settings, workers=workers, host=host)
    executor = executor_of(resolved.executor, host)
    if progress and watcher is not None:
        raise ConfigError("progress=True is a watcher of its own. Leave it out, or watcher.")
    part = share_of(resolved.plan.blocks, blocks, share)
    check_place(place_of(path), host, resolved.sink.name)
    plan = resolve_plan(resolved, host)
    made = partial(run, workers=resolved.run.workers, host=host, executor=executor, share=part)
    if not progress:
        return made(plan, place_of(path), watcher=watcher)
    from tonesmith.run.progress import progress as shown

    with shown(determinism=plan.determinism) as showing:
        return made(plan, place_of(path), watcher=showing)


def stream(
    config: Config | str | os.PathLike[str] | None = None,
    columns: Sequence[str] | None = None,
    transform: Callable[[dict[str, Any]], Mapping[str, Any]] | None = None,
    *,
    form: str = "torch",
    replay: int = 1,
    buffer: int = 256,
    rank: int = 0,
    world: int = 1,
    **settings: Any,
) -> Stream:
    """Return rows that are rendered as training goes, without an end, and not stored.

    ::

        rows = stream("plugins.toml", replay=4)
        for batch in DataLoader(rows, batch_size=32, num_workers=2, persistent_workers=True):
            ...

    They are those that :func:`generate` stores, by their number in the plan. Each worker of a ``DataLoader`` renders
    every so-many-th block in an engine of its own, and each rank likewise: none is rendered twice. After the last block
    of the plan a pass with the next seed begins. A process in which the iteration ends ends its engine.

    Args:
        config: a composition, or the path of a TOML file, or of a dataset whose settings are used; None for the
            built-in defaults.
        columns: of a row; None for audio, labels, audible mask and note.
        transform: gets the dictionary of a row, and returns another.
        form: "torch" for an ``IterableDataset`` of tensors, "numpy" for an iterable of arrays.
        replay: times that each row is given, drawn from a buffer: rendering is slow, and a model may learn from a row
            more than once.
        buffer: rows that it keeps.
        rank: of this process among those that train together.
        world: number of them.
        settings: changes to the composition, as for :func:`generate`.

    Raises :class:`ConfigError` for a wrong setting, and for form "torch" where torch is not installed.
    """
    from tonesmith.dataset.loading.formats import check_form, needing_torch
    from tonesmith.run.resolve import resolve_plan
    from tonesmith.run.stream import Stream

    check_form(form)
    host = Host.load()
    kind = Stream
    if form == "torch":
        with needing_torch():
            from tonesmith.run.torch_stream import TorchStream as kind  # noqa: N813 - one of two classes
    resolved = resolve_plan(composed(config, settings, host=host), host)
    return kind(resolved, columns, transform, replay=replay, buffer=buffer, rank=rank, world=world)


def finish(path: str | os.PathLike[str]) -> Finished:
    """Complete a dataset if each of its blocks is there, and return what is missing. See :mod:`tonesmith.run.finish`.

    ::

        generate("d.zarr", patches=100, share="1/2")
        generate("d.zarr", patches=100, share="2/2")
        assert finish("d.zarr").complete

    Args:
        path: of the dataset.
    """
    from tonesmith.run.finish import finish as finished

    return finished(place_of(path))


def convert(
    source: str | os.PathLike[str],
    path: str | os.PathLike[str],
    sink: str | Mapping[str, Any],
    *,
    workers: int = 0,
    progress: bool = False,
) -> Transferred:
    """Store the rows of a dataset with another sink, or resume. See :func:`tonesmith.transfer.convert.convert`.

    ::

        convert("d.zarr", "d.h5", {"name": "hdf5", "single": True})

    Args:
        source: path of the dataset.
        path: path of the new dataset.
        sink: its name, or its name and options, as in the TOML file.
        workers: number of processes; 0 means one per available CPU core.
        progress: whether to show how far it is on the error stream, or in the notebook.
    """
    from tonesmith.transfer.convert import convert as carry
    from tonesmith.transfer.listening import listening

    place = place_of(path)
    with listening(f"converting {place.name}", hidden=not progress) as listener:
        return carry(place_of(source), place, _sink_ref(sink), workers=workers, listener=listener)


def merge(
    sources: Sequence[str | os.PathLike[str]],
    path: str | os.PathLike[str],
    sink: str | Mapping[str, Any] | None = None,
    *,
    workers: int = 0,
    progress: bool = False,
) -> Transferred:
    """Store the rows of several datasets as one, or resume. See :func:`tonesmith.transfer.merge.merge`.

    Args:
        sources: paths of the datasets, in order.
        path: path of the new dataset.
        sink: as for :func:`convert`; None for the sink of the first.
        workers: number of processes; 0 means one per available CPU core.
        progress: as for :func:`convert`.
    """
    from tonesmith.transfer.listening import listening
    from tonesmith.transfer.merge import merge as carry

    if isinstance(sources, str | os.PathLike):
        raise ConfigError(f"sources is a list of paths, such as [{str(sources)!r}, ...], not one path")
    paths = [place_of(source) for source in sources]
    place, chosen = place_of(path), None if sink is None else _sink_ref(sink)
    with listening(f"merging {place.name}", hidden=not progress) as listener:
        return carry(paths, place, chosen, workers=workers, listener=listener)


def split(
    path: str | os.PathLike[str], shares: Mapping[str, float] | None = None, *, force: bool = False, **settings: Any
) -> Splits:
    """Split a dataset, store the splits with it, and return them.

    ::

        split("d.zarr", {"train": 0.9, "test": 0.1}, by="preset", seed=3)

    Args:
        path: of the dataset.
        shares: the share of each split; they add up to 1. None for train 0.8, val 0.1 and test 0.1.
        force: whether to split again a dataset that is already split differently, although rows move between splits.
        settings: ``by``, ``stratify``, ``seed`` and ``crossing``, as :class:`tonesmith.Splits` has them.

    Raises:
        ConfigError: the shares or settings are wrong, or the dataset cannot be split this way.
        OtherPlanError: it is already split differently.
        DatasetError: blocks are damaged. The others are split.
    """
    from tonesmith.card.card import renew_card
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.dataset.splits import DEFAULT_SHARES, Splits
    from tonesmith.transfer.split import decided, of_sound_rows, store

    place = place_of(path)
    opened = open_dataset(place)
    asked = Splits(dict(DEFAULT_SHARES if shares is None else shares), **settings)
    (splits, done), damaged = of_sound_rows(opened, lambda rows: decided(place, rows, asked, force=force))
    if not done:
        damaged |= store(place, opened, splits, Host.load())
        renew_card(place, open_dataset(place).without(damaged))
    if damaged:
        listed = "\n".join(f"  {found.what}" for found in damaged.values())
        raise DatasetError(
            f"{place} is split except for its damaged blocks. Repair them, and the same call splits them:\n{listed}"
        )
    return splits


def add_features(
    path: str | os.PathLike[str],
    features: Sequence[str] | Mapping[str, Mapping[str, Any]],
    *,
    workers: int = 0,
    trust: bool = False,
) -> FeaturesAdded:
    """Compute features of every row of a dataset and store them with it, or resume. No file of its rows is touched.

    ::

        add_features("d.zarr", {"mel": {"bands": 64}, "stats": {}})

    Args:
        path: of the dataset.
        features: names, or name -> options.
        workers: number of processes; 0 means one per available CPU core.
        trust: whether to run code that options name which were stored with the dataset.

    Raises:
        ConfigError: an option is wrong, or a library is missing.
        PluginError: a feature is unknown.
        OtherPlanError: the dataset has such a feature with another definition.
        RunError: a feature fails.
        DatasetError: blocks are damaged. The others have the features.
    """
    from tonesmith.transfer.add_features import add_features as add

    if isinstance(features, str):
        raise ConfigError(f"features is a list of names, such as [{features!r}], or name -> options")
    asked = features if isinstance(features, Mapping) else {name: {} for name in features}
    done = add(place_of(path), asked, workers=workers, trust=trust)
    if done.damaged:
        listed = "\n".join(f"  {found.what}" for found in done.damaged)
        raise DatasetError(f"{path} has the features except in its damaged blocks. Repair them first:\n{listed}")
    return done


def _sink_ref(sink: str | Mapping[str, Any]) -> PluginRef:
    from tonesmith.plan.plan import PluginRef

    if isinstance(sink, str):
        return PluginRef(sink)
    if not isinstance(sink.get("name"), str):
        raise ConfigError("sink: the name is missing, as in {'name': 'hdf5', 'single': True}")
    return PluginRef(sink["name"], {key: value for key, value in sink.items() if key != "name"})


def composed(
    config: Config | str | os.PathLike[str] | None,
    settings: dict[str, Any],
    *,
    workers: int | None = None,
    host: Host | None = None,
) -> Config:
    """Return the composition that :func:`generate` would run. Raises :class:`ConfigError`."""
    overrides = {f"plan.{key}" if key in PlanSettings.model_fields else key: value for key, value in settings.items()}
    if workers is not None:
        overrides["run.workers"] = workers
    if isinstance(config, str | os.PathLike):
        return load_composition(place_of(config), overrides, host=host or Host.load())
    return compose(TomlSource("", config.to_data() if config else {}), overrides, host=host)
