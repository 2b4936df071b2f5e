"""The speaker: plays a sound on the device that the system chose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError


def check_speaker(instead: str) -> None:
    """Raise :class:`ConfigError` if nothing can be played here.

    Args:
        instead: what to do then, a sentence.
    """
    from pedalboard.io import AudioStream

    if not AudioStream.output_device_names or AudioStream.default_output_device_name is None:
        raise ConfigError(f"this machine has no audio output, so nothing can be played. {instead}")


def play(audio: NDArray[np.float32], sample_rate: int, instead: str) -> None:
    """Play a sound to its end. What passes full scale makes the whole quieter; what is no number is silence.

    Args:
        audio: float32 (channels, frames).
        sample_rate: Hz.
        instead: what to do where nothing can be played, a sentence.

    Raises :class:`ConfigError` where nothing can be played.
    """
    from pedalboard.io import AudioStream

    check_speaker(instead)
    clean = np.nan_to_num(audio, nan=0.0, posinf=0.0, neginf=0.0)
    try:
        AudioStream.play(clean / max(1.0, float(np.abs(clean).max(initial=0.0))), sample_rate)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"the audio output cannot be used: {error}. {instead}") from None
