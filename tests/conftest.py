from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from support import Chaos, misbehaving
from support.forks import Started

from tonesmith.engine import channel

for variable in ("CI", "BUILD_NUMBER"):  # pytest would print how two sounds differ in full, which takes an hour
    os.environ.pop(variable, None)

REAL = channel._started
channel._started = Started  # type: ignore[assignment]

settings.register_profile("tonesmith", deadline=None, max_examples=30, derandomize=True)  # "long" looks for more
settings.register_profile("long", deadline=None, max_examples=300)
settings.load_profile("tonesmith")


PROCESSES = {
    "test_two_processes_write_different_blocks_while_a_third_reads",
    "test_a_writer_killed_at_any_step_leaves_only_whole_blocks",
    "test_a_creation_killed_at_any_step_is_completed_by_the_next",
    "test_an_extension_killed_at_any_step_is_completed_by_the_next",
    "test_of_runs_with_different_plans_at_one_path_one_wins",
}
"""Tests of a sink's contract that start many processes. What the sinks of rows share, the sink folder shows always."""


PLAYS = ("TestVst3Backend", "TestSubtractive", "TestVitaBackend", "TestChaos")
"""Contracts of backends whose tests of phrases are run for every change: of either kind."""


SLOWEST = (
    "backends/test_vst3.py",
    "sinks/test_hdf5.py",
    "sinks/test_zarr.py",
    "backends/test_dawdreamer.py",
    "explorer/test_explore.py",
    "run/test_run.py",
    "sinks/test_parquet.py",
    "run/test_phrases.py",
    "sinks/test_webdataset.py",
    "explorer/test_parameters.py",
    "explorer/test_models.py",
    "cli/test_flags.py",
    "backends/test_vita_wavetables.py",
)
"""Files that take more than 14 s of CPU. They come first, so that no worker is left alone with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of some tests one case is tried for every change: those marked so, and the slow ones in contracts."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
    seen: set[str] = set()
    for item in items:
        name = item.nodeid.partition("[")[0]
        again = item.get_closest_marker("first") is not None and name in seen
        if item.get_closest_marker("long") is None:
            seen.add(name)
        elsewhere = item.name == "test_the_lines_on_its_card_read_a_row" and "test_zarr" not in item.nodeid
        shared = item.name.partition("[")[0] in PROCESSES and item.path.name == "test_parquet.py"
        played = getattr(item, "function", None) is not None and item.function.__module__.endswith(".backend_phrases")
        played = played and not any(f"::{name}::" in item.nodeid for name in PLAYS)
        if (
            again
            or elsewhere
            or shared
            or played
            or (item.name.endswith("[an empty folder]") and "/sinks/" in item.nodeid)
        ):
            item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def _another_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """What is promised of another process is tested in one that is no fork: its hashes and addresses differ."""
    with pytest.MonkeyPatch.context() as patch:
        if "another_process" in request.node.name:
            patch.setattr(channel, "_started", REAL)
        yield


@pytest.fixture(scope="module")
def real_processes() -> Iterator[None]:
    """Start processes as a user has them, for a whole module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channel, "_started", REAL)
        yield


@pytest.fixture
def chaos_in_processes(chaos: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the misbehaving synth, in processes as a user has them."""
    monkeypatch.setattr(channel, "_started", REAL)
    return chaos


@pytest.fixture
def chaos() -> Iterator[Chaos]:
    """Let the misbehaving synth be found, and make small datasets with it."""
    with misbehaving() as found:
        yield found
