"""A network that hears a spectrogram and tells the label, and how it learns."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from tonesmith import Dataset

Batch = Mapping[str, Tensor]
COLUMNS = ("continuous", "categorical", "audible")
CROSSED = 0.1
"""Weight of the cross-entropy: of a guess it is some ten times as large as the squared error, and would drown that."""


class Estimator(nn.Module):
    """Hears log-mel spectrograms, and tells the label of each.

    Four convolutions halve both axes each. Two layers then hear all that is left at once: after a mean over time, an
    attack could not be told from a release.

    Args:
        shape: (bands, times) of a spectrogram.
        continuous: number of continuous parameters.
        choices: number of choices of each categorical parameter.
        width: channels of the first convolution.
    """

    def __init__(self, shape: Sequence[int], continuous: int, choices: Sequence[int], width: int) -> None:
        super().__init__()
        self.sizes = [continuous, *choices]
        channels = (1, width, 2 * width, 4 * width, 4 * width)
        left = channels[-1] * -(-shape[0] // 16) * -(-shape[1] // 16)
        self.hear = nn.Sequential(*(halving(*pair) for pair in pairwise(channels)), nn.Flatten())
        self.tell = nn.Sequential(nn.Linear(left, 128), nn.ReLU(), nn.Linear(128, sum(self.sizes)))

    def forward(self, mel: Tensor) -> list[Tensor]:
        """Return the continuous labels, (rows, parameters) in [0, 1], then each parameter's scores, (rows, choices).

        Args:
            mel: levels in dB, (rows, bands, times).
        """
        level = mel.float()[:, None] / 25.0 + 2.0  # from -100 dB, the floor, to 0 dB: -2 to 2
        knobs, *scores = self.tell(self.hear(level)).split(self.sizes, dim=1)
        return [torch.sigmoid(knobs), *scores]

    def save(self, path: Path) -> None:
        """Write the weights as arrays of NumPy: a file that is safe to open, wherever it comes from."""
        np.savez(path, **{name: tensor.cpu().numpy() for name, tensor in self.state_dict().items()})

    def load(self, path: Path) -> None:
        """Read the weights that :meth:`save` wrote."""
        with np.load(path) as arrays:
            self.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})


def halving(inner: int, outer: int) -> nn.Module:
    """Return a convolution that halves both axes."""
    convolution = nn.Conv2d(inner, outer, 3, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outer), nn.ReLU())


def errors_of(told: Sequence[Tensor], truth: Batch) -> tuple[Tensor, Tensor]:
    """Return the loss, and the mean squared error of the continuous labels that it has in it.

    The rest is the cross-entropy of categorical labels. Only what the gates of the true label leave audible counts.

    Args:
        told: what an :class:`Estimator` returns.
        truth: the columns of :data:`COLUMNS`.
    """
    knobs, *scores = told
    heard, choice_heard = truth["audible"].float().tensor_split([knobs.shape[1]], dim=1)
    squared = mean_of((knobs - truth["continuous"]) ** 2, heard)
    if not scores:
        return squared, squared
    choices = truth["categorical"].unbind(dim=1)
    crossed = [F.cross_entropy(score, choice, reduction="none") for score, choice in zip(scores, choices, strict=True)]
    return squared + CROSSED * mean_of(torch.stack(crossed, dim=1), choice_heard), squared


def mean_of(errors: Tensor, weights: Tensor) -> Tensor:
    """Return the mean of errors with weights; 0 where all weights are 0."""
    return (errors * weights).sum() / weights.sum().clamp(min=1.0)


@dataclass(frozen=True)
class Learning:
    """How to learn.

    Attributes:
        epochs: passes over the training rows.
        batch: rows of a step.
        rate: highest learning rate; it rises to this, and falls to nothing.
        seed: of the order of the rows.
    """

    epochs: int
    batch: int
    rate: float
    seed: int


@dataclass(frozen=True)
class Epoch:
    """What a pass over the training rows came to.

    Attributes:
        number: from 1 up.
        train: mean squared error of continuous labels on the split "train", while it learned.
        val: the same on the split "val", afterwards.
        loss: with the cross-entropy, there. The best epoch has the least.
        seconds: since learning began.
    """

    number: int
    train: float
    val: float
    loss: float
    seconds: float


def learn(
    model: Estimator, dataset: Dataset, learning: Learning, device: str, ended: Callable[[Epoch], object]
) -> list[Epoch]:
    """Train on the split "train", and leave the model with the weights of the epoch that is best on "val".

    Args:
        model: to train, on the device.
        dataset: with these splits, and the feature "mel".
        learning: how.
        device: of the model.
        ended: told of each epoch.
    """
    loader = dataset.torch("train", COLUMNS, features=["mel"]).loader(learning.batch, seed=learning.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning.rate, total_steps=learning.epochs * len(loader))
    history: list[Epoch] = []
    best = model.state_dict()
    began = time.monotonic()
    for number in range(1, learning.epochs + 1):
        model.train()
        errors = []
        for read in loader:
            batch = {name: tensor.to(device) for name, tensor in read.items()}
            loss, squared = errors_of(model(batch["mel"]), batch)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            errors.append(squared.detach())
        loss, squared = errors_of(*predict(model, dataset, "val", device))
        train = float(torch.stack(errors).mean())
        history.append(Epoch(number, train, float(squared), float(loss), time.monotonic() - began))
        if history[-1] is min(history, key=lambda epoch: epoch.loss):
            best = copy.deepcopy(model.state_dict())
        ended(history[-1])
    model.load_state_dict(best)
    return history


@torch.no_grad()
def predict(model: Estimator, dataset: Dataset, split: str, device: str) -> tuple[list[Tensor], Batch]:
    """Return what a model tells of the rows of a split, and the truth: their columns, and their numbers as "row"."""
    model.eval()
    told, truth = [], []
    for batch in dataset.torch(split, COLUMNS, features=["mel"]).loader(256, shuffle=False):
        told.append([tensor.cpu() for tensor in model(batch.pop("mel").to(device))])
        truth.append(batch)
    columns = {name: torch.cat([batch[name] for batch in truth]) for name in truth[0]}
    return [torch.cat(parts) for parts in zip(*told, strict=True)], columns
