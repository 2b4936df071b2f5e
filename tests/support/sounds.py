"""Sounds made for tests of the explorer: notes that decay, of other brightness and noise, as files of other forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 48_000


def tone(hertz: float, seconds: float = 0.5, partials: int = 6, noise: float = 0.05, seed: int = 0) -> NDArray[Any]:
    """Return a tone that decays, its high partials and noise faster: float64 (samples,), with a peak of 0.5."""
    time = np.arange(round(seconds * RATE)) / RATE
    hiss = noise * np.random.default_rng(seed).standard_normal(len(time)) * np.exp(-12.0 * time)
    made = hiss + sum(
        np.sin(2 * np.pi * hertz * n * time) / n * np.exp(-(2.0 + 2.0 * n) * time) for n in range(1, partials + 1)
    )
    return 0.5 * made / np.abs(made).max()


def write(path: Path, *channels: NDArray[Any], rate: int = RATE) -> Path:
    soundfile.write(path, np.stack(channels, axis=1), rate, subtype="PCM_24")
    return path


def write_five(folder: Path) -> None:
    """Write five sounds: of two channels, at 44.1 kHz, noisy, dark and bright."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = tone(220.0)
    write(folder / "right.wav", 0.0 * plain, plain)
    write(folder / "cd.flac", tone(220.0, partials=3, seed=1), rate=44_100)
    write(folder / "noisy.wav", tone(220.0, noise=2.0, seed=2))
    write(folder / "dark.wav", tone(220.0, partials=2, seed=3))
    write(folder / "bright.wav", tone(220.0, partials=20, noise=0.2, seed=4))


def centroid(sound: NDArray[Any]) -> float:
    """Return the centre of the power spectrum of a sound (samples,), in octaves above 1 kHz."""
    power = np.square(np.abs(np.fft.rfft(sound)))[1:]
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)[1:]
    heard = hertz >= 20.0
    return float((power[heard] * np.log2(hertz[heard] / 1000.0)).sum() / power[heard].sum())


def true_peak(sound: NDArray[Any]) -> float:
    """Return the highest point between the samples (samples, channels) in dBTP, at sixteen times the rate."""
    padded = np.pad(sound, ((256, 256), (0, 0)))
    spectrum = np.fft.rfft(padded, axis=0)
    over = np.fft.irfft(spectrum, 16 * len(padded), axis=0) * 16
    return float(20 * np.log10(np.abs(over).max()))
