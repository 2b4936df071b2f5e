"""What Hugging Face's libraries are told in the head of a card: which files are which split, and what is in a row.

Without features, ``datasets`` guesses the type of each column from the first rows of a file, and fails on a measure
that has no value in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tonesmith.plan.schema import Column


def config(paths: Mapping[str, str], **told: Any) -> dict[str, Any]:
    """Return the head that tells which files are which split.

    Args:
        paths: split -> glob of its files. "val" is told as "validation", unless a split has that name.
        told: what else the loader of the format takes.
    """
    files = [{"split": _split(split, paths), "path": path} for split, path in paths.items()]
    return {"configs": [{"config_name": "default", "data_files": files, **told}]}


def _split(split: str, others: Iterable[str]) -> str:
    return "validation" if split == "val" and "validation" not in others else split


def features(columns: Iterable[Column]) -> list[dict[str, Any]]:
    """Return the features of columns, in the form of the head of a card."""
    return [{"name": column.name, **_feature(column.dtype, column.shape)} for column in columns]


def _feature(dtype: str, shape: tuple[int, ...]) -> dict[str, Any]:
    if not shape:
        return {"dtype": dtype}
    inner = _feature(dtype, shape[1:]) if shape[1:] else dtype
    return {"sequence": inner, "length": shape[0]}  # "list" is a name that version 3 does not know


def audio_feature(sample_rate: int) -> dict[str, Any]:
    """Return the type of audio files."""
    return {"dtype": {"audio": {"sampling_rate": sample_rate}}}
