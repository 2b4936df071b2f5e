"""A model of the explorer that is put together, not fitted: it costs nothing, and is a model in all else."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tonesmith.explorer import stored
from tonesmith.explorer.atlas import SPACE, Atlas, Errors, Sound, Trajectory
from tonesmith.explorer.exemplars import Exemplars
from tonesmith.explorer.frames import BINS
from tonesmith.explorer.principal import Components
from tonesmith.explorer.sliders import Slider

SIZE, FRAMES = 4, 40


def tiny_atlas(seed: int = 0, names: tuple[str, ...] = ("a.wav", "b.wav")) -> Atlas:
    """Return a model of short sounds with the sliders brightness and axis1. Its frames are noise of some shape."""
    random = np.random.default_rng(seed)
    axes = np.linalg.qr(random.standard_normal((BINS, SIZE)))[0].T.astype(np.float32)
    mean = np.linspace(-30.0, -70.0, BINS, dtype=np.float32)
    components = Components(mean, axes, np.array([90, 60, 30, 20], np.float32), np.array([0.6, 0.3, 0.07, 0.03]))
    latent = random.standard_normal((FRAMES * len(names), SIZE)).astype(np.float16)
    residual = random.standard_normal((len(latent), BINS)).astype(np.float16)
    sliders = (
        Slider("brightness", "named", np.eye(SIZE, dtype=np.float32)[1], 0.8, -1.5, 1.5, 0.4, "octaves"),
        Slider("axis1", "discovered", np.eye(SIZE, dtype=np.float32)[0], 0.9, -2.0, 2.0, 60.0, "% of variance"),
    )
    tracks = [
        Trajectory(part, np.zeros((FRAMES, SPACE), np.float16), np.array([0, 20], np.int32))
        for part in np.split(latent, len(names))
    ]
    sounds = [Sound(name, f"{seed:02d}{place:02d}" * 16, 0.208, FRAMES, 1) for place, name in enumerate(names)]
    exemplars = Exemplars(latent.astype(np.float32), residual)
    errors = Errors(0.5, 0.6, 2.0, 3.0)
    return Atlas(components, exemplars, tuple(tracks), tuple(sounds), sliders, {"brightness": 0.8}, errors)


def write_tiny(path: Path, seed: int = 0, names: tuple[str, ...] = ("a.wav", "b.wav")) -> Path:
    """Write such a model, and return its folder."""
    stored.save(tiny_atlas(seed, names), path)
    return path
