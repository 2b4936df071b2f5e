"""A Faust program as one voice: the sound of the true program, to its end, and nothing of the note before."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import terminal

from tonesmith import open_dataset
from tonesmith.backends.dawdreamer import DawDreamerBackend, DawDreamerOptions
from tonesmith.backends.dawdreamer.controls import panel_of, usable
from tonesmith.backends.dawdreamer.faust import block_for, note_values
from tonesmith.engine.client import Engine
from tonesmith.errors import ConfigError
from tonesmith.plan.differences import differences
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.patch import Note, Patch
from tonesmith.space.space import ParameterSpace

RATE = 44100
ROUNDING = 5e-7
"""Faust orders the terms of a sum by what it has read before, such as a library that is imported twice."""
NOTE = Note(60, 100, 0.2, 0.3)
REFERENCE = """
import json, sys, dawdreamer, numpy as np
from pathlib import Path
from tonesmith.backends.dawdreamer.compiler import compile_program
from tonesmith.backends.dawdreamer.faust import FaustVoice
from tonesmith.space.patch import Note
HELD, FRAMES, RATE = 8820, 22050, 44100
def bare(source, voices, block):
    engine = dawdreamer.RenderEngine(RATE, block); program = engine.make_faust_processor("x")
    program.num_voices = voices; program.set_dsp_string(source); program.compile()
    engine.load_graph([(program, [])])
    if voices:
        engine.render(0.02); program.add_midi_note(60, 100, 0.0, HELD / RATE)
    else:
        gate = np.ones(HELD + 1, np.float32); gate[-1] = 0
        for told in program.get_parameters_description():
            last = told["name"].rsplit("/", 1)[-1]
            value = {"freq": 440 * 2 ** (-9 / 12), "gain": 100 / 127, "gate": gate}.get(last)
            if value is not None:
                program.set_automation(told["name"], np.atleast_1d(np.asarray(value, np.float32)))
    engine.render(FRAMES / RATE)
    return engine.get_audio().copy()
for path in sys.argv[1:]:
    source = Path(path).read_text()
    voice = FaustVoice(compile_program(source, 60.0), RATE)
    voice.set({name: dial.parameter.default for name, dial in voice.dials.items()})
    ours = voice.play(Note(60, 100, HELD / RATE, (FRAMES - HELD) / RATE)).copy()
    true, poly = bare(source, 0, 2940), bare(source, 2, 512)
    tail = lambda a: float(np.square(a[:, HELD:].astype(float)).sum())
    print(json.dumps([
        float(abs(ours - true).max()), float(abs(ours - poly)[:, :HELD].max()), tail(poly) / tail(ours),
        float(abs(ours[:, HELD:HELD + 200]).max()),
    ]))
"""
ORGAN = """
import("stdfaust.lib");
freq = hslider("freq", 440, 20, 8000, 1); gain = hslider("gain", 0.5, 0, 1, 0.01); gate = button("gate");
process = os.osc(freq) * gain * en.asr(0.01, 1, hslider("release[unit:s]", 5, 0.1, 10, 0.01), gate) <: _, _;
"""
AMOUNT = 'import("stdfaust.lib"); amount = hslider("amount", 0.5, 0, 1, 0.01); '


def written(folder: Path, text: str, name: str = "program.dsp") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def described(path: Path, **options: Any) -> Any:
    reference = PluginRef("dawdreamer", {"instrument": str(path), **options})
    with Engine(reference, Audio(RATE, 0, 0), 1, "reuse", asset=lambda name: b"") as engine:
        return engine.describe(NOTE.hold, NOTE.tail)


def heard(description: Any, *plays: tuple[dict[str, float], Note]) -> list[NDArray[np.float32]]:
    """Return the renders of patches and notes in one engine, in their order; unnamed parameters have their defaults."""
    reference, space = PluginRef("dawdreamer", {"instrument": "any"}), description.space
    found = []
    with Engine(reference, description.audio, 1, "reuse", description.assets.__getitem__) as engine:
        for values, note in plays:
            patch = space.decode(space.encode(Patch({**space.fixed, **values})))
            assert engine.play(patch, [note], 30.0)[0].failure == ""
            found.append(engine.audio[0].copy())
    return found


def named(space: ParameterSpace) -> list[str]:
    return [p.name for p in space.parameters]


@pytest.mark.long
def test_notes_sound_as_the_true_program_does_and_releases_are_whole(tmp_path):
    """Against the same code with an automated gate, and while the key is held against DawDreamer's polyphony."""
    import tonesmith.backends.dawdreamer as backend

    voices = [Path(backend.__file__).with_name("voices") / f"{voice}.dsp" for voice in backend.VOICES]
    done = subprocess.run(
        [sys.executable, "-c", REFERENCE, written(tmp_path, ORGAN), *voices],
        capture_output=True, text=True, timeout=200, check=True,
    )  # fmt: skip
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]

    assert len(told) == 4
    for from_true, from_poly, _, tail in told:
        assert max(from_true, from_poly) < ROUNDING
        assert tail > 1e-3
    cut = [share for _, _, share, _ in told]
    assert min(cut) < 0.5, "DawDreamer's polyphony has been cured of cutting releases off"
    assert max(cut) < 1.001


def test_the_controls_of_a_note_are_found_in_any_group_and_follow_the_key(tmp_path):
    source = """
    process = hslider("h:a/v:b/freq", 440, 20, 8000, 1) / 10000, hgroup("x", hslider("key", 60, 0, 127, 1) / 128),
      hslider("note", 60, 0, 127, 1) / 128, vgroup("t", hslider("gain", 0, 0, 1, 0.01)),
      hslider("vel", 0, 0, 127, 1) / 128, hslider("velocity", 0, 0, 127, 1) / 128, vgroup("t", button("gate")),
      hslider("amount", 0.5, 0, 1, 0.01);
    """
    description = described(written(tmp_path, source))
    (audio,) = heard(description, ({}, replace(NOTE, pitch=69, velocity=127 - 27)))

    assert named(description.space) == ["amount"]
    expected = [440 / 10000, 69 / 128, 69 / 128, 100 / 127, 100 / 128, 100 / 128, 1.0, 0.5]
    assert audio[:, 0] == pytest.approx(expected, rel=1e-6)
    assert (audio[6, 8819], audio[6, 8820], audio[6, -1]) == (1.0, 0.0, 0.0)


def test_a_program_without_any_control_of_a_note_drones(tmp_path):
    description = described(written(tmp_path, AMOUNT + "process = amount;"))
    assert np.all(heard(description, ({"amount": 0.25}, NOTE))[0] == np.float32(0.25))


@pytest.mark.parametrize(
    ("process", "effect", "expected"),
    [
        ("1", "*(2)", [2]),
        ("1, 3", "*(2), *(3)", [2, 9]),
        ("1", "*(2), *(3)", [2, 3]),
        ("1, 3", "*(2)", [8]),
        ("1, 2, 3", "_, _, *(2)", [1, 2, 6]),
        ("1", "_ <: _, *(hslider(\"gain\", 0.5, 0, 1, 0.1))", [1, 0.5]),
    ],
)  # fmt: skip
@pytest.mark.long
def test_the_voice_goes_through_its_effect_as_in_fausts_polyphony(tmp_path, process, effect, expected):
    source = (
        f'amount = hslider("amount", 1, 0, 1, 0.1); process = ({process}) : par(i, outputs(({process})), *(amount));'
    )
    (audio,) = heard(described(written(tmp_path, f"{source} effect = {effect};")), ({}, NOTE))
    assert list(audio[:, 0]) == pytest.approx(expected)


def test_an_effect_that_does_not_fit_is_told(tmp_path):
    with pytest.raises(ConfigError, match="outputs"):
        described(written(tmp_path, 'process = hslider("x", 0, 0, 1, 0.1) <: _, _, _; effect = _, _, _, _;'))


@pytest.mark.parametrize(
    "process",
    [
        "(waveform { 0.1, 0.5, 0.7, -0.3, 0.2, 0.9, 0.33 } : !, _) * amount",
        "prefix(0.7, os.osc(440) * amount)",
        "rwtable(4096, 0.0, int(ba.time) % 4096, os.osc(440) * amount, int(ba.time + 1) % 4096)",
        "os.osc(440) * amount : + ~ @(4000)",
    ],
)
@pytest.mark.long
def test_no_note_hears_the_one_before(tmp_path, process):
    """Faust clears delays between renders, but no waveform, no prefix and no table that is written to."""
    description = described(written(tmp_path, AMOUNT + f"process = {process};"))
    quiet, loud = ({"amount": 0.3}, NOTE), ({"amount": 0.9}, replace(NOTE, hold=0.1, tail=0.4))
    first, _, again = heard(description, quiet, loud, quiet)
    (alone,) = heard(description, quiet)

    assert np.array_equal(first, again)
    assert np.array_equal(first, alone)


def test_random_numbers_of_the_machine_are_refused(tmp_path):
    source = AMOUNT + 'process = (ffunction(int rand(), <stdlib.h>, "") : float) * amount;'
    with pytest.raises(ConfigError, match="calls 'rand', which is not Faust's"):
        described(written(tmp_path, source))


def test_meters_are_no_parameters_whatever_their_labels(tmp_path):
    source = (
        AMOUNT
        + """
    meter(label) = _ <: attach(_, abs : ba.linear2db : label);
    process = os.osc(440) * amount : meter(hbargraph("level[unit:dB]", -60, 0))
      : hgroup("amount", meter(vbargraph("amount", -60, 0))) : meter(hbargraph("freq", -60, 0));
    """
    )
    assert named(described(written(tmp_path, source)).space) == ["amount"]


@pytest.mark.long
def test_controls_of_midi_stay_at_their_defaults_unless_they_are_freed(tmp_path):
    path = written(tmp_path, """
    bend = hslider("bend[midi:pitchwheel]", 1, 0.25, 4, 0.001); pedal = checkbox("sustain [midi: ctrl 64]");
    process = os.osc(440 * bend) * hslider("release", 0.1, 0.01, 1, 0.01) + 0.01 * pedal;
    """)  # fmt: skip
    asked = ("--backend", "dawdreamer", "--backend.instrument", path, "-n", 2, "--notes.pitches", 60, "--quiet")
    assert terminal("generate", tmp_path / "held", *asked, cwd=tmp_path).returncode == 0
    assert terminal("generate", tmp_path / "freed", *asked, "--space.free", "bend", cwd=tmp_path).returncode == 0

    held, freed = (open_dataset(tmp_path / name).plan.space for name in ("held", "freed"))
    assert held.fixed == {"bend": 1.0, "sustain": 0.0}
    assert freed.fixed == {"sustain": 0.0}


def test_an_effect_is_told_at_once(tmp_path):
    path = written(tmp_path, AMOUNT + "process = fi.lowpass(2, 1000 * amount), *(amount);")
    done = terminal("generate", tmp_path / "d", "--backend", "dawdreamer", "--backend.instrument", path, "-n", 1)

    assert done.returncode == 2
    assert "is an effect: it has 2 audio inputs and nothing to play" in " ".join(done.stderr.split())
    assert not (tmp_path / "d").exists()


LABELS = {
    "Громкость": "Громкость", "音量": "音量", "🎹": "🎹", "a [b] c": "a__c", "it's": "it_s",
    "back\\\\slash": "back_slash",
    "x=1": "x_1", "q*?": "q__", "a/b": "a_b", "": "unnamed", "[unit:Гц]": "unnamed_2", "\u202eevil": "_evil",
    "e\u0301": "é", "100%": "100_",
}  # fmt: skip


def test_labels_in_any_script_get_names_of_their_own_and_their_values_arrive(tmp_path):
    """Each control of the program is a channel of its sound."""
    sliders = ",\n".join(f'hgroup("g{i}", hslider("{label}", 0, 0, 1, 0.001))' for i, label in enumerate(LABELS))
    description = described(written(tmp_path, f"process = {sliders};"))
    names = [f"g{i}_{name.removesuffix('_2')}" for i, name in enumerate(LABELS.values())]
    assert sorted(named(description.space)) == sorted(names)

    values = {name: (i + 1) / 16 for i, name in enumerate(names)}
    (audio,) = heard(description, (values, NOTE))
    assert list(audio[:, 0]) == [np.float32(value) for value in values.values()]


def test_two_controls_that_come_to_one_name_are_numbered(tmp_path):
    source = 'process = hgroup("a", hslider("b_c", 0, 0, 1, 0.1)), hgroup("a_b", hslider("c", 0, 0, 1, 0.1));'
    description = described(written(tmp_path, source))
    assert named(description.space) == ["a_b_c", "a_b_c_2"]
    (audio,) = heard(description, ({"a_b_c": 0.25, "a_b_c_2": 0.75}, NOTE))
    assert list(audio[:, 0]) == [0.25, 0.75]


def test_what_a_name_may_hold():
    assert [usable(label) for label in (" Gain 1 ", "", "0x00", "a\u200bb", "tab\t", "ß-_.9")] == [
        "Gain_1", "unnamed", "unnamed", "a_b", "tab", "ß-_.9",
    ]  # fmt: skip


def test_controls_that_dawdreamer_could_not_tell_apart_are_refused():
    long = "x" * 600
    items = [{"type": "hslider", "label": "a", "address": f"/{long}{end}", "min": 0, "max": 1} for end in "ab"]
    with pytest.raises(ConfigError, match="begin with the same 512 letters"):
        panel_of({"items": items})


@pytest.mark.long
def test_a_program_that_compiles_for_long_has_a_limit_of_its_own(tmp_path):
    path = written(tmp_path, "f(0) = 1; f(1) = 1; f(n) = f(n - 1) + f(n - 2); process = f(60);")
    done = terminal(
        "generate", tmp_path / "d", "--backend", "dawdreamer", "--backend.instrument", path, "-n", 1,
        "--backend.compile_timeout", 1.5,
    )  # fmt: skip
    assert done.returncode == 2
    assert "did not end compiling the instrument in 1.5 s" in " ".join(done.stderr.split())


def test_a_compiler_that_dies_is_told(tmp_path, monkeypatch):
    from tonesmith.backends.dawdreamer import compiler

    monkeypatch.setattr(compiler, "_CHILD", written(tmp_path, "import os; os.abort()", "child.py"))
    with pytest.raises(ConfigError, match="Faust's compiler ended with SIGABRT"):
        compiler.compile_program('process = hslider("x", 0, 0, 1, 0.1);', 30.0)


@pytest.mark.parametrize("held", [1, 63, 64, 441, 8820, 17640, 44101, 66150, 65537])
def test_a_block_ends_where_the_key_is_released(held):
    block = block_for(held)
    assert held % block == 0
    assert block <= 4096 or all(held % other for other in range(64, 4097))


def test_a_gate_is_down_for_the_frames_that_a_note_is_held():
    gate = note_values([("/x/gate", "gate")], 60, 100, 7)["/x/gate"]
    assert list(gate) == [1.0] * 7 + [0.0]


@pytest.mark.long
def test_a_dataset_of_the_voice_before_is_another_plan(tmp_path):
    path = written(tmp_path, AMOUNT + "process = os.osc(440) * amount;")
    asked = ("--backend", "dawdreamer", "--backend.instrument", path, "-n", 1, "--notes.pitches", 60, "--quiet")
    assert terminal("generate", tmp_path / "d", *asked, cwd=tmp_path).returncode == 0
    plan = open_dataset(tmp_path / "d").plan

    assert plan.versions["faust-voice"] == "2"
    before = replace(plan, versions={"dawdreamer": plan.versions["dawdreamer"]})
    assert differences(before, plan) == ["versions.faust-voice: absent -> 2"]
    assert before.fingerprint != plan.fingerprint


def test_a_plan_has_a_time_limit_only_where_it_is_not_the_usual_one():
    """It shapes no sound, and plans of plugins were made before there was one."""
    recorded = DawDreamerBackend.recorded
    plain = DawDreamerOptions(instrument="/x/y.so", bpm=90.0, compile_timeout=5.0, pin=False)
    assert recorded(plain).model_dump() == {"instrument": "/x/y.so", "bpm": 90.0}
    assert recorded(DawDreamerOptions(instrument="/x/y.dsp")).model_dump() == {"instrument": "y.dsp", "bpm": 120.0}
    assert recorded(DawDreamerOptions(instrument="fm", compile_timeout=80.0)).model_dump()["compile_timeout"] == 80.0
