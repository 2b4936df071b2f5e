"""What a live engine says of itself."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tonesmith.plan.plan import Audio
from tonesmith.space.patch import sha256_hex
from tonesmith.space.space import ParameterSpace


@dataclass(frozen=True, slots=True)
class Description:
    """What a live engine says of itself.

    Attributes:
        space: every parameter, as the backend has it.
        assets: SHA-256 -> content of what the default patch holds.
        audio: channels and frames of a render.
        remarks: what a user should know of it, a sentence each.
    """

    space: ParameterSpace
    versions: Mapping[str, str]
    assets: Mapping[str, bytes]
    audio: Audio
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, reply: Mapping[str, Any], sample_rate: int) -> Description:
        """Return the description that an engine's process has told."""
        contents = [base64.b64decode(text) for text in reply["assets"].values()]
        return cls(
            space=ParameterSpace.from_json(reply["space"]),
            versions=reply["versions"],
            assets={sha256_hex(content): content for content in contents},
            audio=Audio(sample_rate, reply["channels"], reply["frames"]),
            remarks=tuple(map(str, reply["remarks"])),
        )
