"""Marked rows as files: what is written, what is left out, and what is not overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.previews import damage

from tonesmith.dataset.wav import wav_of
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.host.registry import Host
from tonesmith.preview.exporting import Exporter
from tonesmith.preview.session import Session


class Writing(Host):
    """Finds a backend that writes presets."""

    def __init__(self) -> None:
        pass

    def find(self, role: str, name: str) -> Any:
        class Backend:
            preset_suffix = ".made"
            preset_needs_engine = False

            @staticmethod
            def preset(patch: Any, assets: Any, name: str) -> bytes:
                return name.encode()

        return Backend


def test_sound_label_and_preset_of_each_row_are_written_once(path: Path) -> None:
    dataset = Session.open(path).dataset
    exporter = Exporter(dataset, "d", Writing())
    done = exporter.rows([3, 12], Path("out/deep"))
    assert str(done) == "2 rows written to out/deep (6 files)."
    names = {file.name for file in Path("out/deep").iterdir()}
    assert names == {f"row-0000{n}{suffix}" for n in ("03", "12") for suffix in (".wav", ".json", ".made")}
    assert Path("out/deep/row-000003.wav").read_bytes() == wav_of(dataset[3].audio, 8000)
    assert json.loads(Path("out/deep/row-000012.json").read_text())["row"] == 12
    assert Path("out/deep/row-000012.made").read_bytes() == b"d row 12"

    assert str(exporter.rows([3], Path("out/deep"))) == "1 row written to out/deep (3 files)."
    Path("out/deep/row-000003.wav").write_bytes(b"mine")
    with pytest.raises(DatasetError, match=r"row-000003.wav exists and is something else. Name another folder"):
        exporter.rows([3], Path("out/deep"))
    assert Path("out/deep/row-000003.wav").read_bytes() == b"mine"


def test_what_cannot_be_written_is_left_out_and_told(path: Path) -> None:
    damage(path, 1)
    done = Session.open(path).exporter.rows([2, 9, 99], Path("out"))
    assert (done.rows, done.files) == (1, 2)
    assert done.remarks[0].startswith("No presets: ")
    assert done.remarks[1].startswith("Row 9 is left out: ")
    assert done.remarks[2] == "Row 99 is left out: the dataset does not have it."


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_folder_that_is_none_is_refused(path: Path, kind: str) -> None:
    elsewhere = Path("elsewhere")
    elsewhere.mkdir()
    if kind == "file":
        Path("out").write_text("mine")
    else:
        Path("out").symlink_to("elsewhere")
    with pytest.raises((ConfigError, DatasetError), match=f"out is a {kind}"):
        Session.open(path).exporter.sound(2, Path("out"))
    assert not any(elsewhere.iterdir())


def test_a_sound_is_written_with_every_sample(path: Path) -> None:
    session = Session.open(path)
    written = session.exporter.sound(6, session.folder)
    assert str(written) == "d.export/row-000006.wav"
    samples = np.frombuffer(written.read_bytes()[-2000 * 8 :], "<f4").reshape(-1, 2).T
    np.testing.assert_array_equal(samples, session.dataset[6].audio)
