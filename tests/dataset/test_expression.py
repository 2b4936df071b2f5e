"""Notes with pitch bend, modulation wheel and pedal: from the command line to a row that renders again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.registered import registered

from tonesmith import Dataset, generate, load_config, open_dataset
from tonesmith.dataset.export import label_of_patch
from tonesmith.dataset.label_file import read_label
from tonesmith.errors import ConfigError
from tonesmith.testing import Project

PLAN = {"plan.patches": 3, "plan.sample_rate": 8000, "notes.hold": 0.05, "notes.tail": 0.05}
DRAWN = {"notes.draw": 2, "notes.pitches": [60, 70], "notes.bend": [-1.0, 1.0], "notes.modwheel": 0.5}
PLAIN = """
from tonesmith import hookimpl
from tonesmith.testing.chaos import Chaos

class Plain(Chaos):
    name = "plain"
    controls = frozenset()

@hookimpl
def tonesmith_backends():
    return [Plain]
"""


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with two synths, of which one takes neither wheel nor pedal."""
    made = tmp_path_factory.mktemp("expression")
    with registered(made, {"plain.py": PLAIN}, ["tonesmith.testing.chaos", "plain"]):
        yield made


def made(path: Path, backend: str, **settings: Any) -> Dataset:
    overrides = {**PLAN, "backend": {"name": backend}, "sink": {"name": "folder"}, **settings}
    generate(path, config=load_config(overrides=overrides), workers=1)
    return open_dataset(path)


@pytest.fixture(scope="module")
def drawn(folder: Path) -> Dataset:
    return made(folder / "drawn", "chaos", **DRAWN, **{"notes.sustain": [False, True]})


def test_rows_have_what_was_drawn_and_a_note_tells_it(drawn):
    columns = drawn.get_batch(slice(None), ["bend", "modwheel", "sustain"])
    assert [columns[name].dtype.name for name in columns] == ["float64", "float64", "bool"]
    assert len(set(columns["bend"])) == 6
    assert (columns["bend"] * 8192 == np.round(columns["bend"] * 8192)).all()
    assert set(columns["modwheel"]) == {0.5}
    for row in range(6):
        note = drawn[row].note
        assert (note.bend, note.modwheel, note.sustain) == tuple(columns[name][row] for name in columns)


def test_a_row_sounds_bent(drawn):
    row = drawn[0]
    cycles = np.flatnonzero(np.diff(np.signbit(row.audio[0])))
    wanted = row.parameters["freq"].raw * 2 ** ((row.note.pitch - 69 + 2 * row.note.bend) / 12)
    assert 8000 * (len(cycles) - 1) / 2 / (cycles[-1] - cycles[0]) == pytest.approx(wanted, rel=0.02)


@pytest.mark.long
def test_a_row_renders_again_and_so_does_its_label(folder: Path, drawn):
    project = Project(folder)
    for arguments in (
        ("verify", "--render", 6, "drawn"),
        ("export", "drawn", "--row", 1, "--label", "one.json"),
        ("render", "one.json", "--like", "drawn", "--audio", "one.wav"),
    ):
        done = project.run(*arguments)
        assert done.status == 0, done.stderr
    told = json.loads((project.folder / "one.json").read_text())["note"]
    assert (told["bend"], told["sustain"]) == (drawn[1].note.bend, drawn[1].note.sustain)
    samples = (project.folder / "one.wav").read_bytes()[-drawn[1].audio.nbytes :]
    assert np.frombuffer(samples, "<f4").reshape(-1, 2).T.tobytes() == drawn[1].audio.tobytes()


def test_a_label_file_tells_them_and_what_it_does_not_tell_is_at_rest(drawn, tmp_path):
    label = label_of_patch(drawn.space, drawn[0].patch, drawn[0].note)
    path = tmp_path / "label.json"
    path.write_text(json.dumps(label))
    assert read_label(path, drawn).note == drawn[0].note
    path.write_text(json.dumps({**label, "note": {"pitch": 60, "modwheel": 0.25}}))
    note = read_label(path, drawn).note
    assert (note.bend, note.modwheel, note.sustain) == (0.0, 0.25, False)
    path.write_text(json.dumps({**label, "note": {"bend": 2.0}}))
    with pytest.raises(ConfigError, match=r"the bend is 2; expected a number from -1 to 1\."):
        read_label(path, drawn)


def test_what_cannot_be_played_is_refused_before_anything_is_written(folder: Path):
    with pytest.raises(ConfigError, match=r"notes\.bend: plain does not take the pitch bend\. It takes neither wheel"):
        made(folder / "refused", "plain", **{"notes.bend": 0.5})
    assert not (folder / "refused").exists()
