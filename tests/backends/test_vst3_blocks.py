"""A note of a VST3 plugin, rendered block by block."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.vst3.build import built

from tonesmith.backends.vst3.plugin import BLOCK, HostedPlugin
from tonesmith.space.patch import Note

RATE = 44100


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy instrument."""
    return built(tmp_path_factory.mktemp("tiny"), "TinySynth")


def in_one(plugin: HostedPlugin, note: Note) -> NDArray[np.float32]:
    """Return what pedalboard renders of a note if it is asked for all frames at once."""
    events = [([0x90, note.pitch, note.velocity], 0.0), ([0x80, note.pitch, 0], note.hold)]
    return plugin._plugin(events, (round(note.duration * RATE) + 0.5) / RATE, RATE, 2, BLOCK, False)


@pytest.mark.parametrize(
    ("hold", "tail"),
    [
        (0.59, 0.2),  # 26,018.99 frames, which single precision makes 26,019
        (0.53, 0.2),
        (BLOCK / RATE, 0.1),
        ((BLOCK - 1) / RATE, 0.1),
        (0.05, 0.0),
        (2 * BLOCK / RATE, 0.0),  # off where the render ends, which nobody hears
        (0.1, 0.4),
    ],
)
def test_a_note_in_blocks_is_bit_for_bit_the_note_in_one(tiny: Path, hold: float, tail: float) -> None:
    note = Note(57, 90, hold, tail)
    pieces = list(HostedPlugin(tiny, RATE).pieces(note))
    assert max(piece.shape[1] for piece in pieces) <= BLOCK
    assert np.concatenate(pieces, axis=1).tobytes() == in_one(HostedPlugin(tiny, RATE), note).tobytes()
