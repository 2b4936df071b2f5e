"""Datasets made up without an engine, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError
from tonesmith.host.roles import Sink
from tonesmith.plan.plan import Plan
from tonesmith.sinks.zarr import ZarrSink
from tonesmith.testing.sink_processes import Case
from tonesmith.testing.synthetic import ASSETS, synthetic_plan


def zarr_case(path: Path, plan: Plan | None = None, **options: Any) -> Case:
    """Return a Zarr sink and its plan: by default 20 rows in blocks of 8, 8 and 4."""
    return Case(ZarrSink, options, path, plan or synthetic_plan())


def write_dataset(path: Path, blocks: Iterable[int] = (0, 1, 2), plan: Plan | None = None) -> Case:
    """Return a dataset with those blocks stored."""
    case = zarr_case(path, plan)
    sink = case.created()
    for content in ASSETS.values():
        sink.add_asset(content)
    for index in blocks:
        sink.write_block(case.block(index))
    return case


def dataset(path: Path, blocks: Iterable[int] = (0, 1, 2), plan: Plan | None = None) -> Dataset:
    """Return a dataset with those blocks stored, opened."""
    return Dataset(ZarrSink.open(write_dataset(path, blocks, plan).path))


def check_flac_is_refused(sink: type[Sink[Any]], lossless: str, path: Path, channels: int, rate: int) -> None:
    """Fail unless a sink refuses audio that FLAC cannot hold, before it writes anything, and names a form that can."""
    plan = synthetic_plan()
    plan = replace(plan, audio=replace(plan.audio, channels=channels, sample_rate=rate))
    with pytest.raises(ConfigError, match=rf"sink\.audio = '{lossless}'"):
        Case(sink, {"audio": "flac"}, path, plan).created()
    assert not path.exists()
    case = Case(sink, {"audio": lossless}, path, plan)
    case.created().write_block(case.block(0))
    case.check_whole([0])
