"""A stored plan may be a stranger's: no code that it names is loaded unless its user has used it himself."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import FOLDERS, ROOT
from support.builders import write_dataset

from tonesmith.analysis.sensitivity import Settings, study_of_dataset
from tonesmith.cli import run
from tonesmith.dataset.export import preset_of
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.verify import check_renders
from tonesmith.engine.client import Engine
from tonesmith.errors import TrustError
from tonesmith.host import trust
from tonesmith.host.binary import digest_of
from tonesmith.host.registry import Host
from tonesmith.plan.plan import PluginRef
from tonesmith.testing.synthetic import synthetic_plan


class StartedError(Exception):
    """An engine was started."""


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own cache, and his folders of plugins, out of it."""
    monkeypatch.setenv("TONESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def unstarted(monkeypatch: pytest.MonkeyPatch) -> None:
    def _running(_: object) -> Any:
        raise StartedError

    monkeypatch.setattr(Engine, "_running", _running)


def stored(path: Path, backend: str, options: dict[str, Any], digest: str = "", seed: int = 7) -> Path:
    """Return the path of a dataset whose plan names a backend with options."""
    versions = {"plugin": f"sha256 {digest}"} if digest else {"engine": "1.0"}
    plan = replace(synthetic_plan(patches=2), seed=seed, backend=PluginRef(backend, options), versions=versions)
    return write_dataset(path, (0,), plan).path


def plugin_at(path: Path, content: bytes = b"code") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def named_in_a_run(path: Path) -> None:
    """Do what a run does with what its flags name."""
    backend = Host.load().find("backend", "dawdreamer")
    trust.remember(backend, backend.Options(instrument=str(path)))


def checked(path: Path, *, vouched: bool = False) -> None:
    trust.check_trusted(open_dataset(path).plan, Host.load(), trust=vouched)


def test_no_command_loads_the_library_that_a_dataset_names_until_its_user_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if shutil.which("cc") is None:
        pytest.skip("a library is compiled with cc")
    data, mark = tmp_path / "d.zarr", tmp_path / "it-ran"
    library = tmp_path / "evil.so"
    source = ROOT / "tests" / "support" / "native" / "marks.c"
    subprocess.run(["cc", "-shared", "-fPIC", f'-DMARK="{mark}"', source, "-o", library], check=True)
    options = {"instrument": str(library), "bpm": 120.0}
    stored(data, "dawdreamer", options, digest_of(library))
    monkeypatch.chdir(tmp_path)
    for command in (
        ["verify", "--render", "2"],
        ["importance"],
        ["importance", "--dry-run"],
        ["audition"],
        ["inspect", "--params"],
        ["verify"],
        ["export", "--row", "0", "--audio", "row.wav"],
        ["split"],
    ):
        refused = command[0] in {"importance", "audition"} or "--render" in command
        assert run([*command, str(data)]) == (2 if refused else 0), command
        said = capfd.readouterr().err
        assert (f"{library} (SHA-256 {digest_of(library)})" in said and "--trust" in said) == refused, said
        assert not mark.exists(), command
    other = stored(tmp_path / "other.zarr", "dawdreamer", options, digest_of(library), seed=8)
    assert run(["convert", str(data), "d.tar", "--sink", "webdataset", "--workers", "1"]) == 0
    assert run(["merge", str(data), str(other), "-o", "two.zarr", "--workers", "1"]) == 0
    assert not mark.exists()
    run(["verify", "--render", "1", "--trust", str(data)])
    assert mark.exists()


def test_what_was_used_at_that_path_is_loaded_again_until_it_changes(tmp_path: Path) -> None:
    plugin = plugin_at(tmp_path / "own" / "synth.so")
    data = stored(tmp_path / "d.zarr", "dawdreamer", {"instrument": str(plugin)}, digest_of(plugin))
    with pytest.raises(TrustError, match="which you have not used"):
        checked(data)
    checked(data, vouched=True)
    with pytest.raises(TrustError):  # --trust is for once
        checked(data)
    named_in_a_run(plugin)
    checked(data)
    plugin.write_bytes(b"other code")
    with pytest.raises(TrustError, match=f"SHA-256 {digest_of(plugin)}.*another file than the dataset was made with"):
        checked(data)


def test_a_copy_of_what_was_used_counts_only_in_a_folder_of_plugins(tmp_path: Path) -> None:
    used = plugin_at(tmp_path / "own" / "synth.so")
    named_in_a_run(used)
    for place, known in (
        (tmp_path / "home" / ".vst3" / "synth.so", True),
        (tmp_path / "home" / ".vst3" / "maker" / "synth.so", True),
        (tmp_path / "home" / ".vst3" / ".." / ".." / "evil.so", False),
        (tmp_path / "d0.zarr" / "synth.so", False),
    ):
        plugin_at(place)
        data = stored(tmp_path / f"d{known}{len(str(place))}.zarr", "dawdreamer", {"instrument": str(place)})
        if known:
            checked(data)
        else:
            with pytest.raises(TrustError, match="not used"):
                checked(data)


def test_in_a_folder_of_plugins_what_was_never_used_is_refused(tmp_path: Path) -> None:
    plugin = plugin_at(tmp_path / "home" / ".vst3" / "synth.so")
    data = stored(tmp_path / "d.zarr", "dawdreamer", {"instrument": str(plugin)}, digest_of(plugin))
    with pytest.raises(TrustError):
        checked(data)


@pytest.mark.parametrize(
    ("backend", "options"),
    [
        ("dawdreamer", {"instrument": "synth.so"}),
        ("dawdreamer", {"instrument": "./d.zarr/synth.so"}),
        ("dawdreamer", {"instrument": "~/synth.so"}),
        ("dawdreamer", {"instrument": "a:b.so"}),
        ("vst3", {"plugin": "synth.vst3"}),
    ],
)
def test_a_relative_path_is_refused_though_its_user_vouches_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str, options: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("synth.so", "synth.vst3", "a:b.so"):
        named_in_a_run(plugin_at(tmp_path / name))
    data = stored(tmp_path / "d.zarr", backend, options)
    with pytest.raises(TrustError, match=rf"'{Path(*options.values())}'\. That is no full path"):
        checked(data, vouched=True)


def test_of_a_bundle_the_library_counts_that_hosts_load(tmp_path: Path) -> None:
    bundle = tmp_path / "Synth.vst3"
    for name in ("A", "Synth", "Z"):
        plugin_at(bundle / "Contents" / f"{platform.machine()}-linux" / f"{name}.so", name.encode())
    assert digest_of(bundle) == hashlib.sha256(b"Synth").hexdigest()


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    data = stored(tmp_path / "d.zarr", "vst3", {"plugin": str(tmp_path / "gone.vst3")})
    with pytest.raises(TrustError, match=r"gone\.vst3, which is not there"):
        checked(data)


def test_an_lv2_is_known_by_its_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = "http://maker.org/synth"
    data = stored(tmp_path / "d.zarr", "dawdreamer", {"instrument": uri})
    library = plugin_at(tmp_path / "lv2" / "synth.lv2" / "synth.so")
    manifest = f"<{uri}> a <http://lv2plug.in/ns/lv2core#Plugin> ; <http://lv2plug.in/ns/lv2core#binary> <synth.so> ."
    library.with_name("manifest.ttl").write_text(manifest)
    monkeypatch.setenv("LV2_PATH", str(tmp_path / "lv2"))
    with pytest.raises(TrustError, match=r"lv2/synth\.lv2 \(SHA-256 [0-9a-f]{64}\), which you have not used"):
        checked(data)
    backend = Host.load().find("backend", "dawdreamer")
    trust.remember(backend, backend.Options(instrument=uri))
    checked(data)
    library.write_bytes(b"other code")
    with pytest.raises(TrustError, match="which you have not used"):
        checked(data)


@pytest.mark.parametrize(("backend", "options"), [("vita", {}), ("dawdreamer", {"instrument": "fm"})])
def test_what_a_python_package_brought_needs_no_trust(tmp_path: Path, backend: str, options: dict[str, Any]) -> None:
    checked(stored(tmp_path / "d.zarr", backend, options))


def test_a_third_party_is_asked_for_its_binary_and_its_options_that_are_paths(tmp_path: Path, chaos: Any) -> None:
    backend = Host.load().find("backend", "chaos")
    assert backend.loads(backend.Options()) == ()
    assert backend.loads(backend.Options(binary="/opt/synth.so")) == ("/opt/synth.so",)

    class Options(backend.Options):  # type: ignore[name-defined, misc]
        samples: Path = Path("/opt/samples")

    assert backend.loads(Options(binary="/opt/synth.so")) == ("/opt/synth.so", "/opt/samples")
    data = stored(tmp_path / "d.zarr", "chaos", {"binary": str(plugin_at(tmp_path / "synth.so"))})
    with pytest.raises(TrustError):
        checked(data)


def test_whoever_made_a_dataset_can_check_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chaos: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tonesmith.run.resolve.first_use", lambda *_, **__: None)  # it takes long, and is tested apart
    plugin, data = plugin_at(tmp_path / "own" / "synth.so"), tmp_path / "d.zarr"
    chaos.make(data, patches=1, backend={"binary": str(plugin)})
    assert run(["verify", "--render", "2", str(data)]) == 0
    shutil.rmtree(tmp_path / "cache" / "met")
    assert run(["verify", "--render", "2", str(data)]) == 2
    capsys.readouterr()
    assert run(["verify", "--render", "2", "--trust", "--json", str(data)]) == 0
    assert json.loads(capsys.readouterr().out)["rendered"] == 2


@pytest.mark.usefixtures("unstarted")
def test_from_python_too_an_engine_is_started_only_of_what_is_known(tmp_path: Path) -> None:
    plugin = plugin_at(tmp_path / "synth.so")
    data = stored(tmp_path / "d.zarr", "dawdreamer", {"instrument": str(plugin)})
    dataset, host = open_dataset(data), Host.load()
    with pytest.raises(TrustError):
        list(check_renders(dataset, [0], data, host))
    with pytest.raises(TrustError):
        study_of_dataset(dataset, Settings(bases=1))
    assert study_of_dataset(dataset, Settings(bases=1), trust=True).bases
    with pytest.raises(StartedError):
        list(check_renders(dataset, [0], data, host, trust=True))


def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    named_in_a_run(plugin_at(tmp_path / "synth.so"))


FROM_FLAGS = "what it plays is named by flags, a composition or the code"
FROM_A_STUDY = "the study was made of a composition, or its plan was checked by study_of_dataset"
STARTING = {"Engine", "Workbench"}


@pytest.mark.usefixtures("unstarted")
def test_a_preset_that_only_its_plugin_can_write_is_written_by_one_that_is_known(tmp_path: Path) -> None:
    plugin = plugin_at(tmp_path / "synth.vst3" / "Contents" / "x86_64-linux" / "synth.so").parents[2]
    dataset = open_dataset(stored(tmp_path / "d.zarr", "vst3", {"plugin": str(plugin)}))
    with pytest.raises(TrustError, match="which you have not used"):
        preset_of(dataset, 0, "row", Host.load())
    with pytest.raises(StartedError):
        preset_of(dataset, 0, "row", Host.load(), trust=True)


STARTERS = {
    "core/analysis/importance.py": FROM_A_STUDY,
    "core/analysis/sensitivity.py": "study_of_plan: the plan is made of a composition",
    "core/dataset/export.py": "preset_of asks check_trusted first",
    "core/dataset/renderer.py": "a Renderer asks check_trusted first",
    "core/doctor/examine.py": FROM_FLAGS,
    "core/doctor/repeatability.py": FROM_FLAGS,
    "core/presets/audition.py": FROM_FLAGS,
    "core/presets/ingest.py": FROM_FLAGS,
    "core/run/audition.py": "the command asks check_trusted for the plan of a dataset, or it is from flags",
    "core/run/produce.py": "the Workbench: whoever makes one is in this table",
    "core/run/resolve.py": FROM_FLAGS,
    "core/run/stream.py": FROM_FLAGS,
    "core/run/trial.py": FROM_FLAGS,
    "core/run/worker.py": "a worker of a run, whose plan resolve_plan has made",
    "core/testing/backend.py": FROM_FLAGS,
    "backends/vita/wavetable_scan.py": FROM_FLAGS,
    "corpus/derive/synth.py": "corpus render is from flags; Synth.of, for recipes, asks check_loads first",
    "backends/vst3/scan.py": FROM_FLAGS,
}


def test_whoever_starts_an_engine_is_known_to_have_asked() -> None:
    starting = {
        str(file.relative_to(ROOT))
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in STARTING
    }
    assert starting == STARTERS.keys(), "where an engine is started: is its plan checked? Then add it here, with why"


def test_a_module_that_lies_in_the_current_folder_is_not_imported_by_an_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "it-ran"
    for name in ("numpy", "json", "tonesmith"):
        (tmp_path / f"{name}.py").write_text(f"open({str(mark)!r}, 'w')")
    data = stored(tmp_path / "d.zarr", "dawdreamer", {"instrument": "fm"})
    monkeypatch.chdir(tmp_path)
    run(["verify", "--render", "1", str(data)])
    assert not mark.exists()
    assert os.listdir(tmp_path)  # noqa: PTH208 - the folder is still there
