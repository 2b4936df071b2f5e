"""Scores and controllers on the synths themselves: a VST3 in both hosts, Faust, and Vital."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.vst3.build import built

from tonesmith.backends.dawdreamer import DawDreamerBackend, DawDreamerOptions
from tonesmith.backends.dawdreamer.midi_file import midi_bytes
from tonesmith.backends.vita import VitaBackend, VitaOptions
from tonesmith.backends.vst3 import Vst3Backend, Vst3Options
from tonesmith.errors import EngineError
from tonesmith.host.roles import Backend
from tonesmith.score.controllers import BEND, MODWHEEL, SUSTAIN
from tonesmith.score.messages import messages
from tonesmith.score.phrase import Phrase
from tonesmith.score.reader import midi_reading
from tonesmith.score.score import Part, Score, controls_of, notes_of
from tonesmith.space.patch import Modulation, Note, Patch

RATE = 44100
NOTE = Note(69, 100, 0.3, 0.1)
ONE = Score.of([(0, 0.6, 69, 100)])
ORGAN = """
import("stdfaust.lib");
freq = hslider("freq", 440, 20, 8000, 1); gain = hslider("gain", 0.5, 0, 1, 0.01); gate = button("gate");
bright = hslider("bright", 0.5, 0, 1, 0.01);
tremble = hslider("tremble[midi:ctrl 1]", 0, 0, 1, 0.01);
process = os.osc(freq) * bright * (1 - tremble) * gain * en.adsr(0.01, 0.1, 0.8, 0.05, gate) <: _, _;
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instrument with a pitch wheel of 2 semitones, a modulation wheel that makes it softer, and a pedal."""
    return built(tmp_path_factory.mktemp("wheels"), "TinySynth", "WHEELS")


@pytest.fixture(params=["vst3", "dawdreamer"])
def fresh(request: pytest.FixtureRequest, wheels: Path) -> Callable[[], Backend[Any]]:
    """Return a new plugin with its default patch, in either host."""

    def make() -> Backend[Any]:
        synth: Backend[Any]
        if request.param == "vst3":
            synth = Vst3Backend(Vst3Options(plugin=str(wheels)), RATE)
        else:
            synth = DawDreamerBackend(DawDreamerOptions(instrument=str(wheels)), RATE)
        return prepared(synth)

    return make


@pytest.fixture(scope="module")
def organ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend[Any]]:
    """Return a Faust program with a control that the modulation wheel moves."""
    path = tmp_path_factory.mktemp("organ") / "organ.dsp"
    path.write_text(ORGAN)
    return prepared(DawDreamerBackend(DawDreamerOptions(instrument=str(path)), RATE))


def prepared(synth: Backend[Any], **values: float) -> Backend[Any]:
    space = synth.space()
    patch = Patch({**{p.name: p.default for p in space.parameters}, **values}, assets=dict(space.assets))
    for name, content in synth.assets().items():
        assert name in space.assets
        synth.add_asset(space.assets[name], content)
    if synth.template_key(patch):
        synth.load_template(patch)
    synth.prepare(patch)
    return synth


def played(synth: Backend[Any], score: Score = ONE, *controls: tuple[int, int, int, int]) -> np.ndarray:
    return synth.render_score(Phrase(replace(score, controls=controls_of(controls)), NOTE.hold, NOTE.tail))


def hertz(audio: np.ndarray, first: int = 3000, last: int = 11000) -> float:
    spectrum = np.abs(np.fft.rfft(audio[0, first:last] * np.hanning(last - first), 1 << 17))
    return float(np.argmax(spectrum)) * RATE / (1 << 17)


def rms(audio: np.ndarray, first: int, last: int) -> float:
    return float(np.sqrt(np.mean(np.square(audio[0, first:last]))))


def test_a_score_of_one_note_is_the_note_bit_for_bit(fresh):
    assert played(fresh()).tobytes() == fresh().render(NOTE).tobytes()


def test_notes_of_a_score_begin_at_their_frames(fresh):
    late = played(fresh(), Score.of([(0.1037, 0.4, 69, 100)], resolution=10000))
    frame, alone = round(0.05185 * RATE), fresh().render(NOTE)
    assert not late[:, :frame].any()
    assert late[:, frame : frame + 6000].tobytes() == alone[:, :6000].tobytes()


def test_a_chord_is_the_sum_of_its_notes(fresh):
    single = [played(fresh(), Score.of([(0, 0.6, pitch, 100)])) for pitch in (60, 67)]
    chord = played(fresh(), Score.of([(0, 0.6, 60, 100), (0, 0.6, 67, 100)]))
    np.testing.assert_allclose(chord, sum(single), atol=1e-5)


def test_drums_are_sent_in_the_tenth_channel_and_parts_in_others(fresh):
    notes = notes_of([(0, 600, 69, 100, 0)])
    drums = played(fresh(), Score(480, notes, (Part(drums=True),)))
    assert hertz(drums) == pytest.approx(2 * hertz(played(fresh())), rel=0.01)


def test_a_single_note_is_bent_modulated_and_sustained(fresh):
    plain = fresh().render(NOTE)
    bent, soft, held = (fresh().render(replace(NOTE, **{name: 1})) for name in ("bend", "modwheel", "sustain"))
    assert hertz(bent) / hertz(plain) == pytest.approx(2 ** (2 / 12), rel=0.003)
    assert rms(soft, 3000, 11000) == pytest.approx(rms(plain, 3000, 11000) / 2, rel=0.01)
    assert rms(held, 16000, 17600) > 10 * rms(plain, 16000, 17600)


def test_controllers_of_a_score_move_where_they_stand(fresh):
    plain = played(fresh())
    bent = played(fresh(), ONE, (120, 0, BEND, 8191))
    moment = RATE // 8  # 120 of 480 ticks at 120 beats a minute
    changed = int(np.argmax(np.abs(bent - plain).max(axis=0) > 1e-4))
    assert moment - 512 <= changed <= moment + 64
    held = played(fresh(), Score.of([(0, 0.3, 69, 100)]), (0, 0, SUSTAIN, 127))
    assert rms(held, 9000, 13000) > 10 * rms(played(fresh(), Score.of([(0, 0.3, 69, 100)])), 9000, 13000)
    assert rms(held, 16000, 17600) < 0.1 * rms(held, 9000, 13000), "the pedal is lifted at the end of the phrase"


def test_a_controller_moves_within_64_frames_in_vst3_though_blocks_are_long(wheels):
    synth = [prepared(Vst3Backend(Vst3Options(plugin=str(wheels)), RATE)) for _ in range(2)]
    changed = np.abs(played(synth[0], ONE, (120, 0, MODWHEEL, 127)) - played(synth[1])).max(axis=0) > 1e-6
    assert RATE // 8 - 64 < int(np.argmax(changed)) <= RATE // 8 + 1


def test_the_midi_of_a_phrase_is_read_back_as_it_was():
    score = Score.of([(0, 1, 60, 100), (0.5, 0.25, 64, 90)])
    for rate in (44100, 48000, 22050, 44101):
        told = messages(Phrase(score, 2.0, 0.0), rate)
        read = midi_reading(midi_bytes(told, rate)).score
        np.testing.assert_allclose(read.onsets * rate - 0.5, score.onsets * rate, atol=0.51)
        assert np.floor(read.onsets * rate + 1e-6).astype(int).tolist() == [0, round(0.25 * rate)]


def test_a_faust_program_has_a_voice_for_each_note_of_a_score(organ):
    exact = Score.of([(0, 128 * 64 / RATE * 2, 69, 100)], resolution=22050)
    alone = organ.render(Note(69, 100, 128 * 64 / RATE, NOTE.hold + NOTE.tail - 128 * 64 / RATE))
    assert np.array_equal(played(organ, exact), alone)
    late = played(organ, Score.of([(0.1, 0.1, 69, 100), (0.2, 0.1, 69, 100), (0.3, 0.2, 62, 90)]))
    assert not late[:, : round(0.05 * RATE)].any()
    assert np.array_equal(late, played(organ, Score.of([(0.3, 0.2, 62, 90), (0.2, 0.1, 69, 100), (0.1, 0.1, 69, 100)])))
    assert not played(organ, Score.of([])).any()


def test_a_faust_program_is_bent_and_takes_the_controllers_that_it_names(organ):
    plain, bent = played(organ), played(organ, ONE, (0, 0, BEND, 8191), (240, 0, BEND, -8192))
    assert hertz(bent, 1000, 10000) / hertz(plain, 1000, 10000) == pytest.approx(2 ** (2 / 12), rel=0.003)
    assert hertz(organ.render(replace(NOTE, bend=-1.0))) / hertz(plain) == pytest.approx(2 ** (-2 / 12), rel=0.003)
    halved = played(organ, ONE, (240, 0, MODWHEEL, 64))
    assert np.array_equal(halved[:, :11000], plain[:, :11000])
    assert rms(halved, 11200, 13200) == pytest.approx(rms(plain, 11200, 13200) * 63 / 127, rel=0.01)
    assert rms(organ.render(replace(NOTE, modwheel=1.0)), 3000, 11000) < 1e-4
    assert rms(organ.render(replace(NOTE, sustain=True)), 16000, 17600) == pytest.approx(
        rms(plain, 9000, 13000), rel=0.1
    )


@pytest.mark.long
def test_vital_takes_the_modulation_wheel_and_the_pedal():
    def heard(note: Note, *routing: Modulation) -> np.ndarray:
        synth = VitaBackend(VitaOptions(), RATE)
        assets = synth.assets()
        synth = VitaBackend(VitaOptions(), RATE)
        space = VitaBackend(VitaOptions(), RATE).space()
        for slot, name in space.assets.items():
            synth.add_asset(name, assets[slot])
        values = {p.name: p.default for p in space.parameters} | {"osc_1_random_phase": 0.0}
        patch = Patch(values, routing, dict(space.assets))
        synth.load_template(patch)
        synth.prepare(patch)
        return synth.render(note)

    wheel = Modulation("mod_wheel", "osc_1_transpose", 0.1)
    plain, moved = heard(NOTE, wheel), heard(replace(NOTE, modwheel=1.0), wheel)
    assert hertz(moved) / hertz(plain) == pytest.approx(455.56 / 261.59, rel=0.01)
    assert rms(heard(replace(NOTE, sustain=True)), 16000, 17400) > 5 * rms(plain, 16000, 17400)


def test_a_phrase_that_no_host_can_play_is_refused(fresh):
    with pytest.raises(EngineError, match="cannot be played"):
        fresh().render_score(Phrase(ONE, 0.0, 1.0))
