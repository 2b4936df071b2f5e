"""Numbers that describe a score: its pitches, how many notes sound together, its rhythm and its harmony.

Each is NaN where there is nothing to measure. Drums count as notes, and not as pitches.
"""

from tonesmith.score.metrics.harmony import Harmony, harmony_of
from tonesmith.score.metrics.pitches import Pitches, entropy_bits, pitches_of
from tonesmith.score.metrics.rhythm import PLACES, Rhythm, rhythm_of
from tonesmith.score.metrics.texture import Texture, texture_of

__all__ = [
    "PLACES",
    "Harmony",
    "Pitches",
    "Rhythm",
    "Texture",
    "entropy_bits",
    "harmony_of",
    "pitches_of",
    "rhythm_of",
    "texture_of",
]
