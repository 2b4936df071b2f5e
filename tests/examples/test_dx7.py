"""The third-party backend of examples/: its wheel beside one of tonesmith, its tests, the tutorial that quotes it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from support import PRESETS, ROOT

from tonesmith.cli.scaffold import template_of, write_skeleton

pytest.importorskip("dexed", reason="the example needs dexed-py: pip install dexed-py")

EXAMPLE = ROOT / "examples" / "tonesmith-dx7"
TUTORIAL = ROOT / "docs" / "writing-a-plugin.md"
BANK = PRESETS / "dx7" / "XtalPad.syx"
SHORT = ("--notes.hold", "0.2", "--notes.tail", "0.1")
TOLD_APART = re.compile(r"^<!-- run: skip (?P<marker>[^\n]+) -->\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Environment:
    """A new environment that has the libraries of this one, wheels of tonesmith and of the example, and no source."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.python = place / "env" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "env"], check=True, timeout=60)
        self._link_libraries()
        self.wheels = [self._wheel(source) for source in (ROOT, EXAMPLE)]
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet", "--no-deps"]
        subprocess.run([*pip, *self.wheels], check=True, timeout=120)

    def _link_libraries(self) -> None:
        site = next((self.place / "env" / "lib").glob("python*/site-packages"))
        libraries = self.place / "libraries"
        libraries.mkdir()
        for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
            if "tonesmith" not in entry.name:
                (libraries / entry.name).symlink_to(entry)
        (site / "libraries.pth").write_text(f"{libraries}\n")

    def _wheel(self, source: Path) -> Path:
        """Build the wheel of a copy: a build leaves folders behind."""
        copy, out = self.place / source.name / "source", self.place / source.name / "dist"
        ignored = shutil.ignore_patterns(".git", ".venv", "build", "data", "*.egg-info", "__pycache__", ".*_cache")
        shutil.copytree(source, copy, ignore=ignored)
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, copy]
        subprocess.run(build, check=True, capture_output=True, timeout=120)
        (wheel,) = out.glob("*.whl")
        return wheel

    def run(self, *command: object) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("TONESMITH_", "PYTHONPATH"))}
        return subprocess.run(
            [str(self.python), "-P", *map(str, command)],
            capture_output=True,
            text=True,
            cwd=self.place,
            env={**kept, "COLUMNS": "80", "NO_COLOR": "1"},
            timeout=240,
            check=False,
        )

    def tonesmith(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "tonesmith", *arguments)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("fresh"))


@pytest.mark.long
def test_the_wheel_has_the_package_and_its_entry_point(fresh):
    with zipfile.ZipFile(fresh.wheels[1]) as archive:
        names = {name for name in archive.namelist() if "dist-info" not in name}
        entry_points = archive.read("tonesmith_dx7-1.0.dist-info/entry_points.txt").decode()

    assert names == {f"tonesmith_dx7/{name}" for name in ("__init__.py", "bank.py", "voice.py", "py.typed")}
    assert entry_points == "[tonesmith]\ndx7 = tonesmith_dx7\n"


@pytest.mark.long
def test_a_dataset_is_made_beside_an_installed_tonesmith_and_renders_again(fresh):
    made = fresh.tonesmith("generate", "--backend", "dx7", "-n", 4, *SHORT, "out.zarr")
    assert made.returncode == 0, made.stderr
    checked = fresh.tonesmith("verify", "--render", 12, "out.zarr")
    assert "12 of 12 rows sound as they did, bit for bit" in checked.stdout, checked.stderr
    where = fresh.run("-c", "import tonesmith, tonesmith_dx7; print(tonesmith.__file__, tonesmith_dx7.__file__)")
    assert all(Path(path).is_relative_to(fresh.place / "env") for path in where.stdout.split())


@pytest.mark.long
def test_its_own_tests_pass_there_with_warnings_as_errors(fresh):
    done = fresh.run("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", EXAMPLE / "tests")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 18
    lines = (EXAMPLE / "tests" / "test_dx7.py").read_text().splitlines()
    assert len(lines) <= 22, "they are shown as tests in twenty lines"


@pytest.mark.skipif(not BANK.exists(), reason=f"there is no {BANK}")
@pytest.mark.long
def test_a_real_bank_gives_presets_and_each_voice_counts_once(fresh):
    made = fresh.tonesmith("generate", "--backend", "dx7", "--presets", BANK, "--sampler", "mix", "--sampler.parts",
        "presets:2,breed:1", "-n", 3, *SHORT, "bank.zarr")  # fmt: skip
    assert made.returncode == 0, made.stderr
    code = (
        "import tonesmith; d = tonesmith.open_dataset('bank.zarr'); print(*(p.name for p in d.plan.presets), sep='|')"
    )
    assert set(fresh.run("-c", code).stdout.strip().split("|")) == {"XtalPad", "INIT VOICE"}
    exported = fresh.tonesmith("export", "bank.zarr", "--row", 0, "--preset", "voice.syx")
    assert exported.returncode == 0, exported.stderr
    assert "1 preset in 1 file" in fresh.tonesmith("presets", "check", "--backend", "dx7", "voice.syx").stdout


@pytest.mark.long
def test_what_was_odd_in_a_bank_is_told_where_presets_are_listed_shown_checked_and_used(fresh):
    voice = bytearray(bytes.fromhex("63 50 46 3C 63 5F 5A 00 27 00 00 00 38 08 63 02 00") * 6)
    voice += bytes([99] * 4 + [50] * 4 + [0, 8, 35, 0, 0, 0, 49, 24]) + b"CLEAN     "
    odd = voice[:14] + b"\x7f" + voice[15:118] + b"ODD       "
    (fresh.place / "odd.syx").write_bytes(bytes.fromhex("F0 7E 7F 06 01 F7") + voice + odd)
    options = ("--backend", "dx7", "odd.syx")
    remark = "op6_level 127 is played as 99"

    listed = fresh.tonesmith("presets", "list", *options, "--no-audition").stdout
    assert [line.split()[-1] for line in listed.splitlines() if "  DX7  " in line] == ["remarks", "remarks"], listed
    assert f"  remark    odd.syx: 2 ODD: {remark}\n" in listed
    assert "  remark    odd.syx: 1 CLEAN: 1 message without DX7 voices was skipped, at byte 0\n" in listed
    told = json.loads(fresh.tonesmith("presets", "list", *options, "--no-audition", "--json").stdout)
    assert {p["name"]: p["remarks"][-1] for p in told["presets"]}["ODD"] == remark
    shown = fresh.tonesmith("presets", "show", *options, "--number", 2, "--no-audition").stdout
    assert f"  remark      {remark}\n" in shown
    checked = fresh.tonesmith("presets", "check", *options)
    assert (checked.returncode, checked.stdout.count("\nok  ")) == (0, 1), checked.stdout
    assert f"  remark    odd.syx: 2 ODD: {remark}\n" in checked.stdout
    dry = ("generate", "--backend", "dx7", "--presets", "odd.syx", "--sampler", "presets", "-n", 2, "--dry-run")
    assert "2 presets came with remarks, which `tonesmith presets list` shows" in fresh.tonesmith(*dry).stderr
    assert json.loads(fresh.tonesmith(*dry, "--json").stdout)["presets"]["remarked"] == 2


class TestVoices:
    """Files of voices, read in this process from the source of the example."""

    @pytest.fixture(autouse=True)
    def _source(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(EXAMPLE / "src"))

    @pytest.fixture
    def bank(self, tmp_path: Path) -> bytes:
        import dexed

        dexed.Patch.save_to_bank(tmp_path / "bank.syx", [dexed.Patch(f"VOICE {i}") for i in range(32)])
        return (tmp_path / "bank.syx").read_bytes()

    def test_the_parameters_are_those_that_dexed_has_in_its_order(self):
        import dexed
        from tonesmith_dx7.voice import PARAMETERS, data_of

        assert len(PARAMETERS) == 145
        patch = dexed.Patch()
        patch.op[1].frequency_coarse, patch.op[5].detune, patch.algorithm = 13, 14, 31
        patch.lfo.wave, patch.transpose = "square", 0
        told = dict(zip([p.name for p in PARAMETERS], patch.to_sysex(), strict=False))
        assert (told["op2_coarse"], told["op6_detune"], told["algorithm"]) == (13, 14, 31)
        assert (told["lfo_wave"], told["transpose"]) == (3, 0)
        highest = dexed.Patch.from_sysex(data_of({p.name: p.high for p in PARAMETERS})).to_sysex()
        assert highest[:145] == data_of({p.name: p.high for p in PARAMETERS})[:145]

    def test_a_voice_alone_and_in_a_bank_is_the_same_preset(self, bank):
        from tonesmith_dx7.bank import message_of, read_voices
        from tonesmith_dx7.voice import data_of

        voices = read_voices(bank)
        assert [voice.name for voice in voices] == [f"VOICE {i}" for i in range(32)]
        (alone,) = read_voices(message_of(data_of(voices[7].values, "VOICE 7")))
        assert alone == voices[7]
        on_channel_3 = bank[:2] + b"\x03" + bank[3:]
        assert read_voices(on_channel_3 + message_of(data_of(alone.values)))[:32] == voices


def quotes(kind: str) -> list[tuple[str, str]]:
    """Return (what a marker says, text) of each block of the tutorial that is quoted from a file."""
    text = TUTORIAL.read_text(encoding="utf-8")
    found = [(match["marker"], match["text"]) for match in TOLD_APART.finditer(text)]
    return [(marker.removeprefix(kind).strip(), quoted) for marker, quoted in found if marker.startswith(kind)]


def test_the_tutorial_goes_through_the_example_line_by_line():
    quoted: dict[str, str] = {}
    for path, text in quotes("quoted from"):
        assert text in (ROOT / path).read_text(encoding="utf-8"), f"no longer in {path}:\n{text}"
        quoted[path] = quoted.get(path, "") + text
    files = sorted(str(p.relative_to(ROOT)) for p in EXAMPLE.rglob("*.py") if "build" not in p.parts)
    assert sorted(quoted) == sorted([*files, "examples/tonesmith-dx7/pyproject.toml"])
    for path, text in quoted.items():
        left = [line for line in (ROOT / path).read_text(encoding="utf-8").splitlines() if line not in text]
        assert left == [], f"{path} has lines that the tutorial leaves out"


def test_the_tutorial_shows_what_the_command_writes(tmp_path):
    shown: dict[str, str] = {}
    for words, text in quotes("written by tonesmith plugins new"):
        role, name, *of = words.split()
        template = template_of(role, of[-1] if of else "sound")
        if not (tmp_path / template).exists():
            write_skeleton(role, name, tmp_path / template, template)
        written = "\0".join(path.read_text() for path in sorted((tmp_path / template).rglob("*.py")))
        assert text in written, f"{words}:\n{text}"
        shown[template] = shown.get(template, "") + text
    assert sorted(shown) == ["executor", "feature", "sampler", "score_feature", "sink", "validator"]
    for role in ("sampler", "validator"):
        lines = [line for path in (tmp_path / role).rglob("*.py") for line in path.read_text().splitlines()]
        assert [line for line in lines if line not in shown[role]] == []


def test_the_tutorial_lists_the_faults_of_chaos_as_they_are():
    from tonesmith.testing.chaos import FAULTS

    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE))
    told = {fault: rows[fault].replace("`", "").partition(", with a tail")[0] for fault in FAULTS}
    assert told == dict(FAULTS)
