"""A share of a plan: the blocks that one job makes of a dataset that many jobs make together, without a coordinator."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tonesmith.errors import ConfigError
from tonesmith.terminal.text import counted, one_line

_BLOCKS = re.compile(r"(\d{1,12})(?::(\d{1,12}))?", re.ASCII)
_PART = re.compile(r"(\d{1,12})/(\d{1,12})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Share:
    """Some of the blocks of a plan. The plan does not know of it: whoever makes a block, its rows are the same.

    Attributes:
        ranges: of blocks, in order and apart from each other. At least one, and none is empty.
    """

    ranges: tuple[range, ...]

    def __iter__(self) -> Iterator[int]:
        return (block for part in self.ranges for block in part)

    def __len__(self) -> int:
        return sum(map(len, self.ranges))

    def __str__(self) -> str:
        return spelled(self.ranges)


def share_of(
    total: int,
    blocks: str | Iterable[int] | None,
    part: str | Sequence[int] | None,
    names: tuple[str, str] = ("blocks", "share"),
) -> Share | None:
    """Return the share that was asked for; None if none was.

    Args:
        total: number of blocks of the plan.
        blocks: such as "0:50" for blocks 0 to 49, "0:50,70", or the indices themselves.
        part: such as "3/20" or (3, 20) for the third of twenty parts. Parts follow one another, and their numbers of
            blocks differ by one at most.
        names: of the two in messages.

    Raises :class:`ConfigError` for both at once, for what is malformed or not in the plan, and for an empty share.
    """
    if blocks is not None and part is not None:
        raise ConfigError(f"{names[0]} and {names[1]} both choose blocks of the plan. Give one of them.")
    try:
        if part is not None:
            return Share((_part(total, part),))
        return None if blocks is None else _chosen(total, blocks)
    except ValueError as error:
        raise ConfigError(f"{names[0] if part is None else names[1]}: {error}") from None


def ranges_of(blocks: Iterable[int]) -> tuple[range, ...]:
    """Return the fewest ranges that have these blocks, in order."""
    found: list[range] = []
    for block in sorted(set(blocks)):
        if found and found[-1].stop == block:
            found[-1] = range(found[-1].start, block + 1)
        else:
            found.append(range(block, block + 1))
    return tuple(found)


def gaps(blocks: Iterable[int], total: int) -> tuple[range, ...]:
    """Return the ranges of a plan's blocks that are not among these. It takes as long as those are many.

    Args:
        blocks: some of the plan's.
        total: number of blocks of the plan.
    """
    edges = [-1, *sorted(set(blocks)), total]
    return tuple(range(before + 1, after) for before, after in pairwise(edges) if after > before + 1)


def spelled(ranges: Iterable[range]) -> str:
    """Return ranges of blocks as ``--blocks`` takes them, such as "0:50,70"."""
    return ",".join(str(part.start) if len(part) == 1 else f"{part.start}:{part.stop}" for part in ranges)


def _chosen(total: int, blocks: str | Iterable[int]) -> Share:
    parts = [_range(word.strip()) for word in blocks.split(",")] if isinstance(blocks, str) else _indices(blocks)
    if not parts:
        raise ValueError("there is no block in it. Name at least one.")
    for part in parts:
        if part[0] < 0 or part[-1] >= total:
            outside = part[0] if not 0 <= part[0] < total else max(total, part[0])
            known = f"{counted(total, 'block')}: {_span(total)}"
            raise ValueError(f"block {outside} is not in the plan, which has {known}.")
    return Share(_joined(parts))


def _range(word: str) -> range:
    match = _BLOCKS.fullmatch(word)
    if match is None:
        raise ValueError(f"{one_line(word)!r} is no block and no range of blocks. Write FIRST:END, such as 0:50,70.")
    first = int(match[1])
    found = range(first, int(match[2]) if match[2] else first + 1)
    if not found:
        raise ValueError(f"{word} is empty: it begins at block {first} and ends before block {match[2]}.")
    return found


def _indices(blocks: Iterable[int]) -> tuple[range, ...]:
    if isinstance(blocks, range) and blocks.step == 1:
        return (blocks,) if blocks else ()
    indices = list(blocks)
    if not all(isinstance(block, int) for block in indices):
        raise ValueError("a block is a whole number.")
    return ranges_of(indices)


def _joined(parts: Iterable[range]) -> tuple[range, ...]:
    """Return ranges in order, those that touch or overlap as one."""
    found: list[range] = []
    for part in sorted(parts, key=lambda part: part.start):
        if found and part.start <= found[-1].stop:
            found[-1] = range(found[-1].start, max(found[-1].stop, part.stop))
        else:
            found.append(part)
    return tuple(found)


def _part(total: int, part: str | Sequence[int]) -> range:
    text = part if isinstance(part, str) else "/".join(map(str, part))
    match = _PART.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{one_line(text)!r} is no share. Write PART/PARTS, such as 3/20.")
    number, parts = int(match[1]), int(match[2])
    if not 1 <= number <= parts:
        told = f"They are numbered from 1 to {parts}." if parts else "There is at least one part."
        raise ValueError(f"there is no part {number} of {parts}. {told}")
    found = range((number - 1) * total // parts, number * total // parts)
    if not found:
        raise ValueError(
            f"part {number} of {parts} is empty, because the plan has {counted(total, 'block')}. Use at most "
            f"{counted(total, 'part')}, or smaller blocks."
        )
    return found


def _span(total: int) -> str:
    return "0" if total == 1 else f"0 to {total - 1}"
