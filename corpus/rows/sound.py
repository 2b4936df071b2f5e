"""The recording of a row: a stretch of a file at another rate, with other channels, padded with silence."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tonesmith.errors import DatasetError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.corpus.rows.truth import File
    from tonesmith.plan.plan import Audio

_TAPS: Final = 10
"""Half the length of the filter of :func:`tonesmith.dsp.resample.resampled`, in samples of the lower of two rates."""


def frames_of(file: File, audio: Audio, start: float, *, whole: bool) -> int:
    """Return how many frames of a row are a recording's.

    Args:
        file: the recording.
        audio: of the row.
        start: seconds of the recording before the row begins.
        whole: whether the row is all of the recording.
    """
    there = math.ceil(file.frames * audio.sample_rate / file.sample_rate)
    return there if whole else max(0, min(audio.frames, there - round(start * audio.sample_rate)))


def sound_of(path: Path, file: File, audio: Audio, start: float, frames: int) -> NDArray[np.float32]:
    """Return float32 (channels, frames of the row) of a recording, with silence after it.

    A stretch is resampled with what lies before and after it, so that it is what the whole would be there.

    Args:
        path: of the file.
        file: what the corpus says of it.
        audio: of the row.
        start: seconds of the recording before the row begins.
        frames: of the row that are the recording's.

    Raises :class:`DatasetError` if the file cannot be read.
    """
    import numpy as np

    from tonesmith.dsp.resample import resampled

    made = np.zeros((audio.channels, audio.frames), np.float32)
    if not frames:
        return made
    common = math.gcd(file.sample_rate, audio.sample_rate)
    up, down = audio.sample_rate // common, file.sample_rate // common
    first = round(start * audio.sample_rate)
    margin = math.ceil(_TAPS * max(up, down) / up) + 1
    begin = max(0, first * down // up - margin) // down * down
    end = min(file.frames, math.ceil((first + frames) * down / up) + margin)
    stretch = with_channels(_read(path, begin, end - begin), audio.channels)
    again = resampled(stretch, file.sample_rate, audio.sample_rate)
    skip = first - begin // down * up
    taken = again[:, skip : skip + frames]
    made[:, : taken.shape[1]] = taken
    return made


def with_channels(sound: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Return a sound with other channels: their mean, in each of those wanted, unless it has as many already."""
    import numpy as np

    if len(sound) == channels:
        return sound
    mean = sound if len(sound) == 1 else sound.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)
    return np.repeat(mean, channels, axis=0)


def _read(path: Path, begin: int, count: int) -> NDArray[Any]:
    import numpy as np
    from pedalboard.io import AudioFile

    try:
        with AudioFile(str(path)) as file:
            file.seek(begin)
            return np.asarray(file.read(count), np.float32)
    except (ValueError, RuntimeError, OSError, MemoryError) as error:
        told = str(error).split("\n", maxsplit=1)[0][:200]
        raise DatasetError(f"{path} cannot be read as audio: {told}") from None
