"""The client's side of an engine process: deadlines, blame, and a new engine in place of a dead one."""

from __future__ import annotations

import base64
import queue
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tonesmith.engine.blame import judged
from tonesmith.engine.channel import Child, Message
from tonesmith.engine.death import DiedError, undisturbed
from tonesmith.engine.description import Description
from tonesmith.engine.fault import HINT, Fault, caused
from tonesmith.engine.isolation import is_pinned
from tonesmith.engine.memory import MemoryWatch, loading, taken
from tonesmith.engine.outcome import Outcome, outcomes_of
from tonesmith.engine.patience import awaited
from tonesmith.engine.played import Played, sent
from tonesmith.engine.refusal import advice
from tonesmith.engine.sent_assets import SentAssets
from tonesmith.engine.sent_presets import received
from tonesmith.engine.settled import Relabelled, settled
from tonesmith.engine.shared_audio import SharedAudio, shared_file
from tonesmith.engine.summing import Mixer, plays_notes
from tonesmith.errors import ConfigError, EngineError, ResourceError, TonesmithError
from tonesmith.pinning.start import Held
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.plan.promises import Isolation
from tonesmith.score.phrase import Phrase
from tonesmith.space.patch import Patch
from tonesmith.space.preset import Preset

LOAD_SECONDS = 120.0
"""How long an engine may take to load or to describe itself."""
PRESET_SECONDS = 60.0
"""How long an engine may take to load a preset."""


class Engine:
    """A synth in a process of its own, in which every patch is played from the pristine state.

    Args:
        backend: by name and options.
        audio: the form of every render.
        notes: how many notes are rendered at once; for phrases, what :func:`tonesmith.engine.summing.slots_for` tells.
        isolation: how the state is kept pristine.
        asset: returns the content of an asset by its SHA-256.
        load_seconds: how long it may take to load or to describe itself.
        memory, load_memory: bytes that a patch may take, and that it may have when it is loaded; 0 for no limit.

    Attributes:
        held: what the engine that was loaded last holds still, if its backend asks for a pinned process.
    """

    def __init__(
        self,
        backend: PluginRef,
        audio: Audio,
        notes: int,
        isolation: Isolation,
        asset: Callable[[str], bytes],
        load_seconds: float = LOAD_SECONDS,
        *,
        memory: int = 0,
        load_memory: int = 0,
    ) -> None:
        self._backend = backend
        self._audio = audio
        self._notes = notes
        self._isolation = isolation
        self._asset = asset
        self._load_seconds = load_seconds
        self._memory = memory
        self._load_memory = load_memory
        self._assets = SentAssets(asset)
        self._loaded_with = 0
        self._reader: Child | None = None
        self._inbox: queue.Queue[Message] = queue.Queue()
        self._child: Child | None = None
        self._shared: SharedAudio | None = None
        self._mixer: Mixer | None = None
        self.held: tuple[Held, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def audio(self) -> NDArray[np.float32]:
        """What the last patch sounded like: float32 (notes, channels, frames), valid until the next is played."""
        return self._heard() if self._mixer is None else self._mixer.audio

    @property
    def pid(self) -> int:
        """Process id of the engine, or 0 while there is none."""
        return self._child.pid if self._child is not None else 0

    def start(self) -> None:
        """Load the engine, if it is not loaded. Raises :class:`EngineError` if it cannot be."""
        self._running()

    def play(
        self,
        patch: Patch,
        played: Sequence[Played],
        timeout: float,
        again: Callable[[Outcome], object] = bool,
        relabelled: Relabelled | None = None,
    ) -> list[Outcome]:
        """Play each note or phrase of a patch; the list ends with the first that could not be played.

        If the engine holds other values than the patch has, the patch with these is played instead, from the pristine
        state as any other, and the first outcome tells them.

        A crash or a hang costs this patch alone. A process may also be killed, or kept from running, by what is no
        doing of the patch: so it is played again, and last of all in a new engine, before it is blamed.

        Args:
            patch: to play.
            played: what to play with it.
            timeout: seconds that all of them may take, each time. Where a phrase is rendered note by note: that as many
                notes may take as are rendered at once.
            again: told of a failure after which the patch is played again.
            relabelled: returns the patch with other values, as it is to be played; None for just these values.

        Raises :class:`EngineError` only if no engine can be loaded any more, and :class:`ResourceError` if the
        machine ran out of something.
        """
        return settled(lambda told: self._played(told, played, timeout, again), patch, relabelled)

    def _played(
        self, patch: Patch, played: Sequence[Played], timeout: float, again: Callable[[Outcome], object]
    ) -> list[Outcome]:
        """Play a patch as it is, again and last of all in a new engine if need be."""
        return judged(lambda: self._played_once(patch, played, timeout), again, self._renew)

    def _renew(self) -> None:
        if self._child is not None:
            self._drop(self._child)

    def describe(self, hold: float, tail: float) -> Description:
        """Return what the engine says of itself, in a process that is used for nothing else.

        Args:
            hold: seconds that the note is held whose render tells channels and frames.
            tail: seconds rendered after it.

        Raises :class:`ConfigError` if the backend cannot use what its options name, and
        :class:`EngineError` if no engine can be loaded.
        """
        reply = self._asked_alone({"describe": True, "hold": hold, "tail": tail})["description"]
        return Description.of(reply, self._audio.sample_rate)

    def read(self, patch: Patch, timeout: float) -> Mapping[str, float]:
        """Return the values that the engine has once it was told those of a patch; none if it cannot tell.

        Raises :class:`EngineError` if the patch was not taken, or the engine died of it.
        """
        values: dict[str, float] = self._asked_of({"read": patch.to_json()}, patch, timeout)["values"]
        return values

    def save_preset(self, patch: Patch, name: str, timeout: float) -> bytes:
        """Return a preset file of a patch, of a backend that needs a live engine for it.

        Args:
            patch: to write.
            name: shown as the preset's name.
            timeout: seconds that it may take.

        Raises :class:`EngineError` if the patch was not taken, or the engine died of it.
        """
        return base64.b64decode(self._asked_of({"save": patch.to_json(), "name": name}, patch, timeout)["preset"])

    def load_preset(self, path: Path, timeout: float = PRESET_SECONDS) -> Preset:
        """Return the first preset of a file, as :meth:`load_presets` reads it."""
        return self.load_presets(path, timeout)[0]

    def load_presets(self, path: Path, timeout: float = PRESET_SECONDS, member: str = "") -> tuple[Preset, ...]:
        """Return the presets of a file: one, or those of a bank in their order there.

        The file is opened in a process that is used for nothing else: a hostile one costs that alone.

        Args:
            path: of the file.
            timeout: seconds that it may take.
            member: name of the one to read, of those that :meth:`members` returns; "" for a file without.

        Raises :class:`EngineError` with the reason if the synth does not take the file.
        """
        told = self._looked_into({"presets": str(path), "member": member}, timeout)["presets"]
        if not told:
            raise EngineError("it holds no preset")
        return tuple(map(received, told))

    def members(self, path: Path, timeout: float = PRESET_SECONDS) -> tuple[str, ...]:
        """Return the names of the preset files in a file that holds such. It is opened as :meth:`load_presets` does.

        Raises :class:`EngineError` with the reason if there are none.
        """
        told = self._looked_into({"members": str(path)}, timeout)["members"]
        if not told:
            raise EngineError("it holds no preset")
        return tuple(map(str, told))

    def close(self) -> None:
        """End the process."""
        self._stop_reading()
        if self._child is not None:
            self._child.end()
            self._child = None

    def _looked_into(self, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Return the answer of an engine that only reads preset files."""
        if self._reader is None:
            self.close()
            self._reader = self._start(buffer="")
        try:
            self._reader.send(request)
            answer = self._answer(self._reader, timeout)
        except (ConfigError, EngineError) as error:
            if self._isolation != "snapshot" or self._reader.ended:
                self._stop_reading()
            told = str(error).removeprefix(f"{self._backend.name}: ").removesuffix(f"\n{HINT}")
            raise EngineError(told) from error.__cause__
        if self._isolation != "snapshot":
            self._stop_reading()
        return answer

    def _stop_reading(self) -> None:
        if self._reader is not None:
            self._reader.kill()
            self._reader = None

    def _asked_of(self, request: dict[str, Any], patch: Patch, timeout: float) -> dict[str, Any]:
        """Return the answer of the engine about a patch. One that does not answer is not used again."""
        child = self._running()
        self._assets.send(child, patch)
        child.send(request)
        try:
            return self._answer(child, timeout)
        except TonesmithError:
            self._drop(child)
            raise

    def _asked_alone(self, request: dict[str, Any]) -> dict[str, Any]:
        self.close()
        return undisturbed(lambda: self._asked_a_new_one(request))

    def _asked_a_new_one(self, request: dict[str, Any]) -> dict[str, Any]:
        child = self._start(buffer="")
        try:
            child.send(request)
            return self._load_answer(child)
        finally:
            child.kill()

    def _played_once(self, patch: Patch, played: Sequence[Played], timeout: float) -> list[Outcome]:
        phrases = any(isinstance(one, Phrase) for one in played)
        if not (phrases and plays_notes(self._backend)):
            self._mixer = None
            return self._asked_to_play(patch, played, timeout)
        self._running()
        self._mixer = Mixer(self._audio, self._notes)
        return self._mixer.play(played, lambda notes: self._asked_to_play(patch, notes, timeout), self._heard)

    def _heard(self) -> NDArray[np.float32]:
        assert self._shared is not None
        return self._shared.audio

    def _asked_to_play(self, patch: Patch, played: Sequence[Played], timeout: float) -> list[Outcome]:
        self._make_room()
        child, pitch = self._running(), played[0].pitch
        watch = MemoryWatch(child, self._memory)
        try:
            self._assets.send(child, patch)
            child.send({"play": patch.to_json(), "notes": [sent(one) for one in played]})
            message = awaited(self._inbox, timeout, watch.looking)
        except queue.Empty:
            self._drop(child)
            return watch.judged([Outcome(pitch, "timeout", f"no answer in {timeout:g} s")])
        if message.body is None:
            self._drop(child)
            number, phrase = child.epitaph()
            told = f"{phrase} {child.last_words(200)}".strip()
            return watch.judged([Outcome(pitch, "crash", told, signal=number)])
        outcomes = watch.judged(outcomes_of(message.body, pitch))
        if outcomes[-1].failure == "refused":
            raise caused(ResourceError(advice(f"{self._backend.name}: {outcomes[-1].detail}")), outcomes[-1].trace)
        return outcomes

    def _make_room(self) -> None:
        """Have another engine loaded where the patches before left this one with more than one may take."""
        limited = self._memory and self._isolation != "snapshot"
        if self._child is not None and limited and taken(self._child.pid) > self._loaded_with + self._memory:
            self._drop(self._child)

    def _running(self) -> Child:
        """Return the engine's process, loaded."""
        if self._child is None:
            self._stop_reading()
            return undisturbed(self._loaded)
        return self._child

    def _loaded(self) -> Child:
        size = SharedAudio.size(self._notes, self._audio.channels, self._audio.frames)
        with shared_file(size) as path:
            child = self._start(buffer=str(path))
            self._shared = SharedAudio(path, self._notes, self._audio.channels, self._audio.frames)
            child.send({"map": True})
            self._load_answer(child)
        self._loaded_with = taken(child.pid) if self._memory else 0
        self._child = child
        return child

    def _start(self, buffer: str) -> Child:
        self._inbox = queue.Queue()
        self._assets = SentAssets(self._asset)
        child = Child("tonesmith.engine.server", self._inbox, name="engine", pinned=is_pinned(self._backend))
        child.send(
            {
                "backend": self._backend.to_json(),
                "sample_rate": self._audio.sample_rate,
                "isolation": self._isolation,
                "notes": self._notes,
                "channels": self._audio.channels,
                "frames": self._audio.frames,
                "buffer": buffer,
            }
        )
        try:
            self.held = tuple(self._load_answer(child)["held"])
        except TonesmithError:
            child.kill()
            raise
        return child

    def _load_answer(self, child: Child) -> dict[str, Any]:
        with loading(self._backend.name, child, self._load_memory) as look:
            return self._answer(child, self._load_seconds, look)

    def _answer(self, child: Child, timeout: float, look: Callable[[], object] | None = None) -> dict[str, Any]:
        name = self._backend.name
        try:
            body = awaited(self._inbox, timeout, look).body
        except queue.Empty:
            child.kill()
            raise EngineError(f"{name}: the engine gave no answer within {timeout:g} s.") from None
        if body is None:
            child.kill()
            number, phrase = child.epitaph()
            words = child.last_words(500)
            raise DiedError(f"{name}: the engine's process stopped ({phrase}). {words}".rstrip(), number)
        if "fault" in body:
            raise Fault.from_json(body["fault"]).error(name)
        return body

    def _drop(self, child: Child) -> None:
        child.kill()
        self._child = None
