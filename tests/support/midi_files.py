"""MIDI files made by hand, byte by byte: awkward ones with what they mean, and such as nothing can be made of."""

from __future__ import annotations

END = b"\x00\xff\x2f\x00"
NOTE = b"\x00\x90\x3c\x40\x83\x60\x80\x3c\x00"
"""Middle C for a beat of 480 ticks."""


def track(*events, end=END):
    content = b"".join(events) + end
    return b"MTrk" + len(content).to_bytes(4) + content


def midi(*tracks, kind=1, division=480, declared=None, head=b""):
    numbers = kind.to_bytes(2) + (declared or len(tracks)).to_bytes(2) + division.to_bytes(2)
    return b"MThd" + (6 + len(head)).to_bytes(4) + numbers + head + b"".join(tracks)


def tempo(microseconds, delta=b"\x00"):
    return delta + b"\xff\x51\x03" + microseconds.to_bytes(3)


def riff(content):
    data = b"RMIDdata" + len(content).to_bytes(4, "little") + content
    return b"RIFF" + len(data).to_bytes(4, "little") + data


ONE = [(0, 480, 60, 64, 0)]
TWO = [(0, 480, 60, 64, 0), (480, 480, 60, 64, 0)]
AWKWARD = {
    "plain": (midi(track(NOTE)), ONE, 0.5, ""),
    "running status": (midi(track(b"\x00\x90\x3c\x40\x83\x60\x3c\x00")), ONE, 0.5, ""),
    "a note-off as velocity 0": (midi(track(b"\x00\x90\x3c\x40\x83\x60\x90\x3c\x00")), ONE, 0.5, ""),
    "running status kept across a text": (
        midi(track(b"\x00\x90\x3c\x40\x00\xff\x01\x01a\x83\x60\x3c\x00")),
        ONE,
        0.5,
        "",
    ),
    "a tempo in another track": (midi(track(tempo(250_000)), track(NOTE)), ONE, 0.25, ""),
    "a tempo in the second track, later": (
        midi(track(NOTE + NOTE), track(tempo(1_000_000, b"\x83\x60"))),
        TWO,
        1.5,
        "",
    ),
    "film, 25 frames of 40 ticks": (
        midi(track(b"\x00\x90\x3c\x40\x87\x68\x80\x3c\x00"), division=0xE728),
        [(0, 1000, 60, 64, 0)],
        1.0,
        "",
    ),
    "film, 29.97 frames of 80 ticks": (
        midi(track(b"\x00\x90\x3c\x40\x92\x60\x80\x3c\x00"), division=0xE350),
        [(0, 2400, 60, 64, 0)],
        1.001,
        "",
    ),
    "film, and a tempo that means nothing there": (
        midi(track(tempo(1), b"\x00\x90\x3c\x40\x87\x68\x80\x3c\x00"), division=0xE728),
        [(0, 1000, 60, 64, 0)],
        1.0,
        "",
    ),
    "a pitch struck twice before its off": (
        midi(track(b"\x00\x90\x3c\x40\x83\x60\x90\x3c\x40\x83\x60\x80\x3c\x00\x83\x60\x80\x3c\x00")),
        [(0, 960, 60, 64, 0), (480, 960, 60, 64, 0)],
        1.5,
        "",
    ),
    "a note of no length": (midi(track(b"\x00\x90\x3c\x40\x00\x80\x3c\x00")), [(0, 0, 60, 64, 0)], 0.0, ""),
    "a note that nothing ends": (midi(track(NOTE, b"\x00\x90\x40\x40")), ONE, 0.5, ""),
    "a key of nine flats": (
        midi(track(b"\x00\xff\x59\x02\xf7\x05", NOTE)),
        ONE,
        0.5,
        "key signature at tick 0 is none",
    ),
    "a key of one byte": (midi(track(b"\x00\xff\x59\x01\x00", NOTE)), ONE, 0.5, "key signature at tick 0 is none"),
    "a meter of 0/4": (
        midi(track(b"\x00\xff\x58\x04\x00\x02\x18\x08", NOTE)),
        ONE,
        0.5,
        r"time signature at tick 0 is 0/2\^2",
    ),
    "a meter of 4/512": (midi(track(b"\x00\xff\x58\x04\x04\x09\x18\x08", NOTE)), ONE, 0.5, r"is 4/2\^9"),
    "a meter of no bytes": (midi(track(b"\x00\xff\x58\x00", NOTE)), ONE, 0.5, "time signature at tick 0 is none"),
    "a tempo of 0": (midi(track(tempo(0), NOTE)), ONE, 0.5, "tempo at tick 0 is none"),
    "a tempo of two bytes": (midi(track(b"\x00\xff\x51\x02\x01\x01", NOTE)), ONE, 0.5, "tempo at tick 0 is none"),
    "five tracks told, one there": (midi(track(NOTE), declared=5), ONE, 0.5, "tells of 5 tracks; there are 1"),
    "a header of eight bytes": (midi(track(NOTE), head=b"\x00\x00"), ONE, 0.5, "header has 8 bytes"),
    "bytes before the header": (b"junk!" + midi(track(NOTE)), ONE, 0.5, "5 bytes before its header"),
    "a RIFF file": (riff(midi(track(NOTE))), ONE, 0.5, ""),
    "an unknown chunk before the track": (
        midi(b"XFIH\x00\x00\x00\x02ab", track(NOTE), declared=1),
        ONE,
        0.5,
        "unknown chunk b'XFIH'",
    ),
    "bytes after the last track": (midi(track(NOTE)) + b"\x00\x00\x00", ONE, 0.5, ""),
    "bytes after the end of a track": (midi(track(NOTE, END, b"\x00\x90\x50\x40")), ONE, 0.5, ""),
    "a track without an end": (midi(track(NOTE, end=b"")), ONE, 0.5, "track 0 does not say where it ends"),
    "a file that is cut off": (midi(track(NOTE, NOTE))[:-7], ONE, 0.5, "ends 7 bytes early"),
    "a system exclusive message": (
        midi(track(b"\x00\xf0\x05\x7e\x7f\x09\x01\xf7", NOTE)),
        ONE,
        0.5,
        r"system exclusive messages \(1\)",
    ),
    "pressures of single keys": (
        midi(track(b"\x00\xa0\x3c\x22\x00\x3c\x23", NOTE)),
        ONE,
        0.5,
        r"pressures of single keys \(2\)",
    ),
    "no notes": (midi(track(b"")), [], 0.0, ""),
    "two programs on one channel": (
        midi(track(b"\x00\xc0\x05", NOTE, b"\x00\xc0\x06", NOTE)),
        [(0, 480, 60, 64, 0), (480, 480, 60, 64, 1)],
        1.0,
        "",
    ),
    "type 0 with two channels": (
        midi(track(NOTE, b"\x00\x91\x3c\x40\x83\x60\x81\x3c\x00"), kind=0),
        [(0, 480, 60, 64, 0), (480, 480, 60, 64, 1)],
        1.0,
        "",
    ),
    "a delta of four bytes": (
        midi(track(b"\x81\x80\x80\x00\x90\x3c\x40\x01\x80\x3c\x00")),
        [(1 << 21, 1, 60, 64, 0)],
        (2**21 + 1) / 960,
        "",
    ),
    "a packet of a system exclusive message that holds the sign of its end": (
        midi(track(b"\x00\xf7\x05\x02\xf7\x05\x00\x90", NOTE)),
        ONE,
        0.5,
        r"system exclusive messages \(1\)",
    ),
    "pressures of a channel": (
        midi(track(b"\x00\xd0\x10\x05\x11\x05\xd0\x12", NOTE)),
        [(10, 480, 60, 64, 0)],
        490 / 960,
        "",
    ),
    "a pressure that goes on after a text": (midi(track(b"\x00\xd0\x10\x00\xff\x01\x01a\x00\x11", NOTE)), ONE, 0.5, ""),
    "drums": (midi(track(b"\x00\x99\x3c\x40\x83\x60\x89\x3c\x00")), ONE, 0.5, ""),
    "two tempos at one tick": (midi(track(tempo(500_000), tempo(250_000), NOTE)), ONE, 0.25, ""),
    "a tempo after the last note": (midi(track(NOTE, tempo(1, b"\x83\x60"))), ONE, 0.5, ""),
    "a change of program while a note sounds": (
        midi(track(b"\x00\xc0\x05\x00\x90\x3c\x40\x00\xc0\x06\x83\x60\x80\x3c\x00")),
        ONE,
        0.5,
        "",
    ),
    "a meta event that nobody knows": (midi(track(b"\x00\xff\x60\x02\x80\x90", NOTE)), ONE, 0.5, ""),
    "an event of a sequencer's own": (midi(track(b"\x00\xff\x7f\x03\x00\x00\x41", NOTE)), ONE, 0.5, ""),
    "a channel prefix and a port": (midi(track(b"\x00\xff\x20\x01\x00\x00\xff\x21\x01\x00", NOTE)), ONE, 0.5, ""),
    "a delta of 0 in three bytes": (midi(track(b"\x80\x80" + NOTE)), ONE, 0.5, ""),
    "type 0 with two tracks": (
        midi(track(NOTE), track(NOTE), kind=0),
        [(0, 480, 60, 64, 0), (0, 480, 60, 64, 1)],
        0.5,
        "",
    ),
    "a track without events before another": (midi(track(b""), track(NOTE)), ONE, 0.5, ""),
    "the end of a note that did not begin": (midi(track(b"\x00\x80\x40\x00", NOTE)), ONE, 0.5, ""),
    "controllers on a channel without notes": (midi(track(b"\x00\xb5\x07\x40\x00\xe5\x00\x40", NOTE)), ONE, 0.5, ""),
    "the ends of every range": (
        midi(track(b"\x00\x90\x00\x01\x00\x7f\x7f\x83\x60\x80\x00\x00\x00\x7f\x00")),
        [(0, 480, 0, 1, 0), (0, 480, 127, 127, 0)],
        0.5,
        "",
    ),
    "one tick per beat": (midi(track(b"\x00\x90\x3c\x40\x01\x80\x3c\x00"), division=1), [(0, 1, 60, 64, 0)], 0.5, ""),
    "32,767 ticks per beat": (midi(track(NOTE), division=0x7FFF), ONE, 240 / 32767, ""),
}
REFUSED = {
    "nothing": (b"", "it is not a MIDI file: it has no header"),
    "text": (b"hello" * 300, "it is not a MIDI file"),
    "a WAV file": (b"RIFF\x24\x00\x00\x00WAVEfmt ", "it is not a MIDI file"),
    "a header that is cut off": (midi()[:11], "its header is cut off"),
    "a header of four bytes": (b"MThd\x00\x00\x00\x04\x00\x01\x00\x01\x01\xe0" + track(NOTE), "its header is cut off"),
    "no tracks": (midi(), "it has no track"),
    "type 2": (midi(track(NOTE), track(NOTE), kind=2), "it is of type 2: its tracks are pieces of their own"),
    "type 7": (midi(track(NOTE), kind=7), "it is of type 7"),
    "a division of 0": (midi(track(NOTE), division=0), "0 ticks per beat"),
    "17 frames per second": (midi(track(NOTE), division=0xEF28), "counts 17 frames per second with 40 ticks each"),
    "film with no ticks": (midi(track(NOTE), division=0xE700), "25 frames per second with 0 ticks"),
    "a data byte of 200": (midi(track(b"\x00\x90\x3c\xc8", NOTE)), "byte 0 of its track 0 is no event"),
    "a data byte without any status": (midi(track(b"\x00\x3c\x40")), "byte 0 of its track 0 is no event"),
    "a real-time message": (midi(track(NOTE, b"\x00\xf8")), "byte 9 of its track 0 is no event"),
    "a text that is longer than its track": (midi(track(b"\x00\xff\x01\x7fab")), "byte 0 of its track 0 is no event"),
    "a track that is cut off before another": (
        midi(track(b"\x00\x90\x3c", end=b""), track(NOTE)),
        "byte 0 of its track 0",
    ),
    "a piece of days": (midi(track(b"\xff\xff\xff\x7f\x90\x3c\x40\x01\x80\x3c\x00")), "it plays for 78 hours"),
    "more ticks than can be counted": (
        midi(track(*[b"\xff\xff\xff\x7f\x90\x3c\x40\x01\x80\x3c\x00"] * 9)),
        r"its track 0 lasts 2,415,919,104 ticks",
    ),
}
