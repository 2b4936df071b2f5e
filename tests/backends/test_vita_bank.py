from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from support import terminal

from tonesmith.api import composed
from tonesmith.backends.vita import bank
from tonesmith.backends.vita.preset import preset_json
from tonesmith.backends.vita.wavetable_scan import scan
from tonesmith.engine.client import Engine
from tonesmith.errors import ConfigError, EngineError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.presets.files import preset_files
from tonesmith.presets.ingest import MAX_BANK_BYTES, ingest
from tonesmith.run.resolve import resolve_plan
from tonesmith.space.patch import Patch

VITA = Host.load().find("backend", "vita")
LEAD, PAD = "My/Presets/Lead.vital", "My/Presets/deep/Pad.VITAL"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(PluginRef("vita", {}), Audio(44100, 0, 0), 1, "snapshot", asset={}.__getitem__) as made:
        yield made


@pytest.fixture(scope="module")
def text(engine: Engine) -> Callable[[str], bytes]:
    """Return what writes Vital's default patch under a name."""
    described = engine.describe(0.1, 0.1)
    patch = Patch({p.name: p.default for p in described.space.parameters}, assets=dict(described.space.assets))
    return lambda name: preset_json(patch, described.assets, name).encode()


def packed(path: Path, *files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as made:
        for name, content in files:
            made.writestr(zipfile.ZipInfo(name), content, method)  # of no date: two of the same files are copies
    return path


def patched(path: Path, at: bytes, offset: int, form: str, value: int) -> None:
    """Write a number at an offset from the last place of a signature: ``PK\\1\\2`` begins an entry of the directory."""
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, content.rindex(at) + offset, value)
    path.write_bytes(content)


def ingested(*paths: Path, **keywords: Any) -> Any:
    return ingest(preset_files(paths, VITA.preset_suffixes), VITA, {}, sample_rate=44100, **keywords)


def test_each_preset_of_a_bank_is_read_and_what_is_none_is_passed_over(tmp_path, text):
    made = packed(
        tmp_path / "my.VITALBANK",
        (PAD, text("")),
        ("My/Presets/", b""),
        (LEAD, text("lead")),
        ("My/Wavetables/w.vitaltable", b"{}"),
        ("My/LFOs/l.vitallfo", b"{}"),
        ("My/Samples/s.wav", b"RIFF"),
        ("My/Presets/._Lead.vital", b"left by macOS"),
        ("__MACOSX/My/Presets/Lead.vital", b"left by macOS"),
    )
    steps: list[int] = []

    found, refused = ingested(tmp_path, workers=2, progress=steps.append)

    assert refused == []
    assert {(item.member, item.number, item.preset.name, item.path) for item in found} == {
        (LEAD, 1, "lead", made),
        (PAD, 2, "Pad", made),
    }
    assert sum(steps) == 1


@pytest.mark.long
def test_a_preset_of_a_bank_is_the_same_as_in_a_file_of_its_own(tmp_path, text):
    packed(tmp_path / "b.vitalbank", (LEAD, text("lead")))
    (tmp_path / "a.vital").write_bytes(text("lead"))

    (alone,), _ = ingested(tmp_path / "a.vital")
    (banked,), _ = ingested(tmp_path / "b.vitalbank")
    (both,), _ = ingested(tmp_path)

    assert alone.preset == banked.preset == both.preset
    assert banked.preset.patch.preset == sha256(text("lead")).hexdigest()
    assert (both.path.name, both.member) == ("a.vital", "")


def test_a_bad_preset_costs_itself_alone_and_copies_are_named_once(tmp_path, text):
    files = (("A/broken.vital", b"no"), (LEAD, text("lead")), (PAD, text("pad")))
    packed(tmp_path / "a.vitalbank", *files)
    packed(tmp_path / "b.vitalbank", *files)

    found, refused = ingested(tmp_path, workers=2)

    assert {item.member: [copy.name for copy in item.copies] for item in found} == {LEAD: ["b.vitalbank"], PAD: []}
    assert [item.place for item in refused] == [f"{tmp_path}/{name}.vitalbank: A/broken.vital" for name in "ab"]
    assert "not a Vital preset" in refused[0].reason


def said_of(path: Path, name: str) -> str:
    """Return why a preset of a bank is refused, in which the lead is read."""
    assert {name, LEAD} <= set(bank.members(path))
    assert bank.member(path, LEAD) == b"lead"
    with pytest.raises(EngineError) as raised:
        bank.member(path, name)
    return str(raised.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/etc/Pad.vital", "its name leads out of the bank"),
        ("../Pad.vital", "its name leads out of the bank"),
        ("My\\..\\..\\Pad.vital", "its name leads out of the bank"),
        ("\\Pad.vital", "its name leads out of the bank"),
        ("C:\\Pad.vital", "its name leads out of the bank"),
        ("My/inner.vitalbank", "a bank in a bank is not read"),
        ("My/inner.ZIP", "a bank in a bank is not read"),
    ],
)
def test_a_name_that_leads_out_or_into_another_bank_is_refused(tmp_path, name, said):
    path = packed(tmp_path / "b.vitalbank", (name, b"out"), (LEAD, b"lead"))

    assert said_of(path, name) == said


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(tmp_path):
    path = packed(tmp_path / "b.vitalbank", (PAD, b"one"), (PAD, b"two"), (LEAD, b"lead"))

    assert said_of(path, PAD) == "the bank has 2 files of this name"


ENTRY = b"PK\1\2"


@pytest.mark.parametrize(
    ("signature", "offset", "form", "value", "said"),
    [
        (ENTRY, 8, "<H", 1, "it is encrypted"),
        (ENTRY, 10, "<H", 14, "it is packed in a way that Vital does not read"),
        (ENTRY, 10, "<H", 77, "it is packed in a way that Vital does not read"),
        (ENTRY, 16, "<I", 7, "it is damaged: Bad CRC-32"),
        (ENTRY, 24, "<I", 7, "it is damaged: Bad CRC-32"),
        (ENTRY, 20, "<I", 7, "it is damaged: Bad CRC-32"),
        (ENTRY, 42, "<I", 3, "it is damaged: Bad magic number"),
        (b"PK\3\4", 60, "<Q", 2**64 - 1, "it is damaged: "),
    ],
    ids=["encrypted", "lzma", "unknown", "sum", "size", "packed size", "offset", "content"],
)
def test_what_is_wrong_with_a_packed_preset_is_said_of_it_alone(tmp_path, signature, offset, form, value, said):
    path = packed(tmp_path / "b.vitalbank", (LEAD, b"lead"), (PAD, os.urandom(5000)))
    patched(path, signature, offset, form, value)

    assert said_of(path, PAD).startswith(said)


def test_a_preset_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bank, "MAX_BYTES", 50_000)
    exact, above = os.urandom(50_000), os.urandom(50_001)
    path = packed(tmp_path / "b.vitalbank", (LEAD, b"lead"), ("exact.vital", exact), (PAD, above))

    assert bank.member(path, "exact.vital") == exact
    assert "so large a preset is not read" in said_of(path, PAD)


def test_a_preset_that_is_packed_too_well_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    taken: list[int] = []
    path = packed(tmp_path / "b.vitalbank", (LEAD, b"lead"), (PAD, b" " * (60 << 20)))
    read = zipfile.ZipExtFile.read

    def counted(self: zipfile.ZipExtFile, size: int = -1) -> bytes:
        part = read(self, size)
        taken.append(len(part))
        return part

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    with pytest.raises(EngineError, match="it unpacks to more than 200 times its size, as no preset does"):
        bank.member(path, PAD)
    assert sum(taken) < 14 << 20


def test_a_bank_that_unpacks_to_too_much_in_all_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bank, "MAX_TOTAL", 3 << 20)
    part = os.urandom(1 << 20)
    packed(tmp_path / "three.vitalbank", *((f"{i}.vital", part) for i in range(3)))
    packed(tmp_path / "four.vitalbank", *((f"{i}.vital", part) for i in range(4)), ("w.vitaltable", part))

    assert bank.members(tmp_path / "three.vitalbank") == ("0.vital", "1.vital", "2.vital")
    with pytest.raises(EngineError, match="its presets have more than 3 MB unpacked"):
        bank.members(tmp_path / "four.vitalbank")


def test_a_directory_that_is_too_long_is_not_read(tmp_path):
    path = packed(tmp_path / "b.vitalbank", ("a.vital", b""))
    path.write_bytes(bytes(8 << 20) + path.read_bytes())
    patched(path, b"PK\5\6", 12, "<I", 7 << 20)
    with pytest.raises(EngineError, match="its directory claims 7 MB; up to 4 MB are read"):
        bank.members(path)

    packed(path, *((f"{i}.txt", b"") for i in range(10_001)), method=zipfile.ZIP_STORED)
    with pytest.raises(EngineError, match="it has 10001 files; up to 10000 are read"):
        bank.members(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda whole: b"", "not a Vital bank, or damaged or cut short: File is not a zip file"),
        (lambda whole: b"no bank", "not a Vital bank, or damaged or cut short: File is not a zip file"),
        (lambda whole: whole[:-30], "not a Vital bank, or damaged or cut short: File is not a zip file"),
        (lambda whole: whole.replace(b"PK\1\2", b"PK\1\3"), "not a Vital bank, or damaged or cut short: Bad magic"),
    ],
    ids=["empty", "text", "cut", "directory"],
)
def test_what_is_no_bank_is_refused_in_a_sentence(tmp_path, content, said):
    path = packed(tmp_path / "b.vitalbank", (LEAD, b"lead"))
    path.write_bytes(content(path.read_bytes()))

    for read in (bank.members, lambda path: bank.member(path, LEAD)):
        with pytest.raises(EngineError) as raised:
            read(path)
        assert str(raised.value).startswith(said)


def test_a_bank_that_is_a_pipe_keeps_nobody_waiting(tmp_path):
    os.mkfifo(tmp_path / "b.vitalbank")

    with pytest.raises(EngineError, match="is not a file"):
        bank.members(tmp_path / "b.vitalbank")


def test_a_bank_that_is_too_large_is_refused_unopened(tmp_path):
    (tmp_path / "b.vitalbank").touch()
    os.truncate(tmp_path / "b.vitalbank", MAX_BANK_BYTES + 1)

    _, (refused,) = ingested(tmp_path / "b.vitalbank")

    assert refused.reason == "512 MB; banks of more than 512 MB are not opened"


@pytest.mark.long
def test_a_bank_is_listed_shown_and_drawn_from(tmp_path, text):
    packed(tmp_path / "b.vitalbank", ("A/broken.vital", b"no"), (LEAD, text("lead")), (PAD, text("pad")))

    listed = terminal("presets", "list", "b.vitalbank", "--no-audition", cwd=tmp_path)
    refused = terminal("presets", "show", "b.vitalbank", "--no-audition", cwd=tmp_path)
    drawn = terminal(
        *("generate", "--presets", "b.vitalbank", "--sampler", "presets", "-n", 2, "--dry-run"), cwd=tmp_path
    )

    assert (listed.returncode, "2 presets in 1 file" in listed.stdout) == (0, True)
    assert "refused   b.vitalbank: A/broken.vital: not a Vital preset" in listed.stdout
    assert refused.returncode == 1
    assert "error: b.vitalbank: A/broken.vital: not a Vital preset" in refused.stderr
    assert "presets: 2 read, 1 refused" in drawn.stderr
    assert f"{tmp_path}/b.vitalbank: A/broken.vital: not a Vital preset" in drawn.stderr


@pytest.mark.long
def test_strict_stops_at_a_bad_preset_of_a_bank_and_names_it(tmp_path, text):
    packed(tmp_path / "b.vitalbank", ("A/broken.vital", b"no"), (LEAD, text("lead")))
    host = Host.load()
    changes = {"presets": {"paths": [str(tmp_path)], "strict": True}, "sampler": "presets", "patches": 1}

    with pytest.raises(
        ConfigError, match=r"1 of 1 files cannot be read whole:\n  .*b.vitalbank: A/broken.vital: not a"
    ):
        resolve_plan(composed(None, changes, host=host), host)


@pytest.mark.long
def test_the_wavetables_of_a_bank_are_scanned(tmp_path, text):
    packed(tmp_path / "b.vitalbank", ("A/broken.vital", b"no"), (LEAD, text("lead")), (PAD, text("pad")))
    (tmp_path / "a.vital").write_bytes(text("other"))
    (tmp_path / "c.vital").write_bytes(text("other"))

    done = scan([tmp_path], tmp_path / "catalog", pictures=False)

    assert (done.files, done.read, done.copies) == (3, 3, 1)
    assert [item.place for item in done.refused] == [f"{tmp_path}/b.vitalbank: A/broken.vital"]
