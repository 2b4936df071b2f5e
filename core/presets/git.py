"""One folder of a git repository, at one commit, fetched by git and by nothing that the repository brings.

Neither the URL nor what is behind it is trusted: git is let use the network and files and no other helper, runs
no hook and no filter, makes no link and no submodule, and never asks for a password.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tonesmith.errors import TonesmithError
from tonesmith.presets.collections import MANIFEST, Collection, without_secret

_SETTINGS = {
    "advice.detachedHead": "false",
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.symlinks": "false",
    "core.protectNTFS": "true",
    "core.protectHFS": "true",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
}
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
}
_LOCAL = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
}
"""Variables that would lead git to the repository that tonesmith happens to be started in, as in a hook."""

_UNTOUCHED = "* -text -eol -ident -filter -working-tree-encoding\n"
"""Git attributes, stronger than those of the repository: files are checked out byte for byte."""

_TEXTS = ("LICENSE", "LICENCE", "UNLICENSE", "COPYING", "NOTICE", "AUTHORS", "README")
_SSH = "-oBatchMode=yes -oConnectTimeout=30 -oServerAliveInterval=15 -oServerAliveCountMax=4"
_ABSENT = "not our ref"
"""In what git says where a server is sure that it does not have a commit."""
_SHOWN = 8192
"""Bytes that are kept of what git says: a server may have it say anything, and as much as it likes."""


class DownloadError(TonesmithError):
    """A collection of presets could not be downloaded."""


class RefusedError(DownloadError):
    """A git command failed."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """What git fetched.

    Attributes:
        commit: its hash.
        shallow: whether it came without the history before it.
    """

    commit: str
    shallow: bool


def check_out(
    collection: Collection, folder: Path, timeout: float, progress: Callable[[str], object] = str
) -> Checkout:
    """Fetch the presets of a collection, and the licence and readme texts above them, into a folder.

    Args:
        collection: to fetch.
        folder: must exist and be empty.
        timeout: seconds that all of it may take.
        progress: told what is being done, in a few words.

    Raises :class:`DownloadError`, with what git said.
    """
    git = _Git(collection, folder, timeout)
    progress(f"fetching {without_secret(collection.url)}")
    try:
        made = Checkout(_take(git, "--depth=1", "--filter=blob:none", "origin", collection.commit or "HEAD"), True)
    except RefusedError as error:
        if _ABSENT in str(error):
            raise
        # Servers of old, and folders behind a plain web server, give neither a lone commit nor single files
        progress("fetching again, with its whole history")
        _empty(folder)
        made = Checkout(_take(git, "origin", "HEAD", "+refs/heads/*:refs/remotes/origin/*"), False)
    git.run("config", "remote.origin.url", without_secret(collection.url))
    _check_present(git, made.commit)
    return made


def _take(git: _Git, *fetched: str) -> str:
    """Make a repository, fetch into it, check out, and return the commit."""
    collection, info = git.collection, git.folder / ".git" / "info"
    git.run("init", "--quiet", "--template=")
    git.run("config", "remote.origin.url", collection.url)
    git.run("config", "core.symlinks", "false")
    git.run("config", "core.sparseCheckout", "true")
    info.mkdir(exist_ok=True)
    patterns = "".join(f"{pattern}\n" for pattern in sparse_patterns(collection))
    for name, text in {"attributes": _UNTOUCHED, "exclude": f"{MANIFEST}\n", "sparse-checkout": patterns}.items():
        (info / name).write_text(text, encoding="utf-8", newline="\n")
    git.run("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", *fetched)
    asked = collection.commit or "FETCH_HEAD"
    git.run("branch", "--contains", asked)  # says in plain words if it is not there
    commit = git.run("rev-parse", "--verify", f"{asked}^{{commit}}").strip()
    git.run("checkout", "--quiet", "--force", "--detach", commit)
    return commit


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def sparse_patterns(collection: Collection) -> Iterator[str]:
    """Yield the patterns, in the form of a gitignore file, of what is checked out.

    The last one keeps out what a repository might hold to pass for a manifest of ours.
    """
    parts = [_literal(part) for part in collection.subfolder.split("/") if part]
    for depth in range(len(parts)):
        above = "".join(f"/{part}" for part in parts[:depth])
        yield from (f"{above}/{_any_case(text)}*" for text in _TEXTS)
    if collection.licence_file:
        yield "".join(f"/{_literal(part)}" for part in collection.licence_file.split("/"))
    yield "".join(f"/{part}" for part in parts) + "/" if parts else "/*"
    yield f"!{_any_case(MANIFEST)}*"


def _literal(text: str) -> str:
    """Return a pattern that matches a text as it stands."""
    escaped = "".join(f"\\{c}" if c in "*?[" else c for c in text)
    return f"{escaped[:-1]}\\ " if escaped.endswith(" ") else escaped


def _any_case(text: str) -> str:
    return "".join(f"[{c.upper()}{c.lower()}]" if c.isalpha() else c for c in text)


def _check_present(git: _Git, commit: str) -> None:
    folder, subfolder, stated = git.folder, git.collection.subfolder, git.collection.licence_file
    if subfolder and not (folder / subfolder).is_dir():
        names = git.run("ls-tree", "-z", "-d", "--name-only", commit).split("\0")
        listed = ", ".join(_printable(name) for name in names[:12] if name) or "none"
        raise git.error(f"commit {commit[:12]} has no folder {subfolder!r}. Its folders: {listed}")
    if stated and not (folder / stated).is_file():
        raise git.error(
            f"commit {commit[:12]} has no {stated!r}, where its licence should be stated. "
            "Find where it is now, and correct licence and licence_file"
        )


class _Git:
    """Runs git in a folder, until its time is over."""

    def __init__(self, collection: Collection, folder: Path, timeout: float) -> None:
        program = shutil.which("git")
        if program is None:
            raise DownloadError("Presets are downloaded with git, which is not installed. Install it.")
        options = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
        self.collection = collection
        self.folder = folder
        self.timeout = timeout
        self._deadline = time.monotonic() + timeout
        # Absolute, so that a PATH with "." in it never finds a "git" that the repository brought
        self._command = [str(Path(program).absolute()), *options]
        self._environment = _git_environment(os.environ)
        self._environment |= self._quiet_ssh()

    def run(self, *arguments: str) -> str:
        """Return what a git command printed. Raises :class:`DownloadError` if it fails or takes too long."""
        left = max(0.0, self._deadline - time.monotonic())
        try:
            status, out, said = _run([*self._command, *arguments], self.folder, self._environment, left)
        except subprocess.TimeoutExpired:
            raise self.error(f"the download took more than {self.timeout:g} s") from None
        if status:
            raise RefusedError(str(self.error(_reason(said, self.collection.url) or f"git exited with {status}")))
        return out

    def _quiet_ssh(self) -> dict[str, str]:
        """Return the variable for the user's ssh command, with the options under which it never asks or stalls."""
        if "GIT_SSH" in os.environ and "GIT_SSH_COMMAND" not in os.environ:
            return {}  # another program than ssh, with options of its own
        try:
            configured = self.run("config", "core.sshCommand").strip()
        except RefusedError:  # as it is where none is set
            configured = "ssh"
        return {"GIT_SSH_COMMAND": f"{os.environ.get('GIT_SSH_COMMAND', configured)} {_SSH}"}

    def error(self, what: str) -> DownloadError:
        """Return an error that names the collection and its repository."""
        return DownloadError(f"{self.collection.name}: {without_secret(self.collection.url)}: {what}.")


def _git_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that git is run in: the user's, without what would lead it astray or let it wait.

    The user's own configuration of git stays in force, for proxies, certificates and credentials are in it.
    """
    kept = {key: value for key, value in environ.items() if key not in _LOCAL}
    return {**kept, **_ENVIRONMENT}


def _run(command: Sequence[str], folder: Path, environ: Mapping[str, str], timeout: float) -> tuple[int, str, str]:
    """Return the exit status and what was printed; only the end of what went to the error stream.

    It runs in a session of its own: without a terminal it cannot ask, and it ends with all that it has started.
    """
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        ) as process,
    ):
        try:
            out, _ = process.communicate(timeout=timeout)
        except BaseException:
            _kill(process)
            raise
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - _SHOWN))
        return process.returncode, out.decode(errors="replace"), errors.read().decode(errors="replace")


def _kill(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _reason(said: str, url: str) -> str:
    """Return why git failed, from its last words: the fatal line and the one before it."""
    lines = [line for line in (_printable(line).strip() for line in said.splitlines()) if line]
    fatal = max((i for i, line in enumerate(lines) if line.startswith("fatal:")), default=len(lines) - 1)
    reason = "; ".join(lines[max(0, fatal - 1) : fatal + 1]).replace(url, without_secret(url)).rstrip(".")
    if "terminal prompts disabled" in reason:
        reason += " (the repository does not exist, or it asks for a password)"
    return reason


def _printable(text: str) -> str:
    """Return a text from elsewhere without what could steer a terminal."""
    return "".join(character for character in text if character.isprintable())
