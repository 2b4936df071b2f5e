"""What a stranger's dataset says reaches no terminal, log or card as it is: no escape sequence, no forged line."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.builders import write_dataset

from tonesmith.cli import run
from tonesmith.errors import ConfigError, DatasetNotFoundError, OtherPlanError, unknown_name
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Plan, PluginRef
from tonesmith.plan.schema import Measure
from tonesmith.run.pipeline import survey
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Patch, sha256_hex
from tonesmith.space.preset import PresetRef, written_patch
from tonesmith.space.space import ParameterSpace
from tonesmith.terminal.messages import say, warn
from tonesmith.terminal.table import table
from tonesmith.terminal.text import json_text, one_line, shown
from tonesmith.testing.sink_processes import Case
from tonesmith.testing.synthetic import synthetic_plan, synthetic_space

EVIL = "\x1b]0;title\x07\x1b]52;c;aGk=\x07\x1b[2A\x1b[2K\x7f\x85\x9b31m\u202egnp\u2066\u200b\u2028\ufeff"
FORGED = "\nFORGED: all is well\r\nFORGED"
BAD = f"{EVIL}{FORGED}\tend"
FORGERY = re.compile(r"^ {0,13}FORGED", re.MULTILINE)
"""At the beginning of a line. What is folded goes on further in."""
UNSAFE = re.compile(r"[^\n\t -~\u00a1-\u200a\u2010-\u2027\u2030-\u205e\u2070-\ud7ff\ue000-\ufefe\uff00-\U0010ffff]")


PRESET = written_patch(Patch({f"level{BAD}": 0.5}))


CARDS = ("README.md", "croissant.json")


def bad(name: str) -> str:
    return f"{name}{BAD}"


def hostile_space() -> ParameterSpace:
    plain = synthetic_space()
    named = {p.name: bad(p.name) for p in plain.parameters}
    parameters = tuple(
        Parameter(
            **{
                **{name: getattr(p, name) for name in Parameter.__dataclass_fields__},
                "name": named[p.name],
                "group": bad(p.group),
                "unit": bad(p.unit),
                "choices": tuple(map(bad, p.choices)),
                "switch": named.get(p.switch, ""),
            }
        )
        for p in plain.parameters
    )
    return replace(
        plain,
        parameters=parameters,
        fixed={named[name]: value for name, value in plain.fixed.items()},
        sources=tuple(map(bad, plain.sources)),
        destinations=tuple(named[name] for name in plain.destinations),
        assets={bad(slot): name for slot, name in plain.assets.items()},
    )


def hostile_plan(seed: int) -> Plan:
    makers = {name: bad(name) for name in ("name", "author", "licence")}
    preset = sha256_hex(PRESET)
    return replace(
        synthetic_plan(patches=4, space=hostile_space(), measures=(Measure("loud", bad("LU"), bad("how loud")),)),
        seed=seed,
        presets=tuple(PresetRef(sha256=sha256_hex(b"%d" % i), patch=preset, **makers) for i in (0, 3)),
        origins=(bad("lhs"), bad("presets")),
        backend=PluginRef(bad("synth"), {bad("option"): bad("value"), "path": f"/{BAD}/x.so"}),
        sampler=PluginRef(bad("sampler"), {bad("option"): [bad("value")]}),
        validators=(PluginRef(bad("level"), {bad("option"): bad("value")}),),
        versions={bad("engine"): bad("1.0")},
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Return two datasets in which every text is hostile, and one of them that is damaged."""
    folder = tmp_path_factory.mktemp("hostile")
    made = tuple(hostile_dataset(folder / f"{seed}.zarr", seed) for seed in (1, 2))
    damaged = folder / "damaged.zarr"
    shutil.copytree(made[0], damaged)
    for file in damaged.glob("loud/c*"):
        file.write_bytes(b"cut short")
    return *made, damaged


def hostile_dataset(path: Path, seed: int) -> Path:
    plan = hostile_plan(seed)
    case = write_dataset(path, (0,), replace(plan, origins=("lhs", "presets")))
    case.made().add_asset(PRESET)
    _renamed(case, plan)
    return case.path


def _renamed(case: Case, plan: Plan) -> None:
    """Give a dataset the attributes of another plan, and a rejection with hostile words."""
    attributes = {
        "plan": plan.to_json(),
        "fingerprint": plan.fingerprint,
        "title": BAD,
        BAD: BAD,
        "made_with": {bad("tonesmith"): bad("0.1"), **plan.versions},
        **({"stored_through": [{"name": bad("sink"), "options": {bad("a"): bad("b")}}]} if plan.seed == 1 else {}),
    }
    document = case.path / "zarr.json"
    there = json.loads(document.read_text())
    document.write_text(json.dumps({**there, "attributes": {**there["attributes"], **attributes}}))
    for marker in case.path.glob("tonesmith/blocks/0*.json"):
        told = {**json.loads(marker.read_text()), "plan": plan.fingerprint}
        for rejection in told["rejections"]:
            rejection |= {"by": bad("level"), "reason": bad("silent"), "detail": bad("peak")}
        content = json.dumps(told)
        block, rows, _ = marker.stem.split("-")
        marker.with_name(f"{block}-{rows}-{len(content)}.json").write_text(content)
        marker.unlink()


def commands(first: Path, second: Path, damaged: Path, out: Path) -> Iterator[list[str]]:
    """Yield every command that reads a dataset, in the ways that say most."""
    yield ["inspect", str(first)]
    yield ["inspect", str(first), "--params"]
    yield ["inspect", str(first), "--params", "--json"]
    for each in (first, damaged):
        yield ["verify", str(each)]
        yield ["verify", str(each), "--json"]
        yield ["verify", str(each), "--render", "1"]
        yield ["export", str(each), "--row", "0", "--preset", str(out / "a"), "--label", str(out / "label.json")]
        yield ["split", str(each), "--by", "preset", "--stratify", "origin"]
        yield ["split", str(each), "--by", "preset", "--json"]
        yield ["split", str(each)]
        yield ["split", str(each), "--force"]
        yield ["split", str(each), "--remove"]
        yield ["convert", str(each), str(out / f"{each.stem}.tar"), "--sink", "webdataset", "--workers", "1"]
    yield ["plot", "pca", str(first), str(second), "-o", str(out / "b.png")]
    yield ["plot", "pca", str(first), "--by", "origin", "-o", str(out / "b.png"), "--json"]
    yield ["merge", str(first), str(second), "-o", str(out / "m.zarr"), "--workers", "1"]
    yield ["merge", str(first), str(damaged), "-o", str(out / "n.zarr")]
    yield ["importance", str(first), "--dry-run"]
    yield ["plot", "coverage", str(first), "--only", "nothing", "-o", str(out / "a.png")]
    yield ["plot", "coverage", str(first), "-o", str(out / "a.png"), "--json"]
    yield ["plot", "coverage", str(first), "-o", str(out / "a.png")]
    yield ["convert", str(second), str(first)]


def test_nothing_that_a_terminal_obeys_is_printed_of_a_dataset(
    hostile: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: dict[int, int] = {}
    for command in commands(*hostile, tmp_path):
        status = run(command)
        ended[status] = ended.get(status, 0) + 1
        for text in capsys.readouterr():
            assert UNSAFE.findall(text) == [], f"{command}: {text!r}"
            assert not FORGERY.search(text), f"{command}: {text}"
            assert "This is a fault" not in text, f"{command}: {text}"
    assert ended[0] > 10, "nearly all were refused, so that little was printed"
    cards = [file for folder in (hostile[0].parent, tmp_path) for name in CARDS for file in folder.rglob(name)]
    assert len(cards) >= 6
    for card in cards:
        text = card.read_text(encoding="utf-8")
        assert UNSAFE.findall(text) == [], card
        assert not FORGERY.search(text), card


def test_a_run_that_is_refused_at_a_dataset_forges_no_line(hostile: tuple[Path, Path, Path]) -> None:
    for path, other in (hostile[:2], hostile[1::-1]):
        with pytest.raises(OtherPlanError) as refused:
            survey(hostile_plan(3), path, Host.load())
        assert UNSAFE.findall(str(refused.value)) == []
        assert not FORGERY.search(str(refused.value)), other


def test_the_pattern_of_these_tests_finds_each_of_them() -> None:
    assert UNSAFE.findall(BAD) == [c for c in BAD if not (c.isprintable() or c in "\n\t")]
    assert UNSAFE.findall("Größe 大きさ 🎹 é — a\tb\n") == []


def test_what_a_terminal_obeys_is_shown_escaped_and_lines_and_letters_stay() -> None:
    assert shown("a\x1b]0;t\x07\n\tb\x9b\u202e\u200b") == "a\\u001b]0;t\\u0007\n\tb\\u009b\\u202e\\u200b"
    assert shown("Größe 大きさ 🎹\xa0é\u3000x") == "Größe 大きさ 🎹 é x"
    assert shown("\udcff\U000e0041") == "\\udcff\\U000e0041"
    assert json.loads(json_text({BAD: BAD})) == {BAD: BAD}
    assert UNSAFE.findall(json_text({BAD: BAD}, indent=2)) == []


def test_errors_warnings_tables_and_lists_of_names_show_no_control(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Any] = [ConfigError(BAD), DatasetNotFoundError(BAD), unknown_name("parameter", BAD, [BAD, "b"])]
    said = [*map(str, told), *table(("name", "x"), [(BAD, "1")]), one_line(BAD)]
    say(BAD)
    warn(BAD)
    for text in (*said, *capsys.readouterr()):
        assert UNSAFE.findall(text) == []
    assert all("\n" not in text for text in said[2:])
    assert str(ConfigError("two\n  lines")) == "two\n  lines"
