"""Many sounds from one file: all checked first, made in order, and left where they are there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile
from support.sounds import tone, write

from tonesmith.explorer import fit, make, open_model

BATCH = """
seconds = 0.3
model = "one"

[[sound]]
out = "a.flac"
set = { axis1 = "-1..0", azimuth = [-90, 90] }
channels = "binaural"

[[sound]]
out = "b.opus"
from = ["tone.wav"]
set = { stretch = 2.0 }
seed = 4
"""
NEW = BATCH.replace("a.flac", "new.flac").replace("b.opus", "new.opus")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    for number, hertz in enumerate((220.0, 330.0, 440.0)):
        write(folder / f"{number}.wav", tone(hertz, 0.3, 3 + 4 * number, seed=number))
    fit(folder / "one", sorted(folder.glob("*.wav")))
    write(folder / "tone.wav", tone(262.0, 0.2))
    return folder


@pytest.fixture
def here(home: Path) -> Path:
    return home


@pytest.mark.long
def test_a_batch_makes_what_is_not_there_and_each_sound_is_as_one_alone(told, home):
    (home / "batch.toml").write_text(BATCH)
    status, out, err = told("make", "--batch", "batch.toml", "-q")
    assert (status, err) == (0, "")
    assert "batch.toml: 2 sounds made" in out
    assert max(map(len, out.splitlines())) <= 80
    values: dict[str, Any] = {"sources": [home / "tone.wav"], "sliders": {"stretch": 2.0}, "seconds": 0.3, "seed": 4}
    (home / "alone").mkdir()
    make(open_model(home / "one"), home / "alone" / "b.opus", **values)
    assert (home / "b.opus").read_bytes() == (home / "alone" / "b.opus").read_bytes()
    assert soundfile.info(home / "a.flac").channels == 2
    (home / "b.opus").unlink()
    before = (home / "a.flac").stat().st_mtime_ns
    status, out, _ = told("make", "--batch", "batch.toml", "--json", "-q")
    found = json.loads(out)
    assert (status, found["left"], [made["path"] for made in found["made"]]) == (0, ["a.flac"], ["b.opus"])
    assert (home / "a.flac").stat().st_mtime_ns == before
    (home / "batch.toml").write_text(BATCH.replace("seed = 4", "seed = 5"))
    status, _, err = told("make", "--batch", "batch.toml", "-q")
    assert status == 2
    assert "batch.toml, sound 2: --out: b.opus exists" in err


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("new.opus", "../new.opus"), "sound 2: ../new.opus leaves the folder"),
        (("new.opus", "new.flac"), "sound 2: another sound has the same file new.flac."),
        (("stretch", "strech"), "sound 2: --set: unknown slider 'strech'. Did you mean 'stretch'?"),
        (("seed = 4", 'seed = "4"'), "sound 2: seed: its value has not the right type."),
        (("seed = 4", "sed = 4"), "sound 2: sed: there is no such key."),
        (("tone.wav", "nowhere.wav"), "sound 2: --from: there is no file nowhere.wav."),
        (('model = "one"', ""), "sound 1: it names no model."),
        (("[[sound]]", "[[sounds]]"), "has no sounds."),
        (("= 0.3", "="), "is no TOML"),
    ],
)
def test_a_batch_with_a_mistake_makes_nothing(told, home, tmp_path, changed, said):
    (home / "wrong.toml").write_text(NEW.replace(*changed))
    status, _, err = told("make", "--batch", "wrong.toml", "-q")
    assert status == 2
    assert said in err
    assert not list(home.glob("new.*"))


def test_an_option_beside_a_batch_is_refused(told, home):
    (home / "beside.toml").write_text(BATCH)
    status, _, err = told("make", "--batch", "beside.toml", "--seconds", 2, "-q")
    assert status == 2
    assert "--batch: write seconds into beside.toml" in err
