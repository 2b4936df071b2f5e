"""Draw what is in a dataset: log-mel spectrograms of eight rows, each with its note and some of its label.

::

    pip install matplotlib
    python docs/images/make_picture.py data/demo.zarr docs/images/demo.png

The rows are spread evenly over the dataset: none is chosen by ear or eye. The dotted line is the note off.
"""

from __future__ import annotations

import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tonesmith import Dataset, Row, open_dataset

mpl.use("Agg")

ROWS, COLUMNS = 2, 4
SHOWN = {"env_1_attack": "attack", "env_1_release": "release"}
WINDOW, HOP, BANDS = 2048, 256, 128
LOWEST, HIGHEST = 40.0, 16000.0
FLOOR = -80.0
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mels of Hz, by the formula of O'Shaughnessy 1987."""
    return 2595.0 * np.log10(1.0 + hertz / 700.0)


def filters(sample_rate: int) -> NDArray[np.float64]:
    """Return float64 (bands, bins): triangles that are evenly spaced in mels, each with a sum of 1."""
    edges = np.linspace(*mel(np.array([LOWEST, HIGHEST])), BANDS + 2)
    bins = mel(np.fft.rfftfreq(WINDOW, 1.0 / sample_rate))[None, :]
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.clip(np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)), 0.0, None)
    narrow = triangles.sum(axis=1) == 0.0  # below the resolution of the window: take the nearest bin
    triangles[narrow, np.abs(bins - middle).argmin(axis=1)[narrow]] = 1.0
    return triangles / triangles.sum(axis=1, keepdims=True)


def log_mel(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64]:
    """Return float64 (bands, windows): dB below the loudest point, of the mean of the channels."""
    mono = np.pad(audio.mean(axis=0, dtype=np.float64), WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(mono, WINDOW)[::HOP] * np.hanning(WINDOW)
    power = filters(sample_rate) @ np.abs(np.fft.rfft(frames).T) ** 2
    return np.clip(10.0 * np.log10(np.maximum(power / power.max(), 1e-12)), FLOOR, 0.0)


def caption(row: Row) -> str:
    """Return the note, and two parameters as the synth shows them."""
    pitch = row.note.pitch
    label = row.parameters
    told = ", ".join(f"{short} {label[name].value:.2f} {label[name].unit}" for name, short in SHOWN.items())
    return f"row {row.row}: pitch {pitch} ({NAMES[pitch % 12]}{pitch // 12 - 1})\n{told}"


def draw(dataset: Dataset, out: str) -> None:
    """Write the picture."""
    sample_rate = dataset.plan.audio.sample_rate
    spread = np.linspace(0, len(dataset) - 1, ROWS * COLUMNS).round().astype(int)
    figure, axes = plt.subplots(ROWS, COLUMNS, figsize=(12, 5.4), sharex=True, sharey=True, layout="constrained")
    ticks = np.array([100, 1000, 4000, 12000])
    span = mel(np.array([LOWEST, HIGHEST]))
    for place, row in zip(axes.flat, dataset[spread], strict=True):
        seconds = row.audio.shape[1] / sample_rate
        image = place.imshow(
            log_mel(row.audio, sample_rate),
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=FLOOR,
            vmax=0.0,
            extent=(0.0, seconds, *span),
        )
        place.axvline(row.note.hold, color="white", linewidth=0.8, linestyle=":")
        place.set_title(caption(row), fontsize=9, loc="left")
        place.set_yticks(mel(ticks), [f"{tick / 1000:g}k" if tick >= 1000 else str(tick) for tick in ticks])
        place.tick_params(labelsize=8)
    for place in axes[-1]:
        place.set_xlabel("seconds", fontsize=8)
    for place in axes[:, 0]:
        place.set_ylabel("Hz (mel scale)", fontsize=8)
    bar = figure.colorbar(image, ax=axes, pad=0.01, aspect=40)
    bar.set_label("dB below the loudest point", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    figure.canvas.draw()
    picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    picture.quantize(256).save(out, optimize=True)


if __name__ == "__main__":
    draw(open_dataset(sys.argv[1]), sys.argv[2])
