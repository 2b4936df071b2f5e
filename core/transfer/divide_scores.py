"""Dividing the rows of a dataset among splits by the scores that they play."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tonesmith.dataset.splits import ALL, LEFT_OUT, Splits, distinct, score_number
from tonesmith.errors import ConfigError
from tonesmith.plan.phrases import SCORE
from tonesmith.transfer.grouping import calibrated, joined, presets_of

if TYPE_CHECKING:
    from tonesmith.dataset.reader import Dataset


def by_score(dataset: Dataset, splits: Splits) -> Splits:
    """Return splits whose shares hold among the rows, with all of a score, or of the file it was cut from, in one.

    Raises :class:`ConfigError` if the rows play no scores.
    """
    if dataset.plan.phrases is None:
        raise ConfigError("--by score: the rows of the dataset play notes, not scores. Use --by patch.")
    splits = replace(splits, kin=_of_one_file(dataset))
    names, places = distinct(dataset.column(SCORE))
    heads: dict[str, int] = {}
    for name, rows in zip(names, np.bincount(places, minlength=len(names)).tolist(), strict=True):
        heads[splits.head(name)] = heads.get(splits.head(name), 0) + rows
    numbers = np.array([score_number(splits.seed, name) for name in heads], np.float64)
    counts = np.array(list(heads.values()), np.int64)
    return replace(splits, thresholds={ALL: calibrated(numbers, counts, splits.shares)} if heads else {})


def _of_one_file(dataset: Dataset) -> dict[str, str]:
    """Return SHA-256 of a score -> that of the first one in the plan's list that was cut from the same file."""
    assert dataset.plan.phrases is not None
    scores = dataset.plan.phrases.scores
    first: dict[str, int] = {}
    pairs = []
    for place, score in enumerate(scores):
        pairs.append([first.setdefault(score.sha256, place), place])
        if file := score.source.partition(", ")[0]:
            pairs.append([first.setdefault(f"file {file}", place), place])
    heads = [scores[place].sha256 for place in joined(len(scores), pairs).tolist()]
    return {score.sha256: head for score, head in zip(scores, heads, strict=True) if score.sha256 != head}


def account_of_scores(dataset: Dataset, splits: Splits) -> dict[str, dict[str, Any]]:
    """Return split -> what it has, as :func:`tonesmith.transfer.divide.account` does, and how many ``scores``.

    A patch that plays several scores counts in each split that has one of them.
    """
    known = {column.name for column in dataset.plan.schema}
    names = [name for name in ("patch", "preset", "mate", "origin", SCORE) if name in known]
    columns = {name: dataset.column(name) for name in names}
    places = splits.of(columns)
    told = {}
    for place, (name, share) in zip(
        [*range(len(splits.names)), -1], [*splits.shares.items(), (LEFT_OUT, 0.0)], strict=True
    ):
        here = {key: column[places == place] for key, column in columns.items()}
        patches, firsts = np.unique(here["patch"], return_index=True)
        origins = np.bincount(here["origin"][firsts], minlength=len(splits.origins)).tolist()
        told[name] = {
            "share": share,
            "patches": len(patches),
            "rows": len(here["patch"]),
            "presets": presets_of(here),
            "origins": dict(zip(splits.origins, origins, strict=True)),
            "scores": len(distinct(here[SCORE])[0]),
        }
    return told
