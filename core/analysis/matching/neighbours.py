"""The rows of a dataset that sound most like a target, by a coarse log-mel spectrogram."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.reader import Dataset
from tonesmith.dsp.mel import mel_bank
from tonesmith.dsp.spectrum import powers, window_near
from tonesmith.space.sampling import key_of

_BANDS, _STEPS = 40, 24
_FLOOR = -80.0
"""dB below the highest band of a sound, where nothing is told apart: as in MSS."""
_READ = 64
"""Rows whose audio is in memory at once."""


@dataclass(frozen=True, eq=False)
class Pool:
    """The rows that were listened to.

    Attributes:
        rows: indices in the dataset, nearest first, one of each patch.
        listened: how many rows were listened to.
        patches: how many patches the dataset has, less those that were left out.
    """

    rows: NDArray[np.int64]
    listened: int
    patches: int


def nearest_rows(
    dataset: Dataset,
    target: NDArray[np.float32],
    pitch: int | None,
    most: int,
    seed: int,
    left_out: frozenset[int] = frozenset(),
    heard: Callable[[int], object] = int,
) -> Pool:
    """Return the rows that are nearest to a sound.

    Of each patch, the row whose pitch is nearest is listened to. Two sounds are as far apart as their spectrograms in
    40 mel bands at 24 times are on average in dB, each relative to its own highest value.

    Args:
        dataset: of the rows.
        target: float32 (channels, frames), as long as the rows.
        pitch: MIDI pitch of it; None if it has none.
        most: rows that are listened to, chosen at random where there are more patches.
        seed: of that choice.
        left_out: patches that do not count.
        heard: told the number of rows that were listened to.
    """
    rows, patches = _one_of_each_patch(dataset, pitch, left_out)
    random = np.random.Generator(np.random.Philox(key=key_of(seed, "match pool")))
    chosen = np.sort(rows[random.permutation(len(rows))[:most]])
    rate, own = dataset.plan.audio.sample_rate, picture_of(target, dataset.plan.audio.sample_rate)
    distances = np.empty(len(chosen))
    for first in range(0, len(chosen), _READ):
        part = chosen[first : first + _READ]
        for place, audio in enumerate(dataset.get_batch(part, ["audio"])["audio"]):
            distances[first + place] = np.abs(picture_of(audio, rate) - own).mean(dtype=np.float64)
            heard(1)
    return Pool(chosen[np.argsort(distances, kind="stable")], len(chosen), patches)


def picture_of(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Return the coarse spectrogram of a sound: float32 (channels, 40, 24), 0 at its highest value, and at least -80.

    Args:
        audio: float (channels, frames).
        sample_rate: Hz.
    """
    window = window_near(0.046, sample_rate)
    bank = mel_bank(_BANDS, sample_rate, window, norm="area")
    power = bank.powers(powers(audio, window, window // 2))
    edges = np.linspace(0, power.shape[2], _STEPS + 1).astype(int)
    pairs = pairwise(edges.tolist())
    means = np.stack([power[:, :, a : max(b, a + 1)].mean(axis=2) for a, b in pairs], 2)
    level = 10.0 * np.log10(np.maximum(means, np.float32(1e-20)) / max(float(means.max()), 1e-20))
    return np.asarray(np.maximum(level, np.float32(_FLOOR)), np.float32)


def _one_of_each_patch(dataset: Dataset, pitch: int | None, left_out: frozenset[int]) -> tuple[NDArray[np.int64], int]:
    """Return a row of each patch, that with the nearest pitch, and the number of patches."""
    batch = dataset.get_batch(slice(None), ["patch", "pitch"])
    patches, pitches = batch["patch"].astype(np.int64), batch["pitch"].astype(np.int64)
    away = np.abs(pitches - pitch) if pitch is not None else np.zeros(len(pitches), np.int64)
    order = np.lexsort((np.arange(len(patches)), away, patches))
    firsts = order[np.flatnonzero(np.diff(patches[order], prepend=-1))]
    kept = firsts[~np.isin(patches[firsts], list(left_out))]
    return np.sort(kept), len(kept)
