"""A synth that costs nothing, and how a run and its workers find it: what is left is what tonesmith itself takes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Backend, Options

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.space.patch import Note, Patch
    from tonesmith.space.space import ParameterSpace

NAME = "null"
_METADATA = "Metadata-Version: 2.1\nName: tonesmith-null\nVersion: 1.0\n"
_ENTRY = "[tonesmith]\nnull = _null_synth\n"


class Null(Backend[Options]):
    """Silence, at once. It keeps nothing, so it needs no isolation."""

    name = NAME
    summary = "silence at once, for measuring all else"
    Options = Options
    isolation = "reuse"
    determinism = "exact"

    def space(self) -> ParameterSpace:
        from tonesmith.space.parameter import Parameter
        from tonesmith.space.space import ParameterSpace

        return ParameterSpace((Parameter("level", "continuous", 0.0, 1.0, 0.5),))

    def versions(self) -> Mapping[str, str]:
        return {NAME: "1"}

    def prepare(self, patch: Patch) -> None:
        self._level = patch.values["level"]

    def render(self, note: Note) -> NDArray[Any]:
        import numpy as np

        return np.zeros((1, round(note.duration * self.sample_rate)), np.float32)


@contextmanager
def plugged() -> Iterator[None]:
    """Let the synth be found here, and in every process started from here, as if it were installed."""
    import sys

    from tonesmith.host.registry import Host

    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "tonesmith_null-1.0.dist-info"
        made.mkdir()
        (made / "METADATA").write_text(_METADATA)
        (made / "entry_points.txt").write_text(_ENTRY)
        places = [folder, str(Path(__file__).parent)]
        sys.path[:0] = places
        os.environ["PYTHONPATH"] = os.pathsep.join([*places, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        Host.load.cache_clear()
        yield


@hookimpl
def tonesmith_backends() -> Iterable[type[Backend[Any]]]:
    """Return the synth."""
    return [Null]
