"""Preset files looked at and listened to: what is in each, whether it sounds, and whether it renders again."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.engine.client import Engine
from tonesmith.engine.description import Description
from tonesmith.engine.isolation import isolation_of, promise_of
from tonesmith.errors import SpaceError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.plan.render import Render
from tonesmith.presets.asset_store import AssetStore
from tonesmith.presets.ingest import Found, Refused, ingest
from tonesmith.space.patch import Note
from tonesmith.space.preset import Preset

if TYPE_CHECKING:
    from tonesmith.host.roles import Backend, Options, Validator
    from tonesmith.plan.promises import Isolation
    from tonesmith.space.space import ParameterSpace

NOTE = Note(60, 100, 1.0, 1.0)
"""What a preset plays to be heard."""
SAMPLE_RATE = 44100
SECONDS = 60.0
"""How long a preset may take to play it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of the note that a preset played from its label.

    Attributes:
        failure: why it was not played, or "".
        reason: why the validator ``level`` would reject it with its defaults, such as "silent", or "".
        measured: by ``level``: rms and peak in dBFS, dc of full scale.
        again: whether another engine process gave the same samples, bit for bit; None if none was asked.
    """

    failure: str = ""
    reason: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)
    again: bool | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """A preset that was read.

    Attributes:
        path: of the first file with its content.
        size: of the file in bytes.
        preset: what is in it.
        copies: other files with the same content.
        own: wavetables of its own, among those that sound.
        used: wavetables that sound, the default ones too.
        heard: what became of its note; None if it was not played.
        number: of the preset in a file that holds several, from 1; 0 in a file of its own.
        member: name of its file in a bank of files, or "".
    """

    path: Path
    size: int
    preset: Preset
    copies: tuple[Path, ...]
    own: int
    used: int
    heard: Heard | None = None
    number: int = 0
    member: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found in preset files.

    Attributes:
        presets: in the order of their files.
        refused: files that the synth does not take, and why.
        space: every parameter of the synth.
    """

    presets: tuple[Examined, ...]
    refused: tuple[Refused, ...]
    space: ParameterSpace


def examine(
    files: Sequence[Path],
    backend: type[Backend[Any]],
    options: Options,
    host: Host,
    *,
    plays: int = 1,
    workers: int = 1,
    licence: str = "",
    progress: Callable[[int], object] = int,
) -> Examination:
    """Return what is in preset files, and how each sounds.

    Args:
        files: to read, each in a process where a hostile one costs nothing but itself.
        backend: the synth.
        options: of the backend.
        host: finds the validator ``level``.
        plays: in how many engine processes each preset plays its note: 0, 1 or 2.
        workers: engines that read, or pairs that play, at the same time.
        licence: of a preset whose collection states none.
        progress: told the steps after each file: one for reading it, and one for playing it.
    """
    plain = options.model_dump(mode="json")
    reference, isolation = PluginRef(backend.name, plain), isolation_of(backend, options)
    with Engine(reference, Audio(SAMPLE_RATE, 0, 0), 1, isolation, asset=_no_asset) as engine:
        described = engine.describe(NOTE.hold, NOTE.tail)
    found, refused = ingest(
        files,
        backend,
        plain,
        sample_rate=SAMPLE_RATE,
        workers=workers,
        licence=licence,
        store=AssetStore(),
        progress=progress,
    )
    comparable = promise_of(backend, isolation, options) == "exact"
    ear = _Ear(reference, described, host, plays, workers, progress, isolation=isolation, comparable=comparable)
    heard = ear.heard(found)
    if plays:
        progress(len(files) - len(found))
    examined = [_examined(item, described.space, sound) for item, sound in zip(found, heard, strict=True)]
    place = {path: number for number, path in enumerate(files)}
    ordered = sorted(examined, key=lambda item: (place[item.path], item.number))
    return Examination(tuple(ordered), tuple(sorted(refused, key=lambda item: place[item.path])), described.space)


class _Ear:
    """Plays presets and listens to them."""

    def __init__(
        self,
        reference: PluginRef,
        described: Description,
        host: Host,
        plays: int,
        workers: int,
        progress: Callable[[int], object],
        *,
        isolation: Isolation,
        comparable: bool,
    ) -> None:
        level = host.find("validator", "level")
        self._level: Validator[Any] = level(level.Options())
        self._reference = reference
        self._space = described.space
        self._audio = described.audio
        self._isolation = isolation
        self._comparable = comparable
        self._plays = plays
        self._workers = workers
        self._progress = progress

    def heard(self, found: Sequence[Found]) -> list[Heard | None]:
        """Return how each preset sounds, in order."""
        if not (self._plays and found):
            return [None] * len(found)
        players = max(1, min(self._workers, len(found)))
        stopped = threading.Event()
        with ThreadPoolExecutor(players) as pool:
            try:
                shares = [found[i::players] for i in range(players)]
                parts = list(pool.map(self._heard_of, shares, itertools.repeat(stopped)))
            finally:
                stopped.set()
        return [parts[i % players][i // players] for i in range(len(found))]

    def _heard_of(self, share: Sequence[Found], stopped: threading.Event) -> list[Heard]:
        told: list[Heard] = []
        assets = share[0].preset.assets.__getitem__
        with ExitStack() as stack:
            engines = [
                stack.enter_context(Engine(self._reference, self._audio, 1, self._isolation, assets))
                for _ in range(self._plays)
            ]
            for item in share:
                if stopped.is_set():
                    break
                told.append(self._heard(engines, item.preset))
                self._progress(1)
        return told

    def _heard(self, engines: Sequence[Engine], preset: Preset) -> Heard:
        try:
            patch = self._space.decode(self._space.encode(preset.patch))
        except SpaceError as error:
            return Heard(failure=str(error))
        played = []
        for engine in engines:
            outcome = engine.play(patch, [NOTE], SECONDS)[0]
            if outcome.failure:
                return Heard(failure=f"{outcome.failure}: {outcome.detail}")
            played.append(engine.audio[0].copy())
        form = self._audio
        verdict = self._level.check(Render(played[0], form.sample_rate, patch, NOTE, form.channels, form.frames))
        same = all(audio.tobytes() == played[0].tobytes() for audio in played)
        return Heard(
            reason=verdict.reason,
            measured=dict(verdict.measured),
            again=same if self._comparable and len(played) > 1 else None,
        )


def _examined(found: Found, space: ParameterSpace, heard: Heard | None) -> Examined:
    preset = found.preset
    audible = dict(zip(space.names, space.audible(preset.patch).tolist(), strict=True))
    sounding = {p.group for p in space.parameters if p.switch and audible.get(p.name)}
    slots = [slot for slot in space.assets if slot.startswith("wavetable") and space.modules.get(slot) in sounding]
    return Examined(
        path=found.path,
        size=found.path.stat().st_size,
        preset=preset,
        copies=found.copies,
        own=sum(preset.patch.assets.get(slot, space.assets[slot]) != space.assets[slot] for slot in slots),
        used=len(slots),
        heard=heard,
        number=found.number,
        member=found.member,
    )


def asset_name(content: bytes) -> str:
    """Return what an asset that is written as JSON calls itself, or ""."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    name = told.get("name", "") if isinstance(told, dict) else ""
    return name if isinstance(name, str) else ""


def _no_asset(name: str) -> bytes:
    raise KeyError(name)
