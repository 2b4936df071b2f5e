"""What a dataset can do for training: give its rows in the forms that frameworks take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from tonesmith.dataset.loading.arrays import ArrayRows
    from tonesmith.dataset.loading.tensors import TorchRows
    from tonesmith.dataset.reader import Dataset


class Trainable:
    """The part of a :class:`tonesmith.Dataset` that loaders use."""

    def with_format(self, name: str, columns: Sequence[str] | None = None, features: Sequence[str] = ()) -> ArrayRows:
        """Return the rows as dictionaries of arrays: of NumPy for "numpy", tensors for "torch". See :meth:`torch`."""
        from tonesmith.dataset.loading.formats import formatted

        return formatted(cast("Dataset", self), name, columns, features)

    def torch(
        self,
        split: str | None = None,
        columns: Sequence[str] | None = None,
        features: Sequence[str] = (),
        transform: Callable[[dict[str, Any]], Mapping[str, Any]] | None = None,
    ) -> TorchRows:
        """Return the rows for training with torch: a map-style dataset of tensors.

        ::

            loader = ds.torch("train").loader(batch_size=64, num_workers=2)
            for batch in loader:
                loss = model(batch["audio"], batch["continuous"])

        Args:
            split: "train" or another that ``tonesmith split`` made; None for all rows.
            columns: to read; None for audio, labels, audible mask and note. Labels of which the space has none are
                (rows, 0).
            features: stored features to read, such as ``["mel"]``; unless columns are named, instead of the audio,
                which costs far more.
            transform: gets the dictionary of tensors of several rows, and returns one of as many.

        Raises :class:`ConfigError` where torch is not installed, :class:`DatasetError` for an unknown split, column or
        feature.
        """
        from tonesmith.dataset.loading.formats import torch_rows

        dataset = cast("Dataset", self)
        return torch_rows(dataset if split is None else dataset.split(split), columns, features, transform)

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """Return column name -> array of each of several rows: what a plain ``DataLoader(ds)`` asks for."""
        read = cast("Dataset", self).get_batch(indices)
        return [{name: array[i] for name, array in read.items()} for i in range(len(indices))]
