"""Licences of presets as other programs know them."""

from __future__ import annotations

import re

# fmt: off
_HUB = frozenset((
    "apache-2.0", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "isc", "mit", "mpl-2.0", "unlicense", "wtfpl", "gpl-2.0",
    "gpl-3.0", "lgpl-2.1", "lgpl-3.0", "agpl-3.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0",
    "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0",
    "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0",
))
# fmt: on
"""Those that Hugging Face's hub takes in the head of a card, in its spelling: that of SPDX in lower case."""

_GNU = re.compile(r"((?:a|l)?gpl-\d\.\d)(?:-only|-or-later|\+)?")


def hub_licence(licence: str) -> str | None:
    """Return what Hugging Face's hub calls the licence of an SPDX identifier; None for one that it does not know."""
    name = licence.strip().lower()
    if gnu := _GNU.fullmatch(name):
        name = gnu[1]
    return name if name in _HUB else None


def licence_url(licence: str) -> str | None:
    """Return the address of a licence that is a known SPDX identifier as SPDX spells it, else None."""
    name = licence.strip()
    spelled = hub_licence(name) is not None and re.fullmatch(r"[A-Za-z0-9.-]*[A-Z][A-Za-z0-9.-]*", name)
    return f"https://spdx.org/licenses/{name}" if spelled else None
