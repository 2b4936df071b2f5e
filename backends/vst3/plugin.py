"""One VST3 instrument in pedalboard, without what costs seconds, waits for sound, or opens a window."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.backends.vst3.binary import binary_of
from tonesmith.errors import ConfigError, EngineError, ScoreError
from tonesmith.pinning.held import hold_still
from tonesmith.score.messages import Message, messages, note_messages
from tonesmith.score.phrase import Phrase
from tonesmith.space.patch import Note

HOSTING = "3"
"""How a note is played. It changes whenever the same label sounds different than before, and the plan tells it."""
BLOCK = 8192
_SMALL = 32
_ANNOUNCED = 13
"""Blocks after which Surge XT has told the host of new names and values: it does so in every 12th."""
_STEP = 64
"""Frames of which a controller moves at a multiple: 1.5 ms, and a multiple of the 32 frames that Surge XT takes."""
_NUDGE = 0.001
_ALIGNED = 2048
"""Frames that a note starts at a multiple of, counted from the start of the plugin. Some take MIDI only where a block
of their own begins, as Surge XT does in every 32nd frame: a note would start late by a number that depends on what was
run before. This is a multiple of any block that plugins are known to have."""


class HostedPlugin:
    """A VST3 instrument, its parameters by index, and its state.

    Never set an attribute of pedalboard's object, nor ask it for one that it may not have: either makes it ask
    the plugin for 1,001 texts of every parameter first.

    Args:
        path: of the .vst3 bundle.
        sample_rate: Hz.

    Raises :class:`ConfigError` if it is no VST3 instrument that can be loaded here.
    """

    def __init__(self, path: Path, sample_rate: int) -> None:
        binary_of(path)
        self._rate = sample_rate
        self._plugin = _loaded(path)
        if not self._plugin.is_instrument:
            raise ConfigError(f"{path}: {self._plugin.name} is an effect, not an instrument.")
        self._frames = 0
        self.parameters: list[Any] = list(self._plugin._parameters)  # p.parameters would ask for texts
        self.run(BLOCK)  # later blocks may be smaller: only a larger one makes pedalboard start the plugin anew

    @property
    def name(self) -> str:
        """What it calls itself."""
        return str(self._plugin.name)

    @property
    def version(self) -> str:
        """Its version, in its maker's words."""
        return str(self._plugin.version)

    def set(self, raws: Mapping[int, float]) -> None:
        """Set parameters by index. The names change with the types of oscillators and effects; indices never do.

        Each is set beside its value first: a host, or a plugin, drops a set that is equal to the last one, although
        a state that came between has changed what is there.
        """
        for index, raw in raws.items():
            if not (math.isfinite(raw) and 0.0 <= raw <= 1.0):
                raise EngineError(f"{self.parameters[index].name} = {raw} is outside 0..1")
            parameter = self.parameters[index]
            parameter.raw_value = _beside(raw)
            parameter.raw_value = raw

    def host_values(self, indices: Iterable[int]) -> list[float]:
        """Return raw values as the host has them: after a state, or a set that was dropped, not the plugin's.

        Args:
            indices: of the parameters to tell of, which may be thousands less than there are.
        """
        return [float(self.parameters[index].raw_value) for index in indices]

    def told_values(self, indices: Iterable[int]) -> list[float]:
        """Return raw values as the plugin has them: where a state is loaded, the host asks for them.

        The state is the plugin's own, so nothing changes but that its voices stop. What sounds after that is what
        this state alone sounds like.

        Args:
            indices: of the parameters to tell of.
        """
        self.restore(self.state())
        values = self.host_values(indices)
        self.take()
        return values

    def state(self) -> bytes:
        """Return the state as pedalboard keeps it."""
        return bytes(type(self._plugin).raw_state.fget(self._plugin))

    def restore(self, state: bytes) -> None:
        """Load a state. Many plugins only queue it, to the next block."""
        type(self._plugin).raw_state.fset(self._plugin, state)

    def preset(self) -> bytes:
        """Return the state as a ``.vstpreset`` file."""
        return bytes(type(self._plugin).preset_data.fget(self._plugin))

    def load_preset(self, content: bytes) -> None:
        """Load a ``.vstpreset`` file, and have the plugin take it and tell the host what it holds.

        The host asks for the values as it loads a state, before the plugin has taken it; so it is made to ask again.
        """
        try:
            type(self._plugin).preset_data.fset(self._plugin, content)
        except RuntimeError as error:
            raise EngineError(f"{self.name} refused it. It is damaged, or was made by another version") from error
        self.apply()
        self.reload(self.state())

    def reload(self, state: bytes) -> None:
        """Load a state, and have the plugin take it: all sound ends."""
        self.restore(state)
        self.apply()

    def apply(self) -> None:
        """Run so many blocks of silence that what was queued is taken, and new names are told."""
        self.run(_ANNOUNCED * _SMALL, _SMALL)

    def take(self) -> None:
        """Run so few blocks of silence that a queued state is taken."""
        self.run(2 * _SMALL, _SMALL)

    def run(self, frames: int, block: int = BLOCK) -> None:
        """Run a silence."""
        self._process([], frames, block)

    def play(self, played: Note | Phrase) -> NDArray[np.float32]:
        """Return float32 (2, frames): a note on at the first frame, and off after the hold; or a phrase."""
        return np.concatenate(list(self.pieces(played)), axis=1)

    def pieces(self, played: Note | Phrase) -> Iterator[NDArray[np.float32]]:
        """Yield what :meth:`play` returns, block by block: float32 (2, frames), of :data:`BLOCK` at most.

        Without controllers the plugin is called for the same blocks as if pedalboard were asked for all frames at once.
        """
        if not (0.0 < played.hold <= played.duration <= 600.0):
            raise EngineError(f"a note of {played.hold} s in a render of {played.duration} s cannot be played")
        told = self._messages(played)
        if late := self._frames % _ALIGNED:
            self.run(_ALIGNED - late)
        frames = max(1, round(played.duration * self._rate))
        starts = _starts(told, frames)
        events: dict[int, list[Any]] = {}
        for frame, message in told:
            first = starts[bisect_right(starts, frame) - 1]
            events.setdefault(first, []).append((list(message), (frame - first + 0.5) / self._rate))
        for first, end in pairwise((*starts, frames)):
            yield self._process(events.get(first, []), end - first, BLOCK)

    def _messages(self, played: Note | Phrase) -> list[Message]:
        try:
            if isinstance(played, Phrase):
                return messages(played, self._rate, self._held)
            return note_messages(played, self._held(played.hold))
        except ScoreError as error:
            raise EngineError(str(error)) from None

    def _held(self, seconds: float) -> int:
        """Return the frames that a key is held: counted in single precision, as pedalboard counts."""
        return int(np.float32(seconds) * np.float32(self._rate))

    def _process(self, events: list[Any], frames: int, block: int) -> NDArray[np.float32]:
        seconds = (frames + 0.5) / self._rate  # pedalboard cuts off the fraction
        self._frames += frames
        try:
            audio: NDArray[np.float32] = self._plugin(events, seconds, self._rate, 2, block, False)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"{self.name} does not play: {error}") from None
        return audio


def _starts(told: list[Message], frames: int) -> list[int]:
    """Return the frames at which blocks begin: every :data:`BLOCK` frames, and where a controller moves.

    The host hands a controller over as a parameter, at the beginning of a block, wherever in it the message is.
    """
    moved = (frame // _STEP * _STEP for frame, message in told if message[0] & 0xE0 != 0x80)
    return sorted({*range(0, frames, BLOCK), *(frame for frame in moved if frame < frames)})


def _beside(raw: float) -> float:
    return raw + _NUDGE if raw <= 0.5 else raw - _NUDGE


def _loaded(path: Path) -> Any:
    try:
        import pedalboard
    except ImportError as error:
        raise EngineError(f"pedalboard cannot be used here ({error}). Install it: pip install pedalboard") from error
    with _unscanned():
        hold_still()
        try:
            return pedalboard.VST3Plugin(str(path), initialization_timeout=0.0)
        except (ImportError, RuntimeError, ValueError) as error:
            told = " ".join(str(error).split())
            raise ConfigError(f"{path} cannot be loaded as a VST3 plugin: {told}") from None


@contextmanager
def _unscanned() -> Iterator[None]:
    """Keep pedalboard from asking for 1,001 texts of each parameter as it loads a plugin: seconds for a large one."""
    from pedalboard import _pedalboard

    mixin: Any = _pedalboard._PythonExternalPluginMixin  # there is no public way
    name = "__set_initial_parameter_values__"
    scan = getattr(mixin, name)
    setattr(mixin, name, lambda *_: None)
    try:
        yield
    finally:
        setattr(mixin, name, scan)
