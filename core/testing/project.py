"""A folder in which ``tonesmith`` is run as at a terminal: what the pytest fixture ``project`` makes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tonesmith.dataset.reader import Dataset

_SITE = ".site"
_UNSET = ("TONESMITH_PLUGINS", "TONESMITH_TRACE")


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended.

    Attributes:
        folder: that it ran in.
        status: its exit code.
        stdout, stderr: what it printed.
    """

    folder: Path
    status: int
    stdout: str
    stderr: str

    def dataset(self, path: str | os.PathLike[str]) -> Dataset:
        """Open a dataset of the folder. A sink of a third party must be installed for this."""
        from tonesmith.dataset.opening import open_dataset

        return open_dataset(self.folder / path)


class Project:
    """A folder with files, and plugins that are found there as if they were installed.

    Args:
        folder: that is there.
        files: path below the folder -> text or bytes.
        plugins: modules to register, such as a file ``mine.py`` of the folder as "mine", or
            "tonesmith.testing.chaos". What is installed is found anyway.
    """

    def __init__(
        self, folder: Path, files: Mapping[str, str | bytes] | None = None, plugins: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        for name, content in (files or {}).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        if plugins:
            self._register(plugins)

    def run(self, *arguments: object, timeout: float = 120.0, **environment: str) -> Finished:
        """Run ``tonesmith`` with these arguments in the folder, in a process of its own.

        Args:
            arguments: each as one word.
            timeout: seconds; ``subprocess.TimeoutExpired`` is raised after them.
            environment: variables to set. Output is plain and 80 columns wide.
        """
        inherited = {key: value for key, value in os.environ.items() if key not in _UNSET}
        paths = [str(self.folder), str(self.folder / _SITE), inherited.get("PYTHONPATH", "")]
        plain = {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tonesmith", *map(str, arguments)],
            cwd=self.folder,
            env={**inherited, **plain, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Finished(self.folder, done.returncode, done.stdout, done.stderr)

    def _register(self, plugins: Sequence[str]) -> None:
        """Write what an installer writes of a distribution that has these modules as plugins."""
        record = self.folder / _SITE / "project_plugins-0.dist-info"
        record.mkdir(parents=True, exist_ok=True)
        (record / "METADATA").write_text("Metadata-Version: 2.1\nName: project-plugins\nVersion: 0\n")
        entries = "".join(f"{module.replace('.', '_')} = {module}\n" for module in plugins)
        (record / "entry_points.txt").write_text(f"[tonesmith]\n{entries}")
