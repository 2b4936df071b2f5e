"""What every executor keeps to, as tests: subclass :class:`ExecutorContract` and run pytest.

::

    from tonesmith.testing import ExecutorContract

    class TestMyExecutor(ExecutorContract):
        executor = MyExecutor
        options = {"address": "10.0.0.5:8786"}
"""

from __future__ import annotations

import os
import platform
import queue
import re
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tonesmith.host.roles import Executor
from tonesmith.host.roles.executor import Worker

_MODULE = "tonesmith.testing.puppet"
_SECONDS = 60.0
"""How long a worker may take to start and to end: a cluster is not quick."""


class Puppet:
    """A worker of the executor under test, and what it says."""

    def __init__(self, executor: Executor[Any]) -> None:
        self.heard: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.worker: Worker = executor.start(_MODULE, self.heard.put)

    def tell(self, **message: Any) -> None:
        self.worker.send(message)

    def hear(self) -> dict[str, Any] | None:
        return self.heard.get(timeout=_SECONDS)

    def ask(self, **message: Any) -> dict[str, Any]:
        self.tell(**message)
        heard = self.hear()
        assert heard is not None, f"it ended: {self.worker.epitaph()}, {self.worker.last_words()}"
        return heard

    def rest(self) -> list[dict[str, Any]]:
        """Return all that it says until it has ended."""
        return list(iter(self.hear, None))


def is_running(pid: int) -> bool:
    """Return whether a process of this machine lives and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: list[int]) -> bool:
    """Return whether processes of this machine end soon."""
    deadline = time.monotonic() + _SECONDS
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(is_running, pids))


class ExecutorContract:
    """The tests that every executor passes. Processes are looked for where a worker is on this machine.

    Attributes:
        executor: the class under test.
        options: that it is tested with, as a plan's TOML gives them.
    """

    executor: ClassVar[type[Executor[Any]]]
    options: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture(scope="class")
    @classmethod
    def opened(cls) -> Iterator[Executor[Any]]:
        """Return the executor, open for one worker at a time."""
        executor = cls.make()
        try:
            assert executor.open(1) == 1
            yield executor
        finally:
            executor.close()

    @pytest.fixture
    def puppet(self, opened: Executor[Any]) -> Iterator[Puppet]:
        """Return a worker that does as it is told."""
        puppet = Puppet(opened)
        yield puppet
        puppet.worker.kill()

    @classmethod
    def make(cls) -> Executor[Any]:
        """Return a new executor."""
        executor = cls.executor(cls.executor.Options.model_validate(dict(cls.options)))
        executor.check()
        return executor

    def test_it_has_a_name_and_a_summary(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", self.executor.name)
        assert self.executor.summary
        assert "\n" not in self.executor.summary

    def test_every_option_has_a_default_and_a_description(self) -> None:
        for name, option in self.executor.Options.model_fields.items():
            assert not option.is_required(), f"the option {name} has no default"
            assert option.description, f"the option {name} has no description"

    def test_messages_arrive_whole_in_order_and_while_the_worker_runs(self, puppet: Puppet) -> None:
        words = [*range(200), "é\u2028🎹", "x" * 300_000, {"deep": [None, True, 0.1]}]
        puppet.tell(say=words[:100])
        puppet.tell(say=words[100:])
        assert [puppet.hear() for _ in words] == [{"said": word} for word in words]
        assert puppet.worker.placed

    def test_a_worker_gets_the_variables_of_tonesmith(
        self, opened: Executor[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TONESMITH_PLUGINS", "tonesmith")
        puppet = Puppet(opened)
        assert puppet.ask(who=1)["plugins"] == "tonesmith"
        puppet.worker.kill()

    def test_a_worker_that_is_told_to_end_does_so_by_itself(self, puppet: Puppet) -> None:
        assert puppet.ask(say=[1]) == {"said": 1}
        puppet.worker.end()
        assert puppet.rest() == [{"closed": True}]

    def test_a_crash_is_told_with_its_signal_after_all_that_was_said(self, puppet: Puppet) -> None:
        puppet.tell(say=[1, 2, 3])
        puppet.tell(print="something is wrong\n")
        puppet.tell(crash=True)
        assert puppet.rest() == [{"said": n} for n in (1, 2, 3)]
        number, phrase = puppet.worker.epitaph()
        assert (number, "SIGSEGV" in phrase) == (signal.SIGSEGV, True)
        assert "something is wrong" in puppet.worker.last_words()

    def test_an_exit_is_no_signal_and_has_its_status(self, puppet: Puppet) -> None:
        puppet.tell(exit=3)
        assert puppet.rest() == []
        number, phrase = puppet.worker.epitaph()
        assert (number, "3" in phrase) == (0, True)

    def test_what_is_sent_to_a_worker_that_ended_is_dropped(self, puppet: Puppet) -> None:
        puppet.tell(exit=0)
        puppet.rest()
        puppet.tell(say=["x" * 100_000])
        puppet.worker.end()
        puppet.worker.kill()
        assert puppet.heard.empty()

    def test_another_worker_follows_one_that_ended(self, opened: Executor[Any]) -> None:
        for _ in range(2):
            puppet = Puppet(opened)
            puppet.tell(crash=True)
            assert puppet.rest() == []
        puppet = Puppet(opened)
        assert puppet.ask(say=["here"]) == {"said": "here"}
        puppet.worker.kill()

    def test_a_killed_worker_was_killed_from_outside_and_is_gone_with_all_that_it_started(
        self, opened: Executor[Any]
    ) -> None:
        puppet = Puppet(opened)
        here, pids = self._processes(puppet)
        puppet.worker.kill()
        assert puppet.rest() == []
        assert puppet.worker.epitaph()[0] == signal.SIGKILL
        assert not here or gone(pids)

    def test_a_worker_that_something_else_kills_was_killed_from_outside(self, puppet: Puppet) -> None:
        here, pids = self._processes(puppet)
        if not here:
            pytest.skip("its workers are on another machine")
        os.kill(pids[0], signal.SIGKILL)
        assert puppet.rest() == []
        assert puppet.worker.epitaph()[0] == signal.SIGKILL

    def test_nothing_runs_once_it_is_closed(self) -> None:
        executor = self.make()
        try:
            executor.open(1)
            here, pids = self._processes(Puppet(executor))
        finally:
            executor.close()
        assert not here or gone(pids)

    def _processes(self, puppet: Puppet) -> tuple[bool, list[int]]:
        """Return whether a worker is on this machine, its process, and one that it started."""
        told = puppet.ask(who=1)
        return told["node"] == platform.node(), [told["pid"], puppet.ask(fork=1)["pid"]]
