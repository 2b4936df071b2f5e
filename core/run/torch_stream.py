"""A stream of rows as tensors. Importing this module imports torch; ``tonesmith.stream`` does so."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.utils.data as loading

from tonesmith.run.stream import Sample, Stream


class TorchStream(Stream, loading.IterableDataset[Sample]):
    """:class:`Stream` whose arrays are tensors, and whose blocks the workers of a ``DataLoader`` share."""

    def _worker(self) -> tuple[int, int]:
        worker = loading.get_worker_info()
        return (worker.id, worker.num_workers) if worker else (0, 1)

    def _given(self, sample: Sample) -> Sample:
        return super()._given({name: _tensor(array) for name, array in sample.items()})


def _tensor(array: Any) -> torch.Tensor:
    made = np.array(array)  # a copy, which outlives its block
    return torch.from_numpy(made.astype(np.int64) if made.dtype.kind in "iu" else made)
