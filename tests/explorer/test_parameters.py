"""Rows of a dataset as sounds of a model, and sliders that are named by the parameters of its synth."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.builders import zarr_case
from support.sounds import centroid, tone, write

from tonesmith.explorer import add, fit, make, open_model, sliders
from tonesmith.explorer.controls import Labelled, Labels
from tonesmith.explorer.parameters import parameter_sliders, safe_name
from tonesmith.explorer.stored import ABOUT, read_description
from tonesmith.plan.block import Block, row_digests
from tonesmith.plan.notes import Notes
from tonesmith.plan.plan import Audio, Plan
from tonesmith.plan.rows import RowContent, pack_rows
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Patch
from tonesmith.space.space import ParameterSpace
from tonesmith.testing.synthetic import synthetic_plan

RATE, FRAMES, PATCHES = 24_000, 2_400, 25
SPACE = ParameterSpace(
    parameters=(
        Parameter("Cutoff Hz", "continuous", 0.0, 1.0, 0.5, unit="oct", scale=4.0),
        Parameter("level", "continuous", 0.0, 1.0, 0.7),
        Parameter("unheard", "continuous", 0.0, 1.0, 0.5),
    )
)


def played(cutoff: float, level: float, pitch: int) -> NDArray[np.float32]:
    """Return a tone whose partials fall less the higher the cutoff is: float32 (2, frames)."""
    time = np.arange(FRAMES) / RATE
    hertz = 440.0 * 2.0 ** ((pitch - 69) / 12.0)
    partials = sum(np.sin(2 * np.pi * hertz * n * time) * n ** (-3.0 + 2.5 * cutoff) for n in range(1, 30))
    return np.tile(0.1 * (0.1 + level) * partials, (2, 1)).astype(np.float32)


def rows_of(plan: Plan, patch_id: int) -> list[RowContent]:
    values = np.random.default_rng([1, patch_id]).uniform(size=3)
    names = [parameter.name for parameter in SPACE.continuous]
    label = SPACE.encode(Patch(values=dict(zip(names, values.tolist(), strict=True))))
    patch = SPACE.decode(label, "lhs", "")
    notes = plan.notes.of_patch(plan.seed, patch_id)
    sounds = [played(values[0], values[1], note.pitch) for note in notes]
    return [RowContent(s, label, patch, n, patch_id, 0, {}) for s, n in zip(sounds, notes, strict=True)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dataset of 50 rows, two notes of each patch, a sound, and a model of the rows."""
    folder = tmp_path_factory.mktemp("rows")
    made = synthetic_plan(PATCHES, block=10, frames=FRAMES, space=SPACE, measures=())
    notes = Notes(pitches=(48, 60), velocities=(100,), hold=0.08, tail=0.02)
    plan = replace(made, audio=Audio(RATE, 2, FRAMES), notes=notes)
    sink = zarr_case(folder / "d.zarr", plan).created()
    for index in range(plan.blocks):
        columns = pack_rows(plan, [row for patch in plan.patches_of(index) for row in rows_of(plan, patch)])
        digests = row_digests(plan.schema, columns)
        sink.write_block(Block(index, index * plan.block_rows, columns, digests, (), plan.fingerprint))
    write(folder / "other.wav", tone(262.0, 0.3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sliders, "DRAWS", 60)  # those that are named by features are not the point here
        fit(folder / "rows.model", [folder / "d.zarr"])
    return folder


@pytest.fixture
def here(home: Path) -> Path:
    return home


def test_a_parameter_that_is_heard_is_a_slider_in_its_own_unit_and_no_other_is(told):
    status, out, _ = told("show", "rows.model", "--json")
    shown = json.loads(out)
    of_synth = {slider["name"]: slider for slider in shown["sliders"] if slider["kind"] == "parameter"}
    assert status == 0
    assert shown["sounds"][0]["name"] == "d.zarr/0"
    assert set(of_synth) == {"cutoff_hz", "synth_level"}
    cutoff = of_synth["cutoff_hz"]
    assert cutoff["unit"] == "oct"
    assert cutoff["confidence"] > 0.9
    assert 0.3 < cutoff["effect"] < 4.0
    lines = told("show", "rows.model")[1].splitlines()
    assert any(line.startswith("of the synth") for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_slider_named_cutoff_brightens(home, tmp_path):
    import soundfile

    bright = []
    for steps in (-1.0, 1.0):
        model = open_model(home / "rows.model")
        make(model, tmp_path / f"{steps}.wav", sources=["20"], sliders={"cutoff_hz": steps}, seconds=0.3)
        sound, rate = soundfile.read(tmp_path / f"{steps}.wav")
        assert rate == 48_000
        bright.append(centroid(sound))
    assert bright[1] > bright[0] + 0.3


@pytest.mark.long
def test_rows_beside_files_are_chosen_by_number_and_split_and_what_is_wrong_is_told(told):
    status, out, err = told("fit", "few.model", "d.zarr", "other.wav", "--rows", 6, "--json", "-q")
    assert status == 0
    assert len(json.loads(out)["sounds"]) == 7
    assert "needs 40 rows" in err
    status, _, err = told("fit", "no.model", "d.zarr", "--split", "train")
    assert (status, "not split" in err) == (1, True)
    status, _, err = told("fit", "no.model", "other.wav", "--rows", 3)
    assert (status, "none of the sounds is one" in err) == (2, True)
    assert not Path("no.model").exists()


@pytest.mark.long
def test_a_model_that_grows_keeps_the_parameters_of_its_rows(home, tmp_path):
    shutil.copytree(home / "rows.model", tmp_path / "m")
    before = {slider.name: slider for slider in open_model(tmp_path / "m").atlas.sliders}["cutoff_hz"]
    grown = add(tmp_path / "m", [home / "other.wav"])
    after = {slider.name: slider for slider in open_model(tmp_path / "m").atlas.sliders}["cutoff_hz"]
    moved = {slider.name: slider.angle for slider in grown.growth.sliders}
    assert after.confidence > 0.9
    assert before.unit == after.unit
    assert moved["cutoff_hz"] < 30.0


def test_a_model_of_before_is_read(home, tmp_path):
    described = json.loads((home / "rows.model" / ABOUT).read_text())
    shutil.copytree(home / "rows.model", tmp_path / "m")
    kept = [slider for slider in described["sliders"] if slider["kind"] != "parameter"]
    del described["parameters"]
    (tmp_path / "m" / ABOUT).write_text(json.dumps(described | {"format_version": 1, "sliders": kept}))
    assert read_description(tmp_path / "m").parameters == ()
    assert len(read_description(tmp_path / "m").sliders) == len(kept)
    assert read_description(home / "rows.model").parameters[0].unit == "oct"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Filter 1 Cutoff", "filter_1_cutoff"),
        ("attack", "synth_attack"),
        ("axis3", "synth_axis3"),
        ("Brightness", "synth_brightness"),
        ("2 Osc", "synth_2_osc"),
        ("ノブ", "synth"),
        ("x" * 60, "x" * 31),
    ],
)
def test_a_name_is_safe_and_that_of_no_other_slider(name, safe):
    assert safe_name(name, ()) == safe
    assert safe_name(name, {safe}) == f"{safe[:27]}_2"


def drawn(seed: int, parameters: int = 30, patches: int = 30) -> tuple[NDArray[np.float32], Labels]:
    """Return mean latents of two notes of each patch, and parameters that say nothing of them."""
    random = np.random.default_rng(seed)
    latent = np.repeat(random.normal(size=(patches, 16)), 2, axis=0) + 0.3 * random.normal(size=(2 * patches, 16))
    values = np.repeat(random.uniform(size=(patches, parameters)), 2, axis=0).astype(np.float32)
    space = tuple(Parameter(f"p{place}", "continuous", 0.0, 1.0, 0.5) for place in range(parameters))
    return latent.astype(np.float32), Labels(space, {str(at): Labelled(at // 2, v) for at, v in enumerate(values)})


def test_parameters_that_say_nothing_name_no_slider():
    said: list[str] = []
    latent, labels = drawn(0)
    assert parameter_sliders(latent, labels, latent, said.append) == []
    assert "sure enough" in said[0]


@pytest.mark.long
def test_parameters_that_say_nothing_name_no_slider_in_95_of_100_runs():
    runs = [drawn(seed, 60, 24) for seed in range(100)]
    assert sum(not parameter_sliders(latent, labels, latent) for latent, labels in runs) >= 95
