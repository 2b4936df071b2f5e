"""The DawDreamer backend: Faust programs, hosted plugins, and a guard for each trap of the engine."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from support import ROOT, sampled, terminal
from support.vst3.build import built

from tonesmith import generate, open_dataset
from tonesmith.backends.dawdreamer import VOICES, DawDreamerBackend, DawDreamerOptions
from tonesmith.backends.dawdreamer.plugin import knobs_of
from tonesmith.engine.client import Engine
from tonesmith.engine.isolation import isolation_of, promise_of
from tonesmith.errors import ConfigError, EngineError
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.patch import Note, Patch
from tonesmith.space.space import ParameterSpace
from tonesmith.testing.backend import BackendContract

NOTE = Note(60, 100, 0.2, 0.1)
FORM = Audio(44100, 2, round(NOTE.duration * 44100))
SHORT: dict[str, Any] = {"pitches": [60], "hold": 0.3, "tail": 0.1}
AMSYNTH = Path("/usr/lib/vst/amsynth_vst.so")
FIXTURE = ROOT / "tests" / "support" / "vst2" / "tinysynth_vst2.c"
ORGAN = """
import("stdfaust.lib");
freq = hslider("freq", 440, 20, 8000, 1); gain = hslider("gain", 0.5, 0, 1, 0.01); gate = button("gate");
bright = hslider("tone/bright[unit:dB]", -6, -40, 0, 0.1) : ba.db2linear;
attack = hslider("[1]attack[unit:s][scale:log]", 0.01, 0.001, 1, 0.001);
process = hgroup("pipe", (os.osc(freq) + bright * os.osc(freq * 2)) * en.adsr(attack, 0.1, 0.8, 0.1, gate))
    * gain <: _, _;
effect = _, _ : par(i, 2, *(hslider("wet", 0.5, 0.1, 1, 0.01)));
"""
needs_gcc = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc, which builds the VST2 of tests/vst2, is not there")


@pytest.fixture(scope="session")
def tinysynth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vst2") / "tinysynth.so"
    subprocess.run(["gcc", "-std=gnu11", "-O1", "-shared", "-fPIC", "-o", path, FIXTURE, "-lm"], check=True, timeout=60)
    return path


class TestSubtractive(BackendContract):
    name = "dawdreamer"
    note = NOTE
    one_note_apart = 0.01  # a key of a score is let go at a multiple of 128 frames


@pytest.mark.long
class TestFmAtAnotherRate(BackendContract):
    name = "dawdreamer"
    options = {"instrument": "fm"}
    sample_rate = 48000
    note = NOTE
    one_note_apart = 0.01


@needs_gcc
class TestPlugin(BackendContract):
    """A VST2 that remembers the phase of the note before, and that a window would kill."""

    name = "dawdreamer"
    options: ClassVar[dict[str, Any]] = {}
    note = NOTE
    onset_grid = 512

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _built(cls, tinysynth: Path) -> None:
        cls.options = {"instrument": str(tinysynth)}


@pytest.mark.skipif(not AMSYNTH.exists(), reason=f"amsynth is not installed (apt install amsynth): no {AMSYNTH}")
class TestAmsynth(BackendContract):
    name = "dawdreamer"
    options = {"instrument": str(AMSYNTH), "bpm": 90.0}
    note = NOTE

    def test_its_lists_are_found_by_their_texts(self, space: ParameterSpace) -> None:
        assert len(space.parameters) == 41
        assert space["osc2_range"].choices == ("0.125", "0.25", "0.5", "1", "2", "4", "8", "16")
        assert space["filter_cutoff"].kind == "continuous"

    def test_forks_of_it_sound_alike_in_every_process(self, reference, description, space) -> None:
        """It promises less, for what holds of one plugin is not known of another."""
        heard = []
        for _ in range(2):
            with self._engine(DawDreamerBackend, reference, description) as engine:
                heard.append([self._played(engine, space, patch).tobytes() for patch in self._patches(space, 2)])
        assert heard[0] == heard[1]


def test_a_vst3_tells_its_choices_and_its_midi_controllers_are_left_out(tmp_path):
    space = described(built(tmp_path, "Tiny")).space

    assert space["Waveform"].choices == ("Sine", "Saw", "Square", "Triangle")
    assert space["Cutoff"].kind == "continuous"
    assert not [p.name for p in space.parameters if "MIDI" in p.name]


def described(instrument: object, sample_rate: int = 44100) -> Any:
    reference = PluginRef("dawdreamer", {"instrument": str(instrument)})
    with Engine(reference, replace(FORM, sample_rate=sample_rate), 1, "reuse", asset=lambda name: b"") as engine:
        return engine.describe(NOTE.hold, NOTE.tail)


def written(folder: Path, text: str, name: str = "organ.dsp") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def organ(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("faust"), ORGAN)


@pytest.fixture(scope="module")
def played(organ: Path) -> Iterator[tuple[Engine, ParameterSpace]]:
    description = described(organ)
    reference = PluginRef("dawdreamer", {"instrument": str(organ)})
    with Engine(reference, description.audio, 2, "reuse", description.assets.__getitem__) as engine:
        yield engine, description.space


def alone(code: str, *arguments: object, **environment: str) -> Any:
    """Run code in a process of its own: this one must not load the engine. It prints JSON last."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, **environment},
    )
    return json.loads(done.stdout.splitlines()[-1])


def decoded(space: ParameterSpace, **values: float) -> Patch:
    return space.decode(space.encode(Patch(values)))


def test_parameters_have_the_units_scales_and_choices_of_the_source():
    space = described("subtractive").space
    cutoff, wave, tune = space["filter_cutoff"], space["osc_wave_1"], space["osc_tune_2"]

    assert (cutoff.unit, cutoff.curve, cutoff.group) == ("Hz", "exponential", "filter")
    assert cutoff.text(cutoff.default) == "1500 Hz"
    assert [round(cutoff.shown(raw)) for raw in (cutoff.low, cutoff.high)] == [60, 16000]
    assert wave.choices == ("saw", "square", "triangle", "sine")
    assert (tune.kind, tune.low, tune.high, tune.text(-12.0)) == ("categorical", -24, 24, "-12")
    assert not {"freq", "gain", "gate"} & {p.name for p in space.parameters}


def test_a_group_around_the_whole_program_is_no_part_of_names_and_hides_no_unit(tmp_path):
    space = described(written(tmp_path, 'process = vgroup("all", hslider("x[unit:Hz]", 1, 0, 2, 0.1));')).space
    assert [(p.name, p.group, p.unit) for p in space.parameters] == [("x", "", "Hz")]


def test_a_menu_with_gaps_sends_its_own_values(tmp_path):
    """The program plays the value of its menu."""
    menu = "nentry(\"a[style:menu{'x':2;'y':7;'z':11}]\", 2, 2, 11, 1)"
    description = described(written(tmp_path, f"process = {menu} / 16;"))
    reference = PluginRef("dawdreamer", {"instrument": "any"})

    assert description.space["a"].choices == ("x", "y", "z")
    with Engine(reference, description.audio, 1, "reuse", description.assets.__getitem__) as engine:
        patch = decoded(description.space, a=2.0)
        assert engine.play(patch, [NOTE], 30.0)[0].failure == ""
        assert set(engine.audio[0].ravel()) == {np.float32(11 / 16)}
        assert engine.read(patch, 30.0) == {"a": 2.0}


@pytest.mark.parametrize("voice", sampled(VOICES, 3))
@pytest.mark.long
def test_random_patches_of_a_shipped_voice_sound(voice, tmp_path):
    settings = {"backend": {"name": "dawdreamer", "instrument": voice}, "notes": {**SHORT, "hold": 0.6}}
    generate(path=tmp_path / "d", patches=5, workers=1, **settings)
    dataset = open_dataset(tmp_path / "d")

    assert (dataset.plan.isolation, dataset.plan.determinism) == ("reuse", "exact")
    assert len(dataset.rejections) <= 1
    assert all(row.measured["peak"] < 6.0 for row in dataset)


@pytest.mark.long
def test_a_dataset_needs_no_dsp_file_to_render_again(organ, tmp_path):
    first, second = written(tmp_path, ORGAN), tmp_path / "elsewhere"
    second.mkdir()
    settings = {"patches": 2, "workers": 1, "notes": SHORT}
    generate(path=tmp_path / "d", backend={"name": "dawdreamer", "instrument": str(first)}, **settings)
    first.rename(second / "organ.dsp")

    checked = terminal("verify", tmp_path / "d", "--render", "2", cwd=tmp_path)
    assert (checked.returncode, "2 of 2 rows sound as they did, bit for bit" in checked.stdout) == (0, True)
    moved = {"name": "dawdreamer", "instrument": str(second / "organ.dsp")}
    assert generate(path=tmp_path / "d", backend=moved, **settings).rows_added == 0


@pytest.mark.long
def test_another_program_of_the_same_name_is_another_plan(tmp_path):
    settings = {"patches": 2, "workers": 1, "notes": SHORT}
    path = written(tmp_path, ORGAN)
    generate(path=tmp_path / "d", backend={"name": "dawdreamer", "instrument": str(path)}, **settings)
    written(tmp_path, ORGAN.replace("freq * 2", "freq * 3"))

    again = terminal(
        "generate", tmp_path / "d", "--backend", "dawdreamer", "--backend.instrument", path, "-n", 2,
        "--notes.pitches", 60, "--notes.hold", 0.3, "--notes.tail", 0.1,
    )  # fmt: skip
    assert (again.returncode, "faust_source" in again.stderr) == (2, True)


def test_the_controls_of_effect_are_told_by_their_names(played):
    assert [p.name for p in played[1].parameters] == ["pipe_attack", "pipe_tone_bright", "effect_wet"]


def test_the_first_render_has_the_values_of_its_patch(organ):
    description = described(organ)
    reference = PluginRef("dawdreamer", {"instrument": str(organ)})
    heard = []
    for _ in range(2):
        with Engine(reference, description.audio, 1, "reuse", description.assets.__getitem__) as engine:
            for wet in (0.2, 1.0) if not heard else (1.0, 0.2):
                assert engine.play(decoded(description.space, effect_wet=wet), [NOTE], 30.0)[0].failure == ""
                heard.append(engine.audio[0].copy())
    assert np.array_equal(heard[0], heard[3])
    assert np.array_equal(heard[1], heard[2])
    assert not np.array_equal(heard[0], heard[1])


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e9, -41.0])
def test_a_value_outside_its_range_never_reaches_the_program(played, value):
    engine, space = played
    good = decoded(space)
    outcome = engine.play(replace(good, values={**good.values, "pipe_tone_bright": value}), [NOTE], 30.0)[0]

    assert (outcome.failure, outcome.detail) == ("error", f"pipe_tone_bright = {value} is not in -40..0")
    assert engine.play(good, [NOTE], 30.0)[0].failure == ""
    assert 0.05 < np.abs(engine.audio[0]).max() < 1.0


@pytest.mark.parametrize(
    ("change", "told"),
    [({"pipe_attack": None}, "the patch has no value for pipe_attack"), ({"gate": 1.0}, "no control 'gate'")],
)
def test_a_patch_with_other_controls_is_refused(played, change, told):
    engine, space = played
    values = {**decoded(space).values, **change}
    patch = replace(decoded(space), values={name: value for name, value in values.items() if value is not None})

    outcome = engine.play(patch, [NOTE], 30.0)[0]
    assert (outcome.failure, told in outcome.detail) == ("error", True)


@pytest.mark.parametrize("note", [Note(128, 100, 0.2, 0.1), Note(60, 0, 0.2, 0.1), Note(60, 100, 0.0, 0.3)])
def test_a_note_that_midi_does_not_have_is_refused(played, note):
    engine, space = played
    assert engine.play(decoded(space), [note], 30.0)[0].failure == "error"


def test_the_ends_of_a_logarithmic_range_stay_inside(played):
    engine, space = played
    for end in (space["pipe_attack"].low, space["pipe_attack"].high):
        assert engine.play(decoded(space, pipe_attack=end), [NOTE], 30.0)[0].failure == ""


def test_another_thread_is_refused_before_it_hangs():
    told = []

    def load() -> None:
        with pytest.raises(EngineError, match="main thread") as refused:
            DawDreamerBackend(DawDreamerOptions(), 44100)
        told.append(str(refused.value))

    thread = threading.Thread(target=load)
    thread.start()
    thread.join(30.0)
    assert len(told) == 1


def test_faust_is_exact_in_one_engine_and_a_plugin_is_forked_for_each_note():
    faust, plugin = DawDreamerOptions(), DawDreamerOptions(instrument="/x/y.so")

    assert isolation_of(DawDreamerBackend, faust) == "reuse"
    assert promise_of(DawDreamerBackend, "snapshot", faust) == "exact"
    assert DawDreamerBackend.promises(plugin).isolation == "snapshot"
    assert promise_of(DawDreamerBackend, "snapshot", plugin) == "exact-in-run"
    assert promise_of(DawDreamerBackend, "reuse", plugin) == "none"
    assert promise_of(DawDreamerBackend, "snapshot") == "exact-in-run", "what is said of no options holds of any"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "cannot compile"),
        ("import(\"stdfaust.lib\");\n\nprocess = os.osx(440);", "line 3: undefined symbol : osx"),
        ("process = hslider(\"x\", 5, 0, 1, 0.1);", "init = 5 outside of"),
        ("process = _ : !;", "no output"),
        ("import(\"stdfaust.lib\"); process = os.osc(hslider(\"freq\", 440, 20, 2000, 1));", "nothing to vary"),
        ("import(\"mine.lib\"); process = hslider(\"x\", 0, 0, 1, 0.1);", "needs the file 'mine.lib'"),
        ("process = hslider(\"x\", 1, 1, 1, 0.1);", "it cannot vary"),
    ],
)  # fmt: skip
def test_a_program_that_cannot_be_used_is_told_in_one_line(tmp_path, text, told):
    with pytest.raises(ConfigError) as refused:
        described(written(tmp_path, text))
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def bad_files(folder: Path, tinysynth: Path) -> dict[str, tuple[Path | str, str]]:
    content = tinysynth.read_bytes()
    (folder / "cut.so").write_bytes(content[: len(content) // 2])
    (folder / "old.so").write_bytes(content[:4] + b"\x01" + content[5:18] + b"\x03\x00" + content[20:])
    (folder / "empty.so").write_bytes(b"")
    (folder / "text.so").write_text("no plugin")
    (folder / "bundle.vst3").mkdir()
    return {
        "missing": (folder / "missing.so", "there is no file"),
        "truncated": (folder / "cut.so", "cut off"),
        "32-bit": (folder / "old.so", "is built for i686"),
        "empty": (folder / "empty.so", "is empty"),
        "text": (folder / "text.so", "no VST2 and no VST3"),
        "bundle": (folder / "bundle.vst3", "not a plugin bundle"),
        "uri": ("urn:nobody:nothing", "no LV2 with that URI"),
        "no dsp": (folder / "missing.dsp", "No such file"),
        "voice": ("fmm", "Did you mean 'fm'?"),
    }


@needs_gcc
@pytest.mark.parametrize(
    "case", ["missing", "truncated", "32-bit", "empty", "text", "bundle", "uri", "no dsp", "voice"]
)
def test_what_is_no_instrument_is_told_in_one_line(tmp_path, tinysynth, case):
    place, told = bad_files(tmp_path, tinysynth)[case]
    with pytest.raises(ConfigError) as refused:
        described(place)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@needs_gcc
@pytest.mark.parametrize(
    ("fault", "told"), [("effect", "is an effect"), ("load", "killed by SIGABRT"), ("crash", "killed by SIGSEGV")]
)
@pytest.mark.first
def test_a_bad_plugin_ends_with_status_2_and_nothing_written(tmp_path, tinysynth, fault, told):
    done = terminal(
        "generate", tmp_path / "d", "--backend", "dawdreamer", "--backend.instrument", tinysynth, "-n", 1,
        cwd=tmp_path, TINYVST2=fault, XDG_CACHE_HOME=str(tmp_path / "cache"),
    )  # fmt: skip
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "d").exists()


@needs_gcc
def test_no_window_is_opened_though_load_state_would(tinysynth, tmp_path):
    """The fixture ends its process when it is asked for its window: the contract above passes without one."""
    code = (
        "import sys, dawdreamer\n"
        "p = dawdreamer.RenderEngine(44100, 512).make_plugin_processor('p', sys.argv[1])\n"
        "p.save_state(sys.argv[2]); p.load_state(sys.argv[2])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tinysynth, tmp_path / "state"], capture_output=True, timeout=60, check=False
    )
    assert done.returncode != 0


@needs_gcc
@pytest.mark.parametrize(("display", "platform"), [("", "offscreen"), (":7", None)])
def test_a_qt_plugin_without_a_display_is_kept_off_the_screen(tinysynth, display, platform):
    told = alone(
        "import json, os, sys; from tonesmith.backends.dawdreamer import *\n"
        "os.environ.pop('QT_QPA_PLATFORM', None)\n"
        "DawDreamerBackend(DawDreamerOptions(instrument=sys.argv[1]), 44100)\n"
        "print(json.dumps(os.environ.get('QT_QPA_PLATFORM')), flush=True); os._exit(0)",
        tinysynth,
        DISPLAY=display,
        WAYLAND_DISPLAY="",
    )
    assert told == platform


class FakeProcessor:
    """Parameters as DawDreamer describes them: name, number of steps, and the text of a value."""

    def __init__(self, *parameters: tuple[str, int, Any]) -> None:
        self._parameters = parameters
        self._values = [0.25] * len(parameters)

    def get_parameters_description(self) -> list[dict[str, Any]]:
        return [{"index": i, "name": name, "numSteps": steps} for i, (name, steps, _) in enumerate(self._parameters)]

    def get_parameter(self, index: int) -> float:
        return self._values[index]

    def set_parameter(self, index: int, value: float) -> None:
        self._values[index] = value

    def get_parameter_text(self, index: int) -> str:
        return self._parameters[index][2](self._values[index])


def test_parameters_of_plugins_get_names_and_choices_and_those_of_the_host_are_left_out():
    unknown = 2**31 - 1
    fake = FakeProcessor(
        ("MIDI CC 1|2", unknown, str),
        ("Bypass", 2, str),
        ("Cutoff", unknown, lambda value: f"{value:.3f}"),
        ("Mode", 3, lambda value: ("Low", "Band", "High")[round(value * 2)]),
        ("Twin", 2, lambda value: "same"),
        ("Twin", unknown, lambda value: "a" if value < 0.5 else "b"),
        ("", unknown, lambda value: ""),
    )
    knobs = knobs_of(fake)
    parameters = {knob.name: knob.parameter() for knob in knobs}

    assert list(parameters) == ["Cutoff", "Mode", "Twin 4", "Twin 5", "parameter 6"]
    assert (parameters["Cutoff"].kind, parameters["parameter 6"].kind) == ("continuous", "continuous")
    assert (parameters["Mode"].choices, knobs[1].values) == (("Low", "Band", "High"), (0.0, 0.5, 1.0))
    assert parameters["Twin 4"].choices == ("0 same", "1 same")
    assert parameters["Twin 5"].choices == ("a", "b")
    assert [fake.get_parameter(knob.index) for knob in knobs] == [0.25] * 5
    assert [fake.get_parameter_text(4), knobs[3].sent(1.0) >= 0.5] == ["same", True]


@pytest.mark.parametrize("raw", [math.nan, -0.1, 1.1])
def test_a_plugin_never_gets_a_value_that_is_none(raw):
    (knob,) = knobs_of(FakeProcessor(("Cutoff", 2**31 - 1, str)))
    with pytest.raises(EngineError, match="is not in"):
        knob.sent(raw)
