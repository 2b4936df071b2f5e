"""verify says what the plan promised, what was measured on first use, and what it found."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support import terminal

from tonesmith import open_dataset
from tonesmith.cli.commands.verify import _Found, _promise_lines
from tonesmith.dataset.promise import Promise
from tonesmith.dataset.verify import Damage
from tonesmith.pinning import start
from tonesmith.pinning.start import HOLDABLE
from tonesmith.run.pipeline import run


def verified(chaos, path, promised, measured, *flags):
    resolved = chaos.resolved(patches=1)
    checkup = {"determinism": measured} if measured else None
    run(replace(resolved, plan=replace(resolved.plan, determinism=promised), checkup=checkup), path, workers=1)
    return terminal("verify", path, "--render", "2", *flags)


@pytest.mark.parametrize(
    ("promised", "measured", "told"),
    [
        ("exact", "", ["exact: the same bits in any process", None, "bit for bit"]),
        ("exact", "exact", ["exact: ", "exact, when", "bit for bit"]),
        ("exact-in-run", "exact-in-run", ["exact-in-run: ", "exact-in-run, when", "bit for bit this time"]),
        ("exact", "none", ["exact: ", "none, when", "bit for bit this time"]),
    ],
)
@pytest.mark.first
def test_verify_says_what_was_promised_measured_and_found(chaos, tmp_path, promised, measured, told):
    result = verified(chaos, tmp_path / "d", promised, measured)

    lines = {line.split()[0]: line for line in result.stdout.splitlines()[1:]}
    assert result.returncode == 0, result.stderr
    assert lines["promised"].startswith(f"  promised  {told[0]}")
    assert ("measured" in lines) == bool(told[1])
    assert lines.get("measured", "").strip().removeprefix("measured").strip().startswith(told[1] or "")
    assert lines["rendered"].endswith(told[2])
    assert ("does not repeat its bits" in result.stdout) == told[2].endswith("this time")


@pytest.mark.parametrize(
    ("promised", "measured", "repeats"),
    [("exact", "", True), ("exact-in-run", "", None), ("exact-in-run", "exact", True), ("exact", "floor", False)],
)
@pytest.mark.first
def test_json_tells_whether_rows_repeat_as_far_as_is_known(chaos, tmp_path, promised, measured, repeats):
    told = json.loads(verified(chaos, tmp_path / "d", promised, measured, "--json").stdout)

    assert (told["promised"], told["measured"], told["repeats"]) == (promised, measured or None, repeats)
    assert (told["path"], told["rendered"], told["equal"], told["damaged"]) == (str(tmp_path / "d"), 2, 2, [])


def test_verify_says_what_was_held_still_and_what_cannot_be_here(monkeypatch, tmp_path):
    found = _Found(tmp_path, 4, 4, 4, Promise("exact-in-run", "exact", HOLDABLE), ())
    monkeypatch.setattr(start, "holdable", lambda: HOLDABLE)
    here = "\n".join(_promise_lines(found))
    monkeypatch.setattr(start, "holdable", lambda: ("clocks", "random devices"))
    elsewhere = "\n".join(_promise_lines(found))

    assert "  measured  exact, when the synth was first used\n" in here
    assert "            Clocks, random devices and addresses were held still.\n" in here
    assert "cannot be held" not in here
    assert "            Here addresses cannot be held still, so rows may differ.\n" in elsewhere
    damage = (Damage(0, 0, "render", "differs"),)
    assert "The synth does not repeat its bits" not in "\n".join(_promise_lines(replace(found, damaged=damage)))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"determinism": "exact", "held": HOLDABLE}, {"determinism": "exact-in-run", "held": HOLDABLE[:2]}),
        ({"determinism": "exact", "held": HOLDABLE}, {"determinism": "exact", "held": ()}),
        ({"determinism": "exact", "held": HOLDABLE}, {"determinism": "exact", "held": 7}),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.first
def test_a_run_that_is_resumed_elsewhere_claims_the_less_of_what_was_measured(chaos, tmp_path, first, second, turned):
    for patches, checkup in enumerate((second, first) if turned else (first, second), 1):
        run(replace(chaos.resolved(patches=patches), checkup=checkup), tmp_path / "d", workers=1)

    kept = open_dataset(tmp_path / "d").attributes["checkup"]
    assert kept["determinism"] == second["determinism"]
    assert kept["held"] == (second["held"] if second["held"] == 7 else list(second["held"]))
