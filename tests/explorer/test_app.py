"""The app: tabs over the same calls as the commands, for this machine alone."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from loudness import integrated_loudness
from support.atlases import write_tiny
from support.sounds import write_five

from tonesmith import ConfigError
from tonesmith.explorer.app.workshop import Wanted, Workshop
from tonesmith.explorer.given import GIVEN

gradio_client = pytest.importorskip("gradio_client", reason="pip install 'tonesmith[explore]'")

WANDER = "wander through all sounds"


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("five")
    write_five(folder)
    return sorted(str(path) for path in folder.iterdir())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, sounds: list[str]) -> Workshop:
    """A workshop with a model of five sounds."""
    made = Workshop(tmp_path_factory.mktemp("shop"))
    made.fit("five", sounds)
    return made


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A workshop with a model that was not fitted."""
    made = Workshop(tmp_path_factory.mktemp("tiny"))
    write_tiny(made.root / "five")
    return made


@pytest.fixture(scope="module")
def served(shop: Workshop) -> Iterator[str]:
    """The address of an app of that workshop, as a person starts it."""
    command = [Path(sys.executable).with_name("tonesmith"), "explore", "app", "--library", shop.root, "--port", "0"]
    with subprocess.Popen([*command, "--no-browser"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address, told, *_ = process.stdout.readline().split()
            assert told == "shows"
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130


@pytest.fixture(scope="module")
def client(served: str) -> Any:
    return gradio_client.Client(served, verbose=False, analytics_enabled=False)


def played(client: Any, *steps: float, name: str = "five", seconds: float = 0.5) -> Any:
    """Return what pressing Make gives: the sound (samples, channels), and what is said of it."""
    rest = [slider.rest or 0.0 for slider in GIVEN.values()]
    chosen = (name, WANDER, seconds, 0, 3, "as the sounds have", None, ".flac")
    told = client.predict(*chosen, *rest, *steps, api_name="/make")
    return soundfile.read(told[0], always_2d=True)[0], told[2]


@pytest.mark.long
def test_a_slider_makes_another_sound_and_none_the_same_again(client: Any, shop: Workshop) -> None:
    plain, told = played(client)
    again, _ = played(client)
    moved, _ = played(client, 1.0)

    assert told.startswith("five-001.flac, 0.5 s, seed 3")
    assert plain.shape == again.shape == moved.shape
    assert np.array_equal(plain, again)
    assert not np.array_equal(plain, moved)
    assert shop.made()[-1] == "five-001.flac"


@pytest.mark.long
def test_sliders_are_shown_with_their_confidence_and_their_range(client: Any, shop: Workshop) -> None:
    source, _, *sliders = client.predict("five", api_name="/choose")
    shown = [slider for slider in sliders if slider.get("visible")]
    known = shop.about("five").sliders

    assert [name for name, _ in source["choices"]][1:] == [sound.name for sound in shop.about("five").sounds]
    assert len(shown) == len(known) > 0
    for slider, about in zip(shown, known, strict=True):
        assert slider["label"] == f"{about['name']} · confidence {about['confidence']:.2f}"
        assert f"{about['low']:+.1f} to {about['high']:+.1f}" in slider["info"]


@pytest.mark.long
def test_what_made_a_sound_is_kept_as_a_preset_and_recalled(client: Any, shop: Workshop) -> None:
    _, told = played(client, 1.5, seconds=0.7)
    client.predict("five", "loud", told.split(",")[0], api_name="/save_preset")
    source, seconds, _, seed, channels, *values = client.predict("five", "loud", api_name="/recall")

    assert shop.presets("five") == ["loud"]
    assert (source, seconds, seed, channels) == (WANDER, 0.7, 3, "as the sounds have")
    assert values[len(GIVEN)] == 1.5
    assert not any(values[len(GIVEN) + 1 :])


@pytest.mark.long
def test_two_sounds_are_compared_at_the_same_loudness(client: Any, shop: Workshop) -> None:
    played(client)
    played(client, 1.0)
    first, second, told = client.predict(*shop.made()[:2], api_name="/compare")

    loudness = [integrated_loudness(soundfile.read(path, always_2d=True)[0], 48_000) for path in (first, second)]
    assert loudness[0] == pytest.approx(loudness[1], abs=0.1)
    assert "brightness" in (told["value"] if isinstance(told, dict) else told)


@pytest.mark.parametrize("name", ["../five", "/etc", ".", "", "made", "a/b", "a\0b"])
def test_a_model_has_a_name_and_no_path(tiny: Workshop, sounds: list[str], name: str) -> None:
    before = sorted(tiny.root.parent.rglob("*"))
    with pytest.raises(ConfigError):
        tiny.fit(name, sounds)
    with pytest.raises(ConfigError, match="unknown model"):
        tiny.make(name, Wanted())
    assert sorted(tiny.root.parent.rglob("*")) == before


@pytest.mark.long
def test_a_model_is_fitted_to_a_folder_that_is_named(client: Any, shop: Workshop, tmp_path: Path) -> None:
    write_five(tmp_path / "named")
    client.predict([], f" {tmp_path / 'named'} ", 0, "named", False, api_name="/fit")
    assert len(shop.about("named").sounds) == 5
    with pytest.raises(gradio_client.exceptions.AppError, match="choose rows of a dataset"):
        client.predict([], str(tmp_path / "named"), 3, "rows", False, api_name="/fit")


@pytest.mark.long
def test_what_is_wrong_is_said_on_the_page(client: Any) -> None:
    with pytest.raises(gradio_client.exceptions.AppError, match="unknown model 'six'"):
        played(client, name="six")
    with pytest.raises(gradio_client.exceptions.AppError, match=r"expected 0\.1 to"):
        played(client, seconds=0.0)


@pytest.mark.long
def test_it_listens_to_this_machine_alone(served: str) -> None:
    port = int(served.rstrip("/").rpartition(":")[2])
    assert served.startswith("http://127.0.0.1:")
    with socket.socket() as asked, pytest.raises(ConnectionRefusedError):
        asked.connect(("127.0.0.2", port))


@pytest.mark.long
@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../etc/passwd"])
def test_no_file_outside_its_folder_is_served(served: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match=r"403|404"):
        urllib.request.urlopen(f"{served.rstrip('/')}/gradio_api/file={path}", timeout=10)  # noqa: S310 - our own address
