"""Compiles the VST3 fixture, once for each set of flags."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE / "tinysynth.cpp"
COMPILED = HERE.parents[2] / ".pytest_cache" / "vst3"
COMPILER = os.environ.get("CXX", "g++")
FLAGS = ("-std=c++17", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wl,--no-undefined", "-pthread")


def built(folder: Path, name: str, *defines: str) -> Path:
    """Return the bundle ``name.vst3`` in a folder; skip where it cannot be compiled."""
    if platform.system() != "Linux" or shutil.which(COMPILER) is None:
        pytest.skip(f"the VST3 fixture is compiled with {COMPILER} on Linux")
    bundle = folder / f"{name}.vst3"
    binary = bundle / "Contents" / f"{platform.machine()}-linux" / f"{name}.so"
    binary.parent.mkdir(parents=True)
    shutil.copyfile(_compiled([*FLAGS, *(f"-D{define}" for define in defines)]), binary)
    return bundle


def _compiled(options: list[str]) -> Path:
    """Return the library that was compiled so, which all tests of a checkout share."""
    key = hashlib.sha256("\0".join([COMPILER, *options]).encode() + SOURCE.read_bytes()).hexdigest()[:16]
    place = COMPILED / f"{key}.so"
    if not place.exists():
        COMPILED.mkdir(parents=True, exist_ok=True)
        aside = place.with_suffix(f".{os.getpid()}")
        subprocess.run([COMPILER, *options, SOURCE, "-o", aside], check=True, timeout=120)
        aside.replace(place)
    return place
