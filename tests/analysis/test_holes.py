"""The holes that rejections tear: found where they are, and not by chance."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from support import terminal
from support.builders import write_dataset

from tonesmith import open_dataset
from tonesmith.analysis.candidates import Candidates, candidates_of
from tonesmith.analysis.holes import holes, holes_among
from tonesmith.cli.commands.inspect import inspect
from tonesmith.errors import DatasetError
from tonesmith.host.registry import Host
from tonesmith.plan.block import Block, row_digests
from tonesmith.plan.plan import Plan, PluginRef
from tonesmith.plan.rejection import Rejection
from tonesmith.plan.rows import RowContent, pack_rows
from tonesmith.run.produce import sampler_of
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Candidate
from tonesmith.testing.synthetic import synthetic_plan, synthetic_space

CUTOFF = Parameter("cutoff", "continuous", 8.0, 136.0, 60.0, unit="semitones")
VOLUME = Parameter("volume", "continuous", 0.0, 2.0, 1.0, curve="quadratic", scale=3.0, unit="dB")
SWITCH = Parameter("switch", "categorical", 0, 2, 0, choices=("off", "on", "both"))
PARAMETERS = (CUTOFF, VOLUME, SWITCH)


def drawn(count: int, seed: int = 0) -> np.ndarray:
    """Return raw values (count, 3), drawn evenly."""
    random = np.random.default_rng(seed)
    return np.column_stack([random.uniform(8, 136, count), random.uniform(0, 2, count), random.integers(0, 3, count)])


def judged(values: np.ndarray, rejected: np.ndarray, cause: str = "level: silent") -> Candidates:
    return Candidates(PARAMETERS, values, tuple(cause if one else "" for one in rejected.tolist()))


def test_a_range_whose_candidates_are_rejected_is_found_with_its_ends_and_its_reason():
    values = drawn(400)
    found = holes_among(judged(values, values[:, 0] < 20.0))

    assert [(hole.parameter, hole.low, hole.high, hole.reason) for hole in found] == [("cutoff", 8.0, 20.0, "silent")]
    count = int((values[:, 0] < 20.0).sum())
    assert found[0].text == f"cutoff below 20 semitones: {count} of {count} rejected as silent"
    assert (found[0].share, found[0].base_share) == (1.0, count / 400)


def test_a_range_in_the_middle_a_choice_and_a_curve_are_told_as_a_person_types_them():
    values = drawn(600, 1)
    middle = (values[:, 1] > 1.2) & (values[:, 1] < 1.4)
    causes = np.where(middle, "engine: crash", np.where(values[:, 2] == 1, "level: clipped", ""))
    found = {hole.parameter: hole for hole in holes_among(Candidates(PARAMETERS, values, tuple(causes.tolist())))}

    assert found["volume"].text == (
        f"volume from 1.2 (4.32 dB) to 1.4 (5.88 dB): {middle.sum()} of {middle.sum()} crashed the engine"
    )
    assert (found["switch"].choice, found["switch"].where, found["switch"].low) == ("on", "= on", 1)
    assert set(found) == {"volume", "switch"}


def test_the_surest_comes_first_and_ranges_that_overlap_are_told_once():
    values = drawn(2000, 2)
    low, high = values[:, 0] < 20.0, values[:, 1] > 1.9
    found = holes_among(judged(values, low | high))

    assert [hole.parameter for hole in found] == ["cutoff", "volume"]
    assert found[0].chance < found[1].chance


def test_a_parameter_that_only_goes_with_another_is_not_blamed():
    values = drawn(600, 6)
    values[:, 1] = np.where(values[:, 0] < 30.0, 0.1, values[:, 1])

    assert [hole.parameter for hole in holes_among(judged(values, values[:, 0] < 30.0))] == ["cutoff"]


def test_chance_makes_no_holes_in_95_of_100():
    torn = 0
    for seed in range(100):
        random = np.random.default_rng(1000 + seed)
        torn += bool(holes_among(judged(drawn(150, seed), random.random(150) < 0.3), least=0.0))

    assert torn <= 5


def test_a_few_rejections_in_a_row_are_no_hole():
    values = drawn(12, 3)

    assert holes_among(judged(values, values[:, 0] < 30.0)) == ()


def test_what_is_drawn_over_again_counts_once():
    one = np.tile([[10.0, 1.0, 0.0]], (50, 1))  # a preset that is silent, drawn fifty times
    values = np.concatenate([one, drawn(60, 4)])

    assert holes_among(judged(values, np.arange(110) < 50)) == ()


def test_a_share_that_is_not_most_is_found_on_demand():
    values = drawn(3000, 5)
    rejected = (values[:, 0] < 20.0) & (np.random.default_rng(0).random(3000) < 0.3)

    assert holes_among(judged(values, rejected)) == ()
    assert [hole.parameter for hole in holes_among(judged(values, rejected), least=0.1)] == ["cutoff"]


@pytest.fixture(scope="module")
def torn(tmp_path_factory):
    """Return a dataset in which levels below 0.2 are rejected as silent, and no other candidate is."""
    plain = synthetic_plan(patches=40, block=40, frames=8, space=synthetic_space(0, assets=False))
    plan = replace(plain, sampler=PluginRef("uniform"), origins=("uniform",))
    case = write_dataset(tmp_path_factory.mktemp("torn") / "d.zarr", (), plan)
    case.made().write_block(produced(plan))
    return case.path


def produced(plan: Plan) -> Block:
    """Return the only block of a plan as a run makes it, but for the sound."""
    rows, rejections = [], []
    for patch in range(plan.patches):
        for attempt in range(20):
            drawn = sampler_of(plan, Host.load(), lambda name: b"").draw(Candidate(patch, attempt))
            if drawn.values["level"] >= 0.2:
                break
            rejections.append(Rejection(patch, attempt, "level", "silent", pitch=48))
        label = plan.space.encode(drawn)
        kept = plan.space.decode(label, "uniform")
        audio = np.zeros((2, plan.audio.frames), np.float32)
        rows += [RowContent(audio, label, kept, note, patch, attempt) for note in plan.notes.of_patch(7, patch)]
    columns = pack_rows(plan, rows)
    return Block(0, 0, columns, row_digests(plan.schema, columns), tuple(rejections), plan.fingerprint)


def test_the_sampler_draws_again_what_was_rejected(torn):
    dataset = open_dataset(torn)
    candidates = candidates_of(dataset)
    level = candidates.values[:, [p.name for p in candidates.parameters].index("level")]
    silent = np.array([cause == "level: silent" for cause in candidates.causes])

    assert len(candidates.causes) == len(np.unique(candidates.values, axis=0)) == 40 + len(dataset.rejections)
    assert level[silent].max() < 0.2 <= level[~silent].min()
    assert [hole.where for hole in holes(dataset)] == ["below 0.2"]


@pytest.mark.long
def test_inspect_tells_the_holes_before_it_lists_the_rejected(torn):
    (hole,) = holes(open_dataset(torn))
    shown = terminal("inspect", torn, "--rejects")
    told = json.loads(terminal("inspect", torn, "--rejects", "--json").stdout)

    assert f"  {hole.text} ({hole.base_share:.1%} of all are)" in shown.stdout
    assert shown.stdout.index(hole.text) < shown.stdout.index("reject   ")
    assert max(map(len, shown.stdout[shown.stdout.index("mostly") : shown.stdout.index("reject  ")].splitlines())) <= 80
    assert told["holes"] == [hole.to_json()]
    assert "holes" not in json.loads(terminal("inspect", torn, "--json").stdout)


def test_without_the_sampler_the_holes_are_not_known(torn, monkeypatch, capsys):
    monkeypatch.setattr(Host, "has", lambda self, role, name: role != "sampler")

    with pytest.raises(DatasetError, match="the sampler 'uniform' is not here to draw them again"):
        holes(open_dataset(torn))
    inspect(torn, rejects=True)
    assert "ranges are not known: " in capsys.readouterr().out
