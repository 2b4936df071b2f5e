"""Splits: the rows for training, validation and test.

A row's split is a function of its own columns and of a few stored numbers. Its group (its patch, the preset that it
came from, or the score that it plays) is hashed to a number in [0, 1), and the first split whose bound is above that
number has it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError, DatasetError, unknown_name
from tonesmith.plan.items import SPLIT
from tonesmith.plan.phrases import SCORE
from tonesmith.plan.rows import digest_hex
from tonesmith.space.sampling import key_of

By = Literal["patch", "preset", "score", "item"]
Crossing = Literal["join", "drop"]

KEYS = ("patch", "preset", "mate", "origin", SCORE, SPLIT)
"""The columns that decide the split of a row; "mate" is there only if the plan has presets, a score only if it is
played, and a split only of the items of a corpus."""

LEFT_OUT = "none"
"""The name for rows that belong to no split."""

DEFAULT_SHARES: Mapping[str, float] = {"train": 0.8, "val": 0.1, "test": 0.1}

BYS = ("patch", "preset", "score", "item")
STRATA = ("", "origin")
CROSSINGS = ("join", "drop")

ALL = ""
"""The stratum of all rows without stratification, and of every row that came from a preset."""

UNFINISHED = "splits_unfinished"
"""The attribute that is there while blocks are being divided into files by split."""

_FORMAT = 1
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""A name of a split is part of the names of files."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST = 64
_SUM_WITHIN = 1e-6
_ABSENT = -2


@dataclass(frozen=True, slots=True)
class Splits:
    """How a dataset is split.

    Attributes:
        shares: the share of each split; they add up to 1, and one may be 0.
        by: what stays in one split: the rows of a "patch", a "preset" with everything perturbed or bred from it, or
            the rows that play a "score", with those that play another part of the same file. By "item", a row is in
            the split that its corpus had it in.
        stratify: "origin" if the patches of each sampler are divided separately, else "".
        seed: the seed of the hash.
        crossing: what to do with patches bred from two presets: "join" the presets into one family, or "drop" the
            patches whose presets are in different splits.
        thresholds: stratum -> upper bounds of the splits in [0, 1]. A stratum is an origin, or "" for everything
            without one. If a stratum is missing, its bounds follow from the shares.
        kin: SHA-256 of a preset, or of a score, -> SHA-256 of the other one whose split it shares.
        origins: those of the plan, which the column ``origin`` refers to by index. Stored with the plan, not here.

    Raises :class:`ConfigError` if the shares or the other settings are wrong.
    """

    shares: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_SHARES))
    by: By = "patch"
    stratify: str = ""
    seed: int = 0
    crossing: Crossing = "join"
    thresholds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    kin: Mapping[str, str] = field(default_factory=dict)
    origins: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        check_shares(self.shares)
        object.__setattr__(self, "shares", {name: float(share) for name, share in self.shares.items()})
        for kind, name, known in (("by", self.by, BYS), ("crossing", self.crossing, CROSSINGS)):
            if name not in known:
                raise ConfigError(unknown_name(kind, f"{name!s:.40}", known))
        if self.stratify not in STRATA:
            raise ConfigError(unknown_name("stratify", f"{self.stratify!s:.40}", STRATA[1:]))
        if not _is_number(self.seed, Integral) or not 0 <= self.seed < 2**63:
            raise ConfigError(f"the seed of splits must be an integer from 0 to 2**63 - 1, not {self.seed!r:.40}")
        object.__setattr__(self, "seed", int(self.seed))

    @property
    def names(self) -> tuple[str, ...]:
        """The splits, in the order of their shares."""
        return tuple(self.shares)

    @property
    def settings(self) -> dict[str, Any]:
        """What was asked for, without what followed from the dataset: two splits that agree in it agree in intent."""
        return {
            "shares": ", ".join(f"{name} {share:g}" for name, share in self.shares.items()),
            "by": self.by,
            "stratify": self.stratify or "none",
            "seed": self.seed,
            "crossing": self.crossing if self.by == "preset" else "none",
        }

    def of(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.int16]:
        """Return int16 (rows,): which of :attr:`names` each row belongs to, or -1 for none.

        Args:
            columns: those of :data:`KEYS` that the dataset has, each of the same rows.
        """
        patch, origin = np.asarray(columns["patch"], np.int64), np.asarray(columns["origin"], np.int64)
        if self.by == "item":
            return self._of_items(np.asarray(columns.get(SPLIT, np.full(len(patch), -1)), np.int64))
        alone = self._of_patches(patch, origin)
        if self.by == "patch":
            return alone
        if self.by == "score":
            return self._of_scores(np.asarray(columns[SCORE], np.uint8))
        preset = self._of_presets(np.asarray(columns["preset"], np.uint8))
        mate = self._of_presets(np.asarray(columns["mate"], np.uint8)) if "mate" in columns else preset
        together = np.where(preset == _ABSENT, mate, preset)
        crosses = (preset != mate) & (preset != _ABSENT) & (mate != _ABSENT)
        return np.where(crosses, -1, np.where(together == _ABSENT, alone, together)).astype(np.int16)

    def parts(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, list[int]]:
        """Return split -> the places of its rows, ascending; :data:`LEFT_OUT` comes last, what has none is left out."""
        places = self.of(columns)
        names = [*enumerate(self.names), (-1, LEFT_OUT)]
        found = {name: np.flatnonzero(places == index).tolist() for index, name in names}
        return {name: rows for name, rows in found.items() if rows}

    def bounds(self, stratum: str) -> tuple[float, ...]:
        """Return the upper bound of each split in a stratum; a split has what is below its bound and no earlier one."""
        return self.thresholds.get(stratum) or cumulative(self.shares)

    def head(self, preset: str) -> str:
        """Return the SHA-256 of the preset that stands for a preset's family."""
        return self.kin.get(preset, preset)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form; the order of the splits is told by a list, which no writer sorts."""
        return {
            "format": _FORMAT,
            "shares": [[name, share] for name, share in self.shares.items()],
            "by": self.by,
            "stratify": self.stratify,
            "seed": self.seed,
            "crossing": self.crossing,
            "thresholds": {stratum: list(bounds) for stratum, bounds in self.thresholds.items()},
            "kin": dict(self.kin),
        }

    @classmethod
    def from_json(cls, data: Any, origins: Sequence[str] = ()) -> Splits:
        """Return the splits that :meth:`to_json` wrote.

        Args:
            data: which nothing is known of yet.
            origins: of the plan.

        Raises :class:`DatasetError` with what is wrong.
        """
        fields = ("format", "shares", "by", "stratify", "seed", "crossing", "thresholds", "kin")
        if not isinstance(data, Mapping) or set(data) != set(fields):
            raise DatasetError(f"they must have exactly the fields {', '.join(fields)}")
        if data["format"] != _FORMAT:
            raise DatasetError(
                f"they have format {data['format']!r:.40}; this version of tonesmith reads {_FORMAT}. Upgrade tonesmith"
            )
        try:
            settings = {name: data[name] for name in fields[2:6]}
            splits = cls(_shares(data["shares"]), **settings, origins=tuple(origins))
        except (ConfigError, TypeError) as error:
            raise DatasetError(str(error)) from None
        object.__setattr__(splits, "thresholds", _thresholds(data["thresholds"], len(splits.shares)))
        object.__setattr__(splits, "kin", _kin(data["kin"]))
        return splits

    def _of_patches(self, patch: NDArray[np.int64], origin: NDArray[np.int64]) -> NDArray[np.int16]:
        """Return the split of each row by its patch."""
        numbers = patch_numbers(self.seed, patch)
        if not self.stratify:
            return _placed(numbers, self.bounds(ALL))
        out = _placed(numbers, cumulative(self.shares))
        for index, name in enumerate(self.origins):
            here = origin == index
            out[here] = _placed(numbers[here], self.bounds(name))
        return out

    def _of_items(self, stored: NDArray[np.int64]) -> NDArray[np.int16]:
        """Return the split that the corpus had each item in."""
        return np.where((stored >= 0) & (stored < len(self.shares)), stored, -1).astype(np.int16)

    def _of_scores(self, digests: NDArray[np.uint8]) -> NDArray[np.int16]:
        """Return the split of each score of uint8 (rows, 32)."""
        names, places = distinct(digests)
        numbers = np.array([score_number(self.seed, self.head(name)) for name in names], np.float64)
        return _placed(numbers, self.bounds(ALL))[places]

    def _of_presets(self, digests: NDArray[np.uint8]) -> NDArray[np.int16]:
        """Return the split of each preset of uint8 (rows, 32), or -2 for zeros, which stand for none."""
        names, places = distinct(digests)
        numbers = np.array([preset_number(self.seed, self.head(name)) for name in names], np.float64)
        found = _placed(numbers, self.bounds(ALL))
        found[[not name for name in names]] = _ABSENT
        return found[places]


def splits_of(attributes: Mapping[str, Any], path: Path | None = None) -> Splits | None:
    """Return how a dataset with these attributes is split, or None if it is not.

    Args:
        attributes: of the dataset.
        path: of it, for messages.

    Raises :class:`DatasetError` with what is wrong, if what is stored cannot be used.
    """
    if (data := attributes.get("splits")) is None:
        return None
    try:
        return Splits.from_json(data, _origins(attributes.get("plan")))
    except DatasetError as error:
        told = f"the splits stored with the dataset cannot be used: {str(error).removesuffix('.')}."
        command = f"tonesmith split {shlex.quote(str(path))} --force" if path else "--force of tonesmith split"
        raise DatasetError(f"{told} To split it again: {command}") from None


def check_shares(shares: Mapping[str, float]) -> None:
    """Raise :class:`ConfigError` unless there are some shares, each in [0, 1] and named, that sum to 1."""
    if not 1 <= len(shares) <= _MOST:
        raise ConfigError(f"a dataset can have 1 to {_MOST} splits, not {len(shares)}")
    for name, share in shares.items():
        if not _NAME.fullmatch(str(name)) or name == LEFT_OUT:
            raise ConfigError(
                f"{name!r:.40} is not a valid name for a split. Use up to 32 of a-z, 0-9 and _, starting with a "
                f"letter, "
                f"and not {LEFT_OUT!r}"
            )
        if not _is_number(share, Real) or not 0.0 <= share <= 1.0:
            raise ConfigError(f"the share of {name} must be a number from 0 to 1, not {share!r:.40}")
    total = sum(shares.values())
    if abs(total - 1.0) > _SUM_WITHIN:
        told = " + ".join(f"{share:g} ({name})" for name, share in shares.items())
        raise ConfigError(f"the shares must add up to 1: {told} is {total:g}")


def cumulative(shares: Mapping[str, float]) -> tuple[float, ...]:
    """Return the upper bound of each share in [0, 1]; that of the last that is not 0 is 1, whatever rounding left."""
    bounds = [min(bound, 1.0) for bound in accumulate(float(share) for share in shares.values())]
    last = max(place for place, share in enumerate(shares.values()) if share > 0)
    return (*bounds[:last], *(1.0 for _ in bounds[last:]))


def patch_numbers(seed: int, patch: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return float64 (rows,) in [0, 1): what each index of a patch is hashed to.

    SplitMix64 [Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"], counted by the index:
    a million cost some 20 ms.
    """
    key = np.uint64(key_of(seed, "split", "patch"))
    mixed = key + (patch.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def preset_number(seed: int, sha256: str) -> float:
    """Return what a preset is hashed to, in [0, 1)."""
    return (key_of(seed, "split", "preset", sha256) >> 11) * 2.0**-53


def score_number(seed: int, sha256: str) -> float:
    """Return what a score is hashed to, in [0, 1)."""
    return (key_of(seed, "split", "score", sha256) >> 11) * 2.0**-53


def distinct(digests: NDArray[np.uint8]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct SHA-256 of uint8 (rows, 32), in order, and int64 (rows,): which of them each row has.

    As hexadecimal text; "" for zeros.
    """
    # Fixed-width bytes compare as they are padded: with zeros, which changes no order and no equality.
    texts = np.ascontiguousarray(digests).view("S32").reshape(-1)
    _, firsts, places = np.unique(texts, return_index=True, return_inverse=True)
    return [digest_hex(digests[first]) for first in firsts.tolist()], places.reshape(-1).astype(np.int64)


def _placed(numbers: NDArray[np.float64], bounds: Sequence[float]) -> NDArray[np.int16]:
    """Return for each number in [0, 1) the first place whose bound is above it."""
    return np.searchsorted(np.asarray(bounds, np.float64), numbers, side="right").astype(np.int16)


def _is_number(value: Any, kinds: Any) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


def _origins(plan: Any) -> list[str]:
    origins = plan.get("origins") if isinstance(plan, Mapping) else None
    if not isinstance(origins, list) or not all(isinstance(name, str) for name in origins):
        raise DatasetError("the plan stored with them has no origins")
    return origins


def _shares(data: Any) -> dict[str, float]:
    shares: dict[str, float] = {}
    for pair in data if isinstance(data, list) else [None]:
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise DatasetError("their shares must be pairs of a name and a number")
        if pair[0] in shares:
            raise DatasetError(f"they name the split {pair[0]!r:.40} twice")
        shares[pair[0]] = pair[1]
    return shares


def _thresholds(data: Any, count: int) -> dict[str, tuple[float, ...]]:
    if not isinstance(data, Mapping) or not all(isinstance(name, str) for name in data):
        raise DatasetError("their thresholds must be a list for each stratum")
    for name, bounds in data.items():
        if not isinstance(bounds, list | tuple) or not all(_is_number(bound, (int, float)) for bound in bounds):
            raise DatasetError(f"the thresholds of {name!r:.40} must be a list of numbers")
        rising = all(low <= high for low, high in zip((0.0, *bounds), (*bounds, 1.0), strict=True))
        if len(bounds) != count or not rising or bounds[-1] != 1.0:
            raise DatasetError(f"the thresholds of {name!r:.40} must be {count} numbers that rise to 1")
    return {name: tuple(map(float, bounds)) for name, bounds in data.items()}


def _kin(data: Any) -> dict[str, str]:
    if not isinstance(data, Mapping):
        raise DatasetError("their kin must map SHA-256 to SHA-256")
    for pair in data.items():
        if not all(isinstance(sha, str) and _SHA256.fullmatch(sha) for sha in pair):
            raise DatasetError(f"their kin must map SHA-256 to SHA-256, not {pair!r:.200}")
        if pair[1] in data:
            raise DatasetError(f"their kin {pair[1]} is the head of one family and a member of another")
    return dict(cast("Mapping[str, str]", data))


def finishing(path: Path) -> str:
    """Return what is to be said of a dataset at a path whose attributes have :data:`UNFINISHED`."""
    command = f"tonesmith split {shlex.quote(str(path))} --finish"
    return f"its division into files by split was interrupted; finish it: {command}"
