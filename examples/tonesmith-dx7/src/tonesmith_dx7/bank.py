"""The voices of a ``.syx`` file, as such files are on the net.

A message of voices is ``F0 43 0n``, a format (0: one voice, 9: a bank of 32), a byte count of two bytes, the data, a
checksum and ``F7``. Files hold other messages too, or are cut, or have no header. Whatever is whole is read.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import replace

from tonesmith import EngineError
from tonesmith_dx7.voice import Voice, looks_like_voice, voice_of

_SIZES = {0: (155, 155), 9: (4096, 128)}
"""Of each format: bytes of its data, and of a voice in them."""
_COUNTS = {0: b"\x01\x1b", 9: b"\x20\x00"}
_DUMP = re.compile(rb"\xf0\x43[\x00-\x0f]([\x00\x09])([\x00-\x7f]{2})")
_MESSAGE = re.compile(rb"\xf0[\x00-\x7f]")
_STATUS = re.compile(rb"[\xf0\xf7]")
_LARGEST = 1 << 22
_SHIFTS = 9
"""Voices without a header begin at one of so many bytes: a damaged header has six."""

_SUM = ("checksum is wrong", "checksums are wrong")
_COUNT = ("header gives a wrong byte count", "headers give a wrong byte count")
_END = ("message has no end (F7)", "messages have no end (F7)")
_CUT = (
    "message is cut short, of which the whole voices are read",
    "messages are cut short, of which the whole voices are read",
)
_BARE = ("run of voices has no header", "runs of voices have no header")
_OTHER = ("message without DX7 voices was skipped", "messages without DX7 voices were skipped")
_STRAY = ("byte outside of messages was skipped", "bytes outside of messages were skipped")


class Remarks:
    """What was odd in a file: how often, and where first."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[int, int]] = {}

    def add(self, what: tuple[str, str], place: int, number: int = 1) -> None:
        """Count something that was found at a byte, in its singular and plural."""
        known, first = self._found.get(what, (0, place))
        self._found[what] = (known + number, first)

    def sentences(self) -> tuple[str, ...]:
        """Return a sentence for each, in the order in which they were found."""
        return tuple(
            f"{number} {what[number > 1]}, {'the first ' if number > 1 else ''}at byte {first}"
            for what, (number, first) in self._found.items()
        )


def message_of(data: bytes) -> bytes:
    """Return the message that holds one voice of 155 bytes."""
    return bytes.fromhex("F0 43 00 00 01 1B") + data + bytes([_checksum(data), 0xF7])


def read_voices(content: bytes) -> list[Voice]:
    """Return the voices of a file; the first one has the remarks of the file too.

    Raises :class:`EngineError` if there are none.
    """
    if len(content) > _LARGEST:
        raise EngineError(f"{len(content)} bytes; a file of DX7 voices has at most {_LARGEST}")
    remarks = Remarks()
    voices = [voice_of(part) for part in _parts(content, remarks)]
    told = remarks.sentences()
    if not voices:
        raise EngineError(f"no DX7 voice is in it: {'; '.join(told) or 'it is empty'}")
    return [replace(voices[0], remarks=(*told, *voices[0].remarks)), *voices[1:]]


def _parts(content: bytes, remarks: Remarks) -> Iterator[bytes]:
    """Yield the 128 or 155 bytes of each voice. Each byte of the file is in one message, or between two."""
    start, dump = 0, _DUMP.search(content)
    while start < len(content):
        if dump is not None and dump.start() < start:  # it lay in what has been read
            dump = _DUMP.search(content, start)
        if dump is not None and dump.start() == start:
            start = yield from _dump(content, dump, remarks)
        else:
            start = yield from _other(content, start, dump.start() if dump else len(content), remarks)


def _dump(content: bytes, head: re.Match[bytes], remarks: Remarks) -> Generator[bytes, None, int]:
    """Yield the voices of a message of voices, and return where it ends."""
    size, step = _SIZES[head[1][0]]
    end = _end_of_data(content, head.end(), size)
    yield from (content[at : at + step] for at in range(head.end(), end - step + 1, step))
    if head[2] != _COUNTS[head[1][0]]:
        remarks.add(_COUNT, head.start())
    if end == head.end() + size:
        return _end_of_dump(content, head, end, remarks)
    remarks.add(_CUT, head.start())
    return end + (content[end : end + 1] == b"\xf7")


def _end_of_data(content: bytes, start: int, size: int) -> int:
    """Return where the data of a dump end: after their size, or before it if the message was cut."""
    full = start + size
    if content[full + 1 : full + 2] == b"\xf7" and not _MESSAGE.search(content, start, full):
        return full
    cut = _STATUS.search(content, start, full)
    return cut.start() if cut else min(full, len(content))


def _end_of_dump(content: bytes, head: re.Match[bytes], end: int, remarks: Remarks) -> int:
    """Return where a dump ends whose data are whole, and remark on its checksum and its end."""
    total = _checksum(content[head.end() : end])
    if content[end + 1 : end + 2] == b"\xf7":
        if content[end] != total:
            remarks.add(_SUM, head.start())
        return end + 2
    remarks.add(_END, head.start())
    return end + (content[end : end + 1] == bytes([total]))


def _other(content: bytes, start: int, limit: int, remarks: Remarks) -> Generator[bytes, None, int]:
    """Yield the voices in what is no message of voices, if there are any, and return where it ends."""
    end = _end_of_other(content, start, limit)
    if content[start] == 0xF0:
        limit = end
    if end - start >= _SIZES[9][1]:
        start = yield from _bare(content, start, limit, remarks)
    if start == limit:
        return limit
    end = _end_of_other(content, start, limit)
    if content[start] == 0xF0:
        remarks.add(_OTHER, start)
    else:
        remarks.add(_STRAY, start, end - start)
    return end


def _end_of_other(content: bytes, start: int, limit: int) -> int:
    """Return where another message ends, or what is between two."""
    if content[start] != 0xF0:
        following = _MESSAGE.search(content, start, limit)
        return following.start() if following else limit
    last = _STATUS.search(content, start + 1, limit)
    if last is None:
        return limit
    return last.end() if last[0] == b"\xf7" else last.start()


def _bare(content: bytes, start: int, limit: int, remarks: Remarks) -> Generator[bytes, None, int]:
    """Yield the voices that stand without a header, and return where they end."""
    told = -1
    while run := _run(content, start, limit):
        if run.start != told:
            remarks.add(_BARE, run.start)
        if run.start > start:
            remarks.add(_STRAY, start, run.start - start)
        yield from (content[at : at + run.step] for at in run)
        start = told = run[-1] + run.step
    return start


def _run(content: bytes, start: int, limit: int) -> range:
    """Return where the voices of a bank without a header begin, or one voice: none if most do not look like one."""
    for step in (128, 155):
        for first in range(start, min(start + _SHIFTS, limit - step + 1)):
            places = range(first, min(first + _SIZES[9][0], limit) - step + 1, step)
            if any(looks_like_voice(content[at : at + step]) for at in places[:3]):  # or it is not worth a longer look
                voices = _up_to_messages(content, places)
                if voices:
                    return voices
    return range(0)


def _up_to_messages(content: bytes, places: range) -> range:
    """Return places without those of messages behind the last voice; none if most do not look like voices."""
    alike = [looks_like_voice(content[at : at + places.step]) for at in places]
    last = max(k for k, voice in enumerate(alike) if voice)
    for k in range(last + 1, len(places)):
        if _MESSAGE.search(content, places[k], places[k] + places.step):
            places = places[:k]
            break
    return places if 2 * sum(alike) >= len(places) else range(0)


def _checksum(data: bytes) -> int:
    return -sum(data) & 0x7F
