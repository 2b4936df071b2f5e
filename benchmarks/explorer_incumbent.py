"""What `tonesmith explore` is compared with: the recipe that such tools have by habit.

Chunks of a second as log-mel pictures (128 bands, window 2048, hop 512), a convolutional VAE with 64 latents a chunk,
the mel inverted by least squares without negative values, and 32 rounds of Griffin-Lim. It needs torch.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.mel import band_edges, mel_filters
from tonesmith.dsp.spectrum import spectrum
from tonesmith.explorer.frames import RATE

BANDS, WINDOW, HOP, LATENTS, ROUNDS = 128, 2048, 512, 64, 32
FRAMES = 96
"""Of a chunk of a second, with zeros to a number that halves often."""
_FLOOR, _BATCH, _RATE, _BETA = -80.0, 16, 1e-3, 1e-3


class Incumbent:
    """A chunk VAE on log-mel pictures.

    Args:
        chunks: float32 (samples,) each, at 48 kHz, of a second at most.
        seconds: of CPU time that its training may take.
        seed: of its weights and batches.
    """

    def __init__(self, chunks: Sequence[NDArray[np.float32]], seconds: float, seed: int = 0) -> None:
        import torch

        torch.manual_seed(seed)
        self._filters = mel_filters(band_edges(BANDS, 20.0, RATE / 2), RATE, WINDOW).astype(np.float64)
        self._inverse = np.linalg.pinv(self._filters)
        self._net: Any = _net()
        pictures = torch.from_numpy(np.stack([self._picture(chunk) for chunk in chunks]))
        self._train(pictures, seconds, torch)

    def made(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a chunk, made again from the mean of its latents: float32, as long as it."""
        import torch

        with torch.no_grad():
            mean, _ = self._net.encode(torch.from_numpy(self._picture(chunk))[None])
            levels = self._net.decode(mean)[0, 0].numpy().astype(np.float64)
        power = 10.0 ** ((levels * -_FLOOR / 2 + _FLOOR / 2) / 10.0)
        magnitude = np.sqrt(np.maximum(self._inverse @ power, 0.0))
        return griffin_lim(magnitude[:, : len(chunk) // HOP + 1], len(chunk))

    def _picture(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        whole = np.zeros(RATE, np.float32)
        whole[: len(chunk)] = chunk[:RATE]
        power = np.square(np.abs(spectrum(whole[None], WINDOW, HOP)[0].T.astype(np.complex128)))
        levels = 10.0 * np.log10(np.maximum(self._filters @ power, 10.0 ** (_FLOOR / 10.0)))
        picture = np.full((BANDS, FRAMES), -1.0, np.float32)
        count = min(levels.shape[1], FRAMES)
        picture[:, :count] = np.clip(levels[:, :count] / (-_FLOOR / 2) + 1.0, -1.0, 2.0)
        return picture[None]

    def _train(self, pictures: Any, seconds: float, torch: Any) -> None:
        optimiser = torch.optim.Adam(self._net.parameters(), _RATE)
        start, self.steps = time.process_time(), 0
        while time.process_time() - start < seconds:
            batch = pictures[torch.randint(len(pictures), (_BATCH,))]
            mean, spread = self._net.encode(batch)
            found = self._net.decode(mean + torch.randn_like(mean) * torch.exp(spread / 2))
            divergence = -0.5 * (1 + spread - mean.square() - spread.exp()).sum(dim=1).mean()
            loss = (found - batch).square().mean() + _BETA * divergence / LATENTS
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            self.steps += 1


def _net() -> Any:
    from torch import nn

    class Net(nn.Module):
        """Four strided convolutions down to 64 latents, and four up again."""

        def __init__(self) -> None:
            super().__init__()
            widths = (1, 32, 64, 128, 128)
            down = [layer for a, b in pairwise(widths) for layer in _down(nn, a, b)]
            self.down = nn.Sequential(*down, nn.Flatten())
            inner = widths[-1] * (BANDS // 16) * (FRAMES // 16)
            self.mean, self.spread = nn.Linear(inner, LATENTS), nn.Linear(inner, LATENTS)
            self.up_in = nn.Linear(LATENTS, inner)
            turned = widths[::-1]
            up = [layer for a, b in pairwise(turned) for layer in _up(nn, a, b)]
            self.up = nn.Sequential(*up[:-1])

        def encode(self, pictures: Any) -> tuple[Any, Any]:
            hidden = self.down(pictures)
            return self.mean(hidden), self.spread(hidden).clamp(-8, 8)

        def decode(self, latents: Any) -> Any:
            return self.up(self.up_in(latents).reshape(-1, 128, BANDS // 16, FRAMES // 16))

    return Net()


def _down(nn: Any, a: int, b: int) -> list[Any]:
    return [nn.Conv2d(a, b, 4, 2, 1), nn.LeakyReLU(0.2)]


def _up(nn: Any, a: int, b: int) -> list[Any]:
    return [nn.ConvTranspose2d(a, b, 4, 2, 1), nn.LeakyReLU(0.2)]


def griffin_lim(magnitude: NDArray[np.float64], samples: int, seed: int = 0) -> NDArray[np.float32]:
    """Return a sound with about these magnitudes (bins, frames), by 32 rounds of Griffin-Lim: float32 (samples,)."""
    from scipy.signal import ShortTimeFFT, get_window

    transform = ShortTimeFFT(get_window("hann", WINDOW), HOP, RATE)
    random = np.random.default_rng(seed)
    first, stop = transform.p_min, transform.p_max(samples)
    frames = np.zeros((len(magnitude), stop - first))
    wide = min(magnitude.shape[1], frames.shape[1] + first)
    frames[:, -first : -first + wide] = magnitude[:, :wide]
    phase = np.exp(2j * np.pi * random.random(frames.shape))
    for _ in range(ROUNDS):
        sound = transform.istft(frames * phase, k1=samples)
        phase = np.exp(1j * np.angle(transform.stft(sound)))
    return np.asarray(transform.istft(frames * phase, k1=samples), np.float32)
