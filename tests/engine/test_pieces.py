"""A render that is given piece by piece, and the memory that it is written to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tonesmith.engine.shared_audio import SharedAudio, shared_file
from tonesmith.errors import EngineError
from tonesmith.space.patch import Note

NOTES = [Note(60, 100, 0.1, 0.1), Note(64, 100, 0.1, 0.1)]


@pytest.fixture
def shared() -> SharedAudio:
    """Memory for two notes of two channels and five frames."""
    with shared_file(SharedAudio.size(2, 2, 5)) as path:
        return SharedAudio(path, 2, 2, 5)


def counted(*frames: int) -> list[np.ndarray]:
    """Return pieces of so many frames, whose samples are numbered in each channel."""
    whole = np.arange(2 * sum(frames), dtype=np.float32).reshape(2, -1)
    return np.split(whole, np.cumsum(frames)[:-1], axis=1)


@pytest.mark.parametrize("frames", [(5,), (2, 3), (1, 0, 4)])
@pytest.mark.parametrize("pwrite", [True, False])
def test_pieces_of_each_note_lie_one_after_the_other_in_each_channel(
    monkeypatch: pytest.MonkeyPatch, shared: SharedAudio, frames: Sequence[int], pwrite: bool
) -> None:
    if not pwrite:
        monkeypatch.delattr("os.pwrite", raising=False)
    for index in (1, 0):
        shared.put(index, (piece + 100 * index for piece in counted(*frames)))
    assert shared.audio.reshape(2, -1).tolist() == [list(range(10)), list(range(100, 110))]
    assert [outcome.shape for outcome in shared.outcomes(NOTES)] == [(2, 5), (2, 5)]


@pytest.mark.parametrize(
    ("pieces", "shape"),
    [(counted(3, 3), (2, 6)), (counted(4), (2, 4)), ([np.ones((1, 5), np.float32)], (1, 5)), ([], (0, 0))],
)
def test_a_render_of_another_shape_is_told_and_reaches_no_other_note(
    shared: SharedAudio, pieces: list[np.ndarray], shape: tuple[int, int]
) -> None:
    shared.put(1, counted(5))
    shared.put(0, pieces)
    assert shared.outcomes(NOTES)[0].shape == shape
    assert shared.audio[1].ravel().tolist() == list(range(10))


def test_a_piece_with_other_channels_than_the_one_before_is_refused(shared: SharedAudio) -> None:
    with pytest.raises(EngineError, match="render returned 2 channels and then 1"):
        shared.put(0, [np.zeros((2, 2), np.float32), np.zeros((1, 3), np.float32)])
    with pytest.raises(EngineError, match=r"float64 \(2, 3\)"):
        shared.put(0, [np.zeros((2, 2), np.float32), np.zeros((2, 3))])
