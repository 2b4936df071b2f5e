"""Sliders that every model has: of time and of space. Their ranges, units, and what they are without being set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tonesmith.errors import ConfigError
from tonesmith.explorer.moves import Amount, ends, within


@dataclass(frozen=True, slots=True)
class Given:
    """A slider that every model has.

    Attributes:
        low, high: its range.
        rest: its value when it is not set; None for what does nothing then.
        unit: of it.
        moves: whether it can go from one value to another over a sound.
        does: in a few words.
    """

    low: float
    high: float
    rest: float | None
    unit: str
    moves: bool
    does: str


TIME: Mapping[str, Given] = {
    "attack": Given(0.25, 16.0, 1.0, "times", moves=False, does="how long events take to rise"),
    "stretch": Given(0.1, 10.0, 1.0, "times", moves=False, does="how long sounds take, at the same pitch"),
    "loop": Given(0.05, 60.0, None, "s", moves=False, does="length of the part that is repeated"),
    "drift": Given(0.0, 5.0, 0.0, "deviations", moves=True, does="slow wandering of the sound"),
}
SPACE: Mapping[str, Given] = {
    "width": Given(0.0, 2.0, 1.0, "times", moves=True, does="how far sounds spread"),
    "distance": Given(0.25, 100.0, 1.0, "m", moves=True, does="how far away the sound is"),
    "azimuth": Given(-3600.0, 3600.0, 0.0, "degrees", moves=True, does="direction, 90 is left"),
    "elevation": Given(-90.0, 90.0, 0.0, "degrees", moves=True, does="height of the direction, for binaural"),
}
GIVEN = {**TIME, **SPACE}


def check_given(values: Mapping[str, Amount]) -> None:
    """Raise :class:`ConfigError` for a slider of time or space that is out of its range, or moves and cannot."""
    for name, amount in values.items():
        slider = GIVEN[name]
        if not within(amount, slider.low, slider.high):
            wanted = f"{slider.low:g} to {slider.high:g} {slider.unit}"
            raise ConfigError(f"--set {name}: expected {wanted}.")
        if not slider.moves and isinstance(amount, tuple):
            raise ConfigError(f"--set {name}: it cannot move. Expected one number, not {_both(amount)}.")


def check_place(values: Mapping[str, Amount], channels: str) -> None:
    """Raise :class:`ConfigError` for a slider of space that sounds with such channels do not have."""
    if channels == "mono" and (first := next((name for name in ("width", "azimuth") if name in values), None)):
        raise ConfigError(f"--set {first}: a mono sound has none. Choose --channels stereo or binaural.")
    if channels != "binaural" and "elevation" in values:
        raise ConfigError("--set elevation: only a binaural sound has it. Choose --channels binaural.")
    if channels == "stereo" and "azimuth" in values and not within(values["azimuth"], -90.0, 90.0):
        raise ConfigError("--set azimuth: expected -90 to 90 degrees for stereo; --channels binaural has all around.")


def _both(amount: Amount) -> str:
    return "..".join(f"{end:g}" for end in ends(amount))
