"""Splitting a dataset: from what was asked for to the splits that are stored with it."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError, DatasetError, OtherPlanError, TonesmithError
from tonesmith.patch import Patch, sha256_hex
from tonesmith.preset import written_patch
from tonesmith.splits import (
    ALL,
    DEFAULT_SHARES,
    KEYS,
    LEFT_OUT,
    By,
    Crossing,
    Splits,
    cumulative,
    distinct,
    patch_numbers,
    preset_number,
    splits_of,
)

if TYPE_CHECKING:
    from tonesmith.converting import Listener
    from tonesmith.dataset import Dataset
    from tonesmith.host import Host
    from tonesmith.roles import Sink
    from tonesmith.transfer import Damaged

T = TypeVar("T")

UNFINISHED = "splits_unfinished"
"""The attribute that is there while blocks are being divided into files by split."""


def divide(
    dataset: Dataset,
    shares: Mapping[str, float] = DEFAULT_SHARES,
    *,
    by: By = "patch",
    stratify: str = "",
    seed: int = 0,
    crossing: Crossing = "join",
) -> Splits:
    """Return splits of a dataset whose shares hold among the patches that it has now. Nothing is stored.

    Args:
        dataset: to split, complete or not.
        shares: split -> its share; they sum to 1.
        by: what stays together: see :class:`~tonesmith.splits.Splits`, as for all that follows.
        stratify: "origin" if the shares are to hold among the patches of each sampler, else "".
        seed: of the hash.
        crossing: what becomes of patches bred from two presets.

    Raises :class:`ConfigError` if the shares do not sum to 1, if no row has a preset to split by, or if breeding
    has joined so many presets into one family that a split has nothing.
    """
    splits = Splits(dict(shares), by, stratify, seed, crossing, origins=dataset.plan.origins)
    patches = patch_columns(dataset)
    if by == "patch":
        return replace(splits, thresholds=_by_origin(splits, patches) if stratify else {})
    families = _families(dataset, patches, crossing)
    splits = replace(splits, kin=families.kin)
    splits = replace(splits, thresholds=_by_family(splits, patches, families))
    _check_room(splits, patches, families)
    return splits


def decided(
    path: Path, dataset: Dataset, asked: Splits, *, force: bool = False, refuse: bool = True
) -> tuple[Splits, bool]:
    """Return the splits that a dataset is to have, and whether it has them already.

    Args:
        path: of the dataset, for messages.
        dataset: to split.
        asked: what is wanted, without bounds and kin.
        force: whether to divide anew what is split.
        refuse: whether to raise :class:`OtherPlanError`, with the differences, where it is split otherwise.
    """
    there = None if force else splits_of(dataset.attributes, path)
    if there is not None and there.settings == asked.settings:
        return there, UNFINISHED not in dataset.attributes
    if there is not None and refuse:
        pairs = [(key, there.settings[key], asked.settings[key]) for key in asked.settings]
        listed = "\n".join(f"  {key}: {old} -> {new}" for key, old, new in pairs if old != new)
        raise OtherPlanError(
            f"{path} is split otherwise (there -> asked for):\n{listed}\nRows would move between splits, and what was "
            "trained on them would have seen its test. To split it anew all the same: --force"
        )
    return divide(
        dataset, asked.shares, by=asked.by, stratify=asked.stratify, seed=asked.seed, crossing=asked.crossing
    ), False


def of_sound_rows(dataset: Dataset, work: Callable[[Dataset], T]) -> tuple[T, dict[int, Damaged]]:
    """Return what some work makes of a dataset, and which blocks it has left out because they cannot be read.

    Raises what the work raises, unless damaged blocks are at fault.
    """
    try:
        return work(dataset), {}
    except DatasetError:
        damaged = _unreadable(dataset)
        if not damaged or damaged.keys() == dataset.storage.committed().keys():
            raise
        return work(dataset.without(damaged)), damaged


def _unreadable(dataset: Dataset) -> dict[int, Damaged]:
    """Return block index -> what is wrong with it, of those whose rows cannot be told apart."""
    from tonesmith.transfer import Damaged

    plan, found = dataset.plan, {}
    for index, count in dataset.storage.committed().items():
        first = index * plan.block_rows
        try:
            for name in _keys(dataset):
                dataset.storage.read(name, range(first, first + count))
        except DatasetError as error:
            found[index] = Damaged(index, str(error))
    return found


def store(
    path: Path, dataset: Dataset, splits: Splits | None, host: Host, listener: Listener | None = None
) -> dict[int, Damaged]:
    """Store splits with a dataset, or forget those that it has; where files are by split, write them again.

    Killed half-way, the dataset has every row that it had, and the same call completes it. For that, files by other
    splits are first put together: no file is then replaced by one with other rows. A damaged block stays as it is, and
    the dataset unfinished, until the block is made anew and the same call completes that.

    Args:
        path: of the dataset.
        dataset: at that path, all of it.
        splits: to store; None to forget.
        host: finds the sink.
        listener: hears how far it is, if anything is written again.

    Returns block index -> what is wrong with it, of those that could not be read.
    """
    plan = dataset.plan
    sink = host.sink_at(plan.sink.name, plan.sink.options, path)
    rounds = _rounds(dataset.attributes, splits) if sink.divides else []
    damaged: dict[int, Damaged] = {}
    if rounds:
        _ = dataset.rejections  # what cannot be read of any block is told before one is touched
        if listener is not None:
            listener.started(len(rounds) * sum(dataset.storage.committed().values()), 0)
    for number, attributes in enumerate(rounds):
        sink.create({**attributes, UNFINISHED: True}, plan.schema, plan.rows, plan.block_rows)
        if number == 0:
            _show_unfinished(sink)
        damaged |= _write_again(sink, dataset, listener)
    if not damaged:
        sink.create(_attributes(dataset.attributes, splits), plan.schema, plan.rows, plan.block_rows)
    return damaged


def _rounds(there: Mapping[str, Any], splits: Splits | None) -> list[dict[str, Any]]:
    """Return the attributes with which all blocks are written again, one after the other."""
    plain, wanted = _attributes(there, None), _attributes(there, splits)
    before = there.get("splits")
    apart = before is not None and before != wanted.get("splits")
    together = [plain] if splits is None or apart or (UNFINISHED in there and before is None) else []
    return together if splits is None else [*together, wanted]


def _attributes(there: Mapping[str, Any], splits: Splits | None) -> dict[str, Any]:
    """Return the attributes of a dataset that is split so, or not at all."""
    plain = {key: value for key, value in there.items() if key not in {"splits", UNFINISHED}}
    return plain if splits is None else {**plain, "splits": splits.to_json()}


def _show_unfinished(sink: Sink[Any]) -> None:
    """Let the card say that files are on the move, before one is: it tells other readers which are of which split."""
    from tonesmith.card import write_card
    from tonesmith.dataset import Dataset

    with contextlib.suppress(TonesmithError):  # whoever stores splits renews the card, and warns if that fails
        write_card(sink.path, Dataset(type(sink).open(sink.path)))


def _write_again(sink: Sink[Any], dataset: Dataset, listener: Listener | None) -> dict[int, Damaged]:
    """Write every block into the files that the sink's attributes ask for, and return those that cannot be read."""
    from tonesmith.transfer import Damaged, block_of

    damaged = {}
    for index, rows in dataset.storage.committed().items():
        try:
            block = block_of(dataset, index)
        except DatasetError as error:
            damaged[index] = Damaged(index, str(error))
        else:
            sink.write_block(block)
        if listener is not None:
            listener.carried(rows)
    return damaged


def finishing(path: Path) -> str:
    """Return what is to be said of a dataset at a path whose attributes have :data:`UNFINISHED`."""
    command = f"tonesmith split {shlex.quote(str(path))} --finish"
    return f"its division into files by split was cut short; finish it: {command}"


def patch_columns(dataset: Dataset) -> dict[str, NDArray[Any]]:
    """Return the columns that tell a row's split, of the first row of each patch that is there."""
    columns = {name: dataset.column(name) for name in _keys(dataset)}
    firsts = np.unique(columns["patch"], return_index=True)[1]
    return {name: column[firsts] for name, column in columns.items()}


def _keys(dataset: Dataset) -> list[str]:
    known = {column.name for column in dataset.plan.schema}
    return [name for name in KEYS if name in known]


@dataclass(frozen=True, slots=True)
class _Families:
    """Which patches come from which family of presets.

    Attributes:
        names: SHA-256 of the presets; "" where patches have none.
        head: int64 (names,): place of the preset that stands for the family of each.
        of_patch: int64 (patches,): place of the preset of each patch.
        kin: as :class:`~tonesmith.splits.Splits` has it.
        bred: heads of the families that breeding joined.
        present: presets that patches come from; the others are of the plan alone.
    """

    names: list[str]
    head: NDArray[np.int64]
    of_patch: NDArray[np.int64]
    kin: Mapping[str, str]
    bred: frozenset[str]
    present: frozenset[str]

    def weights(self) -> dict[str, int]:
        """Return SHA-256 of each family's head -> its patches, "" for those without a preset."""
        counts = np.bincount(self.head[self.of_patch], minlength=len(self.names)).tolist()
        return {name: count for name, count in zip(self.names, counts, strict=True) if count}


def _families(dataset: Dataset, patches: Mapping[str, NDArray[Any]], crossing: Crossing) -> _Families:
    """Return the families of presets; raise :class:`ConfigError` if no patch comes from a preset."""
    count = len(patches["patch"])
    both = [patches["preset"], patches.get("mate", np.zeros_like(patches["preset"]))]
    there, places = distinct(np.concatenate(both))
    if not any(there):
        raise ConfigError("--by preset: no row of the dataset comes from a preset. Split it --by patch")
    # A preset whose rows are still to come counts too: they are to fall where those of its copies are
    names = sorted({*there, *(preset.sha256 for preset in dataset.plan.presets)})
    place_of = {name: place for place, name in enumerate(names)}
    places = np.array([place_of[name] for name in there], np.int64)[places]
    first, second = places[:count], places[count:]
    named = np.array([bool(name) for name in names], np.bool_)
    both_named = named[first] & named[second] & (first != second)
    bred = np.unique(np.stack([first[both_named], second[both_named]], axis=1), axis=0).tolist()
    if crossing == "drop":
        bred = []
    head = joined(len(names), _same_sound(dataset, place_of) + bred)
    kin = {names[place]: names[of] for place, of in enumerate(head.tolist()) if of != place}
    heads = frozenset(names[head[one]] for one, _ in bred)
    return _Families(names, head, np.where(named[first], first, second), kin, heads, frozenset(there) - {""})


def _same_sound(dataset: Dataset, places: Mapping[str, int]) -> list[list[int]]:
    """Return pairs of presets whose files differ though their patches do not: a preset saved again, renamed."""
    first: dict[str, int] = {}
    pairs = []
    for preset in dataset.plan.presets:
        patch = Patch.from_json(json.loads(dataset.storage.asset(preset.patch)))
        place = places[preset.sha256]
        pairs.append([first.setdefault(sha256_hex(written_patch(replace(patch, preset=""))), place), place])
    return pairs


def joined(count: int, pairs: list[list[int]]) -> NDArray[np.int64]:
    """Return int64 (count,): the smallest number of those that pairs join each to, directly or through others."""
    head = list(range(count))

    def head_of(place: int) -> int:
        while head[place] != place:
            head[place] = head[head[place]]
            place = head[place]
        return place

    for one, other in pairs:
        low, high = sorted((head_of(one), head_of(other)))
        head[high] = low
    return np.array([head_of(place) for place in range(count)], np.int64)


def _by_origin(splits: Splits, patches: Mapping[str, NDArray[Any]]) -> dict[str, tuple[float, ...]]:
    """Return the bounds with which the shares hold among the patches of each origin."""
    numbers = patch_numbers(splits.seed, patches["patch"])
    found = {}
    for index, name in enumerate(splits.origins):
        here = numbers[patches["origin"] == index]
        if len(here):
            found[name] = calibrated(here, np.ones(len(here), np.int64), splits.shares)
    return found


def _by_family(
    splits: Splits, patches: Mapping[str, NDArray[Any]], families: _Families
) -> dict[str, tuple[float, ...]]:
    """Return the bounds with which the shares hold among patches, though a family falls as a whole.

    Families take part in one stratum, whatever their origins: a preset has one split.
    """
    weights = families.weights()
    alone = np.array([not families.names[place] for place in families.of_patch.tolist()], np.bool_)
    weights.pop("", None)
    numbers = np.array([preset_number(splits.seed, name) for name in weights], np.float64)
    counts = np.array(list(weights.values()), np.int64)
    rest = {name: column[alone] for name, column in patches.items()}
    if splits.stratify:
        return {ALL: calibrated(numbers, counts, splits.shares), **_by_origin(splits, rest)}
    numbers = np.concatenate([numbers, patch_numbers(splits.seed, rest["patch"])])
    counts = np.concatenate([counts, np.ones(len(rest["patch"]), np.int64)])
    return {ALL: calibrated(numbers, counts, splits.shares)}


def calibrated(
    numbers: NDArray[np.float64], weights: NDArray[np.int64], shares: Mapping[str, float]
) -> tuple[float, ...]:
    """Return the bounds with which shares hold among groups, as near to the shares themselves as can be.

    Args:
        numbers: float64 (groups,) in [0, 1): what each group is hashed to.
        weights: int64 (groups,): the patches of each.
        shares: split -> its share.
    """
    sorted_numbers, places = np.unique(numbers, return_inverse=True)
    cuts = np.concatenate([[0], np.cumsum(np.bincount(places.reshape(-1), weights))])
    bounds = []
    for share in cumulative(shares):
        cut = int(np.argmin(np.abs(cuts - share * cuts[-1])))
        lowest = np.nextafter(sorted_numbers[cut - 1], 2.0) if cut else 0.0
        highest = sorted_numbers[cut] if cut < len(sorted_numbers) else 1.0
        bounds.append(float(np.clip(share, lowest, highest)))
    return tuple(bounds)


def _check_room(splits: Splits, patches: Mapping[str, NDArray[Any]], families: _Families) -> None:
    """Raise :class:`ConfigError` if a family that breeding joined has left a split with nothing."""
    counts = np.bincount(splits.of(patches) + 1, minlength=len(splits.names) + 1)[1:].tolist()
    empty = [name for name, count in zip(splits.names, counts, strict=True) if splits.shares[name] and not count]
    weights = families.weights()
    largest = max(families.bred, key=lambda head: weights.get(head, 0), default="")
    held, total = weights.get(largest, 0), len(patches["patch"])
    if not empty or held <= min(share for share in splits.shares.values() if share) * total:
        return
    members = sum(families.kin.get(name, name) == largest for name in families.present)
    seed = "Another --seed may place it better. Else keep" if held < total / 2 else "Keep"
    raise ConfigError(
        f"breeding has joined {members} of {len(families.present)} presets into one family, with {held} of "
        f"{total} patches, which leaves {' and '.join(empty)} empty. {seed} each preset by itself, and leave out the "
        "rows bred across splits: --crossing drop; or let relatives fall in different splits: --by patch"
    )


def account(dataset: Dataset, splits: Splits) -> dict[str, dict[str, Any]]:
    """Return split -> what it has, as JSON; the last, "none", is what belongs to no split.

    ``share`` that was asked for, ``patches``, ``rows``, ``presets`` (how many) and ``origins`` (patches of each).
    """
    patches = patch_columns(dataset)
    notes = np.unique(dataset.column("patch"), return_counts=True)[1]
    places = splits.of(patches)
    shares = [*splits.shares.items(), (LEFT_OUT, 0.0)]
    told = {}
    for place, (name, share) in zip([*range(len(splits.names)), -1], shares, strict=True):
        here = places == place
        origins = np.bincount(patches["origin"][here], minlength=len(splits.origins)).tolist()
        told[name] = {
            "share": share,
            "patches": int(here.sum()),
            "rows": int(notes[here].sum()),
            "presets": _presets_of({name: column[here] for name, column in patches.items()}),
            "origins": dict(zip(splits.origins, origins, strict=True)),
        }
    return told


def _presets_of(patches: Mapping[str, NDArray[Any]]) -> int:
    both = np.concatenate([patches[name] for name in ("preset", "mate") if name in patches])
    return sum(map(bool, distinct(both)[0]))
