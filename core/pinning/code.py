"""The machine code of held.s, for x86-64: what a pinned process finds under the names of clocks and random devices.

To change it, change held.s; ``as held.s -o held.o`` and ``objcopy -O binary -j .text held.o`` assemble it.
"""

from __future__ import annotations

STRIDE = 128
"""Bytes of an entry."""
_TRAP = b"\xcc"
_NAME, _VERSION = 32, 16
"""Bytes of a function to look up: its name, and its version where the C library has two."""
_VERSIONS = {"pthread_cond_timedwait": "GLIBC_2.3.2"}

_ENTRIES = (
    (
        ("tonesmith_hold",),
        (
            "488935211000004889152210000031c085ff740964488b042500000000488905ec0f000048b80000faed51728618488905e30f00"
            "0048c705e00f000000000000c3"
        ),
    ),
    (
        ("time",),
        (
            "64488b042500000000483b05800f00007522488b0424482b058b0f0000483b058c0f0000720ee8a70800004885ff7403488907c3"
            "4c8d1d850f00004c8d15ee090000e939080000"
        ),
    ),
    (
        ("gettimeofday",),
        (
            "64488b042500000000483b05000f00007535488b0424482b050b0f0000483b050c0f00007221e8270800004885ff741448890748"
            "89d031d2b9e803000048f7f14889470831c0c34c8d1dfa0e00004c8d158b090000e9a6070000"
        ),
    ),
    (
        ("clock_gettime",),
        (
            "64488b042500000000483b05800e00007527488b0424482b058b0e0000483b058c0e0000721385ff740a83ff05740583ff0b7505"
            "e9a90700004c8d1d900e00004c8d1549090000e934070000"
        ),
    ),
    (
        ("timespec_get",),
        (
            "64488b042500000000483b05000e00007528488b0424482b050b0e0000483b050c0e0000721483fe01750fe82207000048890748"
            "89570889f0c34c8d1d170e00004c8d15f8080000e9b3060000"
        ),
    ),
    (
        ("ftime",),
        (
            "64488b042500000000483b05800d00007527488b0424482b058b0d0000483b058c0d00007213e8a706000048890748c747080000"
            "000031c0c34c8d1da00d00004c8d15a9080000e934060000"
        ),
    ),
    (
        ("getrandom",),
        (
            "64488b042500000000483b05000d00007520488b0424482b050b0d0000483b050c0d0000720c4989f0e8cb0600004c89c0c34c8d"
            "1d2f0d00004c8d1560080000e9bb050000"
        ),
    ),
    (
        ("getentropy",),
        (
            "64488b042500000000483b05800c0000751c488b0424482b058b0c0000483b058c0c00007208e84e06000031c0c34c8d1dbb0c00"
            "004c8d1514080000e93f050000"
        ),
    ),
    (
        ("arc4random",),
        (
            "64488b042500000000483b05000c00007519488b0424482b050b0c0000483b050c0c00007205e97b0500004c8d1d460c00004c8d"
            "15c7070000e9c2040000"
        ),
    ),
    (
        ("arc4random_buf",),
        (
            "64488b042500000000483b05800b00007519488b0424482b058b0b0000483b058c0b00007205e94e0500004c8d1dce0b00004c8d"
            "1577070000e942040000"
        ),
    ),
    (
        ("arc4random_uniform",),
        (
            "64488b042500000000483b05000b00007526488b0424482b050b0b0000483b050c0b00007212e87b04000089c031d285ff7402f7"
            "f789d0c34c8d1d490b00004c8d151a070000e9b5030000"
        ),
    ),
    (
        ("pthread_cond_timedwait",),
        (
            "64488b042500000000483b05800a00007557488b0424482b058b0a0000483b058c0a0000724341ba00b95569488b024c29d048c1"
            "e8207531575652514883ec184989d1e8a9030000488b4c2418488b542420488b742428488b7c24304889e2e8050000004883c438"
            "c34c8d1da00a00004c8d1599060000e904030000"
        ),
    ),
    (
        ("pthread_cond_clockwait",),
        (
            "64488b042500000000483b05000a00007557488b0424482b050b0a0000483b050c0a0000724341ba00b95569488b014c29d048c1"
            "e8207531575652514883ec184989c9e829030000488b4c2418488b542420488b742428488b7c24304889e1e8050000004883c438"
            "c34c8d1d280a00004c8d1549060000e984020000"
        ),
    ),
    (
        ("pthread_mutex_timedlock",),
        (
            "64488b042500000000483b05800900007557488b0424482b058b090000483b058c090000724341ba00b95569488b064c29d048c1"
            "e8207531575652514883ec184989f1e8a9020000488b4c2418488b542420488b742428488b7c24304889e6e8050000004883c438"
            "c34c8d1db00900004c8d15f9050000e904020000"
        ),
    ),
    (
        ("sem_timedwait",),
        (
            "64488b042500000000483b05000900007557488b0424482b050b090000483b050c090000724341ba00b95569488b064c29d048c1"
            "e8207531575652514883ec184989f1e829020000488b4c2418488b542420488b742428488b7c24304889e6e8050000004883c438"
            "c34c8d1d380900004c8d15a9050000e984010000"
        ),
    ),
    (
        ("_ZNSt6chrono3_V212system_clock3nowEv",),
        ("64488b042500000000483b05800800007519488b0424482b058b080000483b058c0800007205e999010000e95e020000"),
    ),
    (
        ("_ZNSt3__16chrono12system_clock3nowEv",),
        (
            "64488b042500000000483b0500080000751b488b0424482b050b080000483b050c0800007207e819010000eb05e8dc01000031d2"
            "b9e803000048f7f1c3"
        ),
    ),
    (
        (
            "_ZNSt13random_device9_M_getvalEv",
            "_ZNSt13random_device16_M_getval_pretr1Ev",
            "_ZNSt3__113random_deviceclEv",
        ),
        ("64488b042500000000483b05800700007519488b0424482b058b070000483b058c0700007205e9fb000000e980010000"),
    ),
)
"""Names that an entry is found by, and its code."""
_SHARED = (
    "498b034885c0753557565251415348c7c7ffffffff4c89d6498d5220803a007408ff15e1060000eb06ff15d1060000415b595a5e5f49"
    "89034885c07402ffe04883c8ffc3b840420f00480fc105c7060000c3e8edffffff31d2b900ca9a3b48f7f1c3e8ebffffff4889064889"
    "560831c0c34d8b114d8b4908e891000000482b05940600004d69d200ca9a3b4c01d04c01c831d2b900ca9a3b48f7f148894424084889"
    "542410c348b8157c4a7fb979379e48030569060000488905620600004889c148c1e91e4831c848b9b9e5e41c6d4758bf480fafc14889"
    "c148c1e91b4831c848b9eb113113bb49d094480fafc14889c148c1e91f4831c8c34885f6740fe8a3ffffff880748ffc748ffceebecc3"
    "4883ec18b8e400000031ff4889e60f054869042400ca9a3b48034424084883c418c34883ec18b83e0100004889e7be0800000031d20f"
    "058b04244883c418c3"
)
"""What the entries have in common."""


def code() -> bytes:
    """Return the code: the entries, what they share, and the functions that they stand in for."""
    entries = b"".join(bytes.fromhex(text).ljust(STRIDE, _TRAP) for _, text in _ENTRIES)
    shared = bytes.fromhex(_SHARED)
    shared += _TRAP * (-len(shared) % STRIDE)
    return entries + shared + b"".join(map(_looked_up, [""] + [name for name, _ in exported()[1:] if name[0] != "_"]))


def exported() -> tuple[tuple[str, int], ...]:
    """Return every name that the code is found by, with the offset of its entry."""
    return tuple((name, STRIDE * place) for place, (names, _) in enumerate(_ENTRIES) for name in names)


def _looked_up(name: str) -> bytes:
    return name.encode().ljust(_NAME, b"\0") + _VERSIONS.get(name, "").encode().ljust(_VERSION, b"\0")
