"""One row as a picture: its notes as a piano roll, above its spectrogram."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from tonesmith.dataset.row import Row
from tonesmith.dsp.spectrum import decibels, powers, window_near
from tonesmith.media.figure import COLOURS, shortened, styled
from tonesmith.plan.annotated import Value
from tonesmith.score.score import Score
from tonesmith.space.pitches import pitch_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WINDOW_SECONDS = 0.046
_COLUMNS = 1200
_RANGE_DB = 80.0
_LOWEST_HZ = 40.0
_TICKS_HZ = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)
_LETTERS = 110
_MARGIN = 3
"""Semitones above and below the notes."""


def row_figure(row: Row) -> Figure:
    """Return the picture of a row. Darker notes are struck harder; a colour stands for a part."""
    with styled():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8.0, 5.0), layout="constrained")
        roll, sound = figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
        _draw_roll(roll, row.as_score)
        _draw_sound(sound, row)
        said = [f"{name} {_told(value)}" for name, value in row.annotations.items() if value != ""]
        whole = ": ".join([f"row {row.row}", *filter(None, [", ".join(said)])])
        roll.set_title("\n".join(textwrap.wrap(whole, _LETTERS, max_lines=3, placeholder=" …")), fontsize=9)
    return figure


def _told(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else shortened(str(value), 60)


def _draw_roll(axes: Axes, score: Score) -> None:
    pitches = score.notes["pitch"].astype(int)
    for part in range(len(score.parts)):
        of = np.flatnonzero(score.notes["part"] == part)
        shades = [(COLOURS[part % len(COLOURS)], 0.35 + 0.65 * v / 127) for v in score.notes["velocity"][of].tolist()]
        axes.barh(
            pitches[of],
            score.durations[of],
            left=score.onsets[of],
            height=0.8,
            color=shades,
            edgecolor="white",
            linewidth=0.5,
        )
    lowest, highest = (int(pitches.min()), int(pitches.max())) if len(pitches) else (60, 60)
    axes.set_ylim(lowest - _MARGIN - 0.5, highest + _MARGIN + 0.5)
    ticks = [pitch for pitch in range(128) if pitch % 12 == 0 and lowest - _MARGIN <= pitch <= highest + _MARGIN]
    ticks = ticks if len(ticks) > 1 else sorted({lowest, highest})
    axes.set_yticks(ticks, [pitch_name(pitch) for pitch in ticks])
    axes.grid(axis="x", color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_ylabel("pitch")


def _draw_sound(axes: Axes, row: Row) -> None:
    audio, rate = row.audio.mean(axis=0, keepdims=True), row.plan.audio.sample_rate
    window = window_near(_WINDOW_SECONDS, rate)
    hop = max(1, audio.shape[1] // _COLUMNS)
    levels = decibels(powers(np.nan_to_num(audio), window, hop)[0].T, -_RANGE_DB)
    seconds = np.arange(levels.shape[1]) * hop / rate
    hertz = np.arange(levels.shape[0]) * rate / window
    axes.pcolormesh(seconds, hertz, levels, cmap="magma", vmin=-_RANGE_DB, vmax=0.0, rasterized=True)
    axes.set_yscale("log")
    axes.set_ylim(_LOWEST_HZ, rate / 2)
    axes.set_yticks([hz for hz in _TICKS_HZ if hz < rate / 2], [f"{hz:,}" for hz in _TICKS_HZ if hz < rate / 2])
    axes.minorticks_off()
    axes.set_xlim(0.0, audio.shape[1] / rate)
    axes.set_xlabel("seconds")
    axes.set_ylabel("Hz")
