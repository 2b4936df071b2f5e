"""Banks of Vital: zip files with ``.vital`` files in folders, beside wavetables, LFOs and samples that are not read.

Vital writes them in ``src/interface/editor_sections/bank_exporter.cpp`` of https://github.com/mtytel/vital. What the
headers of a zip file say of sizes is not believed: what is unpacked is counted, and none of it is written to disk.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from tonesmith.backends.vita.preset import MAX_BYTES
from tonesmith.document import open_plain
from tonesmith.errors import EngineError

SUFFIX = ".vitalbank"
MAX_MEMBERS = 10_000
"""Of all kinds."""
MAX_TOTAL = 1 << 30
"""Bytes of all presets of a bank, unpacked."""
MAX_RATIO = 200
"""Times its size that a preset may have unpacked. Real ones have twice their size, since most of them is base64."""
_MAX_READ = 4 << 20
"""Bytes that are read at once at most: the directory of a zip file is."""
_PART = 1 << 16
_PRESET, _NESTED = ".vital", (SUFFIX, ".zip")
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_DRIVE = re.compile(r"[A-Za-z]:")
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What the standard library raises for a zip file that is damaged, or unlike those that it reads."""


def members(path: Path) -> tuple[str, ...]:
    """Return the names of the presets in a bank, sorted.

    All are unpacked once, to see how much they hold. What is wrong with one of them, :func:`member` says.

    Raises :class:`EngineError` if it is no bank, or has too much in it.
    """
    with _opened(path) as bank:
        names = sorted({info.filename for info in bank.infolist() if _is_preset(info.filename)})
        room = MAX_TOTAL
        for name in names:
            with suppress(EngineError):
                for part in _unpacked(bank, name):
                    room -= len(part)
            if room < 0:
                raise EngineError(f"its presets have more than {MAX_TOTAL >> 20} MB unpacked")
    return tuple(names)


def member(path: Path, name: str) -> bytes:
    """Return a preset of a bank by its name. Raises :class:`EngineError` with what is wrong."""
    with _opened(path) as bank:
        return b"".join(_unpacked(bank, name))


def stem(name: str) -> str:
    """Return what a preset of a bank is called if nothing in it says so."""
    return PurePosixPath(_parts(name)[-1]).stem


class _File(io.FileIO):
    """A file that counts what is read of it, and gives no more than a part at a time."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_READ:
            raise EngineError(f"its directory claims {size >> 20} MB; up to {_MAX_READ >> 20} MB are read")
        content = super().read(_MAX_READ if size is None or size < 0 else size) or b""
        self.taken += len(content)
        return content


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with _File(open_plain(path)) as file, zipfile.ZipFile(file) as bank:
            if len(bank.infolist()) > MAX_MEMBERS:
                raise EngineError(f"it has {len(bank.infolist())} files; up to {MAX_MEMBERS} are read")
            yield bank
    except _FAULTS as error:
        raise EngineError(f"not a Vital bank, or damaged or cut short: {error}") from None


def _is_preset(name: str) -> bool:
    """Return whether a file is to be read: a preset, or a bank, which is refused. What macOS leaves is neither."""
    parts = _parts(name)
    return (
        parts[-1].lower().endswith((_PRESET, *_NESTED)) and not parts[-1].startswith("._") and "__MACOSX" not in parts
    )


def _parts(name: str) -> list[str]:
    return name.replace("\\", "/").split("/")


def _unpacked(bank: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield the content of a preset in parts. Raises :class:`EngineError` as soon as something is wrong with it."""
    info = _checked(bank, name)
    file = bank.fp
    assert isinstance(file, _File)
    before, size = file.taken, 0
    try:
        with bank.open(info) as stream:
            while part := stream.read(_PART):
                size += len(part)
                if size > MAX_BYTES:
                    raise EngineError(f"more than {MAX_BYTES >> 20} MB unpacked; so large a preset is not read")
                if size > MAX_RATIO * (file.taken - before):
                    raise EngineError(f"it unpacks to more than {MAX_RATIO} times its size, as no preset does")
                yield part
    except _FAULTS as error:
        raise EngineError(f"it is damaged: {str(error) or type(error).__name__}") from None


def _checked(bank: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Return what the directory says of a preset. Raises :class:`EngineError` for one that is not unpacked."""
    found = [info for info in bank.infolist() if info.filename == name]
    if not found:
        raise EngineError("the bank has no file of this name")
    if len(found) > 1:
        raise EngineError(f"the bank has {len(found)} files of this name")
    (info,) = found
    parts = _parts(name)
    if not parts[0] or ".." in parts or _DRIVE.match(name):
        raise EngineError("its name leads out of the bank")
    if name.lower().endswith(_NESTED):
        raise EngineError("a bank in a bank is not read")
    if info.flag_bits & _ENCRYPTED:
        raise EngineError("it is encrypted")
    if info.compress_type not in _METHODS:
        raise EngineError("it is packed in a way that Vital does not read")
    return info
