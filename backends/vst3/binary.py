"""What can be told of a VST3 bundle without loading it, so that a bad one is a sentence and not a dead process."""

from __future__ import annotations

import hashlib
import platform
import struct
import sys
from pathlib import Path

from tonesmith.errors import ConfigError

_ELF = b"\x7fELF"
_MACHINES = {3: "32-bit x86", 40: "32-bit ARM", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
_NAMES = {"amd64": "x86_64", "arm64": "aarch64"}


def binary_of(plugin: Path) -> Path:
    """Return the file with the code of a VST3: inside its bundle, or the ``.vst3`` itself where that is a file.

    Raises :class:`ConfigError` if there is none, or it is damaged or made for another machine (ELF only: on other
    platforms the host's own loader tells).
    """
    if not plugin.exists():
        raise ConfigError(f"{plugin} does not exist. Name the .vst3 bundle of a plugin.")
    binary = _inside(plugin) if plugin.is_dir() else plugin
    if sys.platform == "linux":
        _check_elf(binary)
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
        raise ConfigError(f"{bundle} is a folder and no VST3 bundle: it has no folder 'Contents'.")
    if not (contents / folder).is_dir():
        found = ", ".join(sorted(p.name for p in contents.iterdir() if p.is_dir())) or "nothing"
        raise ConfigError(f"{bundle} has no code for this machine: Contents/{folder} is not there, only {found}.")
    suffix = {"linux": ".so", "win32": ".vst3"}.get(sys.platform, "")
    binary = contents / folder / f"{bundle.stem}{suffix}"
    if not binary.is_file():
        raise ConfigError(f"{bundle} has no {binary.relative_to(bundle)}: the bundle is incomplete or was renamed.")
    return binary


def _machine() -> str:
    name = platform.machine().lower()
    return _NAMES.get(name, name)


def _check_elf(binary: Path) -> None:
    """Check the header, the architecture and that no part is cut off. ELF-64: System V ABI, chapter 4."""
    try:
        size = binary.stat().st_size
        with binary.open("rb") as file:
            head = file.read(64)
            if head[:4] != _ELF:
                raise ConfigError(f"{binary} is no shared library, so {binary.name} is no VST3.")
            if len(head) == 64 and (head[4], head[5]) == (2, 1):
                kind, machine = struct.unpack_from("<HH", head, 16)
                programs, sections = struct.unpack_from("<QQ", head, 32)
                each_program, program_count, each_section, section_count = struct.unpack_from("<HHHH", head, 54)
                file.seek(min(programs, size))
                table = file.read(each_program * program_count)
            else:
                kind, machine = struct.unpack_from("<HH", head.ljust(20, b"\0"), 16)
                raise ConfigError(f"{binary} is for {_MACHINES.get(machine, 'another machine')}, not {_machine()}.")
    except OSError as error:
        raise ConfigError(f"{binary} cannot be read: {error.strerror}") from None
    if _MACHINES.get(machine) != _machine():
        raise ConfigError(f"{binary} is for {_MACHINES.get(machine, 'another machine')}, not {_machine()}.")
    if kind != 3:
        raise ConfigError(f"{binary} is a program and no shared library, so it is no VST3.")
    if each_program < 56 or len(table) < each_program * program_count:
        raise ConfigError(f"{binary} is truncated: install the plugin again.")
    ends = [sum(struct.unpack_from("<Q16xQ", table, each_program * i + 8)) for i in range(program_count)]
    if max([sections + each_section * section_count, *ends]) > size:
        raise ConfigError(f"{binary} is truncated: install the plugin again.")
