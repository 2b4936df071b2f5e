"""The contract of a backend: what every synth must do for its rows to render again."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from tonesmith.host import Host
from tonesmith.isolation import Description, Engine, isolation_of
from tonesmith.patch import Note, Patch
from tonesmith.plan import Audio, PluginRef
from tonesmith.roles import Backend
from tonesmith.sampling import patch_at, uniform
from tonesmith.shape import SpaceShape, shaped
from tonesmith.space import ParameterSpace


class BackendContract:
    """Subclass it, name the backend, and inherit the tests that the built-in synths pass.

    ::

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
        with Engine(reference, unknown, 1, isolation_of(backend), asset=_unasked) as engine:
            return engine.describe(cls.note.hold, cls.note.tail)

    @pytest.fixture(scope="class")
    @classmethod
    def space(cls, backend: type[Backend[Any]], description: Description) -> ParameterSpace:
        """The space as the backend shapes it by default."""
        shape = backend.shape(backend.Options.model_validate(cls.options))
        return shaped(description.space, shape, SpaceShape())

    @pytest.fixture
    def engine(self, backend: type[Backend[Any]], reference: PluginRef, description: Description) -> Iterator[Engine]:
        """An engine that has played nothing yet."""
        with self._engine(backend, reference, description) as engine:
            yield engine

    def test_every_option_has_a_default_and_a_description(self, backend: type[Backend[Any]]) -> None:
        backend.Options()
        assert all(field.description for field in backend.Options.model_fields.values())

    def test_the_shapes_fit_the_live_engine(self, backend: type[Backend[Any]], description: Description) -> None:
        for shape in backend.shapes(backend.Options.model_validate(self.options)).values():
            assert shaped(description.space, shape, SpaceShape()).names

    def test_the_space_survives_json(self, description: Description) -> None:
        assert ParameterSpace.from_json(description.space.to_json()) == description.space

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

    def test_a_patch_sounds_the_same_whatever_was_played_before(self, engine: Engine, space: ParameterSpace) -> None:
        a, b = self._patches(space, 2)
        first = self._played(engine, space, a)
        self._played(engine, space, b)
        assert self._played(engine, space, a).tobytes() == first.tobytes()

    def test_the_notes_of_a_patch_do_not_hear_each_other(self, engine: Engine, space: ParameterSpace) -> None:
        (patch,) = self._patches(space, 1)
        alone = self._played(engine, space, patch)
        outcomes = engine.play(_decoded(space, patch), [self.note] * 3, 60.0)
        assert [o.failure for o in outcomes] == ["", "", ""]
        assert {audio.tobytes() for audio in engine.audio} == {alone.tobytes()}

    def test_exact_determinism_holds_in_another_process(
        self, backend: type[Backend[Any]], reference: PluginRef, description: Description, space: ParameterSpace
    ) -> None:
        if backend.determinism != "exact":
            pytest.skip(f"{self.name} promises {backend.determinism}")
        heard = []
        for order in (1, -1):
            with self._engine(backend, reference, description) as engine:
                patches = self._patches(space, 3)[::order]
                heard.append([self._played(engine, space, patch).tobytes() for patch in patches][::order])
        assert heard[0] == heard[1]

    def test_patches_reach_the_synth(self, engine: Engine, space: ParameterSpace) -> None:
        heard = {self._played(engine, space, patch).tobytes() for patch in self._patches(space, 4)}
        assert len(heard) > 1, "four random patches sound alike"

    def test_pitch_and_velocity_are_taken_from_one_end_to_the_other(
        self, engine: Engine, space: ParameterSpace
    ) -> None:
        for pitch, velocity in ((0, 1), (127, 127)):
            note = Note(pitch, velocity, self.note.hold, self.note.tail)
            assert engine.play(_decoded(space, Patch()), [note], 60.0)[0].failure == ""

    def test_a_preset_file_is_made_without_an_engine(
        self, backend: type[Backend[Any]], description: Description, space: ParameterSpace
    ) -> None:
        if not backend.preset_suffix:
            pytest.skip(f"{self.name} writes no presets")
        patch = _decoded(space, Patch())
        content = backend.preset(patch, description.assets, "default")
        assert content == backend.preset(patch, description.assets, "default")
        assert len(content) > 0

    def test_the_class_can_be_sent_by_name(self, backend: type[Backend[Any]]) -> None:
        assert pickle.loads(pickle.dumps(backend)) is backend  # noqa: S301 - our own bytes

    def _engine(self, backend: type[Backend[Any]], reference: PluginRef, description: Description) -> Engine:
        return Engine(reference, description.audio, 3, isolation_of(backend), description.assets.__getitem__)

    def _patches(self, space: ParameterSpace, count: int) -> list[Patch]:
        size = len(space.names)
        return [patch_at(space, uniform(0, "contract", i, 0, size), "contract") for i in range(count)]

    def _played(self, engine: Engine, space: ParameterSpace, patch: Patch) -> NDArray[np.float32]:
        outcome = engine.play(_decoded(space, patch), [self.note], 60.0)[0]
        assert outcome.failure == "", outcome
        audio: NDArray[np.float32] = engine.audio[0].copy()
        return audio


def _decoded(space: ParameterSpace, patch: Patch) -> Patch:
    return space.decode(space.encode(patch))


def _unasked(name: str) -> bytes:
    raise AssertionError(f"asset {name} was asked for before any patch")
