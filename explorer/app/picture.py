"""A file of sound as a picture that a page can show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.media.colours import magma
from tonesmith.media.picture import spectrogram

_HEAD = 60.0
"""Seconds of a file that are shown."""
_TALLER = 3


def picture_of(path: Path) -> NDArray[np.uint8]:
    """Return the mel spectrogram of the first minute of a file, uint8 (rows, columns, 3)."""
    import soundfile

    with soundfile.SoundFile(path) as file:
        samples: Any = file.read(int(_HEAD * file.samplerate), dtype="float32", always_2d=True)
        shades = spectrogram(samples.T, file.samplerate)
    colours = magma(64)[shades]
    return np.repeat(np.repeat(colours, _TALLER, axis=0), _TALLER, axis=1)
