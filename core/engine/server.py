"""The engine process: it holds one synth, pristine, and nothing else.

Started by :class:`tonesmith.engine.client.Engine` as ``python -m tonesmith.engine.server``. It never measures or stores
anything: a synth may leave the floating-point unit of its thread in another mode (Vital sets
flush-to-zero for good), and the numbers that tell of a render must not depend on it.
"""

from __future__ import annotations

import base64
import gc
import os
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tonesmith.engine.channel import Channel, channel_to_parent
from tonesmith.engine.fault import Fault
from tonesmith.engine.forks import forked
from tonesmith.engine.in_process import InProcessPlayer, Player
from tonesmith.engine.memory import go_first
from tonesmith.engine.one_thread import one_threaded
from tonesmith.engine.pages import small_pages
from tonesmith.engine.played import received
from tonesmith.engine.sent_presets import sent
from tonesmith.engine.shared_audio import SharedAudio, check_form
from tonesmith.engine.snapshot import SnapshotPlayer
from tonesmith.engine.wakeups import waking
from tonesmith.errors import EngineError
from tonesmith.host.registry import Host
from tonesmith.host.roles import Backend
from tonesmith.pinning.held import held, settle_in
from tonesmith.space.patch import Note, Patch, sha256_hex
from tonesmith.space.space import ParameterSpace

_PROOF = Note(60, 100, 0.05, 0.05)
"""What a copy of an engine plays to prove itself."""


def main() -> None:
    """Serve one client until it closes the channel."""
    settle_in()
    go_first()
    channel = channel_to_parent()
    try:
        Server(channel).serve()
    except EOFError:
        pass
    except BaseException:  # noqa: BLE001 - told before the end, which would not tell it
        traceback.print_exc()
    finally:
        os._exit(0)  # an engine's own tear-down has nothing to add


class Server:
    """Answers the requests of one :class:`tonesmith.engine.client.Engine`."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._assets: dict[str, bytes] = {}
        self._module = __name__
        setup, _ = channel.receive()
        self._setup = setup

    def serve(self) -> None:
        """Load the engine, then answer until the channel closes."""
        if not self._answered(self._load_first):
            return
        while True:
            request, payload = self._channel.receive()
            if "asset" in request:
                self._assets[request["asset"]] = payload
                self._backend.add_asset(request["asset"], payload)
            elif "drop" in request:
                del self._assets[request["drop"]]
                self._backend.drop_asset(request["drop"])
            elif "map" in request:
                self._answered(self._map)
            elif "play" in request:
                self._answered(partial(self._play, request))
            elif "read" in request:
                self._answered(partial(self._read, Patch.from_json(request["read"])))
            elif "save" in request:
                self._answered(partial(self._saved, Patch.from_json(request["save"]), request["name"]))
            elif "describe" in request:
                self._answered(partial(self._describe, request))
            elif "members" in request:
                self._answered(partial(self._looked_into, partial(self._members, Path(request["members"]))))
            elif "presets" in request:
                read = partial(self._presets, Path(request["presets"]), request["member"])
                self._answered(partial(self._looked_into, read))

    def _answered(self, answer: Callable[[], dict[str, Any]]) -> bool:
        try:
            reply = answer()
        except Exception as error:  # noqa: BLE001 - whatever the plugin raises is told to the client
            self._channel.send({"fault": Fault.of(error, self._module).to_json()})
            return False
        self._channel.send(reply)
        return True

    def _load(self) -> Backend[Any]:
        setup = self._setup
        cls = Host.load().find("backend", setup["backend"]["name"])
        self._module = cls.__module__
        options = cls.Options.model_validate(cls.from_plan(setup["backend"]["options"]))
        backend = cls(options, setup["sample_rate"])
        for name, content in self._assets.items():
            backend.add_asset(name, content)
        return backend

    def _load_first(self) -> dict[str, Any]:
        small_pages(self._setup["isolation"] == "snapshot")
        with waking():
            self._backend = self._load()
        gc.disable()
        return {"held": held()}

    def _map(self) -> dict[str, Any]:
        """Map the memory that the client made, and get ready to play into it."""
        setup = self._setup
        shared = SharedAudio(Path(setup["buffer"]), setup["notes"], setup["channels"], setup["frames"])
        if setup["isolation"] == "snapshot":
            one_threaded(self._play_default, self._channel.close)
            self._player: Player = SnapshotPlayer(self._backend, shared)
        else:
            self._player = InProcessPlayer(self._load, shared, setup["isolation"] == "reuse", self._module)
        return {"mapped": True}

    def _play(self, request: dict[str, Any]) -> dict[str, Any]:
        outcomes = self._player.play(Patch.from_json(request["play"]), [received(one) for one in request["notes"]])
        return {"outcomes": [outcome.to_json() for outcome in outcomes]}

    def _read(self, patch: Patch) -> dict[str, Any]:
        """Return the values that the engine has after those of a patch were set. Notes never use this engine."""
        return self._looked_into(partial(self._values, patch))

    def _values(self, patch: Patch) -> dict[str, Any]:
        self._prepare(patch)
        return {"values": {name: float(value) for name, value in self._backend.read().items()}}

    def _saved(self, patch: Patch, name: str) -> dict[str, Any]:
        """Return a preset file of a patch. Notes never use this engine."""

        def save() -> dict[str, Any]:
            self._prepare(patch)
            return {"preset": base64.b64encode(self._backend.save_preset(name)).decode()}

        return self._looked_into(save)

    def _prepare(self, patch: Patch) -> None:
        if self._backend.template_key(patch):
            self._backend.load_template(patch)
        self._backend.prepare(patch)

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the space, versions, assets and the form of the audio. The engine is used up by it."""
        backend, note = self._backend, Note(60, 100, request["hold"], request["tail"])
        assets = {slot: base64.b64encode(content).decode() for slot, content in backend.assets().items()}
        space, audio = self._played_default(note)
        remarks = list(backend.remarks())
        check_form(audio)
        self._check_length(audio.shape[1], note)
        description = {
            "space": space.to_json(),
            "versions": dict(backend.versions()),
            "remarks": remarks,
            "assets": assets,
            "channels": audio.shape[0],
            "frames": audio.shape[1],
        }
        return {"description": description}

    def _played_default(self, note: Note) -> tuple[ParameterSpace, NDArray[Any]]:
        """Return the space, and what its default patch sounds like. The engine is used up by it."""
        backend = self._backend
        space = backend.space()
        patch = Patch({p.name: p.default for p in space.parameters}, assets=dict(space.assets))
        for content in backend.assets().values():
            backend.add_asset(sha256_hex(content), content)
        if backend.template_key(patch):
            backend.load_template(patch)
        backend.prepare(patch)
        return space, backend.render(note)

    def _play_default(self) -> None:
        self._played_default(_PROOF)

    def _check_length(self, frames: int, note: Note) -> None:
        """Raise :class:`EngineError` for a render that is more than a frame longer or shorter than its note."""
        rate = self._setup["sample_rate"]
        if abs(frames - note.duration * rate) > 1.0:
            wanted = round(note.duration * rate)
            raise EngineError(
                f"render returned {frames} frames for a note of {note.duration:g} s at {rate} Hz; it must be {wanted}"
            )

    def _looked_into(self, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what the engine has to say of a preset. With snapshots a fork says it; else it is used up by it."""
        if self._setup["isolation"] != "snapshot":
            return read()
        one_threaded(self._play_default, self._channel.close)
        return forked(read, self._module)

    def _members(self, path: Path) -> dict[str, Any]:
        return {"members": list(self._backend.members(path))}

    def _presets(self, path: Path, member: str) -> dict[str, Any]:
        presets = [self._backend.load_member(path, member)] if member else self._backend.load_presets(path)
        return {"presets": [sent(preset) for preset in presets]}


if __name__ == "__main__":
    main()
