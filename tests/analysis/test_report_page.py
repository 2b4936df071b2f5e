"""What the page of a report does in a browser: it is heard, filtered and read, and it asks nobody for anything."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.browser import Browser, browser
from support.builders import write_dataset

from tonesmith.analysis.report.report import write_comparison, write_report
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import sha256_hex
from tonesmith.space.preset import PresetRef
from tonesmith.space.space import ParameterSpace
from tonesmith.testing.synthetic import synthetic_plan, synthetic_space

EVIL = "<script>document.body.dataset.evil = 1</script>"
IMAGE = "<img src=x onerror='document.body.dataset.evil = 2'>"


def evil_plan() -> Any:
    """Return a plan whose presets, parameters and choices have names that a page must not obey."""
    space = synthetic_space()
    named = Parameter(IMAGE, "continuous", 0.0, 1.0, 0.5, unit=EVIL)
    chosen = Parameter("choice", "categorical", 0, 2, 0, choices=(EVIL, "\u202egnp", "plain"))
    space = ParameterSpace(
        (*space.parameters, named, chosen), space.fixed, space.sources, space.destinations, 3, space.assets
    )
    presets = tuple(
        PresetRef(sha256_hex(b"%d" % patch), sha256_hex(b"patch"), EVIL, IMAGE, "", EVIL) for patch in range(0, 30, 3)
    )
    return replace(synthetic_plan(patches=30, block=30, frames=4000, space=space), presets=presets)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of 60 rows of half a second."""
    folder = tmp_path_factory.mktemp("page")
    path = write_dataset(folder / "d.zarr", (0,), evil_plan()).path
    return write_report(path, folder / "r.html").path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def opened(chromium: Browser, page: Path) -> Browser:
    chromium.open(page)
    return chromium


DRAW_ALL = """
const left = [...document.querySelectorAll("figure")].find((figure) => !figure.dataset.drawn);
left?.scrollIntoView();
return !left;
"""
INKED = """
const canvas = document.getElementById("canvas");
const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
let inked = 0;
for (let i = 3; i < pixels.length; i += 4) inked += pixels[i] > 0;
return inked;
"""
SUM = """
const titled = (figure) => figure.querySelector("h3").textContent === arguments[0];
const figure = [...document.querySelectorAll("figure")].find(titled);
const details = figure.querySelector("details");
details.open = true;
return new Promise((done) => setTimeout(() => done(
  [...figure.querySelectorAll("tbody tr")].reduce((sum, row) => sum + Number(row.lastChild.textContent), 0)), 100));
"""


def test_all_is_drawn_without_a_message_or_a_request_and_no_name_is_obeyed(opened: Browser, page: Path) -> None:
    opened.until(DRAW_ALL)
    assert opened.run(INKED) > 60 * 20
    assert opened.run("return document.querySelectorAll('.drawn svg').length") >= 8
    assert opened.requests() == [page.as_uri()]
    assert opened.messages() == []
    assert opened.run("return document.body.dataset.evil") is None
    texts = opened.run("return document.body.innerText")
    assert EVIL[:30] in texts
    assert "\u202e" not in texts


def test_a_click_sounds(opened: Browser) -> None:
    opened.run(
        """
        const context = new AudioContext();
        const audio = document.getElementById("audio");
        const analyser = context.createAnalyser();
        context.createMediaElementSource(audio).connect(analyser).connect(context.destination);
        window.loudest = 0;
        const samples = new Float32Array(analyser.fftSize);
        setInterval(() => {
          analyser.getFloatTimeDomainData(samples);
          window.loudest = Math.max(window.loudest, ...samples.map(Math.abs));
        }, 5);
        """
    )
    loud = "return [...document.querySelectorAll('.card')].find((c) => c.textContent.includes('loudest'))"
    opened.driver.execute_script(loud).click()
    opened.until("return window.loudest > 0.05")
    assert opened.run("return document.getElementById('picture').naturalWidth") > 10
    assert opened.run("return document.getElementById('now-title').textContent").startswith("row ")


def test_arrow_keys_play_the_next_sound_and_a_colour_selects(opened: Browser) -> None:
    canvas = opened.driver.find_element("id", "canvas")
    canvas.send_keys("\ue014")  # the right arrow
    first = opened.run("return document.getElementById('now-title').textContent")
    canvas.send_keys("\ue012")
    second = opened.run("return document.getElementById('now-title').textContent")
    assert first.startswith("row ")
    assert second.startswith("row ")
    assert first != second

    assert opened.run(SUM, "MIDI pitch") == 60
    opened.run("document.getElementById('colour').value = 0; document.getElementById('colour').onchange?.()")
    opened.run("document.getElementById('colour').dispatchEvent(new Event('change'))")
    opened.driver.find_element("css selector", "#legend button").click()
    told = opened.run("return document.getElementById('chosen').textContent")
    selected = int(told.partition(" ")[0])
    assert told == f"{selected} of 60 sounds selected"
    assert 0 < selected < 60
    assert opened.run(SUM, "MIDI pitch") == selected
    canvas.send_keys("\ue00c")  # Escape
    assert opened.run(SUM, "MIDI pitch") == 60


def test_a_box_that_is_dragged_selects_what_is_in_it(opened: Browser) -> None:
    from selenium.webdriver import ActionChains

    canvas = opened.driver.find_element("id", "canvas")
    opened.run("arguments[0].scrollIntoView({block: 'center'})", canvas)
    half, height = canvas.size["width"] // 2, canvas.size["height"] // 2
    ActionChains(opened.driver).move_to_element_with_offset(
        canvas, 2 - half, 2 - height
    ).click_and_hold().move_by_offset(half, 2 * height - 4).release().perform()
    told = opened.run("return document.getElementById('chosen').textContent")
    assert 0 < int(told.partition(" ")[0]) < 60


@pytest.mark.long
def test_no_serious_fault_for_who_cannot_see_it(opened: Browser, page: Path) -> None:
    spec = importlib.util.find_spec("axe_core_python")
    if spec is None or spec.origin is None:
        pytest.skip("no axe-core-python here")
    script = Path(spec.origin).parent / "axe.min.js"
    opened.driver.set_script_timeout(150)
    for dark in (False, True):
        opened.open(page, dark=dark)
        opened.until(DRAW_ALL)
        opened.driver.find_element("css selector", ".card").click()
        opened.run("for (const d of [...document.querySelectorAll('details')].slice(0, 2)) d.open = true")
        opened.run(script.read_text())
        found = opened.driver.execute_async_script("axe.run(document).then(arguments[0])")
        serious = [v for v in found["violations"] if isinstance(v, str) or v["impact"] in {"serious", "critical"}]
        assert [
            v if isinstance(v, str) else (v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in serious
        ] == []


def test_a_dark_page_is_dark_and_a_light_one_light(opened: Browser, page: Path, tmp_path: Path) -> None:
    from matplotlib.image import imread

    light = imread(opened.picture(tmp_path / "light.png"))[..., :3].mean()
    opened.open(page, dark=True)
    dark = imread(opened.picture(tmp_path / "dark.png"))[..., :3].mean()
    assert light > 0.8
    assert dark < 0.25


@pytest.mark.long
def test_two_datasets_are_drawn_without_a_message_or_a_request(chromium: Browser, tmp_path: Path) -> None:
    for name, patches in (("a.zarr", 6), ("b.zarr", 8)):
        write_dataset(tmp_path / name, (0,), synthetic_plan(patches=patches, block=8, frames=2000))
    page = write_comparison(tmp_path / "a.zarr", tmp_path / "b.zarr", tmp_path / "c.html").path
    chromium.open(page)
    chromium.until(DRAW_ALL)
    assert chromium.requests() == [page.as_uri()]
    assert chromium.messages() == []


@pytest.mark.long
def test_a_page_of_no_rows_says_so(chromium: Browser, tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "d.zarr", ()).path
    page = write_report(path, tmp_path / "r.html").path
    chromium.open(page)
    assert "The dataset has no rows yet." in chromium.run("return document.body.innerText")
    assert chromium.messages() == []
