"""What a Ray actor does with its worker, without Ray."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace
from typing import Any

import pytest

from tonesmith.executors.ray.actor import Actor

PUPPET = "tonesmith.testing.puppet"


@pytest.mark.timeout(60)
def test_a_line_that_comes_after_the_end_of_a_worker_is_told_before_it_and_the_end_is_not_missed():
    actor = Actor()
    worker: Any = SimpleNamespace(epitaph=lambda: (0, "ended with status 0"), last_words=lambda: "")
    actor._workers[1] = worker
    for told in ({"body": {"said": 1}}, {"body": None}, {"line": "late"}):
        actor._queue(1).put(told)
    end = {"end": [0, "ended with status 0"], "words": ""}
    assert list(actor.listen(1)) == [[{"body": {"said": 1}}, {"line": "late"}, end]]


@pytest.mark.timeout(60)
def test_workers_follow_each_other_and_what_is_sent_to_an_earlier_one_reaches_none(tmp_path, monkeypatch):
    monkeypatch.setenv("TONESMITH_PLUGINS", "none of these")
    monkeypatch.chdir(tmp_path)
    actor = Actor()
    for number, environment in ((1, {}), (2, {"TONESMITH_PLUGINS": "tonesmith"})):
        actor.begin(number, PUPPET, "/no/such/folder", environment, aloud=False)
        actor.send(number, {"who": 1})
        actor.send(number, {"crash": True})
        (said, end) = [told for batch in actor.listen(number) for told in batch]
        assert said["body"]["plugins"] == os.environ["TONESMITH_PLUGINS"]
        assert end["end"][0] == signal.SIGSEGV
    actor.send(1, {"say": [1]})
    actor.kill(1)
    actor.end(3)
    assert os.environ["TONESMITH_PLUGINS"] == "tonesmith"
