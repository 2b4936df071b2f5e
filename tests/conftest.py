from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import settings
from support import PLUGINS, Chaos
from support.forks import Started

from tonesmith.engine import channel
from tonesmith.host.registry import Host

settings.register_profile("tonesmith", deadline=None)
settings.load_profile("tonesmith")


@pytest.fixture
def chaos(chaos_in_processes: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the misbehaving synth, with forks for processes."""
    monkeypatch.setattr(channel, "_started", Started)
    return chaos_in_processes


@pytest.fixture
def chaos_in_processes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the third-party plugins of tests/support be found, here and in every process started from here."""
    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(PLUGINS), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    )
    Host.load.cache_clear()
    yield Chaos()
    Host.load.cache_clear()
