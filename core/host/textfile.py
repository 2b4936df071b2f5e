"""Text files as people have them: UTF-8 with or without a BOM, UTF-16, or the code page of an old Windows program."""

from __future__ import annotations

import codecs
from pathlib import Path

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decoded(content: bytes, legacy: str = "cp1252") -> str:
    """Return the text of a file, without a byte order mark and up to its first NUL.

    UTF-16 is known by its mark. What is not UTF-8 is read in the legacy encoding, as JUCE reads it for Vital and many
    plugins (``String::createStringFromData``). No byte is refused.

    Args:
        content: of the file.
        legacy: the encoding of eight bits to fall back to.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _ended(content[len(mark) :].decode(encoding, "replace"))
    try:
        return _ended(content.decode("utf-8"))
    except UnicodeDecodeError:
        # Bytes that the code page leaves undefined stand for the control characters of the same number, as browsers
        # read them: https://encoding.spec.whatwg.org/#single-byte-decoder
        known = (bytes([byte]).decode(legacy, "ignore") or chr(byte) for byte in content)
        return _ended("".join(known))


def read_text(path: Path, legacy: str = "cp1252") -> str:
    """Return the text of a file as :func:`decoded` reads it. Raises :class:`OSError`."""
    return decoded(path.read_bytes(), legacy)


def _ended(text: str) -> str:
    return text.partition("\0")[0]
