"""What :class:`tonesmith.testing.sink.SinkContract` does in other processes: write, crash, run out of space."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.reader import Dataset
from tonesmith.errors import OtherPlanError, TonesmithError
from tonesmith.host.roles import Sink, Storage
from tonesmith.plan.block import Block, row_digests
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection
from tonesmith.testing.fork_server import start
from tonesmith.testing.synthetic import attributes_of, synthetic_block

_KILLED = 9


class Case(NamedTuple):
    """A sink under test, and the plan it stores."""

    sink: type[Sink[Any]]
    options: Mapping[str, Any]
    path: Path
    plan: Plan

    def made(self) -> Sink[Any]:
        """Return the sink."""
        return self.sink(self.sink.Options.model_validate(self.options), self.path)

    def created(self) -> Sink[Any]:
        """Return the sink, with the dataset of the plan created."""
        sink = self.made()
        sink.create(attributes_of(self.plan), self.plan.schema, self.plan.rows, self.plan.block_rows)
        return sink

    def block(self, index: int, seed: int | None = None) -> Block:
        """Return a block of the plan; of another seed, it has other rows at the same place."""
        plan = self.plan if seed is None else Plan(**{**vars_of(self.plan), "seed": seed})
        return replace(synthetic_block(plan, index, self.made()), plan=self.plan.fingerprint)

    def read(self, storage: Storage, index: int) -> dict[str, NDArray[Any]]:
        """Return every column of a committed block, read back."""
        first = index * self.plan.block_rows
        rows = range(first, first + storage.committed()[index])
        return {column.name: storage.read(column.name, rows) for column in self.plan.schema}

    def check_whole(self, indices: Iterable[int]) -> None:
        """Raise AssertionError unless each of these blocks that is committed reads back as its digests say."""
        storage = self.sink.open(self.path)
        for index in set(indices) & set(storage.committed()):
            digests = row_digests(self.plan.schema, self.read(storage, index))
            assert digests == tuple(storage.blocks()[index]), f"block {index} is not what was committed"


def vars_of(plan: Plan) -> dict[str, Any]:
    """Return the fields of a plan by name."""
    return {name: getattr(plan, name) for name in Plan.__dataclass_fields__}


def unflushed(fd: object) -> None:
    """Do nothing: what a killed process wrote is in the system's cache, and a test need not wait for the disk."""


def run(target: Callable[..., None], *args: Any) -> None:
    """Run a function in a process of its own, and fail if it does."""
    with start(target, *args) as process:
        status = process.wait(900.0)
    assert status == 0, f"{target.__name__} ended with {status}\n{process.error}"


def write(case: Case, indices: Iterable[int]) -> None:
    """Write blocks."""
    sink = case.made()
    for index in indices:
        sink.write_block(case.block(index))


def write_for_ever(case: Case) -> None:
    """Write every block of the plan again and again, until killed."""
    sink, seed = case.made(), 0
    while True:
        seed += 1
        for index in range(case.plan.blocks):
            sink.write_block(case.block(index, seed))


def record_and_die(case: Case, rejection: Rejection) -> None:
    """Record a fault, and be gone before Python could flush anything."""
    case.made().record_fault(rejection)
    os._exit(0)


def compare(pickled: bytes, expected: Mapping[str, NDArray[Any]], rows: list[int]) -> None:
    """Read columns through a pickled storage, here and in a fork, and fail unless they are as expected."""
    storage: Storage = pickle.loads(pickled)  # noqa: S301 - our own

    def check() -> None:
        for name, column in expected.items():
            np.testing.assert_array_equal(storage.read(name, rows), column)

    check()
    assert _status_of_fork(check) == 0


def compare_batches(pickled: bytes, expected: Mapping[str, NDArray[Any]], rows: list[int]) -> None:
    """Read rows through a pickled dataset, here and in a fork, and fail unless they are as expected."""
    opened: Dataset = pickle.loads(pickled)  # noqa: S301 - our own

    def check() -> None:
        for name, array in opened.get_batch(rows).items():
            np.testing.assert_array_equal(array, expected[name], name)
        assert opened.get_sample(rows[0])["audio"].shape == expected["audio"].shape[1:]

    check()
    assert _status_of_fork(check) == 0
    check()


def crash_while_writing(case: Case, stride: int) -> None:
    """Write each block in a fork that dies at its n-th flush, rename or removal; what is committed must be whole.

    Every second block has other rows before, which are replaced.
    """
    os.fsync = unflushed
    sink = case.made()
    for index in range(case.plan.blocks):
        replaced = index % 2 == 1
        if replaced:
            sink.write_block(case.block(index, seed=99))
        block = case.block(index)
        status = _status_of_fork(partial(_dying_at, index // 2 * stride, partial(sink.write_block, block)))
        case.check_whole([index])
        if status != _KILLED:
            case.check_whole(range(index))
            assert index > 2, "the block was written without a single flush or rename"
            return
        sink.write_block(block)
        case.check_whole([index])
        assert sink.committed()[index] == block.rows
    raise AssertionError("the plan has too few blocks to crash at each step")


def crash_while_creating(case: Case, there: Plan | None, stride: int, empty: bool = False) -> None:
    """Create in a fork that dies at its n-th step; doing it again must end well, with stored blocks untouched."""
    os.fsync = unflushed
    dense = 24 // stride  # the first steps decide what kind of thing is there
    for step in (*range(dense), *range(dense, 1000, 5 * stride)):
        trial = case._replace(path=case.path / str(step))
        if empty:
            trial.path.mkdir(parents=True)
        if there is not None:
            old = trial._replace(plan=there)
            old.created()
            write(old, [0])
        status = _status_of_fork(partial(_dying_at, step, trial.created))
        if there is not None:
            trial.check_whole([0])
            assert list(trial.made().committed()) == [0]
        sink = trial.created()
        assert trial.sink.recognises(trial.path)
        last = case.plan.blocks - 1
        sink.write_block(trial.block(last))
        trial.check_whole([0, last])
        if status != _KILLED:
            return
    raise AssertionError("creation takes more than 1000 steps")


def fill_the_disk(case: Case, index: int, limit: int) -> None:
    """Write a block where no file may grow beyond ``limit`` bytes; it must fail and leave nothing."""
    sink, block = case.made(), case.block(index)
    before, files = dict(sink.committed()), files_of(case.path)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    sys.dont_write_bytecode = True  # Python would leave half of what it compiled, for every process after this one
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        sink.write_block(block)
    except (OSError, TonesmithError) as error:
        assert str(error), "the error says nothing"  # noqa: PT017 - there is no pytest in this process
    else:
        raise AssertionError(f"a block was written with files of {limit} bytes at most")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert sink.committed() == before
    assert files_of(case.path) == files, "files were left behind"
    sink.write_block(block)
    case.check_whole([*before, index])


def race(case: Case, rounds: int, empty: bool) -> None:
    """Have two forks create datasets of different plans at one path, at the same moment; one of them must win."""
    os.fsync = unflushed
    case._replace(path=case.path / "first").created()  # so that the forks need not import a library first
    for number in range(rounds):
        trial = case._replace(path=case.path / f"raced-{number}")
        if empty:
            trial.path.mkdir()
        runs = [trial._replace(plan=Plan(**{**vars_of(case.plan), "seed": seed})) for seed in (1, 2)]
        statuses = _at_once([partial(_create_and_write, run) for run in runs])
        assert sorted(statuses) == [0, OtherPlanError.exit_code], f"round {number}: the runs ended with {statuses}"
        winner = runs[statuses.index(0)]
        storage = case.sink.open(trial.path)
        assert storage.attributes["plan"]["seed"] == winner.plan.seed, f"round {number}: the loser's plan is stored"
        assert storage.plan_of(0) == winner.plan.fingerprint
        assert tuple(storage.blocks()[0]) == winner.block(0).digests
        winner.check_whole([0])


def _create_and_write(case: Case) -> None:
    case.created().write_block(case.block(0))


def _at_once(bodies: Sequence[Callable[[], Any]]) -> list[int]:
    """Run bodies in a fork each, which wait for one another, and return how they ended: 0, or as their error says."""
    read, write = os.pipe()
    pids = []
    for body in bodies:
        if (pid := os.fork()) == 0:
            os.close(write)
            os.read(read, 1)  # ends once nobody may write
            os._exit(_status_of(body))
        pids.append(pid)
    os.close(read)
    os.close(write)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


def _status_of(body: Callable[[], Any]) -> int:
    try:
        body()
    except OtherPlanError as error:
        return error.exit_code
    except BaseException:  # noqa: BLE001 - a fork must not return
        import traceback

        traceback.print_exc()
        return 1
    return 0


def damage(file: Path, kind: str) -> None:
    """Damage a file: ``removed``, ``cut short``, or else with a bit turned in its middle."""
    content = bytearray(file.read_bytes())
    if kind == "removed":
        file.unlink()
    elif kind == "cut short":
        file.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 4
        file.write_bytes(content)


def files_of(path: Path) -> set[str]:
    """Return every file below a path."""
    return {str(file) for file in path.rglob("*") if file.is_file()}


def _status_of_fork(body: Callable[[], Any]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            body()
        except BaseException:  # noqa: BLE001 - a fork must not return
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, _KILLED), f"the fork ended with {status}"
    return status


def _dying_at(step: int, body: Callable[[], Any]) -> None:
    """Run a body, but end the process just before its ``step``-th change of names or flush."""
    count = 0

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            if count == step:
                os._exit(_KILLED)
            count += 1
            return function(*args, **kwargs)

        return called

    for name in ("fsync", "replace", "rename", "link", "unlink", "mkdir"):
        setattr(os, name, dying(getattr(os, name)))
    body()
