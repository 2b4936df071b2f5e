"""A worker process of a score: it renders the labels that its parent sends, and measures them against their target.

Started by :mod:`tonesmith.analysis.scoring.crew` as ``python -m tonesmith.analysis.scoring.worker``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tonesmith.analysis.metrics import metrics_of, sound_of
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.renderer import Renderer
from tonesmith.engine.answering import answering
from tonesmith.host.registry import Host
from tonesmith.space.patch import Patch


def main() -> None:
    """Answer the jobs of the parent, until it closes the channel."""
    with answering() as channel:
        setup, _ = channel.receive()
        path = Path(setup["path"])
        dataset = open_dataset(path)
        with Renderer(dataset, path, Host.load(), trust=setup["trust"]) as renderer:
            channel.send({"ready": True})
            while True:
                job, _ = channel.receive()
                channel.send(*_answer(job, dataset, renderer))


def _answer(job: dict[str, Any], dataset: Dataset, renderer: Renderer) -> tuple[dict[str, Any], bytes]:
    """Return the metrics of each sound of a target by name, and the audio of the first, which is the prediction."""
    row = dataset[job["target"]]
    rate = dataset.plan.audio.sample_rate
    target = sound_of(row.audio, rate)
    values, failures, audio, played = {}, {}, b"", {}
    for name, told in job["patches"].items():
        rendered = renderer.render(Patch.from_json(told), row.plays, row.patch_id if name == job["own"] else -1)
        if not audio:
            audio, played = np.ascontiguousarray(rendered.audio, "<f4").tobytes(), rendered.patch.to_json()
        values[name] = metrics_of(target, sound_of(rendered.audio, rate))
        if rendered.failure:
            failures[name] = rendered.failure
    return {"job": job["job"], "values": values, "failures": failures, "played": played}, audio


if __name__ == "__main__":
    main()
