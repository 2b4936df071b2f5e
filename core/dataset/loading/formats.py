"""Which form the rows are asked for in, and whether what it needs is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tonesmith.dataset.loading.arrays import ArrayRows
from tonesmith.errors import ConfigError, unknown_name

if TYPE_CHECKING:
    from tonesmith.dataset.loading.tensors import TorchRows
    from tonesmith.dataset.reader import Dataset

_FORMATS = ("numpy", "torch")


def formatted(dataset: Dataset, name: str, columns: Sequence[str] | None, features: Sequence[str]) -> ArrayRows:
    """Return the rows in a form, by its name. Raises :class:`ConfigError` for an unknown one."""
    check_form(name)
    make = ArrayRows if name == "numpy" else torch_rows
    return make(dataset, columns, features)


def torch_rows(
    dataset: Dataset,
    columns: Sequence[str] | None = None,
    features: Sequence[str] = (),
    transform: Callable[[dict[str, Any]], Mapping[str, Any]] | None = None,
) -> TorchRows:
    """Return the rows as tensors. Raises :class:`ConfigError` where torch is not installed."""
    with needing_torch():
        from tonesmith.dataset.loading.tensors import TorchRows
    return TorchRows(dataset, columns, features, transform)


def check_form(name: str) -> None:
    """Raise :class:`ConfigError` for a form that rows do not come in."""
    if name not in _FORMATS:
        raise ConfigError(unknown_name("format", name, _FORMATS))


@contextmanager
def needing_torch() -> Iterator[None]:
    """Raise :class:`ConfigError` where what is imported in the ``with`` block needs torch, and it is not installed."""
    try:
        yield
    except ImportError as error:
        raise ConfigError(
            f"torch is needed for tensors, and cannot be used here ({error}): pip install 'tonesmith[torch]'"
        ) from error
