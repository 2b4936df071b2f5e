"""``explore show``: the map of the sounds, how new what was made is, and the page with both."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from support.browser import browser
from support.sounds import tone, write

from tonesmith.explorer import fit, make, sliders
from tonesmith.explorer.atlas import Trial
from tonesmith.explorer.page import page_of
from tonesmith.explorer.stored import load, read_description
from tonesmith.explorer.surveyed import distance, surveyed

HOSTILE = '"><script>alert(1)<img src=x>.wav'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of four sounds, one of which has a name that would do harm, and two sounds made with it."""
    folder = tmp_path_factory.mktemp("page")
    for number, hertz in enumerate((220.0, 225.0, 3000.0)):
        write(folder / f"{number}.wav", tone(hertz, 0.2, seed=number))
    write(folder / HOSTILE, tone(230.0, 0.2, seed=9))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sliders, "DRAWS", 60)  # sliders are not the point here
        model = fit(folder / "m", sorted(folder.glob("*.wav")))
    make(model, folder / "copy.flac", sources=["2"], seconds=0.2)
    make(model, folder / "gone.flac", sources=["0"], seconds=0.2)
    (folder / "gone.flac").unlink()
    return folder


@pytest.fixture
def here(home: Path) -> Path:
    return home


class Parsed(HTMLParser):
    """The tags of a page, their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_loads_nothing_runs_nothing_and_shows_names_as_they_are(told, home):
    status, out, err = told("show", "m", "--html", "m.html", "--json")
    assert (status, json.loads(out)["html"]) == (0, "m.html"), err
    page = (home / "m.html").read_text()
    parsed = Parsed(page)
    assert not {"script", "img", "link", "iframe", "a"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name in {"src", "href"} or name.startswith("on")]
    assert "default-src 'none'" in page
    assert HOSTILE in parsed.text
    errors = json.loads(out)["errors"]
    assert f"{errors['held_out']:.2f} dB" in parsed.text
    status, _, err = told("show", "m", "--html", "m.html")
    assert (status, "m.html exists" in err) == (2, True)


def test_text_and_json_have_the_map_and_the_novelty_of_what_was_made(told):
    shown = json.loads(told("show", "m", "--json")[1])
    copied, gone = shown["made"]
    assert copied["novelty"] < 0.5
    assert (gone["novelty"], gone["why"]) == (None, "gone")
    at = {place["name"]: np.array([place["x"], place["y"]]) for place in shown["map"]["sounds"]}
    assert np.linalg.norm(at["0.wav"] - at["1.wav"]) < 0.75 * np.linalg.norm(at["0.wav"] - at["2.wav"])
    lines = told("show", "m")[1].splitlines()
    assert any(re.search(rf"copy\.flac +{copied['novelty']:.2f}", line) for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_distance_is_that_to_the_nearest_frame_in_deviations():
    frames = np.zeros((3, 16), np.float32)
    others = np.stack([np.full(16, 2.0), np.full(16, -1.0)]).astype(np.float32)
    assert distance(frames, others) == pytest.approx(1.0)


def test_a_trial_is_shown_side_by_side(home):
    from dataclasses import replace

    trial = Trial("vae", False, 2, 40, 3.21, 3.54, 0.5, 2.22, 2.33, {})
    page = page_of(replace(read_description(home / "m"), trial=trial), home / "m", surveyed(load(home / "m")[0], home))
    assert "Atlas and vae" in page
    assert all(f"{value} dB" in page for value in (3.21, 3.54, 2.22, 2.33))


@pytest.mark.long
def test_a_browser_asks_for_nothing_and_has_nothing_to_say_of_a_page(told, home):
    told("show", "m", "--html", "m.html", "--force")
    with browser() as opened:
        opened.driver.get((home / "m.html").as_uri())
        asked = [address for address in opened.requests() if not address.endswith("favicon.ico")]
        assert opened.messages() == []
        assert asked == [(home / "m.html").as_uri()]
