"""The short examination of a plugin's binary when a plan meets it for the first time, kept in the user's cache."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tonesmith.doctor.checkup import Checkup
from tonesmith.doctor.examine import examine
from tonesmith.engine.client import LOAD_SECONDS
from tonesmith.errors import ConfigError, EngineError
from tonesmith.host.binary import digest_of
from tonesmith.host.cache import cache_folder, keep
from tonesmith.host.roles import Backend, Options
from tonesmith.pinning.start import holdable
from tonesmith.plan.promises import Isolation
from tonesmith.terminal.messages import say


def first_use(
    backend: type[Backend[Any]],
    options: Options,
    isolation: Isolation,
    sample_rate: int,
    *,
    timeout: float,
    load_seconds: float = LOAD_SECONDS,
    tell: Callable[[str], object] | None = None,
) -> dict[str, Any] | None:
    """Return the checkup of the binary that a backend is loaded from, made now if it is not known; None without one.

    It is known by the content of the binary, the backend with its options, the isolation, the version of tonesmith, the
    platform and what can be held still there, and kept only if nothing failed.

    Args:
        backend: whose binary it is.
        options: which name it.
        isolation: that the plan uses.
        sample_rate: Hz.
        timeout: seconds that one render may take.
        load_seconds: how long an engine may take to load.
        tell: told in a line when the binary is examined; None for the error stream.

    Raises :class:`ConfigError` if the options name nothing that can be used, and :class:`EngineError` if the engine
    does not load or play, or breaks its promise.
    """
    path = backend.binary(options)
    if path is None:
        return None
    key = _key(backend, options, isolation, path)
    if key and (known := _known(key)) is not None:
        return known
    (tell or say)(f"first use of {path}: running the checks of tonesmith doctor")
    checkup = examine(
        backend,
        options,
        sample_rate,
        thorough=False,
        isolation=isolation,
        compare=False,
        load_seconds=load_seconds,
        render_seconds=timeout,
    )
    if checkup.faults:
        for finding in checkup.findings:
            if finding.check == "remark":
                (tell or say)(f"{backend.name}: {finding.measured}")
    _check(checkup, path)
    for finding in checkup.findings:
        if finding.check == "pinned" and finding.state == "warn":
            (tell or say)(f"{path} is not wholly pinned: {finding.measured}. {finding.cure}".rstrip())
        if finding.check == "promise" and finding.state == "warn":
            (tell or say)(f"{path} does not repeat itself ({finding.measured}). {finding.cure}")
    told = {**checkup.to_json(), "binary": digest_of(path)}
    if key:
        keep(_file(key), json.dumps(told))
    return told


def _check(checkup: Checkup, path: Path) -> None:
    faults = [fault for fault in checkup.faults if fault.check != "read back"]  # the plan may leave those out
    if not faults:
        return
    text = "; ".join(f"{fault.measured.rstrip('.')}. {fault.cure}".rstrip(". ") for fault in faults)
    if checkup.wrong_input:
        raise ConfigError(f"{checkup.backend}: {text}.")
    raise EngineError(
        f"{checkup.backend}: {path} is not fit for a dataset: {text}. For all measurements, run "
        f"tonesmith doctor {checkup.backend} with the same options."
    )


def _key(backend: type[Backend[Any]], options: Options, isolation: Isolation, path: Path) -> str:
    """Return what a checkup is known by; "" where there is no file to know it by."""
    try:
        digest = digest_of(path)
    except OSError:
        return ""
    settings = json.dumps(options.model_dump(mode="json"), sort_keys=True)
    machine = (platform.system(), platform.machine(), *(holdable() if backend.pinned(options) else ()))
    words = (digest, backend.name, settings, isolation, version("tonesmith"), *machine)
    return hashlib.sha256("\0".join(words).encode()).hexdigest() if digest else ""


def _file(key: str) -> Path:
    return cache_folder("checkups") / f"{key}.json"


def _known(key: str) -> dict[str, Any] | None:
    """Return the checkup in the cache; None if there is none, or something else is in its place."""
    try:
        told = json.loads(_file(key).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and {"findings", "determinism", "binary"} <= told.keys() else None
