"""Several datasets as one: the rows of each after those of the one before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from tonesmith.dataset.items import refuse_items
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.host.registry import Host
from tonesmith.plan.differences import differences
from tonesmith.plan.notes import Notes
from tonesmith.plan.phrases import Phrases
from tonesmith.plan.plan import Plan, PluginRef
from tonesmith.space.preset import PresetRef
from tonesmith.space.space import ParameterSpace
from tonesmith.terminal.text import counted, one_line
from tonesmith.transfer.blocks import Listener, whole_plan
from tonesmith.transfer.convert import check_apart
from tonesmith.transfer.destination import THROUGH, Destination, Transferred, check_plan, encodings, transferred

SAMPLER = "merge"
"""What the plan of a merged dataset names as its sampler: no rows are drawn from it."""

_DRAWN = ("seed", "sampler", "backend", "space", "presets")
"""What of a plan's JSON decides which patches it has."""

_SHOWN = 20
_MOST_DRAWN = 1024
"""Notes that a plan can draw for each patch."""


def merge(
    sources: Sequence[Path],
    path: Path,
    sink: PluginRef | None = None,
    *,
    workers: int = 0,
    host: Host | None = None,
    listener: Listener | None = None,
) -> Transferred:
    """Store the rows of several datasets as one, or go on with it.

    Patches are numbered through: those of the second dataset follow those of the first. A block with a damaged row in a
    source is left out and told of; once the source is whole again, the same call adds it.

    Args:
        sources: paths of the datasets, in order.
        path: of the new one. One that is there must be an earlier merge of the same datasets.
        sink: that stores the new one, with its options; None for that of the first.
        workers: processes; 0 for one a core.
        host: finds the plugins.
        listener: hears how far it is.

    Raises:
        ConfigError: an option or a path is wrong, a library is missing, or datasets do not go together.
        DatasetError: a source is no dataset or not complete, or something else is at the path.
        RunError: a block reads back otherwise than it was written.
    """
    host = host or Host.load()
    if len(sources) < 2:
        raise ConfigError("merge: give two or more datasets.")
    for source in sources:
        check_apart(source, path)
    if len({source.resolve() for source in sources}) < len(sources):
        raise ConfigError("merge: a dataset is given twice, so its rows would be stored twice.")
    opened = {source: open_dataset(source) for source in sources}
    for source, dataset in opened.items():
        check_plan(source, dataset)
        refuse_items(dataset.plan, source, "add one corpus to the other with tonesmith corpus add, and pack that")
    _check_complete(opened)
    _check_compatible(opened)
    entries = _entries(opened, host)
    _check_distinct(opened, entries)
    plan = _merged_plan(list(opened.values()))
    sink = sink or plan.sink
    given = host.options_of("sink", sink.name, sink.options).model_dump(mode="json")
    plan = replace(plan, sink=PluginRef(sink.name, given))
    destination = Destination(plan, path, host)
    attributes = {**_common(opened.values()), "plan": plan.to_json(), "fingerprint": plan.fingerprint}
    attributes["merged"] = entries
    feed = destination.feed(list(sources))
    return transferred(destination, feed, attributes, workers, listener or Listener(), compared=False)


def _check_complete(opened: Mapping[Path, Dataset]) -> None:
    for path, dataset in opened.items():
        if not dataset.complete:
            raise DatasetError(
                f"{path} is not complete: it has {len(dataset):,} of {counted(dataset.plan.rows, 'row')}. Complete it "
                f"with the command that made it (tonesmith generate ... {path}), then merge."
            )


def _check_compatible(opened: Mapping[Path, Dataset]) -> None:
    """Raise :class:`ConfigError`, with the differences, unless the rows of all mean the same."""
    (first, one), *others = opened.items()
    for path, other in others:
        lines = _unlike(whole_plan(one), whole_plan(other))
        if not lines:
            continue
        shown = "\n".join(f"  {line}" for line in lines[:_SHOWN])
        more = f"\n  and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        raise ConfigError(
            f"{path} cannot be merged with {first} ({first.name} -> {path.name}):\n{shown}{more}\n{_cure(lines)}"
        )


def _unlike(one: Plan, other: Plan) -> list[str]:
    """Return a line for each difference that makes a row of two plans mean something else."""
    lines = differences(_meaning(one), _meaning(other))
    if one.measures != other.measures:
        lines.append(f"measures: {_measures(one)} -> {_measures(other)}")
    if one.features != other.features:
        lines.append(f"features: {_features(one)} -> {_features(other)}")
    if one.per_patch != other.per_patch:
        lines.append(f"notes per patch: {one.per_patch} -> {other.per_patch}")
    elif one.notes != other.notes and one.per_patch > _MOST_DRAWN:
        lines.append(f"notes, with more than {_MOST_DRAWN} per patch: {one.notes} -> {other.notes}")
    return lines


def _meaning(plan: Plan) -> Plan:
    """Return a plan with nothing left in it but what tells what its rows mean: the rest may differ."""
    return replace(
        plan,
        seed=0,
        rounds=(),
        block=1,
        max_attempts=1,
        timeout=1.0,
        memory=0,
        notes=Notes(),
        space=_codec(plan.space),
        sampler=PluginRef(""),
        origins=(),
        validators=(),
        measures=(),
        sink=PluginRef(""),
        presets=(),
        features=(),
        phrases=_told(plan.phrases),
    )


def _told(phrases: Phrases | None) -> Phrases | None:
    """Return phrases with nothing left but the form of what they tell: which scores they are may differ."""
    return replace(phrases, composer="", options={}, scores=()) if phrases else None


def _measures(plan: Plan) -> str:
    return ", ".join(one_line(f"{measure.name} ({measure.unit})") for measure in plan.measures) or "none"


def _features(plan: Plan) -> str:
    """Return the features of a plan, each with the options that are not empty."""
    told = [
        f"{feature.name} ({', '.join(f'{k} = {v}' for k, v in feature.options.items() if v is not None)})"
        for feature in plan.features
    ]
    return one_line("; ".join(told) or "none", 1000)


def _codec(space: ParameterSpace) -> ParameterSpace:
    """Return a space without what only tells samplers how to draw."""
    parameters = tuple(replace(p, within=None, weights=()) for p in space.parameters)
    return replace(space, parameters=parameters, held={}, routing=None)


def _cure(lines: Iterable[str]) -> str:
    keys = [line.partition(":")[0] for line in lines]
    if any(key.startswith("space.parameters.") and key.endswith((".contents", ".choices", ".high")) for key in keys):
        return (
            "Presets add their own choices to the parameters that choose assets, so datasets with different presets "
            "have different labels. Make each with all the presets, or with one catalog and no presets."
        )
    if any(key.startswith("space") for key in keys):
        return "Make all of them with the same [backend] and [space]: free and fix the same parameters."
    if keys == ["features"]:
        return (
            "Give all of them the same features, with the same options (tonesmith features DATASET --add NAME), or "
            "remove those that not all have."
        )
    if keys == ["measures"]:
        return "Make one of them again with the validators of the other."
    return "Make one of them again with the settings of the other."


def _entries(opened: Mapping[Path, Dataset], host: Host) -> list[dict[str, Any]]:
    """Return what a merged dataset tells of each dataset that it was made from; of a merged one, what that tells."""
    first, space = 0, next(iter(opened.values())).plan.space.to_json()
    entries: list[dict[str, Any]] = []
    for path, dataset in opened.items():
        through = encodings(dataset, path, host)
        for entry in dataset.attributes.get("merged") or [_entry(dataset)]:
            start, stop = entry["patches"]
            plan = {"space": dataset.plan.space.to_json(), **entry["plan"]}
            if plan["space"] == space:
                del plan["space"]
            chain = [*entry.get(THROUGH, ()), *through]
            entries.append({**entry, "patches": [start + first, stop + first], "plan": plan, THROUGH: chain})
        first += dataset.plan.patches
    return entries


def _entry(dataset: Dataset) -> dict[str, Any]:
    plan = dataset.plan
    return {
        "fingerprint": plan.fingerprint,
        "digest": dataset.digest,
        "patches": [0, plan.patches],
        "seed": plan.seed,
        "sampler": plan.sampler.to_json(),
        "plan": plan.to_json(),
        **{name: dataset.attributes[name] for name in ("made_with", "checkup") if name in dataset.attributes},
    }


def _check_distinct(opened: Mapping[Path, Dataset], entries: Sequence[Mapping[str, Any]]) -> None:
    """Raise :class:`ConfigError` if patches would be there twice: drawn alike, or with rows equal to the bit.

    A patch with two numbers could fall in two splits, whatever notes it was played with.
    """
    identities: dict[str, list[int]] = {}
    for entry in entries:
        drawn = {key: entry["plan"].get(key) for key in _DRAWN}
        patches = identities.setdefault(json.dumps(drawn, sort_keys=True), entry["patches"])
        if patches is not entry["patches"]:
            raise ConfigError(
                f"merge: two datasets draw the same patches, from the same seed, sampler and space: {_span(patches)} "
                f"and "
                f"{_span(entry['patches'])} of the result. Make one with another seed. To play the same patches "
                "with more notes, make one dataset with the notes of both."
            )
    digests = {path: {d for of in dataset.storage.blocks().values() for d in of} for path, dataset in opened.items()}
    for one, other in combinations(opened, 2):
        if shared := len(digests[one] & digests[other]):
            raise ConfigError(
                f"merge: {one} and {other} have {counted(shared, 'row')} in common, which would be stored twice. "
                "Make one with another seed."
            )


def _span(patches: Sequence[int]) -> str:
    return f"{patches[0]}..{patches[1] - 1}"


def _merged_plan(datasets: Sequence[Dataset]) -> Plan:
    plans = [whole_plan(dataset) for dataset in datasets]
    first = plans[0]
    presets: dict[str, PresetRef] = {}
    for preset in (preset for plan in plans for preset in plan.presets):
        presets.setdefault(preset.sha256, preset)
    return replace(
        first,
        rounds=tuple(patches for plan in plans for patches in plan.rounds),
        max_attempts=max(plan.max_attempts for plan in plans),
        timeout=max(plan.timeout for plan in plans),
        memory=max(plan.memory for plan in plans) if all(plan.memory for plan in plans) else 0,
        notes=_notes([plan.notes for plan in plans]),
        sampler=PluginRef(SAMPLER, {"of": [dataset.digest for dataset in datasets]}),
        origins=tuple(dict.fromkeys(origin for plan in plans for origin in plan.origins)),
        validators=first.validators if all(plan.validators == first.validators for plan in plans) else (),
        presets=tuple(presets[name] for name in sorted(presets)),
        phrases=first.phrases if all(plan.phrases == first.phrases for plan in plans) else _told(first.phrases),
    )


def _notes(notes: Sequence[Notes]) -> Notes:
    """Return the notes of all: where they differ, as drawn from between the least and the greatest of each."""
    if all(one == notes[0] for one in notes):
        return notes[0]
    pitches = [pitch for one in notes for pitch in one.pitches]
    velocities = [velocity for one in notes for velocity in one.velocities]
    holds = [hold for one in notes for hold in (one.hold if isinstance(one.hold, tuple) else (one.hold,))]
    longest = max(notes, key=lambda one: one.duration - one.tail)
    return Notes(
        pitches=(min(pitches), max(pitches)),
        velocities=(min(velocities), max(velocities)),
        hold=(min(holds), max(holds)),
        tail=longest.tail,
        draw=notes[0].per_patch,
        **{name: _range([getattr(one, name) for one in notes]) for name in notes[0].expressed},
    )


def _range(values: Sequence[Any]) -> tuple[Any, Any]:
    """Return the least and the greatest of values, each a number or a range."""
    ends = [end for value in values for end in (value if isinstance(value, tuple) else (value,))]
    return min(ends), max(ends)


def _common(datasets: Iterable[Dataset]) -> dict[str, Any]:
    """Return the attributes in which all agree, of those that tell what made them."""
    first, *others = (dataset.attributes for dataset in datasets)
    kept = {name: first[name] for name in ("generator", "made_with", "checkup") if name in first}
    return {name: value for name, value in kept.items() if all(other.get(name) == value for other in others)}
