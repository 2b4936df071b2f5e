"""What can be told of a VST3 bundle without loading it, so that a bad one is a sentence and not a dead process."""

from __future__ import annotations

import hashlib
import platform
import sys
from pathlib import Path

from tonesmith.errors import ConfigError
from tonesmith.host.binary import file_fault

_SHARED = 3
"""e_type of a shared library."""
_NAMES = {"amd64": "x86_64", "arm64": "aarch64"}


def binary_of(plugin: Path) -> Path:
    """Return the file with the code of a VST3: inside its bundle, or the ``.vst3`` itself where that is a file.

    Raises :class:`ConfigError` if there is none, or it is damaged or made for another machine (ELF only: on other
    platforms the host's own loader tells).
    """
    if not plugin.exists():
        raise ConfigError(f"{plugin} does not exist. Give the .vst3 bundle of a plugin.")
    binary = _inside(plugin) if plugin.is_dir() else plugin
    if sys.platform == "linux":
        _check_library(binary)
    return binary


def sha256_of(binary: Path) -> str:
    """Return the SHA-256 of a file."""
    with binary.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _inside(bundle: Path) -> Path:
    """Return the code in a bundle, whose folders the VST 3 documentation names ("Locations / Format")."""
    folder = {
        "linux": f"{_machine()}-linux",
        "darwin": "MacOS",
        "win32": f"{_machine()}-win",
    }.get(sys.platform, f"{_machine()}-linux")
    contents = bundle / "Contents"
    if not contents.is_dir():
        raise ConfigError(f"{bundle} is not a VST3 bundle: it has no folder 'Contents'.")
    if not (contents / folder).is_dir():
        found = ", ".join(sorted(p.name for p in contents.iterdir() if p.is_dir())) or "nothing"
        raise ConfigError(f"{bundle} has no code for this machine: it has no Contents/{folder}, only {found}.")
    suffix = {"linux": ".so", "win32": ".vst3"}.get(sys.platform, "")
    binary = contents / folder / f"{bundle.stem}{suffix}"
    if not binary.is_file():
        raise ConfigError(f"{bundle} has no {binary.relative_to(bundle)}: the bundle is incomplete or was renamed.")
    return binary


def _machine() -> str:
    name = platform.machine().lower()
    return _NAMES.get(name, name)


def _check_library(binary: Path) -> None:
    """Check that the file is a whole shared library for this machine. The numbers are those of elf(5)."""
    fault = file_fault(binary)
    if fault is not None:
        raise ConfigError(f"{fault.text}. {fault.cure}")
    with binary.open("rb") as file:
        head = file.read(18)
    if head[:4] != b"\x7fELF":
        raise ConfigError(f"{binary} is not a shared library, so {binary.name} is not a VST3 plugin.")
    if int.from_bytes(head[16:18], "big" if head[5] == 2 else "little") != _SHARED:
        raise ConfigError(f"{binary} is a program, not a shared library, so it is not a VST3 plugin.")
