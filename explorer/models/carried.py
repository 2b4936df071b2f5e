"""What a training begins with: networks that correct nothing, or those of an earlier model, carried over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.models.network import SCALE, Parameters

if TYPE_CHECKING:
    from tonesmith.explorer.principal import Components

_NOISE = 0.1
"""Deviation of the noise of a latent that the encoder has not learned yet."""


def started(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, NDArray[np.float32]]:
    """Return parameters at the start: what goes out of either network is zero, and so are the corrections."""
    random = np.random.default_rng([seed, 2**31])
    made = {}
    for name, shape in shapes.items():
        values = np.zeros(shape, np.float32)
        if name.endswith("norm.weight"):
            values += 1.0
        elif name.endswith("weight") and ".out." not in name:
            values = (random.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)
        made[name] = values
    size = shapes["encoder.out.bias"][0] // 2
    made["encoder.out.bias"][size:] = 2.0 * np.log(_NOISE)
    return made


def carried(parameters: Parameters, old: Components, new: Components) -> dict[str, NDArray[np.float32]]:
    """Return parameters for other components: what networks add to levels stays what it was, as far as both span it.

    Latents of the new components are mapped to those of the old ones before the decoder, and those that the encoder
    adds are mapped back after it. What the old ones lack is not corrected at first.

    Args:
        parameters: of the networks that correct ``old``.
        old: float32 (k, bins), the components that they were trained with.
        new: float32 (k', bins), those that they are to correct.
    """
    cross = new.axes.astype(np.float64) @ old.axes.T.astype(np.float64)
    to_old = new.deviation[:, None] * cross / old.deviation
    to_new = old.deviation[:, None] * cross.T / new.deviation
    apart = (new.mean - old.mean).astype(np.float64)
    made = {name: values.astype(np.float64) for name, values in parameters.items()}
    made["encoder.in.bias"] += made["encoder.in.weight"] @ apart / SCALE
    made["decoder.in.bias"] += made["decoder.in.weight"] @ (old.axes @ apart / old.deviation)
    made["decoder.in.weight"] = made["decoder.in.weight"] @ to_old.T
    weight, bias = made["encoder.out.weight"], made["encoder.out.bias"]
    size, both = len(old.deviation), min(len(old.deviation), len(new.deviation))
    noise_weight = np.zeros((len(new.deviation), weight.shape[1]))
    noise_bias = np.full(len(new.deviation), 2.0 * np.log(_NOISE))
    noise_weight[:both] = weight[size:][:both]
    noise_bias[:both] = bias[size:][:both] + 2.0 * np.log(old.deviation[:both] / new.deviation[:both])
    made["encoder.out.weight"] = np.concatenate([to_new.T @ weight[:size], noise_weight])
    made["encoder.out.bias"] = np.concatenate([to_new.T @ bias[:size], noise_bias])
    return {name: values.astype(np.float32) for name, values in made.items()}
