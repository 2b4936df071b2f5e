"""The rooms: the map in the docs is the one in the code, and an arrow that goes up fails ``make lint``."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import FOLDERS, ROOT, sampled

LONGEST = 370
"""Lines of a file that still holds one idea."""


@pytest.fixture(scope="module")
def drawing() -> Any:
    spec = importlib.util.spec_from_file_location("make_architecture", ROOT / "docs" / "make_architecture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a copy of the package, laid out as it installs."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "core", tmp_path / "tonesmith", ignore=ignored)
    for folder in FOLDERS[1:]:
        shutil.copytree(ROOT / folder, tmp_path / "tonesmith" / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path / "tonesmith"


def linted(package: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=package.parent,
        env={**os.environ, "PYTHONPATH": str(package.parent), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_map_in_the_docs_is_the_one_in_the_code(drawing: Any) -> None:
    text = drawing.PAGE.read_text(encoding="utf-8")
    assert drawing.page(text) == text, "run: python docs/make_architecture.py"
    assert "| `errors` | terminal |" in text


def test_the_map_shows_an_arrow_for_every_import(drawing: Any, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from typing import TYPE_CHECKING\nfrom tonesmith.space.patch import Patch\nfrom tonesmith import api\n"
        "if TYPE_CHECKING:\n    from tonesmith.run.watch import Watcher\n"
        "def late():\n    import tonesmith.engine.client\n"
    )
    assert [drawing.place_of(module) for module in drawing.imports_of(file)] == ["space", "api", "run", "engine"]


def test_a_drawn_map_leaves_out_only_what_other_arrows_imply(drawing: Any) -> None:
    found = {"top": {"middle", "bottom", "side"}, "middle": {"bottom"}, "bottom": set(), "side": set()}
    assert drawing.drawn(found)["top"] == {"middle", "side"}


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    sampled(
        [
            ("space/patch.py", "from tonesmith.plan.plan import Plan", "arrows go down"),
            (
                "host/cache.py",
                "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tonesmith.run.watch import Watcher",
                "arrows go down",
            ),
            ("run/watch.py", "import tonesmith.sinks.zarr", "Core knows no plugin"),
            ("sinks/base/files.py", "from tonesmith.terminal.table import table\nimport tonesmith.run", "Plugins know"),
            ("samplers/lhs.py", "import tonesmith.backends.vita", "Roles are independent"),
            ("sinks/zarr/layout.py", "import tonesmith.sinks.hdf5.file", "A format knows no other"),
            ("cellar/__init__.py", '"""A room without a place among the others."""', "arrows go down"),
        ],
        3,
    ),
)
def test_an_arrow_where_none_may_be_fails_the_lint(package: Path, file: str, line: str, broken: str) -> None:
    place = package / file
    place.parent.mkdir(exist_ok=True)
    before = place.read_text(encoding="utf-8") if place.exists() else ""
    place.write_text(f"{before}\n{line}\n", encoding="utf-8")
    done = linted(package)
    assert done.returncode == 1, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if broken in line and "BROKEN" in line], done.stdout


def test_the_arrows_go_down(package: Path) -> None:
    done = linted(package)
    assert done.returncode == 0, done.stdout


def test_a_private_module_is_imported_by_its_own_package_alone(package: Path) -> None:
    outsiders = [
        f"{path.relative_to(package)}: {node.module}"
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tonesmith.")
        for parts in [[*node.module.split("."), *(alias.name for alias in node.names if len(node.names) == 1)]]
        for place, part in enumerate(parts)
        if part.startswith("_") and not part.endswith("__")
        if list(path.relative_to(package.parent).parts[:place]) != parts[:place]
    ]
    assert outsiders == []


def test_a_file_is_one_idea() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}
