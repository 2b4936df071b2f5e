"""LV2 in DawDreamer: a bundle is found by its URI without running it, and another build is another plan."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import terminal

from tonesmith import open_dataset
from tonesmith.backends.dawdreamer import DawDreamerBackend, DawDreamerOptions
from tonesmith.backends.dawdreamer.lv2 import bundle_of, offered_by
from tonesmith.engine.client import Engine
from tonesmith.errors import ConfigError
from tonesmith.host.binary import digest_of, file_fault
from tonesmith.plan.plan import Audio, PluginRef

MDA = Path("/usr/lib/lv2/mda.lv2")
DX10 = "http://drobilla.net/plugins/mda/DX10"
needs_mda = pytest.mark.skipif(not MDA.exists(), reason=f"mda-lv2 is not installed (apt install mda-lv2): no {MDA}")
MANIFEST = """
@prefix lv2: <http://lv2plug.in/ns/lv2core#> . # <urn:x:no> a lv2:Plugin .
@prefix x: <urn:x:> .
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
<urn:x:synth#1> a lv2:InstrumentPlugin , lv2:Plugin ; lv2:binary <a%20b.so> ; rdfs:seeAlso <s.ttl> .
x:second
    lv2:binary <second.so> ;
    rdfs:label "a text with . and <urn:x:no> a lv2:Plugin ." ;
    x:nested [ a lv2:Plugin ; lv2:binary <no.so> ] ;
    a lv2:Plugin .
x:preset a <http://lv2plug.in/ns/ext/presets#Preset> ; lv2:appliesTo x:second .
"""


def bundle(folder: Path, name: str = "x.lv2", manifest: str = MANIFEST, library: bytes = b"library") -> Path:
    path = folder / name
    path.mkdir(parents=True)
    (path / "manifest.ttl").write_text(manifest)
    (path / "second.so").write_bytes(library)
    return path


def test_a_manifest_tells_what_a_bundle_offers(tmp_path):
    path = bundle(tmp_path)
    assert [(offer.uri, offer.binary) for offer in offered_by(path)] == [
        ("urn:x:second", path / "second.so"),
        ("urn:x:synth#1", path / "a b.so"),
    ]


@given(st.text('@prefix<>":;.,[]()#a \n\\', max_size=80))
def test_any_manifest_is_taken(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any")
    (path / "manifest.ttl").write_text(text, encoding="utf-8")
    offered_by(path)


def test_a_uri_is_looked_for_in_lv2_path_and_the_nearest_is_named(tmp_path, monkeypatch):
    path = bundle(tmp_path / "one")
    monkeypatch.setenv("LV2_PATH", f"{tmp_path / 'none'}:{tmp_path / 'one'}")

    assert bundle_of("urn:x:second") == path
    assert DawDreamerBackend.binary(DawDreamerOptions(instrument="urn:x:second")) == path
    with pytest.raises(ConfigError, match=r"no LV2 with that URI is installed in .*Did you mean 'urn:x:second'"):
        bundle_of("urn:x:secund")


def test_two_builds_of_a_uri_are_refused_and_two_copies_are_one(tmp_path, monkeypatch):
    first, second = bundle(tmp_path / "one"), bundle(tmp_path / "two")
    monkeypatch.setenv("LV2_PATH", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    assert bundle_of("urn:x:second") == first

    (second / "second.so").write_bytes(b"another")
    with pytest.raises(ConfigError, match="different builds"):
        bundle_of("urn:x:second")


@pytest.mark.parametrize("change", ["second.so", "manifest.ttl", "new.ttl"])
def test_the_digest_of_a_bundle_is_of_all_its_files(tmp_path, change):
    path, same = bundle(tmp_path / "one"), bundle(tmp_path / "two")
    before = digest_of(path)
    assert before == digest_of(same)
    with (path / change).open("ab") as stream:
        stream.write(b" ")
    assert digest_of(path) != before


def test_a_library_of_a_bundle_that_is_cut_off_is_told(tmp_path):
    fault = file_fault(bundle(tmp_path, library=b"\x7fELF\x02\x01"))
    assert fault is not None
    assert "cut off" in fault.text


def described(instrument: object) -> Any:
    reference = PluginRef("dawdreamer", {"instrument": str(instrument)})
    with Engine(reference, Audio(44100, 2, 0), 1, "reuse", asset=lambda name: b"") as engine:
        return engine.describe(0.1, 0.1)


def test_a_bundle_by_its_path_names_its_uris(tmp_path):
    with pytest.raises(ConfigError, match=r"It offers urn:x:second, urn:x:synth#1: use one as --backend.instrument"):
        described(bundle(tmp_path))


@needs_mda
def test_an_effect_is_no_instrument():
    with pytest.raises(ConfigError, match="Delay is an effect"):
        described("http://drobilla.net/plugins/mda/Delay")


@needs_mda
@pytest.mark.long
def test_another_build_of_an_lv2_is_another_plan(tmp_path):
    folder = tmp_path / "lv2" / "mda.lv2"
    folder.mkdir(parents=True)
    for name in ("manifest.ttl", "DX10.so", "DX10.ttl"):
        shutil.copy(MDA / name, folder / name)
    (folder / "Unused.so").write_bytes((folder / "DX10.so").read_bytes())
    settings = {"LV2_PATH": str(folder.parent), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    asked = ("generate", tmp_path / "d", "--backend", "dawdreamer", "--backend.instrument", DX10, "--block", 1,
             "--notes.pitches", 60, "--notes.hold", 0.1, "--notes.tail", 0.1, "--quiet")  # fmt: skip
    first = terminal(*asked, "-n", 1, cwd=tmp_path, **settings)
    assert (first.returncode, f"first use of {folder}" in first.stderr) == (0, True)
    dataset = open_dataset(tmp_path / "d")
    digest = digest_of(folder)
    assert dataset.plan.versions["plugin"] == f"sha256 {digest}"
    assert dataset.attributes["checkup"]["binary"] == digest

    known = terminal("verify", tmp_path / "d", "--render", 1, cwd=tmp_path, **settings)
    assert (known.returncode, known.stderr) == (0, "")

    (folder / "Unused.so").unlink()
    stranger = terminal("verify", tmp_path / "d", "--render", 1, cwd=tmp_path, **settings)
    assert (stranger.returncode, f"loads {folder}" in stranger.stderr, digest in stranger.stderr) == (2, True, True)
    again = terminal(*asked, "-n", 2, cwd=tmp_path, **settings)
    assert (again.returncode, "versions.plugin" in again.stderr) == (2, True)
    assert len(open_dataset(tmp_path / "d")) == 1
