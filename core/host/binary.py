"""What is wrong with the file of an engine, or why an engine did not load: in a sentence, with the cure."""

from __future__ import annotations

import hashlib
import platform
import re
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

_MACHINES = {3: "i686", 40: "armv7l", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
"""e_machine of an ELF file -> what platform.machine() calls it."""
_MACHO = {bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe")}
MANIFEST = "manifest.ttl"
"""The file that makes a folder an LV2 bundle."""
_LIBRARIES = (".so", ".dylib", ".dll")
_LOADED = 1
"""p_type of a part that is mapped into memory."""

_CURES = (
    (r"SIGBUS|file too short", "Its file is probably cut off. Install it again."),
    (
        r"\bxcb\b|DISPLAY|\bdisplay\b|X11|X server|[Gg]tk",
        "It needs a display. Set QT_QPA_PLATFORM=offscreen, or run the command under xvfb-run.",
    ),
    (
        r"wrong ELF class|[Ee]xec format|architecture|32-bit",
        f"It is built for another kind of machine. Install the build for {platform.machine()}.",
    ),
    (r"pip install", ""),
    (r"No module named", "Install the Python package that it names."),
    (
        r"GLIBC|undefined symbol|shared object file",
        "A library that it needs is missing or too old. `ldd FILE` lists them.",
    ),
    (r"\ban (audio )?effect\b|not an instrument", "It is an effect and has nothing to play. Choose an instrument."),
    (r"[Nn]o such file|not found|does not exist|no file", "Check the path."),
    (
        r"gave no answer",
        "It hangs. It may need a display, a licence or the network. Start it once by hand, or give it more time.",
    ),
    (r"SIGKILL", "Something killed it, such as the kernel when memory ran out. Free some memory and try again."),
    (
        r"killed by SIG|ended with status",
        "It crashes by itself. Install another version, or check that it starts in another host.",
    ),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and what to do about it."""

    text: str
    cure: str


def cure_of(text: str) -> str:
    """Return what to do about an engine that failed with these words; "" if the words do not tell."""
    return next((cure for pattern, cure in _CURES if re.search(pattern, text)), "")


def main_file(path: Path) -> Path | None:
    """Return the file that is loaded from a path: itself, or the one of this machine in a bundle.

    Of several it is the one that has the bundle's name, which hosts load. None if there is none.
    """
    if not path.is_dir():
        return path if path.is_file() else None
    folder = {"darwin": "MacOS", "win32": f"{platform.machine().lower()}-win"}.get(
        sys.platform, f"{platform.machine()}-linux"
    )
    found = sorted(inner for inner in (path / "Contents" / folder).glob("*") if inner.is_file())
    return next((inner for inner in found if inner.stem == path.stem), found[0] if found else None)


def file_fault(path: Path) -> Fault | None:
    """Return what is wrong with the file or bundle of an engine, as far as its bytes tell. Nothing of it is run."""
    if not path.exists():
        return Fault(f"there is no file {path}", "Check the path.")
    if is_lv2(path):
        return _bundle_fault(path)
    file = main_file(path)
    if file is None:
        there = sorted(inner.name for inner in path.glob("Contents/*") if inner.is_dir() and inner.name != "Resources")
        built = f"it is built for {', '.join(there)}" if there else "it is not a plugin bundle"
        return Fault(f"{path} holds nothing for {platform.machine()}: {built}", "Install the build for this machine.")
    return _content_fault(file)


def is_lv2(path: Path) -> bool:
    """Return whether a path is an LV2 bundle: a folder with a manifest."""
    return (path / MANIFEST).is_file()


def _bundle_fault(bundle: Path) -> Fault | None:
    """Return what is wrong with any library of an LV2 bundle."""
    files = [file for file in sorted(bundle.rglob("*")) if file.suffix in _LIBRARIES and file.is_file()]
    if not files:
        return Fault(f"{bundle} holds no library of a plugin", "Install it again.")
    return next(filter(None, map(_content_fault, files)), None)


def _content_fault(file: Path) -> Fault | None:
    try:
        with file.open("rb") as stream:
            head = stream.read(4096)
        size = file.stat().st_size
    except OSError as error:
        return Fault(f"cannot read {file}: {error.strerror}", "Check its permissions.")
    return _fault_of(file, head, size)


def _fault_of(file: Path, head: bytes, size: int) -> Fault | None:
    if not head:
        return Fault(f"{file} is empty", "Install it again.")
    if head.startswith(b"\x7fELF"):
        return _elf_fault(file, head, size)
    foreign = "Windows" if head.startswith(b"MZ") else "macOS" if head[:4] in _MACHO else ""
    if foreign and sys.platform == "linux":
        return Fault(f"{file} is built for {foreign}", "Install the build for Linux.")
    return None


def _elf_fault(file: Path, head: bytes, size: int) -> Fault | None:
    """Return what is wrong with an ELF file; the layout is in elf(5)."""
    broken = Fault(f"{file} is cut off: it is {size} bytes long and should be longer", "Install it again.")
    if len(head) < 64:
        return broken
    order = ">" if head[5] == 2 else "<"
    machine = _MACHINES.get(struct.unpack_from(f"{order}H", head, 18)[0], "another kind of machine")
    if sys.platform == "linux" and platform.machine() in _MACHINES.values() and machine != platform.machine():
        told = f"{file} is built for {machine}, but this machine is {platform.machine()}"
        return Fault(told, f"Install the build for {platform.machine()}.")
    return broken if head[4] == 2 and size < _elf_end(order, head) else None


def _elf_end(order: str, head: bytes) -> int:
    """Return how long a 64-bit ELF file is at least, as its headers say."""
    programs, sections = struct.unpack_from(f"{order}QQ", head, 32)
    program_size, program_count, section_size, section_count = struct.unpack_from(f"{order}4H", head, 54)
    end: int = sections + section_size * section_count if sections else 0
    for number in range(program_count):
        at = programs + number * program_size
        if at + 40 <= len(head) and struct.unpack_from(f"{order}I", head, at)[0] == _LOADED:
            offset = struct.unpack_from(f"{order}Q", head, at + 8)[0]
            end = max(end, offset + struct.unpack_from(f"{order}Q", head, at + 32)[0])
    return end


def digest_of(path: Path) -> str:
    """Return the SHA-256 of what is loaded from a path; "" if there is nothing.

    Of an LV2 bundle that is every file in it: its texts say which library is loaded, and how it is played. Such a
    digest is of one line for each file, ``SHA-256 name``, in the order of the names.
    """
    if is_lv2(path):
        files = sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file())
        return hashlib.sha256("".join(f"{_sha256(file)} {name}\n" for name, file in files).encode()).hexdigest()
    file = main_file(path)
    return _sha256(file) if file is not None else ""


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
