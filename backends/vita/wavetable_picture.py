"""A small picture of a wavetable: one cycle at a few of its frames, as Vital plays them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tonesmith.errors import EngineError
from tonesmith.plan.plan import Audio
from tonesmith.space.patch import Note, Patch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.engine.client import Engine
    from tonesmith.space.space import ParameterSpace

SAMPLE_RATE = 44000
"""Hz. A cycle of 55 Hz, which is A1, is then a whole number of samples."""
_PERIOD = 800
_BEFORE = 3
"""Cycles before the one that is drawn."""
NOTE = Note(33, 127, (_BEFORE + 2) * _PERIOD / SAMPLE_RATE, _PERIOD / SAMPLE_RATE)
FORM = Audio(SAMPLE_RATE, 2, (_BEFORE + 3) * _PERIOD)
_FRAMES = (0.0, 64.0, 128.0, 192.0, 256.0)
_BARE: Mapping[str, float] = {
    "osc_1_phase": 0.5,  # the default, where the wavetable begins: Vital takes eight cycles to glide to any other
    "osc_1_random_phase": 0.0,
    "env_1_attack": 0.0,
    "env_1_sustain": 1.0,
    "velocity_track": 0.0,
}
_WIDTH, _HEIGHT, _STEP, _SHIFT = 320, 96, 18, 12
_SECONDS = 30.0


def drawn(engine: Engine, space: ParameterSpace, wavetable: str, moving: bool) -> str:
    """Return the picture of a wavetable, as SVG of a few kilobytes.

    Args:
        engine: to play it, with audio as in :data:`FORM`.
        space: of the engine.
        wavetable: SHA-256 of it, an asset that the engine can ask for.
        moving: whether its frames differ; else one is drawn.

    Raises :class:`EngineError` if it cannot be played.
    """
    values = {**{p.name: p.default for p in space.parameters}, **_BARE}
    cycles = []
    for frame in _FRAMES if moving else _FRAMES[:1]:
        patch = Patch({**values, "osc_1_wave_frame": frame}, assets={**space.assets, "wavetable_1": wavetable})
        outcome = engine.play(patch, [NOTE], _SECONDS)[0]
        if outcome.failure:
            raise EngineError(f"the wavetable {wavetable[:8]} cannot be played: {outcome.detail or outcome.failure}")
        cycles.append(engine.audio[0, 0, _BEFORE * _PERIOD : (_BEFORE + 1) * _PERIOD].copy())
    return svg(cycles)


def svg(cycles: Iterable[NDArray[np.float32]]) -> str:
    """Return the picture of cycles, each (samples,): the first in front, the others behind it, up and to the right."""
    import numpy as np

    stacked = np.stack(list(cycles))[:, ::8]
    stacked = np.nan_to_num(stacked / max(float(np.abs(stacked).max()), 1e-6))
    count, points = stacked.shape
    width, height = _WIDTH + _SHIFT * (count - 1), _HEIGHT + _STEP * (count - 1)
    across = np.arange(points) * _WIDTH / (points - 1)
    paths = []
    for place in reversed(range(count)):
        xs = across + _SHIFT * place
        ys = _HEIGHT / 2 * (1 - 0.95 * stacked[place]) + _STEP * (count - 1 - place)
        line = " ".join(f"{x:.0f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
        paths.append(f'<polyline opacity="{1 - 0.15 * place:.2f}" points="{line}"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 {width + 4} {height + 4}" width="{width}">\n'
        '<g fill="none" stroke="#3b6ea5" stroke-width="1.5">\n' + "\n".join(paths) + "\n</g>\n</svg>\n"
    )
