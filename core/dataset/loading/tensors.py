"""Rows as tensors of torch. Importing this module imports torch; ``Dataset.torch()`` does so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
import torch.utils.data as loading
from numpy.typing import NDArray

from tonesmith.dataset.importance import Metric, importance_of
from tonesmith.dataset.loading.arrays import ArrayRows, Arrays
from tonesmith.dataset.loading.order import WINDOW, check_share, order, part
from tonesmith.dataset.loading.weighing import Weights, weights_of
from tonesmith.errors import ConfigError

State = Mapping[str, int]


class TorchRows(ArrayRows, loading.Dataset[Arrays]):
    """:class:`ArrayRows` whose arrays are tensors. See :meth:`tonesmith.Dataset.torch`."""

    def sampler(
        self,
        *,
        shuffle: bool = True,
        seed: int = 0,
        window: int = WINDOW,
        weights: Weights | None = None,
        rank: int | None = None,
        world: int | None = None,
    ) -> RowSampler:
        """Return the order in which the rows are read; see :class:`RowSampler`."""
        drawn = None if weights is None else weights_of(self.dataset, weights)
        return RowSampler(self.blocks, shuffle=shuffle, seed=seed, window=window, weights=drawn, rank=rank, world=world)

    def loader(
        self, batch_size: int = 32, *, sampler: RowSampler | None = None, drop_last: bool = False, **options: Any
    ) -> Loader:
        """Return a ``DataLoader`` that can be resumed: see :class:`Loader`.

        Args:
            batch_size: rows of a batch.
            sampler: the order; None for that of :meth:`sampler`, whose arguments can be given here.
            drop_last: whether to leave out a last batch that is not full.
            options: of :meth:`sampler` and of ``torch.utils.data.DataLoader``, such as ``num_workers=2``.
        """
        named = ("shuffle", "seed", "window", "weights", "rank", "world")
        ordered = {name: options.pop(name) for name in named if name in options}
        if sampler is not None and ordered:
            raise ConfigError(f"{', '.join(ordered)}: give this to the sampler, or leave the sampler out.")
        return Loader(self, sampler or self.sampler(**ordered), batch_size, drop_last=drop_last, **options)

    def batches(self, batch_size: int = 32, *, drop_last: bool = False, **ordered: Any) -> TorchBatches:
        """Return the batches of an epoch as an ``IterableDataset``; see :class:`TorchBatches`."""
        return TorchBatches(self, self.sampler(**ordered), batch_size, drop_last=drop_last)

    def loss_weights(self, metric: Metric = "log_mel") -> torch.Tensor:
        """Return the weight of each continuous parameter in a loss: float32 (parameters,), of mean 1.

        It is the measured importance that lies beside the dataset: ``tonesmith importance DATASET``.

        Raises :class:`ConfigError` if none was measured.
        """
        path = self.dataset.storage.path
        importance = importance_of(path) if path else None
        if importance is None:
            raise ConfigError(f"{path or 'the dataset'} has no importance. Measure it: tonesmith importance {path}")
        names = [parameter.name for parameter in self.dataset.space.continuous]
        return torch.from_numpy(importance.weights(names, metric))

    def _made(self, array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array))


class RowSampler(loading.Sampler[int]):
    """The indices of rows in the order of an epoch: the same on every machine, and for any number of ranks together.

    The order is a pure function of the seed and the epoch; rank r of w reads every w-th row of it, from the r-th on.
    So :meth:`state_dict` is three numbers, and training goes on from them with another number of ranks.
    After a whole pass the next epoch follows, also without :meth:`set_epoch`.

    Args:
        blocks: int64 (rows,), the block that each row is stored in.
        shuffle: whether to shuffle at all. The rows of ``window`` blocks are mixed at a time.
        seed: of the order.
        window: blocks whose rows are mixed.
        weights: float64 (rows,), or None; see :func:`tonesmith.dataset.loading.order.order`.
        rank: of this process; None for that of ``torch.distributed`` if it is running, else 0.
        world: number of processes; None likewise, else 1.
    """

    def __init__(
        self,
        blocks: NDArray[np.int64],
        *,
        shuffle: bool = True,
        seed: int = 0,
        window: int = WINDOW,
        weights: NDArray[np.float64] | None = None,
        rank: int | None = None,
        world: int | None = None,
    ) -> None:
        if window < 1:
            raise ConfigError(f"window is a number of blocks, and at least 1, not {window}")
        if weights is not None and not shuffle:
            raise ConfigError("rows that are drawn by weights have no order of their own: leave shuffle=False out")
        self._blocks, self._shuffle, self._window, self._weights = blocks, shuffle, window, weights
        own, all_ranks = _distributed()
        self.rank, self.world = own if rank is None else rank, all_ranks if world is None else world
        check_share(self.rank, self.world)
        self.seed, self.epoch = seed, 0
        self._start = self._position = 0

    def __len__(self) -> int:
        return (len(self._blocks) + self.world - 1) // self.world

    def __iter__(self) -> Iterator[int]:
        self._position, self._start = self._start, 0
        for index in self.indices(self.epoch, self._position).tolist():
            self._position += self.world
            yield index
        self.epoch, self._position = self.epoch + 1, 0

    def indices(self, epoch: int, position: int = 0) -> NDArray[np.int64]:
        """Return what this rank reads in an epoch from a position of all ranks on: int64 (its rows,)."""
        if not self._shuffle:
            return part(np.arange(len(self._blocks)), position, self.rank, self.world)
        ordered = order(self._blocks, self.seed, epoch, window=self._window, weights=self._weights)
        return part(ordered, position, self.rank, self.world)

    def set_epoch(self, epoch: int) -> None:
        """Read in the order of another epoch from the next iteration on."""
        if epoch != self.epoch:
            self.epoch, self._start = epoch, 0

    def state_dict(self) -> dict[str, int]:
        """Return what :meth:`load_state_dict` takes: seed, epoch, and rows that all ranks have taken of it.

        A ``DataLoader`` with workers takes rows ahead of what it gives: :meth:`Loader.state_dict` does not count them.
        """
        return {"seed": self.seed, "epoch": self.epoch, "position": self._position}

    def load_state_dict(self, state: State) -> None:
        """Go on from a state: the next iteration begins there."""
        self.seed, self.epoch = int(state["seed"]), int(state["epoch"])
        self._start = self._position = int(state["position"])


class Loader(loading.DataLoader[Any]):
    """A ``DataLoader`` that knows how far it is, in rows that were given and not in rows that were read ahead.

    ``state_dict`` after a batch, ``load_state_dict`` in another process, with as many ranks and workers as one likes,
    and the next batch is the next.
    """

    def __init__(
        self, rows: TorchRows, sampler: RowSampler, batch_size: int, *, drop_last: bool = False, **options: Any
    ) -> None:
        collate = options.pop("collate_fn", rows.collate)
        super().__init__(
            cast("Any", rows),
            batch_size,
            sampler=sampler,
            drop_last=drop_last,
            collate_fn=collate,
            **options,
        )
        self._state = sampler.state_dict()

    def __iter__(self) -> Any:
        sampler = cast("RowSampler", self.sampler)
        self._state = {**sampler.state_dict(), "position": sampler._start}
        return self._given(super().__iter__(), sampler.world)

    def _given(self, batches: Iterator[Any], world: int) -> Iterator[Any]:
        before = dict(self._state)
        for count, batch in enumerate(batches, 1):
            self._state = {**before, "position": before["position"] + count * world * cast("int", self.batch_size)}
            yield batch
        self._state = {**before, "epoch": before["epoch"] + 1, "position": 0}

    def set_epoch(self, epoch: int) -> None:
        """Read in the order of another epoch from the next iteration on."""
        cast("RowSampler", self.sampler).set_epoch(epoch)

    def state_dict(self) -> dict[str, int]:
        """Return seed, epoch and position of what was given."""
        return dict(self._state)

    def load_state_dict(self, state: State) -> None:
        """Go on after the batch at which a state was taken."""
        cast("RowSampler", self.sampler).load_state_dict(state)
        self._state = cast("RowSampler", self.sampler).state_dict()


class TorchBatches(loading.IterableDataset[Arrays]):
    """Whole batches of an epoch, block by block: for a ``DataLoader(..., batch_size=None)``.

    Workers of a ``DataLoader`` take the batches in turn, so that any number of them gives the same batches in the same
    order. :meth:`set_epoch` and :meth:`load_state_dict` reach workers that persist.
    """

    def __init__(self, rows: TorchRows, sampler: RowSampler, batch_size: int, *, drop_last: bool = False) -> None:
        if batch_size < 1:
            raise ConfigError(f"batch_size is a number of rows, and at least 1, not {batch_size}")
        self._rows, self._sampler, self._size, self._drop = rows, sampler, batch_size, drop_last
        self._told = torch.zeros(3, dtype=torch.int64)  # seed, epoch, position
        cast("Any", self._told).share_memory_()  # with workers
        self.load_state_dict(sampler.state_dict())

    def __len__(self) -> int:
        rows = len(self._sampler)
        return rows // self._size if self._drop else -(-rows // self._size)

    def __iter__(self) -> Iterator[Arrays]:
        seed, epoch, position = self._told.tolist()
        self._sampler.seed = seed
        indices = self._sampler.indices(epoch, position)
        worker = loading.get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for start in range(first * self._size, len(indices), step * self._size):
            chosen = indices[start : start + self._size]
            if len(chosen) == self._size or not self._drop:
                yield self._rows[chosen]

    def set_epoch(self, epoch: int) -> None:
        """Read an epoch from its beginning, from the next iteration on."""
        self._told[1:] = torch.tensor([epoch, 0])

    def state_dict(self, batches: int = 0) -> dict[str, int]:
        """Return seed, epoch and position after so many batches of the present iteration."""
        seed, epoch, position = self._told.tolist()
        return {"seed": seed, "epoch": epoch, "position": position + batches * self._size * self._sampler.world}

    def load_state_dict(self, state: State) -> None:
        """Begin the next iteration where a state was taken."""
        self._told[:] = torch.tensor([int(state["seed"]), int(state["epoch"]), int(state["position"])])


def _distributed() -> tuple[int, int]:
    """Return rank and number of ranks of ``torch.distributed``; 0 of 1 where it is not running."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
