from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tonesmith.engine.client import Engine
from tonesmith.plan.plan import Audio, PluginRef


@pytest.fixture
def engine_of(chaos_in_processes: Any) -> Iterator[Callable[..., Engine]]:
    """Make engines of the misbehaving synth: 1,600 frames at 8 kHz, stereo."""
    made: list[Engine] = []

    def make(isolation: str = "snapshot", **options: Any) -> Engine:
        form = Audio(8000, 2, 1600)
        made.append(Engine(PluginRef("chaos", options), form, 3, isolation, asset=lambda name: b""))
        return made[-1]

    yield make
    for engine in made:
        engine.close()
