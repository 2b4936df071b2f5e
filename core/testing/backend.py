"""The contract of a backend: what every synth must do for its rows to render again."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from tonesmith.engine.client import Engine
from tonesmith.engine.description import Description
from tonesmith.engine.determinism import FLOOR_DB
from tonesmith.engine.isolation import isolation_of, promise_of
from tonesmith.errors import ConfigError, EngineError
from tonesmith.host.registry import Host
from tonesmith.host.roles import Backend
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.plan.promises import Determinism, Isolation
from tonesmith.space.patch import Note, Patch
from tonesmith.space.sampling import patch_at, uniform
from tonesmith.space.shape import SpaceShape, shaped
from tonesmith.space.space import ParameterSpace
from tonesmith.testing.backend_phrases import PhraseTests
from tonesmith.testing.sameness import same_bytes


class BackendContract(PhraseTests):
    """Subclass it, name the backend, and inherit the tests that the built-in synths pass.

    ::

        from tonesmith.testing import BackendContract

        class TestMySynth(BackendContract):
            name = "mysynth"

    The plugin must be installed, as for a user: engines run in processes of their own, which find it by its
    entry point.
    """

    name: ClassVar[str]
    """Of the backend under test."""
    options: ClassVar[dict[str, Any]] = {}
    """Its options; the defaults for those left out."""
    sample_rate: ClassVar[int] = 44100
    floor: ClassVar[float] = FLOOR_DB
    """What two renders of a synth that promises "floor" may differ by at most, in dB of full scale."""
    note: ClassVar[Note] = Note(60, 100, 0.3, 0.2)

    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls) -> type[Backend[Any]]:
        """The class under test, as the host finds it."""
        return Host.load().find("backend", cls.name)

    @pytest.fixture(scope="class")
    @classmethod
    def reference(cls, backend: type[Backend[Any]]) -> PluginRef:
        """The backend by name and options: all that crosses a process."""
        return PluginRef(cls.name, backend.Options.model_validate(cls.options).model_dump(mode="json"))

    @pytest.fixture(scope="class")
    @classmethod
    def description(cls, backend: type[Backend[Any]], reference: PluginRef) -> Description:
        """What the live engine says of itself."""
        unknown = Audio(cls.sample_rate, 0, 0)
        with Engine(reference, unknown, 1, cls._isolation(backend), asset=_unasked) as engine:
            return engine.describe(cls.note.hold, cls.note.tail)

    @pytest.fixture(scope="class")
    @classmethod
    def space(cls, backend: type[Backend[Any]], description: Description) -> ParameterSpace:
        """The space as the backend shapes it by default."""
        shape = backend.shape(backend.Options.model_validate(cls.options))
        return shaped(description.space, shape, SpaceShape())

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, backend: type[Backend[Any]], reference: PluginRef, description: Description) -> Iterator[Engine]:
        """An engine, which has played what the tests before did."""
        with cls._engine(backend, reference, description) as engine:
            yield engine

    @pytest.fixture
    def promise(self, backend: type[Backend[Any]]) -> Determinism:
        """What the backend promises with the isolation that it gets here."""
        promised = promise_of(backend, self._isolation(backend), backend.Options.model_validate(self.options))
        if promised == "none":
            pytest.skip(f"{self.name} promises nothing")
        return promised

    def test_it_has_a_name_and_a_summary(self, backend: type[Backend[Any]]) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", backend.name)
        assert backend.summary
        assert "\n" not in backend.summary

    def test_every_option_has_a_default_and_a_description(self, backend: type[Backend[Any]]) -> None:
        backend.Options()
        assert all(field.description for field in backend.Options.model_fields.values())

    def test_what_it_loads_is_told_by_full_paths_or_names(self, backend: type[Backend[Any]]) -> None:
        options = backend.Options.model_validate(self.options)
        loaded, binary = backend.loads(options), backend.binary(options)
        assert isinstance(loaded, tuple)
        assert all(Path(name).is_absolute() or ":" in name for name in loaded)
        assert binary is None or str(binary) in loaded, "a stranger's dataset could have the binary loaded"

    def test_options_survive_json_and_an_unknown_one_is_an_error(
        self, backend: type[Backend[Any]], reference: PluginRef
    ) -> None:
        stored = json.loads(json.dumps(reference.to_json()))
        options = backend.Options.model_validate(self.options)
        assert Host.load().options_of("backend", stored["name"], stored["options"]) == options
        with pytest.raises(ConfigError, match="no_such_option"):
            Host.load().options_of("backend", self.name, {"no_such_option": 1})

    def test_the_shapes_fit_the_live_engine(self, backend: type[Backend[Any]], description: Description) -> None:
        for shape in backend.shapes(backend.Options.model_validate(self.options)).values():
            assert shaped(description.space, shape, SpaceShape()).names

    def test_the_space_survives_json(self, description: Description) -> None:
        assert ParameterSpace.from_json(description.space.to_json()) == description.space

    def test_labels_round_trip(self, space: ParameterSpace) -> None:
        for patch in self._patches(space, 8):
            decoded = _decoded(space, patch)
            assert _decoded(space, decoded) == decoded
            assert set(decoded.values) == {parameter.name for parameter in space.parameters}

    def test_the_versions_name_what_makes_the_sound(self, description: Description) -> None:
        assert description.versions
        assert all(description.versions.values())

    def test_every_default_asset_is_there(self, description: Description) -> None:
        assert set(description.space.assets.values()) <= set(description.assets)

    def test_a_default_patch_plays_in_the_form_that_was_described(
        self, engine: Engine, space: ParameterSpace, description: Description
    ) -> None:
        assert self._played(engine, space, Patch()).shape == (
            description.audio.channels,
            description.audio.frames,
        )

    def test_a_patch_sounds_the_same_whatever_was_played_before(
        self, engine: Engine, space: ParameterSpace, promise: Determinism
    ) -> None:
        a, b = self._patches(space, 2)
        first = self._played(engine, space, a)
        self._played(engine, space, b)
        self._check_same(promise, first, self._played(engine, space, a))

    def test_the_notes_of_a_patch_do_not_hear_each_other(
        self, engine: Engine, space: ParameterSpace, promise: Determinism
    ) -> None:
        (patch,) = self._patches(space, 1)
        alone = self._played(engine, space, patch)
        outcomes = engine.play(_decoded(space, patch), [self.note] * 3, 60.0)
        assert [o.failure for o in outcomes] == ["", "", ""]
        for audio in engine.audio:
            self._check_same(promise, alone, audio)

    def test_the_promised_determinism_holds_in_another_process(
        self,
        backend: type[Backend[Any]],
        reference: PluginRef,
        description: Description,
        space: ParameterSpace,
        promise: Determinism,
    ) -> None:
        if promise == "exact-in-run":
            pytest.skip(f"{self.name} promises nothing of another process")
        heard = []
        for order in (1, -1):
            with self._engine(backend, reference, description) as engine:
                patches = self._patches(space, 3)[::order]
                heard.append([self._played(engine, space, patch) for patch in patches][::order])
        for first, again in zip(*heard, strict=True):
            self._check_same(promise, first, again)

    def test_patches_reach_the_synth(self, engine: Engine, space: ParameterSpace) -> None:
        heard = {self._played(engine, space, patch).tobytes() for patch in self._patches(space, 4)}
        assert len(heard) > 1, "four random patches sound alike"

    def test_what_the_synth_holds_otherwise_is_held_when_it_is_set(
        self, engine: Engine, space: ParameterSpace, promise: Determinism
    ) -> None:
        for patch in self._patches(space, 3):
            first = self._played(engine, space, patch)
            told = _decoded(space, patch)
            if held := engine.play(told, [self.note], 60.0)[0].held:
                settled = _decoded(space, replace(told, values={**told.values, **held}))
                assert engine.play(settled, [self.note], 60.0)[0].held == {}
                self._check_same(promise, first, engine.audio[0])

    def test_pitch_and_velocity_are_taken_from_one_end_to_the_other(
        self, engine: Engine, space: ParameterSpace
    ) -> None:
        for pitch, velocity in ((0, 1), (127, 127)):
            note = Note(pitch, velocity, self.note.hold, self.note.tail)
            assert engine.play(_decoded(space, Patch()), [note], 60.0)[0].failure == ""

    def test_a_preset_file_is_made_without_an_engine(
        self, backend: type[Backend[Any]], description: Description, space: ParameterSpace
    ) -> None:
        if not backend.preset_suffix or backend.preset_needs_engine:
            pytest.skip(f"{self.name} cannot write presets, or not without an engine")
        patch = _decoded(space, Patch())
        content = backend.preset(patch, description.assets, "default")
        assert same_bytes(content, backend.preset(patch, description.assets, "default"))
        assert len(content) > 0

    def test_a_preset_file_that_it_writes_is_read_as_the_same_patch(
        self,
        backend: type[Backend[Any]],
        engine: Engine,
        description: Description,
        space: ParameterSpace,
        tmp_path: Path,
    ) -> None:
        if backend.preset_suffix not in backend.preset_suffixes:
            pytest.skip(f"{self.name} does not read what it writes")
        for number, patch in enumerate(self._patches(space, 2)):
            written = _decoded(space, patch)
            path = tmp_path / f"{number}{backend.preset_suffix}"
            if backend.preset_needs_engine:
                path.write_bytes(engine.save_preset(written, "written", 60.0))
            else:
                path.write_bytes(backend.preset(written, description.assets, "written"))
            (read,) = engine.load_presets(path)
            values = {**read.patch.values, **space.fixed}  # as a plan keeps a preset
            label, again = space.encode(written), space.encode(replace(read.patch, values=values))
            np.testing.assert_allclose(again.continuous, label.continuous, atol=1e-5)
            np.testing.assert_array_equal(again.categorical, label.categorical)
            assert re.fullmatch(r"[0-9a-f]{64}", read.patch.preset)
            assert backend.preset_needs_engine or read.name == "written"

    def test_what_is_no_preset_is_refused_with_a_reason(
        self, backend: type[Backend[Any]], engine: Engine, tmp_path: Path
    ) -> None:
        if not backend.preset_suffixes:
            pytest.skip(f"{self.name} cannot read presets")
        path = tmp_path / f"hostile{backend.preset_suffixes[0]}"
        for content in (b"", b"no preset", bytes(range(256)) * 20, b"{" * 5000):
            path.write_bytes(content)
            with pytest.raises(EngineError) as refused:
                engine.load_presets(path)
            told = str(refused.value)
            assert told
            assert not re.match(r"[A-Z]\w*: |the engine's process stopped", told), (
                f"not a reason but an accident: {told}"
            )

    def test_the_class_can_be_sent_by_name(self, backend: type[Backend[Any]]) -> None:
        assert pickle.loads(pickle.dumps(backend)) is backend  # noqa: S301 - our own bytes

    def _check_same(self, promise: Determinism, first: NDArray[np.float32], again: NDArray[np.float32]) -> None:
        """Raise AssertionError unless two renders are as alike as was promised."""
        if promise != "floor":
            assert same_bytes(again, first), f"not {promise}: {_apart(first, again):.1f} dB apart"
        else:
            assert _apart(first, again) <= self.floor, f"{_apart(first, again):.1f} dB apart; {self.floor} is promised"

    @classmethod
    def _engine(cls, backend: type[Backend[Any]], reference: PluginRef, description: Description) -> Engine:
        isolation = cls._isolation(backend)
        return Engine(reference, description.audio, 3, isolation, description.assets.__getitem__)

    @classmethod
    def _isolation(cls, backend: type[Backend[Any]]) -> Isolation:
        return isolation_of(backend, backend.Options.model_validate(cls.options))

    def _patches(self, space: ParameterSpace, count: int) -> list[Patch]:
        size = len(space.names)
        return [patch_at(space, uniform(0, "contract", i, 0, size), "contract") for i in range(count)]

    def _played(self, engine: Engine, space: ParameterSpace, patch: Patch) -> NDArray[np.float32]:
        outcome = engine.play(_decoded(space, patch), [self.note], 60.0)[0]
        assert outcome.failure == "", f"{outcome.failure}: {outcome.detail}\n{outcome.trace}"
        audio: NDArray[np.float32] = engine.audio[0].copy()
        return audio


def _apart(first: NDArray[np.float32], again: NDArray[np.float32]) -> float:
    """Return the largest difference, in dB of full scale; infinite for one that is no number."""
    difference = float(np.max(np.abs(first.astype(np.float64) - again), initial=0.0))
    return 20.0 * float(np.log10(max(difference, 1e-20))) if np.isfinite(difference) else np.inf


def _decoded(space: ParameterSpace, patch: Patch) -> Patch:
    return space.decode(space.encode(patch))


def _unasked(name: str) -> bytes:
    raise AssertionError(f"asset {name} was asked for before any patch")
