"""What can go wrong, in the words of the person at the terminal.

::

    TonesmithError
    ├── ConfigError      (ValueError)   a setting, key, range or name is wrong; exit status 2
    │   └── SpaceError                  a parameter space cannot do what was asked
    ├── PluginError                     a plugin is unknown, duplicated or broken; exit status 2
    ├── DatasetError                    a dataset is damaged, or the path holds something else
    │   ├── DatasetNotFoundError (FileNotFoundError)       exit status 2
    │   ├── BlockDamagedError           a block is not what was written
    │   ├── OtherPlanError              it was made by a different plan; exit status 2
    │   └── PathTakenError              something else is at the path; exit status 2
    ├── ScoreError       (ValueError)   a score or MIDI file is damaged, or cannot be played; exit status 2
    ├── BucketError                     an object store cannot be reached, or refuses
    ├── TrustError                      a dataset names a plugin that its user does not know; exit status 2
    ├── EngineError                     a synth could not be loaded or used
    └── RunError                        a run could not continue
        └── ResourceError               the machine ran out of processes, memory, descriptors or shared memory

The message says what is wrong, where, and what to do. The command line prints it without a
traceback and exits with ``exit_code``.
"""

from __future__ import annotations

import difflib
import errno
import importlib.util
import os
from collections.abc import Iterable

from tonesmith.terminal.text import one_line, shown

TRACEBACK = "TONESMITH_TRACEBACK"
"""The environment variable that, set to 1, adds a traceback to errors."""


_NEAR = 0.65
"""Likeness from which a name is suggested: a letter changed in three is near, and "foo" is not near "sobol"."""


class TonesmithError(Exception):
    """Base of every error that tonesmith raises on purpose."""

    exit_code = 1

    def __str__(self) -> str:
        """Return the message, without what a terminal would obey: it may quote a file or a plugin of anybody's."""
        return shown(super().__str__())


class ConfigError(TonesmithError, ValueError):
    """A setting is unknown, of the wrong type, or out of range."""

    exit_code = 2


class SpaceError(ConfigError):
    """A parameter space does not have, or cannot hold, what was asked for.

    Attributes:
        path: the key of the composition that asked, such as ("space", "ranges", "osc_1_level"), or ().
    """

    def __init__(self, message: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


class PluginError(TonesmithError):
    """A plugin is unknown, has the name of another, or is broken."""

    exit_code = 2


class DatasetError(TonesmithError):
    """A dataset is damaged, or the path holds something else."""


class BlockDamagedError(DatasetError):
    """The stored bytes of a block are not what was written.

    Attributes:
        block: its index.
        what: is wrong with it, a sentence without its end.
        cure: what to do about it, the same words for every block that is damaged alike.
    """

    def __init__(self, message: str, block: int, what: str, cure: str) -> None:
        super().__init__(message)
        self.block, self.what, self.cure = block, what, cure


class DatasetNotFoundError(DatasetError, FileNotFoundError):
    """There is no dataset at the path."""

    exit_code = 2


class OtherPlanError(DatasetError):
    """The dataset at the path was made by a different plan."""

    exit_code = 2


class PathTakenError(DatasetError):
    """A dataset was to be made at a path that holds something else."""

    exit_code = 2


class ScoreError(TonesmithError, ValueError):
    """A score or a MIDI file is damaged, or holds what cannot be played."""

    exit_code = 2


class BucketError(TonesmithError):
    """An object store cannot be reached, or refuses what was asked of it. What is stored there is as it was.

    Attributes:
        denied: whether it refuses: nothing is wrong with the way there.
    """

    def __init__(self, message: str, *, denied: bool = False) -> None:
        super().__init__(message)
        self.denied = denied


class TrustError(TonesmithError):
    """A dataset's plan names a plugin to load that its user has not used himself."""

    exit_code = 2


class EngineError(TonesmithError):
    """A synth engine could not be loaded, or refused what it was given."""


class RunError(TonesmithError):
    """A run could not continue. The blocks committed before are kept."""


class ResourceError(RunError):
    """The machine ran out of processes, memory, descriptors or shared memory. No candidate is blamed for it."""


def unforeseen(error: Exception) -> str:
    """Return the message for an unexpected error: one line and advice, or its traceback if that is wanted."""
    if os.environ.get(TRACEBACK) == "1":
        import traceback

        return "".join(traceback.format_exception(error)).rstrip()
    hint = f"This is a bug in tonesmith or in a plugin. Set {TRACEBACK}=1 to see where."
    return f"{type(error).__name__}: {error}\n{hint}"


def unreadable(path: object, error: OSError) -> DatasetError:
    """Return the error for a file or folder that the system does not let us read, with what to do about that.

    Args:
        path: of it.
        error: of the system.
    """
    told = f"{path} cannot be read: {error.strerror or error}."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return DatasetError(f"{told} Ask its owner for permission; nothing is wrong with it, as far as can be seen.")
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return DatasetNotFoundError(told)
    if error.errno == errno.ELOOP:
        return DatasetError(f"{told} It is a link to itself: put the file in its place, or make it anew.")
    return DatasetError(told)


def check_libraries(what: str, modules: Iterable[str], extra: str) -> None:
    """Raise :class:`ConfigError`, with the pip command, if a library that something needs is not installed.

    Args:
        what: the thing that needs them, such as "the sink 'hdf5'".
        modules: names to look for. They are not imported.
        extra: the extra of tonesmith that installs them.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        command = f'pip install "tonesmith[{extra}]"'
        absent = "is not installed. Install it" if len(missing) == 1 else "are not installed. Install them"
        raise ConfigError(f"{what} needs {' and '.join(missing)}, which {absent}: {command}")


def unknown_name(kind: str, name: str, known: Iterable[str], shown: int = 12) -> str:
    """Return the sentence for a name that is not among the known ones, with the nearest first."""
    names = sorted(map(one_line, known))
    near = nearest(name, names)
    hint = f" Did you mean {near!r}?" if near else ""
    listed = ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
    return f"unknown {kind} {name!r}.{hint} Known: {listed or 'none'}."


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that is nearest to a misspelt one, or "" if none is near. Dashes in front do not count."""
    bare = {other.lstrip("-"): other for other in known}
    near = difflib.get_close_matches(name.lstrip("-"), bare, n=1, cutoff=_NEAR)
    return bare[near[0]] if near else ""
