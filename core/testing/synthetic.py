"""Plans and blocks made up without an engine: small, and the same each time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.host.roles import Sink
from tonesmith.plan.block import Block, row_digests
from tonesmith.plan.notes import Notes
from tonesmith.plan.plan import Audio, Plan, PluginRef
from tonesmith.plan.rejection import Rejection
from tonesmith.plan.rows import RowContent, pack_rows
from tonesmith.plan.schema import Measure
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Modulation, Patch, sha256_hex
from tonesmith.space.space import ParameterSpace

ASSETS = {sha256_hex(content): content for content in (b"a saw", b"a sine", bytes(range(256)))}
"""What the patches of :func:`synthetic_block` name, by SHA-256."""

_MEASURES = (Measure("peak_dbfs", "dBFS", "highest sample"), Measure("loudness", "LUFS", "integrated loudness"))


def synthetic_space(modulation_slots: int = 3, assets: bool = True) -> ParameterSpace:
    """Return a space with a parameter of every kind, one of them fixed, and two asset slots."""
    wave, other = sorted(ASSETS)[:2]
    return ParameterSpace(
        parameters=(
            Parameter("level", "continuous", 0.0, 1.0, 0.7),
            Parameter("cutoff", "continuous", 8.0, 136.0, 60.0, unit="semitones", group="filter"),
            Parameter("filter_on", "categorical", 0.0, 1.0, 1.0, choices=("off", "on"), group="filter"),
            Parameter("slope", "categorical", 1.0, 3.0, 1.0, choices=("6", "12", "24"), switch="filter_on"),
            Parameter("volume", "continuous", 0.0, 2.0, 1.0, curve="quadratic", scale=3.0, unit="dB"),
        ),
        fixed={"volume": 1.25},
        sources=("lfo_1", "env_2") if modulation_slots else (),
        destinations=("level", "cutoff") if modulation_slots else (),
        modulation_slots=modulation_slots,
        assets={"wave": wave, "lfo shape é": other} if assets else {},
    )


def synthetic_plan(
    patches: int = 10,
    block: int = 4,
    frames: int = 300,
    space: ParameterSpace | None = None,
    measures: tuple[Measure, ...] = _MEASURES,
    sink: PluginRef | None = None,
) -> Plan:
    """Return a plan of two notes a patch, stereo at 8 kHz; by default 20 rows in blocks of 8, 8 and 4."""
    return Plan(
        seed=7,
        rounds=(patches,),
        block=block,
        max_attempts=5,
        timeout=60.0,
        audio=Audio(8000, 2, frames),
        notes=Notes(pitches=(48, 60), velocities=(100,), hold=0.02, tail=0.0175),
        backend=PluginRef("made-up"),
        isolation="snapshot",
        determinism="exact",
        space=space if space is not None else synthetic_space(),
        sampler=PluginRef("made-up", {"name": "Ünïcode 🎹"}),
        origins=("lhs", "presets"),
        validators=(PluginRef("level"),),
        measures=measures,
        sink=sink or PluginRef("zarr"),
        versions={"engine": "1.0"},
    )


def attributes_of(plan: Plan) -> dict[str, Any]:
    """Return attributes as a run gives them to a sink: the plan, and text that is not ASCII."""
    told = {"plan": plan.to_json(), "fingerprint": plan.fingerprint}
    return {**told, "title": "Ünïcode 🎹 \u2028 end", "empty": {}, "numbers": [1, 0.1, None, True]}


def synthetic_block(plan: Plan, index: int, sink: Sink[Any] | None = None) -> Block:
    """Return a block of a plan. Its first row is silent; its audio is as the sink will read it back."""
    rows = [content for patch in plan.patches_of(index) for content in _rows_of(plan, patch, sink)]
    columns = pack_rows(plan, rows)
    first = plan.patches_of(index).start
    rejections = (
        Rejection(first, 0, "level", "silent", "peak -inf dBFS é", 48, {"peak_dbfs": -np.inf, "loudness": np.nan}),
        Rejection(first, 1, "level", "clipped", "peak 0.1 dBFS", 60, {"peak_dbfs": 0.1, "loudness": -3.25}),
    )
    return Block(
        index, index * plan.block_rows, columns, row_digests(plan.schema, columns), rejections, plan.fingerprint
    )


def _rows_of(plan: Plan, patch_id: int, sink: Sink[Any] | None) -> list[RowContent]:
    random = np.random.default_rng([plan.seed, patch_id])
    space = plan.space
    names = sorted(ASSETS)
    held = random.integers(0, space.modulation_slots + 1) if space.modulation_slots else 0
    label = space.encode(
        Patch(
            values={p.name: random.integers(int(p.low), int(p.high) + 1).item() for p in space.categorical}
            | {p.name: random.uniform(p.low, p.high) for p in space.continuous},
            modulations=tuple(
                Modulation(
                    space.sources[random.integers(len(space.sources))],
                    space.destinations[random.integers(len(space.destinations))],
                    random.uniform(-1.0, 1.0),
                    random.uniform(-10.0, 10.0),
                    *(bool(random.integers(2)) for _ in range(3)),
                )
                for _ in range(held)
            ),
            assets={slot: names[random.integers(len(names))] for slot in space.assets},
        )
    )
    from_preset = patch_id % 3 == 0
    origin, preset = ("presets", sha256_hex(b"%d" % patch_id)) if from_preset else ("lhs", "")
    patch = space.decode(label, origin, preset)
    rows = []
    for number, note in enumerate(plan.notes.of_patch(plan.seed, patch_id)):
        audio = _audio(plan, random, silent=patch_id % plan.block == 0 and number == 0)
        audio = sink.stored(audio) if sink else audio
        measured = {measure.name: float(random.normal()) for measure in plan.measures[:1]}
        rows.append(RowContent(audio, label, patch, note, patch_id, patch_id % 2, measured))
    return rows


def _audio(plan: Plan, random: np.random.Generator, silent: bool) -> NDArray[np.float32]:
    """Return a decaying tone with some noise and a peak of 1.5: what a synth makes may exceed full scale."""
    time = np.arange(plan.audio.frames) / plan.audio.sample_rate
    tone = np.sin(2 * np.pi * random.uniform(50, 2000) * time) * np.exp(-time * 20.0)
    audio = 1.5 * tone + 1e-4 * random.normal(size=(plan.audio.channels, plan.audio.frames))
    return np.zeros_like(audio, np.float32) if silent else audio.astype(np.float32)
