"""A Faust program as an instrument: one voice and its effect, the same in every process.

What was measured of DawDreamer 0.9 and Faust 2.85, and is guarded against here:

- DawDreamer plays a polyphonic program sample by sample, and Faust frees a released voice when the level of one call is
  below -90 dB: at the first zero crossing. So there is no polyphony, but one voice that is moved as Faust's poly-dsp.h
  moves one. While the key is held it is the same, bit for bit.
- Automation is read once in each block. So a block ends where the key is released.
- A render begins with ``instanceClear``, which leaves tables that a program writes, waveforms and ``prefix`` as they
  are. A program that has any of them is loaded anew for each note.
- Values are not checked: a NaN reaches the program.
- A control is found by its name, and ``set_parameter`` finds none with a letter that ASCII does not have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tonesmith.backends.dawdreamer.compiler import Program
from tonesmith.backends.dawdreamer.controls import panel_of
from tonesmith.errors import EngineError
from tonesmith.score.controllers import BEND
from tonesmith.score.courses import Course, courses_of
from tonesmith.score.messages import note_controls
from tonesmith.score.single_notes import single_notes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.score.phrase import Phrase
    from tonesmith.space.patch import Note

_BLOCK = 512
_LARGEST_BLOCK, _SMALLEST_BLOCK = 4096, 64
_FINE = 128
"""Frames of a block for a phrase: a key is let go at the nearest multiple, counted from its onset, within 1.5 ms. To be
let go at any frame, each note would need a copy of the program, which takes as long to load as 10 notes to play. With
blocks of 64 frames a note takes 1.4 times as long."""
_BEND = 2.0
"""Semitones that the pitch wheel bends, as MIDI has it unless it is told otherwise."""
_RANGES = {BEND: 16383}
"""Steps of a controller, of those that have not 127."""
_MOST_KEPT = 64 << 20
"""Bytes of the notes of a phrase that are kept, as a note may come again."""
_MOST_PLAYERS = 4
"""Loaded copies of a program, each with blocks of another length, for notes that are held for another time."""


@dataclass(frozen=True, slots=True)
class _Player:
    """A program in an engine of its own."""

    engine: Any
    processor: Any

    @classmethod
    def of(cls, program: Program, sample_rate: int, block: int) -> _Player:
        import dawdreamer

        engine = dawdreamer.RenderEngine(sample_rate, block)
        processor = engine.make_faust_processor("instrument")
        processor.num_voices = 0
        try:
            processor.compile_from_bitcode(program.bitcode)
        except RuntimeError as error:
            raise EngineError(f"the compiled program cannot be loaded: {error}") from None
        engine.load_graph([(processor, [])])
        return cls(engine, processor)

    def move(self, values: Mapping[str, Any]) -> None:
        """Set controls by their addresses: to a number, or to one for each frame, of which the last stays."""
        for address, value in values.items():
            self.processor.set_automation(address, np.atleast_1d(np.asarray(value, np.float32)))


class FaustVoice:
    """A compiled program and its controls.

    Args:
        program: compiled.
        sample_rate: Hz.

    Raises :class:`ConfigError` if the program has nothing to vary.
    """

    def __init__(self, program: Program, sample_rate: int) -> None:
        self._program = program
        self._sample_rate = sample_rate
        self._panel = panel_of(program.tree)
        self._values = {dial.address: dial.sent(dial.parameter.default) for dial in self.dials.values()}
        self._players: dict[int, _Player] = {}

    @property
    def dials(self) -> Mapping[str, Any]:
        """The controls that are parameters, by the parameter's name."""
        return self._panel.dials

    def set(self, values: Mapping[str, float]) -> None:
        """Set every control. Raises :class:`EngineError` for a value that is missing or outside its range."""
        for name, dial in self.dials.items():
            if name not in values:
                raise EngineError(f"the patch has no value for {name}")
            self._values[dial.address] = dial.sent(values[name])
        if unknown := sorted(set(values) - set(self.dials)):
            raise EngineError(f"the instrument has no control {unknown[0]!r}")

    def read(self) -> Mapping[str, float]:
        """Return the raw value of every control as the program has it."""
        player = self._player(_BLOCK)
        player.move(self._values)
        get = player.processor.get_automation
        return {name: dial.raw(float(get(dial.address)[0])) for name, dial in self.dials.items()}

    def play(self, note: Note) -> NDArray[np.float32]:
        """Return float32 (channels, frames). The program starts anew: nothing of the note before is heard."""
        held = max(1, round(note.hold * self._sample_rate))
        block = block_for(held)
        if note.sustain:
            held, block = math.ceil(note.duration * self._sample_rate), _BLOCK
        courses = {kind: Course([0.0], [value]) for kind, value in note_controls(note).items()}
        return self._voice(note, held, self._moved(courses, 0.0, 1), block, note.duration)

    def play_score(self, phrase: Phrase) -> NDArray[np.float32]:
        """Return float32 (channels, frames): a voice for each note, from its onset to the end, added up in their order.

        A note that comes again sounds as it did, as long as no controller moves it.
        """
        courses = courses_of(phrase)
        frames = int(phrase.duration * self._sample_rate)
        audio = np.zeros((int(self._program.description["outputs"]), frames), np.float32)
        kept: dict[tuple[int, int, int], NDArray[np.float32]] = {}
        for place in single_notes(phrase, self._sample_rate, moving=True):
            note, left = place.note, frames - place.frame
            held = max(1, round(note.hold * self._sample_rate / _FINE)) * _FINE
            own = {kind: course for (part, kind), course in courses.items() if part == place.part and course.seconds}
            moved = self._moved(own, place.onset, left)
            voice = None if moved else kept.get((note.pitch, note.velocity, held))
            if voice is None:
                voice = self._voice(note, held, moved, _FINE, (left + 0.25) / self._sample_rate)
            if not moved and (len(kept) + 1) * voice.nbytes <= _MOST_KEPT:
                kept.setdefault((note.pitch, note.velocity, held), voice)
            audio[:, place.frame :] += voice[:, :left]
        return audio

    def _moved(self, courses: Mapping[int, Course], onset: float, frames: int) -> dict[str, Any]:
        """Return what controllers set from an onset on: by the address of a control; under "" semitones of the wheel.

        The wheel bends the note, unless the program has a control for it.
        """
        shares = {
            kind: (course.sampled(onset, frames, self._sample_rate) + 8192 * (kind == BEND)) / _RANGES.get(kind, 127)
            for kind, course in courses.items()
        }
        moved = {d.address: d.moved(shares[d.controller]) for d in self.dials.values() if d.controller in shares}
        if BEND in shares and not any(dial.controller == BEND for dial in self.dials.values()):
            moved[""] = courses[BEND].sampled(onset, frames, self._sample_rate) / 8192 * _BEND
        return moved

    def _voice(
        self, note: Note, held: int, moved: Mapping[str, Any], block: int, seconds: float
    ) -> NDArray[np.float32]:
        """Return float32 (channels, frames) of a key that is held for some frames."""
        player = self._player(block)
        pitch = note.pitch + moved[""] if "" in moved else note.pitch
        controls = {address: values for address, values in moved.items() if address}
        player.move(self._values | controls | note_values(self._panel.note, pitch, note.velocity, held))
        player.engine.render(seconds)
        audio: NDArray[np.float32] = player.engine.get_audio()
        return audio

    def _player(self, block: int) -> _Player:
        """Return a loaded copy in which no note is left."""
        if self._program.remembers or block not in self._players:
            while len(self._players) >= _MOST_PLAYERS:
                del self._players[next(iter(self._players))]
            self._players[block] = _Player.of(self._program, self._sample_rate, block)
        return self._players[block]


def block_for(held: int) -> int:
    """Return the frames of a block of which a whole number makes up the time that a key is held.

    Args:
        held: frames.
    """
    divisors = (block for block in range(min(held, _LARGEST_BLOCK), _SMALLEST_BLOCK - 1, -1) if held % block == 0)
    return next(divisors, held)


def note_values(
    controls: Sequence[tuple[str, str]], pitch: int | NDArray[np.float64], velocity: int, held: int
) -> dict[str, Any]:
    """Return what a note sets the controls of a voice to, by their addresses.

    A number stays for the whole render; an array has one for each frame. As ``dsp_voice`` of Faust's poly-dsp.h does
    it, but that a program may have several of them, such as ``freq`` beside ``key``.

    Args:
        controls: address and name of each.
        pitch: of MIDI; an array where it is bent.
        velocity: of MIDI.
        held: frames that the key is down.
    """
    gate = np.ones(held + 1, np.float32)
    gate[held] = 0.0
    values = {
        "freq": 440.0 * 2.0 ** ((pitch - 69.0) / 12.0),
        **dict.fromkeys(("key", "note"), pitch + 0.0),
        "gain": velocity / 127.0,
        **dict.fromkeys(("vel", "velocity"), float(velocity)),
        "gate": gate,
    }
    return {address: values[name] for address, name in controls}
