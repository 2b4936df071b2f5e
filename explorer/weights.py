"""How much sounds count that a model made: models that eat their own output narrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tonesmith.explorer.atlas import Sound

HALF = 0.5
"""How much a frame that a model made counts at most, beside one of one's own."""
SHARE = 0.2
"""Of the weight of all frames, what those that models made have together at most."""


def weight_of_made(sounds: Sequence[Sound]) -> float:
    """Return how much a frame of the sounds that models made counts, so that they have a fifth together at most."""
    own = [sound for sound in sounds if sound.made_by is None]
    frames = sum(sound.frames for sound in own)
    weight = sum(sound.frames * sound.weight for sound in own)
    made = sum(sound.frames for sound in sounds if sound.made_by)
    return min(HALF * weight / max(frames, 1), SHARE / (1.0 - SHARE) * weight / max(made, 1))


def share_of_made(sounds: Iterable[Sound]) -> float:
    """Return the share of the weight of all frames that those have that models made: 0 to 0.2."""
    weights = [(sound.frames * sound.weight, sound.made_by is not None) for sound in sounds]
    return sum(weight for weight, made in weights if made) / max(sum(weight for weight, _ in weights), 1e-12)
