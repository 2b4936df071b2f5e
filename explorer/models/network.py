"""The networks of the model ``vae`` in NumPy: what is added to principal components, both ways.

The encoder sees seven frames at once, twice (Liu et al. 2022, "A ConvNet for the 2020s", along time). The decoder sees
one, so that sound can be made in blocks. Sound is made by this code, not by torch: the same bytes with and without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

KERNEL, BLOCKS = 7, 2
"""Frames that a convolution sees, and how many there are."""
REACH = BLOCKS * (KERNEL // 2)
SCALE = 10.0
"""dB that are 1 to the networks."""
_EPSILON = 1e-5

Parameters = Mapping[str, NDArray[np.float32]]


def shapes_of(size: int, bins: int, width: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each parameter.

    Args:
        size: of the latent.
        bins: of a frame.
        width: of the networks.
    """
    found: dict[str, tuple[int, ...]] = {"encoder.in.weight": (width, bins), "encoder.in.bias": (width,)}
    for place in range(BLOCKS):
        name = f"encoder.{place}"
        found |= {f"{name}.depth.weight": (width, KERNEL), f"{name}.depth.bias": (width,)}
        found |= _pair(name, width)
    found |= {"encoder.out.weight": (2 * size, width), "encoder.out.bias": (2 * size,)}
    found |= {"decoder.in.weight": (width, size), "decoder.in.bias": (width,)} | _pair("decoder.0", width)
    return found | {"decoder.out.weight": (bins, width), "decoder.out.bias": (bins,)}


def _pair(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{name}.norm.weight": (width,),
        f"{name}.norm.bias": (width,),
        f"{name}.up.weight": (2 * width, width),
        f"{name}.up.bias": (2 * width,),
        f"{name}.down.weight": (width, 2 * width),
        f"{name}.down.bias": (width,),
    }


def width_of(parameters: Mapping[str, NDArray[Any]], size: int, bins: int) -> int:
    """Return the width of networks. Raises :class:`ValueError` or :class:`KeyError` if their parts do not fit."""
    width = len(parameters["encoder.in.bias"])
    for name, shape in shapes_of(size, bins, width).items():
        if parameters[name].shape != shape or parameters[name].dtype != np.float32:
            raise ValueError(f"{name} has another size")
        if not np.isfinite(parameters[name]).all():
            raise ValueError(f"{name} has values that are not finite")
    return width


def added_latent(parameters: Parameters, centred: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the encoder adds to the components' latents: float32 (frames, size).

    Args:
        parameters: of the networks.
        centred: float32 (frames, bins), levels less their mean, in dB.
    """
    hidden = _linear(parameters, "encoder.in", centred / np.float32(SCALE))
    for place in range(BLOCKS):
        name = f"encoder.{place}"
        hidden = hidden + _block(parameters, name, _depthwise(parameters, f"{name}.depth", hidden))
    out = _linear(parameters, "encoder.out", hidden)
    return out[:, : out.shape[1] // 2]


def added_levels(parameters: Parameters, latent: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the decoder adds to the components' levels: float32 (frames, bins), in dB.

    Args:
        parameters: of the networks.
        latent: float32 (frames, size).
    """
    hidden = _silu(_linear(parameters, "decoder.in", latent))
    hidden = hidden + _block(parameters, "decoder.0", hidden)
    return np.asarray(_linear(parameters, "decoder.out", hidden) * np.float32(SCALE), np.float32)


def _block(parameters: Parameters, name: str, hidden: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = hidden - hidden.mean(axis=1, keepdims=True)
    normal = centred / np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + np.float32(_EPSILON))
    normal = normal * parameters[f"{name}.norm.weight"] + parameters[f"{name}.norm.bias"]
    return _linear(parameters, f"{name}.down", _silu(_linear(parameters, f"{name}.up", normal)))


def _depthwise(parameters: Parameters, name: str, hidden: NDArray[np.float32]) -> NDArray[np.float32]:
    half = KERNEL // 2
    padded = np.pad(hidden, ((half, half), (0, 0)))
    weight = parameters[f"{name}.weight"]
    made = np.tile(parameters[f"{name}.bias"], (len(hidden), 1))
    for place in range(KERNEL):
        made += padded[place : place + len(hidden)] * weight[:, place]
    return made


def _linear(parameters: Parameters, name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values @ parameters[f"{name}.weight"].T + parameters[f"{name}.bias"], np.float32)


def _silu(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values / (np.float32(1.0) + np.exp(-np.clip(values, -60.0, 60.0))), np.float32)
