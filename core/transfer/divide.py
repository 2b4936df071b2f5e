"""Dividing the patches of a dataset among splits, so that what is related stays together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.splits import (
    ALL,
    DEFAULT_SHARES,
    KEYS,
    LEFT_OUT,
    By,
    Crossing,
    Splits,
    distinct,
    patch_numbers,
    preset_number,
)
from tonesmith.errors import ConfigError
from tonesmith.space.patch import sha256_hex
from tonesmith.space.preset import read_patch, written_patch
from tonesmith.transfer.divide_scores import account_of_scores, by_score
from tonesmith.transfer.grouping import calibrated, joined, presets_of

if TYPE_CHECKING:
    from tonesmith.dataset.reader import Dataset


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
        by: what stays together: see :class:`~tonesmith.dataset.splits.Splits`, as for all that follows.
        stratify: "origin" if the shares are to hold among the patches of each sampler, else "".
        seed: of the hash.
        crossing: what becomes of patches bred from two presets.

    Raises :class:`ConfigError` if the shares do not sum to 1, if no row has a preset or a score to split by, or if
    breeding has joined so many presets into one family that a split has nothing.
    """
    splits = Splits(dict(shares), by, stratify, seed, crossing, origins=dataset.plan.origins)
    patches = patch_columns(dataset)
    if by == "patch":
        return replace(splits, thresholds=_by_origin(splits, patches) if stratify else {})
    if by == "score":
        return by_score(dataset, splits)
    families = _families(dataset, patches, crossing)
    splits = replace(splits, kin=families.kin)
    splits = replace(splits, thresholds=_by_family(splits, patches, families))
    _check_room(splits, patches, families)
    return splits


def patch_columns(dataset: Dataset) -> dict[str, NDArray[Any]]:
    """Return the columns that tell a row's split, of the first row of each patch that is there."""
    columns = {name: dataset.column(name) for name in key_columns(dataset)}
    firsts = np.unique(columns["patch"], return_index=True)[1]
    return {name: column[firsts] for name, column in columns.items()}


def key_columns(dataset: Dataset) -> list[str]:
    """Return the columns of a dataset that tell a row's split."""
    known = {column.name for column in dataset.plan.schema}
    return [name for name in KEYS if name in known]


@dataclass(frozen=True, slots=True)
class _Families:
    """Which patches come from which family of presets.

    Attributes:
        names: SHA-256 of the presets; "" where patches have none.
        head: int64 (names,): place of the preset that stands for the family of each.
        of_patch: int64 (patches,): place of the preset of each patch.
        kin: as :class:`~tonesmith.dataset.splits.Splits` has it.
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
        raise ConfigError("--by preset: no row of the dataset comes from a preset. Use --by patch.")
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
        patch = read_patch(dataset.storage.asset(preset.patch), preset.patch)
        place = places[preset.sha256]
        pairs.append([first.setdefault(sha256_hex(written_patch(replace(patch, preset=""))), place), place])
    return pairs


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
    seed = "Another --seed may place it better. If not, use" if held < total / 2 else "Use"
    raise ConfigError(
        f"breeding has joined {members} of {len(families.present)} presets into one family, with {held} of "
        f"{total} patches, which leaves {' and '.join(empty)} empty. {seed} --crossing drop to keep presets apart and "
        "leave out the rows bred across splits, or --by patch to let relatives fall in different splits."
    )


def account(dataset: Dataset, splits: Splits) -> dict[str, dict[str, Any]]:
    """Return split -> what it has, as JSON; the last, "none", is what belongs to no split.

    ``share`` that was asked for, ``patches``, ``rows``, ``presets`` (how many) and ``origins`` (patches of each).
    """
    if splits.by == "score":
        return account_of_scores(dataset, splits)
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
            "presets": presets_of({name: column[here] for name, column in patches.items()}),
            "origins": dict(zip(splits.origins, origins, strict=True)),
        }
    return told
