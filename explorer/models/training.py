"""The networks of the model ``vae`` are trained: by torch, stopped by held-out sounds, and kept along the way.

The loss is the evidence lower bound of Kingma & Welling 2014, with Gaussian levels whose variance is the error of the
components alone, and free bits as in Kingma et al. 2016, "Improved variational inference with inverse autoregressive
flow". What is measured and kept are running means of the weights (Polyak & Juditsky 1992).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.models import network
from tonesmith.explorer.models.carried import started
from tonesmith.explorer.models.material import Held, batch_of, changed, changes_of, held_of
from tonesmith.explorer.principal import Components
from tonesmith.host.roles import Material

if TYPE_CHECKING:
    import torch

    from tonesmith.explorer.models.vae import VaeOptions

RATE, DECAY, WARM = 6e-4, 0.03, 30
"""Of AdamW: the step, the weight decay, and the steps until it has its full size."""
EVERY, PATIENCE = 25, 8
"""Steps between two looks at held-out sounds, and looks without a better one until it stops."""
_MEAN = 0.98
_ACTIVE = 0.01
"""Variance of a latent's mean from which it is active (Burda, Grosse & Salakhutdinov 2016)."""
_MOMENTS = ("exp_avg", "exp_avg_sq")
"""What AdamW keeps of each parameter."""
_KEEP = 20.0
"""Seconds between two checkpoints."""
_MOST_STOPPING = 6_000
"""Frames of held-out sounds that are looked at."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Width of the networks, stretches and frames of a batch, and the most steps."""

    width: int
    stretches: int
    frames: int
    steps: int


PRESETS: Mapping[str, Preset] = {
    "tiny": Preset(32, 4, 24, 200),
    "small": Preset(128, 16, 48, 600),
    "medium": Preset(256, 24, 48, 1_500),
    "large": Preset(1024, 48, 64, 6_000),
}
_WIDE = 512
"""Width from which several threads are worth it."""
_MEDIUM_FROM = 20_000
"""Heard frames, 1.8 minutes of sound."""


def preset_of(options: VaeOptions, frames: int, device: str) -> Preset:
    """Return the preset that was asked for, or the one that fits: a GPU takes the large one."""
    if options.preset != "auto":
        return PRESETS[options.preset]
    if device != "cpu":
        return PRESETS["large"]
    return PRESETS["medium" if frames >= _MEDIUM_FROM else "small"]


def trained(
    material: Material,
    components: Components,
    options: VaeOptions,
    device: str,
    start: network.Parameters | None = None,
) -> tuple[dict[str, NDArray[np.float32]], Mapping[str, float | str]]:
    """Return the parameters of the networks that were best on held-out frames, and how they were found.

    Args:
        material: of the sounds.
        components: that the networks start from.
        options: of the model.
        device: of torch.
        start: parameters to begin with, whose width the networks have; None to begin with the components alone.
    """
    learned, stopping = held_of(material)
    preset = preset_of(options, learned.frames, device)
    if start is not None:
        preset = replace(preset, width=len(start["encoder.in.bias"]))
    training = Training(components, preset, options, device, start)
    if (kept := material.kept()) is not None and training.resume(kept):
        material.told(f"vae: going on from step {training.step:,}.")
    with threads(preset):
        try:
            training.run(learned, stopping, material)
        finally:
            material.keep(training.state())
    return training.best, training.report(stopping)


@contextmanager
def threads(preset: Preset) -> Iterator[None]:
    """Let torch work on small networks in one thread: several wait for each other more than they work."""
    import torch

    before = torch.get_num_threads()
    if preset.width < _WIDE:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Training:
    """Networks on their way.

    Args:
        components: that they start from.
        preset: their size.
        options: of the model.
        device: of torch.
        start: parameters to begin with; None for some that correct nothing.
    """

    def __init__(
        self,
        components: Components,
        preset: Preset,
        options: VaeOptions,
        device: str,
        start: network.Parameters | None = None,
    ) -> None:
        import torch

        self._components, self._preset, self._options, self._device = components, preset, options, device
        size, bins = components.axes.shape
        self._steps = options.steps or preset.steps
        first = start or started(network.shapes_of(size, bins, preset.width), options.seed)
        self.weights = {name: torch.from_numpy(values).to(device).requires_grad_() for name, values in first.items()}
        self._optimiser = torch.optim.AdamW(self.weights.values(), lr=RATE, weight_decay=DECAY, betas=(0.9, 0.99))
        self._mean = {name: values.detach().clone() for name, values in self.weights.items()}
        self.best = self._numbers(self._mean)
        self.step, self.best_step, self.spent = 0, 0, 0.0
        self.errors: list[float] = []
        self._fixed = {
            name: torch.from_numpy(np.ascontiguousarray(values)).to(device)
            for name, values in (
                ("mean", components.mean),
                ("axes", components.axes),
                ("deviation", components.deviation),
            )
        }

    def run(self, learned: Held, stopping: Held, material: Material) -> None:
        """Train until held-out frames get no better, or the steps or the minutes are over."""
        if not self.errors:
            self._look(stopping)
        began = last = time.monotonic()
        before = self.spent
        while not self.stopped():
            self._learn(learned)
            self.step += 1
            if self.step % EVERY == 0 or self.step == self._steps:
                self._look(stopping)
                material.shown(f"step {self.step:,} of at most {self._steps:,}, {self.errors[-1]:.2f} dB held out")
            now = time.monotonic()
            self.spent = before + now - began
            if now - last > _KEEP:
                last = now
                material.keep(self.state())

    def stopped(self) -> str:
        """Return why it is over: "held out", "steps" or "minutes"; "" if it is not."""
        since = len(self.errors) - 1 - int(np.argmin(self.errors)) if self.errors else 0
        if since >= PATIENCE:
            return "held out"
        if self.step >= self._steps:
            return "steps"
        return "minutes" if self.spent >= 60.0 * self._options.minutes else ""

    def _learn(self, learned: Held) -> None:
        """Take one step. All that is random in it is drawn from the seed and its number."""
        import torch

        random = np.random.default_rng([self._options.seed, self.step])
        preset = self._preset
        batch = batch_of(learned, preset.stretches, preset.frames, random)
        noise = random.standard_normal((*batch.valid.shape, len(self._components.axes)), np.float32)
        levels = torch.from_numpy(batch.levels).to(self._device)
        levels = changed(levels, changes_of(preset.stretches, levels.shape[2], random))
        valid, counted = (torch.from_numpy(each).to(self._device) for each in (batch.valid, batch.counted))
        loss = self._loss(levels, valid, counted, torch.from_numpy(noise).to(self._device))
        for group in self._optimiser.param_groups:
            group["lr"] = RATE * min((self.step + 1) / WARM, 1.0)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.weights.values(), 1.0)
        self._optimiser.step()
        with torch.no_grad():
            share = min(_MEAN, self.step / (self.step + 10.0))
            for name, values in self.weights.items():
                self._mean[name].lerp_(values, 1.0 - share)

    def _loss(
        self, levels: torch.Tensor, valid: torch.Tensor, counted: torch.Tensor, noise: torch.Tensor
    ) -> torch.Tensor:
        import torch

        mean, log_variance = encoded(self.weights, self._fixed, levels, valid)
        latent = mean + torch.exp(0.5 * log_variance) * noise
        left = (levels - decoded(self.weights, self._fixed, latent)).square().mean(dim=2)
        weight = counted.to(levels.dtype) / counted.sum().clamp(min=1)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance)
        each = (divergence * weight[:, :, None]).sum(dim=(0, 1)).clamp(min=self._options.free_bits)
        variance = 2.0 * max(self.errors[0], 1.0) ** 2
        return (left * weight).sum() / variance + each.sum() / levels.shape[2]

    def _look(self, stopping: Held) -> None:
        """Measure the mean weights on held-out frames, and keep them if none were better."""
        self.errors.append(self._error(stopping))
        if self.errors[-1] <= min(self.errors):
            self.best, self.best_step = self._numbers(self._mean), self.step

    def _error(self, stopping: Held) -> float:
        parameters = self._numbers(self._mean)
        total, count = 0.0, 0
        for levels, heard in _looked_at(stopping):
            latent = self._latent(parameters, levels)
            made = self._components.decode(latent) + network.added_levels(parameters, latent)
            left = (levels - made)[heard]
            total += float(np.square(left, dtype=np.float64).sum())
            count += left.size
        return float(np.sqrt(total / max(count, 1)))

    def _latent(self, parameters: network.Parameters, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        added = network.added_latent(parameters, levels - self._components.mean)
        return self._components.encode(levels) + added

    def report(self, stopping: Held) -> dict[str, float | str]:
        """Return how it went, and how many latents are active on held-out frames."""
        latent = np.concatenate([self._latent(self.best, levels)[heard] for levels, heard in _looked_at(stopping)])
        return {
            "device": self._device,
            "width": self._preset.width,
            "parameters": sum(values.size for values in self.best.values()),
            "steps": self.step,
            "best_step": self.best_step,
            "stopped": self.stopped(),
            "latents": latent.shape[1],
            "active": int((latent.var(axis=0) > _ACTIVE).sum()),
            "start_error": round(self.errors[0], 4),
            "best_error": round(min(self.errors), 4),
        }

    def state(self) -> dict[str, NDArray[Any]]:
        """Return all that it goes on from, as arrays."""
        found: dict[str, NDArray[Any]] = {
            "step": np.array([self.step, self.best_step], np.int64),
            "spent": np.array([self.spent]),
            "errors": np.array(self.errors),
        }
        for name, values in self.weights.items():
            moments = self._optimiser.state.get(values, {})
            found |= {
                f"weights/{name}": values.detach().cpu().numpy(),
                f"means/{name}": self._mean[name].cpu().numpy(),
                f"best/{name}": self.best[name],
            }
            found |= {f"{key}/{name}": moments[key].cpu().numpy() for key in _MOMENTS if key in moments}
        return found

    def resume(self, kept: Mapping[str, NDArray[Any]]) -> bool:
        """Go on from a state; False, and nothing has changed, if it is of another training."""
        import torch

        wanted = self.state()
        for name, values in self.weights.items():
            wanted |= {f"{key}/{name}": values.detach().cpu().numpy() for key in _MOMENTS}
        fits = all(
            name in kept and (name == "errors" or kept[name].shape == values.shape) and np.isfinite(kept[name]).all()
            for name, values in wanted.items()
        )
        if not fits or kept["errors"].ndim != 1 or not len(kept["errors"]):
            return False
        self.step, self.best_step = map(int, kept["step"])
        self.spent, self.errors = float(kept["spent"][0]), kept["errors"].tolist()
        with torch.no_grad():
            for name, values in self.weights.items():
                values.copy_(torch.from_numpy(kept[f"weights/{name}"].copy()))
                self._mean[name].copy_(torch.from_numpy(kept[f"means/{name}"].copy()))
                self.best[name] = kept[f"best/{name}"].astype(np.float32)
                state = {key: torch.from_numpy(kept[f"{key}/{name}"].copy()).to(self._device) for key in _MOMENTS}
                self._optimiser.state[values] = {"step": torch.tensor(float(self.step)), **state}
        return True

    @staticmethod
    def _numbers(weights: Mapping[str, torch.Tensor]) -> dict[str, NDArray[np.float32]]:
        return {name: values.detach().cpu().numpy().copy() for name, values in weights.items()}


def _looked_at(stopping: Held) -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Return as much of the start of each held-out sound as may be looked at in all."""
    most = max(_MOST_STOPPING // len(stopping.levels), 2)
    pairs = zip(stopping.levels, stopping.heard, strict=True)
    return [(levels[:most].astype(np.float32), heard[:most]) for levels, heard in pairs]


def encoded(
    weights: Mapping[str, torch.Tensor], fixed: Mapping[str, torch.Tensor], levels: torch.Tensor, valid: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean and the logarithm of the variance of latents: (stretches, frames, k) each.

    Args:
        weights: of the networks.
        fixed: mean, axes and deviation of the components.
        levels: (stretches, frames, bins), in dB.
        valid: (stretches, frames), what is of a sound.
    """
    import torch.nn.functional as fn

    centred = levels - fixed["mean"]
    start = centred @ fixed["axes"].T / fixed["deviation"]
    hidden = fn.linear(centred / network.SCALE, weights["encoder.in.weight"], weights["encoder.in.bias"])
    for place in range(network.BLOCKS):
        name = f"encoder.{place}"
        kernel, bias = weights[f"{name}.depth.weight"][:, None], weights[f"{name}.depth.bias"]
        seen = (hidden * valid[:, :, None]).transpose(1, 2)
        depth = fn.conv1d(seen, kernel, bias, padding=network.KERNEL // 2, groups=len(bias))
        hidden = hidden + _block(weights, name, depth.transpose(1, 2))
    out = fn.linear(hidden, weights["encoder.out.weight"], weights["encoder.out.bias"])
    added, log_variance = out.chunk(2, dim=2)
    return start + added, log_variance.clamp(-14.0, 4.0)


def decoded(
    weights: Mapping[str, torch.Tensor], fixed: Mapping[str, torch.Tensor], latent: torch.Tensor
) -> torch.Tensor:
    """Return the levels of latents (stretches, frames, k): (stretches, frames, bins), in dB."""
    import torch.nn.functional as fn

    hidden = fn.silu(fn.linear(latent, weights["decoder.in.weight"], weights["decoder.in.bias"]))
    hidden = hidden + _block(weights, "decoder.0", hidden)
    added = fn.linear(hidden, weights["decoder.out.weight"], weights["decoder.out.bias"]) * network.SCALE
    return (latent * fixed["deviation"]) @ fixed["axes"] + fixed["mean"] + added


def _block(weights: Mapping[str, torch.Tensor], name: str, hidden: torch.Tensor) -> torch.Tensor:
    import torch.nn.functional as fn

    normal = (weights[f"{name}.norm.weight"], weights[f"{name}.norm.bias"])
    up = fn.linear(
        fn.layer_norm(hidden, (hidden.shape[2],), *normal), weights[f"{name}.up.weight"], weights[f"{name}.up.bias"]
    )
    return fn.linear(fn.silu(up), weights[f"{name}.down.weight"], weights[f"{name}.down.bias"])
