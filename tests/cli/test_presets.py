from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support import PRESETS, terminal

from tonesmith.backends.vita.preset import preset_json
from tonesmith.cli import run
from tonesmith.cli.commands.preset_tables import check_line, found_json, shown_lines, summary_lines
from tonesmith.engine.client import Engine
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.presets.audition import Examination, Examined, Heard
from tonesmith.presets.ingest import Refused
from tonesmith.space.patch import Modulation, Patch, sha256_hex
from tonesmith.space.preset import Preset
from tonesmith.terminal.text import one_line


@pytest.fixture(scope="module")
def described() -> Any:
    with Engine(PluginRef("vita", {}), Audio(44100, 0, 0), 1, "snapshot", asset={}.__getitem__) as engine:
        return engine.describe(0.1, 0.1)


@pytest.fixture
def folder(described, tmp_path):
    """Return a folder with a preset, a silent one that draws random numbers, a copy and a damaged file."""
    still = {p.name: p.default for p in described.space.parameters} | {"osc_1_random_phase": 0.0}

    def write(name: str, values: dict[str, float], modulations: tuple[Modulation, ...] = (), **texts: str) -> None:
        patch = Patch({**still, **values}, modulations, dict(described.space.assets))
        tree = json.loads(preset_json(patch, described.assets, name.partition(".")[0])) | texts
        path = tmp_path / "presets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(tree))

    write("lead.vital", {"osc_1_level": 0.5}, author="Ada\x1b[2J", preset_style="Lead", comments="loud [red]")
    routing = (Modulation("random_1", "osc_1_tune", 0.5, bipolar=True),)
    write("mute.vital", {"volume": 0.0, "osc_2_on": 1.0}, routing)
    (tmp_path / "presets" / "same.VITAL").write_bytes((tmp_path / "presets" / "lead.vital").read_bytes())
    (tmp_path / "presets" / "bad\x1b[31m.vital").write_text('{"settings": {}}')
    return tmp_path / "presets"


def test_list_is_a_table_of_80_columns_with_copies_and_what_was_refused(folder):
    result = terminal("presets", "list", folder, "-q")

    assert result.returncode == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert [line.split() for line in lines[2:4]] == [
        ["lead", "Ada", "[2J", "Lead", "1.5.5", lines[2].split()[5], "0", "0/1"],
        ["mute", "1.5.5", lines[3].split()[2], "1", "0/2", "random", "silent"],
    ]
    assert "2 presets in 4 files" in lines
    assert f"  copy      {folder}/same.VITAL of {folder}/lead.vital" in lines
    assert "not a Vital preset (KeyError: 'modulations')" in result.stdout
    assert "1 Ada [2J, no licence stated" in result.stdout
    assert "\x1b" not in result.stdout
    assert max(len(line) for line in lines if str(folder) not in line) <= 80


def test_without_audition_nothing_is_played_and_silence_stays_open(folder):
    told = json.loads(terminal("presets", "list", folder, "--json", "--no-audition").stdout)

    assert [p["heard"] for p in told["presets"]] == [None, None]
    assert [p["random"] for p in told["presets"]] == [[], ["osc_2_random_phase", "random_1"]]


def test_json_tells_all_of_each_preset(folder):
    told = json.loads(terminal("presets", "list", folder, "--json", "--workers", "1").stdout)

    lead, mute = told["presets"]
    assert (lead["name"], lead["author"], lead["style"], lead["version"]) == ("lead", "Ada [2J", "Lead", "1.5.5")
    assert lead["sha256"] == sha256_hex((folder / "lead.vital").read_bytes())
    assert lead["copies"] == [str(folder / "same.VITAL")]
    assert (lead["modulations"], mute["modulations"]) == (0, 1)
    assert mute["wavetables"] == {"own": 0, "used": 2}
    assert (lead["heard"]["reason"], mute["heard"]["reason"]) == ("", "silent")
    assert -40 < lead["heard"]["measured"]["rms"] < 0
    assert [item["path"] for item in told["refused"]] == [str(folder / "bad\x1b[31m.vital")]
    assert told["credits"][0] == {"author": "", "licence": "", "presets": 1}


def test_paths_and_licence_come_from_the_composition_where_none_are_typed(folder):
    (folder.parent / "plugins.toml").write_text('[presets]\npaths = ["presets/lead.vital"]\nlicence = "MIT"\n')

    result = terminal("presets", "list", "--no-audition", cwd=folder.parent)

    assert result.returncode == 0
    assert "1 preset in 1 file" in result.stdout
    assert "Ada [2J, MIT" in result.stdout


def test_show_tells_routing_assets_and_what_is_not_at_its_default(folder):
    result = terminal("presets", "show", folder / "mute.vital")

    assert result.returncode == 0
    assert "  random_1 -> osc_1_tune  0.5 (bipolar)" in result.stdout
    assert "modulations: 1" in result.stdout
    assert "assets of its own: 0" in result.stdout
    assert "parameters not at their default: 3 of 448" in result.stdout
    assert "  osc_2       on = On" in result.stdout
    assert "(silent)" in result.stdout
    assert "  licence     not stated" in result.stdout


def test_show_prints_what_others_wrote_as_it_is_and_nothing_that_a_terminal_obeys(folder):
    result = terminal("presets", "show", folder / "lead.vital", "--no-audition")

    assert "  comments    loud [red]" in result.stdout
    assert "  author      Ada [2J" in result.stdout
    assert "  sound       not played" in result.stdout
    assert "\x1b" not in result.stdout


def test_show_json_has_every_parameter_and_the_names_of_assets(folder):
    told = json.loads(terminal("presets", "show", folder / "mute.vital", "--json").stdout)

    assert len(told["parameters"]) == 448
    changed = {name for name, p in told["parameters"].items() if not p["default"]}
    assert changed == {"volume", "osc_2_on", "osc_1_random_phase"}
    assert told["parameters"]["osc_2_on"] == {"raw": 1.0, "text": "On", "audible": True, "default": False}
    assert told["routing"][0]["source"] == "random_1"
    assert told["assets"][0]["slot"] == "wavetable_1"
    assert told["assets"][0]["name"] == "Init"


@pytest.mark.long
def test_check_plays_each_preset_twice_and_fails_for_what_is_refused(folder):
    result = terminal("presets", "check", folder)
    good = terminal("presets", "check", folder / "mute.vital", "--json")

    assert (result.returncode, good.returncode) == (1, 0)
    assert f"ok       {folder}/lead.vital\n" in result.stdout
    assert f"ok       {folder}/mute.vital (silent)" in result.stdout
    assert "  refused   " in result.stdout
    assert json.loads(good.stdout)["presets"][0]["heard"]["again"] is True


@pytest.mark.parametrize(
    ("heard", "status", "said"),
    [
        (Heard(failure="crash: SIG\x1bSEGV"), 1, "fails    a.vital: crash: SIG SEGV"),
        (Heard(again=False), 1, "differs  a.vital: two engines gave different samples"),
        (Heard(again=None), 0, "ok       a.vital"),
        (Heard(reason="peak", again=True), 0, "ok       a.vital (peak)"),
    ],
)
def test_check_fails_for_a_preset_that_cannot_be_played_or_sounds_otherwise(
    described, tmp_path, monkeypatch, capsys, heard, status, said
):
    examined = Examined(Path("a.vital"), 1, Preset(Patch()), (), 0, 0, heard)
    found = Examination((examined,), (), described.space)
    monkeypatch.setattr("tonesmith.presets.audition.examine", lambda *_, **__: found)
    monkeypatch.chdir(tmp_path)
    Path("a.vital").touch()

    assert run(["presets", "check", "a.vital"]) == status
    assert capsys.readouterr().out.splitlines()[0] == said


@pytest.mark.parametrize(("remarks", "shown", "more"), [(0, 0, 0), (3, 3, 0), (25, 20, 5)])
def test_remarks_are_flagged_and_listed_up_to_twenty(described, tmp_path, monkeypatch, capsys, remarks, shown, more):
    still = Patch({p.name: p.default for p in described.space.parameters}, assets=dict(described.space.assets))
    told = tuple(f"byte {number} was \x1b[31modd" for number in range(remarks))
    preset = Preset(still, assets=described.assets, name="lead", remarks=told)
    examined = Examined(Path("a.vital"), 1, preset, (), 0, 0, Heard(again=True, reason="silent"), number=2)
    found = Examination((examined,), (), described.space)
    monkeypatch.setattr("tonesmith.presets.audition.examine", lambda *_, **__: found)
    monkeypatch.chdir(tmp_path)
    Path("a.vital").touch()

    def lines(command: str, *options: str) -> list[str]:
        assert run(["presets", command, "a.vital", *options]) == 0
        return capsys.readouterr().out.splitlines()

    listed = lines("list")
    assert ("remarks" in listed[2].split()) == bool(remarks)
    for printed in (listed, lines("check")):
        noted = [line for line in printed if line.startswith("  remark ")]
        assert noted[:shown] == [f"  remark    a.vital: 2 lead: byte {k} was [31modd" for k in range(shown)]
        assert noted[shown:] == ([f"  remark    and {more} more; --json lists all"] if more else [])
    (told_json,) = json.loads(lines("list", "--json")[0])["presets"]
    assert told_json["remarks"] == list(told)


def test_a_preset_in_a_bank_of_files_is_named_by_its_bank_and_its_file(described):
    heard = Heard(failure="crash: SIGSEGV")
    examined = Examined(Path("b.bank"), 1, Preset(Patch(), name="lead"), (), 0, 0, heard, 2, "My/Lead\x1b.vital")
    found = Examination((examined,), (Refused(Path("b.bank"), "bad", "My/x.vital", 1),), described.space)

    assert check_line(examined) == "fails    b.bank: 2 My/Lead .vital: crash: SIGSEGV"
    lines = list(summary_lines(found, 1))
    assert "  refused   b.bank: My/x.vital: bad" in lines
    assert "  fails     b.bank: 2 My/Lead .vital: crash: SIGSEGV" in lines
    told = found_json(found)
    assert (told["presets"][0]["member"], told["refused"][0]["member"]) == ("My/Lead\x1b.vital", "My/x.vital")


def test_show_lists_remarks_up_to_twenty(described):
    still = Patch({p.name: p.default for p in described.space.parameters}, assets=dict(described.space.assets))
    preset = Preset(still, assets=described.assets, remarks=tuple(f"remark {number}" for number in range(23)))
    lines = list(shown_lines(Examined(Path("a.vital"), 1, preset, (), 0, 0, None), described.space))

    noted = [line.split(maxsplit=1)[1] for line in lines if line.startswith("  remark ")]
    assert noted == [*(f"remark {number}" for number in range(20)), "and 3 more; --json lists all"]


@pytest.mark.usefixtures("chaos")
def test_a_synth_that_reads_no_presets_says_so(tmp_path):
    result = terminal("presets", "list", tmp_path, "--backend", "chaos")

    assert result.returncode == 2
    assert "the backend 'chaos' cannot read presets" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["list"], 2, "no presets are named. Give files"),
        (["list", "nowhere"], 2, "nowhere does not exist"),
        (["check", "*.vst"], 2, "*.vst matches no preset"),
        (["list", ".", "--backend", "vitta"], 2, "vita"),
        (["show", "."], 2, ". is not a file"),
        (["show", "bad.vital"], 1, "bad.vital: not a Vital preset"),
        (["list", "bad.vital"], 1, ""),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, arguments, status, said):
    (tmp_path / "bad.vital").write_text("{}")

    result = terminal("presets", *arguments, cwd=tmp_path)

    assert result.returncode == status
    assert said in result.stderr
    assert result.stderr.count("\n") <= 1
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\x1b]0;x\x07b", "a ]0;x b"),
        ("a\nb\t c", "a b c"),
        ("\u202eevil", "evil"),
        ("x" * 20, "xxxxxxx…"),
        ("ü é", "ü é"),
    ],
)
def test_a_text_of_unknown_origin_is_one_printable_line(text, said):
    assert one_line(text, 8) == said


def test_real_presets_are_listed(tmp_path):
    presets: list[Path] = sorted((PRESETS / "vital" / "v1.0.8").glob("*.vital"))
    if not presets:
        pytest.skip("the real presets are not beside the project")

    result = terminal("presets", "list", PRESETS / "vital" / "v1.0.8", "--no-audition")

    assert result.returncode == 0
    assert "Instatetragrammaton, no licence stated" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
