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
        "31c085ff740964488b042500000000488905fa0f000048b80000faed51728618488905f10f000048c705ee0f000000000000c3",
    ),
    (
        ("time",),
        "64488b042500000000483b05800f0000750ee8bb0800004885ff7403488907c34c8d1d890f00004c8d15020a0000e94d080000",
    ),
    (
        ("gettimeofday",),
        (
            "64488b042500000000483b05000f00007521e83b0800004885ff74144889074889d031d2b9e803000048f7f14889470831c0c34c"
            "8d1dfe0e00004c8d159f090000e9ba070000"
        ),
    ),
    (
        ("clock_gettime",),
        (
            "64488b042500000000483b05800e0000751385ff740a83ff05740583ff0b7505e9bd0700004c8d1d940e00004c8d155d090000e9"
            "48070000"
        ),
    ),
    (
        ("timespec_get",),
        (
            "64488b042500000000483b05000e0000751483fe01750fe8360700004889074889570889f0c34c8d1d1b0e00004c8d150c090000"
            "e9c7060000"
        ),
    ),
    (
        ("ftime",),
        (
            "64488b042500000000483b05800d00007513e8bb06000048890748c747080000000031c0c34c8d1da40d00004c8d15bd080000e9"
            "48060000"
        ),
    ),
    (
        ("getrandom",),
        "64488b042500000000483b05000d0000750c4989f0e8df0600004c89c0c34c8d1d330d00004c8d1574080000e9cf050000",
    ),
    (
        ("getentropy",),
        "64488b042500000000483b05800c00007508e86206000031c0c34c8d1dbf0c00004c8d1528080000e953050000",
    ),
    (
        ("arc4random",),
        "64488b042500000000483b05000c00007505e98f0500004c8d1d4a0c00004c8d15db070000e9d6040000",
    ),
    (
        ("arc4random_buf",),
        "64488b042500000000483b05800b00007505e9620500004c8d1dd20b00004c8d158b070000e956040000",
    ),
    (
        ("arc4random_uniform",),
        (
            "64488b042500000000483b05000b00007512e88f04000089c031d285ff7402f7f789d0c34c8d1d4d0b00004c8d152e070000e9c9"
            "030000"
        ),
    ),
    (
        ("pthread_cond_timedwait",),
        (
            "64488b042500000000483b05800a0000754749ba00b9556900000000488b024c29d048c1e8207531575652514883ec184989d1e8"
            "b9030000488b4c2418488b542420488b742428488b7c24304889e2e8050000004883c438c34c8d1da00a00004c8d15a9060000e9"
            "14030000"
        ),
    ),
    (
        ("pthread_cond_clockwait",),
        (
            "64488b042500000000483b05000a0000754749ba00b9556900000000488b014c29d048c1e8207531575652514883ec184989c9e8"
            "39030000488b4c2418488b542420488b742428488b7c24304889e1e8050000004883c438c34c8d1d280a00004c8d1559060000e9"
            "94020000"
        ),
    ),
    (
        ("pthread_mutex_timedlock",),
        (
            "64488b042500000000483b0580090000754749ba00b9556900000000488b064c29d048c1e8207531575652514883ec184989f1e8"
            "b9020000488b4c2418488b542420488b742428488b7c24304889e6e8050000004883c438c34c8d1db00900004c8d1509060000e9"
            "14020000"
        ),
    ),
    (
        ("sem_timedwait",),
        (
            "64488b042500000000483b0500090000754749ba00b9556900000000488b064c29d048c1e8207531575652514883ec184989f1e8"
            "39020000488b4c2418488b542420488b742428488b7c24304889e6e8050000004883c438c34c8d1d380900004c8d15b9050000e9"
            "94010000"
        ),
    ),
    (
        ("_ZNSt6chrono3_V212system_clock3nowEv",),
        "64488b042500000000483b05800800007505e9ad010000e972020000",
    ),
    (
        ("_ZNSt3__16chrono12system_clock3nowEv",),
        "64488b042500000000483b05000800007507e82d010000eb05e8f001000031d2b9e803000048f7f1c3",
    ),
    (
        (
            "_ZNSt13random_device9_M_getvalEv",
            "_ZNSt13random_device16_M_getval_pretr1Ev",
            "_ZNSt3__113random_deviceclEv",
        ),
        "64488b042500000000483b05800700007505e90f010000e994010000",
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
