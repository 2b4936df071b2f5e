"""What was found out about a backend on one machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tonesmith.pinning.start import Held
from tonesmith.plan.promises import Determinism, Isolation

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        check: its name.
        state: "fail" where a promise is broken, "warn" where something wants attention.
        measured: in a sentence.
        cure: what to do, or "".
    """

    check: str
    state: State
    measured: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was measured of a backend; a number that could not be measured is None.

    Attributes:
        used: the isolation that plans use, in which it was measured.
        promised: the determinism that the backend promises with that.
        determinism: what was found.
        floor_db: largest difference between renders of one patch, dB of full scale; None if there is none.
        isolation: the weakest isolation, of those tried, in which no patch hears another.
        load_seconds: until a new process can play.
        render_seconds: median, for ``note_seconds`` of sound.
        leak_mb: growth of the process over 200 renders in one engine, in 10**6 bytes.
        default_db: peak of the default patch, dBFS.
        wrong_input: whether the options name something that cannot be used.
        said: the last lines that engines wrote, if anything failed.
        held: what was held still in pinned processes; None if the backend does not ask for them.
    """

    backend: str
    used: Isolation
    promised: Determinism
    findings: tuple[Finding, ...]
    determinism: Determinism | None = None
    floor_db: float | None = None
    isolation: Isolation | None = None
    load_seconds: float | None = None
    render_seconds: float | None = None
    note_seconds: float = 0.0
    leak_mb: float | None = None
    default_db: float | None = None
    versions: Mapping[str, str] | None = None
    platform: str = ""
    wrong_input: bool = False
    said: tuple[str, ...] = ()
    held: tuple[Held, ...] | None = None

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that failed."""
        return tuple(finding for finding in self.findings if finding.state == "fail")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return asdict(self)
