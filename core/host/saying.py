"""How the host names what is wrong with a plugin, and a distribution."""

from __future__ import annotations

import re


def told_of(error: BaseException) -> str:
    """Return an error of a plugin in one line, with the name of its class."""
    return f"{type(error).__name__}: {error}".removesuffix(": ").replace("\n", " ")


def normalised(distribution: str) -> str:
    """Return the name of a distribution as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
