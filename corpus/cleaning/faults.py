"""What is wrong with an item, in the words of its limits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from tonesmith.corpus.cleaning.limits import Limits
from tonesmith.corpus.media import Kind
from tonesmith.terminal.text import counted


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an item is taken out.

    Attributes:
        reason: the check that found it, or "parent" of one that goes with the item it was made from.
        told: what is wrong, a clause.
        head: the item that it goes with; itself if the fault is its own.
    """

    reason: str
    told: str
    head: str


def faults(kind: Kind, numbers: Mapping[str, float], limits: Limits, checks: Collection[str]) -> Iterator[Fault]:
    """Yield what is wrong with a score or a recording, the worst first.

    Args:
        kind: score or audio.
        numbers: as :class:`Heard` has them.
        limits: from where on something is a fault.
        checks: that are made.
    """
    every = _of_score(numbers, limits) if kind == "score" else _of_recording(numbers, limits)
    yield from (Fault(reason, told, "") for reason, told in every if reason in checks)


def _of_score(numbers: Mapping[str, float], limits: Limits) -> Iterator[tuple[str, str]]:
    if not numbers["notes"]:
        yield "notes", "has no notes"
    if unreleased := int(numbers["unreleased"]):
        yield "notes", f"{counted(unreleased, 'note')} never released"
    if numbers["longest"] > limits.stuck:
        yield "notes", f"has a note of {numbers['longest']:.1f} s; at most {limits.stuck:g} are allowed"


def _of_recording(numbers: Mapping[str, float], limits: Limits) -> Iterator[tuple[str, str]]:
    rate, channels = int(numbers["sample_rate"]), int(numbers["channels"])
    seconds = numbers["frames"] / rate
    if numbers["level"] < limits.silence:
        yield "silence", f"is silent: {numbers['level']:.0f} dBFS at its loudest"
    if numbers["clipped"] > limits.clipping:
        yield "clipping", f"is clipped: {numbers['clipped']:.2%} of its samples"
    if numbers["dc"] > limits.dc:
        yield "dc", f"has a mean of {numbers['dc']:.3f} of full scale; at most {limits.dc:g} is allowed"
    if limits.rates and rate not in limits.rates:
        yield "rate", f"has {rate} samples per second, not {' or '.join(map(str, limits.rates))}"
    if limits.channels and channels not in limits.channels:
        wanted = " or ".join(map(str, limits.channels))
        yield "channels", f"has {counted(channels, 'channel')}, not {wanted}"
    if seconds < limits.shortest:
        yield "length", f"lasts {seconds:.3f} s; at least {limits.shortest:g} are needed"


def too_long(seconds: float, limits: Limits) -> Iterator[Fault]:
    """Yield the fault of an item that lasts too long."""
    if limits.longest and seconds > limits.longest:
        yield Fault("length", f"lasts {seconds:.1f} s; at most {limits.longest:g} are allowed", "")
