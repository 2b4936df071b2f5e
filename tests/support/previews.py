"""The terminal browser without a terminal: a screen that is typed on, an output that only listens, damaged blocks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tonesmith.preview.lists.source import Arrangement
from tonesmith.preview.session import Session

EVIL = "\x1b]0;title\x07\x1b[2J\u202elive [red]Lead[/red]"
"""Of a preset whose maker knows what terminals obey."""


def damage(path: Path, block: int, *columns: str) -> None:
    """Overwrite what a dataset of Zarr has stored of a block, or of some of its columns."""
    for file in path.rglob(f"c.{block}*"):
        if not columns or file.parent.name in columns:
            file.write_bytes(b"damaged")


class FakeOutput:
    """Takes all that it is given, at once or as slowly as is asked for."""

    def __init__(self, sample_rate: int, seconds: float = 0.0) -> None:
        self.sample_rate = sample_rate
        self.written: list[Any] = []
        self.closed = False
        self._seconds = seconds

    def write(self, audio: Any) -> None:
        self.written.append(audio)
        time.sleep(self._seconds)

    def close(self) -> None:
        self.closed = True


class Screen:
    """A screen that is looked at and typed on."""

    def __init__(self, app: Any, pilot: Any) -> None:
        self.app = app
        self._pilot = pilot

    async def settle(self) -> None:
        for _ in range(1000):
            await self._pilot.pause(0.01)
            if not self.app.busy:
                break
        await self._pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        for _ in range(3000):
            if condition():
                return
            await self._pilot.pause(0.01)
        raise AssertionError("it did not come about in time")

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self._pilot.press(key)
        await self.settle()

    async def type(self, text: str) -> None:
        """Type into the prompt that is there."""
        self.app.query_one("Input").value = text
        await self.press("enter")

    def text(self) -> str:
        """Return what is on the screen, line by line."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line) for line in lines)

    def told(self) -> str:
        return str(self.app.query_one("#told").content)

    def title(self) -> str:
        return str(self.app.query_one("#title").content)

    def panel(self) -> str:
        return "\n".join(line.text for line in self.app.query_one("Label")._lines)


def look(
    session: Session,
    script: Callable[[Screen], Awaitable[None]],
    opened: Callable[[int], Any] = FakeOutput,
    wanted: Arrangement | None = None,
    size: tuple[int, int] = (80, 24),
) -> Any:
    """Run a script on the screen of a session, and return the app."""
    from tonesmith.preview.widgets.app import Preview

    app = Preview(session, wanted, opened)

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            screen = Screen(app, pilot)
            await screen.settle()
            await script(screen)

    asyncio.run(run())
    return app
