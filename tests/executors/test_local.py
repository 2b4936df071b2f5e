"""The executor local keeps to the contract, with processes as a user has them."""

from __future__ import annotations

import pytest

from tonesmith.executors.local import LocalExecutor
from tonesmith.testing import ExecutorContract


@pytest.mark.usefixtures("real_processes")
class TestLocal(ExecutorContract):
    executor = LocalExecutor
