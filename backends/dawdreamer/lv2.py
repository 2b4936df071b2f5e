"""Which LV2 bundle offers a URI, found by reading manifests: nothing of a bundle is run.

A bundle is a folder with a ``manifest.ttl`` that lists its plugins and their binaries: https://lv2plug.in/ns/lv2core
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from tonesmith.errors import ConfigError, unknown_name
from tonesmith.host.binary import MANIFEST, digest_of
from tonesmith.host.textfile import read_text

_STANDARD = ("~/.lv2", "/usr/lib/lv2", "/usr/local/lib/lv2")
"""Where hosts look while LV2_PATH is unset: https://lv2plug.in/pages/filesystem-hierarchy-standard.html"""
_LV2 = "http://lv2plug.in/ns/lv2core#"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_DIRECTIVES = frozenset({"@prefix", "prefix"})
_MOST_BYTES = 4 << 20
_TOKENS = re.compile(
    r'''\#[^\n]*
    |<(?P<uri>[^<>\s]*)>
    |(?P<text>"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\')
    |(?P<sign>[.;,\[\]()](?=\s|\Z|[<"\[\]().;,\#]))
    |(?P<word>[^\s<>";,\[\]()\#]+)''',
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A plugin that a bundle offers.

    Attributes:
        binary: the file that holds it; None if the manifest names none.
    """

    uri: str
    bundle: Path
    binary: Path | None


def is_uri(place: str) -> bool:
    """Return whether an instrument is named by the URI of an LV2."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", place) is not None


def search_path() -> tuple[Path, ...]:
    """Return the folders in which bundles are looked for, the first counting most: LV2_PATH, or the usual ones."""
    listed = os.environ.get("LV2_PATH")
    places = listed.split(os.pathsep) if listed else _STANDARD
    return tuple(Path(place).expanduser() for place in places if place)


def bundle_of(uri: str) -> Path:
    """Return the bundle that offers a plugin. Raises :class:`ConfigError` as :func:`offer_of` does."""
    return offer_of(uri).bundle


def offer_of(uri: str) -> Offer:
    """Return the plugin with a URI.

    Raises :class:`ConfigError` if no bundle offers it, or several that are not copies of one another do: which of them
    a host loads is not laid down.
    """
    offers = [offer for offer in _offers() if offer.uri == uri]
    if not offers:
        known = sorted({offer.uri for offer in _offers()})
        nearest = unknown_name("URI", uri, known).partition(f"{uri!r}.")[2] if known else ""
        places = ", ".join(map(str, search_path()))
        raise ConfigError(f"{uri} cannot be loaded: no LV2 with that URI is installed in {places}.{nearest}")
    if len({digest_of(offer.bundle) for offer in offers}) > 1:
        places = " and ".join(str(offer.bundle) for offer in offers)
        raise ConfigError(
            f"{uri} is offered by {places}, which are different builds. Remove one of them, or set LV2_PATH to the "
            "folder that the other is in."
        )
    return offers[0]


def offered_by(bundle: Path) -> tuple[Offer, ...]:
    """Return the plugins of a bundle, by their URIs; none if its manifest cannot be read."""
    manifest = bundle / MANIFEST
    try:
        if manifest.stat().st_size > _MOST_BYTES:
            return ()
        statements = list(_statements(read_text(manifest)))
    except OSError:
        return ()
    uris = sorted({subject for subject, verb, thing in statements if (verb, thing) == (_TYPE, f"{_LV2}Plugin")})
    return tuple(Offer(uri, bundle, _binary(uri, bundle, statements)) for uri in uris)


def _offers() -> Iterator[Offer]:
    seen: set[Path] = set()
    for folder in search_path():
        try:
            bundles = sorted(path for path in folder.iterdir() if (path / MANIFEST).is_file())
        except OSError:
            continue
        for bundle in bundles:
            if (real := bundle.resolve()) not in seen:
                seen.add(real)
                yield from offered_by(bundle)


def _binary(uri: str, bundle: Path, statements: Sequence[tuple[str, str, str]]) -> Path | None:
    named = [thing for subject, verb, thing in statements if (subject, verb) == (uri, f"{_LV2}binary")]
    return bundle / unquote(named[0].removeprefix("file://")) if named else None


def _statements(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield subject, verb and thing of the statements of a Turtle text; what nests in brackets is left out.

    Grammar: https://www.w3.org/TR/turtle/
    """
    prefixes: dict[str, str] = {}
    terms: list[str] = []
    depth = 0
    for match in _TOKENS.finditer(text):
        sign, word = match["sign"] or "", match["word"] or ""
        if sign and sign in "[]()":
            depth += 1 if sign in "[(" else -1
        elif depth > 0 or match.lastgroup is None:
            continue
        elif sign:
            terms = terms[: " ;,".index(sign)] if sign != "." else []
        elif len(terms) == 2 and terms[0].lower() in _DIRECTIVES:
            prefixes[terms[1]] = match["uri"] or ""
            terms = []
        else:
            term = _term(word.removesuffix("."), prefixes, terms) if word else match["uri"] or match["text"] or ""
            terms.append(term)
            if len(terms) == 3:
                yield terms[0], terms[1], terms[2]
            if word.endswith("."):
                terms = []


def _term(word: str, prefixes: Mapping[str, str], before: Sequence[str]) -> str:
    """Return what a word stands for: the verb ``a``, or a prefix and the rest of a URI."""
    if word == "a" and len(before) == 1:
        return _TYPE
    prefix, colon, rest = word.partition(":")
    if not colon or (before and before[0].lower() in _DIRECTIVES):
        return word
    return prefixes.get(f"{prefix}:", f"{prefix}:") + rest
