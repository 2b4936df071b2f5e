"""Where presets usually lie on a machine: the synth's own folders, and the collections in the cache.

The folders of Surge XT are where its installers put patches, and where ``SURGE_DATA_HOME`` says. Those of Vital are
those of its source, ``LoadSave::getDataDirectory`` in ``src/common/load_save.cpp`` of
https://github.com/mtytel/vital: the one that its configuration names, else one that depends on the platform.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonesmith.host.cache import cache_folder
from tonesmith.presets.collections import Collection
from tonesmith.presets.download import downloaded

_CONFIG_BYTES = 1 << 20
_OF_SURGE = {".fxp", ".vstpreset"}


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which presets may lie.

    Attributes:
        path: of the folder.
        what: whose it is, such as "Vital's folder".
        collection: that was downloaded into it, or None.
    """

    path: Path
    what: str
    collection: Collection | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What presets there are in a folder: how many, and their size in bytes."""

    presets: int
    nbytes: int


def vital_folders(
    platform: str = sys.platform, home: Path | None = None, environ: Mapping[str, str] | None = None
) -> list[Path]:
    """Return the folders in which Vital keeps presets, whether they exist or not, the likeliest first.

    Args:
        platform: as :data:`sys.platform`.
        home: of the user; None for the real one.
        environ: the environment; None for that of the process.
    """
    environ = os.environ if environ is None else environ
    home = home or Path.home()
    chosen = _chosen_in_vital(_vital_config(platform, home, environ))
    if platform == "darwin":
        usual = [home / "Music" / "Vital"]
    elif platform == "win32":
        usual = [base / "Vital" for base in _documents(platform, home, environ)]
    else:
        data = environ.get("XDG_DATA_HOME", "").strip()
        usual = [Path(data) / "vital"] if data.startswith("/") else []
        usual.append(home / ".local" / "share" / "vital")
    return list(dict.fromkeys([*chosen, *usual]))


def surge_folders(
    platform: str = sys.platform, home: Path | None = None, environ: Mapping[str, str] | None = None
) -> list[Path]:
    """Return the folders in which Surge XT keeps patches, whether they exist or not: the user's own come first.

    Args:
        platform: as :data:`sys.platform`.
        home: of the user; None for the real one.
        environ: the environment; None for that of the process.
    """
    environ = os.environ if environ is None else environ
    home = home or Path.home()
    if platform == "darwin":
        library = Path("Library") / "Application Support" / "Surge XT"
        usual = [home / library, Path("/") / library]
    elif platform == "win32":
        roots = [environ.get("LOCALAPPDATA"), environ.get("PROGRAMDATA") or "C:/ProgramData"]
        usual = [Path(root) / "Surge XT" for root in roots if root]
    else:
        shares = (home / ".local" / "share", Path("/usr/local/share"), Path("/usr/share"))
        usual = [share / "surge-xt" for share in shares]
    chosen = environ.get("SURGE_DATA_HOME", "").strip()
    data = [Path(chosen), *usual] if chosen else usual
    own = [documents / "Surge XT" / "Patches" for documents in _documents(platform, home, environ)]
    factory = [folder / name for folder in data for name in ("patches_factory", "patches_3rdparty")]
    return list(dict.fromkeys([*own, *factory]))


def _documents(platform: str, home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where documents of the user may be."""
    moved = [Path(environ[key]) for key in ("OneDrive", "USERPROFILE") if environ.get(key) and platform == "win32"]
    return [base / "Documents" for base in (*moved, home)]


def _vital_config(platform: str, home: Path, environ: Mapping[str, str]) -> Path:
    if platform == "darwin":
        return home / "Library" / "Application Support" / "vital" / "Vital.config"
    if platform == "win32":
        return Path(environ.get("APPDATA") or home / "AppData" / "Roaming") / "vital" / "Vital.config"
    return home / ".vital" / "Vital.config"


def _chosen_in_vital(config: Path) -> list[Path]:
    """Return the folder that the user has chosen in Vital, if its configuration can be read and names one."""
    try:
        with config.open("rb") as file:
            read: Any = json.loads(file.read(_CONFIG_BYTES))
    except (OSError, ValueError, RecursionError):
        return []
    chosen = read.get("data_directory") if isinstance(read, dict) else None
    return [Path(chosen)] if isinstance(chosen, str) and chosen.strip() and "\0" not in chosen else []


def places(
    platform: str = sys.platform,
    home: Path | None = None,
    environ: Mapping[str, str] | None = None,
    cache: Path | None = None,
    suffix: str = ".vital",
) -> list[Place]:
    """Return every folder that is looked in for presets, whether it exists or not: the synth's, and each collection.

    Args:
        platform: as :data:`sys.platform`.
        home: of the user; None for the real one.
        environ: the environment; None for that of the process.
        cache: the folder for collections; None for :func:`tonesmith.host.cache.cache_folder`.
        suffix: of the presets, which tells whose folders: of Surge XT for .fxp and .vstpreset, else of Vital.
    """
    if suffix.lower() in _OF_SURGE:
        own = [Place(path, "Surge XT's folder") for path in surge_folders(platform, home, environ)]
    else:
        own = [Place(path, "Vital's folder") for path in vital_folders(platform, home, environ)]
    cache = cache or cache_folder("presets", platform, home, environ)
    collections = [Place(d.folder, d.collection.name, d.collection) for d in downloaded(cache)]
    return own + (collections or [Place(cache, "downloaded collections")])


def preset_folders(
    suffix: str = ".vital",
    platform: str = sys.platform,
    home: Path | None = None,
    environ: Mapping[str, str] | None = None,
    cache: Path | None = None,
) -> list[tuple[Place, Tally]]:
    """Return the folders that hold presets of a suffix, with what is in each. Other arguments as of :func:`places`."""
    found: list[tuple[Place, Tally]] = []
    seen: set[str] = set()
    for place in places(platform, home, environ, cache, suffix):
        real = os.path.realpath(place.path)
        counted = tally(place.path, suffix) if real not in seen else Tally(0, 0)
        seen.add(real)
        if counted.presets:
            found.append((place, counted))
    return found


def tally(folder: Path, suffix: str) -> Tally:
    """Count the presets below a folder. Links to folders are not followed, and what cannot be read is passed over."""
    presets = size = 0
    suffix, pending = suffix.lower(), [os.fspath(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    elif entry.name.lower().endswith(suffix) and entry.is_file():
                        presets += 1
                        size += entry.stat().st_size
        except (OSError, ValueError):
            continue
    return Tally(presets, size)
