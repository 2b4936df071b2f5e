"""What a library says of an audio file that it cannot read, as one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tonesmith.errors import ConfigError

_LONGEST = 120
_OBJECT = re.compile(r"Failed to open audio file-like object: <[^>]*>")
"""What pedalboard calls a file that was opened for it."""


@contextmanager
def audio_errors(path: Path) -> Iterator[None]:
    """Raise :class:`ConfigError`, with the name of a file, for whatever goes wrong while it is read as audio."""
    try:
        yield
    except ConfigError:
        raise
    except (ValueError, RuntimeError, OSError, MemoryError) as error:
        told = _OBJECT.sub("it", str(error).split("\n", maxsplit=1)[0])[:_LONGEST].rstrip(".")
        raise ConfigError(f"{path} cannot be read as audio: {told}.") from None
