"""The processes that the benchmarks compare, each clean and with one thread.

Started as ``python _contenders.py KIND JOB``: it reads the job, gets ready, and for each line on its standard
input does all the work once and answers with one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import _vst3_contenders
import numpy as np

Round = Callable[[], Mapping[str, float]]


def raw_engine(job: Mapping[str, Any]) -> Round:
    """One Synth for all: set every control and render. The state of one note leaks into the next."""
    synth, controls = _synth(job)

    def once() -> dict[str, float]:
        for values, note in _notes(job):
            for name, value in values:
                controls[name].set(value)
            synth.render(*note)
        return {}

    return once


def raw_presets(job: Mapping[str, Any]) -> Round:
    """One Synth for all: load each preset once, then set every control and render for each of its patches."""
    import vita

    synth = vita.Synth()
    controls = synth.get_controls()

    def once() -> dict[str, float]:
        for group in job["groups"]:
            synth.load_json(group["preset"])
            for values, note in _notes({**job, "patches": group["patches"]}):
                for name, value in values:
                    controls[name].set(value)
                synth.render(*note)
        return {}

    return once


def raw_faust(job: Mapping[str, Any]) -> Round:
    """One engine of DawDreamer for all: set every control and render. Values are in the program's own units."""
    import dawdreamer

    engine = dawdreamer.RenderEngine(job["sample_rate"], 512)
    processor = engine.make_faust_processor("instrument")
    processor.num_voices = 2
    processor.set_dsp_string(job["source"])
    processor.compile()
    engine.load_graph([(processor, [])])

    def once() -> dict[str, float]:
        for values in job["patches"]:
            for pitch, velocity, hold, duration in job["notes"]:
                for index, value in values:
                    processor.set_parameter(index, value)
                processor.clear_midi()
                processor.add_midi_note(pitch, velocity, 0.0, hold)
                engine.render(duration)
                engine.get_audio()
        return {}

    return once


def recipe(job: Mapping[str, Any]) -> Round:
    """Do as the original Vital pipeline: for each note load the init preset, set, render, check, append."""
    import h5py

    synth, controls = _synth(job)
    file = h5py.File(Path(job["folder"]) / "recipe.h5", "w")
    shape = (job["channels"], job["frames"])
    audio = file.create_dataset(
        "audio", (0, *shape), "f4", maxshape=(None, *shape), chunks=(1, *shape), compression="gzip", compression_opts=4
    )

    def once() -> dict[str, float]:
        audio.resize(0, axis=0)
        for values, note in _notes(job):
            synth.load_json(job["init"])
            for name, value in values:
                controls[name].set(value)
            rendered = synth.render(*note)
            if float(np.sqrt(np.mean(rendered**2))) >= 0.0:  # every note given was accepted
                audio.resize(len(audio) + 1, axis=0)
                audio[-1] = rendered
        file.flush()
        return {}

    return once


def checks_and_storage(job: Mapping[str, Any]) -> Round:
    """Do what tonesmith does to rendered rows, part by part, in a process that no engine has touched."""
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.host.registry import Host
    from tonesmith.plan.block import Block, row_digests
    from tonesmith.plan.render import Render
    from tonesmith.plan.rows import RowContent, pack_rows
    from tonesmith.run.produce import sampler_of
    from tonesmith.sinks.zarr import ZarrSink
    from tonesmith.space.patch import Candidate, Patch

    dataset, host = open_dataset(job["dataset"]), Host.load()
    plan = dataset.plan
    classes = [(host.validators()[ref.name], ref) for ref in plan.validators]
    validators = [cls(cls.Options.model_validate(ref.options)) for cls, ref in classes]
    sampler = sampler_of(plan, host, dataset.storage.asset)
    rows = [
        RowContent(row.audio, row.label, row.patch, row.note, row.patch_id, row.attempt, row.measured)
        for row in dataset
    ]
    sink = ZarrSink(ZarrSink.Options.model_validate(plan.sink.options), Path(job["folder"]) / "parts.zarr")
    sink.create(dict(dataset.attributes), plan.schema, plan.rows, plan.block_rows)
    blocks = [rows[i : i + plan.block_rows] for i in range(0, len(rows), plan.block_rows)]

    def once() -> dict[str, float]:
        spent = _Spent()
        for row in rows:
            with spent.on("copy"):
                audio = sink.stored(row.audio.copy())
            render = Render(audio, plan.audio.sample_rate, row.patch, row.note, *audio.shape)
            for validator in validators:
                with spent.on(validator.name):
                    validator.check(render)
        for row in rows[:: plan.notes.per_patch]:
            with spent.on("draw"):
                drawn = sampler.draw(Candidate(row.patch_id, row.attempt))
                patch = plan.space.decode(plan.space.encode(drawn), drawn.origin)
            with spent.on("messages"):  # worker to engine, engine to template
                for _ in range(2):
                    patch = Patch.from_json(json.loads(json.dumps(patch.to_json())))
        for index, held in enumerate(blocks):
            with spent.on("pack"):
                columns = pack_rows(plan, held)
            with spent.on("digest"):
                digests = row_digests(plan.schema, columns)
            with spent.on("zarr write"):
                sink.write_block(Block(index, index * plan.block_rows, columns, digests))
        return {name: seconds / len(rows) for name, seconds in spent.seconds.items()}

    return once


class _Spent:
    """CPU seconds by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def on(self, part: str) -> Iterator[None]:
        before = time.process_time()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.process_time() - before


def _synth(job: Mapping[str, Any]) -> tuple[Any, Any]:
    import vita

    synth = vita.Synth()
    synth.load_json(job["init"])
    return synth, synth.get_controls()


def _notes(job: Mapping[str, Any]) -> Iterator[tuple[list[tuple[str, float]], list[float]]]:
    """Yield the values of all controls and the arguments of ``render`` for each row."""
    for patch in job["patches"]:
        values = list(patch.items())
        for note in job["notes"]:
            yield values, note


KINDS: Mapping[str, Callable[[Mapping[str, Any]], Round]] = {
    "raw": raw_engine,
    "raw presets": raw_presets,
    "raw faust": raw_faust,
    "recipe": recipe,
    "parts": checks_and_storage,
    **_vst3_contenders.KINDS,
}


def main() -> None:
    """Get ready, then do a round for each line of standard input."""
    kind, job = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    once = KINDS[kind](job)
    print("{}", flush=True)
    for _ in sys.stdin:
        print(json.dumps(once()), flush=True)
    os._exit(0)  # vita's tear-down complains of leaks


if __name__ == "__main__":
    main()
