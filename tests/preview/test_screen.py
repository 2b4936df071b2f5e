"""The screen, typed on as a person does."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.previews import FakeOutput, Screen, damage, look
from support.processes import wait_for

from tonesmith.preview.session import Session
from tonesmith.screen.player import NoOutputError


class Outputs:
    """Opens outputs that take nothing more than a first piece until they are let."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.written: list[Any] = []

    def __call__(self, rate: int) -> FakeOutput:
        output = FakeOutput(rate)
        output.write = self._write  # type: ignore[method-assign]
        return output

    def _write(self, audio: Any) -> None:
        self.written.append(audio)
        self.free.wait(60)


def cutoffs(screen: Screen) -> list[float]:
    return [screen.app.session.dataset[i].parameters["cutoff"].value for i in screen.app.table.order]


def test_rows_are_listed_moved_through_filtered_and_sorted(path: Path) -> None:
    async def script(screen: Screen) -> None:
        assert screen.title() == "d.zarr  20 rows"
        assert "row pitch vel origin" in screen.text()
        assert screen.panel().startswith("row 0  patch 0")
        await screen.press("down", "j")
        assert screen.panel().startswith("row 2  patch 1")
        await screen.press("slash")
        await screen.type("cutof > 60")
        assert screen.told() == "filter: column 1: unknown name 'cutof'. Did you mean 'cutoff'?"
        assert "filter: cutof > 60" in screen.text()
        await screen.type("pitch = 60 and not origin = lhs")
        assert screen.title().startswith("d.zarr  4 of 20 rows  filter: pitch = 60 and not")
        await screen.press("s")
        await screen.type("cutoff")
        assert cutoffs(screen) == sorted(cutoffs(screen))
        await screen.press("S")
        assert cutoffs(screen) == sorted(cutoffs(screen), reverse=True)
        assert "▼cutoff" in screen.text()

    look(Session.open(path), script)


@pytest.mark.long
def test_a_row_is_told_by_groups_with_what_is_not_heard_marked(path: Path) -> None:
    async def script(screen: Screen) -> None:
        await screen.press(*["down"] * 4)
        lines = {line.text: line for line in screen.app.query_one("Label")._lines}
        row = screen.app.session.dataset[4]
        off = dict(zip(row.parameters, (not heard for heard in row.audible.tolist()), strict=True))
        assert off == {"level": False, "cutoff": False, "filter_on": False, "slope": True}
        assert lines["· slope"].kind == "faint"
        assert lines["  cutoff"].value == row.parameters["cutoff"].text
        assert [line.text for line in lines.values() if line.kind == "group"] == ["parameters", "filter", "modulations"]
        assert all(m.source in screen.panel() for m in row.label.modulations)

    look(Session.open(path), script)


@pytest.mark.long
def test_names_that_would_drive_a_terminal_are_shown_as_text(path: Path) -> None:
    async def script(screen: Screen) -> None:
        await screen.press(*["down"] * 6)
        assert "[red]Lead[/red]" in screen.panel()
        await screen.press("slash")
        await screen.type("'[red]Lead'")
        assert screen.title().startswith("d.zarr  2 of 20 rows  filter: '[red]Lead'")
        everything = screen.text()
        assert "]0;title [2J l" in everything
        assert all(c.isprintable() or c == "\n" for c in everything)

    look(Session.open(path), script)


def test_space_plays_and_stops_and_autoplay_plays_what_is_moved_to(path: Path) -> None:
    outputs = Outputs()
    dataset = Session.open(path).dataset

    def played(index: int, part: slice) -> Any:
        audio = dataset[index].audio
        return audio[:, part] / max(1.0, float(np.abs(audio).max()))

    async def script(screen: Screen) -> None:
        await screen.press("down", "down", "space")
        wait_for(lambda: outputs.written)
        assert screen.app.listening.player.playing
        await screen.press("space")
        assert not screen.app.listening.player.playing
        np.testing.assert_allclose(outputs.written[0], played(2, slice(320)), rtol=1e-5)
        outputs.free.set()
        await screen.press("p", "down", "down")
        wait_for(lambda: outputs.written[-1].shape[1] == 80)  # the last piece of a sound
        assert "autoplay" in screen.title()
        np.testing.assert_allclose(outputs.written[-1], played(4, slice(1920, None)), rtol=1e-5)
        await screen.press("a", "down", "b")  # before the row was read
        await screen.press("x")
        assert ">A row 4" in screen.title()

    look(Session.open(path), script, outputs)


@pytest.mark.long
def test_ratings_and_marks_are_kept_and_marked_rows_exported(path: Path) -> None:
    async def script(screen: Screen) -> None:
        await screen.press("4", "m", "down", "1", "0")
        assert "*4 " in screen.text()
        await screen.press("E")
        await screen.type("there")
        assert screen.told().startswith("1 row written to there (2 files). No presets: ")

    async def again(screen: Screen) -> None:
        assert "*4 " in screen.text()
        assert "1 marked" in screen.title()
        await screen.press("slash")
        await screen.type("rating > 3")
        assert screen.title().startswith("d.zarr  1 of 20 rows")

    look(Session.open(path), script)
    assert sorted(file.name for file in Path("there").iterdir()) == ["row-000000.json", "row-000000.wav"]
    look(Session.open(path), again)


@pytest.mark.long
def test_without_an_output_the_wav_is_offered_and_written(path: Path) -> None:
    def none(rate: int) -> Any:
        raise NoOutputError("there is no sound output on this machine")

    async def script(screen: Screen) -> None:
        await screen.press("space")
        await screen.until(screen.told)
        assert screen.told() == "There is no sound output on this machine. Press e to write the WAV file."
        await screen.press("e")
        assert screen.told() == "Written: d.export/row-000000.wav"

    look(Session.open(path), script, none)
    assert Path("d.export/row-000000.wav").stat().st_size > 16_000


@pytest.mark.long
def test_rejects_are_shown_with_their_reasons(path: Path) -> None:
    async def script(screen: Screen) -> None:
        await screen.press("r", "down")
        assert screen.title() == "d.zarr  6 rejects"
        assert screen.panel().splitlines()[:3] == [
            "reject 1  patch 0  attempt 1  pitch 60",
            "rejected by level: clipped",
            "peak 0.1 dBFS",
        ]
        await screen.press("m", "space", "e")
        assert screen.app.session.marks.rows == []
        await screen.press("r")
        assert screen.title() == "d.zarr  20 rows"

    look(Session.open(path), script)


@pytest.mark.long
def test_a_damaged_row_is_told_in_its_place_and_the_rest_goes_on(path: Path) -> None:
    damage(path, 1, "audio")
    damage(path, 2, "pitch")

    async def script(screen: Screen) -> None:
        await screen.press(*["down"] * 9)
        assert "block 1 is damaged" in screen.panel()
        assert "16 cannot be read" in screen.text()
        await screen.press("home")
        assert screen.panel().startswith("row 0 ")
        await screen.press("slash")
        await screen.type("pitch > 0")
        assert screen.title().startswith("d.zarr  16 of 20 rows")
        assert screen.told() == "4 rows of damaged blocks cannot be read. See: tonesmith verify"

    look(Session.open(path), script)


@pytest.mark.long
def test_a_dataset_that_vanishes_is_told_and_the_screen_stays(path: Path) -> None:
    async def script(screen: Screen) -> None:
        shutil.rmtree(path)
        await screen.press("down", "down")
        assert "d.zarr" in screen.panel()
        await screen.press("slash")
        await screen.type("cutoff > 60")
        assert screen.told() == "d.zarr is no longer there. Open it where it is now."
        assert screen.title() == "d.zarr  20 rows"

    look(Session.open(path), script)


@pytest.mark.long
def test_rows_that_came_since_are_read_when_they_are_asked_for(path: Path) -> None:
    session = Session.open(path)
    whole = dict(session.dataset.committed)
    session.dataset._committed = {0: whole[0]}

    async def script(screen: Screen) -> None:
        assert screen.title() == "d.zarr  8 rows"
        await screen.press("down", "down")
        screen.app.submit("growth", lambda _: screen.app.session.grown())
        await screen.settle()
        assert screen.told() == "12 rows more by now. Press u to read them."
        await screen.press("u")
        await screen.settle()
        assert screen.title() == "d.zarr  20 rows"
        assert screen.told() == "12 rows more."
        assert screen.panel().startswith("row 2 ")

    look(session, script)


@pytest.mark.long
def test_reading_can_be_stopped_and_the_list_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session.open(path)
    free = threading.Event()
    read = session.rows.read
    monkeypatch.setattr(session.rows, "read", lambda names, report: (free.wait(20), read(names, report))[1])

    async def script(screen: Screen) -> None:
        await screen.press("slash")
        screen.app.query_one("Input").value = "pitch = 60"
        await screen._pilot.press("enter")
        assert screen.app.busy
        await screen._pilot.press("escape")
        assert screen.told() == "Stopped. The list is as it was."
        free.set()
        await screen.settle()
        assert screen.title() == "d.zarr  20 rows"

    async def blocked(screen: Screen) -> None:
        free.clear()
        await script(screen)

    free.set()
    look(session, blocked)


@pytest.mark.long
def test_help_lists_keys_and_names_and_every_key_that_is_bound_is_in_it(path: Path) -> None:
    from tonesmith.preview.widgets.app import Preview
    from tonesmith.preview.widgets.help import KEYS

    async def script(screen: Screen) -> None:
        await screen.press("question_mark")
        assert "Keys (escape closes this page)" in screen.text()
        await screen.press("end")
        assert "slope" in screen.text()
        await screen.press("escape")
        assert "Keys (escape" not in screen.text()

    look(Session.open(path), script)
    listed = {key for keys, _ in KEYS for key in keys.replace(" to ", ", 2, 3, 4, ").split(", ")}
    bound = set(Preview._merged_bindings.key_to_bindings) if Preview._merged_bindings else set()
    assert len(bound) > 20
    named = {"slash": "/", "question_mark": "?"}
    missing = {named.get(key, key) for key in bound} - listed - {"?", "f1", "ctrl+c", "ctrl+q"}
    assert missing == set()


@pytest.mark.long
@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60), (20, 5)])
def test_every_size_of_terminal_is_drawn(path: Path, size: tuple[int, int]) -> None:
    async def script(screen: Screen) -> None:
        await screen.press("end", "r", "r", "question_mark", "escape", "tab", "down", "t")
        assert screen.app.is_running

    look(Session.open(path), script, size=size)


@pytest.mark.long
def test_without_colours_the_spectrogram_is_shaded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(screen: Screen) -> None:
        await screen.press("down", "down")
        assert set("░▒▓") & set(screen.text())

    look(Session.open(path), script)


@pytest.mark.long
def test_ctrl_c_ends_it_as_an_interrupt_and_q_as_a_success(path: Path) -> None:
    async def interrupt(screen: Screen) -> None:
        await screen._pilot.press("ctrl+c")

    async def leave(screen: Screen) -> None:
        await screen._pilot.press("q")

    assert look(Session.open(path), interrupt).return_code == 130
    assert look(Session.open(path), leave).return_code in {0, None}


@pytest.mark.long
def test_a_click_chooses_a_row_or_sorts_by_a_head(path: Path) -> None:
    async def script(screen: Screen) -> None:
        await screen._pilot.click("Table", offset=(8, 6))
        await screen.settle()
        assert screen.panel().startswith("row 5 ")
        await screen._pilot.click("Table", offset=(14, 0))
        await screen.settle()
        assert "▲pitch" in screen.text()
        await screen._pilot.click("Table", offset=(14, 0))
        await screen.settle()
        assert "▼pitch" in screen.text()

    look(Session.open(path), script)


@pytest.mark.long
def test_a_row_is_gone_to_by_its_number(path: Path) -> None:
    async def script(screen: Screen) -> None:
        await screen.press("g")
        await screen.type("17")
        assert screen.panel().startswith("row 17 ")
        await screen.press("g")
        await screen.type("99")
        assert screen.told() == "row: column 1: 99 is no row of this list"
        await screen.press("escape")
        assert screen.panel().startswith("row 17 ")

    look(Session.open(path), script)


@pytest.mark.long
def test_a_dataset_without_rows_is_shown(path: Path) -> None:
    session = Session.open(path)
    session.dataset._committed = {}

    async def script(screen: Screen) -> None:
        assert screen.title() == "d.zarr  0 rows"
        await screen.press("down", "end", "space", "m", "e", "a", "x", "S", "slash")
        await screen.type("pitch = 60")
        assert screen.title() == "d.zarr  0 rows  filter: pitch = 60"

    look(session, script)


@pytest.mark.long
def test_a_dataset_in_a_bucket_is_shown_and_its_marks_are_kept_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from support.buckets import served

    from tonesmith.buckets import client
    from tonesmith.buckets.address import place_of

    monkeypatch.setattr(client, "_stores", {})
    monkeypatch.setattr(client, "_process", 0)
    with served() as server:
        given = {"ENDPOINT_URL": server.endpoint, "ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret"}
        for variable, value in {**given, "REGION": "us-east-1"}.items():
            monkeypatch.setenv(f"AWS_{variable}", value)
        there = place_of("s3://bucket/d.zarr")
        for file in path.rglob("*"):
            if file.is_file():
                (there / file.relative_to(path).as_posix()).write_bytes(file.read_bytes())

        async def script(screen: Screen) -> None:
            assert screen.title() == "d.zarr  20 rows"
            assert screen.panel().startswith("row 0 ")
            await screen.press("m", "3")

        look(Session.open(there), script)
        assert Session.open(there).marks.rows == [0]
