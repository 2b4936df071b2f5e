"""verify says what the plan promised, what was measured on first use, and what it found."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support import terminal

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
def test_json_tells_whether_rows_repeat_as_far_as_is_known(chaos, tmp_path, promised, measured, repeats):
    told = json.loads(verified(chaos, tmp_path / "d", promised, measured, "--json").stdout)

    assert (told["promised"], told["measured"], told["repeats"]) == (promised, measured or None, repeats)
    assert (told["path"], told["rendered"], told["equal"], told["damaged"]) == (str(tmp_path / "d"), 2, 2, [])
