"""The state of Surge XT: a patch in XML, whose values are those that sound, in natural units.

What the host holds after a state is stale, and a set may have been dropped; the XML knows. Layout: "sub3", the size
of the XML and six sizes of wavetables as little-endian int32, the XML, the wavetables.
"""

from __future__ import annotations

import math
import re
import struct
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

from tonesmith.errors import EngineError
from tonesmith.host.textfile import decoded

_HEAD = 32
_MAX_XML = 8 << 20
_MAX_TEXT = 500
_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 may have: https://www.w3.org/TR/xml/#charsets"""
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));")
_LAST = 0x10FFFF
_VALUE = re.compile(rb"<(\w+)[^<>]* value=[\"'](-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)[\"']")


@dataclass(frozen=True, slots=True)
class SurgePatch:
    """What the XML of a state says.

    Attributes:
        values: tag -> value in natural units, such as ``{"a_filter1_cutoff": 3.0}``.
        name, author, category, comment, licence: as its maker wrote them, or "".
        revision: of the format.
    """

    values: Mapping[str, float]
    name: str = ""
    author: str = ""
    category: str = ""
    comment: str = ""
    licence: str = ""
    revision: str = ""


def read_patch(state: bytes) -> SurgePatch:
    """Return the patch in a state of the component. Raises :class:`EngineError` if it is none of Surge."""
    root = _root(_legal(decoded(_xml(state))))
    meta = root.find("meta")
    told = dict(meta.attrib) if meta is not None else {}
    return SurgePatch(
        values=_values(root.find("parameters")),
        name=_line(told.get("name")),
        author=_line(told.get("author")),
        category=_line(told.get("category")),
        comment=_line(told.get("comment")),
        licence=_line(told.get("license")),
        revision=_line(root.get("revision")),
    )


def read_values(state: bytes) -> dict[str, float]:
    """Return tag -> value in natural units, as :func:`read_patch` does: for a state that the plugin has just told.

    Of the XML only what is between the tags of the parameters is looked at, by a pattern, which takes a tenth of the
    time. Raises :class:`EngineError` if there is none.
    """
    text = _xml(state)
    start, end = text.find(b"<parameters"), text.find(b"</parameters")
    if not 0 <= start < end:
        raise EngineError("a patch of Surge XT without parameters")
    found = {tag.decode("latin-1"): float(value) for tag, value in _VALUE.findall(text, start, end)}
    return {tag: value for tag, value in found.items() if math.isfinite(value)}


def _xml(state: bytes) -> bytes:
    if len(state) < _HEAD or state[:4] != b"sub3":
        raise EngineError("a state that is not a patch of Surge XT")
    (size,) = struct.unpack_from("<i", state, 4)
    if not 0 < size <= min(len(state) - _HEAD, _MAX_XML):
        raise EngineError(f"a damaged patch of Surge XT: {size} bytes of XML in {len(state)}")
    return state[_HEAD : _HEAD + size]


def _legal(text: str) -> str:
    """Return text without the characters that XML does not allow, plain or as a reference; Surge reads past them."""
    return _REFERENCE.sub(lambda found: "" if _ILLEGAL.match(_character(found)) else found[0], _ILLEGAL.sub("", text))


def _character(reference: re.Match[str]) -> str:
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    return chr(number) if number <= _LAST else "\0"


def _root(text: str) -> ET.Element:
    if "<!" in text.replace("<!--", ""):
        # A document type may define entities that grow without end.
        raise EngineError("a patch of Surge XT with a document type, which none needs")
    try:
        root = ET.fromstring(text)  # noqa: S314 - bounded, and without a document type
    except (ET.ParseError, ValueError, LookupError) as error:
        raise EngineError(f"a damaged patch of Surge XT: {error}") from None
    if root.tag != "patch" or root.find("parameters") is None:
        raise EngineError("a patch of Surge XT without parameters")
    return root


def _values(parameters: ET.Element | None) -> dict[str, float]:
    found: dict[str, float] = {}
    for element in parameters if parameters is not None else ():
        try:
            value = float(element.get("value", ""))
        except ValueError:
            continue
        if math.isfinite(value):
            found[element.tag] = value
    return found


def _line(text: str | None) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text or "")
    return " ".join(printable.split())[:_MAX_TEXT]
