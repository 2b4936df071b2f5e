"""Packing rows into columns, and labels out of them again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonesmith.errors import ConfigError, DatasetError
from tonesmith.plan.plan import Plan
from tonesmith.plan.rows import RowContent, label_from, pack_rows
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Modulation, Note, Patch, sha256_hex
from tonesmith.space.space import Label, ParameterSpace
from tonesmith.testing.synthetic import synthetic_plan, synthetic_space

float32s = st.floats(width=32, allow_nan=False, allow_infinity=False)
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex).filter(lambda name: name != "0" * 64)


@st.composite
def spaces(draw: st.DrawFn) -> ParameterSpace:
    continuous = [Parameter(f"c{i}", "continuous", -2.0, 3.0, 0.0) for i in range(draw(st.integers(0, 4)))]
    categorical = [Parameter(f"k{i}", "categorical", 1.0, 5.0, 1.0) for i in range(draw(st.integers(0, 3)))]
    slots = draw(st.integers(0, 4))
    return ParameterSpace(
        parameters=(*continuous, *categorical),
        sources=("lfo", "env", "macro") if slots else (),
        destinations=("a", "b") if slots else (),
        modulation_slots=slots,
        assets=draw(st.dictionaries(st.text(max_size=5), hashes, max_size=3)),
    )


@st.composite
def labels(draw: st.DrawFn, space: ParameterSpace) -> Label:
    units = st.lists(st.floats(0, 1, width=32), min_size=len(space.continuous), max_size=len(space.continuous))
    choices = st.lists(st.integers(0, 4), min_size=len(space.categorical), max_size=len(space.categorical))
    modulation = st.builds(
        Modulation,
        st.sampled_from(space.sources or ("",)),
        st.sampled_from(space.destinations or ("",)),
        float32s,
        float32s,
        st.booleans(),
        st.booleans(),
        st.booleans(),
    )
    return Label(
        np.array(draw(units), np.float32),
        np.array(draw(choices), np.int32),
        tuple(draw(st.lists(modulation, max_size=space.modulation_slots))),
        {slot: draw(st.one_of(hashes, st.just(""))) for slot in space.assets},
    )


def content(plan: Plan, label: Label, **changes: object) -> RowContent:
    audio = np.zeros((plan.audio.channels, plan.audio.frames), np.float32)
    row = RowContent(audio, label, plan.space.decode(label, "lhs"), Note(60, 100, 0.5, 0.25), 4, 1)
    return replace(row, **changes)  # type: ignore[arg-type]


@given(st.data())
def test_a_label_comes_back_from_its_columns(data: st.DataObject) -> None:
    plan = synthetic_plan(frames=3, space=data.draw(spaces()))
    given_labels = data.draw(st.lists(labels(plan.space), min_size=1, max_size=3))
    columns = pack_rows(plan, [content(plan, label, patch_id=i) for i, label in enumerate(given_labels)])
    for i, label in enumerate(given_labels):
        found = label_from(plan.space, columns, i)
        np.testing.assert_array_equal(found.continuous, label.continuous, strict=True)
        np.testing.assert_array_equal(found.categorical, label.categorical, strict=True)
        assert (found.modulations, found.assets) == (label.modulations, label.assets)
        assert list(found.assets) == list(plan.space.assets)


@given(st.data())
def test_columns_have_the_shapes_and_dtypes_of_the_schema(data: st.DataObject) -> None:
    plan = synthetic_plan(frames=3, space=data.draw(spaces()))
    given_labels = data.draw(st.lists(labels(plan.space), max_size=3))
    columns = pack_rows(plan, [content(plan, label) for label in given_labels])
    expected = {c.name: ((len(given_labels), *c.shape), c.dtype) for c in plan.schema}
    assert {name: (column.shape, str(column.dtype)) for name, column in columns.items()} == expected


def test_every_column_holds_what_its_doc_says() -> None:
    plan = synthetic_plan(frames=3)
    space, (shape, wave) = plan.space, (sha256_hex(b"1"), sha256_hex(b"2"))
    routing = Modulation("env_2", "cutoff", -0.5, 2.0, bipolar=True, stereo=False, bypass=True)
    label = Label(
        np.array([0.25, 1.0], np.float32), np.array([0, 2], np.int32), (routing,), {"wave": wave, "lfo shape é": shape}
    )
    patch = space.decode(label, "presets", sha256_hex(b"preset"))
    columns = pack_rows(plan, [content(plan, label, patch=patch, measured={"loudness": -23.0})])
    row = {name: column[0].tolist() for name, column in columns.items()}
    assert row["modulation/source"] == [1, -1, -1]
    assert row["modulation/destination"] == [1, -1, -1]
    assert row["modulation/amount"] == [-0.5, 0.0, 0.0]
    assert row["modulation/power"] == [2.0, 0.0, 0.0]
    assert row["modulation/bipolar"] == [1, -1, -1]
    assert row["modulation/stereo"] == [0, -1, -1]
    assert row["modulation/bypass"] == [1, -1, -1]
    assert [bytes(asset).hex() for asset in row["asset"]] == [wave, shape]
    assert bytes(row["preset"]).hex() == sha256_hex(b"preset")
    assert row["audible"] == [True, True, True, False]  # the filter is off, and the slope with it
    assert (row["pitch"], row["velocity"], row["hold"], row["tail"]) == (60, 100, 0.5, 0.25)
    assert (row["patch"], row["attempt"], row["origin"]) == (4, 1, 1)
    assert row["loudness"] == -23.0
    assert np.isnan(row["peak_dbfs"])


def test_each_patch_has_its_own_audible_parameters() -> None:
    plan = synthetic_plan(frames=3)
    on, off = (Label(np.array([0, 0], np.float32), np.array([k, 0], np.int32), (), plan.space.assets) for k in (1, 0))
    columns = pack_rows(plan, [content(plan, on, patch_id=0), content(plan, off, patch_id=1)])
    assert columns["audible"][:, 3].tolist() == [True, False]


def test_what_the_plan_does_not_know_is_refused() -> None:
    plan = synthetic_plan(frames=3)
    label = plan.space.encode(Patch())
    with pytest.raises(ConfigError, match="unknown origin 'mars'"):
        pack_rows(plan, [content(plan, label, patch=plan.space.decode(label, "mars"))])
    with pytest.raises(ConfigError, match="modulation source 'moon'"):
        pack_rows(plan, [content(plan, replace(label, modulations=(Modulation("moon", "level"),)))])
    with pytest.raises(ConfigError, match="4 modulations; the space holds 3"):
        pack_rows(plan, [content(plan, replace(label, modulations=(Modulation("lfo_1", "level"),) * 4))])
    with pytest.raises(ValueError, match="reshape"):
        pack_rows(plan, [content(plan, label, audio=np.zeros((2, 4), np.float32))])


@pytest.mark.parametrize(("name", "value"), [("source", 2), ("destination", 9), ("destination", -1)])
def test_a_stored_modulation_out_of_the_space_is_refused(name: str, value: int) -> None:
    plan = synthetic_plan(frames=3, space=synthetic_space(assets=False))
    label = replace(plan.space.encode(Patch()), modulations=(Modulation("lfo_1", "level"),))
    columns = pack_rows(plan, [content(plan, label)])
    columns[f"modulation/{name}"][0, 0] = value
    with pytest.raises(DatasetError, match="which the space does not have"):
        label_from(plan.space, columns, 0)
