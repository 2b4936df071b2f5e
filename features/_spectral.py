"""What features of short-time spectra share: their options, and the words in which a definition tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from tonesmith.errors import ConfigError
from tonesmith.host.roles import Options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.plan.plan import Audio

WINDOW_SECONDS = 2048 / 44100
"""Of the default window: 46 ms, which tells two low notes a semitone apart from about 350 Hz on."""

_MOST_SAMPLES = 2**26
"""In all windows of one sound together: 256 MiB."""


class SpectralOptions(Options):
    """Options of a feature of short-time spectra."""

    window: int | None = Field(
        default=None,
        ge=16,
        le=65536,
        description="Length of the Hann window, in samples. Unset: the power of two nearest to 46 ms.",
    )
    hop: int | None = Field(
        default=None, ge=1, le=65536, description="Samples between two windows. Unset: a quarter of the window."
    )
    channels: Literal["mix", "each"] = Field(
        default="mix",
        description="mix: of the mean of all channels, in which what is out of phase cancels. each: of every channel.",
    )

    def lengths(self, sample_rate: int) -> tuple[int, int]:
        """Return window and hop, in samples."""
        from tonesmith.dsp.spectrum import window_near

        window = self.window or window_near(WINDOW_SECONDS, sample_rate)
        return window, self.hop or max(window // 4, 1)

    def check_size(self, audio: Audio) -> None:
        """Raise :class:`ConfigError` if the spectra of one sound would not fit in memory, or take minutes."""
        from tonesmith.dsp.spectrum import times

        window, hop = self.lengths(audio.sample_rate)
        count, channels = times(audio.frames, hop), audio.channels if self.channels == "each" else 1
        if count * window * channels > _MOST_SAMPLES:
            raise ConfigError(
                f"window = {window} and hop = {hop} make {count:,} windows of a sound, too many of that length. "
                "Raise hop, or lower window."
            )

    def leading(self, audio: Audio) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Return the first axes of an array and their names: those of the channels, if they are kept apart."""
        return ((audio.channels,), ("channel",)) if self.channels == "each" else ((), ())

    def heard(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the sound that spectra are made of: float32 (1 or channels, frames)."""
        import numpy as np

        if self.channels == "each" or len(audio) == 1:
            return audio
        if len(audio) == 2:  # half the time of a mean over an axis
            mixed: NDArray[np.float32] = (audio[0] + audio[1])[None]
            mixed *= np.float32(0.5)
            return mixed
        return np.asarray(audio.mean(axis=0, dtype=np.float32, keepdims=True))

    def definition(self, audio: Audio) -> dict[str, Any]:
        """Return the words and numbers that define the spectra."""
        window, hop = self.lengths(audio.sample_rate)
        return {
            "sample_rate": audio.sample_rate,
            "channels": "mean of all" if self.channels == "mix" else "each by itself",
            "window": "Hann, periodic",
            "window_frames": window,
            "hop_frames": hop,
            "padding": f"{window // 2} zeros before the sound and {window - window // 2} after it",
            "magnitude": "absolute values of the real FFT, times 2 / sum(window): a sine of full scale has 1.0",
        }


def check_band(low: float, high: float | None, sample_rate: int) -> float:
    """Return the upper end of a range of frequencies; raise :class:`ConfigError` if it is not one in this audio."""
    top = sample_rate / 2.0 if high is None else high
    if top > sample_rate / 2.0:
        raise ConfigError(
            f"high = {top:g} Hz is above half the sample rate, {sample_rate / 2.0:g} Hz. Lower it or leave it out."
        )
    if low >= top:
        raise ConfigError(f"low = {low:g} Hz must be below high = {top:g} Hz.")
    return top
