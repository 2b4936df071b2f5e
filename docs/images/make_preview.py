"""Draw the picture of ``tonesmith preview`` in its page, from the screen itself.

::

    pip install "tonesmith[preview]"
    tonesmith generate -n 30 --seed 5 d.zarr
    PYTHONPATH=docs python docs/images/make_preview.py d.zarr docs/images/preview.svg
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from making.terminal import offline

from tonesmith.preview.lists.source import Arrangement
from tonesmith.preview.session import Session
from tonesmith.preview.widgets.app import Preview

SIZE = (100, 30)
SHOWN = Arrangement("pitch = 60", "osc_1_level", descending=True)


async def main(dataset: Path, picture: Path) -> None:
    """Show a dataset, go to its third row, rate and mark two, and keep what is on the screen."""
    app = Preview(Session.open(dataset), SHOWN)
    async with app.run_test(size=SIZE) as pilot:
        for key in ("", "4", "m", "down", "2", "down", ""):
            while app.busy or app.detail is None:
                await pilot.pause(0.05)
            if key:
                await pilot.press(key)
        await pilot.pause()
        picture.write_text(offline(app.export_screenshot(title="tonesmith preview d.zarr")), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
