"""Whether an engine that a stored plan names may be loaded: a plugin runs with all the rights of its user.

A plan from flags or a composition is its user's own. One that is read from a dataset may be a stranger's: what it loads
must be known, which is what this user has named himself in an earlier run, unchanged since, at the same path or in one
of the folders that plugins are installed in. What was met is kept in the user's cache, a file for each path, in a
folder for each content.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tonesmith.errors import TrustError
from tonesmith.host.binary import digest_of
from tonesmith.host.cache import cache_folder
from tonesmith.host.registry import Host
from tonesmith.host.roles import Backend, Options
from tonesmith.plan.plan import Plan

_LINUX = ("~/.", "/usr/lib/", "/usr/lib64/", "/usr/local/lib/")
_FOLDERS = {
    "linux": tuple(f"{above}{kind}" for above in _LINUX for kind in ("vst3", "vst", "lv2")),
    "darwin": ("~/Library/Audio/Plug-Ins", "/Library/Audio/Plug-Ins"),
    "win32": (r"C:\Program Files\Common Files\VST3", r"C:\Program Files\VstPlugins"),
}
"""Platform -> the folders that plugins are installed in."""
_SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def check_trusted(plan: Plan, host: Host, *, trust: bool = False) -> None:
    """Raise :class:`TrustError` unless an engine may be started from a plan that was stored in a dataset.

    Nothing is loaded for it. A backend whose engine came with a Python package needs no trust: the user installed it.

    Args:
        plan: as it is stored.
        host: finds its backend.
        trust: whether its user vouches for what it names. A relative path is refused all the same.

    Raises :class:`PluginError` for a backend that is not installed, :class:`ConfigError` for options that it has not.
    """
    backend = host.find("backend", plan.backend.name)
    options = host.options_of("backend", plan.backend.name, plan.backend.options)
    check_loads(backend.loads(options), plan.backend.options, options, plan.versions, trust=trust)


def check_loads(
    names: Iterable[str],
    stored: Mapping[str, Any],
    options: Options,
    versions: Mapping[str, str],
    *,
    trust: bool = False,
) -> None:
    """Raise :class:`TrustError` unless what a plugin loads may be loaded.

    Args:
        names: as :meth:`Backend.loads` returns them.
        stored: the options, as they are stored.
        options: the same, checked.
        versions: that the plan records.
        trust: as :func:`check_trusted` takes it.
    """
    for name in names:
        _check_absolute(name, stored, options)
        if trust:
            continue
        if fault := _fault(name, versions):
            raise TrustError(
                f"the dataset's plan loads {fault}. A plugin runs with all your rights: load it only if you trust "
                "whoever made the dataset. --trust loads it this once; in Python, trust=True."
            )


def remember(backend: type[Backend[Any]], options: Options) -> None:
    """Keep in the user's cache that this user has named, for a run of his own, what a backend loads.

    A cache that cannot be written costs a ``--trust`` later, no more.
    """
    remember_loads(backend.loads(options))


def remember_loads(names: Iterable[str]) -> None:
    """Keep in the user's cache that this user has named what a plugin loads."""
    for name in names:
        with contextlib.suppress(OSError):
            file = _record(name, _digest(name))
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(os.fsencode(f"{name}\n"))


def plugin_folders() -> tuple[Path, ...]:
    """Return the folders that plugins are installed in, on this system."""
    return tuple(Path(folder).expanduser() for folder in _FOLDERS.get(sys.platform, ()))


def _fault(name: str, versions: Mapping[str, str]) -> str:
    """Return what is loaded and why it is not known, or ""."""
    digest = _digest(name)
    if _is_path(name) and not digest:
        return f"{name}, which is not there"
    shown = f"{name} (SHA-256 {digest})" if digest else name
    recorded = _SHA256.findall(" ".join(map(str, versions.values())))
    if digest and recorded and digest not in recorded:
        return f"{shown}, which is another file than the dataset was made with (SHA-256 {recorded[0]})"
    record = _record(name, digest)
    if record.is_file() or (digest and record.parent.is_dir() and _is_installed(name)):
        return ""
    return f"{shown}, which you have not used in a run of your own"


def _is_installed(name: str) -> bool:
    """Return whether a path lies in a folder of plugins, as it is written: its user put there what lies there."""
    path = Path(name)
    return ".." not in path.parts and any(folder in path.parents for folder in plugin_folders())


def _is_path(name: str) -> bool:
    return Path(name).is_absolute()


def _digest(name: str) -> str:
    """Return the SHA-256 of a file or a bundle; "" for what is none."""
    try:
        return digest_of(Path(name)) if _is_path(name) else ""
    except OSError:
        return ""


def _record(name: str, digest: str) -> Path:
    """Return the file that says that something was met."""
    return cache_folder("met") / (digest or "by-name") / hashlib.sha256(os.fsencode(name)).hexdigest()


def _check_absolute(name: str, stored: Mapping[str, Any], options: Options) -> None:
    """Raise :class:`TrustError` for what would be found from the current folder, whose files may be anybody's.

    A plan records options as they are once they are checked. A text that checking changes was a relative path, or one
    with a ``~``: it would name another file for another user.
    """
    changed = [text for text, now in _texts(stored, options.model_dump(mode="json")) if text != now]
    if not changed and (_is_path(name) or (":" in name and not Path(name).exists())):  # else the URI of an LV2
        return
    told = changed[0] if changed else name
    raise TrustError(
        f"the dataset's plan names what to load by {told!r}. That is no full path, so it may lead to anybody's file. "
        "Make the dataset again with the full path."
    )


def _texts(stored: Mapping[str, Any], checked: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each text among stored options, and what checking made of it."""
    for key, value in stored.items():
        if isinstance(value, str):
            yield value, checked.get(key)
        elif isinstance(value, Mapping) and isinstance(inner := checked.get(key), Mapping):
            yield from _texts(value, inner)
