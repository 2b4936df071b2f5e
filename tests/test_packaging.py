"""The project installs as a wheel, from its source distribution, and editable, and brings only its own name."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from support import FOLDERS, ROOT, sampled

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git would give a newcomer."""
    place = tmp_path_factory.mktemp("source") / "tonesmith"
    ignored = shutil.ignore_patterns(".git", ".venv", "build", "data", "*.egg-info", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, place, ignore=ignored)
    return place


@pytest.fixture(scope="module")
def built(source: Path) -> dict[str, Path]:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(source / "dist"), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    (wheel,), (sdist,) = (source / "dist").glob("*.whl"), (source / "dist").glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


def test_the_citation_is_of_this_version():
    lines = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    assert f"version: {VERSION}" in lines


def modules() -> set[str]:
    found = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            inside = path.relative_to(ROOT / folder)
            found.add(str(Path("tonesmith") / ("" if folder == "core" else folder) / inside))
    return found


def test_the_wheel_has_every_module_under_one_name(built):
    with zipfile.ZipFile(built["wheel"]) as archive:
        names = set(archive.namelist())

    assert {name for name in names if name.endswith(".py")} == modules()
    assert "tonesmith/py.typed" in names
    assert {name.split("/", maxsplit=1)[0] for name in names} == {"tonesmith", f"tonesmith-{VERSION}.dist-info"}


def test_the_source_distribution_has_licence_and_readme(built):
    with tarfile.open(built["sdist"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"LICENSE", "README.md", "pyproject.toml", "core/space/space.py", "backends/vita/shapes.py"} <= names


@pytest.mark.parametrize("form", sampled(["wheel", "sdist", "editable"], 3))
def test_an_installed_tonesmith_runs_from_anywhere(built, source, tmp_path, form):
    python = _environment(tmp_path / "env")
    target = ["--editable", str(source)] if form == "editable" else [str(built[form])]
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", *target], check=True, timeout=240)

    code = "import tonesmith, tonesmith.sinks.zarr, tonesmith.backends.vita as b; print(tonesmith.__file__, b.__file__)"
    where = subprocess.run([python, "-P", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    version = subprocess.run(
        [python.parent / "tonesmith", "--version"], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    home = source if form == "editable" else tmp_path / "env"
    assert all(Path(path).is_relative_to(home) for path in where.stdout.split())
    assert version.stdout == f"tonesmith {VERSION}\n"


def _environment(place: Path) -> Path:
    """Return the Python of a new environment that sees the libraries of this one, but not its tonesmith."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True, timeout=60)
    python = place / "bin" / "python"
    site = next((place / "lib").glob("python*/site-packages"))
    libraries = place / "libraries"
    libraries.mkdir()
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if "tonesmith" not in entry.name:
            (libraries / entry.name).symlink_to(entry)
    (site / "libraries.pth").write_text(f"{libraries}\n")
    return python
