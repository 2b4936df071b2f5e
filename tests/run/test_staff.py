"""What a run makes of its executor: workers that wait for a place, are lost, or see no dataset."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tonesmith.engine.local_worker import LocalWorker
from tonesmith.errors import RunError
from tonesmith.executors.local import LocalExecutor
from tonesmith.host.roles import Executor, Options
from tonesmith.run.claims import Claims
from tonesmith.run.pipeline import run
from tonesmith.run.presence import Presence
from tonesmith.run.staff import Staff, staffed
from tonesmith.run.workers import Committed, Crew, Dropped
from tonesmith.testing.synthetic import synthetic_plan

PLAN = replace(synthetic_plan(patches=48, block=4), timeout=0.3)
BLOCKS = range(12)


class Scripted:
    """A worker that stores each block at once, or does what its script says first."""

    def __init__(self, script: str, heard: Callable[[dict[str, Any] | None], object]) -> None:
        self.script = script
        self.heard = heard
        self.killed = False
        self.end_of_it = (int(signal.SIGKILL), "killed by SIGKILL")

    @property
    def placed(self) -> bool:
        return self.script != "waits"

    def send(self, message: dict[str, Any]) -> None:
        if self.script == "waits":
            return
        if self.script == "lost":
            threading.Timer(0.15, self.heard, [None]).start()
        elif self.script == "dies" and "block" in message:
            for said in ({"trying": [0, 0]}, {"accepted": 2}, None):
                self.heard(said)
        elif "block" in message:
            stored = {"committed": message["block"], "rows": 8}
            threading.Timer(0.15 * (self.script == "slow"), self.heard, [stored]).start()
        else:
            self.heard({"ready": True})

    def end(self) -> None:
        self.killed = True

    def kill(self) -> None:
        self.killed = True

    def epitaph(self) -> tuple[int, str]:
        return self.end_of_it

    def last_words(self) -> str:
        return "no CPU is free" if self.script == "waits" else ""


class Company(Executor[Options]):
    """Workers with a script each; those after the last script work."""

    name = "company"
    summary = "workers with a script"
    Options = Options

    def __init__(self, scripts: Iterable[str] = (), size: int = 2) -> None:
        super().__init__(Options())
        self.scripts = list(scripts)
        self.size = size
        self.hired: list[Scripted] = []
        self.told: list[str] = []

    def open(self, wanted: int) -> int:
        self.told.append(f"open {wanted}")
        if not self.size:
            raise RunError("nobody is there")
        return self.size

    def start(self, module: str, heard: Callable[[dict[str, Any] | None], object]) -> Scripted:
        self.hired.append(Scripted(self.scripts.pop(0) if self.scripts else "works", heard))
        return self.hired[-1]

    def close(self) -> None:
        self.told.append("close")


def events_of(company: Company, path: Path) -> list[Any]:
    blocks = Claims(PLAN, BLOCKS, dict, Presence(None))
    crew = Crew(PLAN, path, Staff(company, company.size), blocks, load_seconds=0.2)
    try:
        return [event for event in crew.events(tick=0.05) if event is not None]
    finally:
        crew.dismiss()


def test_a_worker_that_waits_for_a_place_holds_nobody_up_and_is_let_go(tmp_path):
    company = Company(["slow", "waits"])
    events = events_of(company, tmp_path)
    assert sorted(event.block for event in events if isinstance(event, Committed)) == list(BLOCKS)
    assert [worker.killed for worker in company.hired] == [True, True]


def test_a_run_without_a_single_place_ends_and_says_why(tmp_path):
    with pytest.raises(RunError, match=r"a worker could not start .*\n.*no CPU is free"):
        events_of(Company(["waits", "waits"]), tmp_path)


def test_workers_that_are_lost_before_they_begin_are_replaced_as_long_as_blocks_are_stored(tmp_path):
    company = Company(["slow", *["lost"] * 20])
    assert len([event for event in events_of(company, tmp_path) if isinstance(event, Committed)]) == len(BLOCKS)
    assert len(company.hired) > 8

    with pytest.raises(RunError, match=r"a worker could not start \(killed by SIGKILL\)"):
        events_of(Company(["lost"] * 6, size=1), tmp_path)


def test_an_executor_is_opened_before_anything_is_written_and_closed_whatever_happens(chaos, tmp_path):
    refusing = Company(size=0)
    with pytest.raises(RunError, match="nobody is there"):
        run(chaos.resolved(patches=4), tmp_path / "d", workers=3, executor=refusing)
    assert refusing.told == ["open 3", "close"]
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_opened_where_nothing_is_left_to_make(chaos, tmp_path):
    chaos.make(tmp_path / "d", patches=4)
    company = Company()
    assert run(chaos.resolved(patches=4), tmp_path / "d", executor=company).complete
    assert company.told == []
    with staffed(company, 2, 0) as staff:
        assert staff.size == 0


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ("gone", "is not there on"),
        pytest.param("other", "is a dataset of another plan on", marks=pytest.mark.long),
    ],
)
def test_a_worker_that_sees_another_disk_says_where_and_what_to_do(chaos, tmp_path, there, said):
    chaos.make(tmp_path / "other", patches=2, seed=3)

    class Elsewhere(LocalExecutor):
        def start(self, module: str, heard: Callable[[dict[str, Any] | None], object]) -> LocalWorker:
            worker = super().start(module, heard)
            send = worker.send
            worker.send = lambda message: send({**message, "path": str(tmp_path / there)})  # type: ignore[method-assign]
            return worker

    with pytest.raises(RunError, match=rf"{there} {said} .*disk that they share"):
        run(chaos.resolved(patches=4), tmp_path / "d", executor=Elsewhere(LocalExecutor.Options()))


def test_a_lost_worker_is_no_fault_of_a_candidate(tmp_path):
    events = events_of(Company(["dies"] * 3, size=1), tmp_path)
    assert [event for event in events if isinstance(event, Dropped)] == [Dropped(2, ())] * 3
    assert len([event for event in events if isinstance(event, Committed)]) == len(BLOCKS)
    assert {type(event).__name__ for event in events} == {"Accepted", "Dropped", "Committed"}
