from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tonesmith.errors import DatasetError
from tonesmith.plan.plan import Plan, fingerprint_of
from tonesmith.testing.synthetic import synthetic_plan


def stored() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(synthetic_plan().to_json()))
    return data


def changed(path: str, value: Any) -> dict[str, Any]:
    data = stored()
    *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    place: Any = data
    for key in way:
        place = place[key]
    place[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("seed", "7", "seed: "),
        ("rounds", [2**60], "rounds.0: "),
        ("rounds", [True], "rounds.0: "),
        ("rounds", [2**47, 2**47], "more than"),
        ("block", 0, "block: "),
        ("timeout", float("nan"), "timeout: "),
        ("audio", [1, 2, 3], "audio: "),
        ("audio.frames", 2**40, "audio.frames: "),
        ("notes.pitches", [200], "pitches"),
        ("backend", {"name": "vita", "options": 3}, "backend.options: "),
        ("isolation", "none at all", "isolation: "),
        ("origins", {"a": 1}, "origins: "),
        ("presets", [{"sha256": "../x", "patch": "0" * 64}], "presets.0.sha256: "),
        ("space.parameters.0.low", "0", "space.parameters.0.low: "),
        ("space.parameters.1.curve", "wavy", "space.parameters.1.curve: "),
        ("space.parameters.3.high", 1e30, "choices are more than"),
        ("space.parameters.4.scale", 1e308, "curve has no value"),
        ("space.modulation_slots", 2**31, "space.modulation_slots: "),
        ("space.fixed", {"volume": None}, "space.fixed.volume: "),
        ("space.switch", "odd", "space.switch: "),
        ("measures", [["peak_dbfs", "", ""], ["peak_dbfs", "", ""]], "two columns are named"),
    ],
)
def test_each_field_of_a_stored_plan_has_its_type_and_range(path, value, told):
    with pytest.raises(DatasetError, match=r"the plan among the dataset's attributes is damaged") as caught:
        Plan.from_json(changed(path, value))
    assert told in str(caught.value)


def test_reading_a_plan_changes_no_number_of_which_its_fingerprint_is_made():
    plan = synthetic_plan()
    whole = tuple(replace(p, low=int(p.low)) for p in plan.space.parameters)
    plan = replace(plan, space=replace(plan.space, parameters=whole))
    data = json.loads(json.dumps(plan.to_json()))
    assert Plan.from_json(data).fingerprint == plan.fingerprint == fingerprint_of(data)


def test_a_chain_of_gates_is_not_followed_for_ever():
    data = stored()
    first, *others = data["space"]["parameters"]
    gates = [{**first, "name": f"gate {i}", "switch": f"gate {i + 1}"} for i in range(2000)]
    data["space"]["parameters"] = [first, *others, *gates, {**first, "name": "gate 2000"}]
    with pytest.raises(DatasetError, match="gated by more than 64 parameters"):
        Plan.from_json(data)


def test_a_memory_limit_is_part_of_the_plan_only_where_it_is_set():
    plan = synthetic_plan()
    limited = replace(plan, memory=2 * 10**9)

    assert "memory" not in plan.to_json()
    assert plan.fingerprint == replace(limited, memory=0).fingerprint != limited.fingerprint
    assert Plan.from_json(json.loads(json.dumps(limited.to_json()))) == limited
    with pytest.raises(DatasetError, match="memory: "):
        Plan.from_json({**stored(), "memory": "2 GB"})
