"""Compiles the VST3 fixture, once for each set of flags."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
COMPILER = os.environ.get("CXX", "g++")
FLAGS = ("-std=c++17", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wl,--no-undefined", "-pthread")


def built(folder: Path, name: str, *defines: str) -> Path:
    """Return the bundle ``name.vst3``, compiled into a folder; skip where that cannot be done."""
    if platform.system() != "Linux" or shutil.which(COMPILER) is None:
        pytest.skip(f"the VST3 fixture is compiled with {COMPILER} on Linux")
    bundle = folder / f"{name}.vst3"
    binary = bundle / "Contents" / f"{platform.machine()}-linux" / f"{name}.so"
    binary.parent.mkdir(parents=True)
    options = [*FLAGS, *(f"-D{define}" for define in defines)]
    subprocess.run([COMPILER, *options, HERE / "tinysynth.cpp", "-o", binary], check=True, timeout=120)
    return bundle
