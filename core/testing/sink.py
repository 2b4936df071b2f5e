"""What every sink keeps to, as tests: subclass :class:`SinkContract` and run pytest.

::

    from tonesmith.testing import SinkContract

    class TestMySink(SinkContract):
        sink = MySink
        options = {"level": 3}
"""

from __future__ import annotations

import pickle
import random
import time
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pytest

from tonesmith.dataset.reader import Dataset
from tonesmith.plan.rejection import Rejection
from tonesmith.testing import sink_processes as processes
from tonesmith.testing.fork_server import start
from tonesmith.testing.sink_form import SinkFormContract, comparable
from tonesmith.testing.sink_processes import Case
from tonesmith.testing.sink_reading import assert_same
from tonesmith.testing.synthetic import synthetic_plan


class SinkContract(SinkFormContract):
    """All that a sink keeps to: writers are killed as well, disks are full, and other processes read and write.

    Another form of a sink that has passed, whose files differ but not how they come into place, need only pass
    :class:`SinkFormContract`.
    """

    kills: ClassVar[int] = 1
    """How many writers are killed at a random moment."""
    stride: ClassVar[int] = 12
    """A creation is killed at each step that is a multiple of this, a writer at each of a third; 1 tries every step."""

    races: ClassVar[int] = 2
    """How often two runs of different plans begin a dataset at one path, at the same moment."""

    def test_readers_travel_to_other_processes_and_forks(self, written: Case) -> None:
        opened = Dataset(self.sink.open(written.path))
        batch = opened.get_batch([13, 2, 19])
        processes.run(processes.compare_batches, pickle.dumps(opened), batch, [13, 2, 19])

    def test_a_writer_killed_at_any_step_leaves_only_whole_blocks(self, case: Case) -> None:
        case = case._replace(plan=synthetic_plan(patches=400, block=1, frames=40))
        case.created()
        processes.run(processes.crash_while_writing, case, max(1, self.stride // 3))

    def test_a_writer_killed_at_any_moment_leaves_only_whole_blocks(self, case: Case) -> None:
        moments = random.Random(7)  # noqa: S311 - moments to kill at
        case.created()
        for _ in range(self.kills):
            writer = start(processes.write_for_ever, case)
            _wait_for(lambda: len(case.made().committed()) == 3)
            time.sleep(moments.uniform(0.0, 0.2))
            writer.kill()
            writer.wait()
            case.check_whole(range(3))
        processes.write(case, range(3))
        case.check_whole(range(3))

    @pytest.mark.parametrize("place", ["a new folder", "an empty folder"])
    def test_a_creation_killed_at_any_step_is_completed_by_the_next(self, case: Case, place: str) -> None:
        processes.run(processes.crash_while_creating, case, None, self.stride, place == "an empty folder")

    def test_an_extension_killed_at_any_step_is_completed_by_the_next(self, case: Case) -> None:
        longer = case._replace(plan=case.plan.extended_to(15))
        processes.run(processes.crash_while_creating, longer, case.plan, 2 * self.stride)

    def test_two_processes_write_different_blocks_while_a_third_reads(self, case: Case) -> None:
        case = case._replace(plan=synthetic_plan(patches=80, block=4))
        case.created()
        storage = self.sink.open(case.path)
        writers = [start(processes.write, case, range(first, 20, 2)) for first in (0, 1)]
        seen: set[int] = set()
        while any(writer.poll() is None for writer in writers):
            for index in set(storage.committed()) - seen:
                assert_same(case.read(storage, index), case.block(index).columns)
                seen.add(index)
        assert [writer.returncode for writer in writers] == [0, 0]
        assert sorted(storage.committed()) == list(range(20))
        case.check_whole(range(20))

    @pytest.mark.parametrize("place", ["a new folder", "an empty folder"])
    def test_of_runs_with_different_plans_at_one_path_one_wins(self, case: Case, place: str) -> None:
        case.path.mkdir()
        processes.run(processes.race, case, self.races, place == "an empty folder")

    @pytest.mark.parametrize("limit", [0, 700, 5000])
    def test_a_full_disk_is_told_and_leaves_nothing(self, case: Case, limit: int) -> None:
        case.created().write_block(case.block(0))
        processes.run(processes.fill_the_disk, case, 1, limit)

    def test_a_fault_is_stored_at_once(self, case: Case) -> None:
        case.created()
        crash = Rejection(9, 2, "engine", "crash", "SIGSEGV é", 60, {"peak_dbfs": float("nan"), "loudness": -np.inf})
        timeout = Rejection(1, 0, "engine", "timeout")
        for fault in (crash, timeout):
            processes.run(processes.record_and_die, case, fault)
        case.made().record_fault(crash)
        faults = list(case.made().faults())
        assert [comparable(fault) for fault in faults] == [comparable(timeout), comparable(crash)]

    def test_a_storage_may_be_pickled_and_forked(self, written: Case) -> None:
        storage, rows = self.sink.open(written.path), [13, 2, 19]
        expected = {column.name: storage.read(column.name, rows) for column in written.plan.schema}
        processes.run(processes.compare, pickle.dumps(storage), expected, rows)


def _wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
