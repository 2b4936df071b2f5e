"""Starting is quick because nothing heavy is imported. Checked by name, since a clock is at the machine's mercy."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support import sampled

_HEAVY = (
    "numpy",
    "scipy",
    "zarr",
    "vita",
    "loudness",
    "xarray",
    "h5py",
    "matplotlib",
    "pedalboard",
    "dawdreamer",
    "ray",
    "textual",
    "safetensors",
    "soundfile",
    "tonesmith.run.pipeline",
)
_COMMANDS = (
    ("--help",),
    ("-h",),
    ("--version",),
    ("-V",),
    ("plugins",),
    ("plugins", "show", "vita"),
    ("generate", "--backend", "vita", "--help"),
    ("inspect", "--help"),
    ("status", "--help"),
    ("export", "--help"),
    ("preview", "--help"),
    ("verify", "--help"),
    ("render", "--help"),
    ("score", "--help"),
    ("match", "--help"),
    ("presets", "--help"),
    ("presets", "list", "--help"),
    ("importance", "--help"),
    ("doctor", "--help"),
    ("vst3", "scan", "--help"),
    ("explore", "make", "--help"),
    ("plugins", "new", "--help"),
    ("plot", "pca", "--help"),
    ("vita", "wavetables", "scan", "--help"),
)
_CODE = """
import sys
from tonesmith.cli import run
status = run(sys.argv[1:])
print("IMPORTED", status, *sorted(sys.modules))
"""


def imported_by(*arguments: str, code: str = _CODE) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    words = done.stdout.rpartition("IMPORTED ")[2].split()
    assert words[0] == "0", done.stderr
    return set(words[1:])


@pytest.mark.parametrize("arguments", sampled([(words,) for words in _COMMANDS], 5), ids=" ".join)
def test_nothing_heavy_is_imported_for(arguments: tuple[str, ...]) -> None:
    assert imported_by(*arguments).isdisjoint(_HEAVY)


def test_the_package_imports_its_parts_when_they_are_first_used() -> None:
    code = """
import sys, tonesmith
assert "tonesmith.host.registry" not in sys.modules
tonesmith.Backend, tonesmith.hookimpl, tonesmith.Options
print("IMPORTED", 0, *sorted(sys.modules))
"""
    assert imported_by(code=code).isdisjoint(_HEAVY)


def test_every_public_name_is_there() -> None:
    import tonesmith

    for name in tonesmith.__all__:
        assert getattr(tonesmith, name) is not None
    assert set(tonesmith.__all__) <= set(dir(tonesmith))
    with pytest.raises(AttributeError, match="no attribute 'generat'"):
        tonesmith.generat  # noqa: B018
