"""The promise, on the real engine: every row equals what a new process renders from its exported preset."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import PRESETS, ROOT, amounts

from tonesmith import generate, open_dataset
from tonesmith.dataset.export import preset_of
from tonesmith.dataset.reader import Dataset
from tonesmith.engine.client import Engine
from tonesmith.engine.machine import cores
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.patch import Note

REFERENCE = ROOT / "tests" / "support" / "reference.py"


def reference(
    folder: Path, preset: bytes, note: Note, sample_rate: int = 44100, bpm: float = 120
) -> NDArray[np.float32]:
    """Return what a process that only imports vita renders: float32 (2, frames)."""
    files = {name: str(folder / name) for name in ("preset", "out")}
    Path(files["preset"]).write_bytes(preset)
    job = {**files, "sample_rate": sample_rate, "bpm": bpm}
    job |= {"pitch": note.pitch, "velocity": note.velocity, "hold": note.hold, "tail": note.tail}
    (folder / "job.json").write_text(json.dumps(job))
    subprocess.run([sys.executable, str(REFERENCE), str(folder / "job.json")], check=True, timeout=60)
    return np.fromfile(files["out"], np.float32).reshape(2, -1)


def differing_rows(dataset: Dataset, folder: Path, bpm: float = 120) -> list[int]:
    """Return the rows whose samples are not those of the reference, bit for bit."""

    def differs(row: int) -> bool:
        place = folder / str(row)
        place.mkdir()
        stored = dataset[row]
        preset = preset_of(dataset, row, f"row {row}", Host.load())
        again = reference(place, preset, stored.note, dataset.plan.audio.sample_rate, bpm)
        return again.tobytes() != stored.audio.tobytes()

    with ThreadPoolExecutor(cores()) as pool:
        return [row for row, wrong in enumerate(pool.map(differs, range(len(dataset)))) if wrong]


NOTES = {"pitches": [30, 90], "velocities": [1, 127], "hold": [0.1, 0.7], "tail": 0.2, "draw": 1}


@pytest.mark.parametrize("patches", amounts(3, 50))
@pytest.mark.parametrize("tier", [pytest.param(1, marks=pytest.mark.long), 2])
def test_patches_of_a_tier_render_again_in_a_process_that_knows_only_vita(tmp_path, tier, patches):
    generate(tmp_path / "d", patches=patches, seed=tier, backend={"name": "vita", "tier": tier}, notes=NOTES)

    dataset = open_dataset(tmp_path / "d")
    assert len(dataset) == patches
    assert dataset.plan.isolation == "snapshot"
    assert differing_rows(dataset, tmp_path) == []


@pytest.mark.usefixtures("chaos")
@pytest.mark.parametrize("patches", amounts(2, 50))
@pytest.mark.long
def test_patches_with_random_modulations_render_again(tmp_path, patches):
    generate(tmp_path / "d", patches=patches, backend={"name": "vita", "tier": 3}, sampler="routed", notes=NOTES)

    dataset = open_dataset(tmp_path / "d")
    connections = [len(row.label.modulations) for row in dataset]
    used = {m.source for row in dataset for m in row.label.modulations}
    assert len(dataset) == patches
    assert max(connections) == min(patches, 12)
    assert {"random", "random_1", "lfo_1", "velocity"} <= used or patches < 50
    assert len(used) > 5 or patches < 50
    assert differing_rows(dataset, tmp_path) == []


@pytest.mark.parametrize(("bpm", "rate"), [(97.3, 48000), (120.0, 22050), (160.0, 44100)])
@pytest.mark.long
def test_sample_rate_and_tempo_reach_the_engine_and_the_reference(tmp_path, bpm, rate):
    synced = {"fix": {"lfo_1_sync": "Tempo", "delay_on": "On", "delay_sync": "Tempo", "delay_dry_wet": 0.5}}
    generate(
        tmp_path / "d",
        patches=4,
        sample_rate=rate,
        backend={"name": "vita", "tier": 2, "bpm": bpm},
        space=synced,
        notes={**NOTES, "hold": 0.3, "tail": 0.5},
    )

    dataset = open_dataset(tmp_path / "d")
    assert dataset[0].audio.shape == (2, round(0.8 * rate))
    assert differing_rows(dataset, tmp_path, bpm) == []


@pytest.mark.long
def test_the_row_of_a_patch_does_not_depend_on_the_notes_before_it(tmp_path):
    both = {"patches": 3, "backend": {"name": "vita", "tier": 2}}
    generate(tmp_path / "three", notes={"pitches": [48, 60, 72], "hold": 0.4, "tail": 0.1}, **both)
    generate(tmp_path / "last", notes={"pitches": [72], "hold": 0.4, "tail": 0.1}, **both)

    three, last = open_dataset(tmp_path / "three"), open_dataset(tmp_path / "last")
    assert [three[3 * i + 2].audio.tobytes() for i in range(3)] == [last[i].audio.tobytes() for i in range(3)]


@pytest.fixture(scope="module")
def presets() -> list[Path]:
    found = sorted((PRESETS / "vital").rglob("*.vital"))
    if not found:
        pytest.skip("the real presets are not beside the project")
    return found


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    contents: dict[str, bytes] = {}
    notes = Note(60, 100, 1.0, 0.5)
    form = Audio(44100, 2, int(notes.duration * 44100))
    made = Engine(PluginRef("vita", {"tier": 3}), form, 2, "snapshot", contents.__getitem__)
    made.contents = contents  # type: ignore[attr-defined]
    with made:
        yield made


@pytest.mark.parametrize("count", amounts(4, 40))
@pytest.mark.long
def test_real_presets_render_again_from_label_and_assets(
    presets: list[Path], engine: Any, tmp_path: Path, count: int
) -> None:
    assert len(presets) == 40
    presets = presets[:: len(presets) // count]
    backend = Host.load().find("backend", "vita")
    space = engine.describe(1.0, 0.5).space
    note = Note(60, 100, 1.0, 0.5)
    wrong = []
    with ThreadPoolExecutor(cores()) as pool:
        pending = []
        for path, loaded in zip(presets, [engine.load_preset(path) for path in presets], strict=True):
            engine.contents.update(loaded.assets)
            patch = space.decode(space.encode(loaded.patch))
            outcomes = engine.play(patch, [note, note], 60.0)
            assert [o.failure for o in outcomes] == ["", ""], (path.name, outcomes)
            (tmp_path / path.name).mkdir()
            preset = backend.preset(patch, engine.contents, path.stem)
            pending.append((path, engine.audio.copy(), pool.submit(reference, tmp_path / path.name, preset, note)))
        for path, audio, future in pending:
            again = future.result()
            if not (again.tobytes() == audio[0].tobytes() == audio[1].tobytes()):
                wrong.append(path.name)
    assert len(presets) == count
    assert wrong == []


@pytest.mark.long
def test_a_preset_sounds_as_it_did_before_it_became_a_label(presets: list[Path], engine: Any, tmp_path: Path) -> None:
    """Labels are float32 in [0, 1]: what that rounding moves is far below hearing."""
    space = engine.describe(1.0, 0.5).space
    note = Note(60, 100, 1.0, 0.5)
    for path, loaded in [(path, engine.load_preset(path)) for path in presets[::20]]:
        engine.contents.update(loaded.assets)
        engine.play(space.decode(space.encode(loaded.patch)), [note], 60.0)
        (tmp_path / path.name).mkdir()
        original = reference(tmp_path / path.name, path.read_bytes(), note)
        assert np.abs(original - engine.audio[0]).max() < 1e-3, path.name
