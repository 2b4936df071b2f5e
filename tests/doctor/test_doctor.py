"""``tonesmith doctor`` with a synth that misbehaves, and with Vital; and the first use of a binary."""

from __future__ import annotations

import json
import os
import platform
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import terminal

from tonesmith import open_dataset
from tonesmith.doctor.examine import examine
from tonesmith.doctor.first_use import first_use
from tonesmith.doctor.repeatability import Subject, session
from tonesmith.engine.client import Engine
from tonesmith.engine.determinism import decibels, determinism_of, is_kept
from tonesmith.errors import ConfigError, EngineError
from tonesmith.host.binary import cure_of, digest_of, file_fault
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.patch import Note, Patch

linux = pytest.mark.skipif(sys.platform != "linux", reason="snapshots and /proc are Linux's")


def checkup_of(*, rate=8000, backend=None, **options):
    """Return the checkup of the chaos synth, and its findings by name."""
    settings = {key: options.pop(key) for key in list(options) if key in SETTINGS}
    found = backend or Host.load().find("backend", "chaos")
    checkup = examine(found, found.Options(**options), rate, **{"thorough": False, **settings})
    return checkup, {finding.check: finding for finding in checkup.findings}


SETTINGS = {"thorough", "isolation", "compare", "load_seconds", "render_seconds", "progress"}


@linux
def test_a_tail_between_notes_is_found_and_what_keeps_it_out(chaos):
    checkup, found = checkup_of()

    assert (checkup.determinism, checkup.isolation, checkup.used) == ("exact", "fresh", "snapshot")
    assert checkup.faults == ()
    assert found["isolation"].measured == (
        "fresh is enough: reuse leaks -34 dB; fresh leaks nothing; snapshot leaks nothing"
    )
    assert found["read back"].measured == "12 values of 4 random patches arrive as set"
    assert checkup.load_seconds > 0.01  # a process has to start
    assert checkup.render_seconds > 0
    assert json.loads(json.dumps(checkup.to_json(), allow_nan=False))["determinism"] == "exact"


@linux
def test_an_isolation_that_leaks_breaks_the_promise_of_one_that_is_called_enough(chaos, monkeypatch):
    backend = Host.load().find("backend", "chaos")
    monkeypatch.setattr(backend, "isolation", "reuse")

    checkup, found = checkup_of(backend=backend)

    assert [fault.check for fault in checkup.faults] == ["A-B-A", "repeat", "other process", "promise", "isolation"]
    assert found["isolation"].cure == 'Set plan.isolation = "fresh".'
    assert found["A-B-A"].measured.endswith("differs by up to -34 dB")


@linux
@pytest.mark.parametrize(
    ("noise", "level", "found", "kept_in_a_process"),
    [("engine", 0.1, "exact-in-run", True), ("note", 0.1, "none", False), ("note", 1e-4, "floor", False)],
)
@pytest.mark.first
def test_noise_costs_the_level_that_it_takes_away(chaos, noise, level, found, kept_in_a_process):
    checkup, findings = checkup_of(noise=noise, level=level, compare=False)

    assert checkup.determinism == found
    assert (findings["A-B-A"].state == "ok") == kept_in_a_process
    assert findings["other process"].state == "fail"
    assert findings["promise"].state == "fail"
    assert checkup.floor_db == pytest.approx(decibels(2 * level), abs=1)


@pytest.mark.long
@linux
def test_what_does_not_repeat_itself_elsewhere_is_never_ok_though_no_more_was_promised(chaos, monkeypatch):
    backend = Host.load().find("backend", "chaos")
    monkeypatch.setattr(backend, "determinism", "exact-in-run")

    drawn, found = checkup_of(backend=backend, noise="engine", compare=False)
    assert (drawn.faults, found["promise"].state, found["fresh process"].state) == ((), "warn", "warn")
    assert "another process" in found["promise"].cure
    assert checkup_of(backend=backend, compare=False)[1]["promise"].state == "ok"


@pytest.mark.long
@linux
def test_a_floor_that_is_promised_is_kept_or_not(chaos, monkeypatch):
    backend = Host.load().find("backend", "chaos")
    monkeypatch.setattr(backend, "determinism", "floor")

    assert checkup_of(backend=backend, noise="note", level=1e-4, compare=False)[0].faults == ()
    assert "promise" in {f.check for f in checkup_of(backend=backend, noise="note", compare=False)[0].faults}


def test_an_isolation_weaker_than_is_needed_promises_nothing_and_so_breaks_nothing(chaos):
    checkup, found = checkup_of(isolation="reuse", compare=False)

    assert (checkup.promised, checkup.faults) == ("none", ())
    assert found["A-B-A"].state == "warn"


@pytest.mark.parametrize(
    ("load", "said", "cure"),
    [
        ("crash", "killed by SIGSEGV", "crashes by itself"),
        ("bus", "killed by SIGBUS", "cut off"),
        ("display", "could not connect to display", "QT_QPA_PLATFORM=offscreen"),
        ("error", "the chaos engine was told not to load", ""),
        ("wrong", "it needs a path", ""),
    ],
)
def test_an_engine_that_does_not_load_is_told_with_the_cure(chaos, load, said, cure):
    checkup, found = checkup_of(load=load)

    assert [fault.check for fault in checkup.faults] == ["load"]
    assert said in found["load"].measured
    assert cure in found["load"].cure
    assert bool(cure) == bool(found["load"].cure)
    assert checkup.determinism is None
    assert checkup.wrong_input == (load == "wrong")


def test_an_engine_that_hangs_is_given_up(chaos):
    _, found = checkup_of(load="hang", load_seconds=1.0)

    assert "gave no answer within 1 s" in found["load"].measured
    assert "hangs" in found["load"].cure


def test_an_engine_that_cannot_be_loaded_is_tried_once_in_a_session(chaos, monkeypatch):
    tried = []
    monkeypatch.setattr(Engine, "play", lambda *_: tried.append(1) or Engine.start(_[0]))
    reference = PluginRef("chaos", {"load": "error"})
    subject = Subject(reference, Audio(8000, 2, 8000), Note(60, 100, 0.5, 0.5), {}, 20.0, 20.0)

    plays = session(subject, "reuse", [Patch()] * 3)

    assert [play.failure for play in plays] == ["chaos: the chaos engine was told not to load"] * 3
    assert len(tried) == 1


@pytest.mark.long
def test_a_patch_that_hangs_is_waited_for_once_in_a_process(chaos):
    checkup, found = checkup_of(faults=("hang",), render_seconds=0.5, compare=False)

    assert found["default"].state == "fail" or found["patches"].state == "fail"
    assert checkup.faults
    assert "0.5 s" in checkup.faults[0].measured


@linux
@pytest.mark.long
def test_patches_that_crash_are_counted_and_the_others_compared(chaos):
    checkup, found = checkup_of(faults=("none", "crash"), thorough=True, compare=False)

    assert found["patches"].state == "warn"
    assert "SIGSEGV" in found["patches"].measured
    assert checkup.determinism == "exact"


@linux
def test_values_that_do_not_arrive_are_named(chaos):
    _, found = checkup_of(deaf=True, compare=False)

    assert found["read back"].state == "fail"
    assert found["read back"].measured.startswith("freq was set to ")
    assert found["read back"].measured.endswith(" but is 440")


def test_a_backend_that_tells_no_values_says_so(chaos, monkeypatch, tmp_path):
    (tmp_path / "quiet_chaos.py").write_text("import tonesmith_chaos\ndel tonesmith_chaos.Chaos.read\n")
    (tmp_path / "quiet_chaos-1.0.dist-info").mkdir()
    (tmp_path / "quiet_chaos-1.0.dist-info" / "METADATA").write_text("Name: quiet-chaos\nVersion: 1.0\n")
    (tmp_path / "quiet_chaos-1.0.dist-info" / "entry_points.txt").write_text("[tonesmith]\nq = quiet_chaos\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]]))

    assert checkup_of(compare=False)[1]["read back"].measured == "this backend does not report its values"


@linux
def test_silence_is_a_warning_and_parameters_without_effect_are_a_fault(chaos):
    mute, silent = checkup_of(mute=True, compare=False)
    _, stuck = checkup_of(stuck=True, compare=False)

    assert mute.faults == ()
    assert "silent" in silent["default"].measured
    assert silent["patches"].measured == "4 of 4 random patches are silent"
    assert (stuck["patches"].state, stuck["default"].state) == ("fail", "ok")
    assert "sound the same" in stuck["patches"].measured


@linux
@pytest.mark.long
def test_memory_that_grows_is_measured(chaos):
    checkup, found = checkup_of(thorough=True, compare=False, leak=0.5, rate=1000)
    steady, _ = checkup_of(thorough=True, compare=False, rate=1000)

    assert checkup.leak_mb == pytest.approx(100, rel=0.2)
    assert abs(steady.leak_mb) < 10
    assert found["memory"].state == "ok"
    assert "freed with each copy" in found["memory"].measured


@pytest.mark.long
def test_a_synth_slower_than_its_sound_is_warned_of(chaos, monkeypatch):
    monkeypatch.setattr("tonesmith.doctor.examine.NOTE", Note(60, 100, 0.05, 0.05))

    assert checkup_of(slow=0.12, compare=False)[1]["speed"].state == "warn"
    assert checkup_of(compare=False, rate=1000)[1]["speed"].state == "ok"


@linux
@pytest.mark.long
def test_vital_is_exact_and_needs_snapshots():
    backend = Host.load().find("backend", "vita")
    checkup, found = checkup_of(backend=backend, rate=44100, tier=2)

    assert (checkup.determinism, checkup.isolation, checkup.faults) == ("exact", "snapshot", ())
    assert found["read back"].measured == "1792 values of 4 random patches arrive as set"
    assert checkup.default_db == pytest.approx(-8.9, abs=0.1)


SMALL = st.sampled_from([None, 0.0, 1e-4, 0.1])


@given(st.lists(SMALL, min_size=2, max_size=2), SMALL, SMALL)
def test_the_level_follows_the_differences(within, same, other):
    found = determinism_of(within, same, other)
    known = [x for x in (*within, same, other) if x is not None]

    assert (found == "exact") == (other == 0.0 and not any(known))
    if found == "floor":
        assert max(known) == 1e-4
    if found == "none":
        assert not known or max(known) == 0.1
    assert is_kept(found, found, decibels(max(known, default=0.0)))


def elf(machine=62, sections=0, size=200):
    """Return an ELF file of one part that ends at byte 180, and may have a table of two sections."""
    counts = (0, 64, 56, 1, 64, 2, 1)
    head = struct.pack("<4s12sHHIQQQIHHHHHH", b"\x7fELF", b"\x02\x01\x01", 3, machine, 1, 0, 64, sections, *counts)
    part = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 180, 180, 4096)
    return (head + part).ljust(size, b"\0")[:size]


OWN = {"x86_64": 62, "aarch64": 183}.get(platform.machine(), 62)


@linux
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (elf(OWN), ""),
        (elf(OWN, size=150), "cut off"),
        (elf(OWN, sections=100), "cut off"),
        (elf(OWN)[:40], "cut off"),
        (elf(3), "built for i686"),
        (b"MZ\x90", "built for Windows"),
        (bytes.fromhex("cffaedfe00"), "built for macOS"),
        (b'import("stdfaust.lib");', ""),
    ],
)
def test_what_is_wrong_with_a_file_is_told_without_running_it(tmp_path, content, said):
    path = tmp_path / "plugin.so"
    path.write_bytes(content)

    fault = file_fault(path)

    assert (fault is None) == (not said)
    assert said in (fault.text if fault else "")


@given(st.binary(max_size=300))
def test_any_bytes_after_the_magic_are_read_without_an_exception(tmp_path_factory, tail):
    path = tmp_path_factory.getbasetemp() / "any.so"
    path.write_bytes(b"\x7fELF" + tail)

    file_fault(path)


@linux
def test_a_bundle_without_a_build_for_this_machine_names_those_it_has(tmp_path):
    (tmp_path / "S.vst3" / "Contents" / "arm64ec-win").mkdir(parents=True)

    assert "built for arm64ec-win" in file_fault(tmp_path / "S.vst3").text
    assert "not a plugin bundle" in file_fault(tmp_path).text
    assert "no file" in file_fault(tmp_path / "gone").text
    assert digest_of(tmp_path / "S.vst3") == ""

    own = tmp_path / "S.vst3" / "Contents" / f"{platform.machine()}-linux"
    own.mkdir()
    (own / "S.so").write_bytes(elf(OWN))
    assert file_fault(tmp_path / "S.vst3") is None
    assert digest_of(tmp_path / "S.vst3") == digest_of(own / "S.so") != ""


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("wrong ELF class: ELFCLASS32", "another kind of machine"),
        ("libfoo.so.1: cannot open shared object file: No such file", "library"),
        ("plugin 'Reverb' is an effect, not an instrument", "Choose an instrument"),
        ("all is well", ""),
    ],
)
def test_known_words_have_a_cure(text, cure):
    assert cure in cure_of(text)
    assert bool(cure) == bool(cure_of(text))


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A file to be the chaos synth's binary, and a cache of its own."""
    monkeypatch.setenv("TONESMITH_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "chaos.bin"
    path.write_bytes(b"the engine")
    return path


def used_first(path, said, isolation="snapshot", **options):
    backend = Host.load().find("backend", "chaos")
    chosen = backend.Options(binary=str(path), **options)
    return first_use(backend, chosen, isolation, 8000, timeout=20.0, tell=said.append)


@linux
@pytest.mark.long
def test_a_binary_is_examined_once_for_its_content_options_and_isolation(chaos, plugin):
    said = []

    first = used_first(plugin, said)
    assert used_first(plugin, said) == json.loads(json.dumps(first))
    assert len(said) == 1
    assert str(plugin) in said[0]
    assert first["determinism"] == "exact"

    used_first(plugin, said, isolation="fresh")
    used_first(plugin, said, tail=0.02)
    plugin.write_bytes(b"another engine")
    used_first(plugin, said)
    assert len(said) == 4


def test_a_backend_without_a_binary_is_not_examined(chaos, plugin):
    assert used_first("", said := []) is None
    assert said == []


@linux
def test_a_binary_that_breaks_its_promise_is_refused_each_time(chaos, plugin):
    said = []
    for _ in range(2):
        with pytest.raises(EngineError, match=r"not fit for a dataset: .*none found, exact promised"):
            used_first(plugin, said, noise="note")
    assert len(said) == 2


@linux
def test_values_that_do_not_arrive_do_not_stop_a_plan_which_may_leave_them_out(chaos, plugin):
    stored = used_first(plugin, [], deaf=True)

    assert [finding["check"] for finding in stored["findings"] if finding["state"] == "fail"] == ["read back"]


def test_a_binary_that_options_name_wrongly_is_an_error_of_theirs(chaos, plugin):
    with pytest.raises(ConfigError, match="it needs a path"):
        used_first(plugin, [], load="wrong")
    with pytest.raises(EngineError, match=r"killed by SIGBUS.*cut off"):
        used_first(plugin, [], load="bus")


@linux
@pytest.mark.long
def test_a_damaged_cache_or_one_that_cannot_be_written_is_no_obstacle(chaos, plugin, tmp_path):
    used_first(plugin, said := [])
    (kept,) = (tmp_path / "cache" / "checkups").iterdir()
    kept.write_text("[1, 2")
    used_first(plugin, said)
    assert len(said) == 2
    assert json.loads(kept.read_text())["findings"]

    kept.unlink()
    kept.parent.rmdir()
    kept.parent.write_text("in the way")
    assert used_first(plugin, said)["determinism"] == "exact"


@linux
def test_generate_stores_the_checkup_and_the_plan_knows_nothing_of_it(chaos, plugin, tmp_path, capsys):
    for name in ("one", "two"):
        chaos.make(tmp_path / name, patches=1, backend={"binary": str(plugin)})

    one, two = (open_dataset(tmp_path / name) for name in ("one", "two"))
    stored = one.storage.attributes["checkup"]
    assert stored == two.storage.attributes["checkup"]
    assert (stored["determinism"], stored["used"]) == ("exact", "snapshot")
    assert "checkup" not in json.dumps(one.plan.to_json())
    assert capsys.readouterr().err.count("first use of") == 1


def test_at_a_terminal_one_backend_is_examined_with_its_flags(chaos, tmp_path):
    result = terminal("doctor", "chaos", "--quick", "--backend.stuck", "--sample-rate", "8000", "-q", cwd=tmp_path)

    assert result.returncode == 1
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].startswith("chaos: exact, isolation ")
    assert lines[0].endswith("; 1 check fails")
    assert [line for line in lines if line.startswith("  XX  ")] == [next(x for x in lines if "XX  patches " in x)]
    assert "Check that the parameters reach the synth." in lines[lines.index(next(x for x in lines if "XX" in x)) + 1]
    assert max(map(len, lines)) <= 80


def test_at_a_terminal_a_file_names_backend_and_options_and_json_tells_all(chaos, tmp_path):
    (tmp_path / "c.toml").write_text('[backend]\nname = "chaos"\nload = "error"\n')

    result = terminal("doctor", "--config", tmp_path / "c.toml", "--json")
    (told,) = json.loads(result.stdout)

    assert result.returncode == 1
    assert (told["backend"], told["sound"]) == ("chaos", False)
    assert told["findings"][0]["measured"] == "the chaos engine was told not to load"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chaoss"], "Did you mean 'chaos'?"),
        (["chaos", "--backend.nope", "1"], "unknown option '--backend.nope'"),
        (["chaos", "--backend.slow", "x"], "--backend.slow"),
        (["--backend.tier", "2"], "--backend.tier needs a backend"),
        (["--config", "gone.toml"], "gone.toml"),
    ],
)
def test_what_is_asked_wrongly_is_told(chaos, tmp_path, arguments, said):
    result = terminal("doctor", *arguments, cwd=tmp_path)

    assert result.returncode == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_without_a_name_all_are_examined_and_one_that_needs_options_is_no_failure(chaos, monkeypatch, capsys):
    from tonesmith.cli import run

    class Needy(Host.load().find("backend", "chaos")):
        class Options(Host.load().find("backend", "chaos").Options):
            load: str = "wrong"

    monkeypatch.setattr(Host, "backends", lambda self: {"chaos": Needy})
    monkeypatch.setattr(Host, "find", lambda self, role, name: Needy)

    assert run(["doctor", "--quick"]) == 0
    assert capsys.readouterr().out == (
        "chaos: not examined, because it needs options: it needs a path: set backend.path\n"
    )
